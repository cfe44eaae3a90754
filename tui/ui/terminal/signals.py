"""SIGTERM and SIGHUP end the program as a quit does; a terminal that stands still cannot hold it up for long."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

TIMEOUT_S = 3.0
"""How long the end of the program may take after a signal."""

HUNG_UP = 128 + signal.SIGHUP
"""The exit code of a program whose terminal is gone."""


def end_on_signals(app: App[int]) -> None:
    """Watch for both signals from now on. In a thread that cannot, do nothing. Call it in the app's event loop."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, end, app, 128 + number)


def end(app: App[int], code: int) -> None:
    """End the program with this code, and within :data:`TIMEOUT_S`."""
    app.exit(code)
    # Textual does not end before the terminal has read everything; one that stands still never does.
    last_resort = threading.Timer(TIMEOUT_S, os._exit, (code,))
    last_resort.daemon = True
    last_resort.start()
