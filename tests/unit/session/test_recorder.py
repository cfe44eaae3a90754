"""The recorder alone: batches in time, the rate, and events that nobody can read."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from tui.audio import SilentPlayback
from tui.capture import EventLog
from tui.session import Batch
from tui.session.recorder import Recorder
from tui.wire import Direction

SECOND = base64.b64encode(bytes(48_000)).decode()


def recorder(batches: list[Batch], **options: Any) -> Recorder:
    """A recorder with a log, a silent playback and 100 batches a second."""
    return Recorder(EventLog(), options.pop("playback", SilentPlayback()), batches.append, fps=100, **options)


async def test_events_of_one_moment_make_one_batch() -> None:
    batches: list[Batch] = []
    tested = recorder(batches)
    for _ in range(50):
        tested.received(b'{"type":"response.created","response":{"id":"r"}}', binary=False)
    assert not batches, "delivered by the loop, not in the middle of a frame"
    await asyncio.sleep(0.02)
    assert (batches[0].events, batches[0].rows, batches[0].status.response_id) == (50, 50, "r")
    tested.stop()


async def test_the_next_batch_is_due_in_a_frame_although_the_rate_is_shown() -> None:
    batches: list[Batch] = []
    tested = recorder(batches)
    tested.received(b"{}", binary=False)
    tested.flush()
    assert batches[-1].status.rate == 1
    tested.received(b"{}", binary=False)
    assert tested._due is not None
    assert tested._due.when() <= asyncio.get_running_loop().time() + 1 / 100
    tested.stop()


def due_in(tested: Recorder) -> float:
    """Seconds from the latest batch to the next one."""
    assert tested._due is not None
    return round(tested._due.when() - tested._delivered_at, 3)


APPEND = b'{"type":"input_audio_buffer.append","audio":"AAAA"}'


async def test_a_row_that_only_grows_waits_longer_than_news() -> None:
    tested = recorder([])
    tested.sent(APPEND)
    tested.flush()
    tested.sent(APPEND)
    assert due_in(tested) == 0.2
    tested.sent(b'{"type":"response.create"}')
    assert due_in(tested) == 0.01, "news does not wait for what can"
    tested.sent(APPEND)
    assert due_in(tested) == 0.01
    tested.stop()


DELTA = '{"type":"response.%s.delta","response_id":"r","item_id":"i","content_index":0,"delta":"%s"}'


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (DELTA % ("output_audio", "AAAA"), 0.2),
        (DELTA % ("output_audio_transcript", "word"), 0.01),
        (DELTA % ("output_audio", "AAAAA"), 0.01),
        ((DELTA % ("output_audio", "AAAA")).replace('"i"', '"other"'), 0.01),
    ],
    ids=["sound", "words", "a failure", "another row"],
)
async def test_what_can_be_seen_of_an_answer_is_news(event: str, expected: float) -> None:
    tested = recorder([])
    for kind, delta in (("output_audio", "AAAA"), ("output_audio_transcript", "a ")):
        tested.received((DELTA % (kind, delta)).encode(), binary=False)
    tested.flush()
    tested.received(event.encode(), binary=False)
    assert due_in(tested) == expected
    tested.stop()


async def test_the_rate_is_right_however_far_apart_the_batches_are() -> None:
    tested = recorder([])
    for step in range(20):
        for _ in range(10):
            tested.sent(APPEND)
        rate = tested._rate(1000 + 0.19 * step)
    assert rate == pytest.approx(10 / 0.19)
    tested.stop()


async def test_the_rate_is_that_of_the_last_second() -> None:
    batches: list[Batch] = []
    tested = recorder(batches)
    rate = tested._rate
    now = 1000.0
    assert rate(now) == 0
    for _ in range(30):
        tested.received(b"{}", binary=False)
    assert rate(now + 0.5) == 30
    assert rate(now + 1.4) == 30
    assert rate(now + 1.6) == 0
    tested.sent(b"{}")
    assert rate(now + 3600) == 1, "silence before it does not thin it out"
    tested.stop()


async def test_nothing_is_delivered_after_the_end() -> None:
    batches: list[Batch] = []
    tested = recorder(batches)
    tested.received(b"{}", binary=False)
    tested.stop()
    delivered = len(batches)
    tested.received(b"{}", binary=False)
    tested.notify("too late")
    await asyncio.sleep(0.05)
    assert len(batches) == delivered


async def test_a_fault_in_reading_an_event_does_not_reach_the_transport(caplog: pytest.LogCaptureFixture) -> None:
    tested = recorder([])

    def fail(_: object) -> None:
        raise LookupError("a fault of ours")

    tested.on_event = fail
    assert tested.received(b'{"type":"session.created"}', binary=False) == 0
    assert tested.log.entry(0).note.startswith("azrt-tui failed on it")
    assert "a fault of ours" in caplog.text
    tested.stop()


async def test_audio_goes_to_playback_until_its_response_is_interrupted() -> None:
    playback = SilentPlayback(lambda: 0.0)
    tested = recorder([], playback=playback)
    frame = f'{{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"{SECOND}"}}'.encode()
    tested.received(frame, binary=False)
    assert playback.remaining_s() == 1.0
    tested.interrupted("r", playback.flush())
    tested.received(frame, binary=False)
    assert playback.remaining_s() == 0.0
    tested.new_connection()
    tested.received(frame, binary=False)
    assert playback.remaining_s() == 1.0, "ids mean nothing in another session"
    tested.stop()


@pytest.mark.parametrize(
    ("data", "binary", "note"),
    [
        (b"{}", True, "a binary frame, which the Realtime API does not use"),
        (b"null", False, "JSON, but null instead of an object"),
        (b"[1]", False, "JSON, but an array instead of an object"),
        (b"3", False, "JSON, but a number instead of an object"),
        (b"\xff", False, "not UTF-8 at byte 0"),
        (b"{", False, "not JSON: expecting property name enclosed in double quotes at character 1"),
        (b"[" * 100_000, False, "JSON nested too deeply"),
        (b"1" * 5000, False, "JSON with a number of too many digits"),
    ],
)
async def test_what_is_kept_from_the_sdk(data: bytes, binary: bool, note: str) -> None:
    tested = recorder([])
    assert tested.received(data, binary=binary) is None
    entry = tested.log.entry(0)
    assert (entry.data, entry.alarm, entry.note) == (data, True, f"{note}; kept from the SDK")
    tested.stop()


async def test_local_entries_hold_what_they_say() -> None:
    tested = recorder([])
    tested.local("websocket.closed", "caf\udce9", {"close code": "1000"}, alarm=True)
    entry = tested.log.entry(0)
    assert (entry.direction, entry.type, entry.alarm) == (Direction.LOCAL, "websocket.closed", True)
    assert entry.data == b'{"type": "websocket.closed", "text": "caf?", "close code": "1000"}'
    tested.stop()
