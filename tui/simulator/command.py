"""`azrt-tui simulator`: the server in the foreground, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import sys

from tui.simulator.server import HOST, Simulator


async def serve_forever(port: int, dialect: str, speed: float) -> None:
    """Serve until SIGINT or SIGTERM. The URL is the first line on stdout; what happens is told on stderr."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopping.set)
        except NotImplementedError:
            pass  # Windows: ctrl+c ends asyncio.run with KeyboardInterrupt instead
    async with Simulator(port, dialect, speed, narrate=_narrate) as simulator:
        sys.stdout.write(f"{simulator.url()}\n")
        sys.stdout.flush()
        _narrate(f"listening on {HOST}, port {simulator.port}; ctrl+c ends it")
        await stopping.wait()
    _narrate("stopped")


def run(port: int = 0, dialect: str = "ga", speed: float = 1.0) -> int:
    """Run the server and return the exit code: 0 after a signal, 1 where it could not start."""
    try:
        asyncio.run(serve_forever(port, dialect, speed))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as problem:
        _narrate(f"cannot start: {problem}")
        return 1
    return 0


def _narrate(line: str) -> None:
    sys.stderr.write(f"simulator: {line}\n")
    sys.stderr.flush()
