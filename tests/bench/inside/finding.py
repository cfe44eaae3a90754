"""Looks through a log of so many typed turns' events, filter by filter, and prints what each costs as JSON.

``python -m tests.bench.inside.finding EVENTS FILE``: ``FILE`` gets the same events, a line each, for other programs.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
import tracemalloc
from pathlib import Path

from tests.bench import workload
from tui.capture import EventLog
from tui.capture.filter import parse
from tui.capture.filter.matches import Matches, prepare
from tui.wire import Direction

FILTERS = {
    "type": "type:response.*",
    "direction": "-delta dir:in",
    "size": ">1kB",
    "rare": '"no such words"',
    "text": '"keeps the lamp"',
    "item": "item:item_000000000000000000017",
}
"""By what is looked for: what is measured, and what it is called."""

_SLICE_S = 0.005
_DIFFERENT = 20_000
_WINDOW_BYTES = 1024 * 1024


def main(events: int, path: Path) -> None:
    """Fill the log, then look through it."""
    frames = list(itertools.islice(workload.typed(workload.event_ids()), _DIFFERENT))
    prepare()
    tracemalloc.start()
    log = EventLog(window_bytes=_WINDOW_BYTES)
    with path.open("wb") as file:
        for number, frame in enumerate(itertools.islice(itertools.cycle(frames), events)):
            log.append(Direction.RECEIVED, frame, number)
            file.write(frame)
            file.write(b"\n")
            if number % 1000 == 0:
                log.take_changed()
    log.take_changed()
    finding = Matches(log, parse('-"no such words"'))
    finding.update(log.rows)
    while not finding.work(1.0):
        pass
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del finding
    if log.trouble:
        raise SystemExit(f"the disk: {log.trouble}")
    report = {name: _look(log, written) for name, written in FILTERS.items()}
    print(json.dumps({"rows": log.rows, "allocated": allocated, "filters": report}))


def _look(log: EventLog, written: str) -> dict[str, float]:
    """Seconds of processor time in all, seconds of the longest slice, until the first hits; and the hits."""
    finding = Matches(log, parse(written))
    finding.update(log.rows)
    longest, first, start = 0.0, 0.0, time.process_time()
    complete = False
    while not complete:
        before = time.thread_time()
        complete = finding.work(_SLICE_S)
        longest = max(longest, time.thread_time() - before)
        if not first and finding.rows:
            first = time.process_time() - start
    return {"cpu": time.process_time() - start, "longest": longest, "first": first, "hits": len(finding.rows)}


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
