"""The two connections of a relayed session. A frame that arrives on one leaves on the other before anything else.

Frames are passed on as they are: text or binary, whole or in fragments, valid or not. Only pings and pongs belong to
one connection each. While one side does not read, the other is not read from either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.frames import Close, CloseCode, Frame, Opcode
from websockets.protocol import Event, State

from tui.odd_requests import Answering, OddRequest
from tui.session.causes import Ending

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""A larger message ends the session with 1009: nothing in the Realtime API comes near it."""

_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})

Record = Callable[[bytes, bool], object]
"""Takes a message: its bytes, and whether it was binary."""

Mask = Callable[[bytes], bytes]


class Leg(Connection):
    """One of the two connections. Frames wait in it until it is joined to the other."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._other: Leg | None = None
        self._record: Record = lambda data, binary: None
        self._mask: Mask | None = None
        self._early: list[Frame] = []
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        self.lost = False
        """True once the connection is gone."""
        self.ended_first = False
        """True when the session ended from this side."""

    def join(self, other: Leg, record: Record, mask: Mask | None = None) -> None:
        """Pass on what has come and what comes to ``other``.

        Args:
            other: the other leg.
            record: is given each message after it was passed on.
            mask: hides secrets in a frame before it is passed on, without changing its length.
        """
        self._other, self._record, self._mask = other, record, mask
        early, self._early = self._early, []
        for frame in early:
            self._pass_on(frame)
        if self.lost:
            self._pass_on_loss()

    @property
    def open(self) -> bool:
        """Whether frames can be sent."""
        return self.protocol.state is State.OPEN

    @property
    def stalled(self) -> bool:
        """Whether the far end does not read what it is sent."""
        return self.paused

    @property
    def ending(self) -> Ending:
        """How the connection ended, as far as it has."""
        return Ending.of(self.protocol)

    # What the library calls

    def process_event(self, event: Event) -> None:
        """See a frame the moment it is parsed."""
        if not isinstance(event, Frame) or event.opcode not in {*_DATA, Opcode.CLOSE}:
            super().process_event(event)
        elif self._other is None:
            self._early.append(event)
        else:
            self._pass_on(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        super().connection_lost(exc)
        self.lost = True
        if self._other is not None:
            self._pass_on_loss()

    def pause_writing(self) -> None:
        """The far end of this leg does not read: do not read from the other."""
        super().pause_writing()
        if self._other is not None:
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self._other is not None:
            self._other.transport.resume_reading()

    # Passing on

    def _pass_on(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._pass_on_close(self.protocol.close_rcvd)
            return
        data = bytes(frame.data)
        if self._mask is not None:
            data = self._mask(data)
        self._send(frame.opcode, data, frame.fin)
        if frame.opcode is not Opcode.CONT:
            self._opcode = frame.opcode
        self._parts.append(data)
        if frame.fin:
            message = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            try:
                self._record(message, self._opcode is Opcode.BINARY)
            except Exception:
                # We are called by the transport: a fault of ours must not cost somebody's connection.
                logger.exception("A frame could not be recorded")

    def _send(self, opcode: Opcode, data: bytes, fin: bool) -> None:
        other = self._other
        if other is None or not other.open:
            return  # it is closing: nobody is there to take it
        if opcode is Opcode.TEXT:
            other.protocol.send_text(data, fin)
        elif opcode is Opcode.BINARY:
            other.protocol.send_binary(data, fin)
        else:
            other.protocol.send_continuation(data, fin)
        other.send_data()

    def _pass_on_close(self, close: Close | None) -> None:
        other = self._other
        if other is None or not other.open:
            return
        self.ended_first = True
        if close is None or close.code == CloseCode.NO_STATUS_RCVD:
            other.protocol.send_close()
        else:
            other.protocol.send_close(close.code, close.reason)
        other.send_data()

    def _pass_on_loss(self) -> None:
        """End the other side as this one has ended: with the code that was given for it, or without a word."""
        other, sent = self._other, self.protocol.close_sent
        if other is None or not other.open:
            return
        if sent is not None:
            self._pass_on_close(sent)
        else:
            self.ended_first = True
            other.transport.abort()


class ClientLeg(Leg, Answering):
    """The connection that a client has made to the relay. ``refused`` is told of requests that are for no WebSocket."""

    program = "azrt-tui watch"

    def __init__(self, refused: Callable[[OddRequest], None], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._refused = refused

    def refuse(self, odd: OddRequest) -> None:
        """A request was answered that is for no WebSocket."""
        self._refused(odd)


class ServiceLeg(Leg, ClientConnection):
    """The connection that the relay has made to the service in the client's place."""
