"""Certificates for wss:// on loopback, made when a server starts: good ones, and ones that nobody must trust.

`azrt-tui simulator --tls` and `azrt-tui watch --tls` use them.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES = ("127.0.0.1", "localhost")
"""What a good certificate is for."""

OTHER_NAME = "other-server.example"
"""What a certificate with the wrong name is for."""

_LIFETIME_DAYS = 60
"""Of an authority: half of it has passed when it is made, so that a certificate can have expired within it."""


class Authority:
    """A certificate authority that only those trust who are given `pem`. Its key never leaves the memory."""

    def __init__(self, name: str) -> None:
        self._name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        half = timedelta(days=_LIFETIME_DAYS / 2)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(self._name, self._key, datetime.now(UTC) - half, datetime.now(UTC) + half)
            .issuer_name(self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.pem = certificate.public_bytes(serialization.Encoding.PEM)

    def good(self, *also: str) -> ssl.SSLContext:
        """A certificate that whoever trusts this authority accepts, for `NAMES` and these hosts."""
        return self._issue(tuple(dict.fromkeys((*NAMES, *also))))

    def expired(self) -> ssl.SSLContext:
        """A certificate that ran out yesterday."""
        return self._issue(NAMES, first_day=-20, last_day=-1)

    def not_yet(self) -> ssl.SSLContext:
        """A certificate that is valid from tomorrow on."""
        return self._issue(NAMES, first_day=1, last_day=20)

    def misnamed(self) -> ssl.SSLContext:
        """A certificate for `OTHER_NAME`."""
        return self._issue((OTHER_NAME,))

    def untrusted(self) -> ssl.SSLContext:
        """A certificate of another authority."""
        return Authority("nobody you know").good()

    def self_signed(self) -> ssl.SSLContext:
        """A certificate that no authority has signed."""
        return self._issue(NAMES, by_itself=True)

    def write(self, file: Path | None = None) -> Path:
        """Write `pem` into this file, or a new one among the temporary ones. The caller removes it. Raises OSError."""
        if file is None:
            with tempfile.NamedTemporaryFile(prefix="azrt-ca-", suffix=".pem", delete=False) as new:
                file = Path(new.name)
        file.write_bytes(self.pem)
        return file

    def _issue(
        self, names: Sequence[str], *, first_day: int = -1, last_day: int = 20, by_itself: bool = False
    ) -> ssl.SSLContext:
        """A server's context whose certificate is for `names`, valid over these days, counted from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        signer = key if by_itself else self._key
        now = datetime.now(UTC)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        certificate = (
            _builder(subject, key, now + timedelta(days=first_day), now + timedelta(days=last_day))
            .issuer_name(subject if by_itself else self._name)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(signer, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(prefix="azrt-ca-") as folder:  # ssl takes a key from a file only
            file = Path(folder, "server.pem")
            file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(file)
        return context


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _general_name(name: str) -> x509.GeneralName:
    with suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
