"""The WebSocket, with a recorder on it: every frame both ways, and how the connection ended.

The SDK opens its connection through one method, which :class:`tui.session.sdk.RecordingModel` overrides to come here.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import AsyncIterable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from websockets.asyncio import client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, State
from websockets.typing import Data, DataLike

from tui import __version__
from tui.failures import http as refusal
from tui.session.causes import CrossOriginRedirectError, Ending
from tui.session.plan import Timeouts
from tui.session.proxy import parsed_proxy, proxy_for
from tui.session.recorder import Recorder
from tui.session.tls import trust

MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
"""A larger message closes the connection with 1009. The service allows 15 MiB in an append; the SDK's limit is 8."""

_REDIRECTS: Final = frozenset({300, 301, 302, 303, 307, 308})
_WEBSOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}


class RecordedConnection(ClientConnection):
    """A client connection that records each message as it arrives, before anyone can read it or fail on it.

    Messages that would end the SDK's session (broken JSON, null, binary) are recorded and not handed on.
    """

    def __init__(self, recorder: Recorder, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._recorder = recorder
        self._parts: list[bytes] = []
        self._opcode = Opcode.TEXT
        # One verdict for each complete message that recv() has not returned yet: its index, None to pass it over.
        self._verdicts: deque[int | None] = deque()
        self.reading: int | None = None
        """Index of the entry that recv() returned last."""
        self._heard_at = 0.0
        self.answer = bytearray()
        """The beginning of the HTTP answer, while it is not whole."""

    def data_received(self, data: bytes) -> None:
        """See the bytes before the library makes an answer or frames of them."""
        if self.response is None:
            self.answer += data[: refusal.MOST_READ - len(self.answer)]
        super().data_received(data)

    def process_event(self, event: Event) -> None:
        """See a frame the moment it is parsed."""
        self._heard_at = self.loop.time()
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if event.opcode is not Opcode.CONT:
                self._opcode = event.opcode
            self._parts.append(bytes(event.data))
            if event.fin:
                data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
                self._parts.clear()
                self._verdicts.append(self._recorder.received(data, binary=self._opcode is Opcode.BINARY))
        super().process_event(event)

    async def recv(self, decode: bool | None = None) -> Data:  # type: ignore[override]
        """The next message that the SDK can read, as the bytes it came in."""
        while True:
            data = await super().recv(decode=False)
            self.reading = self._verdicts.popleft()
            if self.reading is not None:
                # The SDK quotes in its log and its errors what it cannot read, and servers echo keys.
                return self._recorder.masked(data)

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        text: bool | None = None,
    ) -> None:
        """Record a message, then send it. Raises TypeError for a message in pieces, which the SDK never sends."""
        if isinstance(message, str):
            index = self._recorder.sent(message.encode())
        elif isinstance(message, bytes | bytearray | memoryview):
            index = self._recorder.sent(bytes(message), binary=not text)
        else:
            raise TypeError("a message in pieces cannot be recorded")
        was_open = self.protocol.state is State.OPEN
        try:
            await super().send(message, text)
        except ConnectionClosed:
            if not was_open:
                self._recorder.not_sent(index)
            raise

    async def close(self, code: int = CloseCode.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say goodbye. A peer that does not even read is cut off in time too, which the library alone does not do."""
        cutting_off = self.loop.call_later(self.close_timeout or 0, self.transport.abort)
        try:
            await super().close(code, reason)
        finally:
            cutting_off.cancel()

    @property
    def silent_since(self) -> float | None:
        """Since when a ping has no answer and nothing else came either, by the loop's clock; None when none is out."""
        pinged = next((sent_at for _, sent_at in self.pending_pings.values()), None)
        return None if pinged is None else max(pinged, self._heard_at)

    @property
    def ending(self) -> Ending:
        """How the connection ended, as far as it has."""
        return Ending.of(self.protocol)


# The library has no other way to be given a password with an @, a / or a : in it.
client.parse_proxy = parsed_proxy  # type: ignore[assignment,attr-defined]  # imported there; called by place


class _Connect(connect):
    """Follows redirects within one origin only: the library strips Authorization for others, but not ``api-key``."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the new URI, or the exception to raise."""
        if not isinstance(exc, InvalidStatus) or exc.response.status_code not in _REDIRECTS:
            return exc
        given = exc.response.headers.get("Location")
        if given is None:
            return exc
        try:
            location = urlsplit(urljoin(self.uri, given))
            same = _origin(location.geturl()) == _origin(self.uri)
        except ValueError:
            return CrossOriginRedirectError(given)
        if not same:
            return CrossOriginRedirectError(f"{location.scheme}://{location.netloc.rpartition('@')[2]}")
        # Servers name themselves with http here.
        scheme = _WEBSOCKET_SCHEMES.get(location.scheme, location.scheme)
        return location._replace(scheme=scheme, fragment="").geturl()


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port. Raises ValueError for a URL without sense."""
    parts = urlsplit(url)
    scheme = _WEBSOCKET_SCHEMES.get(parts.scheme, parts.scheme)
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "wss" else 80)


def connecting(url: str, ca_file: Path | None, **options: Any) -> connect:
    """What connects to a URL when it is awaited: certificates verified, through the proxy, and within one origin.

    ``options`` are those of the library. Raises CaFileError; awaiting it raises what
    :func:`tui.session.causes.from_exception` explains.
    """
    proxy = proxy_for(url)
    if urlsplit(url).scheme == "wss":
        options["ssl"] = trust(ca_file)
    if proxy and proxy.startswith("https:"):
        options["proxy_ssl"] = trust(ca_file)
    return _Connect(url, proxy=proxy, **options)


async def open_connection(
    url: str, headers: Mapping[str, str], recorder: Recorder, timeouts: Timeouts, ca_file: Path | None = None
) -> RecordedConnection:
    """Connect. Raises what :func:`tui.session.causes.from_exception` explains."""
    opening = connecting(
        url,
        ca_file,
        additional_headers=dict(headers),
        user_agent_header=f"azrt-tui/{__version__}",
        create_connection=functools.partial(RecordedConnection, recorder),
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=timeouts.open_s,
        close_timeout=timeouts.close_s,
        ping_interval=timeouts.ping_s,
        ping_timeout=None,  # Watch sees to it, and lets the person wait
    )
    try:
        connection = await opening
    except TimeoutError:
        begun = getattr(opening, "connection", None)  # there is none before TCP, TLS and the proxy are done
        refused = refusal.unfinished(bytes(begun.answer)) if isinstance(begun, RecordedConnection) else None
        if refused is None:
            raise
        raise refused from None
    assert isinstance(connection, RecordedConnection)
    return connection
