"""Shows events at a steady rate in the terminal that it runs in: ``python -m tests.bench.inside.flood WHAT RATE``.

``WHAT`` is ``pane`` (the main screen), ``filtered`` (the same with a filter and a search), ``richlog`` or
``datatable`` (Textual's own widgets, above a text input). Another thread takes the events, thirty batches a second
reach the screen; no session runs.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.widget import Widget
from textual.widgets import DataTable, Input, RichLog

from tests.bench import workload
from tui import wire
from tui.capture import EventLog
from tui.capture.filter import parse
from tui.ui import theming
from tui.ui.pacing import is_behind
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.wire import Direction

FILTER = "response -audio -item:item_9"
SEARCH = "umbrella"

_INTERVAL_S = 1 / 30
_DIFFERENT = 5_000


class Flood(App[None]):
    """What all four have in common: the stream, and a batch of it thirty times a second."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self._rate = rate
        self._batches: deque[tuple[int, set[int], Sequence[bytes]]] = deque()
        self._frames = list(itertools.islice(workload.spoken(workload.event_ids()), _DIFFERENT))
        self.log_of_events = EventLog(time.monotonic_ns())

    def begin(self) -> None:
        """Start the stream."""
        threading.Thread(target=self._stream, name="stream", daemon=True).start()
        self.set_interval(_INTERVAL_S, self._take)

    def _stream(self) -> None:
        frames, log = itertools.cycle(self._frames), self.log_of_events
        start, done = time.monotonic(), 0
        while True:
            time.sleep(_INTERVAL_S)
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

    def show(self, rows: int, changed: set[int], frames: Sequence[bytes]) -> None:
        """Show a batch."""
        raise NotImplementedError


class Pane(Flood):
    """The program's main screen."""

    def __init__(self, rate: float, filtered: bool) -> None:
        super().__init__(rate)
        self._filtered = filtered

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The program's colours."""
        theme = self.get_theme(self.theme)
        return theming.variable_defaults(theme) if theme is not None else {}

    def on_mount(self) -> None:
        """Show the screen, then run."""
        for theme in theming.load_themes().loaded:
            self.register_theme(theme)
        self.theme = theming.DEFAULT_THEME
        self.push_screen(MainScreen("interrupt"))
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

    def __init__(self, rate: float, widget: RichLog | DataTable[str]) -> None:
        super().__init__(rate)
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


def app(what: str, rate: float) -> Flood:
    """The app with this name."""
    if what in {"pane", "filtered"}:
        return Pane(rate, what == "filtered")
    return Textuals(rate, DataTable() if what == "datatable" else RichLog(max_lines=5_000))


if __name__ == "__main__":
    app(sys.argv[1], float(sys.argv[2])).run()
