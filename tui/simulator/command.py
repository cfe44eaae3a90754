"""`azrt-tui simulator`: the server in the foreground, until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import Sequence

from tui.simulator.faults import FAULTS
from tui.simulator.server import HOST, Simulator


async def serve_forever(
    port: int, dialect: str, speed: float, faults: Sequence[str] = (), *, tls: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM. The URL is the first line on stdout; what happens is told on stderr."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stopping.set)
        except NotImplementedError:
            pass  # Windows: ctrl+c ends asyncio.run with KeyboardInterrupt instead
    async with Simulator(port, dialect, speed, tls=tls, faults=faults, narrate=_narrate) as simulator:
        sys.stdout.write(f"{simulator.url()}\n")
        sys.stdout.flush()
        absent = simulator.faults.address
        listening = (
            f"listening on {HOST}, port {simulator.port}" if absent is None else f"fault {absent.name}: not listening"
        )
        _narrate(f"{listening}; ctrl+c ends it")
        if simulator.ca_file is not None:
            ca_file = shlex.quote(str(simulator.ca_file))
            _narrate(f"its certificate is signed by the authority in {ca_file}, which is there as long as it runs; try")
            sys.stderr.write(f"AZRT_CA_FILE={ca_file} azrt-tui --url {shlex.quote(simulator.url())}\n")
            sys.stderr.flush()
        await stopping.wait()
    _narrate("stopped")


def run(
    port: int = 0, dialect: str = "ga", speed: float = 1.0, faults: Sequence[str] = (), *, tls: bool = False
) -> int:
    """Run the server and return the exit code: 0 after a signal, 1 where it could not start."""
    try:
        asyncio.run(serve_forever(port, dialect, speed, faults, tls=tls))
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError) as problem:
        _narrate(f"cannot start: {problem}")
        return 1
    return 0


def list_faults() -> int:
    """Print every fault, what its number counts and what happens, a line each; return the exit code."""
    name_width = max(map(len, FAULTS))
    kind_width = max(len(fault.counted) for fault in FAULTS.values())
    for fault in FAULTS.values():
        sys.stdout.write(f"{fault.name:{name_width}}  {fault.counted:{kind_width}}  {fault.what}\n")
    return 0


def _narrate(line: str) -> None:
    sys.stderr.write(f"simulator: {line}\n")
    sys.stderr.flush()
