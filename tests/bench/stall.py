"""What the session notices when the terminal stops reading."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass

from tests.bench.far_end import FarEnd
from tests.bench.figures import Figure, NotMeasuredError, percentile
from tests.bench.keys import KEY, connect
from tests.bench.terminal import Meter

_RATE = 1000
_SECONDS = 5.0
_RECOVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class _Arrival:
    number: int
    due: float
    """When the server had to send it, in monotonic seconds."""
    lag_ms: float
    """From then until it stood in the event log."""


def stalled_terminal() -> list[Figure]:
    """The lag of the session's loop while the terminal reads nothing for 5 s and 1,000 events/s come in.

    The lag of an event is the time from the moment at which the server has to send it, which its id tells, to the time
    that the event log gave it; both are monotonic times of the same machine. It holds the server's own lateness and
    that of the socket, so the 5 s before the stall are measured in the same way, to compare. Lost are the events whose
    numbers are not in the log when the program has ended.
    """
    with (
        FarEnd() as far_end,
        Meter.module("tests.bench.inside.arrivals", "arrivals.json", "--url", far_end.url, environment=KEY) as terminal,
    ):
        connect(terminal, far_end)
        far_end.stream(_RATE)
        terminal.read(1.0)
        begin = time.monotonic()
        terminal.read(_SECONDS)
        stall = time.monotonic()
        time.sleep(_SECONDS)
        end = time.monotonic()
        terminal.read(_RECOVERY_S)
        far_end.stream(0)
        terminal.read(0.5)
        terminal.press("ctrl+q")
        status = terminal.wait_until_ended()
        path = terminal.home / "arrivals.json"
        if not path.exists():
            raise NotMeasuredError(f"the program ended with {status}:\n{terminal.text}")
        arrivals = [_read(event_id, at_ns) for event_id, at_ns in json.loads(path.read_text())]
    before = [arrival.lag_ms for arrival in arrivals if begin <= arrival.due < stall]
    during = [arrival.lag_ms for arrival in arrivals if stall <= arrival.due < end]
    numbers = {arrival.number for arrival in arrivals}
    lost = max(numbers) + 1 - len(numbers) if numbers else 0
    detail = (
        f"{len(during):,} events; without a stall p99 {percentile(before, 99):.0f} ms, longest {max(before):.0f} ms"
    )
    return [
        Figure("stall.p99", "session's lag, terminal stalled: p99", percentile(during, 99), "ms", None, detail),
        Figure("stall.max", "session's lag, terminal stalled: longest", max(during), "ms", 50),
        Figure("stall.lost", "events lost in a stall", lost, "", 0, f"of {max(numbers) + 1:,}"),
    ]


def _read(event_id: str, at_ns: int) -> _Arrival:
    _, number, due_ns = event_id.split("_")
    return _Arrival(int(number), int(due_ns) / 1e9, (at_ns - int(due_ns)) / 1e6)
