"""What is written to a capture comes back: the same frames, byte for byte, in the same rows, with what was marked."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import tempfile
import time
import wave
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.support.recordings import examples
from tui import wire
from tui.audio_format import CODINGS
from tui.capture import CaptureReader, CaptureWriter, Decoded, EventLog, Interrupted, Playing, RowReader
from tui.capture.file.decoding import read_line, read_plain
from tui.capture.file.encoding import find_audio, frame_line
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Audio, Header, Stored, encoded_size
from tui.capture.file.wav import header
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction
Frame = tuple[Direction, bytes, bool]
"""Direction, data, binary."""

PCM = random.Random(5).randbytes(4_801)
AUDIO = base64.b64encode(PCM).decode()


def delta(audio: str, **extra: Any) -> bytes:
    """A frame of received audio, as the services write it."""
    event = {"type": "response.output_audio.delta", "item_id": "a", "content_index": 0, "delta": audio, **extra}
    return json.dumps(event, separators=(",", ":")).encode()


ODD: tuple[Frame, ...] = (
    (RECEIVED, b"", False),
    (RECEIVED, b"not JSON", False),
    (RECEIVED, b"null", False),
    (RECEIVED, b"[1]", False),
    (RECEIVED, b"\xff\xfe\x00", False),
    (RECEIVED, b"\x00\x01\xff", True),
    (RECEIVED, b'{"type":"x"}', True),
    (RECEIVED, b'{"type":"x","v":NaN,"w":-Infinity}', False),
    (RECEIVED, b'{"type":"x","v":1e999}', False),
    (RECEIVED, b' {"type":"x"}', False),
    (RECEIVED, b'{"type":"x"}\n', False),
    (RECEIVED, b'{\n "type": "x",\r\n "v": [1, 2]\n}', False),
    (RECEIVED, b'{"type":"x"}{"type":"y"}', False),
    (RECEIVED, b'{"type":"x","event":{"time_ns":1,"direction":"sent"}}', False),
    (RECEIVED, b'{"type":"x","v":"\\ud800"}', False),
    (RECEIVED, b'{"type":"x","v":"\\ud83d\\ude00\\u0000"}', False),
    (RECEIVED, b'{"type":"x","v":"\xed\xa0\x80"}', False),
    (RECEIVED, '{"type":"x"}'.encode("utf-16"), False),
    (RECEIVED, b'\xef\xbb\xbf{"type":"x"}', False),
    (RECEIVED, b"[" * 50_000, False),
    (RECEIVED, b'{"a":' * 250 + b"1" + b"}" * 250, False),
    (RECEIVED, b'{"type":"x","v":' + b"9" * 5_000 + b"}", False),
    (RECEIVED, '{"type":"x","v":"\u2028 [red]\x1b é 😀"}'.encode().replace(b"\x1b", b"\\u001b"), False),
    (RECEIVED, delta(AUDIO), False),
    (RECEIVED, delta(AUDIO[:8], later="x"), False),
    (RECEIVED, delta("QQ=="), False),
    (RECEIVED, delta("QR=="), False),
    (RECEIVED, delta("QUI="), False),
    (RECEIVED, delta("QUJ="), False),
    (RECEIVED, delta("QQ="), False),
    (RECEIVED, delta("Q Q="), False),
    (RECEIVED, delta("QQ==QQ=="), False),
    (RECEIVED, delta("_-Q="), False),
    (RECEIVED, delta(""), False),
    (RECEIVED, delta("not base64 at all"), False),
    (RECEIVED, delta("QUJD").replace(b"D", b"\\u0044"), False),
    (RECEIVED, delta(AUDIO).replace(b'"item_id"', b'"x":{"delta":"AAAA"},"item_id"'), False),
    (RECEIVED, delta(AUDIO)[:-1], False),
    (RECEIVED, json.dumps(json.loads(delta(AUDIO)), indent=2).encode(), False),
    (RECEIVED, delta(AUDIO).replace(b'"a"', b'"\xff"'), False),
    (SENT, json.dumps({"type": "input_audio_buffer.append", "audio": AUDIO}).encode(), False),
    (SENT, b'{"type":"response.create"}', False),
    (LOCAL, b'{"type": "websocket.connect", "text": "caf\xc3\xa9"}', False),
)


def writer(folder: Path) -> CaptureWriter:
    """A writer of a new capture."""
    return CaptureWriter(NewCapture(folder / "captures"), Header(program="azrt-tui", host="h", deployment="d"))


def capture(folder: Path, frames: list[Frame]) -> Path:
    """A capture of these frames, one a microsecond."""
    writing = writer(folder)
    log = EventLog(capture=writing)
    for at, (direction, data, binary) in enumerate(frames):
        log.append(direction, data, at * 1_000, binary=binary)
    log.close()
    assert not writing.trouble
    return writing.path


def read(path: Path) -> CaptureReader:
    """The whole of a capture."""
    reader = CaptureReader(path)
    reader.read_all()
    return reader


def test_every_frame_comes_back_as_it_was(tmp_path: Path) -> None:
    writing = writer(tmp_path)
    log = EventLog(5, capture=writing, window_bytes=20_000)
    frames: list[Frame] = []
    for number in range(20):
        frames += [*ODD, *((RECEIVED, json.dumps(event).encode(), False) for event in examples("ga")[number::20])]
    for at, (direction, data, binary) in enumerate(frames):
        assert log.append(direction, data, at * 1_000 + 5, binary=binary) == at
        if at % 9 == 0:
            log.add_note(at, f"note {at} é \x1b")
        if at % 7 == 0:
            log.mark_alarm(at)
        if at % 50 == 0:
            log.mark(Interrupted(at * 1_000, "resp", {"item": at}))
            log.mark(Playing(at * 1_000, "item", 1, at + 0.5))
            time.sleep(0.02)  # the file gets ahead of the window
    writing.close()
    assert not writing.trouble
    assert log.frames is log._store
    assert log._store._window[0] > 0, "nothing is read from the file here"
    reader = read(writing.path)
    assert reader.problems == []
    for at, (direction, data, binary) in enumerate(frames):
        entry = reader.log.entry(at)
        assert entry == log.entry(at)
        assert (entry.direction, entry.data, entry.binary, entry.t_ns) == (direction, data, binary, at * 1_000)
        assert reader.log.sizes(at, at + 1)[0] == len(data)
    assert reader.log.marks == log.marks
    assert reader.log.rows == log.rows
    assert [reader.log.row(row) for row in range(log.rows)] == [log.row(row) for row in range(log.rows)]
    for path in writing.path.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
    assert writing.path.parent.stat().st_mode & 0o777 == 0o700
    reader.close()
    log.close()


@pytest.mark.parametrize("limit", [1, 500, 10**6])
def test_a_block_for_a_search_has_every_frame_where_it_says(tmp_path: Path, limit: int) -> None:
    frames = [*ODD, *ODD]
    reader = read(capture(tmp_path, frames))
    blocks, stop = [], len(frames)
    while stop:
        blocks.append(reader.log.frames.before(stop, limit))
        stop = blocks[-1].first
    start = 0
    while start < len(frames):
        blocks.append(reader.log.frames.after(start, len(frames), limit))
        start += len(blocks[-1])
    as_they_are = 0
    for block in blocks:
        assert len(block) and list(block.sizes) == [len(data) for _, data, _ in frames[block.first :][: len(block)]]
        for number, (offset, head, size) in enumerate(zip(block.offsets, block.heads, block.sizes, strict=True)):
            direction, data, _ = frames[block.first + number]
            begin = offset - block.base + head
            if block.first + number in block.odd:
                continue
            if block.data[begin : begin + size] != data:
                where = find_audio(data, b'"audio"' if direction is SENT else b'"delta"')
                assert where is not None, "only audio is elsewhere"
                data = data[: where[0]] + data[where[0] + encoded_size(len(where[1])) :]
                assert block.data[begin : begin + len(data)] == data
            as_they_are += 1
    assert as_they_are > len(frames) // 2, "most frames need no second look"
    reader.close()


def test_every_line_is_strict_json_with_the_event_in_it(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    path = capture(tmp_path, list(ODD))
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b""
    header, *records = (json.loads(line.decode(), parse_constant=refuse) for line in lines)
    assert (header["format"], header["version"], header["host"], header["deployment"]) == (
        "azrt-tui capture",
        1,
        "h",
        "d",
    )
    assert len(records) == len(ODD)
    for (direction, data, binary), record in zip(ODD, records, strict=True):
        assert record["direction"] == direction.name.lower()
        assert record["size"] == len(data)
        assert record.get("binary", False) is binary
        if AUDIO.encode() in data and b"AAAA" not in data:  # where that comes first, it is what is taken out
            assert "audio" in record
            assert AUDIO[:100] not in json.dumps(record)
        json.dumps(record, ensure_ascii=False).encode()  # no half surrogate pair, at which jq stops
        if "event" in record:
            kept = json.loads(data.decode("utf-8-sig", "replace") if b"\x00" not in data else data)
            assert record["event"].get("type") == kept.get("type")


def test_the_audio_is_in_wav_files_one_piece_behind_the_other(tmp_path: Path) -> None:
    path = capture(tmp_path, [(RECEIVED, delta(AUDIO), False)] * 3 + [(SENT, ODD[-3][1], False)])
    for side, pieces in (("received", 3), ("sent", 1)):
        with wave.open(str(path.with_name(f"{path.stem}.{side}.wav"))) as sound:
            assert sound.getparams()[:4] == (1, 2, 24_000, pieces * 2_401)
            assert sound.readframes(10**6) == (PCM + b"\0") * pieces


def names_format(output: str, input: str) -> Frame:
    """The server says in which format audio is from now on."""
    session = {"output_audio_format": output, "input_audio_format": input}
    return RECEIVED, json.dumps({"type": "session.updated", "session": session}).encode(), False


def append(sound: bytes) -> Frame:
    """A piece of the microphone."""
    event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(sound).decode()}
    return SENT, json.dumps(event).encode(), False


ALL_CODES = bytes(range(256))


@pytest.mark.parametrize("letters", ["NaN", "Infinity", "-Infinity", "aNaNa"])
def test_letters_of_a_number_that_is_none_are_kept_once_inside_a_string(tmp_path: Path, letters: str) -> None:
    image = letters + AUDIO * 20
    content = [{"type": "input_image", "image_url": image}]
    item = json.dumps({"type": "conversation.item.create", "item": {"type": "message", "content": content}}).encode()
    path = capture(tmp_path, [(SENT, item, False)])
    line = path.read_bytes().splitlines()[1]
    assert line.endswith(b'"event":' + item + b"}")
    assert len(line) < len(item) + 200
    number = b'{"type":"x","v":%b}' % letters.strip("a").encode()
    assert b'"text":' in capture(tmp_path, [(SENT, number, False)]).read_bytes()


@pytest.mark.parametrize(
    ("name", "rate", "pcm"),
    [
        ("g711_ulaw", 8_000, CODINGS["pcmu"].decode(ALL_CODES)),
        ("g711_alaw", 8_000, CODINGS["pcma"].decode(ALL_CODES)),
        ("pcm16_16000hz", 16_000, ALL_CODES),
        ("pcm16", 24_000, ALL_CODES),
    ],
)
def test_audio_of_any_format_is_pcm16_of_its_rate_in_the_wav_file(
    tmp_path: Path, name: str, rate: int, pcm: bytes
) -> None:
    sound = base64.b64encode(ALL_CODES).decode()
    frames = [names_format(name, name), (RECEIVED, delta(sound), False), append(ALL_CODES)]
    path = capture(tmp_path, frames)
    for side in ("received", "sent"):
        with wave.open(str(path.with_name(f"{path.stem}.{side}.wav"))) as wav:
            assert wav.getparams()[:4] == (1, 2, rate, len(pcm) // 2)
            assert wav.readframes(10**6) == pcm
    assert sound not in path.read_text()
    reader = read(path)
    assert reader.problems == []
    assert [reader.log.data(at) for at in range(3)] == [data for _, data, _ in frames]
    assert reader.log.row(1).audio == 256
    assert reader.log.audio_format(1).rate == rate
    reader.close()


def test_audio_whose_rate_changes_stays_in_the_message(tmp_path: Path) -> None:
    piece = delta(base64.b64encode(ALL_CODES).decode())
    formats = ("pcm16", "g711_ulaw", "audio/opus", "pcm16")
    frames = [frame for name in formats for frame in (names_format(name, name), (RECEIVED, piece, False))]
    path = capture(tmp_path, frames)
    kept = ["audio" in json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert kept == [False, True, False, False, False, False, False, True]
    reader = read(path)
    assert [reader.log.data(at) for at in range(8)] == [data for _, data, _ in frames]
    assert [reader.log.audio_format(at).rate for at in range(1, 8, 2)] == [24_000, 8_000, 0, 24_000]
    rows = [RowReader(reader.log).view(row).summary for row in range(reader.log.rows)]
    assert rows[1::2] == ["5 ms of audio", "32 ms of audio", "256 bytes of audio/opus", "5 ms of audio"]
    reader.close()


def test_g711_of_both_kinds_shares_a_wav_file(tmp_path: Path) -> None:
    piece = delta(base64.b64encode(ALL_CODES).decode())
    frames = [
        frame for name in ("g711_ulaw", "g711_alaw") for frame in (names_format(name, name), (RECEIVED, piece, False))
    ]
    path = capture(tmp_path, frames)
    with wave.open(str(path.with_name(f"{path.stem}.received.wav"))) as wav:
        assert wav.readframes(10**6) == CODINGS["pcmu"].decode(ALL_CODES) + CODINGS["pcma"].decode(ALL_CODES)
    reader = read(path)
    assert [reader.log.data(at) for at in range(4)] == [data for _, data, _ in frames]
    reader.close()


def test_a_wav_file_of_another_rate_or_of_no_code_gives_no_audio(tmp_path: Path) -> None:
    sound = base64.b64encode(ALL_CODES).decode()
    path = capture(tmp_path, [names_format("g711_ulaw", "pcm16"), (RECEIVED, delta(sound), False)])
    wav = path.with_name(f"{path.stem}.received.wav")
    whole = wav.read_bytes()
    wav.write_bytes(whole.replace(CODINGS["pcmu"].decode(b"\x00"), b"\x01\x02"))
    reader = read(path)
    assert reader.log.data(1) == delta("")
    reader.close()
    wav.write_bytes(header(512, rate=16_000) + whole[44:])
    reader = read(path)
    assert reader.log.data(1) == delta("")
    assert reader.problems == [f"no audio: {wav.name}: its rate is 16,000 Hz, that of the session 8,000 Hz"]
    reader.close()


def test_a_capture_of_0_1_0_has_every_format_in_a_wav_file_of_24_khz(tmp_path: Path) -> None:
    sound = base64.b64encode(ALL_CODES).decode()
    path = capture(tmp_path, [names_format("pcm16", "pcm16"), (RECEIVED, delta(sound), False)])
    path.write_text(path.read_text().replace('"pcm16"', '"g711_ulaw"'))
    reader = read(path)
    assert reader.log.data(1) == delta(sound)
    assert RowReader(reader.log).view(1).summary == "32 ms of audio"
    assert reader.log.audio_format(1) == CODINGS["pcmu"]
    reader.close()


pieces_of_a_session = st.lists(
    st.tuples(
        st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw", "pcm16_16000hz", "audio/opus"]),
        st.sampled_from(["pcm16", "g711_ulaw", "g711_alaw", "pcm16_8000hz", "audio/opus"]),
    ).map(lambda names: names_format(*names))
    | st.binary(max_size=40).map(append)
    | st.binary(max_size=40).map(lambda sound: (RECEIVED, delta(base64.b64encode(sound).decode()), False)),
    max_size=12,
)


@settings(PROPERTY, max_examples=60)
@given(pieces_of_a_session)
def test_frames_come_back_however_the_format_changes(frames: list[Frame]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = capture(Path(folder), frames) if frames else None
        if path is None:
            return
        reader = read(path)
        assert reader.problems == []
        assert [reader.log.data(at) for at in range(len(frames))] == [data for _, data, _ in frames]
        reader.close()


frames_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from(Direction),
        st.binary(max_size=60)
        | st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass"))
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
            max_leaves=6,
        ).map(lambda value: json.dumps({"type": "t", "value": value}).encode())
        | st.binary(max_size=40).map(lambda pcm: delta(base64.b64encode(pcm).decode()))
        | st.text("QUJDabc=+/-_ ", max_size=12).map(delta),
        st.booleans(),
    ),
    max_size=8,
)


@PROPERTY
@given(frames_of_any_kind)
@example([*ODD])
def test_any_frames_make_lines_that_give_them_back(frames: list[Frame]) -> None:
    for direction, data, binary in frames:
        found = None if binary else find_audio(data, b'"delta"')
        event = wire.parse(data)
        if event is not None and isinstance(event.get("delta"), str):
            with contextlib.suppress(ValueError):
                decoded = Decoded(event["delta"], base64.b64decode(event["delta"]))
                assert find_audio(data, b'"delta"', decoded) == find_audio(data, b'"delta"')
        audio = None if found is None else Audio(7, len(found[1]), found[0])
        line, head = frame_line(12, direction, data, binary=binary, audio=audio)
        assert line.count(b"\n") == 1
        assert line.endswith(b"}\n")
        stored = read_line(line[:-1])
        assert isinstance(stored, Stored)
        assert (stored.t_ns, stored.direction, stored.size, stored.binary) == (12, direction, len(data), binary)
        rest = stored.rest
        assert head in (-1, stored.head)
        assert stored.head < 0 or line[stored.head :].startswith(rest)
        if found is not None:
            assert stored.audio == audio
            rest = rest[: found[0]] + base64.b64encode(found[1]) + rest[found[0] :]
        assert rest == data
        torn = line[: len(line) // 2]
        assert read_plain(torn) is None
        assert not isinstance(read_line(torn), Stored)


@pytest.mark.parametrize("step_s", [-3600, 0, 86_400])
def test_a_clock_that_is_set_meanwhile_moves_no_event(tmp_path: Path, step_s: int) -> None:
    wall_ns = 1_700_000_000_123_456_789

    def wall() -> int:
        nonlocal wall_ns
        wall_ns += step_s * 10**9
        return wall_ns - step_s * 10**9

    writing = CaptureWriter(NewCapture(tmp_path / "captures"), Header(), clock_ns=lambda: 9_000_000_000, wall_ns=wall)
    log = EventLog(8_000_000_000, capture=writing)
    for at in range(5):
        log.append(RECEIVED, b"{}", 9_000_000_000 + at)
    log.close()
    reader = read(writing.path)
    assert reader.header is not None
    assert reader.header.started == "2023-11-14T22:13:19.123456Z"
    assert [reader.log.entry(at).t_ns for at in range(5)] == [10**9 + at for at in range(5)]
    reader.close()
