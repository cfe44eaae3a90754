"""Echo cancellation: the agent's voice is taken out of what the microphone hears, so that it does not answer itself.

The work is WebRTC's (AEC3 and its noise suppression), from the package of the extra ``aec``. It takes two streams, what
was captured and what was played at the same time, in frames of 10 ms, and in a thread of its own: a millisecond a block
is too much for a device's thread. Where that would take the user out too, :mod:`tui.audio.double_talk` does not let it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from tui.audio.beside import Beside
from tui.audio.devices import AudioUnavailable
from tui.audio.double_talk import DoubleTalk
from tui.audio.microphone import Input, OpenTimed
from tui.audio.reference import Reference
from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import int16
    from numpy.typing import NDArray

_PACKAGE: Final = "pywebrtc_audio"


class Canceller(Protocol):
    """Takes one stream out of another."""

    def process(self, near: NDArray[int16], far: NDArray[int16], /) -> NDArray[int16]:
        """Return ``near`` without ``far``. Both go on where they ended the last time, in whole frames of 20 ms."""


def installed() -> bool:
    """Whether the extra is there. Imports nothing."""
    return importlib.util.find_spec(_PACKAGE) is not None


def missing(prefix: str = sys.prefix) -> AudioUnavailable:
    """Say that the extra is not there, and how to have it where the program was installed (``sys.prefix``)."""
    place = prefix.replace("\\", "/")
    if "/uv/tools/" in place:
        command = "uv tool install 'azrt-tui[aec]'"
    elif "/pipx/venvs/" in place:
        command = "pipx install --force 'azrt-tui[aec]'"
    else:
        command = "pip install 'azrt-tui[aec]'"
    return AudioUnavailable("Echo cancellation is not installed.", command)


def webrtc() -> Canceller:
    """Return WebRTC's canceller and noise suppression. Its gain control is off: it brings the rest of the echo back.

    Raises AudioUnavailable.
    """
    try:
        from pywebrtc_audio import AudioProcessor
    except ImportError as error:
        raise missing() from error
    return AudioProcessor(sample_rate=PCM16_RATE, echo_cancellation=True, noise_suppression=True, high_pass_filter=True)


def double_talk() -> Canceller:
    """Return the same, with the user let through who speaks while the agent does. Raises AudioUnavailable."""
    return DoubleTalk(webrtc())


class EchoCancellation:
    """Puts a canceller behind a microphone's device, the same one each time: it knows the room from before."""

    def __init__(self, reference: Reference, make: Callable[[], Canceller] = double_talk) -> None:
        """``reference``: what the loudspeaker plays; ``make``: makes the canceller, when it is needed first."""
        self._reference = reference
        self._make = make
        self._canceller: Canceller | None = None

    def open(self, take: Callable[[bytes], None], finished: Callable[[], None], open_input: OpenTimed) -> Input:
        """Open a device; ``take`` and ``finished`` are those of the microphone. Raises AudioUnavailable."""
        if self._canceller is None:
            self._canceller = self._make()
        return _CancelledInput(take, finished, open_input, self._reference, self._canceller)


class _CancelledInput:
    """A device without the loudspeaker in it: PCM16 mono 24 kHz, brought in a thread of this."""

    rate = PCM16_RATE
    channels = 1

    def __init__(
        self,
        take: Callable[[bytes], None],
        finished: Callable[[], None],
        open_input: OpenTimed,
        reference: Reference,
        canceller: Canceller,
    ) -> None:
        self._take = take
        self._canceller = canceller
        # When cancelling fails, the agent would answer itself: the microphone is lost then.
        self._beside = Beside(reference, self._pair, finished)
        self._input = open_input(self._beside.put, finished)
        self.name = self._input.name

    def start(self) -> None:
        self._beside.start(self._input.rate, self._input.channels)
        self._input.start()

    def close(self) -> None:
        self._input.close()
        self._beside.stop()

    def _pair(self, near: NDArray[int16], far: NDArray[int16]) -> None:
        clean = self._canceller.process(near, far)
        if not near.any():
            clean[:] = 0  # no comfort noise: a microphone that brings nothing but zeros must be known by that
        self._take(clean.tobytes())
