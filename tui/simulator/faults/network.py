"""Failures before there is HTTP: an address with nothing behind it, and TLS that fails or must not be trusted."""

from __future__ import annotations

from typing import Final

from tui.simulator.faults.kinds import AddressFault, Fault, TlsFault

UNKNOWN_HOST: Final = "simulator.invalid"
"""A name that no name server knows, now or ever (RFC 6761)."""

_PLAIN_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
    b"Bad Request\n"
)
"""What a web server without TLS says to the beginning of a TLS handshake."""

FAULTS: Final[tuple[Fault, ...]] = (
    AddressFault("dns", f"The URL names {UNKNOWN_HOST}, a host that no name server knows.", UNKNOWN_HOST),
    AddressFault("refused", "Nobody listens on the port: connections are refused."),
    TlsFault("tls-missing", "The URL begins with wss://, and the server speaks plain HTTP.", lambda _: _PLAIN_ANSWER),
    TlsFault("tls-silent", "The TLS handshake is never answered.", lambda _: b""),
    TlsFault("tls-hang-up", "The connection is ended during the TLS handshake.", lambda _: None),
    TlsFault("tls-expired", "The certificate ran out yesterday.", lambda authority: authority.expired()),
    TlsFault("tls-not-yet", "The certificate is valid from tomorrow on.", lambda authority: authority.not_yet()),
    TlsFault("tls-name", "The certificate is for another host.", lambda authority: authority.misnamed()),
    TlsFault(
        "tls-untrusted", "The certificate is signed by another authority.", lambda authority: authority.untrusted()
    ),
    TlsFault("tls-self-signed", "The certificate is signed by itself.", lambda authority: authority.self_signed()),
)
"""In the order in which a connection meets them."""
