"""What the screen can ask of the session worker, and what the worker asks of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui.settings.model import TurnDetection

MAX_TEXT_BYTES: Final = 15 * 2**20
"""A longer message is not sent: the API takes at most 15 MiB in an event, and ends the session over a larger one."""


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
class DetectTurns:
    """From now on, and after each reconnect, the server decides in this way that the person has finished speaking."""

    kind: TurnDetection


@dataclass(frozen=True, slots=True)
class DevicesChanged:
    """Another loudspeaker or microphone was chosen, or one that had failed was tried again."""


@dataclass(frozen=True, slots=True)
class UpdateSession:
    """Send a session.update with these fields of the GA ``session`` object, now and after each reconnect."""

    session: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close the connection, if there is one, and open a new session."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Give the answer up that does not come or does not end, and ask for it again."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Leave it as it is: wait on for what was offered to be given up, or connect no more by itself."""


@dataclass(frozen=True, slots=True)
class Say:
    """Show in the conversation what azrt-tui has found out by itself."""

    text: str
    note: str = ""
    cause: str = ""
    """The name of the cause that it is about."""
    command: str = ""
    """The id of the binding that says more."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection and end the worker."""


Command = (
    SendText
    | Interrupt
    | ToggleMicrophone
    | DetectTurns
    | DevicesChanged
    | UpdateSession
    | Reconnect
    | Retry
    | Wait
    | Say
    | Close
)


@dataclass(frozen=True, slots=True)
class SendQueued:
    """The connection is ready, or a response ended, or there is a new message: what waits can go."""

    new: bool = False
    """There is a new message, which may interrupt the answer that is running."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A response began that was interrupted before it did."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Truncate:
    """Items were waiting to be heard when the person spoke."""

    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnsByHand:
    """The server has stopped to detect turns."""


@dataclass(frozen=True, slots=True)
class Transcribe:
    """Another model has to transcribe the user, if one is due."""


Work = Command | SendQueued | Cancel | Truncate | TurnsByHand | Transcribe
