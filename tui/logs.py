"""The log file: what libraries and azrt-tui itself have to say goes there, and never over the screen."""

from __future__ import annotations

import io
import logging
import logging.handlers
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui import paths
from tui.secrets import hidden

MAX_BYTES = 1_000_000
"""The log file is begun anew at this size; one older one is kept."""


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotating file with mode 0600, the new one after a rotation too. Says nothing when the disk is full."""

    def _open(self) -> io.TextIOWrapper:
        fd = os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        return os.fdopen(fd, "a", encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Drop the record: logging would print a traceback over the screen."""


class _WithoutSecrets(logging.Formatter):
    """Writes ``***`` for what looks like a secret: libraries quote the URLs and the headers that they fail on."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record, with its traceback."""
        return hidden(super().format(record))


def log_to_file(path: Path) -> str:
    """Send the root logger and Python's warnings to a file with mode 0600.

    Returns:
        Why there is no log file, "" when there is one. Without one, everything is dropped: the screen is not a log.
    """
    handler: logging.Handler
    trouble = ""
    try:
        paths.private_dir(path.parent)
        handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        handler = logging.NullHandler()
        trouble = f"no log file at {path}: {error.strerror}"
    handler.setFormatter(_WithoutSecrets("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("tui").setLevel(logging.INFO)
    logging.captureWarnings(True)
    warnings.simplefilter("default")
    return trouble


@contextmanager
def native_stderr_to(path: Path) -> Iterator[None]:
    """Meanwhile, what libraries in C write to file descriptor 2 goes to a file, or nowhere when it cannot be opened.

    ALSA and PortAudio print there when a device hiccups, and the screen is drawn on the same descriptor. So Python's
    ``sys.stderr`` gets a copy of it to go on with, and the number 2 becomes the file. The copy writes UTF-8, whatever
    the locale says: Textual reads keys as UTF-8, and its frames are in no other encoding.
    """
    before, before_original = sys.stderr, sys.__stderr__
    for stream in (before, before_original):
        if stream is not None:
            stream.flush()
    try:
        log = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    except OSError:
        log = os.open(os.devnull, os.O_WRONLY)
    terminal = os.fdopen(os.dup(2), "w", buffering=1, encoding="utf-8", errors="backslashreplace")
    os.dup2(log, 2)
    os.close(log)
    sys.stderr = sys.__stderr__ = terminal  # type: ignore[misc]
    try:
        yield
    finally:
        sys.stderr, sys.__stderr__ = before, before_original  # type: ignore[misc]
        with suppress(OSError):  # the terminal is gone
            terminal.flush()
        os.dup2(terminal.fileno(), 2)
        with suppress(OSError):
            terminal.close()
