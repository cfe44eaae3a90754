"""Opening captures: cut off, without their audio, of other versions and programs, hostile, growing, and from a pipe."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.unit.capture.file.test_round_trip import AUDIO, LOCAL, ODD, RECEIVED, SENT, capture, delta, read, writer
from tui.capture import CaptureError, CaptureReader, EventLog, Interrupted, RowReader
from tui.capture.file.records import FORMAT, MAX_LINE_BYTES

FRAMES = [*ODD, *ODD]


def lines(tmp_path: Path, *objects: object) -> Path:
    """A file with these objects, one a line; str as they are."""
    path = tmp_path / "file.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in objects))
    return path


def frames_of(reader: CaptureReader) -> list[bytes]:
    """All its frames."""
    return [reader.log.data(at) for at in range(len(reader.log))]


def test_cut_off_at_any_byte_it_opens_again(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, b'{"type":"x"}', False), (RECEIVED, b"no JSON", False), *ODD[-4:]])
    data = path.read_bytes()
    frames = frames_of(read(path))
    header = data.index(b"\n")
    for end in range(header + 1, len(data) + 1):
        path.write_bytes(data[:end])
        reader = read(path)
        whole = data[:end].count(b"\n") - 1
        # A line that only lacks its line break says all that it has to say.
        assert len(reader.log) - whole in ((0, 1) if data[end - 1 : end] == b"}" else (0,))
        assert frames_of(reader) == frames[: len(reader.log)]
        torn = data[end - 1 : end] != b"\n" and len(reader.log) == whole
        assert reader.problems == (["the last line is cut off, and left out"] if torn else [])
        reader.close()
    for end in range(header):
        path.write_bytes(data[:end])
        with pytest.raises(CaptureError, match=r"is no capture|is empty"):
            read(path)


def test_a_capture_that_grows_is_read_on(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    log = EventLog(capture=writing)
    log.append(RECEIVED, b'{"type":"x"}', 0)
    while not len(writing.frames):
        time.sleep(0.001)
    reader = CaptureReader(writing.path)
    assert not reader.read()
    assert len(reader.log) == 1
    for at in range(20):
        log.append(RECEIVED, delta(AUDIO, n=at), at)
        log.mark_alarm(at + 1)
    log.mark(Interrupted(5, "r", {"i": 5}))
    writing.close()
    with writing.path.open("ab") as file:
        file.write(b'{"time_ns":99,"direc')
    assert not reader.read()
    assert reader.problems == ["the last line is cut off, and left out"]
    with writing.path.open("ab") as file:
        file.write(b'tion":"sent","size":2,"event":{}}\n')
    assert not reader.read()
    assert reader.problems == []
    assert len(reader.log) == 22
    assert reader.log.data(20) == delta(AUDIO, n=19)
    assert reader.log.entry(20).alarm
    assert reader.log.marks == [(21, Interrupted(5, "r", {"i": 5}))]
    assert (reader.log.entry(21).direction, reader.log.data(21)) == (SENT, b"{}")
    assert reader.position == reader.size
    reader.close()
    log.close()


def test_without_its_audio_everything_else_is_shown(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, delta(AUDIO), False), (SENT, ODD[-3][1], False)])
    sound = path.with_name(f"{path.stem}.received.wav")
    sound.unlink()
    reader = read(path)
    assert reader.problems == [f"no audio: {sound.name}: No such file or directory"]
    assert json.loads(reader.log.data(0))["delta"] == ""
    assert reader.log.sizes(0, 1)[0] == len(delta(AUDIO))
    assert RowReader(reader.log).view(0).summary == "100 ms of audio"
    assert reader.log.data(1) == ODD[-3][1]
    reader.close()
    for no_wav in (b"", b"RIFF", b"no WAV file", b"RIFF\0\0\0\0WAVEdata\0\0\0\0", b"RIFF\0\0\0\0WAVE" + bytes(900)):
        sound.write_bytes(no_wav)
        reader = read(path)
        (problem,) = reader.problems
        assert problem.startswith(f"no audio: {sound.name}: it is no WAV file")
        reader.close()


def test_audio_that_is_too_short_for_its_events(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, delta("QUJD"), False), (RECEIVED, delta(AUDIO), False)])
    sound = path.with_name(f"{path.stem}.received.wav")
    os.truncate(sound, 2_000)
    reader = read(path)
    assert reader.log.data(0) == delta("QUJD")
    assert json.loads(reader.log.data(1))["delta"] == ""
    reader.close()


def test_a_capture_under_another_name_finds_its_audio(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, delta(AUDIO), False)])
    mine = path.rename(path.with_name("mine.jsonl"))
    assert frames_of(read(mine)) == [delta(AUDIO)], "by the name in its header"
    path.with_name(f"{path.stem}.received.wav").rename(mine.with_name("mine.received.wav"))
    assert frames_of(read(mine)) == [delta(AUDIO)], "or by its own"


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.wav", "..", ".", "a/b.wav", "x\x00y", "x" * 5_000])
def test_a_header_leads_to_no_file_elsewhere(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    other = capture(tmp_path, [(RECEIVED, delta(AUDIO), False)])
    other.with_name(f"{other.stem}.received.wav").rename(tmp_path / "secret.wav")
    header = {"format": FORMAT, "version": 1, "audio": {"received": name}}
    stored = {"time_ns": 1, "direction": "received", "size": 70, "audio": {"start": 0, "bytes": 3, "at": 10}}
    reader = read(lines(inside, header, {**stored, "event": {"type": "response.output_audio.delta", "delta": ""}}))
    assert json.loads(reader.log.data(0))["delta"] == ""
    assert reader.problems[-1].startswith("no audio: ")
    reader.close()


def test_what_say_prints_is_read(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"time": 0.5, "direction": "local", "event": {"type": "websocket.connect", "text": "ws://"}},
        {"time": 0.75, "direction": "sent", "event": {"type": "response.create"}},
        {"time": 1.25, "direction": "received", "text": "no JSON", "note": "kept from the SDK"},
        {"time": 1.5, "direction": "received", "base64": "AAE=", "binary": True},
        {"time": 2, "direction": "received", "event": {"type": "error", "error": {"code": "c"}}},
    )
    reader = read(path)
    entries = [reader.log.entry(at) for at in range(5)]
    assert [entry.direction for entry in entries] == [LOCAL, SENT, RECEIVED, RECEIVED, RECEIVED]
    assert [entry.t_ns for entry in entries] == [5 * 10**8, 75 * 10**7, 125 * 10**7, 15 * 10**8, 2 * 10**9]
    assert [entry.alarm for entry in entries] == [False, False, True, True, True]
    assert (entries[2].data, entries[2].note, entries[3].data) == (b"no JSON", "kept from the SDK", b"\0\1")
    assert entries[1].data == b'{"type":"response.create"}'
    assert reader.header is None
    assert reader.problems == []
    reader.close()


def test_events_alone_are_read_and_their_type_says_who_sent_them(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [
        {"type": "session.created"},
        {"type": "input_audio_buffer.append", "audio": "QUJD"},
        {"type": "conversation.item.created", "item": {}},
        {"type": "conversation.item.create", "item": {}},
        {"event": {"type": "response.done", "response": {"status": "failed"}}},
    ]
    reader = read(lines(tmp_path, *events))
    entries = [reader.log.entry(at) for at in range(5)]
    assert [entry.direction for entry in entries] == [RECEIVED, SENT, RECEIVED, SENT, RECEIVED]
    assert entries[0].data == json.dumps(events[0]).encode()
    assert [entry.alarm for entry in entries] == [False, False, False, False, True]
    reader.close()


@pytest.mark.parametrize("spaces", [(", ", ": "), (",", ":")])
def test_a_capture_that_went_through_jq_is_the_same_but_for_spaces(tmp_path: Path, spaces: tuple[str, str]) -> None:
    path = capture(tmp_path, FRAMES)
    plain = read(path)
    rewritten = [
        json.dumps({**json.loads(line), "extra": {"a": 1}}, separators=spaces)
        for line in path.read_text("utf-8").split("\n")[:-1]
    ]
    path.write_text("\n".join(rewritten) + "\n")
    reader = read(path)
    assert len(reader.log) == len(plain.log)
    for at, (_, data, binary) in enumerate(FRAMES):
        ours, was = reader.log.entry(at), plain.log.entry(at)
        assert (ours.t_ns, ours.direction, ours.type) == (was.t_ns, was.direction, was.type)
        if not binary and data.startswith(b"{") and data.endswith(b"}") and b"\n" not in data:
            try:
                assert json.loads(ours.data) == json.loads(data)
            except ValueError:
                assert ours.data == data
    assert all("another program" in problem for problem in reader.problems)
    for each in (plain, reader):
        each.close()


def test_a_newer_version_says_so_and_shows_what_it_can(tmp_path: Path) -> None:
    header = {"format": FORMAT, "version": 3, "program": "azrt-tui 9.1", "new": {"field": 1}}
    frame = {"time_ns": 7, "direction": "received", "event": {"type": "x"}, "colour": "red"}
    reader = read(lines(tmp_path, header, {"mark": "something new", "time_ns": 3}, {"new": "line"}, frame))
    assert reader.problems == [
        "it was written by a newer azrt-tui 9.1 (format 3); this one knows format 1, and shows what it can",
        "a line is no event (2 times)",
    ]
    assert [reader.log.entry(0).t_ns, reader.log.data(0)] == [7, b'{"type":"x"}']
    reader.close()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({}, "no format"),
        ({"version": 0}, "format 0, which there is not"),
        ({"version": -1}, "format -1, which there is not"),
        ({"version": 1.5}, "format 1.5, which there is not"),
        ({"version": "2\x1b"}, 'format "2\\u001b", which there is not'),
        ({"version": True}, "format true, which there is not"),
        ({"version": None}, "format null, which there is not"),
        ({"version": [[1]]}, "format […], which there is not"),
        ({"version": 10**30}, f"format {10**30}, which there is not"),
    ],
)
def test_a_version_that_nobody_writes_is_named_and_all_is_shown(
    tmp_path: Path, header: dict[str, Any], said: str
) -> None:
    frame = {"time_ns": 7, "direction": "sent", "size": 12, "event": {"type": "x"}}
    reader = read(lines(tmp_path, {"format": FORMAT, "host": "h", **header}, frame, {"about": 0, "note": "n"}))
    assert reader.problems == [f"its header names {said}; it is shown as format 1, as far as it can be"]
    assert (reader.log.entry(0).t_ns, reader.log.entry(0).note) == (7, "n")
    assert reader.header is not None
    assert reader.header.host == "h"
    reader.close()


def test_two_captures_in_one_file(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, delta(AUDIO), False), (RECEIVED, b'{"type":"x"}', False)])
    writing = writer(tmp_path)
    log = EventLog(capture=writing)
    log.append(RECEIVED, delta("QUJD"), 5)
    log.add_note(0, "of the second")
    log.close()
    path.write_bytes(path.read_bytes() + writing.path.read_bytes())
    reader = read(path)
    assert "another capture begins in the middle of the file; its times begin anew" in reader.problems
    assert [reader.log.entry(at).note for at in range(3)] == ["", "", "of the second"]
    assert json.loads(reader.log.data(2))["delta"] == "", "rather none than that of the first"
    reader.close()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is no capture: it has no event in it"),
        (b"Dear diary,\ntoday I wrote no JSON.\n", "is no capture: it has no event in it"),
        (b"\x7fELF\x00\x01" * 5_000, "is no capture: it has no event in it"),
        (b"x\n" * 25_000, "is no capture: there is no event in its first 20,000 lines"),
        (b'{"a": 1}\n[1]\nnull\n', "is no capture: it has no event in it"),
    ],
    ids=["empty", "line breaks", "diary", "program", "many lines", "other JSON"],
)
def test_a_file_that_is_no_capture(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "diary.txt"
    path.write_bytes(data)
    reader = CaptureReader(path)
    with pytest.raises(CaptureError) as caught:
        reader.read_all()
    assert str(caught.value) == f"{path}{'' if said.startswith(':') else ' '}{said}"
    reader.close()


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="No such file or directory"):
        CaptureReader(tmp_path / "none.jsonl")
    with pytest.raises(CaptureError, match="is a folder; name a file in it"):
        CaptureReader(tmp_path)


def test_a_line_without_end_is_refused_and_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'{"type":"session.created"}\n')
    os.truncate(path, MAX_LINE_BYTES + 10_000_000)
    reader = CaptureReader(path)
    with pytest.raises(CaptureError, match="line 2 is longer than 64 MiB"):
        reader.read_all()
    assert len(reader.log) == 1
    reader.close()


def test_from_a_pipe_it_comes_as_it_is_written(tmp_path: Path) -> None:
    data = capture(tmp_path, [(RECEIVED, b'{"type":"x"}', False), (RECEIVED, delta(AUDIO), False)]).read_bytes()
    out, into = os.pipe()
    reader = CaptureReader(None, stdin=out)
    half = data.index(b"\n", data.index(b"\n") + 1) + 20
    os.write(into, data[:half])
    found = iter(reader)
    entry = next(found)
    assert getattr(entry, "data", b"") == b'{"type":"x"}'
    os.write(into, data[half:])
    os.close(into)
    assert len(list(found)) == 1
    assert reader.problems == ["no audio: stdin has no file beside it"]
    reader.close()
    os.close(out)


def test_a_named_pipe_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writing = threading.Thread(target=lambda: path.write_bytes(b'{"type":"session.created"}\n'))
    writing.start()
    reader = CaptureReader(path)
    reader.read_all()
    writing.join()
    assert frames_of(reader) == [b'{"type":"session.created"}']
    reader.close()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from([2**63, -1, 10**30, "[red]x[/]", "\x1b[2J", "\ud800", "received", "sent", FORMAT]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    "time_ns time direction size audio start bytes at event text base64 binary about note alarm mark heard_ms item_id "
    "content_index response_id format version program host type received sent".split()
)
hostile_lines = st.lists(
    st.dictionaries(fields, json_values | st.dictionaries(fields, json_values, max_size=4), max_size=7).map(
        lambda value: json.dumps(value).encode()
    )
    | st.binary(max_size=80)
    | st.sampled_from(
        [
            b'{"time_ns":999999999999999999,"direction":"sent","size":13,"event":{"type":"x"}}',
            b'{"time_ns":1,"direction":"sent","size":12,"event":{"type":"x"}}',
            b'{"time_ns":1,"direction":"received","size":99999990,"audio":{"start":999999999999,"bytes":74999976,"at":5},%b}'
            % b'"event":{"a":"1234567890","delta":""}',
            b'{"mark":"interrupted","time_ns":5,"response_id":"r","heard_ms":{"i":1e400}}',
            b"[" * 5_000,
            b'{"about":0,"note":"\\u001b[31m[b]","alarm":true}',
        ]
    ),
    max_size=10,
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path for hostile files."""
    return tmp_path_factory.mktemp("hostile") / "file.jsonl"


@PROPERTY
@given(hostile_lines, st.booleans())
def test_no_file_does_any_harm(hostile: Path, content: list[bytes], ended: bool) -> None:
    hostile.write_bytes(b"\n".join(content) + b"\n" * ended)
    reader = CaptureReader(hostile)
    try:
        for _ in reader:
            pass
    except CaptureError as error:
        assert str(error).startswith(str(hostile))
    rows = RowReader(reader.log)
    for row in range(reader.log.rows):
        rows.view(row)
    for at in range(len(reader.log)):
        assert isinstance(reader.log.entry(at).data, bytes)
    stop = len(reader.log)
    while stop:
        stop = reader.log.frames.before(stop, 1_000).first
    assert all(isinstance(problem, str) for problem in reader.problems)
    reader.close()
