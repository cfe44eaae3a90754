"""Draws the rows of a log that are in view, straight from its index.

It holds no events: it knows how many rows may be read, and reads the visible ones. It paints without a layout and
without the style cache, which makes a frame ten times cheaper than a scroll view's; so the frame around it belongs to
its parent, and the filters that NO_COLOR needs are applied to its styles.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.capture import RowReader
from tui.capture.log.view import EventView
from tui.ui.terminal.short_ansi import filter_styles
from tui.ui.text import clip
from tui.ui.widgets.event_row import NO_EXTRAS, RowExtras, RowPainter
from tui.wire import Family


class RowCanvas(Widget):
    """The visible part of an :class:`~tui.capture.log.view.EventView`, following its end or standing still."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "events--time",
        "events--sent",
        "events--note",
        "events--cursor",
        "events--match",
        *(f"events--{family}" for family in Family),
    }

    def __init__(self, view: EventView, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = view
        self._reader: RowReader | None = None
        self._top = 0
        """Position of the row in the first line."""
        self._cursor: int | None = None
        """The selected row; None while following."""
        self._line = 0
        """The line in which the selected row stands."""
        self._drawn_rows: list[int] = []
        """The rows in view, as they were at last."""
        self._strips: dict[int, Strip] = {}
        """The rows in view as they were drawn, apart from the selected one."""
        self._styles: dict[str, Style] = {}
        self._painters: tuple[RowPainter, RowPainter] | None = None
        """For a row, and for the selected one; None when the style or the width has changed."""
        self._found: re.Pattern[str] | None = None
        """What stands out in the texts of the rows."""
        self._steps = False
        """Whether times count from the row above."""
        self._since: int | None = None
        """The row from which times count; None for connect."""

    @property
    def following(self) -> bool:
        """True while the newest row is kept in view."""
        return self._cursor is None

    def empty_lines(self) -> Sequence[str]:
        """What stands there while there is no row."""
        return ()

    # What is in view

    def settle(self, changed: Collection[int] = ()) -> None:
        """Bring the view in line with what is shown now, and draw the lines that differ.

        Args:
            changed: rows that say something else than before.
        """
        height = self.size.height
        view = self._view
        if self._cursor is None:
            self._top = max(0, len(view) - height)
        else:
            at = view.position(self._cursor)
            if view.complete and len(view) and not view.shows(self._cursor):
                at = min(at, len(view) - 1)
                self._cursor = view.row(at)
            self._line = min(max(0, self._line), max(0, height - 1))
            self._top = max(0, min(at - self._line, len(view) - height))
            self._line = at - self._top
        self._redraw(changed)

    def select(self, row: int) -> None:
        """Select a row that is shown, and stand still."""
        before = self._cursor
        self._cursor = row
        at = self._view.position(row)
        self._top = max(min(self._top, at), at - max(1, self.size.height) + 1)
        self._line = at - self._top
        self._redraw({row} if before is None else {before, row})

    def forget_drawn(self) -> None:
        """Draw everything anew: nothing that was drawn is right any more."""
        self._strips.clear()
        self.refresh()

    def _redraw(self, changed: Collection[int]) -> None:
        height, view = self.size.height, self._view
        before = self._drawn_rows
        now = self._drawn_rows = [view.row(at) for at in range(self._top, min(len(view), self._top + height))]
        if not before or not now or (before[0] != now[0] and self._top + height <= len(view)):
            if before or now:
                if self._steps:
                    self._strips.clear()
                self.refresh()
            return
        lines = [y for y, row in enumerate(now) if y >= len(before) or before[y] != row or row in changed]
        lines += range(len(now), len(before))
        if self._steps and lines:
            # A time is the distance to the row above: it changes with that.
            lines = list(range(lines[0], max(len(now), len(before))))
            for row in now[lines[0] :]:
                self._strips.pop(row, None)
        if lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))

    def forget_rows(self, rows: Iterable[int]) -> None:
        """Read these rows anew: they changed."""
        for row in rows:
            self._strips.pop(row, None)
            if self._reader is not None:
                self._reader.forget(row)

    # Painting

    def notify_style_update(self) -> None:
        """The theme changed: nothing that was drawn is right any more."""
        super().notify_style_update()
        self._painters = None
        self._strips.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Keep the end, or the selected row, in view."""
        self._painters = None
        self._drawn_rows = []
        self._strips.clear()
        if self._cursor is not None:
            self._top = max(0, min(self._top, len(self._view) - 1))
            at = self._view.position(self._cursor)
            self._top = max(min(self._top, at), at - max(1, event.size.height) + 1)
            self._line = at - self._top
        self.settle()
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of ``crop``, without the style cache."""
        width = self.size.width
        painters = self._painters or self._load_painters(width)
        strips = [self._draw(y, width, painters) for y in crop.line_range]
        if len(self._strips) > len(strips):
            # What is out of view goes at once: thousands of strips that live on make the collector stop the screen.
            view = set(self._drawn_rows)
            self._strips = {row: strip for row, strip in self._strips.items() if row in view}
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _draw(self, y: int, width: int, painters: tuple[RowPainter, RowPainter]) -> Strip:
        if y >= len(self._drawn_rows) or self._reader is None:
            return self._blank(y, width)
        row = self._drawn_rows[y]
        selected = row == self._cursor
        strip = None if selected else self._strips.get(row)
        if strip is None:
            strip = painters[selected].draw(self._reader.view(row), self._extras(y, row))
            if not selected:
                self._strips[row] = strip
        return strip

    def _extras(self, y: int, row: int) -> RowExtras:
        since: int | None = self._since
        if self._found is None and since is None and not self._steps and not self._view.marks:
            return NO_EXTRAS
        if self._steps:
            since = self._drawn_rows[y - 1] if y else self._view.row(self._top - 1) if self._top else None
        since_s = self._view.time_s(since) if since is not None else None
        return RowExtras(since_s, row in self._view.marks, self._view.is_hit(row), self._found)

    def _blank(self, y: int, width: int) -> Strip:
        base = self._styles["base"]
        said = () if self._drawn_rows else self.empty_lines()
        start = max(0, (self.size.height - len(said)) // 2)
        if not start <= y < start + len(said):
            return Strip.blank(width, base)
        text = clip("  " + said[y - start], width)
        return Strip([Segment(text, self._styles["events--note"])]).adjust_cell_length(width, base)

    def _load_painters(self, width: int) -> tuple[RowPainter, RowPainter]:
        styles = {name: self.get_component_rich_style(name) for name in self.COMPONENT_CLASSES}
        styles["base"] = self.rich_style
        # Only the background, blended with what is below it; each column keeps its own colour.
        over = Style(bgcolor=self.get_component_rich_style("events--cursor").bgcolor, bold=True)
        filters, background = self.get_line_filters(), self.background_colors[1]
        match = styles.pop("events--match")
        self._styles = filter_styles({**styles, "events--match": match}, filters, background)
        chosen = {name: style + over for name, style in styles.items()}
        selected = filter_styles({**chosen, "events--match": match}, filters, background)
        self._painters = RowPainter(self._styles, width), RowPainter(selected, width)
        return self._painters
