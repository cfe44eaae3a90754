"""The server: sockets of the websockets library around `Session`. Every frame out passes one place, `Line`."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from weakref import WeakKeyDictionary, WeakSet

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tui.odd_requests import OddRequest
from tui.simulator.config import DEFAULT_MODEL
from tui.simulator.connection import Connection, Meeting
from tui.simulator.dialect import make_dialect
from tui.simulator.faults import FaultPlan
from tui.simulator.faults.kinds import Handshake, OpeningFault, Terms
from tui.simulator.http import PATHS, Refusal, admit, service_headers
from tui.simulator.line import Line
from tui.simulator.response import Pacing
from tui.simulator.session import Session
from tui.simulator.session_log import SessionLog
from tui.simulator.speech import Speaker

if TYPE_CHECKING:
    from tui.certificates import Authority

HOST = "127.0.0.1"

MAX_MESSAGE = 24 * 1024 * 1024
"""Bytes of the largest message accepted: an append holds at most 15 MiB of audio, a third more as base64."""

MAX_SESSIONS = 16
"""Logs kept of past connections."""

_MAX_WAITING = 256
"""Events that may wait to be sent before the connection stops reading from its client."""

# The screen may belong to another program of this process: what the library logs must not reach stderr by itself.
_logger = logging.getLogger("tui.simulator")
_logger.addHandler(logging.NullHandler())

Narrate = Callable[[str], None]


class Simulator:
    """A Realtime server on 127.0.0.1, for the demo and for tests. Use it as an async context manager.

    `port` 0 takes a free one. `dialect` is "ga" or "beta". `speed` divides every delay (math.inf: none).
    `require_key` is the only API key accepted; None accepts all. `engine` is that of `Speaker`.
    `thinking_s`, `word_s` and `audio_factor` are those of `Pacing`; `lifetime_s` is how long a session may last.
    `tls` serves wss:// with its certificate; with True, with one of an authority of its own, whose file is `ca_file`
    while the server runs. A fault of TLS implies that. `faults` are what is to go wrong, as `NAME` or `NAME@N` (see
    `FaultPlan`); those of the address and of TLS are looked at when the server is made. `narrate` is called with a
    line for people when a connection opens or ends, and when a fault strikes it.

    Raises ValueError for an unknown dialect or fault and a `speed` that is not positive; entering raises OSError for
    a port that cannot be had.
    """

    def __init__(
        self,
        port: int = 0,
        dialect: str = "ga",
        speed: float = 1.0,
        require_key: str | None = None,
        *,
        engine: str = "auto",
        thinking_s: float = 0.2,
        word_s: float = 0.025,
        audio_factor: float = 4.0,
        lifetime_s: float = 3600.0,
        tls: ssl.SSLContext | bool = False,
        faults: Sequence[str] = (),
        narrate: Narrate | None = None,
    ) -> None:
        make_dialect(dialect)
        if not speed > 0:
            raise ValueError(f"speed {speed} is not positive; 1 is normal, 2 is twice as fast")
        self.dialect = dialect
        self.port = port
        self.sessions: list[SessionLog] = []
        self._key = require_key
        self._pacing = Pacing(speed, thinking_s, word_s, audio_factor)
        self._speaker = Speaker(engine)
        self._lifetime_s = lifetime_s
        self._narrate = narrate or (lambda line: None)
        self.faults = FaultPlan(faults, self._narrate)
        self.ca_file: Path | None = None
        self._secure = bool(tls) or self.faults.secure
        self._tls = tls if isinstance(tls, ssl.SSLContext) else None
        self._authority: Authority | None = None
        self._address = self.faults.address
        self._reserved: socket.socket | None = None
        self._arriving: WeakSet[Connection] = WeakSet()
        self._server: Server | None = None
        self._openings: WeakKeyDictionary[ServerConnection, tuple[OpeningFault, ...]] = WeakKeyDictionary()
        self._unanswered: WeakSet[ServerConnection] = WeakSet()

    @property
    def endpoint(self) -> str:
        """What a person would set as AZURE_OPENAI_ENDPOINT."""
        return f"{'https' if self._scheme == 'wss' else 'http'}://{self._host}:{self.port}"

    def url(self, model: str = DEFAULT_MODEL) -> str:
        """Return the WebSocket URL for `model` in this server's dialect."""
        query = {"model": model}
        if self.dialect == "beta":
            query = {"api-version": "2025-04-01-preview", "deployment": model}
        return f"{self._scheme}://{self._host}:{self.port}{PATHS[self.dialect][0]}?{urlencode(query)}"

    @property
    def _scheme(self) -> str:
        return "wss" if self._secure or self._host != HOST else "ws"

    @property
    def _host(self) -> str:
        return (self._address and self._address.host) or HOST

    async def start(self) -> None:
        """Listen. `port` and `url` are final from here on."""
        if self._address is not None:
            self._reserve()
            return
        own = self._secure and self._tls is None
        if own:
            self._tls = self._own_authority().good()
        self._server = await serve(
            self._serve,
            HOST,
            self.port,
            process_request=self._admit,
            process_response=self._greet,
            server_header=None,
            compression=None,
            create_connection=partial(Connection, self._meet if self._secure else None, self._tell, self._refuse),  # type: ignore[arg-type]
            max_size=MAX_MESSAGE,
            open_timeout=None,  # how long to wait for an answer is the client's affair
            ping_interval=None,  # on loopback the kernel tells at once that a client has gone
            close_timeout=2,
            logger=_logger,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        if own:
            self.ca_file = self._own_authority().write()

    def _reserve(self) -> None:
        """Take the port, so that nobody else listens there, and do not listen either."""
        reserved = socket.socket()
        try:
            reserved.bind((HOST, self.port))
        except OSError:
            reserved.close()
            raise
        self.port = reserved.getsockname()[1]
        self._reserved = reserved

    async def stop(self) -> None:
        """Close every connection with 1001 and stop listening."""
        if self._reserved is not None:
            self._reserved.close()
        if self.ca_file is not None:
            self.ca_file.unlink(missing_ok=True)
        if self._server is not None:
            for arriving in self._arriving:
                if arriving.arriving:
                    arriving.transport.abort()
            for connection in (*self._unanswered, *self._server.connections):
                if connection in self._unanswered or (isinstance(connection, Connection) and connection.deaf):
                    connection.transport.abort()  # it would not answer the goodbye
            self._server.close(code=1001, reason="The simulator is shutting down.")
            await self._server.wait_closed()

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _refuse(self, odd: OddRequest) -> None:
        status = "" if odd.status is None else f"answered with HTTP {odd.status.value}: "
        self._narrate(f"{status}{odd.sentence}")

    def _tell(self, why: str) -> None:
        self._narrate(f"a client did not get through TLS: {why}")

    def _meet(self, connection: Connection) -> Meeting:
        self._arriving.add(connection)
        fault = self.faults.arrival()
        return self._tls if fault is None else fault.meet(self._own_authority())

    def _own_authority(self) -> Authority:
        from tui.certificates import Authority  # takes a while to import, and few need it

        if self._authority is None:
            self._authority = Authority("azrt-tui simulator")
        return self._authority

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        faults, self._openings[connection] = self.faults.connection()
        for fault in faults:
            self._unanswered.add(connection)
            answer = await fault.answer(Handshake(connection, request, self._narrate))
            self._unanswered.discard(connection)
            if answer is not None:
                return answer
        admitted = admit(request, self.dialect, self._key)
        if isinstance(admitted, Refusal):
            self._narrate(f"refused with HTTP {admitted.status.value} ({admitted.code})")
            return admitted.response()
        return None

    def _greet(self, connection: ServerConnection, request: Request, response: Response) -> Response:
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:  # refusals have them already
            response.headers.update(service_headers())
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        model = admit(connection.request, self.dialect, self._key)
        assert isinstance(model, str)  # `_admit` has let it in
        assert isinstance(connection, Connection)
        terms = Terms(self.dialect, self._lifetime_s)
        for fault in self._openings.pop(connection):
            terms = fault.change(terms)
        log = SessionLog(model)
        self.sessions.append(log)
        del self.sessions[:-MAX_SESSIONS]
        self._narrate(f"session opened for {model!a}")
        try:
            # Nothing outlives its connection; a bug in any task ends it with 1011 instead of leaving it stuck.
            async with asyncio.TaskGroup() as tasks:
                line = Line(connection, log)
                writer = tasks.create_task(line.run())
                session = Session(
                    model,
                    terms,
                    line=line,
                    spawn=tasks.create_task,
                    pacing=self._pacing,
                    speaker=self._speaker,
                    faults=self.faults,
                )
                try:
                    await self._converse(connection, session, terms.lifetime_s, log)
                finally:
                    session.stop()
                    writer.cancel()
        finally:
            log.close_code = connection.close_code
            self._narrate(f"session ended for {model!a}, close code {log.close_code}")

    async def _converse(self, connection: Connection, session: Session, lifetime_s: float, log: SessionLog) -> None:
        """Read from the client until it goes, or until the session's time is up."""
        line = session.line
        try:
            async with asyncio.timeout(lifetime_s):
                session.start()
                async for message in connection:
                    log.add("received", message)
                    session.receive(message)
                    if line.waiting > _MAX_WAITING:
                        await line.drained()
                    if line.pause_s:
                        await asyncio.sleep(line.pause_s)
        except TimeoutError:
            session.expire(round(lifetime_s / 60))
            await line.drained()
        except ConnectionClosed:
            pass  # the client went away without a closing handshake
