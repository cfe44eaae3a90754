"""Prints the bytes that the index of a log takes, and its rows, after so many events of typed turns."""

from __future__ import annotations

import itertools
import sys
import tracemalloc

from tests.bench import workload
from tui.capture import EventLog
from tui.wire import Direction

_WINDOW_BYTES = 1024 * 1024


def main(events: int) -> None:
    """Fill a log, and compare."""
    frames = workload.typed(workload.event_ids())
    next(frames)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    log = EventLog(window_bytes=_WINDOW_BYTES)
    for t_ns, frame in enumerate(itertools.islice(frames, events)):
        log.append(Direction.RECEIVED, frame, t_ns)
    log.take_changed()
    after, _ = tracemalloc.get_traced_memory()
    if log.trouble:
        raise SystemExit(f"the disk: {log.trouble}")
    # What is left of the window is frames.
    print(after - before - min(_WINDOW_BYTES, after), log.rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
