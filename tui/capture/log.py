"""The event log: every frame both ways, in order, with a compact index and runs of deltas folded into rows.

One thread appends (the session's), another reads (the screen's). Readers look only below the lengths that they were
told, and everything below a length is complete, so no lock is needed.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final, NamedTuple

from tui import wire
from tui.capture.frames import FrameStore
from tui.wire import Direction

_DIRECTION_MASK: Final = 0b0011
_BINARY: Final = 0b0100
_ALARM: Final = 0b1000

_TYPE_FIRST: Final = b'{"type":"'
_TYPE_AT: Final = len(_TYPE_FIRST)

_MAX_TYPES: Final = 60_000
"""Types beyond so many different ones (a hostile server) are read from the frame again instead of being kept."""

_MAX_OPEN_RUNS: Final = 64
"""Runs that can still grow; a session has a handful at a time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One frame as it was on the wire, or one thing that happened to the connection."""

    index: int
    t_ns: int
    """Monotonic time in nanoseconds, relative to the log's origin."""
    direction: Direction
    type: str
    data: bytes
    binary: bool
    alarm: bool
    note: str
    """What azrt-tui did with the frame, when it is not the usual thing; "" otherwise."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the event pane shows in one line: one entry, or a run of deltas of one item."""

    index: int
    first: int
    """Index of the first entry."""
    count: int
    """Entries in the row."""
    size: int
    """Bytes of all its frames."""
    audio: int
    """Bytes of decoded audio in all its frames."""


class _Known(NamedTuple):
    """What the log has to know of an event type."""

    id: int
    folds: bool
    breaks: bool
    """True when it ends a run of sent audio."""
    audio_key: bytes | None
    """The key of the frame that holds base64 audio, in quotes."""


class _Run:
    """The sums of a row that holds more than one entry."""

    __slots__ = ("audio", "count", "last", "size")

    def __init__(self, last: int, size: int, audio: int) -> None:
        self.last = last
        self.count = 1
        self.size = size
        self.audio = audio


class EventLog:
    """Append-only. Memory per entry: 8 bytes of offset, 8 of time, 4 of row, 2 of type, 1 of flags, 4 per row."""

    def __init__(self, origin_ns: int = 0) -> None:
        self.origin_ns = origin_ns
        """The monotonic time that counts as zero, in nanoseconds."""
        self._frames = FrameStore()
        self._times = array("q")
        self._types = array("H")
        self._flags = bytearray()
        self._rows = array("I")
        self._row_first = array("I")
        self._runs: dict[int, _Run] = {}
        self._open: dict[tuple[int, bytes], int] = {}
        self._append_run: tuple[int, bytes] | None = None
        self._notes: dict[int, str] = {}
        self._type_names: list[str] = []
        self._by_name: dict[str, _Known] = {}
        self._by_bytes: dict[bytes, _Known] = {}
        self._changed: set[int] = set()
        self.counts = [0, 0, 0]
        """Entries so far by :class:`~tui.wire.Direction`."""

    def __len__(self) -> int:
        """Entries so far."""
        return len(self._flags)

    @property
    def rows(self) -> int:
        """Rows so far; the last ones may still grow."""
        return len(self._row_first)

    @property
    def trouble(self) -> str:
        """Why the log cannot use the disk; "" while it can."""
        return self._frames.trouble

    def append(self, direction: Direction, data: bytes, t_ns: int, *, binary: bool = False, note: str = "") -> int:
        """Add one frame; return its index. Never raises, whatever the frame holds.

        Args:
            direction: who sent it.
            data: the frame's payload, exactly as on the wire.
            t_ns: monotonic time in nanoseconds.
            binary: True for a WebSocket binary frame.
            note: what was done with the frame, when that is not the usual thing.
        """
        known = None
        if not binary and data.startswith(_TYPE_FIRST):
            known = self._by_bytes.get(data[_TYPE_AT : data.find(b'"', _TYPE_AT)])
        if known is None:
            known = self._learn(wire.BINARY_TYPE if binary else wire.sniff_type(data))
        type_id, folds, breaks, audio_key = known
        index = len(self._flags)
        audio = wire.audio_bytes(data, audio_key) if audio_key else 0
        if folds:
            row = self._fold(index, direction, type_id, data, audio)
        else:
            if breaks and self._append_run is not None:
                # Microphone audio goes on for minutes: a new row after these keeps the order of things readable.
                self._open.pop(self._append_run, None)
                self._append_run = None
            row = self._new_row(index)
        if audio and row not in self._runs:
            self._runs[row] = _Run(index, len(data), audio)
        self._rows.append(row)
        self._frames.append(data)
        self._times.append(t_ns - self.origin_ns)
        self._types.append(type_id)
        if note:
            self._notes[index] = note
        self.counts[direction] += 1
        # Last: the length of the flags is the length of the log.
        self._flags.append(direction + _BINARY if binary else direction)
        return index

    def mark_alarm(self, index: int) -> None:
        """Remember that this entry says something failed."""
        self._flags[index] |= _ALARM
        self._changed.add(self._rows[index])

    def is_alarm(self, index: int) -> bool:
        """True for an entry that says something failed. Cheap: reads no frame."""
        return bool(self._flags[index] & _ALARM)

    def add_note(self, index: int, note: str) -> None:
        """Say what was done with an entry, after the fact."""
        self._notes[index] = note
        self._changed.add(self._rows[index])

    def entry(self, index: int) -> Entry:
        """The entry with this index. Raises IndexError beyond the end."""
        if not 0 <= index < len(self._flags):
            raise IndexError(index)
        flags = self._flags[index]
        data = self.data(index)
        name = self._type_names[self._types[index]]
        return Entry(
            index=index,
            t_ns=self._times[index],
            direction=Direction(flags & _DIRECTION_MASK),
            type=name or wire.sniff_type(data),
            data=data,
            binary=bool(flags & _BINARY),
            alarm=bool(flags & _ALARM),
            note=self._notes.get(index, ""),
        )

    def data(self, index: int) -> bytes:
        """The frame with this index, exactly as on the wire."""
        return self._frames[index]

    def row(self, index: int) -> Row:
        """The row with this index, as it is now. Raises IndexError beyond the end."""
        first = self._row_first[index]
        run = self._runs.get(index)
        if run is None:
            return Row(index, first, 1, self._frames.size(first), 0)
        return Row(index, first, run.count, run.size, run.audio)

    def members(self, row: int, limit: int | None = None) -> list[int]:
        """Indices of the entries in a row, oldest first, at most ``limit`` of them."""
        first = self._row_first[row]
        run = self._runs.get(row)
        if run is None:
            return [first]
        found = []
        for index in range(first, run.last + 1):
            if self._rows[index] == row:
                found.append(index)
                if limit is not None and len(found) >= limit:
                    break
        return found

    def row_of(self, index: int) -> int:
        """The row that shows an entry."""
        return self._rows[index]

    def take_changed(self) -> tuple[int, ...]:
        """Rows that changed since the last call, apart from new ones at the end. For the appending thread."""
        changed = tuple(self._changed)
        self._changed.clear()
        return changed

    def close(self) -> None:
        """Give back the file."""
        self._frames.close()

    def _learn(self, event_type: str) -> _Known:
        known = self._by_name.get(event_type)
        if known is not None:
            return known
        if len(self._type_names) >= _MAX_TYPES and event_type:
            return self._learn("")
        audio_key = wire.AUDIO_KEYS.get(event_type)
        known = _Known(
            len(self._type_names),
            wire.folds(event_type),
            event_type.startswith(("input_audio_buffer.", "response.created")),
            f'"{audio_key}"'.encode() if audio_key else None,
        )
        self._type_names.append(event_type)
        self._by_name[event_type] = known
        if '"' not in event_type and "\\" not in event_type and event_type.isprintable():
            # Escapes make several spellings of one type; only the plain one is looked up without parsing.
            self._by_bytes[event_type.encode()] = known
        return known

    def _new_row(self, index: int) -> int:
        self._row_first.append(index)
        return len(self._row_first) - 1

    def _fold(self, index: int, direction: Direction, type_id: int, data: bytes, audio: int) -> int:
        item = wire.sniff_item_id(data) if direction is Direction.RECEIVED else b""
        key = (type_id, item)
        row = self._open.get(key)
        if row is None:
            row = self._new_row(index)
            self._open[key] = row
            if direction is Direction.SENT:
                self._append_run = key
            if len(self._open) > _MAX_OPEN_RUNS:
                del self._open[next(iter(self._open))]
            return row
        run = self._runs.get(row)
        if run is None:
            first = self._row_first[row]
            run = self._runs[row] = _Run(first, self._frames.size(first), 0)
        run.last = index
        run.count += 1
        run.size += len(data)
        run.audio += audio
        self._changed.add(row)
        return row
