"""What the relay asks of the service in a client's place, and what it answers the client. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qs, quote, unquote_plus, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tui.endpoint import REALTIME, UNKNOWN, Kind, Target, is_loopback, kind_of

Credentials = Literal["auto", "client", "settings"]
"""Whose key goes to the service: the client's where it sends one and else the settings', or only one of them."""

KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."
"""Browsers cannot set headers; OpenAI takes the key as a subprotocol from them."""

_KEY_PARAMETERS: Final = frozenset({"api-key", "api_key", "key", "access_token"})
"""Parameters of the query that hold a key: Azure takes it there from browsers."""

_KEY_HEADERS: Final = frozenset({"authorization", "api-key"})

_NOT_FORWARDED: Final = frozenset(
    {
        *("host", "connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length"),
        *("proxy-authenticate", "proxy-authorization", "proxy-connection", "accept-encoding", "content-encoding"),
    }
)
"""Headers that belong to one connection, and those by which the body of an answer would be packed."""

_HANDSHAKE: Final = "sec-websocket-"

_SHORT_PATHS: Final = frozenset({"", "/", "/realtime", "/v1/realtime"})
"""Paths of a client that names no service's own; the target's stands in for them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for, ready to be asked of the service."""

    url: str
    shown_url: str
    """The same without any key."""
    model: str
    """The deployment or model that it names; "" for none."""
    kind: Kind
    """What it asks for."""
    client: str
    """How it names itself."""
    headers: tuple[tuple[str, str], ...]
    """To send as they are, in their order; without any key when ``needs_key``."""
    subprotocols: tuple[Subprotocol, ...]
    needs_key: bool
    """Whether the key of the settings is to be added."""

    @property
    def name(self) -> str:
        """The session's name for the user: its kind, where that is worth a word, and its model."""
        return " ".join(part for part in (self.kind.remark, self.model) if part)


def translate(request: Request, target: Target, credentials: Credentials) -> Asked:
    """What a client's request becomes at ``target``.

    The path and the query stay as they are, except that the target's path stands in for one that is no service's own
    (``/``, ``/realtime``, and OpenAI's ``/v1/realtime``), and its query or its model for none: see ``_completed``.
    """
    given, at = urlsplit(request.path), urlsplit(target.url)
    path = at.path if given.path.rstrip("/") in _SHORT_PATHS else given.path
    query = _completed(path, given.query, target)
    pieces = [piece for piece in query.split("&") if piece]
    public = [piece for piece in pieces if unquote_plus(piece.partition("=")[0]).lower() not in _KEY_PARAMETERS]
    offered = _offered(request.headers)
    forwarded = [
        (name, value)
        for name, value in request.headers.raw_items()
        if name.lower() not in _NOT_FORWARDED and not name.lower().startswith(_HANDSHAKE)
    ]
    has_key = (
        len(public) < len(pieces)
        or any(name.lower() in _KEY_HEADERS for name, _ in forwarded)
        or any(name.startswith(KEY_SUBPROTOCOL) for name in offered)
    )
    needs_key = credentials == "settings" or (credentials == "auto" and not has_key)
    if needs_key:
        forwarded = [(name, value) for name, value in forwarded if name.lower() not in _KEY_HEADERS]
        offered = [name for name in offered if not name.startswith(KEY_SUBPROTOCOL)]
        pieces = public
    named = parse_qs("&".join(public))
    shown_url = at._replace(path=path, query="&".join(public)).geturl()
    return Asked(
        url=at._replace(path=path, query="&".join(pieces)).geturl(),
        shown_url=shown_url,
        model=next(iter(named.get("model") or named.get("deployment") or []), ""),
        kind=kind_of(path, query, host=at.hostname or ""),
        client=request.headers.get("User-Agent", ""),
        headers=tuple(forwarded),
        subprotocols=tuple(offered),
        needs_key=needs_key,
    )


def _completed(path: str, query: str, target: Target) -> str:
    """Return the client's query with what only the target's names.

    Without any query, the target's stands in at its own path and at others of its kind. A query of the client's stays
    as it is, but that Realtime gets a model, without which no service takes it. Other kinds name none, or another one.
    """
    at = urlsplit(target.url)
    kind = kind_of(path, query, host=at.hostname or "")
    if not query:
        alike = kind is target.kind and kind is not UNKNOWN
        return at.query if alike or path.rstrip("/") == at.path.rstrip("/") else ""
    named = {unquote_plus(piece.partition("=")[0]).lower() for piece in query.split("&")}
    if kind is REALTIME and target.kind is REALTIME and target.model and not named & {"model", "deployment"}:
        return f"{query}&model={quote(target.model, safe='')}"
    return query


def with_added(headers: Iterable[tuple[str, str]], added: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the headers of a handshake with those that the user adds, in place of others of the same name."""
    taken = {name.lower() for name in added}
    return [(name, value) for name, value in headers if name.lower() not in taken] + list(added.items())


def is_websocket(request: Request) -> bool:
    """Whether this asks for a WebSocket, and not for a page."""
    return "websocket" in request.headers.get("Upgrade", "").lower()


def foreign_origin(request: Request, allowed: Iterable[str]) -> str:
    """The origin of a web page that may not use this relay, "" when there is none.

    Any page in a browser can open a WebSocket to this machine, and would talk to the service with the person's key.
    """
    origin = request.headers.get("Origin", "")
    if not origin or origin in allowed:
        return ""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return origin
    return "" if is_loopback(host) else origin


def passed_on(headers: Headers) -> list[tuple[str, str]]:
    """Of the headers of an answer, those that tell a client something: request ids, limits, how long to wait."""
    return [
        (name, value)
        for name, value in headers.raw_items()
        if name.lower() not in _NOT_FORWARDED and not name.lower().startswith(_HANDSHAKE)
    ]


def refusal(answer: Response, body: bytes) -> Response:
    """The service's refusal for the client, with this body."""
    headers = Headers([*passed_on(answer.headers), ("Content-Length", str(len(body))), ("Connection", "close")])
    return Response(answer.status_code, answer.reason_phrase or "", headers, body)


def failure(status: HTTPStatus, code: str, message: str) -> Response:
    """A refusal of the relay's own, in the form in which the service has its errors."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode(errors="replace")
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(status.value, status.phrase, headers, body)


def _offered(headers: Headers) -> list[Subprotocol]:
    """The subprotocols that a client offers; none where it does not write them as a list of tokens."""
    try:
        return [name for value in headers.get_all("Sec-WebSocket-Protocol") for name in parse_subprotocol(value)]
    except InvalidHeader:
        return []  # the library refuses the request in a moment
