"""``azrt-tui doctor``: the checks, written as they are done."""

from __future__ import annotations

import asyncio

from tui import paths
from tui.doctor.case import Case, Limits
from tui.doctor.examination import examine
from tui.doctor.printing import writer
from tui.doctor.report import Report
from tui.doctor.setup import case_of, unreadable
from tui.logs import log_to_file
from tui.session.loop import SessionLoop
from tui.settings import Loaded, SettingsError

HEALTHY, UNHEALTHY, UNUSABLE = 0, 1, 2
"""Exit codes."""

_DEMO_SPEED = 4.0
"""The simulator's answer is long, and nobody reads it here."""


def doctor(
    loaded: Loaded | SettingsError, *, json_output: bool = False, demo: bool = False, limits: Limits | None = None
) -> int:
    """Examine the connection that the settings come to, and write what is found to stdout.

    Args:
        loaded: the settings, or why there are none.
        json_output: one JSON object a line.
        demo: examine the embedded simulator.
        limits: how long to wait, when not as usual.

    Returns:
        0 when healthy, 1 when a check failed, 2 when the settings cannot be used.
    """
    log_to_file(paths.log_file())
    if isinstance(loaded, SettingsError):
        return _run(unreadable(loaded), json_output, limits)
    if not demo:
        return _run(case_of(loaded), json_output, limits)
    from tui.simulator import SimulatorThread

    with SimulatorThread(speed=_DEMO_SPEED) as simulator:
        return _run(case_of(loaded, simulator_url=simulator.url()), json_output, limits)


def _run(case: Case, json_output: bool, limits: Limits | None) -> int:
    case.limits = limits or case.limits
    out = writer(json_output=json_output)

    async def run() -> Report:
        return await examine(case, out.tell, begin=out.begin)

    with asyncio.Runner(loop_factory=SessionLoop) as runner:
        report = runner.run(run())
    out.end(report)
    return HEALTHY if report.healthy else UNUSABLE if report.unusable else UNHEALTHY
