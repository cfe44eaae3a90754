"""Whom to trust: the system's certificates, and a file of the person's own. Nothing turns verification off."""

from __future__ import annotations

import ssl
from pathlib import Path

from tui import paths


class CaFileError(Exception):
    """The person's file of certificates cannot be used. The text says why."""


def trust(ca_file: Path | None) -> ssl.SSLContext:
    """The context of every TLS connection. ``ca_file`` (PEM) adds to the system's certificates. Raises CaFileError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        where = paths.for_display(ca_file)
        try:
            context.load_verify_locations(cafile=ca_file)
        except ssl.SSLError:
            raise CaFileError(f"{where} holds no certificates in the PEM form") from None
        except OSError as error:
            raise CaFileError(f"{where} cannot be read: {error.strerror or error}") from None
    return context
