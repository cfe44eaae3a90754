"""Finds the cause of a connection that failed or ended in the one table: :data:`tui.failures.table.KINDS`.

How each one looks on the wire was measured against openai-agents 0.24 and websockets 16.
"""

from __future__ import annotations

import errno
import math
import re
import shlex
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import CloseCode
from websockets.http11 import Response
from websockets.protocol import Protocol, State

from tui import models, wire
from tui.conversation import Cause
from tui.endpoint import Target
from tui.failures import http as refusal
from tui.failures.error_codes import Sort, sort_of, sort_of_reason
from tui.failures.events import ended, seconds_to_wait
from tui.failures.table import KINDS, NO_REASON_GIVEN, Retry, cause
from tui.session.proxy import has_credentials, proxy_for, proxy_variable, shown_proxy
from tui.session.sign_in import SignInError
from tui.session.tls import CaFileError


class CrossOriginRedirectError(Exception):
    """The server redirects to another origin, where the key must not go; ``location`` is its word."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True)
class Ending:
    """How a connection ended, or that it has not."""

    open: bool = False
    """True when it is still open: the SDK has ended on top of it."""
    received: int | None = None
    """The close code of the other side; None when it sent no close frame."""
    sent: int | None = None
    """The close code that our side sent first, because of something that the other side did or failed to do."""
    reason: str = ""
    """The reason beside the code; it comes from the network."""

    @classmethod
    def of(cls, protocol: Protocol) -> Ending:
        """How the connection of this protocol ended, as far as it has."""
        received, sent = protocol.close_rcvd, protocol.close_sent
        close = received or sent
        return cls(
            open=protocol.state is State.OPEN,
            received=received.code if received else None,
            # A close frame is answered with the same code: only one that we sent first says something.
            sent=sent.code if sent and not protocol.close_rcvd_then_sent else None,
            reason=close.reason if close else "",
        )


SUPPORT_HEADERS: Final = ("apim-request-id", "x-request-id", "x-ms-region")
"""Headers of an answer that a support person asks for."""

_STATUS_KINDS: Final = frozenset({200, 400, 401, 403, 404, 429})
"""HTTP statuses with a row of their own."""

_OTHER_SESSIONS: Final[Mapping[str, tuple[str, str]]] = {
    "transcription": (
        "This is a transcription session: it gives no answers.",
        "Use a URL without intent=transcription, with model= and the name of a realtime model.",
    ),
    "translation": (
        "This is a translation session: it gives no answers.",
        "Use the path /v1/realtime, and a realtime model that does not translate.",
    ),
    "live": (
        "This is a Live session, which speaks a protocol of its own.",
        "Use the path /v1/realtime, with model= and the name of a realtime model.",
    ),
}
"""Types of sessions that are not for talking here: what they are, and what to use."""

_BROAD: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN)
"""Statuses under which gateways say many things."""

_ROWS_BY_ANSWER: Final[Mapping[Sort, str]] = {Sort.KEY: "http-401", Sort.RATE_LIMIT: "http-429", Sort.MODEL: "http-404"}
"""What such an answer comes to by its own words."""

_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "http-400": ("Check the name of the model.", "Check the URL: its path, and the model that it names."),
    "http-401": ("Check OPENAI_API_KEY.", "Check the key that this server expects."),
    "http-403": ("Check what the project of the key may use.", "Check what the key may do there."),
    "http-404": ("Check the name of the model.", "Check the URL: its path, and the model that it names."),
}
"""What to do about a refusal that does not come from Azure: one of OpenAI's, one of any other server's."""

_OTHER_HOST: Final = "Check the host's name in the URL, and the network."

_LONGEST_WAIT_S: Final = 86_400.0
"""A service that asks for more than a day means something else."""

_OUR_CODES: Final[Mapping[int, str]] = {1002: "not-websocket", 1007: "not-utf8", 1009: "too-big"}
"""Why our side ended a connection, by the close code that it sent."""

_UNAUTHORIZED: Final = 3000
"""The close code of that meaning in IANA's registry."""

_SPOKEN_FOR: Final = (_UNAUTHORIZED, 4000)
"""Close codes whose rows hold for one service, or without a reason: others use them for reasons of their own."""

_ROWS_BY_REASON: Final[Mapping[Sort, str]] = {
    Sort.KEY: "session-key",
    Sort.FORBIDDEN: "session-forbidden",
    Sort.QUOTA: "session-quota",
    Sort.RATE_LIMIT: "session-rate-limit",
    Sort.MODEL: "session-model",
    Sort.FILTERED: "session-filtered",
    Sort.IDLE: "session-idle",
    Sort.OVERLOADED: "closed-1013",
    Sort.RESTARTS: "closed-1012",
    Sort.SERVER: "closed-1011",
    Sort.REQUEST: "closed-4000",
}
"""What a known reason comes to, whatever the close code beside it."""

_NEEDS_TLS: Final = re.compile(rb"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS server", re.IGNORECASE)
"""What nginx and Go's servers answer on a port of TLS to a request without it."""

_NO_RESOURCE: Final = "Resource not found"
"""What Azure's gateway says to a path that it does not know; a deployment that does not exist has a code of its own."""

_VERIFY_KINDS: Final[Mapping[int, str]] = {
    9: "tls-not-yet",
    10: "tls-expired",
    18: "tls-untrusted",
    19: "tls-untrusted",
    20: "tls-untrusted",
    21: "tls-untrusted",
    62: "tls-name",
    64: "tls-name",
}
"""Why a certificate was not accepted, by OpenSSL's X509_V_ERR codes (x509_vfy.h)."""


def crash() -> Cause:
    """A fault of our own."""
    return cause("crash")


def beta_session(target: Target) -> Cause:
    """The far end answered with a Beta ``session.created``, which the SDK cannot use."""
    found = cause("beta-session", {"session.type": "missing"}, url=target.url)
    if target.provider == "openai":
        return replace(found, fix=f"Use the GA URL wss://api.openai.com/v1/realtime?model={models.REALTIME}.")
    if target.provider == "compatible":
        return replace(
            found, fix="A newer version of this server may speak GA, perhaps at another path.", line="azrt-tui url"
        )
    return found


OPENINGS: Final = (
    "session.created",
    "session.updated",
    "transcription_session.created",
    "transcription_session.updated",
    "session.started",
)
"""Events by which a server says that there is a session, and which."""


def opened(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the session of an event that opens one, with its type where the event says it instead."""
    session, event_type = event.get("session"), wire.text(event.get("type"))
    session = session if isinstance(session, Mapping) else {}
    if event_type == "session.started":
        return {**session, "type": "live"}
    if event_type.startswith("transcription_session.") or session.get("object") == "realtime.transcription_session":
        return {**session, "type": "transcription"}
    return session


def of_session(session: object, target: Target) -> Cause | None:
    """What is wrong with the session of an opening event: a Beta one is nothing for the SDK, others give no answers.

    A GA session that only lacks its type is one all the same.
    """
    if not isinstance(session, Mapping):
        return None
    kind = session.get("type")
    if isinstance(kind, str) and kind in _OTHER_SESSIONS:
        sentence, fix = _OTHER_SESSIONS[kind]
        return cause("other-session", {"session.type": kind}, sentence=sentence, fix=fix)
    if kind is not None:
        return None
    beta = "modalities" in session or "input_audio_format" in session or "api-version=" in target.url
    return beta_session(target) if beta else None


def no_session_created(seconds: float) -> Cause:
    """The handshake succeeded, and then nothing came."""
    return cause("no-session-created", seconds=f"{seconds:g} s")


def from_exception(error: BaseException, target: Target) -> Cause:
    """Why connecting failed."""
    host = target.host
    if isinstance(error, SignInError):
        return error.cause
    if isinstance(error, CaFileError):
        return cause("ca-file", why=error)
    if isinstance(error, CrossOriginRedirectError):
        location = wire.text(error.location)
        return cause("redirect", {"location": location}, host=host, said=location)
    if isinstance(error, InvalidStatus):
        return _from_status(error.response, target)
    if isinstance(error, ssl.SSLCertVerificationError):
        return cause(
            _VERIFY_KINDS.get(error.verify_code, "tls-certificate"), host=host, why=error.verify_message.rstrip(".")
        )
    if isinstance(error, ssl.SSLError):
        return cause("tls", host=host, why=error.reason or "handshake failed")
    named = proxy_for(target.url) or ""
    proxy, variable = shown_proxy(named), (named and proxy_variable(named)) or "HTTPS_PROXY"
    if proxy and isinstance(error, OSError):  # certificates and TLS apart, only the proxy itself was spoken to
        return cause("proxy", proxy=proxy, host=host, variable=variable)
    if isinstance(error, socket.gaierror):
        found = cause("dns", host=host)
        return found if target.provider == "azure" else replace(found, fix=_OTHER_HOST, line="azrt-tui url")
    if isinstance(error, InvalidProxy):  # its own text shows the proxy's URL, which can hold a password
        return cause("proxy-unusable", host=host, why=error.msg, variable=variable)
    if proxy and type(error) is ValueError:  # of urllib, which quotes what may be a part of the password
        return cause("proxy-unusable", host=host, why="it has no usable port", variable=variable)
    if isinstance(error, InvalidProxyStatus) and error.response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        kind = "proxy-password-refused" if has_credentials(named) else "proxy-password"
        return cause(kind, proxy=proxy, variable=variable)
    if isinstance(error, ProxyError):
        return cause("proxy-refused", host=host, why=_said(error), variable=variable)
    if isinstance(error, ImportError) and "python-socks" in str(error):
        return cause("proxy-socks", host=host)
    if isinstance(error, ConnectionRefusedError) or _all_refused(error):
        return cause("refused", host=host)
    if isinstance(error, TimeoutError):
        return cause("timeout", host=host)
    if isinstance(error, ConnectionError) and target.url.startswith("wss:"):  # what comes after TLS is InvalidMessage
        return cause("tls-cut", host=host)
    if isinstance(error, InvalidURI):
        return cause("url", url=target.url)
    if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
        only = "HTTP/2" if target.url.startswith("wss:") else "HTTP/2 or TLS"
        return cause("handshake-cut", host=host, only=only)
    if isinstance(error, InvalidHandshake):
        return cause("handshake", host=host, why=_said(error))
    if isinstance(error, OSError):
        return cause("network", host=host, why=error.strerror or _said(error))
    return cause("unexpected", host=host, why=type(error).__name__)


def from_ending(ending: Ending, *, expired: bool = False) -> Cause:
    """Why an established connection ended; ``expired`` when the server has said before that the time is up."""
    said = wire.text(ending.reason)
    reason = {"reason": said} if said else {}
    code = ending.received or 1006
    if expired:
        closed = ending.received is not None or ending.sent is None
        return cause("expired", {} if ending.open or not closed else {"close code": str(code), **reason})
    if ending.open or ending.sent == CloseCode.NORMAL_CLOSURE:
        return cause("sdk")
    if ending.sent is not None and ending.sent in _OUR_CODES:
        return cause(_OUR_CODES[ending.sent], {"close code sent": str(ending.sent), **reason})
    facts = {"close code": str(code), **reason}
    sort = sort_of_reason(ending.reason)
    if sort is Sort.EXPIRED or sort is Sort.BETA:
        return cause("expired" if sort is Sort.EXPIRED else "beta-api", facts)
    own = f"closed-{code}"
    row = _ROWS_BY_REASON.get(sort) or (own if own in KINDS else "closed")
    if code == _UNAUTHORIZED and sort is Sort.KEY:
        row = own
    elif code in _SPOKEN_FOR and said and sort is Sort.UNKNOWN:  # the code alone would say what the reason does not
        row = "closed"
    name = row if row.startswith("session-") else own
    wait_s = seconds_to_wait(said)
    found = cause(
        row, facts, name=name, code=code, wait=f"Wait {math.ceil(wait_s)} s." if wait_s else "", wait_s=wait_s
    )
    if not said:
        return found
    fix = "" if found.fix == NO_REASON_GIVEN else found.fix
    return replace(found, sentence=f"{found.sentence} It said: {ended(said)}", fix=fix)


def _from_status(response: Response, target: Target) -> Cause:
    status = response.status_code
    facts = {"status": str(status)}
    for header in (*SUPPORT_HEADERS, "retry-after"):
        value = response.headers.get(header)
        if value:
            facts[header] = wire.text(value)
    code, message = refusal.words(response)
    if code == str(status):
        code = ""
    if code:
        facts["code"] = code
    if status == HTTPStatus.BAD_REQUEST and target.url.startswith("ws:") and _NEEDS_TLS.search(response.body or b""):
        line = f"azrt-tui doctor --url {shlex.quote(f'wss:{target.url[3:]}')}"
        return cause("tls-wanted", facts, host=target.host, line=line)
    name = f"http-{status}"
    kind = name if status in _STATUS_KINDS else "http-5xx" if status >= 500 else "http-4xx"
    sort = sort_of(code, message=message)
    if status == HTTPStatus.PAYMENT_REQUIRED or (sort is Sort.QUOTA and status < 500):
        kind = name = "quota"
    elif status in _BROAD and sort in _ROWS_BY_ANSWER and (status, sort) != (HTTPStatus.BAD_REQUEST, Sort.MODEL):
        kind = _ROWS_BY_ANSWER[sort]
    if status == HTTPStatus.NOT_FOUND and message == _NO_RESOURCE:
        kind = name = "http-404-path"
    if status == HTTPStatus.UNAUTHORIZED and target.provider == "azure":
        if code == "PermissionDenied":
            kind = name = "http-401-role"
        elif target.auth_header == "Authorization":  # which Azure gets for Entra ID only
            kind = name = "http-401-token"
    found = cause(
        kind,
        facts,
        name=name,
        host=target.host,
        http=f"HTTP {status}",
        status=f"HTTP {status}{', ' + code if code else ''}",
        said=f" It said: {ended(message)}" if message else "",
        wait_s=retry_after(response.headers.get("Retry-After")),
    )
    if kind in _ELSEWHERE and target.provider != "azure":
        at_openai, at_others = _ELSEWHERE[kind]
        return replace(found, fix=at_openai if target.provider == "openai" else at_others, line="azrt-tui url")
    if status == HTTPStatus.UNAUTHORIZED and "api-version" in target.url:
        return replace(found, fix="Remove api-version from the URL: the GA protocol does not use it.")
    if found.wait_s and found.retry is not Retry.NEVER:
        return replace(found, fix=f"Wait {math.ceil(found.wait_s)} s.")
    return found


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number of them, or a date. None for anything else."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 8:
        return min(float(value), _LONGEST_WAIT_S)
    try:
        then = parsedate_to_datetime(value)
        seconds = (then - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_S)


def _said(error: BaseException) -> str:
    why = f"{error} ({error.__cause__})" if isinstance(error.__cause__, ValueError) else str(error)
    return wire.text(why).rstrip(".") or type(error).__name__


def _all_refused(error: BaseException) -> bool:
    """True when a name has several addresses and each of them refused; asyncio says so in words only."""
    if not isinstance(error, OSError) or error.errno is not None:
        return False
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    return bool(numbers) and all(int(number) == errno.ECONNREFUSED for number in numbers)
