"""The event stream: one line a row; filtering, searching, marking and following in it."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import events, work
from textual.binding import BindingType
from textual.message import Message

from tui.capture import EventLog, RowReader
from tui.capture.filter import Filter
from tui.capture.filter.matches import prepare
from tui.capture.filter.thing import Thing
from tui.capture.log.view import EventView
from tui.ui import bindings
from tui.ui.advice import key_of
from tui.ui.terminal.key_order import hand_on
from tui.ui.text import clip, printable
from tui.ui.widgets.find_line import Wanted
from tui.ui.widgets.row_browser import RowBrowser

_EMPTY = (
    "Every event of the session appears here,",
    "as it was on the wire:",
    "",
    "←  from the server",
    "→  to the server",
    "·  about the connection itself",
    "",
    "{open} opens one, {follow} pauses,",
    "{filter} filters, {search} searches.",
)

_SLICE_S = 0.005
"""How long looking through the log may keep the screen to itself."""

_LOOK_S = 0.02
"""How long a thread looks through frames before what it has found is shown."""

_BATCH_SLICE_S = 0.002
"""The same when new events come, thirty times a second."""

_FEW_ROWS = 200
"""Rows for which nothing needs to be imported first."""

_SEARCH_CELLS = 20
"""Of a search text, in what is said about it."""


class EventPane(RowBrowser, can_focus=True):
    """The rows of an event log that a filter leaves, following their end or standing still."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.EVENT_PANE

    class Opened(Message):
        """The person wants to see a row whole."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    class Copied(Message):
        """The person wants the frames of a row in the clipboard."""

        def __init__(self, row: int) -> None:
            super().__init__()
            self.row = row

    class StateChanged(Message):
        """What the frame around the pane says has changed. Printable text."""

        def __init__(self, text: str, title: str) -> None:
            super().__init__()
            self.text = text
            """What the pane is doing."""
            self.title = title
            """What is shown, and how much; "" for everything."""

    def __init__(
        self, log: EventLog | None = None, *, find: Callable[[Wanted], None] = lambda _: None, id: str | None = None
    ) -> None:
        """``find`` is called when the person wants to write a filter, a search or a time."""
        super().__init__(EventView(log), id=id)
        self._find = find
        self._reader = RowReader(log) if log is not None else None
        self._said = ("", "")
        self._mark: int | None = None
        """The row that was marked last."""
        self._before_thing: tuple[Filter | None, int | None] = (None, None)
        """Filter and selected row before one thing was followed."""

    @property
    def view(self) -> EventView:
        """What is shown of the log."""
        return self._view

    @property
    def cursor(self) -> int | None:
        """The row that enter opens: the selected one, or the newest; None when there is none."""
        if not len(self._view):
            return None
        return self._cursor if self._cursor is not None else self._view.row(len(self._view) - 1)

    @property
    def time_s(self) -> float:
        """When the row that enter opens began, in seconds since connect; 0 when there is none."""
        row = self.cursor
        return self._view.time_s(row) if row is not None else 0.0

    def watch_log(self, log: EventLog) -> None:
        """Show this log from now on, through the same filter."""
        chosen = self._view.filter if self._view.thing is None else self._before_thing[0]
        search = self._view.search
        self._view, self._reader = EventView(log), RowReader(log)
        self._view.choose(chosen)
        self._view.search_for(search)
        self._top = self._line = 0
        self._cursor = self._mark = self._since = None
        self._steps, self._found = False, None
        self._drawn_rows = []
        self.forget_drawn()
        self.say()

    def update_rows(self, rows: int, changed: Iterable[int]) -> None:
        """Take a batch: ``rows`` may be read now, and these rows among the old ones changed."""
        changed = set(changed)
        self._view.update(rows, changed)
        self.forget_rows(changed)
        if not self._view.complete and not self._looking and not self._view.work(_BATCH_SLICE_S):
            self._look()
        self.settle(changed)
        self.say()

    def empty_lines(self) -> Sequence[str]:
        """What will appear, or why there is nothing."""
        if self._view.filter is None:
            keys = {name: self._key(name) for name in ("open", "follow", "filter", "search")}
            return [line.format(**keys) for line in _EMPTY]
        if not self._view.complete:
            return ("Looking …",)
        ways_on = f"{self._key('clear')} shows all events, {self._key('filter')} changes it."
        return (f"No event matches {printable(self._view.filter.source)}", "", ways_on)

    def _key(self, name: str) -> str:
        return key_of(self.app, f"events.{name}")

    # Looking through the log

    @property
    def _looking(self) -> bool:
        return any(worker.group == "look" and not worker.is_finished for worker in self.workers)

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        await asyncio.to_thread(prepare)
        while not self._view.work(_SLICE_S, look=False):
            self.settle()
            self.say()
            await asyncio.to_thread(self._view.look, _LOOK_S)
        if self._view.search:
            self.forget_drawn()  # rows in view that were drawn before the search came to them
        self.settle()
        self.say()

    def choose(self, chosen: Filter | None) -> None:
        """Show the events that match, all for None; where the selected row is none of them, the nearest is selected."""
        self._view.choose(chosen)
        self._steps = False
        self._changed_view()

    def follow_thing(self, thing: Thing) -> None:
        """Show what belongs to one thing, with the time from each event to the next."""
        if self._view.thing is None:
            self._before_thing = self._view.filter, self._cursor
        if self._cursor is None and self._view.rows:
            self._cursor, self._seen = self.cursor, self._view.rows
        self._view.follow(thing)
        self._steps = True
        self._changed_view()

    def search(self, text: str) -> None:
        """Search the events for a text; "" ends the search."""
        self._view.search_for(text)
        self._changed_view()

    def go_to_hit(self) -> None:
        """Select the newest hit at or before the selected row; else the first one."""
        row = self.cursor
        if row is not None and not self._view.is_hit(row):
            self.action_next_hit(-1)

    def go_to_time(self, time_s: float) -> None:
        """Select the first row that begins at this time, in seconds since connect, or later."""
        row = self._view.row_at(time_s)
        if row is not None:
            self.stand_at(row)

    def _changed_view(self) -> None:
        search = self._view.search
        self._found = re.compile(re.escape(printable(search)), re.IGNORECASE) if search else None
        self._drawn_rows = []
        self.forget_drawn()
        if self._view.rows <= _FEW_ROWS:
            self._view.work(_BATCH_SLICE_S)
        self.settle()
        self.say()
        self.refresh_bindings()
        if not self._view.complete:
            self._look()

    # Going somewhere

    async def action_next_alarm(self) -> None:
        """Select the next row that says something failed, from the top again after the last."""
        row = self.cursor
        if row is None:
            return
        if self._view.rows > _FEW_ROWS:
            await asyncio.to_thread(prepare)
        self._go(self._view.next_alarm(row), "No errors so far." if self._view.filter is None else "No errors here.")

    def action_next_hit(self, step: int) -> None:
        """Select the next hit of the search, or the one before; behind the last comes the first."""
        if not self._view.search:
            self.action_find("search")
            return
        row = self.cursor
        if row is not None:
            self._go(self._view.next_hit(row, step), "Not found.")

    def action_next_mark(self, step: int) -> None:
        """Select the next marked row, or the one before."""
        row = self.cursor
        if row is not None:
            self._go(self._view.next_mark(row, step), f"No row is marked: {self._key('mark')} marks one.")

    def _go(self, row: int | None, problem: str) -> None:
        if row is None:
            self.notify(problem, markup=False)
        else:
            self.stand_at(row)

    def action_mark(self) -> None:
        """Mark the row, or take its mark away."""
        row = self.cursor
        if row is not None:
            self._mark = row if self._view.toggle_mark(row) else None
            self._strips.pop(row, None)
            self._redraw({row})

    def action_relative(self) -> None:
        """Count times from a row, or from connect again."""
        self._steps = False
        if self._since is not None:
            self._since = None
        else:
            self._since = self._mark if self._mark is not None else self.cursor
        self.forget_drawn()
        self.say()

    def action_find(self, what: str) -> None:
        """Ask for the line in which a filter, a search or a time is written."""
        self._find(Wanted(what))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is for others when there is nothing to clear."""
        return action != "clear" or bool(self._view.search or self._view.filter)

    def action_clear(self) -> None:
        """End the search; then go back to what was shown before one thing was followed; then show everything."""
        if self._view.search:
            self.search("")
        elif self._view.thing is not None:
            chosen, self._cursor = self._before_thing
            self.choose(chosen)
        else:
            self.choose(None)

    def action_open(self) -> None:
        """Ask for the whole event."""
        row = self.cursor
        if row is not None:
            self.post_message(self.Opened(row))

    def action_copy(self) -> None:
        """Ask for the event in the clipboard."""
        row = self.cursor
        if row is not None:
            self.post_message(self.Copied(row))

    async def _on_key(self, event: events.Key) -> None:
        """Run the pane's own bindings at once: what is typed right behind ``/`` belongs into the line that it opens."""
        if hand_on(self, event):
            return
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self and active.enabled:
            event.stop()
            event.prevent_default()
            await self.app.run_action(active.binding.action, self)

    def on_click(self, event: events.Click) -> None:
        """Select the row; a second click opens it."""
        if event.y >= len(self._drawn_rows):
            return
        self.stand_at(self._drawn_rows[event.y])
        if event.chain >= 2:
            self.action_open()

    # What the frame says

    def say(self) -> None:
        """Tell the frame what the pane shows and does."""
        said = (" · ".join(self._states()), self._title())
        if said != self._said:
            self._said = said
            self.post_message(self.StateChanged(*said))

    def _title(self) -> str:
        chosen = self._view.filter
        if chosen is None:
            return ""
        more = "" if self._view.complete else "…"
        count = f" · {len(self._view):,}{more}"
        return clip(printable(chosen.source), max(8, self.size.width - len(count) - 14)) + count

    def _states(self) -> Iterable[str]:
        view, length = self._view, len(self._view)
        if not length:
            return
        if self._cursor is None:
            yield "following"
        else:
            yield f"paused at {view.position(self._cursor) + 1:,} of {length:,}"
            new = length - view.position(self._seen)
            if new > 0:
                yield f"{new:,} new"
        if view.search:
            yield self._hits()
        if self._steps:
            yield "times from row to row"
        elif self._since is not None:
            yield f"times from {view.time_s(self._since):.3f}"

    def _hits(self) -> str:
        view = self._view
        text = clip(printable(view.search), _SEARCH_CELLS)
        more = "" if view.complete else "…"
        row = self.cursor
        if not view.hits:
            return f"{text}: looking" if more else f"{text}: not found"
        if row is None or not view.is_hit(row):
            return f"{text}: {len(view.hits):,}{more}"
        return f"{text}: {bisect_left(view.hits, row) + 1:,} of {len(view.hits):,}{more}"
