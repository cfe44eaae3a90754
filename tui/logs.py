"""The log file: what libraries and azrt-tui itself have to say goes there, and never over the screen."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import warnings
from pathlib import Path

MAX_BYTES = 1_000_000
"""The log file is begun anew at this size; one older one is kept."""


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file with mode 0600, the new one after a rotation too. Says nothing when the disk is full."""

    def _open(self) -> io.TextIOWrapper:
        fd = os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        return os.fdopen(fd, "a", encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Drop the record: logging would print a traceback over the screen."""


def log_to_file(path: Path) -> str:
    """Send the root logger and Python's warnings to a file with mode 0600.

    Returns:
        Why there is no log file, "" when there is one. Without one, everything is dropped: the screen is not a log.
    """
    handler: logging.Handler
    trouble = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        handler = logging.NullHandler()
        trouble = f"no log file at {path}: {error.strerror}"
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("tui").setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    return trouble
