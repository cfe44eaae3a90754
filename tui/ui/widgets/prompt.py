"""The text input: enter sends, ctrl+j begins a new line, up and down walk the history."""

from __future__ import annotations

import re
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.widgets import TextArea

from tui.ui import bindings
from tui.ui.terminal.key_order import OrderedKeys

HISTORY_LENGTH = 200

_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # a colour, a movement: all of it, as CSI sequences are in ECMA-48
    r"|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)"  # a title, a link
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]"
)
"""What controls a terminal: escape sequences, control characters but tab and newline. And surrogates, no text."""


class Prompt(OrderedKeys, TextArea):
    """A growing text input with a history."""

    BINDINGS: ClassVar[list[BindingType]] = bindings.PROMPT

    class Submitted(Message):
        """The person sends this."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(
            id=id,
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            compact=True,
            highlight_cursor_line=False,
            placeholder="Type a message",
        )
        self.cursor_blink = False  # nothing blinks, and an idle screen writes nothing
        self._history: list[str] = []
        self._at = 0
        self._draft = ""

    def action_submit(self) -> None:
        """Send what is there, unless it is blank."""
        text = self.text.strip()
        if not text:
            return
        if not self._history or self._history[-1] != text:
            self._history.append(text)
            del self._history[:-HISTORY_LENGTH]
        self._at = len(self._history)
        self.clear()
        self.post_message(self.Submitted(text))

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    def action_history(self, step: int) -> None:
        """Move the cursor by a line; beyond the first or last line, bring an earlier or later message."""
        if step < 0 and not self.navigator.is_first_wrapped_line(self.cursor_location):
            self.action_cursor_up()
            return
        if step > 0 and not self.navigator.is_last_wrapped_line(self.cursor_location):
            self.action_cursor_down()
            return
        at = self._at + step
        if not 0 <= at <= len(self._history):
            return
        if self._at == len(self._history):
            self._draft = self.text
        self._at = at
        self.text = self._draft if at == len(self._history) else self._history[at]
        self.move_cursor(self.document.end)

    def on_paste(self, event: events.Paste) -> None:
        """Several lines stay several lines, and nothing is sent. What controls a terminal is left out."""
        event.text = _CONTROLS.sub("", event.text.replace("\r\n", "\n").replace("\r", "\n"))
