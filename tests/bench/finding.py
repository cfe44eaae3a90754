"""What it costs to find something, and to type while a flood of events is shown; and what other tools take for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure, NotMeasuredError, number, percentile
from tests.bench.keys import latencies_of, press_letters, prompt_row
from tests.bench.terminal import REPOSITORY, Meter

_MANY = 1_000_000
_FEW = 20_000
_PRESSES = 100
_WARM_UP_S = 2.0
_TARGETS_MS = {"type": 5.0, "not-type": 5.0, "rare": 300.0, "text": 300.0, "common": 300.0, "accent": 300.0}
_SLICE_TARGET_MS = 10.0
_JQ_LINES = 100_000


def finding() -> list[Figure]:
    """A filter on a log of 1,000,000 events of typed turns, in slices of 5 ms, beside grep and jq on the same events.

    Processor time of a process of its own, without the filling of the log: one of a session, all but 1 MiB of which is
    in a file, then one that is read from a capture, then one in which every event is a row. A slice is what holds up
    the screen; frames are looked through between them, and ``cold`` when no page of the capture is in memory. The
    memory is that of the index and of a filter that matches everything, by ``tracemalloc``. grep counts the lines of a
    file with a frame in each; jq selects by type in the first 100,000 of them, and its time is multiplied.
    """
    with tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder:
        path = Path(folder) / "events.jsonl"
        figures = _found("session", "", path)
        figures += _others(path)
        figures += _found("capture", " of a capture", path)
        figures += _found("rows", " in as many rows", path)
    return figures


def _found(what: str, where: str, path: Path) -> list[Figure]:
    report = _inside("finding", what, str(_MANY), str(path))
    prefix = "find" if what == "session" else f"find-{what}"
    figures = []
    for name, measured in report["filters"].items():
        detail = f"{measured['hits']:,.0f} of {report['rows']:,} rows, first after {measured['first'] * 1000:.1f} ms"
        title = f"find by {name} in {_MANY:,} events{where}"
        spent, longest = measured["cpu"] * 1000, measured["longest"] * 1000
        figures += [
            Figure(f"{prefix}-{name}.cpu", title, spent, "ms", _TARGETS_MS.get(name), detail),
            Figure(f"{prefix}-{name}.slice", f"{title}: longest slice", longest, "ms", _SLICE_TARGET_MS),
        ]
    title = f"index and a filter that matches everything, an event{where}"
    return [*figures, Figure(f"{prefix}-memory", title, report["allocated"] / _MANY, "B", 40.0)]


def appending_elsewhere() -> list[Figure]:
    """The same events in Textual's own RichLog and DataTable: processor time and resident memory an event.

    20,000 events of typed turns in batches of 33, each shown as type, summary and size, headless at 120 x 40.
    """
    figures = []
    for what, name in (("richlog", "RichLog"), ("datatable", "DataTable")):
        measured = _inside("appending", what, str(_FEW))
        title = f"{name} fed {_FEW:,} events"
        figures += [
            Figure(f"append-{what}.cpu", f"{title}: processor time, an event", measured["cpu"] * 1e6, "µs"),
            Figure(f"append-{what}.memory", f"{title}: memory, an event", measured["bytes"], "B"),
        ]
    return figures


def keys_in_a_flood() -> list[Figure]:
    """From a key press to its character on the screen at 5,000 events/s of spoken turns, without a session.

    Another thread fills the log, the main screen gets 30 batches a second in a terminal of 120 x 40. The same with a
    filter and a search, and beside Textual's widgets fed the same events at 1,000/s, DataTable at 200/s.
    """
    figures = []
    for what, rate, targets in (
        ("pane", 5_000, (20.0, 40.0)),
        ("filtered", 5_000, (20.0, 40.0)),
        ("richlog", 1_000, (None, None)),
        ("datatable", 200, (None, None)),
    ):
        figures += _flood(what, rate, targets)
    return figures


def keys_in_a_flood_on_a_slow_line() -> list[Figure]:
    """The same as :func:`keys_in_a_flood` over a line of 16 kB/s, at 1,000 events/s, ten batches a second as over SSH.

    First the events are one endless answer, all of it in two rows; then turns that make hundreds of rows a second,
    ten times what such a line can carry.
    """
    folded = (
        figure for what in ("pane", "filtered") for figure in _flood(what, 1_000, (None, 250.0), 16_000, "folded")
    )
    return [*folded, *_flood("pane", 1_000, (None, 250.0), 16_000)]


def _flood(
    what: str,
    rate: int,
    targets: tuple[float | None, float | None],
    bytes_per_s: float | None = None,
    stream: str = "spoken",
) -> list[Figure]:
    per_s = "10" if bytes_per_s else "30"
    arguments = ("tests.bench.inside.flood", what, stream, str(rate), per_s)
    with Meter.module(*arguments, bytes_per_s=bytes_per_s) as terminal:
        terminal.wait_for("Type a message")
        row = prompt_row(terminal)
        terminal.read(_WARM_UP_S)
        start, cpu = time.monotonic(), terminal.cpu
        presses = press_letters(terminal, rate, 0.1, lambda pressed: pressed < _PRESSES)
        spent, end = terminal.cpu - cpu, time.monotonic()
        terminal.read(8.0 if bytes_per_s or what in {"richlog", "datatable"} else 1.0)
        latencies = latencies_of(terminal, row, presses)
        written = terminal.bytes_between(start, end) / (end - start)
    line = f" over {number(bytes_per_s / 1000, 'kB/s')}" if bytes_per_s else ""
    name = f"flood-{what}-{stream}-{rate}{'-slow' if bytes_per_s else ''}"
    title = f"key to screen, {what}, {rate:,} {stream} events/s{line}"
    detail = f"{len(latencies)} presses, longest {max(latencies):.0f} ms; {written / 1000:.1f} kB/s written"
    p50, p95 = targets
    return [
        Figure(f"{name}.p50", f"{title}: median", percentile(latencies, 50), "ms", p50, detail),
        Figure(f"{name}.p95", f"{title}: p95", percentile(latencies, 95), "ms", p95),
        Figure(f"{name}.cpu", f"{title}: processor", spent / (end - start) * 100, "%"),
    ]


def _others(path: Path) -> list[Figure]:
    figures = []
    for name, arguments in (
        ("grep-text", ["grep", "-c", "-i", "keeps the lamp"]),
        ("grep-rare", ["grep", "-c", "-i", "no such words"]),
        ("grep-type", ["grep", "-c", '"type":"response\\.']),
    ):
        spent = _run([*arguments, str(path)])
        figures.append(Figure(f"find-{name}", f"{' '.join(arguments)}, the same events", spent * 1000, "ms"))
    if shutil.which("jq") is not None:
        few = path.with_suffix(".few")
        with path.open("rb") as lines, few.open("wb") as head:
            for _ in range(_JQ_LINES):
                head.write(lines.readline())
        arguments = ["jq", "-c", 'select(.type | startswith("response."))']
        spent = _run([*arguments, str(few)]) * _MANY / _JQ_LINES
        figures.append(Figure("find-jq-type", f"{' '.join(arguments)}, the same events", spent * 1000, "ms"))
    return figures


def _run(command: list[str]) -> float:
    """Processor time of another program, in seconds."""
    before = os.times()
    # Into a pipe: with /dev/null behind it, grep ends at the first line that it finds.
    subprocess.run(command, capture_output=True, timeout=300)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def _inside(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", f"tests.bench.inside.{module}", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise NotMeasuredError(done.stderr.strip().rpartition("\n")[2])
    report: dict[str, Any] = json.loads(done.stdout)
    return report
