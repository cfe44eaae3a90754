"""One line that says which pane is shown, where there is room for one only."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


class PaneTabs(Widget):
    """``Conversation │ Events``, the shown one marked; a click shows the other."""

    shown: reactive[str] = reactive("transcript")
    """``transcript`` or ``events``."""

    class Chosen(Message):
        """The person wants this pane."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def render(self) -> Text:
        """The line."""
        text = Text()
        for number, (pane, name) in enumerate((("transcript", "Conversation"), ("events", "Events"))):
            if number:
                text.append(" │ ", "dim")
            text.append(f" {name} ", "reverse bold" if pane == self.shown else "dim")
        return text

    def on_click(self, event: events.Click) -> None:
        """Show the pane that was clicked."""
        self.post_message(self.Chosen("transcript" if event.x < len(" Conversation ") + 2 else "events"))
