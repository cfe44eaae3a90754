"""What the screen can ask of the session worker, and what the worker asks of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SendText:
    """Send a message. While the agent answers it interrupts or waits, as the setting says."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop the answer that is running or still playing."""


@dataclass(frozen=True, slots=True)
class ToggleMicrophone:
    """Begin to listen, or stop. Without turn detection, stopping ends the person's turn and asks for the answer."""


@dataclass(frozen=True, slots=True)
class UpdateSession:
    """Send a session.update with these fields of the GA ``session`` object, now and after each reconnect."""

    session: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close the connection, if there is one, and open a new session."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection and end the worker."""


Command = SendText | Interrupt | ToggleMicrophone | UpdateSession | Reconnect | Close


@dataclass(frozen=True, slots=True)
class SendQueued:
    """The connection is ready, or a response ended: what waited for that can go."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A response began that was interrupted before it did."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Items were waiting to be heard when the person spoke."""

    item_ids: tuple[str, ...]


Work = Command | SendQueued | Cancel | Truncate
