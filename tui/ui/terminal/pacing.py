"""Whether the terminal keeps up with what is drawn, and how much may be written at once.

Between the program and a terminal far away lie buffers that hold minutes of a slow line: the kernel's, sshd's, the
network's. Writing never blocks there, and the answer to a key would stand behind everything that was drawn before. So
the terminal is asked now and then where its cursor is (DSR 6, which terminals have answered since the VT100): the reply
says that it has drawn what was written before the question. While a reply is overdue nothing is drawn that nobody
pressed a key for, and what is drawn then is no more than the line takes in a tenth of a second.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App, ReturnType
from textual.driver import Driver

from tui.ui.terminal.input import ReadingApp

if TYPE_CHECKING:
    from textual.message import Message

RETRY_S = 0.03
"""How long to wait before asking again whether the terminal is busy."""

QUESTION: Final = "\x1b[6n"

_WORTH_ASKING = 1_000
"""Characters that are written between two questions, at least: what is less is on its way for a moment only."""

_OFTEN_S = 0.1
"""Between two questions, while the line is fast: a reply takes processor time, too."""

_ROOM_S = 0.1
"""How long a key may have to wait for what is on the line before its answer."""

_LEAST = 400
"""Characters that are written at once over the slowest line: two rows or three."""

_PLENTY = 20_000
"""Characters at once that need no limit: more than most screens have."""

_PATIENCE_S = 3.0
"""How long drawing waits for a reply."""

_LOST_S = 30.0
"""After this a question has no reply any more: another one may be asked, and is not taken for it."""

_GOODBYE_S = 2.5
"""How long the end of the program waits for the last reply, which would otherwise be typed into the shell."""

_SILENCE_S = 1.0
"""How long a question may be old for that on a terminal that has never replied."""

_MODIFIED_F3_COLUMNS = range(2, 17)
"""Of a reply in the first row: xterm sends F3 with a modifier as one, with the modifiers' number as the column."""


class Pace:
    """What the replies of one terminal say about its line. One thread writes and asks, another hears the replies.

    A terminal that has never replied is not waited for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._written = 0
        """Characters since the last question."""
        self._next_at = -math.inf
        """When there may be another question."""
        self._asked: tuple[float, int] | None = None
        """When the question was asked whose reply is due, and the characters before it."""
        self._way_s = math.inf
        """There and back on an empty line, as the quickest reply says; infinite before the first."""
        self._allowance = _PLENTY
        self._changed = threading.Condition()

    @property
    def allowance(self) -> int | None:
        """Characters that may be written at once; None when there is no need to count."""
        return None if self._allowance >= _PLENTY else self._allowance

    @property
    def busy(self) -> bool:
        """Whether the terminal has still to draw what was written. A fast one never has, however far away it is."""
        with self._changed:
            if self._asked is None or math.isinf(self._way_s):
                return False
            waited_s = self._clock() - self._asked[0]
            at_once_s = self._way_s + _ROOM_S if self.allowance is None else 0.0
            return at_once_s <= waited_s < _PATIENCE_S

    def wrote(self, characters: int) -> None:
        """So much was written."""
        self._written += characters

    def ask(self) -> bool:
        """Whether to ask the terminal now, which is then taken as done. The first time always: the line is empty."""
        with self._changed:
            now = self._clock()
            first = math.isinf(self._next_at)
            if now < self._next_at or not (first or self._written >= _WORTH_ASKING):
                return False
            self._asked = now, self._written
            self._written = 0
            self._next_at = now + _LOST_S
            return True

    def heard(self) -> None:
        """The terminal has replied."""
        with self._changed:
            if self._asked is None:
                return
            asked_at, characters = self._asked
            self._asked = None
            now = self._clock()
            took_s = now - asked_at
            self._way_s = min(self._way_s, took_s)
            line_s = took_s - self._way_s
            if line_s > _ROOM_S:
                self._allowance = min(self._allowance, int(characters * _ROOM_S / line_s))
                if self._allowance < _LEAST:
                    # Writing less does not help: the terminal is further away than it was.
                    self._allowance = _LEAST
                    self._way_s = took_s
            elif line_s < _ROOM_S / 2 and characters * 4 > self._allowance:
                self._allowance = min(_PLENTY, self._allowance * 2)
            self._next_at = now if self.allowance is not None else asked_at + _OFTEN_S
            self._changed.notify_all()

    def wait_for_reply(self) -> None:
        """Wait a moment for the reply that is due, if any; no longer for a terminal that may never reply. Then it is
        taken for lost.
        """
        with self._changed:
            if self._asked is None:
                return
            waited_s = self._clock() - self._asked[0]
            left_s = _SILENCE_S - waited_s if math.isinf(self._way_s) else _GOODBYE_S
            self._changed.wait_for(lambda: self._asked is None, max(0.0, left_s))
            self._asked = None


class PacedDriver(Driver):
    """Asks the terminal and hears its replies. To be mixed into one of Textual's drivers."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.pace = Pace()
        self._asks = False

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        super().start_application_mode()  # type: ignore[safe-super]  # the other driver has it, as all below
        # Not before: the kernel would echo the reply. And behind Textual's questions, so that theirs come before it.
        self._asks = getattr(self, "input_tty", not self.is_headless)  # the reply must come to us
        self.flush()

    def disable_input(self) -> None:
        """Read no more."""
        self._asks = False
        self.pace.wait_for_reply()
        super().disable_input()  # type: ignore[safe-super]

    def write(self, data: str) -> None:
        """Write to the terminal."""
        self.pace.wrote(len(data))
        super().write(data)  # type: ignore[safe-super]

    def flush(self) -> None:
        """What was written is complete."""
        super().flush()
        if self._asks and self.pace.ask():
            x, y = self._app._previous_cursor_position
            # From the corner: from elsewhere in the first row the reply would look like a key.
            super().write(f"\x1b[H{QUESTION}\x1b[{y + 1};{x + 1}H")  # type: ignore[safe-super]

    def process_message(self, message: Message) -> None:
        """Take what the terminal sends. Runs in the thread that reads it."""
        if isinstance(message, events.CursorPosition):
            row, column = message.y + 1, message.x + 1
            if row == 1 and column in _MODIFIED_F3_COLUMNS:
                for key in XTermParser().feed(f"\x1b[13;{column}~"):  # as Kitty's protocol has it
                    super().process_message(key)
            else:
                self.pace.heard()
        else:
            super().process_message(message)


class PacedApp(ReadingApp[ReturnType], Generic[ReturnType]):
    """An app that knows how fast its terminal is."""

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, which asks the terminal."""
        return type("PacedTerminal", (PacedDriver, super().get_driver_class()), {})


def is_busy(app: App[Any]) -> bool:
    """True while something that was drawn waits for the terminal to take what was drawn before.

    Textual writes in a thread, through a queue of 30 frames. On a slow line such a queue is many seconds long, and
    the answer to every key waits at its end. Only what the session reports can wait outside it, and shrinks there.
    """
    driver = app._driver
    writer = getattr(driver, "_writer_thread", None)
    return (isinstance(driver, PacedDriver) and driver.pace.busy) or (writer is not None and not writer._queue.empty())


def allowance(app: App[Any]) -> int | None:
    """Characters that may be written at once; None when there is no need to count."""
    driver = app._driver
    return driver.pace.allowance if isinstance(driver, PacedDriver) else None
