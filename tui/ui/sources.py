"""A row of the event log, as the detail screen wants it."""

from __future__ import annotations

from tui import wire
from tui.capture import EventLog
from tui.capture.filter.thing import things_at
from tui.ui.screens.event_detail import FrameView
from tui.wire import Direction


class RowSource:
    """The frames of one row. A run of deltas may still grow while it is looked at."""

    def __init__(self, log: EventLog, row: int) -> None:
        self._log = log
        self._row = row
        self._members = log.members(row)
        self.title = wire.label(log.entry(self._members[0]).type)

    def __len__(self) -> int:
        """Frames in the row by now."""
        if self._log.row(self._row).count != len(self._members):
            self._members = self._log.members(self._row)
        return len(self._members)

    def frame(self, i: int) -> FrameView:
        """One frame, exactly as on the wire."""
        entry = self._log.entry(self._members[i])
        return FrameView(
            time_s=entry.t_ns / 1e9,
            sent={Direction.SENT: True, Direction.RECEIVED: False}.get(entry.direction),
            type=entry.type,
            raw=entry.data,
            note=entry.note,
            audio=self._log.audio_format(entry.index),
            things=things_at(self._log, entry.index),
        )
