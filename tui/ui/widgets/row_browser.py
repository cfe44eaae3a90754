"""Moving through the rows of a log: with keys, with the wheel, and along with the newest row."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType

from tui.capture.log.view import EventView
from tui.ui import bindings
from tui.ui.widgets.row_canvas import RowCanvas


class RowBrowser(RowCanvas):
    """Rows to move through. While the newest row is followed, none is selected."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.EVENT_ROWS

    def __init__(self, view: EventView, *, id: str | None = None) -> None:
        super().__init__(view, id=id)
        self._seen = 0
        """Rows that the log had when following stopped."""

    def say(self) -> None:
        """Called when what is shown, or where the person stands in it, has changed."""

    def action_move(self, by: int) -> None:
        """Select the row above or below."""
        if len(self._view) and not (by > 0 and self._cursor is None):
            self._stand_at_position(self._position + by)

    def action_page(self, by: int) -> None:
        """Select the row one page up or down."""
        if not len(self._view) or (by > 0 and self.following):
            return
        if by > 0 and self._position + self.size.height >= len(self._view):
            self.action_follow()
            return
        self._stand_at_position(self._position + by * max(1, self.size.height - 1))

    def action_first(self) -> None:
        """Select the first row."""
        if len(self._view):
            self._stand_at_position(0)

    def action_follow(self) -> None:
        """Keep the newest row in view from now on."""
        self._cursor = None
        self._drawn_rows = []
        self.settle()
        self.refresh()
        self.say()

    def action_toggle_follow(self) -> None:
        """Stand still, or follow again."""
        if not self.following:
            self.action_follow()
        elif len(self._view):
            self._stand_at_position(len(self._view) - 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll three rows up, and stand still."""
        event.stop()
        self._scroll(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll three rows down; at the end, follow."""
        event.stop()
        self._scroll(3)

    @property
    def _position(self) -> int:
        """Position of the selected row, or of the newest."""
        last = len(self._view) - 1
        return last if self._cursor is None else min(self._view.position(self._cursor), last)

    def _stand_at_position(self, position: int) -> None:
        self.stand_at(self._view.row(min(max(0, position), len(self._view) - 1)))

    def stand_at(self, row: int) -> None:
        """Select a row that is shown, and stand still."""
        if self.following:
            self._seen = self._view.rows
        self.select(row)
        self.say()

    def _scroll(self, by: int) -> None:
        height, length = self.size.height, len(self._view)
        if length <= height:
            return
        if by > 0 and self._top + by + height >= length:
            self.action_follow()
            return
        if self.following and by < 0:
            self._seen = self._view.rows
        at = self._position
        self._top = max(0, self._top + by)
        # The selected row stays in view, so that enter opens what the person sees.
        at = min(max(at, self._top), self._top + height - 1)
        self._cursor, self._line = self._view.row(at), at - self._top
        self._drawn_rows = []
        self.settle()
        self.refresh()
        self.say()
