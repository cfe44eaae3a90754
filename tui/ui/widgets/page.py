"""A page to scroll through, at once and by keys that a person can map."""

from __future__ import annotations

from textual.containers import VerticalScroll


class Page(VerticalScroll, inherit_bindings=False):
    """Scrolls by the keys of its screen only: Textual's own could not be mapped, and glide for a second."""

    def go(self, where: str) -> None:
        """Scroll: ``up``, ``down``, ``page_up``, ``page_down``, ``home`` or ``end``."""
        move = {
            "up": self.scroll_up,
            "down": self.scroll_down,
            "page_up": self.scroll_page_up,
            "page_down": self.scroll_page_down,
            "home": self.scroll_home,
            "end": self.scroll_end,
        }[where]
        move(animate=False)
