"""One line that says which pane is shown, where there is room for one only."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

_TABS = (("transcript", "Conversation"), ("events", "Events"))


class PaneTabs(Widget):
    """``Conversation │ Events``, the shown one marked; a click shows the other."""

    shown: reactive[str] = reactive("transcript")
    """``transcript`` or ``events``."""

    class Chosen(Message):
        """The person wants this pane."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._states = {pane: "" for pane, _ in _TABS}

    def say(self, pane: str, text: str) -> None:
        """What a pane is doing: shown here where the screen is too low for the pane's frame."""
        self._states[pane] = text
        self.refresh()

    def render(self) -> Text:
        """The line."""
        text = Text(no_wrap=True, overflow="ellipsis")
        for number, (pane, name) in enumerate(_TABS):
            if number:
                text.append(" │ ", "dim")
            text.append(f" {name} ", "reverse bold" if pane == self.shown else "dim")
        state = self._states[self.shown] if self.screen.has_class("-low") else ""
        room = self.content_size.width - text.cell_len
        for said in (state, state.partition(" ")[0]):
            if said and cell_len(said) < room:
                text.append(said.rjust(room))
                break
        return text

    def on_click(self, event: events.Click) -> None:
        """Show the pane that was clicked."""
        self.post_message(self.Chosen("transcript" if event.x < len(" Conversation ") + 2 else "events"))
