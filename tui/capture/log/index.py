"""The event log: every frame both ways, in order, with a compact index and runs of deltas folded into rows.

One thread appends (the session's), another reads (the screen's). Readers look only below the lengths that they were
told, and everything below a length is complete, so no lock is needed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Final

from tui import wire
from tui.audio_format import AudioFormat, Formats, InForce
from tui.capture.file.records import Decoded, Mark, Remark, Stored
from tui.capture.file.writer import CaptureWriter
from tui.capture.log.frames import WINDOW_BYTES, Frames, FrameStore
from tui.capture.log.runs import Kind, Run, Runs
from tui.wire import Direction, Ends

_DIRECTION_MASK: Final = 0b0011
_BINARY: Final = 0b0100
_ALARM: Final = 0b1000

_DIRECTIONS: Final = bytes(flags & _DIRECTION_MASK for flags in range(256))
_ALARMS: Final = bytes(bool(flags & _ALARM) for flags in range(256))

_TYPE_FIRST: Final = b'{"type":"'
_TYPE_AT: Final = len(_TYPE_FIRST)

_MAX_TYPES: Final = 60_000
"""Types beyond so many different ones (a hostile server) are read from the frame again instead of being kept."""

_MAX_TYPE_CHARS: Final = 200
"""Longer types are not kept either."""

# An attribute of an enum class costs more than the rest of the line that it stands in.
_RECEIVED: Final = Direction.RECEIVED
_ENDS_SENT_AUDIO: Final = Ends.SENT_AUDIO
_ENDS_EVERYTHING: Final = Ends.EVERYTHING


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
    """Append-only. Memory per entry: 8 bytes of time, 4 of size, 4 of row, 2 of type, 1 of flags, 9 of its place in a
    file for what has left the window, and 4 per row.
    """

    def __init__(
        self,
        origin_ns: int = 0,
        *,
        window_bytes: int = WINDOW_BYTES,
        capture: CaptureWriter | None = None,
        frames: Frames | None = None,
    ) -> None:
        """A new log.

        Args:
            origin_ns: the monotonic time that counts as zero, in nanoseconds.
            window_bytes: so much of the frames stays in memory; older ones are read from a file.
            capture: what keeps a copy on disk.
            frames: where the frames are that are entered with :meth:`enter`; nothing can be appended then.
        """
        self.origin_ns = origin_ns
        """The monotonic time that counts as zero, in nanoseconds."""
        self.capture = capture
        """What keeps a copy on disk, if anything does."""
        self.marks: list[tuple[int, Mark]] = []
        """What happened here and not on the wire, oldest first, each with the number of entries before it."""
        self._store = FrameStore(window_bytes, capture.frames if capture is not None else None)
        self.frames: Frames = frames if frames is not None else self._store
        """Where the frames are."""
        self._times = array("q")
        self._types = array("H")
        self._flags = bytearray()
        self._rows = array("I")
        self._row_first = array("I")
        self._runs = Runs()
        self._run_of_row: dict[int, Run] = {}
        self._run_rows = array("I")
        self._notes: dict[int, str] = {}
        self._noted = array("I")
        self._type_names: list[str] = []
        self._by_name: dict[str, Kind] = {}
        self._by_bytes: dict[bytes, Kind] = {}
        self._changed: set[int] = set()
        self._counts = [0, 0, 0]
        self._formats = Formats()
        self._in_force = [self._formats.now]
        self._in_force_from = array("Q", [0])
        """Entries from which on each of these holds, rising."""

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
        return self.frames.trouble

    def count(self, direction: Direction) -> int:
        """Entries so far that went this way."""
        return self._counts[direction]

    def append(
        self,
        direction: Direction,
        data: bytes,
        t_ns: int,
        *,
        binary: bool = False,
        note: str = "",
        audio: Decoded | None = None,
    ) -> int:
        """Add one frame; return its index. Never raises, whatever the frame holds.

        Args:
            direction: who sent it.
            data: the frame's payload, exactly as on the wire.
            t_ns: monotonic time in nanoseconds.
            binary: True for a WebSocket binary frame.
            note: what was done with the frame, when that is not the usual thing.
            audio: what the caller has decoded of the frame, if anything.
        """
        t_ns -= self.origin_ns
        self._store.append(data)
        index = self._enter(direction, data, t_ns, len(data), -1, binary, note)
        if self.capture is not None:
            self.capture.put(
                direction,
                data,
                t_ns,
                binary=binary,
                origin_ns=self.origin_ns,
                audio=audio,
                audio_format=_format_of(self._formats.now, direction, data),
            )
            if note:
                self.capture.remark(t_ns, Remark(index, note))
        return index

    def enter(self, stored: Stored) -> int:
        """Add one frame that is in ``frames`` already; return its index."""
        audio = stored.audio.size if stored.audio is not None else -1
        return self._enter(stored.direction, stored.rest, stored.t_ns, stored.size, audio, stored.binary, stored.note)

    def _enter(
        self, direction: Direction, data: bytes, t_ns: int, size: int, audio: int, binary: bool, note: str
    ) -> int:
        """Index a frame; ``audio`` is the bytes of audio in it, -1 to find them out."""
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
            run.size += size
            if kind.audio_key:
                run.audio += kind.audio_bytes(data) if audio < 0 else audio
            row = run.row
            self._changed.add(row)
        else:
            if kind.ends is _ENDS_SENT_AUDIO:
                self._runs.end_append()
            elif kind.ends is _ENDS_EVERYTHING:
                self._runs.end_all()
            if kind.names_format:
                self._follow_format(direction, data, index)
            row = len(self._row_first)
            self._row_first.append(index)
        self._rows.append(row)
        self._times.append(t_ns)
        self._types.append(kind.id)
        if note:
            self._notes[index] = note
            self._noted.append(index)
        self._counts[direction] += 1
        # Last: the length of the flags is the length of the log.
        self._flags.append(direction + _BINARY if binary else direction)
        return index

    def mark_alarm(self, index: int) -> None:
        """Remember that this entry says something failed."""
        self._flags[index] |= _ALARM
        if self.capture is not None:
            self.capture.remark(self._times[-1], Remark(index, alarm=True))
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
        self._noted.append(index)
        if self.capture is not None:
            self.capture.remark(self._times[-1], Remark(index, note))
        self._changed.add(self._rows[index])

    def mark(self, mark: Mark) -> None:
        """Remember what happened here, between the entry before and the next one."""
        self.marks.append((len(self._flags), mark))
        if self.capture is not None:
            self.capture.mark(mark)

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
        return self.frames[index]

    def row(self, index: int) -> Row:
        """The row with this index, as it is now. Raises IndexError beyond the end."""
        first = self._row_first[index]
        run = self._run_of_row.get(index)
        if run is None:
            return Row(index, first, 1, self.frames.size(first), 0, self.is_alarm(index))
        return Row(index, first, run.count, run.size, run.audio, run.alarm)

    def type_of(self, index: int) -> str:
        """The type of an entry. Reads no frame, but for types that are not kept."""
        return self._type_names[self._types[index]] or wire.sniff_type(self.data(index))

    def time_of(self, index: int) -> int:
        """When an entry came, in nanoseconds since the origin. Reads no frame."""
        return self._times[index]

    def direction_of(self, index: int) -> Direction:
        """Who sent an entry."""
        return Direction(self._flags[index] & _DIRECTION_MASK)

    def index_after(self, t_ns: int, stop: int) -> int:
        """The first of the entries below ``stop`` that came later than ``t_ns``; ``stop`` when none did."""
        return bisect_right(self._times, t_ns, 0, stop)

    def first(self, row: int) -> int:
        """Index of the first entry of a row."""
        return self._row_first[row]

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

    @property
    def formats(self) -> InForce:
        """The formats of audio that hold for the next entry. For the appending thread."""
        return self._formats.now

    def audio_format(self, index: int) -> AudioFormat:
        """The format of the audio in an entry, where there is any. Reads the frame only where answers differ."""
        in_force = self._in_force[bisect_right(self._in_force_from, index) - 1]
        return _format_of(in_force, self.direction_of(index), self.data(index) if in_force.responses else b"")

    def row_of(self, index: int) -> int:
        """The row that shows an entry."""
        return self._rows[index]

    # Many at once. What is returned is a copy, and what the log gets meanwhile does not touch it.

    @property
    def type_names(self) -> list[str]:
        """The types so far, not to be changed; "" stands for those that are not kept."""
        return self._type_names

    def type_ids(self, start: int, stop: int) -> array[int]:
        """Where in :attr:`type_names` the types of these entries stand; 16 bits each."""
        return self._types[start:stop]

    def directions(self, start: int, stop: int) -> bytearray:
        """The directions of these entries."""
        return self._flags[start:stop].translate(_DIRECTIONS)

    def alarms(self, start: int, stop: int) -> bytearray:
        """A byte for each of these entries: 1 when it says that something failed."""
        return self._flags[start:stop].translate(_ALARMS)

    def rows_of(self, start: int, stop: int) -> array[int]:
        """The rows that show these entries; 32 bits each."""
        return self._rows[start:stop]

    def firsts(self, start: int, stop: int) -> array[int]:
        """The first entry of each of these rows, which rises; 32 bits each."""
        return self._row_first[start:stop]

    def row_at(self, index: int, stop: int) -> int:
        """The first of the rows below ``stop`` that begins at this entry or later; ``stop`` when none does."""
        return bisect_left(self._row_first, index, 0, stop)

    def runs(self, start: int, stop: int) -> list[tuple[int, int, bool]]:
        """Those of these rows that are runs, in order: the row, the bytes of its frames, whether one says of a failure.

        The other rows are one entry each.
        """
        at = bisect_left(self._run_rows, start)
        rows = self._run_rows[at : bisect_left(self._run_rows, stop, at)]
        return [(run.row, run.size, run.alarm) for run in map(self._run_of_row.__getitem__, rows)]

    def sizes(self, start: int, stop: int) -> array[int]:
        """Bytes of the frames of these entries; 32 bits each."""
        return self.frames.sizes(start, stop)

    def notes_since(self, seen: int) -> list[tuple[int, str]]:
        """Entries that got a note, and the note, but for the ``seen`` oldest ones."""
        return [(index, self._notes[index]) for index in self._noted[seen:]]

    def take_changed(self) -> tuple[int, ...]:
        """Rows that changed since the last call; new ones may be among them. For the appending thread."""
        changed = tuple(self._changed)
        self._changed.clear()
        return changed

    def close(self) -> None:
        """Write what waits, and give back the files; entries beyond the window cannot be read any more."""
        if self.capture is not None:
            self.capture.close()
            self.capture.release()
        self.frames.close()

    def _follow_format(self, direction: Direction, data: bytes, index: int) -> None:
        """Audio behind this entry may have another format; a row has one."""
        event = wire.parse(data)
        before = self._formats.now
        if event is not None:
            self._formats.take(event, sent=direction is Direction.SENT)
        if self._formats.now != before:
            self._in_force.append(self._formats.now)
            # Last: readers look for the place, and then there is something in it.
            self._in_force_from.append(index)
            self._runs.end_all()

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
            self._run_rows.append(row)
            self._row_first.append(index)
        return run


def _format_of(in_force: InForce, direction: Direction, data: bytes) -> AudioFormat:
    """The format of the audio in a frame."""
    if direction is Direction.SENT:
        return in_force.sent
    if in_force.responses:
        _, start, end = wire.find_string(data, b'"response_id"')
        return in_force.responses.get(data[start:end].decode(errors="replace"), in_force.received)
    return in_force.received
