"""The capture: every frame of a session, found again by index, folded into rows that a person can read."""

from tui.capture.log import Entry, EventLog, Row
from tui.capture.reader import CaptureError, CaptureReader
from tui.capture.records import Decoded, Interrupted, Mark, Playing
from tui.capture.rows import RowReader, RowView
from tui.capture.writer import CaptureWriter

__all__ = [
    "CaptureError",
    "CaptureReader",
    "CaptureWriter",
    "Decoded",
    "Entry",
    "EventLog",
    "Interrupted",
    "Mark",
    "Playing",
    "Row",
    "RowReader",
    "RowView",
]
