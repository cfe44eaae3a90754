"""The WebSocket, with a recorder on it: every frame both ways, and how the connection ended.

The SDK opens its connection through one method, which :class:`tui.session.sdk.RecordingModel` overrides to come here.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event
from websockets.typing import Data, DataLike

from tui import __version__
from tui.session.causes import CrossOriginRedirectError
from tui.session.recorder import Recorder

MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
"""A larger message closes the connection with 1009. The service allows 15 MiB in an append; the SDK's limit is 8."""

OPEN_TIMEOUT_S: Final = 10.0
"""From the first packet to the end of the handshake."""

CLOSE_TIMEOUT_S: Final = 1.0
"""How long the server may take to say goodbye. The library's 10 s would make quitting wait."""

_REDIRECTS: Final = frozenset({300, 301, 302, 303, 307, 308})


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

    def process_event(self, event: Event) -> None:
        """See a frame the moment it is parsed."""
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
                return data

    async def send(
        self,
        message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike],
        text: bool | None = None,
    ) -> None:
        """Record a message, then send it."""
        if isinstance(message, str):
            self._recorder.sent(message.encode(errors="surrogatepass"))
        elif isinstance(message, bytes | bytearray | memoryview):
            self._recorder.sent(bytes(message), binary=not text)
        await super().send(message, text)

    @property
    def closed_by_us_for_size(self) -> bool:
        """True when a message over the limit ended the connection."""
        sent = self.protocol.close_sent
        return sent is not None and sent.code == CloseCode.MESSAGE_TOO_BIG

    @property
    def closed_by_us_for_silence(self) -> bool:
        """True when the other side stopped answering pings."""
        sent = self.protocol.close_sent
        return sent is not None and sent.code == CloseCode.INTERNAL_ERROR and "keepalive" in sent.reason


class _Connect(connect):
    """Follows redirects within one origin only: the library strips Authorization for others, but not ``api-key``."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Return the new URI, or the exception to raise."""
        response = getattr(exc, "response", None)
        if response is not None and response.status_code in _REDIRECTS and "Location" in response.headers:
            location = urljoin(self.uri, response.headers["Location"])
            if _origin(location) != _origin(self.uri):
                return CrossOriginRedirectError(f"{urlsplit(location).scheme}://{urlsplit(location).netloc}")
        return super().process_redirect(exc)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = -1
    return scheme, (parts.hostname or "").lower(), port or (443 if scheme == "wss" else 80)


async def open_connection(url: str, headers: Mapping[str, str], recorder: Recorder) -> RecordedConnection:
    """Connect. Raises what :func:`tui.session.causes.from_exception` explains."""
    connection = await _Connect(
        url,
        additional_headers=dict(headers),
        user_agent_header=f"azrt-tui/{__version__}",
        create_connection=functools.partial(RecordedConnection, recorder),  # type: ignore[arg-type]
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=OPEN_TIMEOUT_S,
        close_timeout=CLOSE_TIMEOUT_S,
    )
    assert isinstance(connection, RecordedConnection)
    return connection
