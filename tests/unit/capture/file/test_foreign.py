"""Files of other programs: an event under another key, behind a prefix, over many lines, in an array or a HAR file."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.capture import CaptureError, CaptureReader
from tui.capture.file import documents
from tui.capture.file.decoding import read_line
from tui.capture.file.foreign import time_in
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction

EVENTS: list[dict[str, Any]] = [
    {"type": "session.created", "session": {"id": "s", "note": "üñ ⟨x⟩"}},
    {"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(90)).decode()},
    {"type": "response.output_text.delta", "item_id": "i", "delta": 'He said "{}"'},
    {"type": "error", "error": {"code": "c", "message": "m"}, "event_id": None},
]
DIRECTIONS = [RECEIVED, SENT, RECEIVED, RECEIVED]


def reading(path: Path, content: str | bytes) -> CaptureReader:
    """The whole of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    reader = CaptureReader(path)
    reader.read_all()
    return reader


def assert_all_there(reader: CaptureReader, step_ns: int | None) -> None:
    """The four events, in time."""
    entries = [reader.log.entry(at) for at in range(len(reader.log))]
    assert [json.loads(entry.data) for entry in entries] == EVENTS
    assert [entry.direction for entry in entries] == DIRECTIONS
    assert [entry.t_ns for entry in entries] == [at * (step_ns or 0) for at in range(4)]
    assert [entry.alarm for entry in entries] == [False, False, False, True]
    untimed = "no time could be read; the event stands at the time of the one before (4 times)"
    assert (untimed in reader.problems) == (step_ns is None)
    reader.close()


SECOND = 10**9
TIMES = [
    ("time", [f"2026-06-01T10:00:0{at}.000Z" for at in range(4)], SECOND),
    ("timestamp", [f"2026-06-01T12:00:0{at}+02:00" for at in range(4)], SECOND),
    ("timestamp", [f"2026-06-01 10:00:00.{at}00000" for at in range(4)], SECOND // 10),
    ("@timestamp", [f"2026-06-01T10:00:0{at},500" for at in range(4)], SECOND),
    ("ts", [1_780_000_000 + at for at in range(4)], SECOND),
    ("ts", [1_780_000_000.25 + at for at in range(4)], SECOND),
    ("timestamp", [1_780_000_000_000 + at for at in range(4)], SECOND // 1000),
    ("timestamp", [str(1_780_000_000_000 + at) for at in range(4)], SECOND // 1000),
    ("time", [(1_780_000_000_000 + at) * 1000 for at in range(4)], SECOND // 1000),
    ("timestamp", [1_780_000_000 * SECOND + at for at in range(4)], 1),
    ("time_ns", [1_780_000_000 * SECOND + at for at in range(4)], 1),
    ("time_ms", [at * 5 for at in range(4)], SECOND // 200),
    ("time", [at / 4 for at in range(4)], SECOND // 4),
]


@pytest.mark.parametrize(("key", "times", "step_ns"), TIMES)
def test_times_are_read_however_they_are_written(tmp_path: Path, key: str, times: list[Any], step_ns: int) -> None:
    lines = [json.dumps({key: time, "event": event}) for time, event in zip(times, EVENTS, strict=True)]
    assert_all_there(reading(tmp_path / "f.jsonl", "\n".join(lines)), step_ns)


@pytest.mark.parametrize(
    "value", ["yesterday", "", None, True, [1], {}, "2026-13-45", 10**400, "9" * 500, "nan", 1e300], ids=range(11)
)
def test_what_is_no_time_is_none_and_that_is_reported(tmp_path: Path, value: object) -> None:
    assert time_in({"timestamp": value}) is None
    lines = [json.dumps({"timestamp": value, "event": event}) for event in EVENTS]
    assert_all_there(reading(tmp_path / "f.jsonl", "\n".join(lines)), None)


@pytest.mark.parametrize("key", ["event", "event_data", "eventData", "data", "message", "payload"])
@pytest.mark.parametrize("as_text", [False, True])
def test_the_event_may_be_one_level_down(tmp_path: Path, key: str, as_text: bool) -> None:
    lines = [
        {"timestamp": 1_780_000_000 + at, "type": "log", key: json.dumps(event) if as_text else event}
        for at, event in enumerate(EVENTS)
    ]
    reader = reading(tmp_path / "f.jsonl", "\n".join(map(json.dumps, lines)))
    if as_text:
        assert [reader.log.data(at) for at in range(4)] == [json.dumps(event).encode() for event in EVENTS]
    assert_all_there(reader, SECOND)


def test_words_beside_an_unknown_event_say_who_sent_it(tmp_path: Path) -> None:
    event = {"type": "vendor.thing"}
    beside: list[tuple[dict[str, str], Direction]] = [
        ({"direction": "in"}, RECEIVED),
        ({"direction": "outgoing"}, SENT),
        ({"dir": "recv"}, RECEIVED),
        ({"source": "client"}, SENT),
        ({"from": "server"}, RECEIVED),
        ({"type": "send"}, SENT),
        ({}, RECEIVED),
    ]
    reader = reading(tmp_path / "f.jsonl", "\n".join(json.dumps({**words, "data": event}) for words, _ in beside))
    assert [reader.log.direction_of(at) for at in range(len(beside))] == [direction for _, direction in beside]
    reader.close()


def test_the_type_tells_better_than_a_word(tmp_path: Path) -> None:
    lines = [json.dumps({"direction": "client", "message": event}) for event in EVENTS]
    assert_all_there(reading(tmp_path / "f.jsonl", "\n".join(lines)), None)


@pytest.mark.parametrize(
    ("line", "step_ns"),
    [
        ("2026-06-01 10:00:0{at},123 - DEBUG - rt - <<< {json}", SECOND),
        ("2026-06-01T10:00:0{at}Z INFO event={json} id=7", SECOND),
        ("[10:00:0{at}.5] > {json}", SECOND),
        ("178000000{at}.25 recv {json}", SECOND),
        ("INFO:root:Received event: {repr}", None),
        ("data: {json}", None),
        ("[INFO  websocat::log] READ 133 {quoted}", None),
        ("10:00:0{at} < TEXT '{json}' [{size} bytes]", SECOND),
        ("svc {{app}} 2026-06-01T10:00:0{at}Z {json}", SECOND),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n"])
def test_a_log_may_have_something_before_the_event(tmp_path: Path, line: str, step_ns: int | None, ending: str) -> None:
    lines = [
        line.format(
            at=at,
            json=(text := json.dumps(event, ensure_ascii=False)),
            repr=repr(event),
            quoted=json.dumps(text),
            size=len(text.encode()),
        )
        for at, event in enumerate(EVENTS)
    ]
    assert_all_there(reading(tmp_path / "f.log", "starting up\n" + ending.join(lines) + "\nbye\n"), step_ns)


def test_what_a_logger_has_shortened_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = '{"type": "response.done", "response": {"id": "r"}}'
    cut = [
        """10:00:00 < TEXT '{"type": "session.created", "event_id": "e1", "sess..."audio"]}}' [133 bytes]""",
        """10:00:01 < TEXT '{"type": "response.text.done", "resp...pt": "Knock knock."}' [167 bytes]""",
        f"10:00:02 < TEXT '{whole}' [{len(whole)} bytes]",
    ]
    reader = reading(tmp_path / "f.log", "\n".join(cut))
    entries = [reader.log.entry(at) for at in range(3)]
    assert [entry.type for entry in entries] == ["session.created", "response.text.done", "response.done"]
    assert [entry.note for entry in entries] == ["cut off where it was logged"] * 2 + [""]
    assert entries[0].data == b'{"type": "session.created", "event_id": "e1", "sess..."audio"]}}'
    assert [entry.t_ns for entry in entries] == [0, SECOND, 2 * SECOND]
    assert reader.problems == ["an event was cut off by the program that logged it (2 times)"]
    reader.close()


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("timed", [False, True])
def test_an_array_of_events_is_read(tmp_path: Path, indent: int | None, timed: bool) -> None:
    elements = [{"timestamp": 1_780_000_000 + at, "event": event} for at, event in enumerate(EVENTS)]
    document = json.dumps(elements if timed else EVENTS, indent=indent)
    for text in (document, f"\n  {document}\n", "\ufeff" + document, document.removesuffix("]").rstrip()):
        assert_all_there(reading(tmp_path / "f.json", text), SECOND if timed else None)


def test_a_document_with_a_list_of_events_is_read(tmp_path: Path) -> None:
    document = {"session": "s", "tags": ["a"], "events": EVENTS}
    assert_all_there(reading(tmp_path / "f.json", json.dumps(document, indent=1)), None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
def test_events_over_many_lines_are_read(tmp_path: Path, encoding: str) -> None:
    text = "".join(f"hook.ts:465 Type: {event['type']} Data: {json.dumps(event, indent=2)}\n" for event in EVENTS)
    data = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-bom" else text.encode(encoding)
    assert_all_there(reading(tmp_path / "f.log", data), None)
    pretty = "\n".join(json.dumps(event, indent=2, ensure_ascii=False) for event in EVENTS)
    assert_all_there(reading(tmp_path / "g.log", pretty), None)


def test_a_document_comes_through_a_pipe_too(tmp_path: Path) -> None:
    out, into = os.pipe()
    document = json.dumps(EVENTS, indent=2).encode()
    os.write(into, document[:100])
    os.write(into, document[100:])
    os.close(into)
    reader = CaptureReader(None, stdin=out)
    reader.read_all()
    assert_all_there(reader, None)
    os.close(out)


def har(*sockets: list[dict[str, Any]], **request: Any) -> str:
    """A HAR file with these sockets and a page."""
    asked = {"url": "wss://api.openai.com/v1/realtime?model=m&api-key=canary-har", **request}
    headers = [{"name": "Sec-WebSocket-Protocol", "value": "realtime, openai-insecure-api-key.canary-har"}]
    entries: list[dict[str, Any]] = [{"request": {"url": "https://example.org/"}, "response": {"status": 200}}]
    entries += [{"request": {**asked, "headers": headers}, "_webSocketMessages": each} for each in sockets]
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": entries}})


def messages(*events: object) -> list[dict[str, Any]]:
    """What a browser records of these, a second apart."""
    return [
        {
            "type": "send" if isinstance(event, dict) and event.get("type") == EVENTS[1]["type"] else "receive",
            "time": 1_780_000_000.5 + at,
            "opcode": 1,
            "data": event if isinstance(event, str) else json.dumps(event),
        }
        for at, event in enumerate(events)
    ]


def test_the_messages_of_a_har_file_are_read_and_no_key_of_it(tmp_path: Path) -> None:
    reader = reading(tmp_path / "s.har", har(messages(*EVENTS), messages("ping", "pong")))
    entries = [reader.log.entry(at) for at in range(len(reader.log))]
    assert entries[0].direction is LOCAL
    assert json.loads(entries[0].data)["text"] == "wss://api.openai.com/v1/realtime"
    assert [entry.data for entry in entries[1:]] == [json.dumps(event).encode() for event in EVENTS]
    assert [entry.direction for entry in entries[1:]] == DIRECTIONS
    assert [entry.t_ns for entry in entries[1:]] == [0, SECOND, 2 * SECOND, 3 * SECOND]
    assert not any(b"canary" in entry.data for entry in entries)
    assert reader.problems == []
    reader.close()


def test_nothing_of_a_har_file_is_lost(tmp_path: Path) -> None:
    odd = [
        *messages(EVENTS[0], "no JSON", "[1]"),
        {"type": "receive", "time": 1_780_000_009.5, "opcode": 2, "data": base64.b64encode(b"\x00\x01").decode()},
        {"type": "receive", "opcode": 1, "data": '{"type": "x"}'},
        {"type": "receive"},
        "what",
    ]
    reader = reading(tmp_path / "s.har", har(odd))  # type: ignore[arg-type]
    frames = [reader.log.data(at) for at in range(1, len(reader.log))]
    assert frames == [json.dumps(EVENTS[0]).encode(), b"no JSON", b"[1]", b"\x00\x01", b'{"type": "x"}']
    assert reader.problems == [
        "no time could be read; the event stands at the time of the one before",
        "a line is no event",
    ]
    reader.close()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (har(), "is a HAR file without messages of a Realtime session"),
        (har(messages("ping")), "is a HAR file without messages of a Realtime session"),
        ('{"log": 5}', "it has no event in it"),
        ('{"log": {"entries": {}}}', "is a HAR file without messages"),
        ("[]", "it has no event in it"),
        ("[[[[", "it has no event in it"),
        ("[1, 2, {}]", "it has no event in it"),
        ("{\n", "it has no event in it"),
        ("[" * 100_000, "it has no event in it"),
        ('{"a":\n' * 20_000, "no event in it"),
        ("Dear diary: {today}\n{\n}\n", "it has no event in it"),
    ],
    ids=range(11),
)
def test_a_document_without_events_is_refused_with_the_reason(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(content)
    reader = CaptureReader(path)
    with pytest.raises(CaptureError) as caught:
        reader.read_all()
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    reader.close()


def test_a_document_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.capture.file.reader.MAX_BYTES", 2**21)
    path = tmp_path / "f.json"
    path.write_text("[" + json.dumps(EVENTS[0]) + ",\n" * 3_000_000)
    reader = CaptureReader(path)
    with pytest.raises(CaptureError, match="is read as a whole, and is larger than 2 MiB"):
        reader.read_all()
    reader.close()


def test_a_line_of_ours_that_is_cut_off_is_no_event() -> None:
    line = b'{"time_ns":1,"direction":"received","size":30,"event":{"type":"response.done","response":{"id"'
    assert read_line(line) is None


ODD_TEXT = st.text(st.sampled_from("{}[]\",:\\'\n\r 0123456789.e-+typevndaNsx<>"), max_size=60)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path for hostile files."""
    return tmp_path_factory.mktemp("hostile") / "file.txt"


@PROPERTY
@given(
    st.lists(
        ODD_TEXT
        | st.sampled_from(['{"type": "error"}', '{"log": {', "[{", "x: {'type': 'error'}", '"{\\"type\\": \\"a\\"}"']),
        max_size=8,
    ),
    st.sampled_from(["", "\n", " "]),
)
def test_no_text_does_any_harm(hostile: Path, parts: list[str], between: str) -> None:
    hostile.write_text(between.join(parts), newline="")
    reader = CaptureReader(hostile)
    try:
        reader.read_all()
    except CaptureError as error:
        assert str(error).startswith(str(hostile))
    for at in range(len(reader.log)):
        assert isinstance(reader.log.entry(at).data, bytes)
    reader.close()


def test_the_largest_document_is_what_the_reader_says() -> None:
    assert documents.MAX_BYTES == 256 * 2**20
