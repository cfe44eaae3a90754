"""The person's voice: blocks of 20 ms from the input device, while it is open. It is closed unless somebody asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from tui.audio import devices
from tui.audio.devices import AudioUnavailable, DeviceMissing, Kind
from tui.audio.levels import loudness
from tui.audio.resampling import Resampler
from tui.wire import PCM16_BYTES_PER_SECOND, PCM16_RATE

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


Timed = Callable[[bytes, float], None]
"""Takes a block of 16-bit frames, of which the first entered the converter at a time of the sound system's clock."""

OpenTimed = Callable[[Timed, Callable[[], None]], Input]
"""Opens a device that brings blocks with their times, and calls the second when it stops. Raises AudioUnavailable."""


class Through(Protocol):
    """What has to do with a device's blocks before the microphone gets them."""

    def open(self, take: Callable[[bytes], None], finished: Callable[[], None], open_input: OpenTimed) -> Input:
        """Open a device by ``open_input``; ``take`` and ``finished`` are the microphone's. Raises AudioUnavailable."""


class Microphone:
    """Hands PCM16 mono 24 kHz to a sink. Closed means closed: the system's own sign for a live microphone goes out."""

    def __init__(
        self,
        name: str = "",
        *,
        or_default: bool = False,
        open_input: Callable[[Callable[[bytes], None], Callable[[], None]], Input] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to listen.

        Args:
            name: the device, "" for the default one.
            or_default: whether the default one is used when there is none of that name.
            open_input: opens something else instead.
            clock: seconds.
        """
        self.on_lost: Callable[[AudioUnavailable], None] = lambda _: None
        """Called, in a thread of the device's, when it goes away while it is open."""
        self.through: Through | None = None
        """What the device's blocks go through on their way here, from the next opening on."""
        self.on_other: Callable[[str], None] = lambda _: None
        """Called, from any thread, with what to say when another device is used than the one that was chosen."""
        self._name = name
        self._or_default = or_default
        self._given = open_input
        self._open_input = open_input or self._open_portaudio
        self._clock = clock
        self._input: Input | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._released: Callable[[bytes], None] | None = None
        """The sink, while the device is given back for a moment."""
        self._resampler: Resampler | None = None
        self._mix = 1
        self._block = b""
        self._heard_at = 0.0
        self._zeros: int | None = None  # bytes of them since it was opened; None once anything else came
        self.problem: AudioUnavailable | None = None
        """Why it could not be opened, or how it was lost, the last time."""

    def open(self, sink: Callable[[bytes], None]) -> None:
        """Begin to listen. ``sink`` gets the blocks, in the device's thread. May take a second.

        Raises AudioUnavailable.
        """
        with devices.CHANGING:
            if self._input is not None:
                return
            try:
                if self.problem is not None:
                    devices.refresh()
                self._begin(sink)
            except AudioUnavailable as unavailable:
                self.problem = unavailable
                logger.info("No microphone: %s", unavailable)
                raise

    def use(self, name: str) -> None:
        """Listen to this device from now on, "" for the default one; at once, when it is open.

        Raises AudioUnavailable, and the device of before goes on.
        """
        with devices.CHANGING:
            before = self._name, self._or_default
            self._name, self._or_default = name, False
            sink = self._sink
            self.close()
            if sink is None:
                return
            try:
                self._begin(sink)
            except AudioUnavailable:
                (self._name, self._or_default), self._released = before, sink
                self.resume()
                raise

    def another(self, name: str) -> Microphone:
        """One like this on another device, to try that."""
        return Microphone(name, open_input=self._given)

    def release(self) -> None:
        """Give the device back for a moment."""
        with devices.CHANGING:
            sink = self._sink
            self.close()
            self._released = sink

    def resume(self) -> None:
        """Take the device again; when that cannot be, it is lost."""
        with devices.CHANGING:
            sink, self._released = self._released, None
            if sink is None:
                return
            try:
                self._begin(sink)
            except AudioUnavailable as unavailable:
                logger.warning("The microphone is gone: %s", unavailable)
                self.problem = unavailable
            else:
                return
        self.on_lost(self.problem)

    def close(self) -> None:
        """Stop listening: when it returns, the sink gets nothing any more."""
        with devices.CHANGING:
            self._sink = self._released = None
            found, self._input = self._input, None
            self._block = b""
            devices.users.discard(self)
            if found is not None:
                found.close()

    @property
    def name(self) -> str:
        """The device that was chosen, "" for the default one."""
        return self._name

    @property
    def device(self) -> str:
        """The device that is open, "" when none is."""
        found = self._input
        return found.name if found is not None else ""

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._input is not None

    @property
    def silent_s(self) -> float:
        """Seconds of nothing but zeros since it was opened; 0 once anything else came.

        No microphone is so quiet: it is muted, or the system keeps the program from hearing it, as macOS does.
        """
        return (self._zeros or 0) / PCM16_BYTES_PER_SECOND

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
        if self._zeros is not None:
            self._zeros = self._zeros + len(block) if block.count(0) == len(block) else None
        self._block = block
        sink(block)

    def _finished(self) -> None:
        """The stream has stopped; also called when we stop it, and there is nothing to say then."""
        if self._sink is None:
            return
        found = self._input
        self._sink = None
        self.problem = devices.lost(Kind.MICROPHONE, found.name if found is not None else "")
        # The device's own thread cannot close it.
        threading.Thread(target=self.close, name="azrt-microphone", daemon=True).start()
        logger.warning("The microphone is gone")
        self.on_lost(self.problem)

    def _begin(self, sink: Callable[[bytes], None]) -> None:
        """Open the device. Raises AudioUnavailable."""
        self._block, self._resampler, self._mix = b"", None, 1
        self._zeros = 0
        self._heard_at = self._clock()
        self._sink = sink
        found: Input | None = None
        try:
            found = self._open_input(self._take, self._finished)
            self._mix = found.channels
            if found.rate != PCM16_RATE:
                self._resampler = Resampler(found.rate, PCM16_RATE)
            found.start()
        except AudioUnavailable:
            self._sink = None
            if found is not None:
                found.close()
            raise
        self._input, self.problem = found, None
        devices.users.add(self)

    def _open_portaudio(self, take: Callable[[bytes], None], finished: Callable[[], None]) -> Input:
        from tui.audio.portaudio import PortAudioInput

        def open_timed(timed: Timed, finished: Callable[[], None]) -> Input:
            try:
                return PortAudioInput(timed, finished, name=self._name)
            except DeviceMissing as missing:
                if not self._or_default:
                    raise
                found = PortAudioInput(timed, finished)
                self.on_other(devices.instead(missing, found.name))
                return found

        if self.through is None:
            return open_timed(lambda block, _: take(block), finished)
        return self.through.open(take, finished, open_timed)


def mixed(block: bytes, channels: int) -> bytes:
    """The mean of all channels of 16-bit frames."""
    import numpy as np

    frames = np.frombuffer(block, dtype="<i2").reshape(-1, channels)
    return bytes(frames.mean(axis=1).astype("<i2").tobytes())
