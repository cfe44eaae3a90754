"""Devices with a clock of their own that a test turns: what leaves the converter is known to the sample."""

from __future__ import annotations

from collections.abc import Callable

from tui.audio.devices import AudioUnavailable
from tui.audio.microphone import Microphone, Timed
from tui.audio.player import Fill

BLOCKS_PER_SECOND = 50


class VirtualOutput:
    """An output device that holds some blocks. ``heard`` is what left it, ``silences`` where it fell silent."""

    def __init__(self, rate: int = 24_000, channels: int = 1, blocks: int = 5) -> None:
        self.rate, self.channels = rate, channels
        self.buffer_s = blocks / BLOCKS_PER_SECOND
        self.heard = bytearray()
        self.asked = 0
        """Blocks asked for."""
        self.running = self.closed = False
        self.refuses: AudioUnavailable | None = None
        self.starts = 0
        self._frame = 2 * channels
        self._blocks = blocks
        self._held = bytearray()
        self._frames = 0
        self._fill: Fill | None = None
        self._finished: Callable[[], None] = lambda: None

    def connect(self, fill: Fill, finished: Callable[[], None]) -> VirtualOutput:
        """Open it: what a player gets for ``open_output``."""
        self._fill, self._finished = fill, finished
        return self

    def start(self) -> None:
        """Fill the device's buffer."""
        if self.refuses is not None:
            raise self.refuses
        assert not self.running and not self.closed
        self.running = True
        self.starts += 1
        for _ in range(self._blocks):
            self._ask()

    def abort(self) -> None:
        """Drop the buffer."""
        self.running = False
        self._held.clear()
        self._finished()

    def close(self) -> None:
        """Nothing can be done with it any more."""
        self.running, self.closed = False, True

    def time(self) -> float:
        """The clock."""
        return self._frames / self.rate

    def lose(self) -> None:
        """The device goes away by itself."""
        self.running = False
        self._held.clear()
        self._finished()

    def advance(self, frames: int) -> None:
        """Let so many frames leave the converter; the device asks for the next block when it has room for one."""
        block = self.rate // BLOCKS_PER_SECOND * self._frame
        for _ in range(frames):
            if self.running:
                self.heard += self._held[: self._frame]
                del self._held[: self._frame]
            self._frames += 1
            if self.running and len(self._held) <= block * (self._blocks - 1):
                self._ask()

    def _ask(self) -> None:
        assert self._fill is not None
        block = bytearray(self.rate // BLOCKS_PER_SECOND * self._frame)
        self._fill(memoryview(block), (self._frames + len(self._held) // self._frame) / self.rate)
        self._held += block
        self.asked += 1


class VirtualInput:
    """An input device: a test says what it captures."""

    def __init__(self, rate: int = 24_000, channels: int = 1) -> None:
        self.rate, self.channels, self.name = rate, channels, "a virtual microphone"
        self.opened = 0
        self.started = False
        self.refuses: AudioUnavailable | None = None
        self._take: Callable[[bytes], None] = lambda _: None
        self._finished: Callable[[], None] = lambda: None

    def connect(self, take: Callable[[bytes], None], finished: Callable[[], None]) -> VirtualInput:
        """Open it: what a microphone gets for ``open_input``."""
        self._take, self._finished = take, finished
        self.opened += 1
        return self

    def microphone(self, name: str = "", **_: object) -> Microphone:
        """Make a microphone on it, in the place of the program's own.

        Time stands still for it: between what a test says the device is silent, and a second of that is a dead device.
        """
        return Microphone(name, open_input=self.connect, clock=lambda: 0.0)

    def start(self) -> None:
        """Begin to capture."""
        if self.refuses is not None:
            raise self.refuses
        self.started = True

    def close(self) -> None:
        """Stop."""
        self.started = False
        self._finished()

    def say(self, pcm: bytes) -> None:
        """Capture this."""
        if self.started:
            self._take(pcm)

    def lose(self) -> None:
        """The device goes away by itself."""
        self.started = False
        self._finished()


class TimedInput(VirtualInput):
    """An input device that tells the time with its blocks; a test does it."""

    timed: Timed

    def open(self, timed: Timed, finished: Callable[[], None]) -> VirtualInput:
        """Open it: what is given for ``open_input`` where times are wanted."""
        self.timed = timed
        return self.connect(lambda _: None, finished)
