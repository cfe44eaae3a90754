"""The session worker: its own thread and event loop, the openai-agents realtime session, every frame on record."""

from tui.session.batch import Batch, Notice
from tui.session.capturing import capture_failed, event_log
from tui.session.commands import (
    MAX_TEXT_BYTES,
    Close,
    Command,
    DetectTurns,
    DevicesChanged,
    Interrupt,
    Reconnect,
    Retry,
    Say,
    SendText,
    ToggleMicrophone,
    UpdateSession,
    Wait,
)
from tui.session.plan import SessionPlan
from tui.session.worker import SessionWorker

__all__ = [
    "MAX_TEXT_BYTES",
    "Batch",
    "Close",
    "Command",
    "DetectTurns",
    "DevicesChanged",
    "Interrupt",
    "Notice",
    "Reconnect",
    "Retry",
    "Say",
    "SendText",
    "SessionPlan",
    "SessionWorker",
    "ToggleMicrophone",
    "UpdateSession",
    "Wait",
    "capture_failed",
    "event_log",
]
