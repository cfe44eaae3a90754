"""The pseudo-terminal of the end-to-end tests, for measuring: it takes what comes at once, and draws it afterwards."""

from __future__ import annotations

import os
import select
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.figures import NotMeasuredError
from tests.support.terminal import PATIENCE_S, Terminal

REPOSITORY = Path(__file__).parents[2]

_CHUNK = 65536

_QUESTION = b"\x1b[6n"
"""Asks where the cursor is."""

CURSOR_AT = b"\x1b[12;40R"
"""A reply to that."""

_SLOW_STEP_S = 0.01
"""What a slow line carries at once, as time."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read gave."""

    at: float
    """When it was read, in monotonic seconds."""
    cpu: float
    """Processor time of the program until then, in seconds."""
    data: bytes


class Meter(Terminal):
    """A program in a pseudo-terminal of 120 x 40, in a home of its own, with the time of each piece of its output.

    Nothing is drawn while it reads, so that drawing takes no time from what is measured; :meth:`moments` does it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        bytes_per_s: float | None = None,
    ) -> None:
        """``bytes_per_s`` makes it read no faster than that, as over a slow line."""
        self._bytes_per_s = bytes_per_s
        self.pieces: list[Piece] = []
        self._drawn = 0
        self._tail = b""
        self._home = tempfile.TemporaryDirectory(prefix="azrt-bench-")
        self.started = time.monotonic()
        """Just before the fork."""
        super().__init__(
            command,
            home=Path(self._home.name),
            size=(120, 40),
            environment={"PYTHONPATH": str(REPOSITORY), **(environment or {})},
        )

    @classmethod
    def module(
        cls,
        name: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        bytes_per_s: float | None = None,
    ) -> Self:
        """Run ``python -m name`` with these arguments."""
        command = [sys.executable, "-m", name, *arguments]
        return cls(command, environment=environment, bytes_per_s=bytes_per_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._home.cleanup()

    @property
    def home(self) -> Path:
        """The person's home, and the program's working directory."""
        return Path(self._home.name)

    @property
    def text(self) -> str:
        """The screen, with all that was read."""
        for _ in self.moments():
            pass
        return super().text

    @property
    def cpu(self) -> float:
        """Processor time of the program until now, in seconds."""
        return cpu_of(self.pid)

    def read(self, seconds: float) -> None:
        """Take what the program writes for so long."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._master], [], [], left)
            if not ready:
                return
            try:
                data = os.read(self._master, int(self._bytes_per_s * _SLOW_STEP_S) if self._bytes_per_s else _CHUNK)
            except OSError:  # the program has closed its side
                return
            if self._bytes_per_s:
                time.sleep(len(data) / self._bytes_per_s)
            self.pieces.append(Piece(time.monotonic(), cpu_of(self.pid), data))
            for _ in range((self._tail + data).count(_QUESTION)):
                self.reply()
            # The end of this may be the beginning of a question, but never a whole one.
            self._tail = (self._tail + data)[1 - len(_QUESTION) :]

    def reply(self) -> None:
        """Say where the cursor is, as every terminal does. Nothing is drawn yet, so it says any place."""
        os.write(self._master, CURSOR_AT)

    def moments(self) -> Iterator[Piece]:
        """Draw what was read and not drawn yet, piece by piece."""
        while self._drawn < len(self.pieces):
            piece = self.pieces[self._drawn]
            self._drawn += 1
            self._stream.feed(piece.data)
            yield piece

    def line(self, row: int) -> str:
        """One line of the screen as drawn so far."""
        cells = self.screen.buffer[row]
        return "".join(cells[column].data for column in range(self.columns))

    def row_with(self, text: str) -> int:
        """The row that shows a text."""
        for row in range(self.rows):
            if text in self.line(row):
                return row
        raise NotMeasuredError(f"the screen does not show {text!r}")

    def read_until_written(self, what: bytes) -> None:
        """Read until the program has written these bytes, without drawing. For text that one style covers."""
        deadline = time.monotonic() + PATIENCE_S
        seen, tail = 0, b""
        while time.monotonic() < deadline:
            new = b"".join(piece.data for piece in self.pieces[seen:])
            seen = len(self.pieces)
            if what in tail + new:
                return
            tail = (tail + new)[-len(what) :]
            self.read(0.01)
        raise NotMeasuredError(f"the program never wrote {what!r}")

    def bytes_between(self, start: float, end: float) -> int:
        """Bytes that were read in this stretch of monotonic time."""
        return sum(len(piece.data) for piece in self.pieces if start <= piece.at < end)


def cpu_of(pid: int) -> float:
    """Processor time of another process, all its threads, in seconds.

    Raises NotMeasuredError where the system has no clock for that: only Linux has.
    """
    if sys.platform != "linux":
        raise NotMeasuredError("the processor time of another process is measured on Linux only")
    # What clock_getcpuclockid(3) gives: Python does not wrap it.
    return time.clock_gettime((~pid << 3) | 2)
