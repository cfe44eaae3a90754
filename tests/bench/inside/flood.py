"""Shows events at a steady rate in the terminal: ``python -m tests.bench.inside.flood WHAT STREAM RATE BATCHES``.

``WHAT`` is ``pane`` (the main screen), ``filtered`` (the same with a filter and a search), ``richlog`` or
``datatable`` (Textual's own widgets, above a text input); ``STREAM`` is ``spoken`` or ``folded``. Another thread takes
the events, so many batches a second reach the screen; no session runs.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import DataTable, Input, RichLog

from tests.bench import workload
from tests.bench.inside.themed import ThemedApp
from tui import wire
from tui.capture import EventLog
from tui.capture.filter import parse
from tui.ui.screens.main import MainScreen
from tui.ui.terminal.compositing import is_behind
from tui.ui.widgets.event_pane import EventPane
from tui.wire import Direction

FILTER = "response -item:item_9"
SEARCH = "umbrella"

_DIFFERENT = 5_000
_STREAMS = {"spoken": workload.spoken, "folded": workload.folded}


class Flood(ThemedApp):
    """What all four have in common: the stream, and a batch of it many times a second."""

    def __init__(self, stream: str, rate: float, interval_s: float) -> None:
        super().__init__()
        self._rate = rate
        self._interval_s = interval_s
        self._batches: deque[tuple[int, set[int], Sequence[bytes]]] = deque()
        self._frames = list(itertools.islice(_STREAMS[stream](workload.event_ids()), _DIFFERENT))
        self.log_of_events = EventLog(time.monotonic_ns())

    def begin(self) -> None:
        """Start the stream."""
        threading.Thread(target=self._stream, name="stream", daemon=True).start()
        self.set_interval(self._interval_s, self._take)

    def _stream(self) -> None:
        frames, log = itertools.cycle(self._frames), self.log_of_events
        start, done = time.monotonic(), 0
        while True:
            time.sleep(self._interval_s)
            due = int((time.monotonic() - start) * self._rate)
            batch = list(itertools.islice(frames, due - done))
            for frame in batch:
                log.append(Direction.RECEIVED, frame, time.monotonic_ns())
            done = due
            self._batches.append((log.rows, set(log.take_changed()), batch))

    def _take(self) -> None:
        if not self._batches or is_behind(self):
            return
        rows, changed, frames = 0, set[int](), list[bytes]()
        while self._batches:
            rows, more, batch = self._batches.popleft()
            changed |= more
            frames += batch
        self.show(rows, changed, frames)

    @abstractmethod
    def show(self, rows: int, changed: set[int], frames: Sequence[bytes]) -> None:
        """Show a batch."""


class Pane(Flood):
    """The program's main screen."""

    def __init__(self, filtered: bool, stream: str, rate: float, interval_s: float) -> None:
        super().__init__(stream, rate, interval_s)
        self._filtered = filtered

    def on_mount(self) -> None:
        """Show the screen, then run."""
        self.show_main()
        self.call_after_refresh(self._show_log)

    def _show_log(self) -> None:
        screen = self.screen
        assert isinstance(screen, MainScreen)
        screen.show_session(self.log_of_events, lambda: (0.0, 0.0), 1)
        if self._filtered:
            pane = screen.query_one(EventPane)
            pane.choose(parse(FILTER))
            pane.search(SEARCH)
        self.begin()

    def show(self, rows: int, changed: set[int], frames: Sequence[bytes]) -> None:
        """Show a batch."""
        self.screen.query_one(EventPane).update_rows(rows, changed)


class Textuals(Flood):
    """One of Textual's own widgets, with the newest rows in view."""

    CSS = "RichLog, DataTable { height: 1fr; }"

    def __init__(self, widget: RichLog | DataTable[str], stream: str, rate: float, interval_s: float) -> None:
        super().__init__(stream, rate, interval_s)
        self._widget = widget

    def compose(self) -> ComposeResult:
        """The widget above a text input."""
        yield self._widget
        yield Input(placeholder="Type a message")

    def on_mount(self) -> None:
        """Let the person type, then run."""
        self.query_one(Input).focus()
        prepare(self._widget)
        self.begin()

    def show(self, rows: int, changed: set[int], frames: Sequence[bytes]) -> None:
        """Show a batch."""
        add(self._widget, frames)


def prepare(widget: Widget) -> None:
    """Give a table its columns."""
    if isinstance(widget, DataTable):
        widget.add_columns("type", "what", "size")


def add(widget: RichLog | DataTable[str], frames: Sequence[bytes]) -> None:
    """Show events in one of Textual's widgets as a person would: type, summary and size."""
    rows = [(wire.sniff_type(frame), wire.summary(wire.parse(frame) or {}), wire.size(len(frame))) for frame in frames]
    if isinstance(widget, DataTable):
        widget.add_rows(rows)
        widget.scroll_end(animate=False)
    else:
        for row in rows:
            widget.write("  ".join(row))


def main(what: str, stream: str, rate: float, per_s: float) -> None:
    """Run the app with this name."""
    if what in {"pane", "filtered"}:
        Pane(what == "filtered", stream, rate, 1 / per_s).run()
    else:
        Textuals(DataTable() if what == "datatable" else RichLog(max_lines=5_000), stream, rate, 1 / per_s).run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
