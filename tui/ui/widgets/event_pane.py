"""The event stream: one line a row, drawn straight from the log's index.

The pane holds no events. It knows how many rows may be read, and reads the visible ones. It paints without a layout
and without the style cache, which makes a frame ten times cheaper than a scroll view's; so the frame around it
belongs to its parent, and the filters that NO_COLOR needs are applied to its styles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.capture import EventLog, RowReader
from tui.ui.terse import filter_styles
from tui.ui.text import clip
from tui.ui.widgets.event_row import RowPainter
from tui.wire import Family

_EMPTY = (
    "Every event of the session appears here,",
    "as it was on the wire:",
    "",
    "←  from the server",
    "→  to the server",
    "·  about the connection itself",
    "",
    "enter opens one, space pauses.",
)


class EventPane(Widget, can_focus=True):
    """The rows of an event log, following its end or standing still."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="events.open", tooltip="Show the event's JSON"),
        Binding("space", "toggle_follow", "Pause", id="events.follow", tooltip="Pause, or follow the newest events"),
        Binding("j,down", "move(1)", "Down", show=False, id="events.down", tooltip="One row down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="events.up", tooltip="One row up"),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False, id="events.page_down", tooltip="One page down"),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False, id="events.page_up", tooltip="One page up"),
        Binding("g,home", "first", "First", show=False, id="events.first", tooltip="To the first event"),
        Binding("G,end", "follow", "Newest", show=False, id="events.last", tooltip="To the newest event, and follow"),
        Binding("e", "next_alarm", "Next error", show=False, id="events.next_error", tooltip="To the next failure"),
        Binding("y", "copy", "Copy", show=False, id="events.copy", tooltip="Copy the event's frames"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "events--time",
        "events--sent",
        "events--note",
        "events--cursor",
        *(f"events--{family}" for family in Family),
    }

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
        """What the frame around the pane says has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, log: EventLog | None = None, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._log = log
        self._reader = RowReader(log) if log is not None else None
        self._rows = 0
        self._top = 0
        self._cursor: int | None = None
        """The selected row; None while following."""
        self._seen = 0
        """Rows there were when following stopped."""
        self._strips: dict[int, Strip] = {}
        """The rows in view as they were drawn, apart from the selected one."""
        self._styles: dict[str, Style] = {}
        self._painters: tuple[RowPainter, RowPainter] | None = None
        """For a row, and for the selected one; None when the style or the width has changed."""
        self._said = ""

    @property
    def following(self) -> bool:
        """True while the newest row is kept in view."""
        return self._cursor is None

    @property
    def cursor(self) -> int | None:
        """The row that enter opens: the selected one, or the newest; None when there is none."""
        if self._cursor is not None:
            return self._cursor
        return self._rows - 1 if self._rows else None

    def watch_log(self, log: EventLog) -> None:
        """Show this log from now on."""
        self._log, self._reader = log, RowReader(log)
        self._rows = self._top = 0
        self._cursor = None
        self._strips.clear()
        self.refresh()
        self._say()

    def update_rows(self, rows: int, changed: Iterable[int]) -> None:
        """Take a batch: ``rows`` may be read now, and these rows among the old ones changed."""
        height = self.size.height
        old, self._rows = self._rows, rows
        dirty = []
        for row in changed:
            self._strips.pop(row, None)
            if self._reader is not None:
                self._reader.forget(row)
            if self._top <= row < min(old, self._top + height):
                dirty.append(row)
        if self.following:
            top = max(0, rows - height)
            if top != self._top or not old:
                self._top = top
                self.refresh()
                self._say()
                return
        dirty.extend(range(max(old, self._top), min(rows, self._top + height)))
        self._refresh_rows(dirty)
        self._say()

    # Painting

    def _refresh_rows(self, rows: Iterable[int]) -> None:
        """Draw these rows anew, which are in view."""
        width = self.size.width
        regions = [Region(0, row - self._top, width, 1) for row in rows]
        if regions:
            self.refresh(*regions)

    def notify_style_update(self) -> None:
        """The theme changed: nothing that was drawn is right any more."""
        super().notify_style_update()
        self._forget_drawn()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the end, or the selected row, in view."""
        self._forget_drawn()
        if self.following:
            self._top = max(0, self._rows - event.size.height)
        else:
            self._reveal()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of ``crop``, without the style cache."""
        width = self.size.width
        painters = self._painters or self._load_painters(width)
        strips = [self._line(y, width, painters) for y in crop.line_range]
        if len(self._strips) > len(strips):
            # What is out of view goes at once: thousands of strips that live on make the collector stop the screen.
            view = range(self._top, self._top + self.size.height)
            self._strips = {row: strip for row, strip in self._strips.items() if row in view}
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _line(self, y: int, width: int, painters: tuple[RowPainter, RowPainter]) -> Strip:
        row = self._top + y
        if row >= self._rows or self._reader is None:
            return self._blank(y, width)
        selected = row == self._cursor
        strip = None if selected else self._strips.get(row)
        if strip is None:
            strip = painters[selected].draw(self._reader.view(row))
            if not selected:
                self._strips[row] = strip
        return strip

    def _blank(self, y: int, width: int) -> Strip:
        base = self._styles["base"]
        if self._rows:
            return Strip.blank(width, base)
        start = max(0, (self.size.height - len(_EMPTY)) // 2)
        if not start <= y < start + len(_EMPTY):
            return Strip.blank(width, base)
        text = clip("  " + _EMPTY[y - start], width)
        return Strip([Segment(text, self._styles["events--note"])]).adjust_cell_length(width, base)

    def _load_painters(self, width: int) -> tuple[RowPainter, RowPainter]:
        styles = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
        styles["base"] = self.rich_style
        # Only the background, blended with what is below it; each column keeps its own colour.
        over = Style(bgcolor=self.get_component_rich_style("events--cursor").bgcolor, bold=True)
        filters, background = self.get_line_filters(), self.background_colors[1]
        self._styles = filter_styles(styles, filters, background)
        selected = filter_styles({name: style + over for name, style in styles.items()}, filters, background)
        self._painters = RowPainter(self._styles, width), RowPainter(selected, width)
        return self._painters

    def _forget_drawn(self) -> None:
        self._painters = None
        self._strips.clear()

    # Moving

    def action_move(self, by: int) -> None:
        """Select the row above or below."""
        if not self._rows:
            return
        at = self._cursor if self._cursor is not None else self._rows - 1
        if by > 0 and self._cursor is None:
            return
        self._select(at + by)

    def action_page(self, by: int) -> None:
        """Select the row one page up or down."""
        if not self._rows or (by > 0 and self.following):
            return
        at = self._cursor if self._cursor is not None else self._rows - 1
        if by > 0 and at + self.size.height >= self._rows:
            self.action_follow()
            return
        self._select(at + by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the first row."""
        if self._rows:
            self._select(0)

    def action_follow(self) -> None:
        """Keep the newest row in view from now on."""
        self._cursor = None
        self._top = max(0, self._rows - self.size.height)
        self.refresh()
        self._say()

    def action_toggle_follow(self) -> None:
        """Stand still, or follow again."""
        if self.following:
            if self._rows:
                self._select(self._rows - 1)
        else:
            self.action_follow()

    def action_next_alarm(self) -> None:
        """Select the next row that says something failed, from the top again after the last."""
        if self._reader is None or not self._rows:
            return
        start = self._cursor if self._cursor is not None else self._rows - 1
        for step in range(1, self._rows + 1):
            row = (start + step) % self._rows
            if self._reader.is_alarm(row):
                self._select(row)
                return
        self.notify("No errors so far.")

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

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll three rows up, and stand still."""
        event.stop()
        self._scroll(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll three rows down; at the end, follow."""
        event.stop()
        self._scroll(3)

    def on_click(self, event: events.Click) -> None:
        """Select the row; a second click opens it."""
        row = self._top + event.y
        if row >= self._rows:
            return
        self._select(row)
        if event.chain >= 2:
            self.action_open()

    def _scroll(self, by: int) -> None:
        height = self.size.height
        if self._rows <= height:
            return
        if by > 0 and self._top + by + height >= self._rows:
            self.action_follow()
            return
        if self.following and by < 0:
            self._seen = self._rows
        self._top = max(0, self._top + by)
        # The selected row stays in view, so that enter opens what the person sees.
        at = self._cursor if self._cursor is not None else self._rows - 1
        self._cursor = min(max(at, self._top), self._top + height - 1)
        self.refresh()
        self._say()

    def _select(self, row: int) -> None:
        if self.following:
            self._seen = self._rows
        before, top = self._cursor, self._top
        self._cursor = min(max(0, row), self._rows - 1)
        self._reveal()
        if self._top == top:
            self._refresh_rows({self._cursor} if before is None else {before, self._cursor})
        else:
            self.refresh()
        self._say()

    def _reveal(self) -> None:
        height = max(1, self.size.height)
        cursor = self._cursor or 0
        self._top = min(self._top, cursor)
        self._top = max(self._top, cursor - height + 1)

    def _say(self) -> None:
        if not self._rows:
            text = ""
        elif self._cursor is None:
            text = "following"
        else:
            text = f"paused at {self._cursor + 1:,} of {self._rows:,}"
            new = self._rows - self._seen
            if new > 0:
                text += f" · {new:,} new"
        if text != self._said:
            self._said = text
            self.post_message(self.StateChanged(text))
