"""The capture: every frame of a session, found again by index, folded into rows that a person can read."""

from tui.capture.log import Entry, EventLog, Row
from tui.capture.rows import RowReader, RowView

__all__ = ["Entry", "EventLog", "Row", "RowReader", "RowView"]
