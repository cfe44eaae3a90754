"""The kinds of fault, by the moment at which they strike, and what each may do there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from tui.simulator.connection import Meeting
from tui.simulator.events import Event
from tui.simulator.line import Line

if TYPE_CHECKING:
    from tui.certificates import Authority

ALWAYS = "always"
"""What stands in place of what is counted, where nothing is: the fault cannot strike once only."""


@dataclass(frozen=True)
class Fault:
    """A failure that a client may meet. `name` is what a person types, `what` says in one line what happens."""

    name: str
    what: str

    counted: ClassVar[str] = ""
    """What the number after `@` counts."""


@dataclass(frozen=True)
class AddressFault(Fault):
    """Nothing is where the URL leads. With a `host`, the URL is wss:// to that one, which is not this machine."""

    host: str = ""

    counted: ClassVar[str] = ALWAYS


@dataclass(frozen=True)
class TlsFault(Fault):
    """Meets a client that connects to wss://. It may have the authority make a certificate."""

    meet: Callable[[Authority], Meeting]

    counted: ClassVar[str] = "TCP connection"


@dataclass(frozen=True)
class Handshake:
    """A request for a connection, on its way to being answered. `narrate` tells a person what came of it."""

    connection: ServerConnection
    request: Request
    narrate: Callable[[str], None]


@dataclass(frozen=True)
class HandshakeFault(Fault):
    """Answers the HTTP request in place of the service. None lets the request through after all."""

    answer: Callable[[Handshake], Awaitable[Response | None]]

    counted: ClassVar[str] = "connection"


@dataclass(frozen=True)
class Dismissal:
    """An event sent in place of session.created, and the close code and reason that follow it."""

    event: Event
    code: int
    reason: str


@dataclass(frozen=True)
class Terms:
    """On what terms a session starts: `speaks` is whether it says anything at all.

    `refuse` is given the session of each session.update, in the GA shape, and may raise ClientError.
    """

    dialect: str
    lifetime_s: float
    speaks: bool = True
    dismissal: Dismissal | None = None
    refuse: Callable[[dict[str, Any]], None] | None = None


@dataclass(frozen=True)
class OpeningFault(Fault):
    """Changes the terms on which a session starts."""

    change: Callable[[Terms], Terms]

    counted: ClassVar[str] = "connection"


class Moment(Enum):
    """When a fault strikes within an answer."""

    AT_ONCE = "right after response.created"
    MIDWAY = "after a few deltas"


class Ended(Exception):  # noqa: N818 - it ends a response, it is not an error
    """Raised by a fault to end the response: with a `status` and its `status_details`, or with no response.done."""

    def __init__(self, status: str | None, details: dict[str, Any] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.details = details


class Place(Protocol):
    """What a fault may do in place of an answer."""

    @property
    def line(self) -> Line:
        """The connection."""

    def emit(self, event: Event) -> None:
        """Send a server event, given in the GA shape."""


class Turn(Place, Protocol):
    """What a fault may do in an answer, beside raising `Ended`."""

    @property
    def about(self) -> dict[str, Any]:
        """Fields that the events of this answer have in common: `response_id`, `item_id` and the indices."""

    @property
    def delta_type(self) -> str:
        """Type of the events that carry the words of this answer."""


@dataclass(frozen=True)
class NoAnswerFault(Fault):
    """Comes in place of an answer."""

    act: Callable[[Place], None]

    counted: ClassVar[str] = "answer"


@dataclass(frozen=True)
class AnswerFault(Fault):
    """Strikes within an answer."""

    moment: Moment
    act: Callable[[Turn], None]

    counted: ClassVar[str] = "answer"


@dataclass(frozen=True)
class TranscriptionFault(Fault):
    """Fails the transcription of what the user said. `error` makes the event's error object for an item's id.

    Where `deployed` names models, those are there, and the others fail.
    """

    error: Callable[[str], dict[str, Any]]
    deployed: frozenset[str] = frozenset()

    counted: ClassVar[str] = "transcription"
