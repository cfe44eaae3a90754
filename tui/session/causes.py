"""Finds the cause of a connection that failed or ended in the one table: :data:`tui.conversation.causes.KINDS`.

How each one looks on the wire was measured against openai-agents 0.24 and websockets 16.
"""

from __future__ import annotations

import errno
import json
import math
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from websockets.exceptions import (
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyMessage,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import CloseCode
from websockets.http11 import Response

from tui import wire
from tui.conversation import Cause
from tui.conversation.causes import KINDS, Retry, cause
from tui.endpoint import Target
from tui.session.proxy import proxy_for, shown_proxy
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


SUPPORT_HEADERS: Final = ("apim-request-id", "x-request-id", "x-ms-region")
"""Headers of an answer that a support person asks for."""

_STATUS_KINDS: Final = frozenset({200, 400, 401, 403, 404, 429})
"""HTTP statuses with a row of their own."""

_OUR_CODES: Final[Mapping[int, str]] = {1002: "not-websocket", 1007: "not-utf8", 1009: "too-big"}
"""Why our side ended a connection, by the close code that it sent."""


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
        return replace(found, fix="Use the GA URL wss://api.openai.com/v1/realtime?model=gpt-realtime.")
    return found


def of_session(session: object, target: Target) -> Cause | None:
    """What is wrong with the session of a session.created: a Beta one is nothing for the SDK.

    A GA session that only lacks its type is one all the same.
    """
    if not isinstance(session, Mapping) or session.get("type") is not None:
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
    proxy = shown_proxy(proxy_for(target.url) or "")
    if proxy and isinstance(error, OSError):  # certificates and TLS apart, only the proxy itself was spoken to
        return cause("proxy", proxy=proxy, host=host)
    if isinstance(error, socket.gaierror):
        return cause("dns", host=host)
    if isinstance(error, InvalidProxy):  # its own text shows the proxy's URL, which can hold a password
        return cause("proxy-unusable", host=host, why=error.msg)
    if isinstance(error, ProxyError | InvalidProxyMessage):
        return cause("proxy-refused", host=host, why=_said(error))
    if isinstance(error, ImportError) and "python-socks" in str(error):
        return cause("proxy-socks", host=host)
    if isinstance(error, ConnectionRefusedError) or _all_refused(error):
        return cause("refused", host=host)
    if isinstance(error, TimeoutError):
        return cause("timeout", host=host)
    if isinstance(error, InvalidURI):
        return cause("url", url=target.url)
    if isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError):
        return cause("handshake-cut", host=host)
    if isinstance(error, InvalidHandshake):
        return cause("handshake", host=host, why=_said(error))
    if isinstance(error, OSError):
        return cause("network", host=host, why=error.strerror or _said(error))
    return cause("unexpected", host=host, why=type(error).__name__)


def from_ending(ending: Ending, *, expired: bool = False) -> Cause:
    """Why an established connection ended; ``expired`` when the server has said before that the time is up."""
    if ending.open or ending.sent == CloseCode.NORMAL_CLOSURE:
        return cause("sdk")
    said = wire.text(ending.reason)
    reason = {"reason": said} if said else {}
    if ending.sent is not None and ending.sent in _OUR_CODES:
        return cause(_OUR_CODES[ending.sent], {"close code sent": str(ending.sent), **reason})
    code = ending.received or 1006
    facts = {"close code": str(code), **reason}
    if "beta_api_shape_disabled" in ending.reason:
        return cause("beta-api", facts)
    if expired or "maximum duration" in ending.reason:
        return cause("expired", facts)
    name = f"closed-{code}"
    found = cause(name if name in KINDS else "closed", facts, name=name, code=code)
    return replace(found, sentence=f"{found.sentence} It said: {said}") if said else found


def _from_status(response: Response, target: Target) -> Cause:
    status = response.status_code
    facts = {"status": str(status)}
    for header in (*SUPPORT_HEADERS, "retry-after"):
        value = response.headers.get(header)
        if value:
            facts[header] = wire.text(value)
    code, message = _azure_error(response.body)
    if code == str(status):
        code = ""
    if code:
        facts["code"] = code
    name = f"http-{status}"
    kind = name if status in _STATUS_KINDS else "http-5xx" if status >= 500 else "http-4xx"
    if code == "insufficient_quota":
        kind = name = "quota"
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
        status=f"HTTP {status}{', ' + code if code else ''}",
        said=f" It said: {message}" if message else "",
        wait_s=retry_after(response.headers.get("Retry-After")),
    )
    if status == 401 and target.provider != "azure":
        return replace(found, fix="Check OPENAI_API_KEY." if target.provider == "openai" else _OTHER_KEY)
    if status == 401 and "api-version" in target.url:
        return replace(found, fix="Remove api-version from the URL: the GA protocol does not use it.")
    if found.wait_s and found.retry is not Retry.NEVER:
        return replace(found, fix=f"Wait {math.ceil(found.wait_s)} s.")
    return found


_OTHER_KEY: Final = "Check the key that this server expects."


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a Retry-After header: a number of them, or a date. None for anything else."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 8:
        return float(value)
    try:
        then = parsedate_to_datetime(value)
        seconds = (then - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without a time zone
        return None
    return min(max(0.0, seconds), _LONGEST_WAIT_S)


_LONGEST_WAIT_S: Final = 86_400.0


def _azure_error(body: bytes | bytearray | None) -> tuple[str, str]:
    """Code and message of ``{"error": {"code", "message"}}`` or ``{"statusCode", "message"}``; "" where absent."""
    try:
        value = json.loads(body or b"")
    except (ValueError, RecursionError):
        return "", ""
    error = value.get("error", value) if isinstance(value, dict) else None
    if not isinstance(error, dict):
        return "", wire.text(error) if isinstance(error, str) else ""
    return wire.text(error.get("code") or error.get("type"), 60), wire.text(error.get("message"))


def _said(error: BaseException) -> str:
    return wire.text(str(error)).rstrip(".") or type(error).__name__


def _all_refused(error: BaseException) -> bool:
    """True when a name has several addresses and each of them refused; asyncio says so in words only."""
    if not isinstance(error, OSError) or error.errno is not None:
        return False
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    return bool(numbers) and all(int(number) == errno.ECONNREFUSED for number in numbers)
