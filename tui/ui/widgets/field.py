"""A one-line text field that draws only what can be drawn, and can keep a secret."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from tui.ui.terminal.key_order import OrderedKeys
from tui.ui.text import cleaned

MAX_LENGTH = 8192
"""Characters: more than the longest token that serves as a key."""


class Field(OrderedKeys, Input):
    """A text field without a border. Control characters in pasted text are left out; a secret is never copied."""

    def __init__(self, *, id: str, placeholder: str = "", secret: bool = False) -> None:
        super().__init__(id=id, placeholder=placeholder, password=secret, compact=True, max_length=MAX_LENGTH)
        self.cursor_blink = False  # nothing blinks, and an idle screen writes nothing

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line that is not blank, without what cannot be drawn."""
        lines = (cleaned(line).strip() for line in event.text[: 2 * MAX_LENGTH].splitlines())
        event.text = next((line for line in lines if line), "")

    def action_copy(self) -> None:
        """Copy the selected text, unless it is a secret."""
        if not (self.password and self.selected_text):
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selected text; a secret is only removed."""
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()
