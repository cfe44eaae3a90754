"""What one connection saw, kept for tests and for whoever wants to compare notes."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

MAX_LOG = 16 * 1024 * 1024
"""Characters that one connection's log keeps before it drops the oldest frames."""


@dataclass(frozen=True)
class Frame:
    """One message as it stood on the wire, and when (`time.monotonic()`)."""

    direction: Literal["received", "sent"]
    at: float
    data: str | bytes


@dataclass
class SessionLog:
    """What one connection saw: every frame both ways, up to `MAX_LOG` characters of them.

    `close_code` is None while the connection is open; `dropped` counts the frames that no longer fit.
    """

    model: str
    dropped: int = 0
    close_code: int | None = None
    frames: deque[Frame] = field(default_factory=deque, repr=False)
    _size: int = field(default=0, init=False, repr=False)

    def add(self, direction: Literal["received", "sent"], data: str | bytes) -> None:
        """Remember a frame."""
        self.frames.append(Frame(direction, time.monotonic(), data))
        self._size += len(data)
        while self._size > MAX_LOG:
            self._size -= len(self.frames.popleft().data)
            self.dropped += 1

    @property
    def received(self) -> list[str | bytes]:
        """The messages the client sent, in order."""
        return [frame.data for frame in self.frames if frame.direction == "received"]

    @property
    def sent(self) -> list[str | bytes]:
        """The messages this server sent, in order; bytes where a fault sent something else than an event."""
        return [frame.data for frame in self.frames if frame.direction == "sent"]
