"""One HTTP request to the service, the way that its session goes: the same proxy, certificates and sign-in."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
from http import HTTPStatus
from typing import Any, Final, cast
from urllib.parse import urlsplit

from tui import __version__
from tui.doctor.case import Case
from tui.doctor.network import secure_connection
from tui.endpoint import is_loopback
from tui.session.tls import trust

MOST_BYTES: Final = 4 * 1024 * 1024
"""Of an answer. A list of 200 models has about 200 KB."""


class NotAsked(Exception):  # noqa: N818 - it is no fault of anybody's
    """There is no answer to go by. The text says why, in a few words."""


async def ask(case: Case, path: str) -> Any:
    """Return what the service answers to ``GET path``, read as JSON. Raises NotAsked.

    The key goes to the host of the session only: over TLS, or unencrypted to this machine. Redirects are not followed.
    """
    parts = urlsplit(case.the_plan.target.url)
    if parts.scheme != "wss" and not is_loopback(parts.hostname or ""):
        raise NotAsked("the connection is not encrypted")
    assert case.secret is not None
    headers = {
        "Host": parts.netloc,
        "User-Agent": f"azrt-tui/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **case.the_plan.target.headers(case.secret.reveal()),
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    answer = _Answer()
    try:
        async with asyncio.timeout(case.limits.models_s):
            transport = await _connect(case, answer)
            try:
                transport.write("\r\n".join(lines).encode("latin-1"))
                await answer.ended.wait()
            finally:
                transport.abort()
    except TimeoutError:
        raise NotAsked(f"no answer within {case.limits.models_s:g} s") from None
    except Exception as error:  # the proxy, TLS, the network: the checks before this one name them
        raise NotAsked(f"no answer: {type(error).__name__}") from None
    return _read(bytes(answer.data))


async def _connect(case: Case, answer: _Answer) -> asyncio.Transport:
    parts = urlsplit(case.the_plan.target.url)
    if parts.scheme == "wss":
        return await secure_connection(case, answer, trust(case.the_plan.ca_file))
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: answer, parts.hostname or "", parts.port or 80
    )
    return transport


def _read(data: bytes) -> Any:
    response = http.client.HTTPResponse(cast(Any, _Recorded(data)))
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError):
        raise NotAsked("the answer is no HTTP") from None
    if response.status != HTTPStatus.OK:
        raise NotAsked(f"HTTP {response.status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotAsked("the answer is no JSON") from None


class _Recorded:
    """The socket that ``HTTPResponse`` reads from: what has come already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


class _Answer(asyncio.Protocol):
    """Keeps what comes, up to ``MOST_BYTES``."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """Keep it."""
        self.data += data
        if len(self.data) > MOST_BYTES:
            self.data.clear()
            self.ended.set()

    def eof_received(self) -> None:
        """The server has said all."""
        self.ended.set()

    def connection_lost(self, error: Exception | None) -> None:
        """So it ends too."""
        self.ended.set()
