"""What the event log costs: processor time of an append beside a parse of the same event, memory of the index."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from tests.bench import workload
from tests.bench.figures import Figure, NotMeasuredError, spread
from tests.bench.terminal import REPOSITORY
from tui.capture import EventLog
from tui.capture.log.frames import WINDOW_BYTES
from tui.wire import Direction

_ROUNDS = 9
_BATCH = 100
_SMALL_WINDOW_BYTES = 4 * 1024 * 1024
_MANY = 1_000_000


def append_spoken() -> list[Figure]:
    """Append against ``json.loads`` of the same frames, spoken turns, within the window in memory.

    Frames are made a hundred at a time, as they come from a socket, then appended and parsed, or parsed and appended,
    by turns; both are timed with ``time.thread_time``. Nine rounds of 5,000 frames, each with a log of its own, after
    one that warms up; the ratio is the median of the rounds' ratios.
    """
    return _append("append-spoken", "append, spoken turns", workload.spoken, 5_000, WINDOW_BYTES)


def append_typed() -> list[Figure]:
    """The same as :func:`append_spoken` with typed turns."""
    return _append("append-typed", "append, typed turns", workload.typed, 5_000, WINDOW_BYTES)


def append_spilling() -> list[Figure]:
    """The same as :func:`append_spoken` with a window of 4 MiB: most frames are written to the file.

    The system's part of the writing counts, and depends on what the system has to do for a page of a file.
    """
    title = "append, spoken turns, to the file"
    return _append("append-spilling", title, workload.spoken, 5_000, _SMALL_WINDOW_BYTES)


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


def _append(
    name: str,
    title: str,
    turns: Callable[[Iterator[str]], Iterator[bytes]],
    frames: int,
    window_bytes: int,
) -> list[Figure]:
    rounds = [_round(turns(workload.event_ids()), frames, window_bytes) for _ in range(_ROUNDS + 1)][1:]
    ratios = [appending / parsing for appending, parsing in rounds]
    append_us, parse_us = (statistics.median(spent) / frames * 1e6 for spent in zip(*rounds, strict=True))
    detail = f"{spread(ratios, '')}; json.loads {parse_us:.2f} µs"
    return [
        Figure(f"{name}.cpu", f"{title}: processor time", append_us, "µs"),
        Figure(f"{name}.ratio", f"{title}: against json.loads", statistics.median(ratios), "", 0.2, detail),
    ]


def _round(frames: Iterator[bytes], count: int, window_bytes: int) -> tuple[float, float]:
    """Seconds of appending and of parsing so many frames."""
    log = EventLog(window_bytes=window_bytes)
    appending = parsing = 0.0
    for number in range(count // _BATCH):
        batch = list(itertools.islice(frames, _BATCH))
        if number % 2:
            appending += _append_all(log, batch)
            parsing += _parse_all(batch)
        else:
            parsing += _parse_all(batch)
            appending += _append_all(log, batch)
    trouble = log.trouble
    log.close()
    if trouble:
        raise NotMeasuredError(f"the disk: {trouble}")
    return appending, parsing


def _append_all(log: EventLog, frames: Sequence[bytes]) -> float:
    append, received = log.append, Direction.RECEIVED
    start = time.thread_time()
    for frame in frames:
        append(received, frame, 0)
    return time.thread_time() - start


def _parse_all(frames: Sequence[bytes]) -> float:
    loads = json.loads
    start = time.thread_time()
    for frame in frames:
        loads(frame)
    return time.thread_time() - start
