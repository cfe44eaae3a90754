"""The checks of the way to the server: proxy, DNS, TCP, TLS. Nothing secret goes over these connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import HTTPProxyConnection, connect_socks_proxy
from websockets.uri import WebSocketURI, parse_uri

from tui import __version__, wire
from tui.doctor.case import Case
from tui.doctor.report import Finding, Outcome, failed, skipped, warning
from tui.endpoint import is_loopback
from tui.failures.table import cause
from tui.session import causes
from tui.session.proxy import parsed_proxy, proxy_for, proxy_variable, shown_proxy
from tui.session.tls import trust


async def check_proxy(case: Case) -> Finding:
    """Which proxy is used, if any, and where it is named."""
    target = case.the_plan.target
    case.proxy = proxy_for(target.url)
    if case.proxy is None:
        return Finding("none")
    try:
        scheme = parsed_proxy(case.proxy).scheme
    except Exception as error:
        return failed(causes.from_exception(error, target))
    source = proxy_variable(case.proxy) or "the system's settings"
    where = shown_proxy(case.proxy)
    return Finding(f"{scheme}://{where}, from {source}", facts={"proxy": where, "from": source})


def _first_hop(case: Case) -> tuple[str, int]:
    """Host and port of what this machine itself connects to: the proxy, or the server."""
    if case.proxy is not None:
        proxy = parsed_proxy(case.proxy)
        return proxy.host, proxy.port
    uri = parse_uri(case.the_plan.target.url)
    return uri.host, uri.port


async def check_dns(case: Case) -> Finding:
    """The addresses of the server, or of the proxy."""
    host, port = _first_hop(case)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(case.limits.connect_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        return failed(causes.from_exception(error, case.the_plan.target))
    addresses = list(dict.fromkeys(str(address[4][0]) for address in found))
    if addresses == [host]:
        return skipped("not needed: an address was given")
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    what = "the proxy: " if case.proxy else ""
    return Finding(f"{what}{addresses[0]}{more}", facts={"host": host, "addresses": ", ".join(addresses)})


async def check_tcp(case: Case) -> Finding:
    """Whether the port answers."""
    host, port = _first_hop(case)
    try:
        async with asyncio.timeout(case.limits.connect_s):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError) as error:
        return failed(causes.from_exception(error, case.the_plan.target))
    peer = writer.get_extra_info("peername") or (host, port)
    writer.transport.abort()
    what = "the proxy " if case.proxy else ""
    return Finding(f"{what}port {port} answers", facts={"address": str(peer[0]), "port": str(port)})


async def check_tls(case: Case) -> Finding:
    """The certificate: whom it is for, who signed it, until when."""
    target = case.the_plan.target
    if urlsplit(target.url).scheme == "ws":
        if is_loopback(urlsplit(target.url).hostname or ""):
            return skipped("not used: the server is on this machine")
        return warning(cause("not-encrypted", line=f"azrt-tui doctor --url wss://{target.host}"))
    try:
        async with asyncio.timeout(case.limits.connect_s):
            tls = await _handshake(case, trust(case.the_plan.ca_file))
    except Exception as error:
        found = causes.from_exception(error, target)
        if not isinstance(error, ssl.SSLCertVerificationError):
            return failed(found)
        facts = await _certificate_that_was_refused(case)
        return Finding(found.sentence, Outcome.FAILED, found, facts={**found.facts, **facts})
    certificate: Mapping[str, Any] = tls.getpeercert() or {}
    facts = {
        "version": tls.version() or "",
        "subject": _name(certificate.get("subject")),
        "issuer": _name(certificate.get("issuer")),
        "valid until": wire.text(certificate.get("notAfter")),
    }
    own = " (AZRT_CA_FILE is trusted too)" if case.the_plan.ca_file else ""
    return Finding(
        f"{facts['version'].replace('v', ' ')}, signed by {facts['issuer'] or 'nobody named'}{own}", facts=facts
    )


async def _handshake(case: Case, context: ssl.SSLContext) -> ssl.SSLObject:
    """Return the TLS connection with the server, through the proxy when there is one. It is closed at once."""
    transport = await secure_connection(case, asyncio.Protocol(), context)
    tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
    transport.abort()
    return tls


async def secure_connection(case: Case, protocol: asyncio.Protocol, context: ssl.SSLContext) -> asyncio.Transport:
    """Return a TLS connection with the server, through the proxy when there is one. Raises whatever went wrong.

    The transport below TLS is ours from the beginning, and is aborted when the handshake fails: when one is cancelled,
    asyncio leaves it open until the other side says goodbye.
    """
    uri = parse_uri(case.the_plan.target.url)
    plain = await _reach(case, uri)
    try:
        plain.set_protocol(protocol)
        loop = asyncio.get_running_loop()
        upgraded = await loop.start_tls(plain, protocol, context, server_hostname=uri.host)
    except BaseException:
        plain.abort()
        raise
    assert upgraded is not None
    return upgraded


async def _reach(case: Case, uri: WebSocketURI) -> asyncio.Transport:
    """Return a connection to the server without TLS of its own, through the proxy when there is one."""
    loop = asyncio.get_running_loop()
    if case.proxy is None:
        transport, _ = await loop.create_connection(asyncio.Protocol, uri.host, uri.port)
        return transport
    proxy = parsed_proxy(case.proxy)
    if proxy.scheme.startswith("socks"):
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=await connect_socks_proxy(proxy, uri))
        return transport
    # Not connect_http_proxy: that leaves the connection open when it is cancelled.
    transport, asking = await loop.create_connection(
        lambda: HTTPProxyConnection(uri, proxy, f"azrt-tui/{__version__}"),
        proxy.host,
        proxy.port,
        ssl=trust(case.the_plan.ca_file) if proxy.scheme == "https" else None,
    )
    try:
        await asking.response
    except BaseException:
        transport.abort()
        raise
    return transport


async def _certificate_that_was_refused(case: Case) -> dict[str, str]:
    """What the certificate says that was not accepted; {} when it cannot be had.

    The one place where a certificate is not verified: it has just been refused, it is only looked at, to name who
    signed it, and nothing is ever sent over this connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        from cryptography import x509

        async with asyncio.timeout(case.limits.connect_s):
            tls = await _handshake(case, context)
        certificate = x509.load_der_x509_certificate(tls.getpeercert(True) or b"")
    except Exception:
        return {}
    names = ""
    with contextlib.suppress(Exception):  # no such extension, or one that is broken
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = ", ".join(str(name.value) for name in extension.value)
    found = {
        "for": wire.text(names or certificate.subject.rfc4514_string()),
        "signed by": wire.text(certificate.issuer.rfc4514_string()),
        "valid until": certificate.not_valid_after_utc.date().isoformat(),
        "today is": time.strftime("%Y-%m-%d", time.gmtime()),
    }
    return {name: value for name, value in found.items() if value}


def _name(parts: object) -> str:
    """The organisation, else the common name, of a name as :meth:`ssl.SSLSocket.getpeercert` gives it."""
    found: dict[str, str] = {}
    for part in parts if isinstance(parts, tuple) else ():
        for key, value in part:
            found.setdefault(key, wire.text(value))
    return found.get("organizationName") or found.get("commonName") or ""
