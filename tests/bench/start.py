"""How long it takes until there is something to see, and what one turn without a screen costs."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bench.figures import Figure, NotMeasuredError, spread
from tests.bench.terminal import REPOSITORY, Meter
from tests.support.certificates import Authority
from tests.support.terminal import clean_environment
from tui.simulator import SimulatorThread

_ROUNDS = 7
_TITLE = b"Conversation"
"""Stands in the frame of a pane, and nowhere before that is painted."""


def first_frame() -> list[Figure]:
    """From the fork of ``python -m tui demo`` in a terminal to the piece of output that completes the first frame.

    That is the piece after which the screen shows both panes and the prompt. Wall time, and the processor time of the
    program until then; median of seven runs after one that fills the caches.
    """
    rounds = [_time_to_panes() for _ in range(_ROUNDS + 1)][1:]
    walls = [wall for wall, _ in rounds]
    cpus = [cpu for _, cpu in rounds]
    return [
        Figure("first-frame.wall", "first frame", statistics.median(walls), "s", 0.45, spread(walls, "s")),
        Figure("first-frame.cpu", "first frame: processor time", statistics.median(cpus), "s", None, spread(cpus, "s")),
    ]


def first_frame_imports() -> list[Figure]:
    """How many of agents, openai, numpy and sounddevice are loaded when the driver writes the first frame.

    The program runs in a terminal, with a driver that looks at ``sys.modules`` before it writes.
    """
    with tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder:
        report = Path(folder) / "loaded.json"
        with Meter.module("tests.bench.inside.first_frame", str(report), "demo") as terminal:
            terminal.read_until_written(_TITLE)
        loaded = json.loads(report.read_text())
    detail = ", ".join(loaded) or "none of agents, openai, numpy, sounddevice"
    return [Figure("first-frame.imports", "first frame: heavy packages loaded", len(loaded), "", 0, detail)]


def say() -> list[Figure]:
    """``azrt-tui say --demo hello`` as a subprocess, the embedded server included: wall and processor time.

    From the start of the process to its end, by ``os.wait4``; median of three runs after one that fills the caches.
    """
    rounds = [_run("say", "--demo", "hello") for _ in range(4)][1:]
    walls = [wall for wall, _ in rounds]
    cpus = [cpu for _, cpu in rounds]
    return [
        Figure("say.wall", "say --demo hello", statistics.median(walls), "s", None, spread(walls, "s")),
        Figure("say.cpu", "say --demo hello: processor time", statistics.median(cpus), "s", None, spread(cpus, "s")),
    ]


def doctor() -> list[Figure]:
    """``azrt-tui doctor`` as a subprocess, against a healthy server on loopback over TLS: wall and processor time.

    As :func:`say`; most of it is the import of the SDK, beside which all else is done.
    """
    with tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder:
        authority = Authority()
        environment = {"AZRT_CA_FILE": str(authority.write(Path(folder))), "AZURE_OPENAI_API_KEY": "k"}
        with SimulatorThread(speed=math.inf, engine="recordings", tls=authority.good()) as simulator:
            environment["AZRT_URL"] = simulator.url()
            rounds = [_run("doctor", environment=environment) for _ in range(4)][1:]
    walls = [wall for wall, _ in rounds]
    cpus = [cpu for _, cpu in rounds]
    return [
        Figure("doctor.wall", "doctor, all well", statistics.median(walls), "s", 2.0, spread(walls, "s")),
        Figure("doctor.cpu", "doctor: processor time", statistics.median(cpus), "s", None, spread(cpus, "s")),
    ]


def wheel() -> list[Figure]:
    """The size of the wheel that hatchling builds from this checkout."""
    with tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
        )
        built = [path.stat().st_size for path in Path(folder).glob("*.whl")]
    if done.returncode or len(built) != 1:
        raise NotMeasuredError(f"the wheel was not built: {done.stderr.strip().rpartition(chr(10))[2]}")
    return [Figure("wheel.size", "the wheel", built[0] / 1000, "kB")]


def _time_to_panes() -> tuple[float, float]:
    """Wall and processor seconds."""
    with Meter.module("tui", "demo") as terminal:
        terminal.read_until_written(_TITLE)
        terminal.read(0.1)
        for piece in terminal.moments():
            screen = "\n".join(terminal.line(row) for row in range(terminal.rows))
            if all(word in screen for word in ("─ Events ─", "─ Conversation ─", "Type a message")):
                return piece.at - terminal.started, piece.cpu
        raise NotMeasuredError(f"the panes were not painted:\n{terminal.text}")


def _run(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[float, float]:
    """Wall and processor seconds of a command that must succeed."""
    with tempfile.TemporaryDirectory(prefix="azrt-bench-") as folder, tempfile.TemporaryFile() as output:
        start = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "tui", *arguments],
            cwd=folder,
            env=clean_environment(Path(folder), {"PYTHONPATH": str(REPOSITORY), **(environment or {})}),
            stdout=output,
            stderr=output,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise NotMeasuredError(f"{arguments[0]} ended with {process.returncode}: {output.read()[-300:]!r}")
        return wall, usage.ru_utime + usage.ru_stime
