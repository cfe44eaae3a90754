"""The capture: every frame of a session, found again by index, folded into rows that a person can read."""

from tui.capture.file.reader import CaptureError, CaptureReader
from tui.capture.file.records import Decoded, Interrupted, Mark, Playing
from tui.capture.file.writer import CaptureWriter
from tui.capture.log.index import Entry, EventLog, Row
from tui.capture.log.rows import RowReader, RowView

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
