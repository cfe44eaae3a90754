"""What the relay asks of the service in a client's place, and what it answers the client. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qs, quote, unquote_plus, urlsplit

from websockets.datastructures import Headers
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tui.endpoint import REALTIME, UNKNOWN, Kind, Target, is_loopback, kind_of, shown
from tui.secrets import Mask, hidden, names_secret
from tui.watch.credentials import (
    Masking,
    in_query,
    in_subprotocols,
    path_without_secrets,
    presented,
    secret_header,
    without_secrets,
)

Credentials = Literal["auto", "client", "settings"]
"""Whose key goes to the service: the client's where it sends one and else the settings', or only one of them."""

_NOT_FORWARDED: Final = frozenset(
    {
        *("host", "connection", "upgrade", "keep-alive", "te", "trailer", "transfer-encoding", "content-length"),
        *("proxy-authenticate", "proxy-connection", "accept-encoding", "content-encoding"),
    }
)
"""Headers that belong to one connection, and those by which the body of an answer would be packed."""

_HANDSHAKE: Final = "sec-websocket-"

_SHORT_PATHS: Final = frozenset({"", "/", "/realtime", "/v1/realtime"})
"""Paths of a client that names no service's own; the target's stands in for them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for, ready to be asked of the service."""

    url: str = field(repr=False)
    shown_url: str
    """The same without any secret."""
    model: str
    """The deployment or model that it names; "" for none."""
    kind: Kind
    """What it asks for."""
    client: str
    """How it names itself."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """To send as they are, in their order; without any key when ``needs_key``."""
    subprotocols: tuple[Subprotocol, ...] = field(repr=False)
    needs_key: bool
    """Whether the key of the settings is to be added."""
    presented: tuple[str, ...] = field(default=(), repr=False)
    """What the client signs in with, in every spelling, to be masked in what is shown and kept."""

    @property
    def name(self) -> str:
        """The session's name for the user: its kind, where that is worth a word, and its model."""
        return " ".join(part for part in (self.kind.remark, self.model) if part)


def translate(request: Request, target: Target, credentials: Credentials) -> Asked:
    """What a client's request becomes at ``target``.

    The path and the query stay as they are, except that the target's path stands in for one that is no service's own
    (``/``, ``/realtime``, and OpenAI's ``/v1/realtime``), and its query or its model for none: see ``_completed``.
    Slashes in a row become one: a base_url often ends in one. Raises InvalidHeader for subprotocols that are no list of
    tokens.
    """
    given_path, given_query = _path_and_query(request.path)
    at = urlsplit(target.url)
    path = at.path if given_path.rstrip("/") in _SHORT_PATHS else given_path
    query = _completed(path, given_query, target)
    public = without_secrets(query)
    offered = _offered(request.headers)
    forwarded = [
        (name, value)
        for name, value in request.headers.raw_items()
        if name.lower() not in _NOT_FORWARDED and not name.lower().startswith(_HANDSHAKE)
    ]
    of_protocols = in_subprotocols(offered)
    # A browser sends the cookies of this machine by itself: they are no sign that the page has a key.
    by_itself = {"cookie"} if "Origin" in request.headers else set()
    has_key = (
        any(in_query(query))
        or any(secret_header(name, value) and name.lower() not in by_itself for name, value in forwarded)
        or bool(of_protocols)
    )
    needs_key = credentials == "settings" or (credentials == "auto" and not has_key)
    presented_ = presented(path, query, forwarded, offered)
    if needs_key:
        forwarded = [
            (name, value)
            for name, value in forwarded
            if name.lower() in by_itself or not (names_secret(name) or secret_header(name, value))
        ]
        offered = [name for name in offered if name not in of_protocols]
        query = public
    mask = Mask(presented_)
    named = parse_qs(public)
    return Asked(
        url=at._replace(path=path, query=query).geturl(),
        shown_url=mask.masked(at._replace(path=path_without_secrets(path), query=public).geturl()),
        model=mask.masked(next(iter(named.get("model") or named.get("deployment") or []), "")),
        kind=kind_of(path, query, host=at.hostname or ""),
        client=mask.masked(hidden(", ".join(request.headers.get_all("User-Agent")))),
        headers=tuple(forwarded),
        subprotocols=tuple(offered),
        needs_key=needs_key,
        presented=tuple(presented_),
    )


def _path_and_query(target: str) -> tuple[str, str]:
    """Return path and query of a request, without a fragment. ``//openai/realtime`` names no host."""
    if not target.startswith("/"):  # the absolute form, which proxies get
        parts = urlsplit(target)
        target = f"{parts.path}?{parts.query}"
    path, _, query = target.partition("#")[0].partition("?")
    return re.sub("/{2,}", "/", path), query


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


def foreign_origin(request: Request, allowed: Iterable[str]) -> str:
    """The origin of a web page that may not use this relay, "" when there is none.

    Any page in a browser can open a WebSocket to this machine, and would talk to the service with the person's key.
    """
    origin = ", ".join(request.headers.get_all("Origin"))
    if not origin or origin.rstrip("/").lower() in {each.rstrip("/").lower() for each in allowed}:
        return ""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return origin
    return "" if is_loopback(host) else origin


def origin_refusal(origin: str) -> str:
    """Return the sentence for a page of this origin, with the line to type where that would let it in."""
    name = shown(origin)
    if name != origin or re.search(r"\s", origin):
        return f"azrt-tui watch takes no web pages of {name}."
    return (
        f"azrt-tui watch takes no web pages of {name}, because any could talk with your key. "
        f"To let this one in, start it with: --allow-origin {shlex.quote(name)}"
    )


def passed_on(headers: Headers, masked: Callable[[str], str]) -> list[tuple[str, str]]:
    """Of the headers of an answer, those that tell a client something: request ids, limits, how long to wait."""
    return [
        (name, masked(value))
        for name, value in headers.raw_items()
        if name.lower() not in _NOT_FORWARDED and not name.lower().startswith(_HANDSHAKE)
    ]


def refusal(answer: Response, masking: Masking) -> Response:
    """Return the service's refusal for the client, without the key that ``masking`` knows."""
    body = masking.masked(bytes(answer.body or b""))
    headers = Headers(
        [*passed_on(answer.headers, masking.masked), ("Content-Length", str(len(body))), ("Connection", "close")]
    )
    return Response(answer.status_code, masking.masked(answer.reason_phrase or ""), headers, body)


def masked_answer(answer: Response, masking: Masking) -> Response:
    """Return the service's answer as it may be shown, masked before anything cuts it."""
    headers = Headers([(name, masking.masked(value)) for name, value in answer.headers.raw_items()])
    body = answer.body if "Content-Encoding" in headers else masking.masked(bytes(answer.body or b""))
    return Response(answer.status_code, masking.masked(answer.reason_phrase or ""), headers, body)


def failure(status: HTTPStatus, code: str, message: str) -> Response:
    """A refusal of the relay's own, in the form in which the service has its errors."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode(errors="replace")
    headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
    return Response(status.value, status.phrase, headers, body)


def _offered(headers: Headers) -> list[Subprotocol]:
    """The subprotocols that a client offers. Raises InvalidHeader where they are no list of tokens."""
    return [name for value in headers.get_all("Sec-WebSocket-Protocol") for name in parse_subprotocol(value)]
