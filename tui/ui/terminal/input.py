"""What the terminal sends, taken apart so that nothing in it can end the program or send a message by itself.

Textual's own loop ends the program at the first byte that is not UTF-8, which is one key on a terminal with another
encoding, and at a few malformed sequences. And it looks for keys inside what is pasted: behind an escape character,
which coloured text is full of, a line break would be an enter, and send half of it.
"""

from __future__ import annotations

import os
import re
import select
from codecs import getincrementaldecoder
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Generic

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ReturnType
from textual.drivers.linux_driver import LinuxDriver

from tui.ui.terminal.signals import HUNG_UP, end

if TYPE_CHECKING:
    from textual.driver import Driver
    from textual.message import Message

_PASTE_BEGINS: Final = "\x1b[200~"
_PASTE_ENDS: Final = "\x1b[201~"

_CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-LN-Z\\-~]")
"""A control sequence. Behind ``[`` and ``M`` comes more: keys of the Linux console, and the mouse of an old xterm."""

_BLOCK: Final = 1 << 16
"""Bytes that are read at once, at most."""

_TICK_S: Final = 0.1
"""How often to look whether an escape was the key, and not the beginning of a sequence."""


class Keyboard:
    """Bytes from a terminal to Textual's messages. What is not UTF-8 becomes U+FFFD, one for each byte or so."""

    def __init__(self, debug: bool = False) -> None:
        """``debug`` is Textual's: whether keys are logged."""
        self._debug = debug
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser(debug)
        self._pasted: list[str] | None = None
        """What was pasted so far; None while nothing is."""
        self._end = ""
        """The end of what was read last, where it may be the beginning of a bracket."""
        self._begun = ""
        """A sequence whose end has still to come, as far as it was read."""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take bytes, and give what they mean."""
        text = self._decode(data)
        while text:
            bracket = _PASTE_BEGINS if self._pasted is None else _PASTE_ENDS
            begun = self._end
            before, found, text = (begun + text).partition(bracket)
            self._end = "" if found else _beginning(before, bracket)
            if self._pasted is not None:
                self._pasted.append(before.removesuffix(self._end))
                if found:
                    yield events.Paste("".join(self._pasted).replace("\0", ""))
                    self._pasted = None
                continue
            yield from self._keys(before[len(begun) :])
            if found:
                # The parser had the beginning at once: an escape may be the key, and that one must not wait.
                if len(before) >= len(begun):
                    yield from self._parser.feed("")  # its end: what it still held were keys
                self._renew()
                self._pasted = []

    def tick(self) -> Iterator[Message]:
        """Nothing came for a moment: an escape was the key."""
        if self._pasted is None:
            self._end = ""
            yield from self._parser.tick()
            if not self._in_sequence:
                self._begun = ""

    def _keys(self, text: str) -> Iterator[Message]:
        for piece in re.split("(?=\x1b)", text):
            begun = "" if piece.startswith("\x1b") else self._begun
            control = _CONTROL.match(begun + piece)
            end = control.end() - len(begun) if control else 0
            yield from self._parsed(piece[:end])
            if control and self._in_sequence:  # nothing that Textual knows: it would be typed
                self._renew()
            yield from self._parsed(piece[end:])
            self._begun = begun + piece if self._in_sequence else ""

    def _parsed(self, text: str) -> Iterator[Message]:
        if not text:
            return
        try:
            yield from self._parser.feed(text)
        except (ArithmeticError, ValueError, LookupError):  # numbers that no terminal sends
            self._renew()

    @property
    def _in_sequence(self) -> bool:
        return self._parser._awaiting.timeout is not None

    def _renew(self) -> None:
        """A parser that has nothing, in place of one that has ended or has half a sequence."""
        old, self._parser = self._parser, XTermParser(self._debug)
        self._parser.mouse_pixels = old.mouse_pixels
        self._parser.terminal_size = old.terminal_size
        self._parser.terminal_pixel_size = old.terminal_pixel_size


def _beginning(text: str, bracket: str) -> str:
    """The end of ``text`` that ``bracket`` begins with, "" for none."""
    ends = (bracket[:length] for length in range(len(bracket) - 1, 0, -1))
    return next((end for end in ends if text.endswith(end)), "")


class ReadingDriver(LinuxDriver):
    """Textual's driver, with another loop that reads. It ends the app when the terminal is gone."""

    def run_input_thread(self) -> None:
        """Read until the driver stops."""
        keyboard = Keyboard(self._debug)
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], _TICK_S)[0]:
                data = self._read()
                if not data:
                    self._app.call_later(end, self._app, HUNG_UP)
                    return
                for message in keyboard.feed(data):
                    self.process_message(message)
            else:
                for message in keyboard.tick():
                    self.process_message(message)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _BLOCK)
        except OSError:
            return b""


class ReadingApp(App[ReturnType], Generic[ReturnType]):
    """An app that survives what terminals send."""

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, or ours in place of the one for Linux and macOS."""
        driver = super().get_driver_class()
        return ReadingDriver if driver is LinuxDriver else driver
