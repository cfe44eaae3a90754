"""The event log: every frame both ways, in order, with a compact index and runs of deltas folded into rows.

One thread appends (the session's), another reads (the screen's). Readers look only below the lengths that they were
told, and everything below a length is complete, so no lock is needed.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

from tui import wire
from tui.capture.frames import WINDOW_BYTES, FrameStore
from tui.capture.runs import Kind, Run, Runs
from tui.wire import Direction

_DIRECTION_MASK: Final = 0b0011
_BINARY: Final = 0b0100
_ALARM: Final = 0b1000

_TYPE_FIRST: Final = b'{"type":"'
_TYPE_AT: Final = len(_TYPE_FIRST)

_MAX_TYPES: Final = 60_000
"""Types beyond so many different ones (a hostile server) are read from the frame again instead of being kept."""

_MAX_TYPE_CHARS: Final = 200
"""Longer types are not kept either."""

# An attribute of an enum class costs more than the rest of the line that it stands in.
_RECEIVED: Final = Direction.RECEIVED


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
    alarm: bool
    """True when one of its entries says that something failed."""


class EventLog:
    """Append-only. Memory per entry: 8 bytes of offset, 8 of time, 4 of row, 2 of type, 1 of flags, 4 per row."""

    def __init__(self, origin_ns: int = 0, *, window_bytes: int = WINDOW_BYTES) -> None:
        """``window_bytes`` of frames stay in memory; older ones go to a file."""
        self.origin_ns = origin_ns
        """The monotonic time that counts as zero, in nanoseconds."""
        self._frames = FrameStore(window_bytes)
        self._times = array("q")
        self._types = array("H")
        self._flags = bytearray()
        self._rows = array("I")
        self._row_first = array("I")
        self._runs = Runs()
        self._run_of_row: dict[int, Run] = {}
        self._notes: dict[int, str] = {}
        self._type_names: list[str] = []
        self._by_name: dict[str, Kind] = {}
        self._by_bytes: dict[bytes, Kind] = {}
        self._changed: set[int] = set()
        self._counts = [0, 0, 0]

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

    def count(self, direction: Direction) -> int:
        """Entries so far that went this way."""
        return self._counts[direction]

    def append(self, direction: Direction, data: bytes, t_ns: int, *, binary: bool = False, note: str = "") -> int:
        """Add one frame; return its index. Never raises, whatever the frame holds.

        Args:
            direction: who sent it.
            data: the frame's payload, exactly as on the wire.
            t_ns: monotonic time in nanoseconds.
            binary: True for a WebSocket binary frame.
            note: what was done with the frame, when that is not the usual thing.
        """
        kind = None
        if not binary and data.startswith(_TYPE_FIRST):
            kind = self._by_bytes.get(data[_TYPE_AT : data.find(b'"', _TYPE_AT)])
        if kind is None:
            kind = self._learn(wire.BINARY_TYPE if binary else wire.sniff_type(data))
        index = len(self._flags)
        if kind.folds:
            run = kind.run
            if not (run.open and direction is _RECEIVED and data.startswith(kind.item, kind.item_at)):
                run = self._find_run(kind, direction, data, index)
            run.last = index
            run.count += 1
            run.size += len(data)
            if kind.audio_key:
                run.audio += kind.audio_bytes(data)
            row = run.row
            self._changed.add(row)
        else:
            if kind.ends_append:
                self._runs.end_append()
            elif kind.ends_runs:
                self._runs.end_all()
            row = len(self._row_first)
            self._row_first.append(index)
        self._rows.append(row)
        self._frames.append(data)
        self._times.append(t_ns - self.origin_ns)
        self._types.append(kind.id)
        if note:
            self._notes[index] = note
        self._counts[direction] += 1
        # Last: the length of the flags is the length of the log.
        self._flags.append(direction + _BINARY if binary else direction)
        return index

    def mark_alarm(self, index: int) -> None:
        """Remember that this entry says something failed."""
        self._flags[index] |= _ALARM
        row = self._rows[index]
        run = self._run_of_row.get(row)
        if run is not None:
            run.alarm = True
        self._changed.add(row)

    def is_alarm(self, row: int) -> bool:
        """True when an entry of this row says that something failed. Cheap: reads no frame."""
        run = self._run_of_row.get(row)
        return run.alarm if run is not None else bool(self._flags[self._row_first[row]] & _ALARM)

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
        """The frame with this index, exactly as on the wire. Raises IndexError beyond the end."""
        return self._frames[index]

    def row(self, index: int) -> Row:
        """The row with this index, as it is now. Raises IndexError beyond the end."""
        first = self._row_first[index]
        run = self._run_of_row.get(index)
        if run is None:
            return Row(index, first, 1, self._frames.size(first), 0, self.is_alarm(index))
        return Row(index, first, run.count, run.size, run.audio, run.alarm)

    def members(self, row: int, limit: int | None = None) -> list[int]:
        """Indices of the entries in a row, oldest first, at most ``limit`` of them."""
        first = self._row_first[row]
        run = self._run_of_row.get(row)
        if run is None:
            return [first]
        found = []
        # The run may be one ahead: its latest entry is complete only when the log's length says so.
        for index in range(first, min(run.last + 1, len(self._flags))):
            if self._rows[index] == row:
                found.append(index)
                if limit is not None and len(found) >= limit:
                    break
        return found

    def row_of(self, index: int) -> int:
        """The row that shows an entry."""
        return self._rows[index]

    def take_changed(self) -> tuple[int, ...]:
        """Rows that changed since the last call; new ones may be among them. For the appending thread."""
        changed = tuple(self._changed)
        self._changed.clear()
        return changed

    def close(self) -> None:
        """Give back the file."""
        self._frames.close()

    def _learn(self, event_type: str) -> Kind:
        known = self._by_name.get(event_type)
        if known is not None:
            return known
        if event_type and (len(self._type_names) >= _MAX_TYPES or len(event_type) > _MAX_TYPE_CHARS):
            return self._learn("")
        kind = Kind(len(self._type_names), event_type)
        self._type_names.append(event_type)
        self._by_name[event_type] = kind
        if '"' not in event_type and "\\" not in event_type and event_type.isprintable():
            # Escapes make several spellings of one type; only the plain one is looked up without parsing.
            self._by_bytes[event_type.encode()] = kind
        return kind

    def _find_run(self, kind: Kind, direction: Direction, data: bytes, index: int) -> Run:
        row = len(self._row_first)
        run = self._runs.find(kind, direction, data, row)
        if run.row == row:
            self._run_of_row[row] = run
            self._row_first.append(index)
        return run
