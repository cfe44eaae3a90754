"""Certificates of a private authority, made on the fly: good ones, and ones that must not be trusted."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme


class Authority:
    """A certificate authority that only those trust who are given its file."""

    def __init__(self) -> None:
        self._ca = trustme.CA()

    def write(self, folder: Path) -> Path:
        """Write the authority's certificate into a folder and return the file, for SSL_CERT_FILE and the like."""
        file = folder / "private-ca.pem"
        self._ca.cert_pem.write_to_path(str(file))
        return file

    def good(self) -> ssl.SSLContext:
        """A server's context for 127.0.0.1 and localhost."""
        return self._server(self._ca.issue_cert("127.0.0.1", "localhost"))

    def expired(self) -> ssl.SSLContext:
        """A server's context whose certificate ran out a day ago."""
        past = datetime.now(UTC) - timedelta(days=1)
        return self._server(self._ca.issue_cert("127.0.0.1", "localhost", not_after=past))

    def wrong_name(self) -> ssl.SSLContext:
        """A server's context whose certificate is for another host."""
        return self._server(self._ca.issue_cert("other.example"))

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca.configure_trust(context)
        return context

    def _server(self, certificate: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context
