"""`azrt-tui export --format wav`: both voices of a capture in time, the person on the left, the agent on the right.

The person's is where it was spoken: each piece of the microphone ends when it was sent. The agent's is where it was
heard: an answer comes faster than it is played, so that each piece follows the one before; captures say when that was
not so, and how much of an answer had been heard when it was cut short. What nobody heard is left out.
"""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Final

from tui import wire
from tui.capture import CaptureError, CaptureReader, Entry, Interrupted, Mark, Playing
from tui.capture.wav import header
from tui.wire import PCM16_RATE, Direction

_GAP_NS: Final = 100_000_000
"""Pieces of the microphone that are this close follow each other: networks deliver in bursts, nobody speaks so."""

_LATE_NS: Final = 20_000_000
"""How far the agent's voice may be from where a mark says."""

_CHUNK: Final = PCM16_RATE
"""Frames that are written at once."""

_MOST_BYTES: Final = 2**32 - 100


@dataclass(slots=True)
class _Piece:
    """A part of one event's audio. Times and lengths are in nanoseconds."""

    index: int
    """The event."""
    start_ns: int
    length_ns: int
    item: tuple[str, int] = ("", 0)
    """Item id and content index."""
    from_ns: int = 0
    """How much of the item is before it."""

    @property
    def end_ns(self) -> int:
        return self.start_ns + self.length_ns


class _Timeline:
    """Where each piece of audio belongs."""

    def __init__(self) -> None:
        self.said: list[_Piece] = []
        self.heard: list[_Piece] = []
        self._dropped: set[str] = set()
        """Responses that were interrupted: what still came of them was not played."""
        self._lengths: dict[tuple[str, int], int] = {}
        self._told_by_marks = False

    def take(self, item: Entry | Mark) -> None:
        """Take what comes next."""
        if isinstance(item, Interrupted):
            self._told_by_marks = True
            if item.response_id:
                self._dropped.add(item.response_id)
            self._cut(item.t_ns, dict(item.heard))
        elif isinstance(item, Playing):
            self._shift(item)
        elif item.type == "input_audio_buffer.append" and item.direction is Direction.SENT:
            self._say(item)
        elif wire.event_type(item.type).audio and item.direction is Direction.RECEIVED:
            self._hear(item)
        elif item.type == "conversation.item.truncate" and not self._told_by_marks:
            event = wire.parse(item.data) or {}
            item_id, ms = event.get("item_id"), event.get("audio_end_ms")
            if isinstance(item_id, str) and isinstance(ms, int) and 0 <= ms < 10**9:
                self._cut(item.t_ns, {item_id: ms})

    def _say(self, entry: Entry) -> None:
        length_ns = _length_ns(entry)
        if not length_ns:
            return
        start_ns = entry.t_ns - length_ns
        if self.said and start_ns - self.said[-1].end_ns < _GAP_NS:
            start_ns = self.said[-1].end_ns
        self.said.append(_Piece(entry.index, start_ns, length_ns))

    def _hear(self, entry: Entry) -> None:
        event, length_ns = wire.parse(entry.data) or {}, _length_ns(entry)
        item_id, index = event.get("item_id"), event.get("content_index")
        if not length_ns or not isinstance(item_id, str) or wire.text(event.get("response_id")) in self._dropped:
            return
        key = (item_id, index if isinstance(index, int) else 0)
        before_ns = self._lengths.get(key, 0)
        self._lengths[key] = before_ns + length_ns
        start_ns = max(entry.t_ns, self.heard[-1].end_ns) if self.heard else entry.t_ns
        self.heard.append(_Piece(entry.index, start_ns, length_ns, key, before_ns))

    def _shift(self, mark: Playing) -> None:
        """The device was later, or earlier, than the network: what was still to come moves with it."""
        key, heard_ns = (mark.item_id, mark.content_index), int(mark.ms * 1e6)
        for at in range(len(self.heard) - 1, -1, -1):
            piece = self.heard[at]
            if piece.item == key and piece.from_ns <= heard_ns:
                moved_ns = mark.t_ns - (piece.start_ns + heard_ns - piece.from_ns)
                if abs(moved_ns) > _LATE_NS:
                    before = self.heard[at - 1].end_ns if at else 0
                    moved_ns = max(moved_ns, before - piece.start_ns)
                    for later in self.heard[at:]:
                        later.start_ns += moved_ns
                return

    def _cut(self, t_ns: int, heard_ms: dict[str, int]) -> None:
        """So much was heard of these items, and nothing of what waited behind them."""
        kept = len(self.heard)
        while kept and self.heard[kept - 1].end_ns > t_ns - 10 * _GAP_NS:
            kept -= 1
        for piece in self.heard[kept:]:
            ms = heard_ms.get(piece.item[0])
            if ms is not None:
                piece.length_ns = min(piece.length_ns, ms * 1_000_000 - piece.from_ns)
            elif piece.start_ns >= t_ns:
                piece.length_ns = 0
            if piece.length_ns > 0:
                self.heard[kept] = piece
                kept += 1
        del self.heard[kept:]


def write_wav(reader: CaptureReader, target: Callable[[], AbstractContextManager[IO[bytes]]]) -> float:
    """Write both sides as one stereo WAV file; return its length in seconds.

    ``target`` opens where to write, once it is known that there is something: a file that was there before is not
    emptied for nothing. Raises CaptureError where there is no audio, or too much of it, and OSError.
    """
    timeline = _Timeline()
    for item in reader:
        timeline.take(item)
    pieces = (timeline.said, timeline.heard)
    begin_ns = min((piece.start_ns for side in pieces for piece in side), default=0)
    end_ns = max((piece.end_ns for side in pieces for piece in side), default=0)
    begin_ns = min(begin_ns, 0)
    frames = _frames(end_ns - begin_ns)
    if not any(pieces) or not frames:
        raise CaptureError(f"{reader.name}: there is no audio in it")
    if frames * 4 > _MOST_BYTES:
        raise CaptureError(f"{reader.name}: {frames // PCM16_RATE // 3600} hours are more than a WAV file can hold")
    left, right = (_Voice(reader, side, begin_ns) for side in pieces)
    with target() as out:
        out.write(header(frames * 4, channels=2))
        for at in range(0, frames, _CHUNK):
            count = min(_CHUNK, frames - at)
            both = array("h", bytes(4 * count))
            both[0::2], both[1::2] = left.read(at, count), right.read(at, count)
            out.write(both.tobytes())
        out.flush()
    return frames / PCM16_RATE


class _Voice:
    """One side, read from its beginning to its end."""

    def __init__(self, reader: CaptureReader, pieces: list[_Piece], begin_ns: int) -> None:
        self._reader = reader
        self._begin_ns = begin_ns
        self._pieces: Iterator[_Piece] = iter(pieces)
        self._start = 0
        self._samples = array("h")
        self._next()

    def read(self, at: int, count: int) -> array[int]:
        """``count`` samples from sample ``at``, which never goes back; silence where there is none."""
        found = array("h", bytes(2 * count))
        while self._samples and self._start < at + count:
            begin = max(at, self._start)
            part = self._samples[begin - self._start : at + count - self._start]
            found[begin - at : begin - at + len(part)] = part
            if self._start + len(self._samples) > at + count:
                break
            self._next()
        return found

    def _next(self) -> None:
        """The next piece that has samples."""
        self._samples = array("h")
        for piece in self._pieces:
            pcm = _pcm(self._reader.log.entry(piece.index))
            samples = array("h", pcm[: len(pcm) // 2 * 2])[: _frames(piece.length_ns)]
            if samples:
                self._samples, self._start = samples, _frames(piece.start_ns - self._begin_ns)
                return


def _frames(ns: int) -> int:
    return round(ns * PCM16_RATE / 1_000_000_000)


def _length_ns(entry: Entry) -> int:
    return len(_pcm(entry)) // 2 * 1_000_000_000 // PCM16_RATE


def _pcm(entry: Entry) -> bytes:
    """The audio of an event; b"" when it has none that can be read."""
    event = wire.parse(entry.data) or {}
    audio = wire.audio_of(event)
    try:
        return base64.b64decode(audio) if isinstance(audio, str) else b""
    except (binascii.Error, ValueError):
        return b""
