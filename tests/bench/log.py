"""What the event log costs: processor time of an append beside a parse of the same event, memory of the index."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import workload
from tests.bench.figures import Figure, NotMeasuredError, spread
from tui.capture import EventLog
from tui.capture.frames import WINDOW_BYTES
from tui.wire import Direction

REPOSITORY = Path(__file__).parents[2]

_ROUNDS = 9
_RATIO_TARGET = 0.2
_MANY = 1_000_000


def append_spoken() -> list[Figure]:
    """Append against ``json.loads`` of the same 5,000 frames, spoken turns, within the window in memory.

    Both are timed with ``time.thread_time`` and take turns in one run, nine rounds each; the ratio is the median of
    the rounds' ratios. Each round has a log of its own, so it also pays for the growth of the index.
    """
    frames = list(itertools.islice(workload.spoken(workload.event_ids()), 5_000))
    return _append("append-spoken", "append, spoken turns", frames, WINDOW_BYTES)


def append_typed() -> list[Figure]:
    """The same as :func:`append_spoken` with 20,000 frames of typed turns."""
    frames = list(itertools.islice(workload.typed(workload.event_ids()), 20_000))
    return _append("append-typed", "append, typed turns", frames, WINDOW_BYTES)


def append_spilling() -> list[Figure]:
    """The same as :func:`append_spoken` with a window of 4 MiB, so that nearly all frames are written to the file.

    The time of the writes is in it, as processor time of the system. The log is kept from one round to the next.
    """
    frames = list(itertools.islice(workload.spoken(workload.event_ids()), 5_000))
    return _append("append-spilling", "append, spoken turns, to the file", frames, 4 * 1024 * 1024)


def index_memory() -> list[Figure]:
    """Memory of the index an event, after 1,000,000 events of typed turns, by ``tracemalloc`` in a process of its own.

    The frames themselves are not counted: all but 1 MiB of them are in the file.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.inside.index_memory", str(_MANY)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise NotMeasuredError(done.stderr.strip().rpartition("\n")[2])
    traced, rows = map(int, done.stdout.split())
    detail = f"{_MANY:,} events in {rows:,} rows"
    return [Figure("index-memory", "index of the log, an event", traced / _MANY, "B", detail=detail)]


def _append(name: str, title: str, frames: Sequence[bytes], window_bytes: int) -> list[Figure]:
    appending, parsing = [], []
    for _ in range(_ROUNDS):
        appending.append(_time_append(frames, window_bytes))
        parsing.append(_time_parse(frames))
    ratios = [mine / other for mine, other in zip(appending, parsing, strict=True)]
    per_event = statistics.median(appending) / len(frames) * 1e6
    parse_us = statistics.median(parsing) / len(frames) * 1e6
    detail = f"{spread(ratios, '')}; json.loads {parse_us:.2f} µs"
    return [
        Figure(f"{name}.cpu", f"{title}: processor time", per_event, "µs"),
        Figure(f"{name}.ratio", f"{title}: against json.loads", statistics.median(ratios), "", _RATIO_TARGET, detail),
    ]


def _time_append(frames: Sequence[bytes], window_bytes: int) -> float:
    log = EventLog(window_bytes=window_bytes)
    try:
        append, received = log.append, Direction.RECEIVED
        start = time.thread_time()
        for t_ns, frame in enumerate(frames):
            append(received, frame, t_ns)
        spent = time.thread_time() - start
        if log.trouble:
            raise NotMeasuredError(f"the disk: {log.trouble}")
        return spent
    finally:
        log.close()


def _time_parse(frames: Sequence[bytes]) -> float:
    loads = json.loads
    start = time.thread_time()
    for frame in frames:
        loads(frame)
    return time.thread_time() - start
