"""The relay: clients connect here as they would to the service, and are seen while they talk to it.

A thread and an event loop of its own, for the reason that the session worker has one: a terminal that stops reading
must not hold up anybody's session.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tui.capture import EventLog
from tui.conversation import Cause
from tui.conversation.causes import cause
from tui.relay.leg import MAX_FRAME_BYTES, ClientLeg, ServiceLeg
from tui.relay.plan import RelayPlan
from tui.relay.request import Asked, failure, foreign_origin, is_websocket, passed_on, refusal, translate, with_added
from tui.relay.watched import WatchedSession
from tui.session import causes
from tui.session.loop import LoopThread
from tui.session.transport import connecting

logger = logging.getLogger(__name__)

# The screen belongs to another thread: what the library logs of clients must not reach stderr by itself.
_library_logger = logging.getLogger("tui.relay.websockets")
_library_logger.addHandler(logging.NullHandler())
_library_logger.propagate = False

CLIENT_CLOSE_S: Final = 30.0
"""How long a client may take for what was still on its way to it, and for its goodbye."""

GOODBYE_S: Final = 1.0
"""How long closing the relay waits for the goodbyes of clients and services."""

NewLog = Callable[[Asked], EventLog]


class Relay:
    """Listens, and relays one session after another, or many at once.

    ``opened`` is called in the relay's thread with each session, before anything of it has happened; it must be quick
    and may not raise. ``new_log`` makes the log that a session is recorded into.
    """

    def __init__(
        self, plan: RelayPlan, opened: Callable[[WatchedSession], None], new_log: NewLog, *, fps: float
    ) -> None:
        self.plan = plan
        self.url = ""
        """Where it listens, once it does: ``ws://127.0.0.1:8765``."""
        self._opened = opened
        self._new_log = new_log
        self._fps = fps
        self._thread = LoopThread("azrt-relay", self._run)
        self._listening = threading.Event()
        self._failure: OSError | None = None
        self._stopping: asyncio.Event | None = None
        self._sessions = 0
        self._pairs: dict[ServerConnection, _Pair] = {}

    def start(self) -> None:
        """Start the thread, and return once it listens. Raises OSError when it cannot."""
        self._thread.start()
        self._listening.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self, timeout: float = 3.0) -> bool:
        """Say goodbye to everybody and wait for the thread, for ``timeout`` seconds at most; True when it ended."""
        return self._thread.end(self._ask_to_stop, timeout)

    def _ask_to_stop(self) -> None:
        if self._stopping is not None:
            self._thread.call(self._stopping.set)

    # The thread

    async def _run(self) -> None:
        try:
            await self._main()
        except OSError as failure:
            self._failure = failure
        finally:
            self._listening.set()

    async def _main(self) -> None:
        self._stopping = asyncio.Event()
        server = await self._listen()
        self._listening.set()
        try:
            await self._stopping.wait()
        finally:
            server.close(code=CloseCode.GOING_AWAY, reason="The relay was closed.")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await server.wait_closed()
            pairs = tuple(self._pairs.values())
            for pair in pairs:
                pair.abort()
            if pairs:
                await asyncio.wait([pair.over for pair in pairs])

    async def _listen(self) -> Server:
        listen = self.plan.listen
        server = await serve(
            self._serve,
            listen.host,
            listen.port,
            process_request=self._ask,
            process_response=self._answer,
            select_subprotocol=self._subprotocol,
            create_connection=ClientLeg,
            server_header=None,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=None,  # the service has its own time to answer
            ping_interval=None,  # whoever is on this machine is known to be gone at once
            close_timeout=CLIENT_CLOSE_S,
            logger=_library_logger,
        )
        port = next(iter(server.sockets)).getsockname()[1]
        self.url = f"ws://{f'[{listen.host}]' if ':' in listen.host else listen.host}:{port}"
        return server

    # One session

    async def _ask(self, client: ServerConnection, request: Request) -> Response | None:
        """Connect to the service before the client gets an answer: what the service answers is the answer."""
        if not is_websocket(request):
            return None  # the library says what it is here
        plan = self.plan
        if origin := foreign_origin(request, plan.allowed_origins):
            logger.warning("A web page of %a was refused", origin)
            return failure(HTTPStatus.FORBIDDEN, "origin", f"azrt-tui watch takes no web pages of {origin}.")
        asked = translate(request, plan.target, plan.credentials)
        self._sessions += 1
        log = self._new_log(asked)
        session = WatchedSession(self._sessions, asked, plan.target.host, log, plan.sign_in, fps=self._fps)
        self._opened(session)
        assert isinstance(client, ClientLeg)
        try:
            service = await _unless_gone(client, self._connect(asked))
        except InvalidStatus as error:
            if asked.needs_key and error.response.status_code == HTTPStatus.UNAUTHORIZED:
                plan.sign_in.refused()
            session.failed(self._cause(error))
            return refusal(error.response, plan.sign_in.masked(bytes(error.response.body or b"")))
        except _ClientGoneError:
            session.failed(_left(None))
            return None  # nobody is there to read it
        except Exception as error:
            why = self._cause(error)
            if why.name == "unexpected":
                logger.info("Connecting failed", exc_info=error)
            session.failed(why)
            return failure(HTTPStatus.BAD_GATEWAY, why.name, f"azrt-tui watch: {why.sentence} {why.fix}".rstrip())
        mask = plan.sign_in.masked if asked.needs_key or plan.headers else None
        self._pairs[client] = pair = _Pair(client, service, session, mask, plan.timeouts.ping_s)
        pair.over.add_done_callback(lambda _: self._pairs.pop(client, None))
        return None

    async def _connect(self, asked: Asked) -> ServiceLeg:
        plan = self.plan
        added = await plan.headers.values()
        headers = list(asked.headers)
        if asked.needs_key:
            headers += plan.target.headers((await plan.sign_in.secret()).reveal()).items()
        headers = with_added(headers, added)
        connection = await connecting(
            asked.url,
            plan.ca_file,
            additional_headers=headers,
            user_agent_header=None,
            subprotocols=list(asked.subprotocols) or None,
            create_connection=ServiceLeg,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=plan.timeouts.open_s,
            close_timeout=plan.timeouts.close_s,
            ping_interval=None,  # see _Pair: one whose client does not read is not read from either
            logger=_library_logger,
        )
        assert isinstance(connection, ServiceLeg)
        return connection

    def _cause(self, error: Exception) -> Cause:
        return causes.from_exception(error, self.plan.target).mapped(self.plan.sign_in.masked)

    def _subprotocol(self, client: ServerConnection, offered: object) -> Subprotocol | None:
        """The subprotocol that the service has chosen."""
        pair = self._pairs.get(client)
        return pair.service.subprotocol if pair is not None else None

    def _answer(self, client: ServerConnection, request: Request, response: Response) -> Response | None:
        """What the service said in the headers of its answer, its request id above all, is for the client."""
        pair = self._pairs.get(client)
        if pair is not None and pair.service.response is not None:
            for name, value in passed_on(pair.service.response.headers):
                if name not in response.headers:
                    response.headers[name] = value
        return response

    async def _serve(self, client: ServerConnection) -> None:
        pair = self._pairs[client]
        pair.join()
        await asyncio.wait([pair.over])


class _ClientGoneError(Exception):
    """The client did not wait for the answer."""


async def _unless_gone(client: ClientLeg, connect: Coroutine[Any, Any, ServiceLeg]) -> ServiceLeg:
    """Connect, as long as the client waits for it. Raises _ClientGoneError and what connecting raises."""
    connecting_ = asyncio.ensure_future(connect)
    gone = asyncio.ensure_future(client.wait_closed())
    try:
        await asyncio.wait({connecting_, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not connecting_.done():
            raise _ClientGoneError
        return connecting_.result()
    finally:
        gone.cancel()
        if not connecting_.done():
            connecting_.cancel()
            await asyncio.wait({connecting_})


class _Pair:
    """The two legs of a session, from the service's answer to the end of both. ``over`` is done then."""

    def __init__(
        self,
        client: ClientLeg,
        service: ServiceLeg,
        session: WatchedSession,
        mask: Callable[[bytes], bytes] | None,
        ping_s: float,
    ) -> None:
        self.client = client
        self.service = service
        self._session = session
        self._mask = mask
        self._ping_s = ping_s
        self._joined = asyncio.Event()
        self._silent = False
        self.over = asyncio.create_task(self._look_after())

    def join(self) -> None:
        """Both are open: pass on what has come, and what comes."""
        recorder = self._session.recorder
        self._session.opened()
        self.service.join(self.client, lambda data, binary: recorder.received(data, binary=binary), self._mask)
        self.client.join(self.service, lambda data, binary: recorder.sent(data, binary=binary))
        self._joined.set()

    def abort(self) -> None:
        """End both now."""
        self.client.transport.abort()
        self.service.transport.abort()

    async def _look_after(self) -> None:
        client, service = self.client, self.service
        client_over = asyncio.create_task(client.wait_closed())
        service_over = asyncio.create_task(service.wait_closed())
        joined = asyncio.create_task(self._joined.wait())
        pinging = asyncio.create_task(self._ping())
        try:
            # A service that ends at once has said why, and the client gets to hear it: not before both are joined.
            await asyncio.wait({joined, client_over}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({client_over, service_over}, return_when=asyncio.FIRST_COMPLETED)
            # Whichever is left was told why; it has its time to read that.
            await asyncio.gather(client.close(), service.close())
        finally:
            for task in (client_over, service_over, joined, pinging):
                task.cancel()
            self._session.ended(self._why())

    def _why(self) -> Cause:
        if self._silent:
            return cause("silent")
        return causes.from_ending(self.service.ending) if self.service.ended_first else _left(self.client)

    async def _ping(self) -> None:
        """Find out that the service is gone, though nothing says so. One that is held up by its client is let be."""
        while True:
            await asyncio.sleep(self._ping_s)
            if self.client.stalled:
                continue
            try:
                async with asyncio.timeout(self._ping_s):
                    await (await self.service.ping())
            except TimeoutError:
                if not self.client.stalled:
                    self._silent = True
                    await self.service.close(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
                    return
            except ConnectionClosed:
                return


def _left(client: ClientLeg | None) -> Cause:
    """The client has ended the session, or gone before there was one."""
    if client is None:
        return Cause("client-gone", "The client went away before the service had answered.", "")
    ending = client.ending
    if ending.received is None:
        return Cause("client-lost", "The client was gone without a goodbye.", "")
    facts = {"close code": str(ending.received), **({"reason": ending.reason} if ending.reason else {})}
    said = f": {ending.reason}" if ending.reason else ""
    return Cause("client-closed", f"The client ended the session ({ending.received}{said}).", "", facts)
