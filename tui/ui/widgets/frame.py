"""The frame around a pane: a name above, and below what the pane is doing."""

from __future__ import annotations

from typing import Any

from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Region


class Frame(Vertical):
    """A frame whose edges can say something new without the pane being drawn anew."""

    def __init__(self, *, title: str = "", id: str | None = None) -> None:
        self._said = self._headed = ""
        self._title = title
        self._quiet = False
        super().__init__(id=id, classes="frame")
        self.border_title = Content(title)

    def say(self, text: str) -> None:
        """Show this in the lower edge."""
        if text != self._said:
            self._said = text
            self._write("border_subtitle", text, self.size.height)

    def head(self, text: str) -> None:
        """Show this behind the name, in the upper edge; "" for the name alone."""
        if text != self._headed:
            self._headed = text
            self._write("border_title", f"{self._title} · {text}" if text else self._title, -1)

    def refresh(self, *regions: Region, **options: Any) -> Frame:
        """Draw these regions anew, or everything, unless only an edge has changed, which sees to itself."""
        return self if self._quiet else super().refresh(*regions, **options)

    def _write(self, edge: str, text: str, y: int) -> None:
        # Setting a border's text draws the whole widget anew, and so everything in it: 2,000 cells for a counter.
        self._quiet = True
        try:
            setattr(self, edge, Content(text))
        finally:
            self._quiet = False
        self.refresh(Region(-1, y, self.outer_size.width, 1))
