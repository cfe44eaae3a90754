"""The event log of a session, with its copy on disk as the settings want it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tui import __version__, paths, wire
from tui.capture import CaptureWriter, EventLog
from tui.capture.file.folder import NewCapture, Retention
from tui.capture.file.records import Header
from tui.session.plan import SessionPlan
from tui.settings import Settings


def event_log(settings: Settings, plan: SessionPlan) -> EventLog:
    """A new log of a session of ours; see :func:`new_event_log`."""
    return new_event_log(settings, plan.target.host, plan.target.model, plan.credentials.masked)


def new_event_log(settings: Settings, host: str, model: str, masked: Callable[[str], str]) -> EventLog:
    """A new log, whose capture names ``host`` and ``model``; ``masked`` hides secrets in them.

    Touches no disk: its file comes into being with the first event.
    """
    if not settings.capture:
        return EventLog(time.monotonic_ns())
    new = NewCapture(paths.captures_dir(), Retention(settings.captures_kept, settings.captures_size))
    header = Header(program=f"azrt-tui {__version__}", host=masked(host), deployment=masked(model))
    return EventLog(time.monotonic_ns(), capture=CaptureWriter(new, header))


def capture_oversized(limit: int) -> str:
    """What to say when a capture alone has more than so many bytes, which all may have together."""
    return f"The capture of this session alone is larger than captures_size ({wire.size(limit)}B). It is kept whole."


def capture_failed(trouble: str) -> str:
    """What to say when a capture cannot be written any more, without a full stop."""
    where = paths.for_display(paths.captures_dir())
    return f"Events are not kept on disk any more ({where}: {trouble}). The session goes on"
