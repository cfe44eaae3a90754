"""What the program costs while nothing happens."""

from __future__ import annotations

import time

from tests.bench.figures import Figure
from tests.bench.terminal import Meter

_SECONDS = 10.0
_SETTLE_S = 3.0


def idle() -> list[Figure]:
    """Processor time, and bytes to the terminal, over 10 s of a connected session in which nothing happens.

    The real program on its embedded server, whose share of the processor time is in it; it begins 3 s after the
    connection is there, when the rate of events has fallen to zero on the screen.
    """
    with Meter.module("tui", "demo") as terminal:
        terminal.wait_for("● connected")
        terminal.read(_SETTLE_S)
        start, cpu = time.monotonic(), terminal.cpu
        terminal.read(_SECONDS)
        seconds, spent = time.monotonic() - start, terminal.cpu - cpu
        written = terminal.bytes_between(start, start + seconds)
    return [
        Figure("idle.cpu", "connected and idle: processor", spent / seconds * 100, "%", 0.5),
        Figure("idle.bytes", "connected and idle: written", written / seconds, "B/s", 0),
    ]
