"""Every way in which a connection fails or ends, named once: what happened, and what to do about it.

How each one looks on the wire was measured against openai-agents 0.24 and websockets 16.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.exceptions import (
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyMessage,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.frames import CloseCode
from websockets.http11 import Response
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from tui import wire
from tui.conversation import Cause
from tui.endpoint import Target, is_loopback


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


_STATUS_CAUSES: Mapping[int, tuple[str, str]] = {
    400: ("refused the request", "Check that the deployment is a realtime model, not a transcription or chat model."),
    401: (
        "refused the key",
        "Check AZURE_OPENAI_API_KEY: copy KEY 1 of this resource from the Azure portal (Keys and Endpoint).",
    ),
    403: (
        "forbids access",
        "The key is known, but not allowed here: check the resource's network rules, firewall and role assignments.",
    ),
    404: (
        "does not know this deployment or path",
        "Check AZURE_OPENAI_DEPLOYMENT: the deployment's name, not the model's. A new one needs a few minutes.",
    ),
    429: ("has no room for this session now: too many requests, or the quota is used up", "Wait, then press ctrl+r."),
}

_CLOSE_CAUSES: Mapping[int, tuple[str, str]] = {
    1000: ("The server ended the session.", "Press ctrl+r for a new one."),
    1001: ("The server ended the session: it is going away, or the session reached its time limit.", "Press ctrl+r."),
    1006: ("The connection was lost without a goodbye.", "Check the network, then press ctrl+r."),
    1008: ("The server ended the session for breaking a rule of its own.", "The reason it gave says which."),
    1009: ("A message was larger than the server takes.", "Send less at once, then press ctrl+r."),
    1011: ("The server ended the session after an error of its own.", "Press ctrl+r."),
    3000: ("The server ended the session: it no longer accepts the key or token.", "Check the key, then press ctrl+r."),
    4000: ("The server ended the session because of something it was sent.", "The reason it gave says what."),
}
"""What a close code of the other side means."""

_OUR_CLOSE_CAUSES: Mapping[int, tuple[str, str, str]] = {
    1002: ("not-websocket", "The server broke the WebSocket protocol.", "A proxy may be in the way. Press ctrl+r."),
    1009: ("too-big", "The server sent a message over the limit of 32 MiB.", "Press ctrl+r."),
    1011: (
        "silent",
        "The server stopped answering, so the connection was closed.",
        "Check the network, then press ctrl+r.",
    ),
}
"""Why our side ended a connection, by the close code that it sent."""

BETA_FIX = (
    "Set AZURE_OPENAI_ENDPOINT to https://NAME.openai.azure.com and AZURE_OPENAI_DEPLOYMENT to the deployment's name; "
    "azrt-tui makes the GA URL from them."
)


def beta_session(target: Target) -> Cause:
    """The far end answered with a Beta ``session.created``, which the SDK cannot use."""
    return Cause(
        "beta-session",
        "The server speaks the Realtime Beta protocol, which the openai-agents SDK cannot read (it ends in a "
        f"ValidationError on session.created); the URL was {target.url}",
        BETA_FIX
        if target.provider != "openai"
        else "Use the GA URL wss://api.openai.com/v1/realtime?model=gpt-realtime.",
        {"session.type": "missing"},
    )


def no_session_created(seconds: float) -> Cause:
    """The handshake succeeded, and then nothing came."""
    return Cause(
        "no-session-created",
        f"The server accepted the connection, but sent no session.created within {seconds:g} s.",
        "Check that the URL is a Realtime endpoint, then press ctrl+r.",
    )


def from_exception(error: BaseException, target: Target) -> Cause:
    """Why connecting failed."""
    host = target.host
    if isinstance(error, CrossOriginRedirectError):
        return Cause(
            "redirect",
            f"{host} redirects to another server ({wire.text(error.location)}); azrt-tui does not send the key there.",
            "If that server is right, set it as AZURE_OPENAI_ENDPOINT yourself.",
            {"location": wire.text(error.location)},
        )
    if isinstance(error, InvalidStatus):
        return _from_status(error.response, target)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause(
            "tls-certificate",
            f"The certificate of {host} cannot be trusted: {error.verify_message}.",
            "Behind a company proxy, set SSL_CERT_FILE to the company's CA file; else check the host's name.",
        )
    if isinstance(error, ssl.SSLError):
        return Cause(
            "tls",
            f"{host} does not speak TLS on this port ({error.reason or 'handshake failed'}).",
            "Check the host and the port, and whether the URL should begin with ws:// (loopback only).",
        )
    proxy = _proxy(target.url)
    if proxy and isinstance(error, OSError):  # certificates and TLS apart, only the proxy itself was spoken to
        return Cause(
            "proxy",
            f"The proxy {proxy}, through which {host} is to be reached, does not answer.",
            f"Check HTTPS_PROXY, or add {host} to NO_PROXY.",
        )
    if isinstance(error, socket.gaierror):
        return Cause(
            "dns",
            f"No address is known for {host}.",
            "Check the resource's name in AZURE_OPENAI_ENDPOINT, and the network.",
        )
    if isinstance(error, InvalidProxy):  # its own text shows the proxy's URL, which can hold a password
        return Cause("proxy", f"The proxy for {host} cannot be used: {error.msg}.", "Check HTTPS_PROXY.")
    if isinstance(error, ProxyError | InvalidProxyMessage):
        return Cause("proxy", f"The proxy refused the connection to {host}: {_said(error)}.", "Check HTTPS_PROXY.")
    if isinstance(error, ImportError) and "python-socks" in str(error):
        return Cause("proxy", f"The proxy for {host} is a SOCKS proxy.", "pip install python-socks")
    if isinstance(error, ConnectionRefusedError) or _all_refused(error):
        return Cause("refused", f"Nothing listens at {host}.", "Check the host and the port, and that the server runs.")
    if isinstance(error, TimeoutError):
        return Cause("timeout", f"{host} did not answer in time.", "Check the network and the firewall.")
    if isinstance(error, InvalidURI):
        return Cause("url", f"{target.url} is not a WebSocket URL.", "Run: azrt-tui url")
    if isinstance(error, InvalidHandshake):
        return Cause("handshake", f"{host} answered, but not as a WebSocket server: {_said(error)}.", "Check the URL.")
    if isinstance(error, OSError):
        why = error.strerror or _said(error)
        return Cause("network", f"{host} cannot be reached: {why}.", "Check the network, then press ctrl+r.")
    return Cause("unexpected", f"Connecting to {host} failed: {type(error).__name__}.", "The log file has the details.")


def from_ending(ending: Ending) -> Cause:
    """Why an established connection ended."""
    if ending.open or ending.sent == CloseCode.NORMAL_CLOSURE:
        return Cause(
            "sdk",
            "The openai-agents SDK gave the session up, although the connection was fine.",
            "Press ctrl+r. The log file has the details.",
        )
    said = wire.text(ending.reason)
    if ending.sent is not None and ending.sent in _OUR_CLOSE_CAUSES:
        name, sentence, fix = _OUR_CLOSE_CAUSES[ending.sent]
        return Cause(name, sentence, fix, {"close code sent": str(ending.sent), **({"reason": said} if said else {})})
    code = ending.received or 1006
    facts = {"close code": str(code), **({"reason": said} if said else {})}
    if "beta_api_shape_disabled" in ending.reason:
        return Cause("beta-api", "The server no longer speaks the Realtime Beta protocol.", BETA_FIX, facts)
    if "maximum duration" in ending.reason:
        return Cause("expired", "The session reached its time limit.", "Press ctrl+r for a new one.", facts)
    sentence, fix = _CLOSE_CAUSES.get(
        code, (f"The server closed the connection with code {code}.", "Press ctrl+r for a new session.")
    )
    return Cause(f"closed-{code}", f"{sentence} It said: {said}" if said else sentence, fix, facts)


def _from_status(response: Response, target: Target) -> Cause:
    status = response.status_code
    facts = {"status": str(status)}
    for header in ("apim-request-id", "x-request-id", "retry-after", "x-ms-region"):
        value = response.headers.get(header)
        if value:
            facts[header] = wire.text(value)
    code, message = _azure_error(response.body)
    if code == str(status):
        code = ""
    if code:
        facts["code"] = code
    what, fix = _STATUS_CAUSES.get(status, ("", ""))
    if not what:
        what, fix = (
            ("failed", "Press ctrl+r to try again.") if status >= 500 else ("refused", "Check the URL: azrt-tui url")
        )
    if status == 200:
        what, fix = "answered with a web page, not with a WebSocket", "Check the host: it may be a portal or a proxy."
    if status == 401 and target.provider != "azure":
        fix = "Check OPENAI_API_KEY." if target.provider == "openai" else "Check the key that this server expects."
    if status == 401 and "api-version" in target.url:
        fix = "Remove api-version from the URL: the GA protocol does not use it."
    if status == 429 and facts.get("retry-after", "").isdecimal():  # it can be a date too
        fix = f"Wait {facts['retry-after']} s, then press ctrl+r."
    said = f" It said: {message}" if message else ""
    return Cause(
        f"http-{status}", f"{target.host} {what} (HTTP {status}{', ' + code if code else ''}).{said}", fix, facts
    )


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


def _proxy(url: str) -> str:
    """Host and port of the proxy that the environment names for a URL; "" for none, and for one on our loopback."""
    if is_loopback(urlsplit(url).hostname or ""):
        return ""
    try:
        return urlsplit(get_proxy(parse_uri(url)) or "").netloc.rpartition("@")[2]
    except (ValueError, WebSocketException):
        return ""


def _said(error: BaseException) -> str:
    return wire.text(str(error)).rstrip(".") or type(error).__name__


def _all_refused(error: BaseException) -> bool:
    """True when a name has several addresses and each of them refused; asyncio says so in words only."""
    if not isinstance(error, OSError) or error.errno is not None:
        return False
    numbers = re.findall(r"\[Errno (\d+)\]", str(error))
    return bool(numbers) and all(int(number) == errno.ECONNREFUSED for number in numbers)
