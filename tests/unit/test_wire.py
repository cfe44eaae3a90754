"""What an event is, for any bytes that a server may send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.support.recordings import examples
from tui import wire
from tui.wire import Family

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)

KNOWN = sorted(
    {event["type"] for dialect in ("ga", "beta") for event in examples(dialect)}
    | {
        "input_audio_buffer.append",
        "conversation.item.truncate",
        "response.cancel",
        "websocket.closed",
        "session.update",
    }
)
# fmt: off
KEYS = st.sampled_from([
    "type", "event_id", "item_id", "response_id", "delta", "text", "transcript", "audio", "item", "response",
    "session", "error", "part", "rate_limits", "status", "status_details", "usage", "content", "role",
    "name", "arguments", "output", "audio_end_ms", "audio_start_ms", "id", "model", "voice",
    "output_modalities", "turn_detection", "previous_item_id", "content_index", "conversation", "code",
    "message", "reason",
])
# fmt: on
HOSTILE = st.recursive(
    SCALARS | st.sampled_from(KNOWN) | st.sampled_from(["failed", "completed", "message", "user"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
"""JSON values with the keys of real events in the wrong places."""


def hostile_events() -> st.SearchStrategy[dict[str, Any]]:
    """Objects that claim to be events of known types."""
    return st.builds(
        lambda event, event_type: {**event, "type": event_type},
        st.dictionaries(KEYS, HOSTILE, max_size=6),
        st.sampled_from(KNOWN) | HOSTILE,
    )


@PROPERTY
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 100_000)
@example(b'{"type":"' + b"1" * 5000 + b'"}')
@example(b"1" * 5000)
@example('{"type":"x"}'.encode("utf-16"))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    event = wire.parse(data)
    assert event is None or isinstance(event, dict)
    if event is None:
        assert wire.why_not_event(data)
    event_type = wire.sniff_type(data)
    assert event_type
    assert wire.family(event_type) in Family
    assert wire.label(event_type)
    wire.folds(event_type)
    at, start, end = wire.find_string(data, b'"delta"')
    assert 0 <= at <= start <= end <= len(data)
    assert 0 <= wire.decoded_size(data, start, end) <= len(data)


@PROPERTY
@given(hostile_events())
def test_no_event_is_too_odd(event: dict[str, Any]) -> None:
    said = wire.summary(event)
    assert isinstance(said, str)
    assert "\n" not in said
    assert wire.is_alarm(event) in {True, False}
    assert isinstance(wire.content_text(event.get("content")), str)


@PROPERTY
@given(JSON)
def test_text_is_one_short_line(value: object) -> None:
    said = wire.text(value, 50)
    assert len(said) <= 50
    assert "\n" not in said


def test_text_of_what_cannot_be_written() -> None:
    nested: object = []
    for _ in range(100_000):
        nested = [nested]
    assert wire.text(nested) == "…"
    assert wire.text(10**5000) == "…"


@PROPERTY
@given(st.sampled_from(KNOWN), st.sampled_from([",", ", "]), st.sampled_from([":", ": "]), st.booleans())
def test_the_sniffed_type_is_the_parsed_one(event_type: str, comma: str, colon: str, id_first: bool) -> None:
    event = {"event_id": "e", "type": event_type} if id_first else {"type": event_type, "event_id": "e"}
    data = json.dumps(event, separators=(comma, colon)).encode()
    assert wire.sniff_type(data) == event_type


@pytest.mark.parametrize(
    ("data", "event_type"),
    [
        (b'{"x":{"type":"inner"},"type":"outer"}', "outer"),
        (b'{"type":"a\\u0062"}', "ab"),
        (b'{"type":""}', wire.BROKEN_TYPE),
        (b'{"type":7}', wire.BROKEN_TYPE),
        (b'{"type":"\xff"}', wire.BROKEN_TYPE),
        (b"null", wire.BROKEN_TYPE),
        (b"", wire.BROKEN_TYPE),
    ],
)
def test_types_off_the_beaten_track(data: bytes, event_type: str) -> None:
    assert wire.sniff_type(data) == event_type


@PROPERTY
@given(st.binary(max_size=300), st.sampled_from(["", " "]), st.text(max_size=10))
def test_audio_is_measured_without_decoding(pcm: bytes, space: str, before: str) -> None:
    import base64

    delta = base64.b64encode(pcm).decode()
    data = f'{{"type":"response.output_audio.delta","x":{json.dumps(before)},"delta":{space}"{delta}","z":1}}'.encode()
    _, start, end = wire.find_string(data, b'"delta"')
    assert data[start:end].decode() == delta
    assert wire.decoded_size(data, start, end) == len(pcm)


@pytest.mark.parametrize("data", [b'{"item_id":null,"delta":"x"}', b'{"item_id":"x', b'{"item_id"', b"{}"])
def test_a_string_that_is_not_there(data: bytes) -> None:
    assert wire.find_string(data, b'"item_id"') == (0, 0, 0)


def test_text_that_looks_like_a_key() -> None:
    data = json.dumps({"type": "response.output_text.delta", "delta": '"item_id":"fake"', "item_id": "real"}).encode()
    _, start, end = wire.find_string(data, b'"item_id"')
    assert data[start:end] == b"real"


@pytest.mark.parametrize(
    ("event_type", "family"),
    [
        ("session.created", Family.SESSION),
        ("input_audio_buffer.append", Family.INPUT),
        ("conversation.item.added", Family.CONVERSATION),
        ("conversation.item.input_audio_transcription.failed", Family.ERROR),
        ("response.output_text.delta", Family.RESPONSE),
        ("response.function_call_arguments.done", Family.TOOL),
        ("mcp_list_tools.completed", Family.TOOL),
        ("rate_limits.updated", Family.LIMITS),
        ("error", Family.ERROR),
        (wire.BINARY_TYPE, Family.ERROR),
        ("galaxy.exploded", Family.UNKNOWN),
    ],
)
def test_families(event_type: str, family: Family) -> None:
    assert wire.family(event_type) is family


@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_every_type_has_a_family(dialect: str) -> None:
    assert {wire.family(event["type"]) for event in examples(dialect)} <= set(Family) - {Family.UNKNOWN}


@pytest.mark.parametrize(
    ("event_type", "label"),
    [
        ("response.output_text.delta", "output_text.delta"),
        ("response.done", "response.done"),
        ("conversation.item.added", "item.added"),
        ("conversation.item.input_audio_transcription.delta", "transcription.delta"),
        ("error", "error"),
    ],
)
def test_labels(event_type: str, label: str) -> None:
    assert wire.label(event_type) == label


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.0k"),
        (9_949, "9.9k"),
        (9_951, "10k"),
        (999_499, "999k"),
        (999_500, "1.0M"),
        (268_000, "268k"),
        (1_200_000, "1.2M"),
        (5_000_000_000_000, "5000G"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert wire.size(count) == said


def test_durations() -> None:
    assert (wire.audio_duration(7200), wire.audio_duration(268_800)) == ("150 ms of audio", "5.6 s of audio")


SUMMARIES = {
    "conversation.created": "conv_1",
    "conversation.item.added": "you: When does the museum open?",
    "conversation.item.done": "agent: Good morning. The museum opens at ten.",
    "conversation.item.deleted": "item_old",
    "conversation.item.input_audio_transcription.completed": "When does it open?",
    "conversation.item.input_audio_transcription.delta": "When",
    "conversation.item.input_audio_transcription.failed": "too_noisy: Nothing could be understood.",
    "response.function_call_arguments.done": 'opening_hours {"place":"museum"}',
    "rate_limits.updated": "tokens 39100/40000",
    "session.created": "gpt-realtime-2.1, audio, marin, semantic_vad",
}


@pytest.mark.parametrize("event_type", SUMMARIES)
def test_summaries(event_type: str) -> None:
    (event,) = [event for event in examples("ga") if event["type"] == event_type]
    assert wire.summary(event) == SUMMARIES[event_type]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"error": "The model is not loaded.", "code": "no_model"}, "no_model: The model is not loaded."),
        ({"message": "The model is not loaded.", "code": "no_model"}, "no_model: The model is not loaded."),
        ({"error": {"error": {"message": "Twice.", "type": "server_error"}}}, "server_error: Twice."),
        ({"error": {"error": "A string inside."}}, "A string inside."),
        ({"error": ["odd"]}, '["odd"]'),
        ({"error": "Not Found", "message": "No such model."}, "Not Found: No such model."),
        ({"error": {"code": None, "message": {"why": "nested"}}}, '{"why": "nested"}'),
        ({"error": None}, ""),
    ],
)
def test_errors_as_other_servers_write_them(fields: dict[str, Any], said: str) -> None:
    assert wire.summary({"type": "error", "event_id": "event_1", **fields}) == said


@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_every_event_says_something(dialect: str) -> None:
    silent = {event["type"] for event in examples(dialect) if not wire.summary(event)}
    bare = {"input_audio_buffer.cleared", "input_audio_buffer.dtmf_event_received", "transcription_session.updated"}
    assert silent <= bare


@pytest.mark.parametrize(
    ("event", "alarm"),
    [
        ({"type": "error"}, True),
        ({"type": "response.done", "response": {"status": "failed"}}, True),
        ({"type": "response.done", "response": {"status": "incomplete"}}, True),
        ({"type": "response.done", "response": {"status": "completed"}}, False),
        ({"type": "response.done", "response": {"status": []}}, False),
        ({"type": "conversation.item.input_audio_transcription.failed"}, True),
        ({"type": []}, False),
    ],
)
def test_alarms(event: dict[str, Any], alarm: bool) -> None:
    assert wire.is_alarm(event) is alarm
