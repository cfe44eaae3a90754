"""Answer requests that ask for no WebSocket, which the library only hangs up on.

Probes send HEAD, clients whose base_url leads here send POST, and ``wss:`` is spoken to ports without TLS.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidHeaderValue, InvalidUpgrade, SecurityError
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

LINGER_S: Final = 5.0
"""How long a client may take to read the answer and to hang up."""

MOST_KEPT: Final = 4096
"""Bytes of a request that are looked at for its first line."""

TLS_HELLO: Final = b"\x16\x03"
"""How a handshake of TLS begins."""

_METHODS: Final = frozenset({"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"})


@dataclass(frozen=True, slots=True)
class OddRequest:
    """A request that is no valid one for a WebSocket, and what is answered."""

    sentence: str
    """What was wrong; holds nothing of the request that could be a secret."""
    status: HTTPStatus | None
    """None where an answer could not be read: the client speaks TLS."""
    code: str = "websocket_only"
    headers: tuple[tuple[str, str], ...] = ()
    without_body: bool = False

    def response(self) -> Response:
        """Return the answer, in the form in which the service has its errors."""
        assert self.status is not None
        body = json.dumps({"error": {"code": self.code, "message": self.sentence}}).encode(errors="replace")
        headers = Headers(
            [
                ("Content-Type", "application/json"),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
                *self.headers,
            ]
        )
        return Response(self.status.value, self.status.phrase, headers, b"" if self.without_body else body)


_UPGRADE: Final = (("Upgrade", "websocket"),)


def unread(head: bytes, problem: BaseException | None, program: str) -> OddRequest:
    """Return what is wrong with a request that the library could not read; ``head`` is its beginning."""
    if head[:2] == TLS_HELLO:
        return OddRequest(
            f"A client spoke TLS (wss:) to {program}, which was started without --tls. "
            "Start it with --tls, or give the client a ws: address.",
            None,
        )
    line = re.match(r"([A-Z]{1,20}) (\S+) HTTP/(\d\.\d)\r?\n", head.decode("latin-1"))
    if line is None and not isinstance(problem, SecurityError):
        return OddRequest(
            f"{program} takes WebSockets over HTTP/1.1; this was no HTTP request.", HTTPStatus.BAD_REQUEST
        )
    method, version = (line[1], line[3]) if line is not None else ("GET", "1.1")
    if isinstance(problem, SecurityError):
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return OddRequest(f"{program} takes headers of 8192 bytes at most, and 128 of them.", status)
    if method in ("GET", "HEAD"):
        if version != "1.1":
            sentence = f"{program} takes WebSockets, which need HTTP/1.1; this request has HTTP/{version}."
        elif method == "HEAD":
            sentence = f"{program} takes WebSockets only; a client sent HEAD."
        elif re.search(rb"\r?\n(?:content-length|transfer-encoding)[ \t]*:", head, re.IGNORECASE):
            sentence = f"{program} takes WebSockets only, and a request for one has no body."
        else:
            return OddRequest(f"{program} got a request with a malformed header.", HTTPStatus.BAD_REQUEST)
        return OddRequest(sentence, HTTPStatus.UPGRADE_REQUIRED, headers=_UPGRADE, without_body=method == "HEAD")
    known = method in _METHODS
    return OddRequest(
        f"{program} takes WebSockets only: {method} is not passed on. Send it to the service itself.",
        HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_IMPLEMENTED,
        headers=(("Allow", "GET"),) if known else (),
    )


def refused(request: Request, program: str) -> OddRequest | None:
    """Return what the library would refuse in a request that it could read; None for a valid one."""
    protocol = ServerProtocol()
    protocol.accept(request)
    problem = protocol.handshake_exc
    if problem is None:
        return None
    if isinstance(problem, InvalidUpgrade):
        sentence = f"{program} takes WebSockets only: connect with a Realtime client, not with a browser."
        return OddRequest(sentence, HTTPStatus.UPGRADE_REQUIRED, headers=_UPGRADE)
    name = problem.name if isinstance(problem, InvalidHeader) else ""
    if name == "Sec-WebSocket-Version" and isinstance(problem, InvalidHeaderValue):
        return OddRequest(
            f"A client asked {program} for WebSocket version {_number(problem.value)}; there is 13 only.",
            HTTPStatus.UPGRADE_REQUIRED,
            headers=(*_UPGRADE, ("Sec-WebSocket-Version", "13")),
        )
    return OddRequest(_malformed(problem, name, program), HTTPStatus.BAD_REQUEST, "bad_request")


def _malformed(problem: BaseException, name: str, program: str) -> str:
    if name == "Sec-WebSocket-Protocol":
        why = "subprotocols are separated by commas and have no spaces, slashes or equals signs in them"
        return f"A client asked {program} with a malformed header {name}: {why}."
    if name:
        return f"A client asked {program} with a malformed or missing header {name}."
    return f"A client asked {program} with a malformed request for a WebSocket ({type(problem).__name__})."


def _number(value: str | None) -> str:
    return value if value is not None and re.fullmatch(r"\d{1,3}", value) else "another"


class Answering(ServerConnection):
    """A server connection that answers a request which the library cannot read, before it hangs up."""

    program = "azrt-tui"
    """Who answers."""
    _head = b""
    _answered = False

    def refuse(self, odd: OddRequest) -> None:
        """Take notice of what was answered."""

    def data_received(self, data: bytes) -> None:
        """Keep the beginning of the request."""
        if self.request is None and len(self._head) < MOST_KEPT:
            self._head += data[:MOST_KEPT]
            if self._head[:2] == TLS_HELLO and not self._answered:  # it has no lines, for which the library waits
                self._answered = True
                self.refuse(unread(self._head, None, self.program))
                self.transport.close()
        super().data_received(data)

    def send_data(self) -> None:
        """Answer before the end that the library sends."""
        failed = self.protocol.handshake_exc
        if failed is not None and self.request is None and self._head and not self._answered:
            self._answered = True
            problem = failed.__cause__
            if not isinstance(problem, EOFError):  # a client that left in the midst of its request wants no answer
                odd = unread(self._head, problem, self.program)
                if odd.status is not None:
                    self.transport.write(odd.response().serialize())
                self.refuse(odd)
                self.loop.call_later(LINGER_S, self.transport.abort)
        super().send_data()
