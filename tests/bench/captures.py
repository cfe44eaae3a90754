"""What the capture file costs: processor time of an event on its way to the disk, and of opening a million of them."""

from __future__ import annotations

import base64
import itertools
import json
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import workload
from tests.bench.figures import Figure, NotMeasuredError, spread
from tui import wire
from tui.capture import CaptureReader, CaptureWriter, Decoded, EventLog, RowReader
from tui.capture.file.encoding import frame_line, header_line
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.wire import Direction

_ROUNDS = 7
_EVENTS = 5_000
_WAITING_BYTES = 1024 * 1024
_MANY = 1_000_000
_DIFFERENT = 20_000
_FIRST_ROWS = 60


def append_spoken() -> list[Figure]:
    """An event of spoken turns into the log and the file, audio into the WAV: processor time of both threads together.

    As in a session, audio comes decoded: playback needs that too, and it is not counted here. By ``time.process_time``,
    the closing of the file included. Seven rounds of 5,000 events after one that warms up, a megabyte at a time, with a
    pause until the writer has caught up. ``json.loads`` of the same frames beside it.
    """
    return _append("capture-spoken", "to the capture, spoken turns", workload.spoken, 15.0)


def append_typed() -> list[Figure]:
    """The same as :func:`append_spoken` with typed turns, which have no audio."""
    return _append("capture-typed", "to the capture, typed turns", workload.typed, 15.0)


def opening() -> list[Figure]:
    """A capture of a million events of typed turns: the first rows, then all of its index, in processor time.

    Beside it ``grep -c`` for one type in the same file, user and system time together.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.jsonl"
        frames = list(itertools.islice(workload.typed(workload.event_ids()), _DIFFERENT))
        with path.open("wb") as file:
            file.write(header_line(Header(started="2026-01-01T00:00:00Z")))
            for number, frame in enumerate(itertools.islice(itertools.cycle(frames), _MANY)):
                file.write(frame_line(number * 1_000, Direction.RECEIVED, frame)[0])
        start = time.process_time()
        reader = CaptureReader(path)
        reader.read()
        rows = RowReader(reader.log)
        for row in range(_FIRST_ROWS):
            rows.view(row)
        first = time.process_time() - start
        reader.read_all()
        whole = time.process_time() - start
        if len(reader.log) != _MANY or reader.problems:
            raise NotMeasuredError(f"{len(reader.log):,} events were read: {reader.problems}")
        reader.close()
        size = f"{path.stat().st_size / 1e6:.0f} MB"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["grep", "-c", '"type":"response.done"', str(path)], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        grep = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [
        Figure("capture-open.first", "opening a million events: first rows", first, "s", 0.5, size),
        Figure("capture-open.all", "opening a million events: all of it", whole, "s", None, f"grep -c {grep:.2f} s"),
    ]


def _append(name: str, title: str, turns: Callable[[Iterator[str]], Iterator[bytes]], target_us: float) -> list[Figure]:
    frames = [(frame, _decoded(frame)) for frame in itertools.islice(turns(workload.event_ids()), _EVENTS)]
    spent = [_round(frames) / _EVENTS * 1e6 for _ in range(_ROUNDS + 1)][1:]
    start = time.process_time()
    for frame, _ in frames:
        json.loads(frame)
    parse_us = (time.process_time() - start) / _EVENTS * 1e6
    median = statistics.median(spent)
    return [
        Figure(f"{name}.cpu", f"{title}: processor time", median, "µs", target_us, spread(spent, "µs")),
        Figure(f"{name}.ratio", f"{title}: against json.loads", median / parse_us, "", None, f"{parse_us:.2f} µs"),
    ]


def _decoded(frame: bytes) -> Decoded | None:
    event = json.loads(frame)
    if not wire.event_type(event["type"]).audio:
        return None
    return Decoded(event["delta"], base64.b64decode(event["delta"]))


def _round(frames: list[tuple[bytes, Decoded | None]]) -> float:
    """Seconds of processor time for these frames."""
    folder = Path(tempfile.mkdtemp())
    try:
        writing = CaptureWriter(NewCapture(folder / "captures"), Header())
        log = EventLog(capture=writing)
        start = time.process_time()
        waiting = 0
        for number, (frame, audio) in enumerate(frames):
            log.append(Direction.RECEIVED, frame, number, audio=audio)
            waiting += len(frame)
            if waiting > _WAITING_BYTES:
                waiting = 0
                while len(writing.frames) <= number:
                    time.sleep(0.002)
        log.close()
        spent = time.process_time() - start
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if writing.trouble:
        raise NotMeasuredError(f"the disk: {writing.trouble}")
    return spent
