"""The server: sockets of the websockets library around `Session`. Every frame out passes one place, `_write`."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlencode

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tui.simulator.dialect import make_dialect
from tui.simulator.events import Event
from tui.simulator.http import PATHS, Refusal, admit, service_headers
from tui.simulator.response import Pacing
from tui.simulator.session import Session
from tui.simulator.speech import Speaker

HOST = "127.0.0.1"

MAX_MESSAGE = 24 * 1024 * 1024
"""Bytes of the largest message accepted: an append holds at most 15 MiB of audio, a third more as base64."""

MAX_LOG = 16 * 1024 * 1024
"""Characters that one connection's log keeps before it drops the oldest frames."""

MAX_SESSIONS = 16
"""Logs kept of past connections."""

_MAX_WAITING = 256
"""Events that may wait to be sent before the connection stops reading from its client."""

# The screen may belong to another program of this process: what the library logs must not reach stderr by itself.
_logger = logging.getLogger("tui.simulator")
_logger.addHandler(logging.NullHandler())

Narrate = Callable[[str], None]


@dataclass(frozen=True)
class Frame:
    """One message as it stood on the wire, and when (`time.monotonic()`)."""

    direction: Literal["received", "sent"]
    at: float
    data: str | bytes


@dataclass
class SessionLog:
    """What one connection saw: every frame both ways, up to `MAX_LOG` characters of them.

    `close_code` is None while the connection is open; `dropped` counts the frames that no longer fit.
    """

    model: str
    dropped: int = 0
    close_code: int | None = None
    frames: deque[Frame] = field(default_factory=deque, repr=False)
    _size: int = field(default=0, init=False, repr=False)

    def add(self, direction: Literal["received", "sent"], data: str | bytes) -> None:
        """Remember a frame."""
        self.frames.append(Frame(direction, time.monotonic(), data))
        self._size += len(data)
        while self._size > MAX_LOG:
            self._size -= len(self.frames.popleft().data)
            self.dropped += 1

    @property
    def received(self) -> list[str | bytes]:
        """The messages the client sent, in order."""
        return [frame.data for frame in self.frames if frame.direction == "received"]

    @property
    def sent(self) -> list[str]:
        """The messages this server sent, in order."""
        return [str(frame.data) for frame in self.frames if frame.direction == "sent"]


class Simulator:
    """A Realtime server on 127.0.0.1, for the demo and for tests. Use it as an async context manager.

    `port` 0 takes a free one. `dialect` is "ga" or "beta". `speed` divides every delay (math.inf: none).
    `require_key` is the only API key accepted; None accepts all. `engine` is that of `Speaker`.
    `thinking_s`, `word_s` and `audio_factor` are those of `Pacing`; `lifetime_s` is how long a session may last.
    `narrate` is called with a line for people when a connection opens or ends.

    Raises ValueError for an unknown dialect or a `speed` that is not positive; entering raises OSError for a port
    that cannot be had.
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
        self._server: Server | None = None

    @property
    def endpoint(self) -> str:
        """What a person would set as AZURE_OPENAI_ENDPOINT."""
        return f"http://{HOST}:{self.port}"

    def url(self, model: str = "gpt-realtime") -> str:
        """Return the WebSocket URL for `model` in this server's dialect."""
        query = {"model": model}
        if self.dialect == "beta":
            query = {"api-version": "2025-04-01-preview", "deployment": model}
        return f"ws://{HOST}:{self.port}{PATHS[self.dialect][0]}?{urlencode(query)}"

    async def start(self) -> None:
        """Listen. `port` and `url` are final from here on."""
        self._server = await serve(
            self._serve,
            HOST,
            self.port,
            process_request=self._admit,
            process_response=self._greet,
            server_header=None,
            compression=None,
            max_size=MAX_MESSAGE,
            close_timeout=2,
            logger=_logger,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection with 1001 and stop listening."""
        if self._server is not None:
            self._server.close(code=1001, reason="The simulator is shutting down.")
            await self._server.wait_closed()

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        admitted = admit(request, self.dialect, self._key)
        if isinstance(admitted, Refusal):
            self._narrate(f"refused with HTTP {admitted.status.value} ({admitted.code})")
            return admitted.response()
        return None

    def _greet(self, connection: ServerConnection, request: Request, response: Response) -> Response:
        for name, value in service_headers().items():
            response.headers[name] = value
        return response

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        model = admit(connection.request, self.dialect, self._key)
        assert isinstance(model, str)  # `_admit` has let it in
        log = SessionLog(model)
        self.sessions.append(log)
        del self.sessions[:-MAX_SESSIONS]
        self._narrate(f"session opened for {model!a}")
        try:
            # Nothing outlives its connection; a fault in any task ends it with 1011 instead of leaving it stuck.
            async with asyncio.TaskGroup() as tasks:
                outbox: asyncio.Queue[Event] = asyncio.Queue()
                writer = tasks.create_task(_write(connection, outbox, log))
                session = Session(
                    model,
                    make_dialect(self.dialect),
                    send=outbox.put_nowait,
                    drained=outbox.join,
                    spawn=tasks.create_task,
                    pacing=self._pacing,
                    speaker=self._speaker,
                    lifetime_s=self._lifetime_s,
                )
                try:
                    await self._converse(connection, session, outbox, log)
                finally:
                    session.stop()
                    writer.cancel()
        finally:
            log.close_code = connection.close_code
            self._narrate(f"session ended for {model!a}, close code {log.close_code}")

    async def _converse(
        self, connection: ServerConnection, session: Session, outbox: asyncio.Queue[Event], log: SessionLog
    ) -> None:
        """Read from the client until it goes, or until the session's time is up."""
        try:
            async with asyncio.timeout(self._lifetime_s):
                session.start()
                async for message in connection:
                    log.add("received", message)
                    session.receive(message)
                    if outbox.qsize() > _MAX_WAITING:
                        await outbox.join()
        except TimeoutError:
            session.expire(round(self._lifetime_s / 60))
            await outbox.join()
            await connection.close(1001)
        except ConnectionClosed:
            pass  # the client went away without a closing handshake


async def _write(connection: ServerConnection, outbox: asyncio.Queue[Event], log: SessionLog) -> None:
    """Send what is put into `outbox`. Once the connection is gone, what is left is taken out and dropped."""
    while True:
        event = await outbox.get()
        try:
            text = _encode(event)
            await connection.send(text)
            log.add("sent", text)
        except ConnectionClosed:
            pass  # the reader sees the same and ends the session
        finally:
            outbox.task_done()


def _encode(event: dict[str, Any]) -> str:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, echoed from the client, exists in JSON only as an escape.
        text = json.dumps(event, separators=(",", ":"))
    return text
