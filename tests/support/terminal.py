"""A real pseudo-terminal with a screen that can be read: the program runs in it as it does for a person."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pyte

PATIENCE_S = 60.0
"""How long anything may take on a loaded machine before a test gives up: a bound on hanging, not a measure."""

KEYS = {
    "enter": b"\r",
    "escape": b"\x1b[27u",  # the Kitty protocol's: a bare ESC takes the next byte along where the machine is slow
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "space": b" ",
    "backspace": b"\x7f",
    "f1": b"\x1bOP",
    "f2": b"\x1bOQ",
    "f3": b"\x1bOR",
    "f4": b"\x1bOS",
    "f5": b"\x1b[15~",
    "f9": b"\x1b[20~",
    **{f"ctrl+{letter}": bytes([ord(letter) & 0x1F]) for letter in "abcdefghijklmnopqrstuvwxyz"},
}


class _Screen(pyte.Screen):
    """pyte's screen, deaf to the requests that Textual makes of a terminal."""

    def report_device_status(self, mode: int, **kwargs: object) -> None:
        """Answer nothing: the answers would arrive as keys."""

    def report_device_attributes(self, mode: int = 0, **kwargs: object) -> None:
        """Answer nothing."""


def clean_environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without settings, keys or a person's folders."""
    keep = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "LC_ALL", "PYTHONPATH"}}
    return {
        **keep,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "AZRT_MODALITY": "text",  # the machine may have a loudspeaker, and somebody may sit beside it
        **(extra or {}),
    }


class Terminal:
    """A program in a pseudo-terminal. Use it as a context manager: it ends the program, whatever happened."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        home: Path,
        size: tuple[int, int] = (120, 36),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """``size`` is columns, rows; ``home`` is both the working directory and the person's home."""
        self.columns, self.rows = size
        self.screen = _Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self.screen)
        self.output = bytearray()
        """Everything the program wrote."""
        self.status: int | None = None
        """Exit code, or minus the signal's number."""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        self._slave = slave
        self.modes_before = termios.tcgetattr(slave)
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._master)
            os.login_tty(slave) if hasattr(os, "login_tty") else _login_tty(slave)
            os.chdir(home)
            os.execve(command[0], list(command), clean_environment(home, environment))

    @classmethod
    def azrt(
        cls,
        *arguments: str,
        home: Path,
        size: tuple[int, int] = (120, 36),
        environment: Mapping[str, str] | None = None,
    ) -> Terminal:
        """Run azrt-tui with these arguments."""
        return cls([sys.executable, "-m", "tui", *arguments], home=home, size=size, environment=environment)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.status is None:
            self.kill(signal.SIGKILL)
            self._reap(os.WNOHANG)
            deadline = time.monotonic() + PATIENCE_S
            while self.status is None and time.monotonic() < deadline:
                self.read(0.05)
                self._reap(os.WNOHANG)
        for descriptor in (self._master, self._slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._master = self._slave = -1

    @property
    def text(self) -> str:
        """The screen, a line each, without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def type(self, text: str) -> None:
        """Type characters."""
        self.send(text.encode())

    def send(self, data: bytes) -> None:
        """Send bytes, as a terminal does."""
        os.write(self._master, data)

    def press(self, *keys: str) -> None:
        """Press keys by name."""
        for key in keys:
            os.write(self._master, KEYS.get(key) or key.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size."""
        self.columns, self.rows = columns, rows
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.kill(signal.SIGWINCH)

    def kill(self, number: int) -> None:
        """Send a signal."""
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass  # it has just ended by itself

    def hang_up(self) -> None:
        """The terminal goes away, as when an SSH connection drops."""
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1

    def read(self, seconds: float) -> None:
        """Take what the program writes in the next moments."""
        deadline = time.monotonic() + seconds
        while self._master >= 0:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._master], [], [], max(0.0, left))
            if not ready:
                return
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            self.output += data
            self._stream.feed(data)

    def wait_for(self, what: str | Callable[[str], bool], *, patience: float = PATIENCE_S) -> str:
        """Read until the screen shows a text, or satisfies a function; return the screen."""
        shows = (lambda screen: what in screen) if isinstance(what, str) else what
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if shows(self.text):
                return self.text
            self.read(0.05)
            self._reap(os.WNOHANG)
            if self.status is not None:
                self.read(0.2)
                if shows(self.text):
                    return self.text
                break
        raise AssertionError(f"the screen never showed {what!r} (exit {self.status}):\n{self.text}")

    def wait_until_ended(self, patience: float = PATIENCE_S) -> int:
        """Read until the program has ended; return its exit code."""
        deadline = time.monotonic() + patience
        while self.status is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running:\n{self.text}")
            if self._master >= 0:
                self.read(0.05)
            else:
                time.sleep(0.05)
            self._reap(os.WNOHANG)
        if self._master >= 0:
            self.read(0)  # all that it wrote is there by now
        return self.status

    def modes_now(self) -> list[object]:
        """The terminal's modes, to compare with :attr:`modes_before`."""
        return termios.tcgetattr(self._slave)

    def _reap(self, options: int) -> None:
        pid, status = os.waitpid(self.pid, options) if self.status is None else (0, 0)
        if pid:
            self.status = os.waitstatus_to_exitcode(status)


def _login_tty(slave: int) -> None:
    """What :func:`os.login_tty` does, for Python 3.11."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    if slave > 2:
        os.close(slave)
