"""Looks through a log of so many typed turns' events, filter by filter, and prints what each costs as JSON.

``python -m tests.bench.inside.finding WHAT EVENTS FILE``: ``WHAT`` is ``session`` for a log that was appended to, all
but 1 MiB of it in a file without a name, ``capture`` for one that is read from a capture, ``rows`` for a capture whose
events are a row each. ``FILE`` gets the events, a line each, or the capture.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import tracemalloc
from pathlib import Path

from tests.bench import workload
from tui.capture import CaptureReader, EventLog
from tui.capture.file.encoding import frame_line, header_line
from tui.capture.file.records import Header
from tui.capture.filter import parse
from tui.capture.filter.matches import Matches, prepare
from tui.wire import Direction

FILTERS = {
    "type": "type:response.*",
    "direction": "-delta dir:in",
    "size": ">1kB",
    "rare": '"no such words"',
    "text": '"keeps the lamp"',
    "common": "text:response",
    "accent": "Ärger",
    "item": "item:item_000000000000000000017",
}
"""By what is looked for: what is measured, and what it is called."""

OF_ROWS = {"type": "type:rate_limits.*", "not-type": "-audio", "size": ">100"}
"""The same where no row is a run."""

_SLICE_S = 0.005
_LOOK_S = 0.02
_DIFFERENT = 20_000
_WINDOW_BYTES = 1024 * 1024


def main(what: str, events: int, path: Path) -> None:
    """Fill the log, then look through it."""
    frames = list(itertools.islice(workload.typed(workload.event_ids()), _DIFFERENT))
    if what == "rows":
        frames = [frame for frame in frames if b'.delta"' not in frame]
    prepare()
    many = itertools.islice(itertools.cycle(frames), events)
    if what == "session":
        tracemalloc.start()
        log = EventLog(window_bytes=_WINDOW_BYTES)
        with path.open("wb") as file:
            for number, frame in enumerate(many):
                log.append(Direction.RECEIVED, frame, number)
                file.write(frame)
                file.write(b"\n")
                if number % 1000 == 0:
                    log.take_changed()
        log.take_changed()
    else:
        with path.open("wb") as file:
            file.write(header_line(Header()))
            file.writelines(frame_line(number, Direction.RECEIVED, frame)[0] for number, frame in enumerate(many))
        tracemalloc.start()
        reader = CaptureReader(path)
        reader.read_all()
        log = reader.log
    finding = Matches(log, parse('-"no such words"'))
    finding.update(log.rows)
    while not finding.work(1.0):
        pass
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del finding
    if log.trouble:
        raise SystemExit(f"the disk: {log.trouble}")
    report = {name: _look(log, written) for name, written in (OF_ROWS if what == "rows" else FILTERS).items()}
    if what == "capture":
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        report["cold"] = _look(log, FILTERS["rare"])
    print(json.dumps({"rows": log.rows, "allocated": allocated, "filters": report}))


def _look(log: EventLog, written: str) -> dict[str, float]:
    """Seconds of processor time in all, seconds of the longest slice, until the first hits; and the hits.

    As in the event pane: frames are looked through apart from the slices, which are what holds up the screen.
    """
    finding = Matches(log, parse(written))
    finding.update(log.rows)
    longest, first, start = 0.0, 0.0, time.process_time()
    complete = False
    while not complete:
        before = time.thread_time()
        complete = finding.work(_SLICE_S, look=False)
        longest = max(longest, time.thread_time() - before)
        if not first and finding.rows:
            first = time.process_time() - start
        finding.look(_LOOK_S)
    return {"cpu": time.process_time() - start, "longest": longest, "first": first, "hits": len(finding.rows)}


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
