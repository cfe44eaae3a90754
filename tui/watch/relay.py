"""The relay: clients connect here as they would to the service, and are seen while they talk to it.

A thread and an event loop of its own, for the reason that the session worker has one: a terminal that stops reading
must not hold up anybody's session.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tui import paths
from tui.capture import EventLog
from tui.conversation import Cause
from tui.failures.table import cause
from tui.odd_requests import OddRequest, refused
from tui.session import causes
from tui.session.loop import LoopThread
from tui.session.transport import connecting
from tui.watch.credentials import SessionMask
from tui.watch.leg import MAX_FRAME_BYTES, ClientLeg, ServiceLeg
from tui.watch.plan import RelayPlan
from tui.watch.request import (
    Asked,
    failure,
    foreign_origin,
    masked_answer,
    origin_refusal,
    passed_on,
    refusal,
    translate,
    with_added,
)
from tui.watch.watched import WatchedSession

if TYPE_CHECKING:
    from tui.certificates import Authority

logger = logging.getLogger(__name__)

# The screen belongs to another thread: what the library logs of clients must not reach stderr by itself.
_library_logger = logging.getLogger("tui.watch.websockets")
_library_logger.addHandler(logging.NullHandler())
_library_logger.propagate = False

CLIENT_CLOSE_S: Final = 30.0
"""How long a client may take for what was still on its way to it, and for its goodbye."""

GOODBYE_S: Final = 1.0
"""How long closing the relay waits for the goodbyes of clients and services."""

NewLog = Callable[[Asked], EventLog]


class Relay:
    """Listens, and relays one session after another, or many at once.

    ``opened`` is called in the relay's thread with each session, before anything of it has happened; ``refused`` with a
    sentence for each request that came to none. Both must be quick and may not raise. ``new_log`` makes the log that a
    session is recorded into.
    """

    def __init__(
        self,
        plan: RelayPlan,
        opened: Callable[[WatchedSession], None],
        new_log: NewLog,
        *,
        fps: float,
        refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plan = plan
        self.url = ""
        """Where it listens, once it does: ``ws://127.0.0.1:8765``."""
        self.ca_file: Path | None = None
        """What clients have to trust where it listens with TLS; there while it runs."""
        self._tell = refused
        self._opened = opened
        self._new_log = new_log
        self._fps = fps
        self._thread = LoopThread("azrt-relay", self._run)
        self._listening = threading.Event()
        self._failure: OSError | None = None
        self._stopping: asyncio.Event | None = None
        self._sessions = 0
        self._pairs: dict[ServerConnection, _Pair] = {}
        self._authority: Authority | None = None

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
            if self.ca_file is not None:
                self.ca_file.unlink(missing_ok=True)
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
            create_connection=partial(ClientLeg, self._refuse),  # type: ignore[arg-type]
            ssl=self._secured() if self.plan.tls else None,
            server_header=None,
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=None,  # the service has its own time to answer
            ping_interval=None,  # whoever is on this machine is known to be gone at once
            close_timeout=CLIENT_CLOSE_S,
            logger=_library_logger,
        )
        port = next(iter(server.sockets)).getsockname()[1]
        host = f"[{listen.host}]" if ":" in listen.host else listen.host
        self.url = f"{'wss' if self.plan.tls else 'ws'}://{host}:{port}"
        if self._authority is not None:
            self.ca_file = self._authority.write(paths.private_dir(paths.state_dir()) / f"watch-{port}.pem")
        return server

    def _secured(self) -> ssl.SSLContext:
        """Make an authority, and a certificate of it."""
        from tui.certificates import Authority  # takes a while to import, and few need it

        self._authority = Authority("azrt-tui watch")
        return self._authority.good("::1", self.plan.listen.host, socket.gethostname())

    # One session

    async def _ask(self, client: ServerConnection, request: Request) -> Response | None:
        """Connect to the service before the client gets an answer: what the service answers is the answer."""
        plan = self.plan
        if odd := refused(request, ClientLeg.program):
            self._refuse(odd)
            return odd.response()
        if origin := foreign_origin(request, plan.allowed_origins):
            sentence = origin_refusal(origin)
            self._refused(sentence)
            return failure(HTTPStatus.FORBIDDEN, "origin", sentence)
        asked = translate(request, plan.target, plan.credentials)
        mask = SessionMask(asked.presented, plan.sign_in)
        self._sessions += 1
        log = self._new_log(asked)
        session = WatchedSession(self._sessions, asked, plan.target.host, log, mask, fps=self._fps)
        self._opened(session)
        assert isinstance(client, ClientLeg)
        try:
            service = await _unless_gone(client, self._connect(asked))
        except InvalidStatus as error:
            if asked.needs_key and error.response.status_code == HTTPStatus.UNAUTHORIZED:
                plan.sign_in.refused()
            session.failed(self._cause(InvalidStatus(masked_answer(error.response, mask)), mask))
            return refusal(error.response, plan.sign_in)
        except _ClientGoneError:
            session.failed(_left(None))
            return None  # nobody is there to read it
        except Exception as error:
            why = self._cause(error, mask)
            if why.name == "unexpected":
                # The library quotes the headers that it cannot send, and the URL that it cannot use.
                logger.info("Connecting failed: %s", mask.masked("".join(traceback.format_exception(error))))
            session.failed(why)
            return failure(HTTPStatus.BAD_GATEWAY, why.name, f"azrt-tui watch: {why.sentence} {why.fix}".rstrip())
        hide = plan.sign_in.masked if asked.needs_key or plan.headers else None
        self._pairs[client] = pair = _Pair(client, service, session, hide, plan.timeouts.ping_s)
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

    def _cause(self, error: Exception, mask: SessionMask) -> Cause:
        return causes.from_exception(error, self.plan.target).mapped(mask.masked)

    def _refuse(self, odd: OddRequest) -> None:
        self._refused(odd.sentence)

    def _refused(self, sentence: str) -> None:
        logger.warning("%s", sentence)
        self._tell(sentence)

    def _subprotocol(self, client: ServerConnection, offered: object) -> Subprotocol | None:
        """The subprotocol that the service has chosen."""
        pair = self._pairs.get(client)
        return pair.service.subprotocol if pair is not None else None

    def _answer(self, client: ServerConnection, request: Request, response: Response) -> Response | None:
        """What the service said in the headers of its answer, its request id above all, is for the client."""
        pair = self._pairs.get(client)
        if pair is not None and pair.service.response is not None:
            for name, value in passed_on(pair.service.response.headers, self.plan.sign_in.masked):
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
        self.client.join(self.service, lambda data, binary: self._session.sent(data, binary=binary))
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
        if not self.service.ended_first:
            return _left(self.client)
        return causes.from_ending(self.service.ending, expired=self._session.recorder.reducer.expired)

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
