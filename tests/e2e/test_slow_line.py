"""Over a line that is slower than what there is to draw, keys are answered, and in the end the screen is whole."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import termios
import threading
import tty

import pytest

from tests.bench.far_end import FarEnd
from tests.bench.keys import KEY
from tests.bench.terminal import CURSOR_AT, Meter

pytestmark = pytest.mark.e2e

FAR_S = 0.3
"""There and back to a terminal that is far away."""

LINE = 16_000
"""Bytes a second."""

RATE = 1_000
"""Events a second: ten times what such a line could carry as rows."""


class FarTerminal(Meter):
    """Its replies take a while, and behind the third question its person quits."""

    asked = 0
    late: threading.Timer

    def reply(self) -> None:
        self.asked += 1
        self.late = threading.Timer(FAR_S, os.write, (self._master, CURSOR_AT))
        self.late.start()
        if self.asked == 3:
            self.press("ctrl+q")

    @property
    def typed_and_not_read(self) -> int:
        """Bytes that the next program in this terminal would take for keys."""
        tty.setraw(self._slave, termios.TCSANOW)
        (count,) = struct.unpack("i", fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)))
        return int(count)


def received(terminal: Meter) -> int:
    """How many events the status strip counts."""
    counted = re.search(r"↓ ([\d,]+)", terminal.line(0))
    assert counted is not None, terminal.text
    return int(counted[1].replace(",", ""))


def read_all(terminal: Meter) -> None:
    """Read until nothing more comes."""
    pieces = -1
    while len(terminal.pieces) > pieces:
        pieces = len(terminal.pieces)
        terminal.read(1.0)


def test_a_slow_line_gets_everything_in_the_end_and_keys_before() -> None:
    with FarEnd() as far_end, Meter.module("tui", "--url", far_end.url, environment=KEY, bytes_per_s=LINE) as terminal:
        terminal.wait_for("● connected")
        far_end.stream(RATE, "typed")
        terminal.wait_for(lambda _: received(terminal) > 500)
        terminal.type("abc")
        terminal.wait_for("│ abc ")
        before = received(terminal)
        terminal.wait_for(lambda _: received(terminal) > before)
        far_end.stream(0)
        terminal.wait_for("   0/s")
        read_all(terminal)
        shown = terminal.text
        assert "│ abc " in shown, "nothing that the terminal said by itself was typed"
        terminal.resize(119, 40)
        terminal.wait_for(lambda screen: screen.splitlines()[3].endswith("│"))
        read_all(terminal)
        terminal.resize(120, 40)  # both times everything is drawn anew
        terminal.wait_for(shown)
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert b"Traceback" not in b"".join(piece.data for piece in terminal.pieces)


def test_a_reply_that_is_on_its_way_at_the_end_is_waited_for() -> None:
    flood = ("tests.bench.inside.flood", "pane", "spoken", str(RATE), "10")
    with FarTerminal.module(*flood) as terminal:
        assert terminal.wait_until_ended() == 0
        assert terminal.asked >= 3
        terminal.late.join()
        assert terminal.typed_and_not_read == 0
