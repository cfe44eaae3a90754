"""The event pane in its frame, with the line in which filters, searches and times are written."""

from __future__ import annotations

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult

from tui.capture.filter import Filter, Known
from tui.settings import save_filter
from tui.ui.text import printable
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.find_line import FindLine, Wanted
from tui.ui.widgets.frame import Frame


class EventsFrame(Frame):
    """What is written in the line takes effect in the pane at once; escape takes it back."""

    def __init__(self, filters: Mapping[str, str], *, id: str | None = None) -> None:
        """``filters`` are the saved ones, by name."""
        super().__init__(title="Events", id=id)
        self._filters = filters
        self._pane = EventPane(find=self._open, id="events")
        self._line = FindLine(self, id="find")
        self._before: Filter | None = None
        """The filter that held when the line was opened."""

    def compose(self) -> ComposeResult:
        """The pane, and the line below it."""
        yield self._pane
        yield self._line

    def _open(self, wanted: Wanted) -> None:
        view = self._pane.view
        self._before = view.filter if view.thing is None else None
        text = {Wanted.FILTER: self._before.source if self._before is not None else "", Wanted.SEARCH: view.search}
        known = Known.from_log(view.log, self._filters, view.rows) if wanted is Wanted.FILTER else Known()
        self._line.open(wanted, text.get(wanted, ""), known, self._pane.time_s)

    # What the line reports; at once, so that keys in a burst find things as they left them.

    def edited(self, value: str | Filter | float) -> None:
        """Something else is written now, and means this."""
        if isinstance(value, Filter):
            self._pane.choose(value)
        elif isinstance(value, str):
            self._pane.search(value)

    def accepted(self, value: str | Filter | float) -> None:
        """The person is done."""
        self.screen.set_focus(self._pane)
        self.edited(value)
        if isinstance(value, float):
            self._pane.go_to_time(value)
        elif isinstance(value, str):
            self._pane.go_to_hit()

    def cancelled(self, wanted: Wanted) -> None:
        """The person takes it back."""
        self.screen.set_focus(self._pane)
        if wanted is Wanted.SEARCH:
            self._pane.search("")
        elif wanted is Wanted.FILTER and self._pane.view.thing is None:
            self._pane.choose(self._before)

    def save(self, name: str, text: str) -> None:
        """Keep a filter under a name."""
        try:
            save_filter(name, text)
        except (OSError, ValueError) as error:
            self.notify(f"Not saved: {printable(str(error))}", severity="error", timeout=15, markup=False)
            return
        self._filters = {**self._filters, name: text}
        self._line.learn(self._filters)
        self.notify(f"Saved: write @{name} in a filter.", markup=False)

    @on(EventPane.StateChanged)
    def _show_title(self, message: EventPane.StateChanged) -> None:
        self.head(message.title)
