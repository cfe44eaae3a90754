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
from typing import IO, Final

from tui import wire
from tui.audio.conversion import Conversion
from tui.capture import CaptureError, CaptureReader, Entry, EventLog, Mark
from tui.capture.file.wav import header
from tui.conversation.heard import Heard, Piece
from tui.wire import Direction

_GAP_NS: Final = 100_000_000
"""Pieces of the microphone that are this close follow each other: networks deliver in bursts, nobody speaks so."""

_MOST_BYTES: Final = 2**32 - 100


class _Timeline:
    """Where each piece of audio belongs."""

    def __init__(self, log: EventLog) -> None:
        self.said: list[Piece[int]] = []
        self.rate = 0
        """The highest of all that is said and heard, in samples a second."""
        self.unknown: set[str] = set()
        """Formats that are no sound here, by their names."""
        self._log = log
        self._heard: Heard[int] = Heard()

    @property
    def heard(self) -> list[Piece[int]]:
        """What the user heard, in order."""
        return list(self._heard.pieces)

    def take(self, item: Entry | Mark) -> None:
        """Take what comes next."""
        if not isinstance(item, Entry):
            self._heard.mark(item)
        elif item.type == "input_audio_buffer.append" and item.direction is Direction.SENT:
            self._say(item)
        elif item.direction is Direction.LOCAL:
            if item.type.startswith("websocket."):
                self._heard.new_connection()
        elif item.direction is Direction.SENT:
            self._heard.sent(wire.parse(item.data) or {}, item.t_ns)
        else:
            length_ns = self._length_ns(item) if wire.event_type(item.type).audio else 0
            self._heard.received(wire.parse(item.data) or {}, item.t_ns, length_ns, item.index)

    def _length_ns(self, entry: Entry) -> int:
        """How long the audio of an event plays; 0 for what is no sound."""
        audio, size = self._log.audio_format(entry.index), len(_sound(entry))
        if size and not audio.known:
            self.unknown.add(audio.name)
        elif size:
            self.rate = max(self.rate, audio.rate)
        return audio.length_ns(size)

    def _say(self, entry: Entry) -> None:
        length_ns = self._length_ns(entry)
        if not length_ns:
            return
        start_ns = entry.t_ns - length_ns
        if self.said and start_ns - self.said[-1].end_ns < _GAP_NS:
            start_ns = self.said[-1].end_ns
        self.said.append(Piece(entry.index, start_ns, length_ns, ("", 0), 0))


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
        said = f"its audio is {', '.join(left_out)}, which is not shown as sound" if left_out else ""
        raise CaptureError(f"{reader.name}: {said or 'there is no audio in it'}")
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

    def __init__(self, reader: CaptureReader, pieces: list[Piece[int]], begin_ns: int, rate: int) -> None:
        self._reader = reader
        self._rate = rate
        self._conversion = Conversion(rate)
        self._begin_ns = begin_ns
        self._pieces: Iterator[Piece[int]] = iter(pieces)
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
            entry = self._reader.log.entry(piece.tag)
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
    audio = wire.audio_of(event)
    try:
        return base64.b64decode(audio) if isinstance(audio, str) else b""
    except (binascii.Error, ValueError):
        return b""
