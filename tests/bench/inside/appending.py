"""Feeds events to one of Textual's widgets, and prints what one costs: ``WHAT EVENTS``; JSON, seconds and bytes."""

from __future__ import annotations

import asyncio
import itertools
import json
import resource
import sys
import time
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import DataTable, RichLog

from tests.bench import workload
from tests.bench.inside.flood import add, prepare

_BATCH = 33


def resident_bytes() -> int:
    """Memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class Bare(App[None]):
    """The widget alone."""

    def __init__(self, widget: RichLog | DataTable[str]) -> None:
        super().__init__()
        self._widget = widget

    def compose(self) -> ComposeResult:
        """The widget."""
        yield self._widget


async def main(what: str, events: int) -> None:
    """Add the events in batches, with a moment for the screen after each."""
    widget: RichLog | DataTable[str] = DataTable() if what == "datatable" else RichLog()
    frames = list(itertools.islice(workload.typed(workload.event_ids()), events))
    async with Bare(widget).run_test(size=(120, 40)) as pilot:
        prepare(widget)
        await pilot.pause()
        memory, cpu = resident_bytes(), time.process_time()
        for at in range(0, events, _BATCH):
            add(widget, frames[at : at + _BATCH])
            await asyncio.sleep(0)
        await pilot.pause()
        spent, grown = time.process_time() - cpu, resident_bytes() - memory
    print(json.dumps({"cpu": spent / events, "bytes": grown / events}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
