"""What the replay screen is given: a session that was recorded, and how to begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.capture import EventLog
    from tui.capture.file.reader import CaptureReader


@dataclass(frozen=True, slots=True)
class Recording:
    """A log that is there, or a capture that is still to be read."""

    source: EventLog | CaptureReader
    host: str = ""
    model: str = ""
    start_s: float = 0.0
    """Beyond the end: the end."""
    speed: float = 1.0
    playing: bool = True
