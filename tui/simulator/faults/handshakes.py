"""Answers to the HTTP request that open no session, with the bodies of Azure and of the gateways before it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.server import ServerProtocol

from tui.simulator.faults.kinds import Handshake
from tui.simulator.http import service_headers

RETRY_AFTER_S = 2
"""Seconds that an answer with Retry-After asks to wait."""

_FOLLOWED = "redirected"

Answer = Callable[[Handshake], Awaitable[Response | None]]


def azure(status: HTTPStatus, code: str, message: str, *, retry_after: str | None = None) -> Answer:
    """Return an answer with Azure's error body and headers."""
    error = {"code": code, "message": message}
    headers = {"Retry-After": retry_after} if retry_after else {}
    return _service_json(status, error, headers)


def openai(status: HTTPStatus, kind: str, code: str | None, message: str) -> Answer:
    """Return an answer with OpenAI's error body, which Azure passes on too."""
    return _service_json(status, {"message": message, "type": kind, "param": None, "code": code}, {})


def page(status: HTTPStatus, html: str) -> Answer:
    """Return an answer that does not come from the service: a gateway's or a proxy's web page."""

    async def answer(handshake: Handshake) -> Response:
        return _response(status, html.encode(), {"Content-Type": "text/html", "Server": "nginx"})

    return answer


async def later_by_date(handshake: Handshake) -> Response:
    """HTTP 429 with a date in Retry-After, which is as allowed as a number of seconds."""
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=RETRY_AFTER_S), usegmt=True)
    answer = azure(
        HTTPStatus.TOO_MANY_REQUESTS, "429", f"Rate limit is exceeded. Try again at {then}.", retry_after=then
    )
    found = await answer(handshake)
    assert found is not None
    return found


async def silence(handshake: Handshake) -> None:
    """Never answer."""
    await handshake.connection.wait_closed()


async def hang_up(handshake: Handshake) -> None:
    """End the TCP connection."""
    handshake.connection.transport.abort()
    await handshake.connection.wait_closed()


async def other_protocol(handshake: Handshake) -> None:
    """Answer with the greeting of another protocol, and end."""
    handshake.connection.transport.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    handshake.connection.transport.close()
    await handshake.connection.wait_closed()


async def wrong_accept(handshake: Handshake) -> Response:
    """HTTP 101 whose Sec-WebSocket-Accept does not belong to the request's key: not a server that read it."""
    protocol = handshake.connection.protocol
    assert isinstance(protocol, ServerProtocol)
    response = protocol.accept(handshake.request)
    del response.headers["Sec-WebSocket-Accept"]
    response.headers["Sec-WebSocket-Accept"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
    return response


async def elsewhere(handshake: Handshake) -> Response | None:
    """Redirect to another origin, which is this server under its other name; say whether a key follows."""
    request = handshake.request
    if _FOLLOWED in urlsplit(request.path).query.split("&"):
        sent = [name for name in ("api-key", "Authorization") if name in request.headers]
        handshake.narrate(f"the client followed the redirect and sent {' and '.join(sent) or 'no key'}")
        return None
    host, _, port = request.headers.get("Host", "").partition(":")
    # Without a scheme, the Location suits clients that follow to http:// and those that follow to ws://.
    other = "127.0.0.1" if host == "localhost" else "localhost"
    mark = "&" if "?" in request.path else "?"
    return _redirect(f"//{other}:{port}{request.path}{mark}{_FOLLOWED}")


async def in_circles(handshake: Handshake) -> Response:
    """Redirect to the same address."""
    return _redirect(handshake.request.path)


def _service_json(status: HTTPStatus, error: Mapping[str, object], headers: Mapping[str, str]) -> Answer:
    content = json.dumps({"error": error}).encode()

    async def answer(handshake: Handshake) -> Response:
        return _response(status, content, {"Content-Type": "application/json", **service_headers(), **headers})

    return answer


def _redirect(location: str) -> Response:
    return _response(HTTPStatus.TEMPORARY_REDIRECT, b"", {"Location": location})


def _response(status: HTTPStatus, content: bytes, headers: Mapping[str, str]) -> Response:
    length = {"Content-Length": str(len(content)), "Connection": "close"}
    return Response(status.value, status.phrase, Headers({**headers, **length}), content)
