"""Paints the main screen in the terminal that it runs in, phase by phase, and writes down when and at what cost.

The event pane is fed straight from a log, 30 times a second; no session runs. Between the phases the screen rests, so
that what is written in a phase is read in it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import workload
from tests.bench.inside.themed import ThemedApp
from tui.capture import EventLog
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.wire import Direction

FRAMES = 60
"""Frames of a phase that count."""

_WARM_UP_FRAMES = 20

_INTERVAL_S = 1 / 30
_REST_S = 0.3


class Stage(ThemedApp):
    """The main screen and nothing behind it."""

    def __init__(self, report: Path, zoomed: bool) -> None:
        super().__init__()
        self._report = report
        self._zoomed = zoomed

    def on_mount(self) -> None:
        """Show the screen, then run."""
        self.show_main()
        self.call_after_refresh(lambda: self.run_worker(self._run()))

    async def _run(self) -> None:
        screen = self.screen
        assert isinstance(screen, MainScreen)
        pane = screen.query_one(EventPane)
        pane.focus()
        await asyncio.sleep(_REST_S)
        if self._zoomed:
            screen.action_zoom()
        phases = []
        for name, events, an_update in (
            ("idle", iter(()), 0),
            ("unfolded", workload.unfolded(workload.event_ids()), 33),
            ("folded", workload.folded(workload.event_ids()), 33),
            ("spoken", workload.spoken(workload.event_ids()), 33),
        ):
            log = EventLog(time.monotonic_ns())
            screen.show_session(log, lambda: (0.0, 0.0), 1)
            await self._paint(log, pane, _WARM_UP_FRAMES, events, an_update)
            phases.append({"name": name, **await self._paint(log, pane, FRAMES, events, an_update)})
            log.close()
        self._report.write_text(json.dumps({"columns": pane.size.width, "rows": pane.size.height, "phases": phases}))
        self.exit()

    async def _paint(
        self, log: EventLog, pane: EventPane, frames: int, events: Iterator[bytes], an_update: int
    ) -> dict[str, float]:
        """Append and paint; return the beginning, the end, and the processor time without the appends."""
        batches = [list(itertools.islice(events, an_update)) for _ in range(frames)]
        await asyncio.sleep(_REST_S)
        start, cpu, appending = time.monotonic(), time.process_time(), 0.0
        for frame, batch in enumerate(batches, start=1):
            before = time.thread_time()
            for event in batch:
                log.append(Direction.RECEIVED, event, time.monotonic_ns())
            appending += time.thread_time() - before
            if batch:
                pane.update_rows(log.rows, log.take_changed())
            await asyncio.sleep(max(0.0, start + frame * _INTERVAL_S - time.monotonic()))
        spent = time.process_time() - cpu - appending
        await asyncio.sleep(_REST_S)
        return {"start": start, "end": time.monotonic(), "cpu": spent}


if __name__ == "__main__":
    Stage(Path(sys.argv[1]), zoomed=sys.argv[2] == "zoomed").run()
