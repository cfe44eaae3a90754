"""The log file: what libraries and azrt-tui itself have to say goes there, and never over the screen."""

from __future__ import annotations

import logging
import logging.handlers
import os
import warnings
from pathlib import Path

MAX_BYTES = 1_000_000
"""The log file is begun anew at this size; one older one is kept."""


def log_to_file(path: Path) -> str:
    """Send the root logger and Python's warnings to a file with mode 0600.

    Returns:
        Why there is no log file, "" when there is one. Without one, everything is dropped: the screen is not a log.
    """
    handler: logging.Handler
    trouble = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8")
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
