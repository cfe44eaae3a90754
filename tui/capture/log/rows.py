"""What one row of the event log says, in plain columns. Reads and parses only the rows that are asked for."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from tui import wire
from tui.capture.log.index import Entry, EventLog, Row
from tui.wire import Direction, Family

_PREVIEW_CHARS = 200
"""Enough for the widest summary column; a run's preview is not read again once it has so many."""

_PREVIEW_ENTRIES = 40
"""Deltas that are read for a preview, at most."""


@dataclass(frozen=True, slots=True)
class RowView:
    """One row as it is shown. Text comes from the network: it must be made printable before it is drawn."""

    index: int
    time_s: float
    """Seconds since the log's origin, of the first entry."""
    direction: Direction
    family: Family
    label: str
    """The event type, without what the rest makes unmistakable."""
    count: int
    summary: str
    size: int
    """Bytes on the wire."""
    alarm: bool


class RowReader:
    """Reads rows of a log, remembering the latest few hundred."""

    def __init__(self, log: EventLog, capacity: int = 512) -> None:
        self._log = log
        self._capacity = capacity
        self._views: OrderedDict[int, tuple[int, RowView]] = OrderedDict()
        self._previews: OrderedDict[int, tuple[int, str]] = OrderedDict()

    def view(self, index: int) -> RowView:
        """The row with this index, as it is now. Raises IndexError beyond the end."""
        row = self._log.row(index)
        cached = self._views.get(index)
        if cached is not None and cached[0] == row.count:
            self._views.move_to_end(index)
            return cached[1]
        view = self._build(row)
        self._views[index] = (row.count, view)
        self._views.move_to_end(index)
        if len(self._views) > self._capacity:
            self._views.popitem(last=False)
        return view

    def forget(self, index: int) -> None:
        """Read this row anew next time: one of its entries was marked."""
        self._views.pop(index, None)

    def is_alarm(self, index: int) -> bool:
        """True when this row says that something failed. Cheap: reads no frame."""
        return self._log.is_alarm(index)

    def _build(self, row: Row) -> RowView:
        entry = self._log.entry(row.first)
        return RowView(
            index=row.index,
            time_s=entry.t_ns / 1e9,
            direction=entry.direction,
            family=Family.ERROR if row.alarm else wire.event_type(entry.type).family,
            label=wire.label(entry.type),
            count=row.count,
            summary=self._summary(row, entry),
            size=row.size,
            alarm=row.alarm,
        )

    def _summary(self, row: Row, entry: Entry) -> str:
        if entry.note and entry.type in {wire.BROKEN_TYPE, wire.BINARY_TYPE}:
            return entry.note
        known = wire.event_type(entry.type)
        if known.audio:
            said = wire.audio_duration(row.audio, self._log.audio_format(row.first))
        elif known.text:
            said = self._preview(row)
        else:
            event = wire.parse(entry.data)
            said = wire.summary(event) if event is not None else ""
        return f"{said} · {entry.note}" if entry.note and said else said or entry.note

    def _preview(self, row: Row) -> str:
        """The beginning of the text that the deltas of a row make together."""
        cached = self._previews.get(row.index)
        if cached is not None and (cached[0] == row.count or cached[0] < 0):
            return cached[1]
        said = ""
        members = self._log.members(row.index, _PREVIEW_ENTRIES)
        for index in members:
            event = wire.parse(self._log.data(index))
            if event is not None:
                said = wire.joined(said, wire.delta_text(event))
            if len(said) >= _PREVIEW_CHARS:
                break
        complete = len(said) >= _PREVIEW_CHARS or len(members) >= _PREVIEW_ENTRIES
        said = wire.text(said)
        self._previews[row.index] = (-1 if complete else row.count, said)
        if len(self._previews) > self._capacity:
            self._previews.popitem(last=False)
        return said
