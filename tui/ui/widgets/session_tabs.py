"""The line of tabs under the panes: one for each session that is watched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tui.ui import bindings
from tui.ui.text import clip, printable

_LONGEST_NAME = 24
"""Cells of a model's name."""

_GAP = "  "
_MORE_LEFT, _MORE_RIGHT = "‹ ", " ›"


@dataclass(frozen=True, slots=True)
class Tab:
    """One session, or the place where the relay listens."""

    number: int
    """Of the session; 0 for where the relay listens."""
    sign: str
    name: str
    """It may come from outside."""

    @property
    def label(self) -> str:
        """What stands on it."""
        name = clip(printable(self.name), _LONGEST_NAME)
        return f" {self.sign} {self.number} {name} " if self.number else f" {self.sign} {name} "


class SessionTabs(Widget, can_focus=True):
    """``◌ 127.0.0.1:8765  ● 1 gpt-realtime  ○ 2 gpt-realtime``, the shown one marked and always in view."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.SESSION_TABS

    class Chosen(Message):
        """The person wants to see this session."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: tuple[Tab, ...] = ()
        self._shown = 0

    def show_tabs(self, tabs: Sequence[Tab], shown: int) -> None:
        """Show these, with the session of number ``shown`` marked."""
        if (tuple(tabs), shown) != (self._tabs, self._shown):
            self._tabs, self._shown = tuple(tabs), shown
            self.refresh()

    def render(self) -> Text:
        """The line."""
        text = Text(no_wrap=True)
        first, last = self._window()
        text.append(_MORE_LEFT if first else "", "dim")
        for at, tab in enumerate(self._tabs[first:last], first):
            text.append(_GAP if at > first else "")
            text.append(tab.label, "reverse bold" if tab.number == self._shown else "")
        return text.append(_MORE_RIGHT if last < len(self._tabs) else "", "dim")

    def _window(self) -> tuple[int, int]:
        """The tabs for which there is room: the shown one, and as many beside it as fit, the newer ones first."""
        if not self._tabs:
            return 0, 0
        at = self._at()
        first, last = at, at + 1
        room = self.content_size.width - len(_MORE_LEFT) - len(_MORE_RIGHT) - cell_len(self._tabs[at].label)
        while True:
            if last < len(self._tabs) and (width := self._width(last)) <= room:
                last += 1
            elif first > 0 and (width := self._width(first - 1)) <= room:
                first -= 1
            else:
                return first, last
            room -= width

    def _width(self, at: int) -> int:
        return len(_GAP) + cell_len(self._tabs[at].label)

    def _at(self) -> int:
        return next((at for at, tab in enumerate(self._tabs) if tab.number == self._shown), 0)

    def on_resize(self) -> None:
        """Another number of tabs may fit."""
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Show the session that was clicked."""
        first, last = self._window()
        x = event.x - (len(_MORE_LEFT) if first else 0)
        for tab in self._tabs[first:last]:
            x -= cell_len(tab.label)
            if x < 0:
                self.post_message(self.Chosen(tab.number))
                return
            x -= len(_GAP)

    # Keys

    def action_step(self, by: int) -> None:
        """The session beside this one; from the last to the first and back."""
        if self._tabs:
            self.post_message(self.Chosen(self._tabs[(self._at() + by) % len(self._tabs)].number))

    def action_end(self, at: int) -> None:
        """The first or the last."""
        if self._tabs:
            self.post_message(self.Chosen(self._tabs[at].number))
