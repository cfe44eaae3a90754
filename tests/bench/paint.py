"""What a frame of the event pane costs: processor time of the program, and bytes to the terminal."""

from __future__ import annotations

import json

from tests.bench.figures import Figure, NotMeasuredError
from tests.bench.inside.painting import FRAMES
from tests.bench.terminal import Meter

_TITLES = {
    "unfolded": "33 new rows",
    "folded": "33 deltas, all in two rows",
    "spoken": "33 events of a spoken turn",
}
_BYTES_TARGETS = {"unfolded": 5.5, "folded": 0.4}


def frame_beside() -> list[Figure]:
    """A painted frame of the event pane while it follows, beside the conversation, in a terminal of 120 x 40.

    The real main screen and driver in a pseudo-terminal, 30 times a second 33 events to the log and to
    ``update_rows``. Processor time is the process's, without the appends and without what the same loop takes when it
    paints nothing; bytes are what is read from the terminal. Averages of 60 frames after 20 that warm up. The other
    figures of a frame are made in the same way.
    """
    return _frame("beside", "pane beside")


def frame_zoomed() -> list[Figure]:
    """The same as :func:`frame_beside` with the event pane filling the screen."""
    return _frame("zoomed", "pane zoomed")


def _frame(name: str, title: str) -> list[Figure]:
    with Meter.module("tests.bench.inside.painting", "report.json", name) as terminal:
        status = terminal.wait_until_ended()
        path = terminal.home / "report.json"
        if not path.exists():
            raise NotMeasuredError(f"the painting process ended with {status}:\n{terminal.text}")
        report = json.loads(path.read_text())
    phases = {phase["name"]: phase for phase in report["phases"]}
    idle = phases.pop("idle")["cpu"]
    figures = []
    for phase, what in _TITLES.items():
        measured = phases[phase]
        size = terminal.bytes_between(measured["start"], measured["end"]) / FRAMES
        if not size:
            raise NotMeasuredError(f"nothing was painted for {phase}")
        cpu_ms = (measured["cpu"] - idle) / FRAMES * 1000
        detail = f"{report['columns']} x {report['rows']} cells"
        target = 2.0 if phase != "spoken" else None
        figures += [
            Figure(f"frame-{name}.{phase}.cpu", f"frame, {title}, {what}: processor", cpu_ms, "ms", target, detail),
            Figure(
                f"frame-{name}.{phase}.bytes",
                f"frame, {title}, {what}: written",
                size / 1000,
                "kB",
                _BYTES_TARGETS.get(phase),
            ),
        ]
    return figures
