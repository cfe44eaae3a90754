"""What filters match: single frames, entries with notes, and rows of several frames."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.capture.log.test_index import append_audio, audio_delta, log_of, text_delta
from tests.unit.capture.log.test_index import frame as made
from tui.capture.filter import frame, parse
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction.RECEIVED, Direction.SENT, Direction.LOCAL


def matches(written: str, event: dict[str, Any] | bytes, direction: Direction = RECEIVED, **more: Any) -> bool:
    data = event if isinstance(event, bytes) else json.dumps(event).encode()
    return parse(written).matches(frame(direction, data, **more))


@pytest.mark.parametrize(
    ("written", "event_type", "expected"),
    [
        ("type:response.*", "response.done", True),
        ("type:response.*", "conversation.item.done", False),
        ("type:*.DELTA", "response.output_text.delta", True),
        ("type:output_text.*", "response.output_text.delta", True),  # as the screen writes it
        ("type:item.added", "conversation.item.added", True),
        ("type:response", "response.done", True),
        ("type:delta", "response.output_text.delta", True),
        ("type:output_text.delta", "response.output_text.delta", True),
        ("type:delt", "response.output_text.delta", False),
        ("type:done", "response.output_text.done.x", True),
        ("type:*", "anything", True),
        ("audio", "response.output_audio.delta", True),
        ("audio", "response.audio.delta", True),
        ("audio", "input_audio_buffer.append", True),
        ("audio", "response.output_audio_transcript.delta", False),
        ("delta", "response.output_audio_transcript.delta", True),
        ("session", "websocket.open", True),
        ("tool", "response.function_call_arguments.done", True),
        ("response", "response.function_call_arguments.done", False),
        ("limits", "rate_limits.updated", True),
        ("unknown", "something.new", True),
        ("error", "error", True),
        ("error", "conversation.item.input_audio_transcription.failed", True),
        ("error", "response.done", False),
    ],
)
def test_types_and_names(written: str, event_type: str, expected: bool) -> None:
    assert matches(written, {"type": event_type}) is expected
    assert matches(f"-({written})", {"type": event_type}) is not expected


@pytest.mark.parametrize(("status", "failed"), [("failed", True), ("incomplete", True), ("completed", False)])
def test_a_failed_response_is_an_error(status: str, failed: bool) -> None:
    assert matches("error", {"type": "response.done", "response": {"status": status}}) is failed


def test_frames_that_are_no_events_are_errors_and_can_be_searched() -> None:
    assert matches("error", b"null")
    assert matches("error nul", b"null")
    assert matches('"(not JSON)" or type:"(not JSON)"', b"null")
    assert matches("error", b"\xff\x00", binary=True)


def test_directions_and_sizes() -> None:
    event = made("session.update", pad="x" * 1000)
    assert len(event) == 1034
    for written in ("dir:out", "sent", ">1kB", ">=1034", "<=1034", "=1034", "<1.1kB", "-dir:in", "<1024KiB"):
        assert matches(written, event, SENT), written
    for written in ("dir:in", "received", "local", ">1034", "<1034", ">1MB"):
        assert not matches(written, event, SENT), written
    assert matches("local", {"type": "websocket.close"}, LOCAL)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("WEATHER", "the weather"),
        ('"the weather"', "The Weather is"),
        ('"say \\"hi\\""', 'say "hi"'),
        ('"a\\\\b"', "a\\b"),
        ("café", "un CAFÉ noir"),
        ("ПРИВЕТ", "скажи привет"),
        ("straße", "Straße"),
        ("日本", "日本語"),
        ("👍🏽", "ok 👍🏽"),
        ("{x}", "{x}"),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_text_is_found_however_it_is_escaped(written: str, said: str, ascii_only: bool) -> None:
    data = json.dumps({"type": "x", "text": said}, ensure_ascii=ascii_only).encode()
    assert matches(written, data)
    assert not matches(f'{written} "not there"', data)


def test_signs_that_differ_in_one_bit_are_not_the_same() -> None:
    assert not matches("[x", {"type": "a", "text": "{x"})
    assert not matches('"a_b"', {"type": "a", "text": "a\x7fb"})


def test_audio_is_not_text() -> None:
    event = made("response.output_audio.delta", event_id="event_7", item_id="item_1", delta="abcdABCD")
    assert not matches("abcd", event)
    assert matches("event_7", event)
    assert matches("abcd", made("response.output_audio_transcript.delta", delta="abcdABCD"))


def test_notes_are_searched() -> None:
    assert matches('"not SENT"', {"type": "x"}, note="not sent: the connection had ended")


ITEM_EVENTS: list[dict[str, Any]] = [
    {"type": "response.output_text.delta", "item_id": "item_1", "response_id": "resp_1", "delta": "x"},
    {"type": "conversation.item.added", "previous_item_id": "item_0", "item": {"id": "item_1", "call_id": "call_1"}},
    {"type": "response.done", "response": {"id": "resp_1", "output": [{"id": "item_1", "call_id": "call_1"}, 7]}},
]


@pytest.mark.parametrize("event", ITEM_EVENTS, ids=lambda event: event["type"])
def test_an_item_is_found_wherever_its_id_stands(event: dict[str, Any]) -> None:
    assert matches("item:item_1", event)
    assert matches("item:item_*", event)
    assert matches("item:*_1", event)
    assert not matches("item:item_", event)
    assert not matches("item:item_0", event)
    assert not matches("item:ITEM_1", event)


def test_responses_calls_and_event_ids() -> None:
    delta, added, done = ITEM_EVENTS
    assert [matches("response:resp_1", event) for event in ITEM_EVENTS] == [True, False, True]
    assert [matches("call:call_1", event) for event in (delta, added, done)] == [False, True, True]
    assert matches("event:event_9", {"type": "session.update", "event_id": "event_9"}, SENT)
    assert matches("event:event_9", {"type": "error", "error": {"event_id": "event_9"}})
    assert not matches("event:event_9", {"type": "x", "item_id": "event_9"})


@pytest.mark.parametrize(
    "event", [b'{"type":"x","item":"item_1"}', b'["item_1"]', b'"item_1"', b'{"item_id":["item_1"]}']
)
def test_odd_shapes_have_no_ids(event: bytes) -> None:
    assert not matches("item:item_1", event)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not matches("type:" + "a*" * 30 + "b", {"type": "a" * 150})
    assert matches("type:a*b*c", {"type": "axxbxxbc"})
    assert not matches("type:a*b*c", {"type": "axxcxxb"})


def test_a_run_matches_as_one_row() -> None:
    log = log_of(text_delta("i", "It is "), text_delta("i", "raining"), audio_delta("j"), (SENT, append_audio()))
    rows = range(log.rows)

    def rows_of(written: str) -> list[int]:
        return [row for row in rows if parse(written).matches_row(log, row)]

    assert rows_of("raining") == [0]
    assert rows_of("-raining") == [1, 2]
    assert rows_of(f">{log.row(0).size - 1} <400") == [0]
    assert rows_of("audio sent") == [2]
    log.mark_alarm(1)
    assert rows_of("error") == [0]
    log.close()
