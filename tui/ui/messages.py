"""What reaches the screen from outside its own thread, and what its widgets ask of it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from tui.session import Batch


@dataclass
class SessionBatch(Message):
    """The session worker has something new."""

    batch: Batch


class InterruptRequested(Message):
    """The person wants the agent to stop."""


@dataclass
class DemoReady(Message):
    """The embedded simulator listens."""

    url: str


@dataclass
class DemoFailed(Message):
    """The embedded simulator could not be started."""

    reason: str
