"""What reaches the screen from outside its own thread, and what its widgets ask of it."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from textual.message import Message
from textual.message_pump import MessagePump

from tui.audio.devices import Kind
from tui.conversation import Cause, Link
from tui.session import Batch


class SessionBatch(Message):
    """The session worker has something new.

    It grows until the screen takes it. A screen that was busy, or stood still because its terminal did, catches up
    in one step: a queue of batches would keep every key waiting behind it.
    """

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self._batch = batch
        self._taken = False
        self._lock = threading.Lock()

    def add(self, batch: Batch) -> bool:
        """Take in the next batch; False when the screen has this one already. For the session's thread."""
        with self._lock:
            if not self._taken:
                self._batch = self._batch.then(batch)
            return not self._taken

    def take(self) -> Batch:
        """Everything that came. For the screen."""
        with self._lock:
            self._taken = True
            return self._batch


class Delivery:
    """Brings the batches of a session or a replay to its screen. A screen that is gone takes nothing."""

    def __init__(self, screen: MessagePump) -> None:
        self._screen = screen
        self._sent: SessionBatch | None = None

    def __call__(self, batch: Batch) -> None:
        """For the thread that has the batch."""
        if self._sent is None or not self._sent.add(batch):
            self._sent = SessionBatch(batch)
            self._screen.post_message(self._sent)


@dataclass
class LinkChanged(Message):
    """The state of the connection has changed, or why there is none."""

    link: Link
    cause: Cause | None
    """Why there is no connection, or none any more."""


class InterruptRequested(Message):
    """The person wants the agent to stop."""


@dataclass
class DeviceChosen(Message):
    """The person chose a device for one direction, and it is in use, or will be."""

    kind: Kind
    name: str
    """"" for the system's default."""


class DevicesTried(Message):
    """A device was changed, or what had failed was tried again: other things may be possible now."""


@dataclass
class DemoReady(Message):
    """The embedded simulator listens."""

    url: str


@dataclass
class DemoFailed(Message):
    """The embedded simulator could not be started."""

    reason: str
