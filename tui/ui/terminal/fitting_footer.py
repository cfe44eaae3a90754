"""The keys below the screen, as many as fit."""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_LEAST = ("next_pane(1)", "app.toggle_microphone", "command_palette")
"""What goes first where there is no room: keys that stand elsewhere on the screen, or in the help."""

_KEPT = ("dismiss", "leave")
"""What goes last: the way back."""


class FittingFooter(Footer):
    """A footer that leaves out what is needed least, where Textual would cut off what happens to be the last."""

    def compose(self) -> ComposeResult:
        """The keys that fit."""
        keys = list(super().compose())
        room = self.app.size.width + 1  # the last key needs no gap
        for action in _LEAST:
            if sum(map(_width, keys)) > room:
                keys = [key for key in keys if _action(key) != action]
        for key in reversed(keys.copy()):
            if sum(map(_width, keys)) > room and len(keys) > 1 and _action(key) not in _KEPT:
                keys.remove(key)
        yield from keys

    def on_resize(self, event: events.Resize) -> None:
        """Other keys may fit now."""
        self.refresh(recompose=True)


def _action(key: Widget) -> str:
    return key.action if isinstance(key, FooterKey) else ""


def _width(key: Widget) -> int:
    """Cells of a key with its words, and the gap behind it."""
    return cell_len(f"{key.key_display} {key.description} ") if isinstance(key, FooterKey) else 0
