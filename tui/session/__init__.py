"""The session worker: its own thread and event loop, the openai-agents realtime session, every frame on record."""

from tui.session.batch import Batch, Notice
from tui.session.commands import Close, Command, Interrupt, Reconnect, SendText, ToggleMicrophone, UpdateSession
from tui.session.plan import SessionPlan
from tui.session.worker import SessionWorker

__all__ = [
    "Batch",
    "Close",
    "Command",
    "Interrupt",
    "Notice",
    "Reconnect",
    "SendText",
    "SessionPlan",
    "SessionWorker",
    "ToggleMicrophone",
    "UpdateSession",
]
