"""Runs: deltas of one item, or appends of the microphone, that are shown as one growing row."""

from __future__ import annotations

import sys
from typing import Final

from tui import wire
from tui.audio_format import NAMING
from tui.wire import Direction

_MAX_OPEN: Final = 64
"""Runs that can still grow; a session has a handful at a time."""

_TAIL: Final = 512
"""Bytes without a quote, at the end of a frame, that are the end of its audio: longer than any field after it."""

_NOWHERE: Final = sys.maxsize
"""An offset at which no frame holds anything."""


class Run:
    """The sums of one row. ``last`` is the index of its latest entry, ``size`` and ``audio`` count bytes."""

    __slots__ = ("alarm", "audio", "count", "last", "open", "row", "size")

    def __init__(self, row: int) -> None:
        self.row = row
        self.last = 0
        self.count = 0
        self.size = 0
        self.audio = 0
        self.alarm = False
        self.open = True


_NO_RUN: Final = Run(-1)
_NO_RUN.open = False


class Kind:
    """What the log knows of one event type, and where it last found things in frames of this type.

    A service writes all frames of a type alike, so item id and audio stand at the same offset in frame after frame:
    looking there first costs a fraction of a search.
    """

    __slots__ = (
        "audio",
        "audio_at",
        "audio_key",
        "ends",
        "folds",
        "id",
        "item",
        "item_at",
        "names_format",
        "run",
    )

    def __init__(self, kind_id: int, event_type: str) -> None:
        self.id = kind_id
        known = wire.event_type(event_type)
        self.folds = known.folds
        self.ends = known.ends
        self.names_format = event_type in NAMING
        """True when it may say in which format audio is from then on."""
        self.audio_key = f'"{known.audio}"'.encode() if known.audio else b""
        self.run = _NO_RUN
        """The run that the latest frame went to."""
        self.item, self.item_at = b"", _NOWHERE
        """The item id of the latest frame with its key, as it stands there, and where."""
        self.audio, self.audio_at = b"", _NOWHERE
        """The key of the audio up to the opening quote of the value, as it stands in a frame, and where."""

    def audio_bytes(self, data: bytes) -> int:
        """Bytes of audio in a frame of this type, from the length of the base64 alone."""
        if data.startswith(self.audio, self.audio_at):
            start = self.audio_at + len(self.audio)
            end = len(data) - 2
            # Audio is usually the last thing in its frame. Walking through all of it costs more than everything else.
            if end - start < _TAIL or data[end:] != b'"}' or data.find(b'"', end - _TAIL, end) >= 0:
                end = data.find(b'"', start)
        else:
            at, start, end = wire.find_string(data, self.audio_key)
            if end > 0:
                self.audio, self.audio_at = data[at:start], at
        return wire.decoded_size(data, start, end)


class Runs:
    """The runs that can still grow."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, Direction, bytes], Run] = {}
        self._append_key: tuple[int, Direction, bytes] | None = None

    def find(self, kind: Kind, direction: Direction, data: bytes, next_row: int) -> Run:
        """The run that a frame belongs to; a new one, with ``next_row``, when there is none."""
        at, start, end = wire.find_string(data, b'"item_id"') if direction is Direction.RECEIVED else (0, 0, 0)
        key = (kind.id, direction, data[start:end])
        run = self._open.get(key)
        if run is None:
            run = self._open[key] = Run(next_row)
            if direction is Direction.SENT:
                self._append_key = key
            if len(self._open) > _MAX_OPEN:
                self._end(next(iter(self._open)))
        kind.run = run
        kind.item, kind.item_at = (data[at : end + 1], at) if end > 0 else (b"", _NOWHERE)
        return run

    def end_append(self) -> None:
        """The run of sent audio does not grow any more."""
        if self._append_key is not None:
            self._end(self._append_key)
            self._append_key = None

    def end_all(self) -> None:
        """No run grows any more."""
        for key in list(self._open):
            self._end(key)
        self._append_key = None

    def _end(self, key: tuple[int, Direction, bytes]) -> None:
        run = self._open.pop(key, None)
        if run is not None:
            run.open = False
