"""Prints the bytes that the index of a log takes, and its rows, after so many events of typed turns."""

from __future__ import annotations

import itertools
import sys
import tracemalloc

from tests.bench import workload
from tui.capture import EventLog
from tui.wire import Direction

_WINDOW_BYTES = 1024 * 1024
_DIFFERENT = 20_000


def main(events: int) -> None:
    """Fill a log, and compare what is allocated then and now."""
    # The same frames again and again: by then their items are no longer open, so they make new rows.
    frames = list(itertools.islice(workload.typed(workload.event_ids()), _DIFFERENT))
    tracemalloc.start()
    log = EventLog(window_bytes=_WINDOW_BYTES)
    for number, frame in enumerate(itertools.islice(itertools.cycle(frames), events)):
        log.append(Direction.RECEIVED, frame, number)
        if number % 1000 == 0:
            log.take_changed()
    log.take_changed()
    allocated, _ = tracemalloc.get_traced_memory()
    if log.trouble:
        raise SystemExit(f"the disk: {log.trouble}")
    print(allocated, log.rows)


if __name__ == "__main__":
    main(int(sys.argv[1]))
