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
from tui.audio.conversion import Conversion
from tui.capture import CaptureError, CaptureReader, Entry, EventLog, Interrupted, Mark, Playing
from tui.capture.wav import header
from tui.wire import Direction

_GAP_NS: Final = 100_000_000
"""Pieces of the microphone that are this close follow each other: networks deliver in bursts, nobody speaks so."""

_LATE_NS: Final = 20_000_000
"""How far the agent's voice may be from where a mark says."""

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

    def __init__(self, log: EventLog) -> None:
        self.rate = 0
        """The highest of all that is said and heard, in samples a second."""
        self.unknown: set[str] = set()
        """Formats that are no sound here, by their names."""
        self._log = log
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
            self._say(item, self._length_ns(item))
        elif item.type in wire.AUDIO_KEYS and item.direction is Direction.RECEIVED:
            self._hear(item, self._length_ns(item))
        elif item.type == "conversation.item.truncate" and not self._told_by_marks:
            event = wire.parse(item.data) or {}
            item_id, ms = event.get("item_id"), event.get("audio_end_ms")
            if isinstance(item_id, str) and isinstance(ms, int) and 0 <= ms < 10**9:
                self._cut(item.t_ns, {item_id: ms})

    def _length_ns(self, entry: Entry) -> int:
        """How long the audio of an event plays; 0 for what is no sound."""
        audio = self._log.audio_format(entry.index)
        size = len(_sound(entry))
        if not audio.known:
            if size:
                self.unknown.add(audio.name)
            return 0
        if size:
            self.rate = max(self.rate, audio.rate)
        sample = 1 if audio.coding else 2
        return size // sample * 1_000_000_000 // audio.rate

    def _say(self, entry: Entry, length_ns: int) -> None:
        if not length_ns:
            return
        start_ns = entry.t_ns - length_ns
        if self.said and start_ns - self.said[-1].end_ns < _GAP_NS:
            start_ns = self.said[-1].end_ns
        self.said.append(_Piece(entry.index, start_ns, length_ns))

    def _hear(self, entry: Entry, length_ns: int) -> None:
        event = wire.parse(entry.data) or {}
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

    Its rate is the highest of all pieces. ``target`` opens where to write, once it is known that there is something: a
    file that was there before is not emptied for nothing. Raises CaptureError where there is no audio, or too much of
    it, and OSError.
    """
    timeline = _Timeline(reader.log)
    for item in reader:
        timeline.take(item)
    pieces, rate = (timeline.said, timeline.heard), timeline.rate
    begin_ns = min((piece.start_ns for side in pieces for piece in side), default=0)
    end_ns = max((piece.end_ns for side in pieces for piece in side), default=0)
    begin_ns = min(begin_ns, 0)
    frames = _frames(end_ns - begin_ns, rate)
    left_out = sorted(wire.text(name) for name in timeline.unknown)
    if not any(pieces) or not frames:
        why = (
            f"its audio is {', '.join(left_out)}, which is not shown as sound"
            if left_out
            else "there is no audio in it"
        )
        raise CaptureError(f"{reader.name}: {why}")
    if frames * 4 > _MOST_BYTES:
        raise CaptureError(f"{reader.name}: {frames // rate // 3600} hours are more than a WAV file can hold")
    left, right = (_Voice(reader, side, begin_ns, rate) for side in pieces)
    with target() as out:
        out.write(header(frames * 4, channels=2, rate=rate))
        for at in range(0, frames, rate):
            count = min(rate, frames - at)
            both = array("h", bytes(4 * count))
            both[0::2], both[1::2] = left.read(at, count), right.read(at, count)
            out.write(both.tobytes())
        out.flush()
    for name in left_out:
        reader.report(f"audio in the format {name} is left out: it is not shown as sound")
    return frames / rate


class _Voice:
    """One side, read from its beginning to its end."""

    def __init__(self, reader: CaptureReader, pieces: list[_Piece], begin_ns: int, rate: int) -> None:
        self._reader = reader
        self._rate = rate
        self._conversion = Conversion(rate)
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
            entry = self._reader.log.entry(piece.index)
            pcm = self._conversion.feed(piece.item, _sound(entry), self._reader.log.audio_format(entry.index))
            samples = array("h", pcm[: len(pcm) // 2 * 2])[: _frames(piece.length_ns, self._rate)]
            if samples:
                self._samples, self._start = samples, _frames(piece.start_ns - self._begin_ns, self._rate)
                return


def _frames(ns: int, rate: int) -> int:
    return round(ns * rate / 1_000_000_000)


def _sound(entry: Entry) -> bytes:
    """The audio of an event as it came; b"" when it has none that can be read."""
    event = wire.parse(entry.data) or {}
    audio = event.get(wire.AUDIO_KEYS.get(entry.type, ""))
    try:
        return base64.b64decode(audio) if isinstance(audio, str) else b""
    except (binascii.Error, ValueError):
        return b""
