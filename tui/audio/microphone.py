"""The person's voice: blocks of 20 ms from the input device, while it is open. It is closed unless somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, Kind
from tui.audio.levels import loudness
from tui.audio.resampling import Resampler
from tui.wire import PCM16_RATE

logger = logging.getLogger(__name__)

_DEAD_S: Final = 1.0
"""A device that has not brought a block for so long is lost: PortAudio may not say so."""


class Input(Protocol):
    """A device that captures 16-bit frames."""

    rate: int
    channels: int
    name: str

    def start(self) -> None:
        """Begin to capture. Raises AudioUnavailable."""

    def close(self) -> None:
        """Stop, and give the device back; no block comes any more when it returns."""


class Microphone:
    """Hands PCM16 mono 24 kHz to a sink. Closed means closed: the system's own sign for a live microphone goes out."""

    def __init__(
        self,
        name: str = "",
        *,
        open_input: Callable[[Callable[[bytes], None], Callable[[], None]], Input] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``name``: the device, "" for the default one; ``open_input``: opens something else instead."""
        self.on_lost: Callable[[AudioUnavailable], None] = lambda _: None
        """Called, in a thread of the device's, when it goes away while it is open."""
        self._name = name
        self._open_input = open_input or self._open_portaudio
        self._clock = clock
        self._lock = threading.Lock()
        self._input: Input | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._resampler: Resampler | None = None
        self._mix = 1
        self._block = b""
        self._heard_at = 0.0
        self._failed = False

    def open(self, sink: Callable[[bytes], None]) -> None:
        """Begin to listen. ``sink`` gets the blocks, in the device's thread. May take a second.

        Raises AudioUnavailable.
        """
        with self._lock:
            if self._input is not None:
                return
            if self._failed:
                devices.refresh()
            self._block, self._resampler, self._mix = b"", None, 1
            self._heard_at = self._clock()
            self._sink = sink
            found: Input | None = None
            try:
                found = self._open_input(self._take, self._finished)
                self._mix = found.channels
                if found.rate != PCM16_RATE:
                    self._resampler = Resampler(found.rate, PCM16_RATE)
                found.start()
            except AudioUnavailable as unavailable:
                self._sink, self._failed = None, True
                logger.info("No microphone: %s", unavailable)
                if found is not None:
                    found.close()
                raise
            self._input, self._failed = found, False

    def close(self) -> None:
        """Stop listening: when it returns, the sink gets nothing any more."""
        with self._lock:
            self._sink, found, self._input = None, self._input, None
            self._block = b""
            if found is not None:
                found.close()

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._input is not None

    def level(self) -> float:
        """The loudness of the last block, 0 to 1."""
        return loudness(memoryview(self._block).cast("h")) if self._block else 0.0

    def check(self) -> None:
        """Report a device that has fallen silent without a word; call it every second or so while it is open."""
        if self._input is not None and self._clock() - self._heard_at > _DEAD_S:
            self._finished()

    def _take(self, block: bytes) -> None:
        """Runs in the device's thread."""
        sink = self._sink
        if sink is None:
            return
        self._heard_at = self._clock()
        if self._mix > 1:
            block = mixed(block, self._mix)
        if self._resampler is not None:
            block = self._resampler.feed(block)
        self._block = block
        sink(block)

    def _finished(self) -> None:
        """The stream has stopped; also called when we stop it, and there is nothing to say then."""
        if self._sink is None:
            return
        self._sink, self._failed = None, True
        found = self._input
        # The device's own thread cannot close it.
        threading.Thread(target=self.close, name="azrt-microphone", daemon=True).start()
        logger.warning("The microphone is gone")
        self.on_lost(devices.lost(Kind.MICROPHONE, found.name if found is not None else ""))

    def _open_portaudio(self, take: Callable[[bytes], None], finished: Callable[[], None]) -> Input:
        from tui.audio.portaudio import PortAudioInput

        return PortAudioInput(take, finished, name=self._name)


def mixed(block: bytes, channels: int) -> bytes:
    """The mean of all channels of 16-bit frames."""
    import numpy as np

    frames = np.frombuffer(block, dtype="<i2").reshape(-1, channels)
    return bytes(frames.mean(axis=1).astype("<i2").tobytes())
