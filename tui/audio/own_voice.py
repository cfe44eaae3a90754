"""Noticing that the microphone hears the loudspeaker, though it was said that it would not: a headset that is none.

The sign is a common delay. What was captured in a second is correlated with what was played in it and shortly before,
all frequencies alike (GCC-PHAT: Knapp and Carter, "The generalized correlation method for estimation of time delay",
1976): an echo stands out at its delay, however much the room adds, and in another second at the same delay again. A
person who speaks at the same time says something else, which stands out nowhere, or each time elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tui.audio.beside import Beside
from tui.audio.microphone import Input, OpenTimed
from tui.audio.reference import Reference
from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import int16
    from numpy.typing import NDArray

_STEP: Final = 3
"""Speech is below 4 kHz: every third sample is enough."""

_RATE: Final = PCM16_RATE // _STEP

_WINDOW: Final = _RATE
"""Samples that are looked at together: a second."""

_REACH: Final = _RATE // 2
"""The longest delay, in samples: what a device takes beyond what it says, and the way through the room."""

_SIZE: Final = 32_768
"""Of the transform: a window and the reach and a window, without one end meeting the other."""

_PLAYED_DB: Final = -45.0
"""What is played more softly than this says nothing."""

_ECHO_DB: Final = -50.0
"""A softer echo starts no answer, and a headset lets that much through."""

_OUTSTANDING: Final = 20.0
"""How far an echo stands out, in standard deviations of the rest.

Measured on human speech, a second at a time: without an echo 19 at most in 7,000 of them, 12 in one of a hundred; with
the echo of a room 26 and more in nine of ten, even where the agent said only 0.3 s of the second.
"""

_SAME: Final = _RATE // 200
"""Samples by which the delay may differ from the one before: as much as the times of a device that was started anew."""


class OwnVoice:
    """Looks for the loudspeaker in what was captured, until it is found."""

    def __init__(self) -> None:
        self.heard = False
        """Whether it was found."""
        self._near: list[NDArray[int16]] = []
        self._far: list[NDArray[int16]] = []
        self._samples = 0
        self._before: Any = None  # what was played before the window
        self._delay: int | None = None

    def look(self, near: NDArray[int16], far: NDArray[int16]) -> bool:
        """Take what was captured, and what was played meanwhile; True when this shows that one is in the other."""
        if self.heard:
            return False
        self._near.append(near)
        self._far.append(far)
        self._samples += len(near)
        if self._samples >= _WINDOW * _STEP:
            self.heard = self._judge()
        return self.heard

    def _judge(self) -> bool:
        import numpy as np

        near, far = _thinned(np.concatenate(self._near)), _thinned(np.concatenate(self._far))
        self._near.clear()
        self._far.clear()
        self._samples = 0
        before = self._before if self._before is not None else np.zeros(_REACH)
        self._before = far[-_REACH:]
        if _level(far) < _PLAYED_DB:
            return False
        found = _echo(near, np.concatenate((before, far)))
        if found is None:
            return False
        again = self._delay is not None and abs(found - self._delay) <= _SAME
        self._delay = found
        return again


class OwnVoiceWatch:
    """Has an eye on a microphone's blocks while they go their way; said once, and then it looks no more."""

    def __init__(self, reference: Reference, heard: Callable[[], None]) -> None:
        """``reference``: what the loudspeaker plays; ``heard``: called in a thread of this, once."""
        self._reference = reference
        self._heard = heard
        self._own_voice = OwnVoice()

    def open(self, take: Callable[[bytes], None], finished: Callable[[], None], open_input: OpenTimed) -> Input:
        """Open a device; ``take`` and ``finished`` are those of the microphone. Raises AudioUnavailable."""
        if self._own_voice.heard:
            return open_input(lambda block, _: take(block), finished)
        self._own_voice = OwnVoice()  # the seconds of before have ended in the middle
        return _WatchedInput(take, finished, open_input, Beside(self._reference, self._look, lambda: None))

    def _look(self, near: NDArray[int16], far: NDArray[int16]) -> None:
        if self._own_voice.look(near, far):
            self._heard()


class _WatchedInput:
    """A device, as it is: what is looked for is not waited for."""

    def __init__(
        self, take: Callable[[bytes], None], finished: Callable[[], None], open_input: OpenTimed, beside: Beside
    ) -> None:
        self._take = take
        self._beside = beside
        self._input = open_input(self._captured, finished)
        self.rate, self.channels, self.name = self._input.rate, self._input.channels, self._input.name

    def start(self) -> None:
        self._beside.start(self.rate, self.channels)
        self._input.start()

    def close(self) -> None:
        self._input.close()
        self._beside.stop()

    def _captured(self, block: bytes, at: float) -> None:
        self._take(block)
        self._beside.put(block, at)


def _thinned(samples: NDArray[int16]) -> Any:
    """At a third of the rate, of full scale 1; what folds down does not matter here."""
    whole = samples[: len(samples) // _STEP * _STEP]
    return whole.reshape(-1, _STEP).mean(axis=1) / 32768


def _level(samples: Any) -> float:
    """In dB of full scale."""
    return 10 * math.log10(float((samples**2).mean()) + 1e-12)


def _echo(near: Any, far: Any) -> int | None:
    """Return how far back ``near`` is to be found in ``far``, in samples, when it is and is loud enough.

    Both end at the same time.
    """
    import numpy as np

    # Differences, because speech is loudest where it is all alike.
    near_spectrum, far_spectrum = np.fft.rfft(np.diff(near), _SIZE), np.fft.rfft(np.diff(far), _SIZE)
    cross = near_spectrum * np.conj(far_spectrum)
    likeness = np.fft.irfft(cross / (np.abs(cross) + 1e-12), _SIZE)
    # From what was played with the window to what was played _REACH before it.
    delays = np.arange(-_REACH, 1)
    peaks = np.abs(likeness[delays])
    best = int(peaks.argmax())
    if peaks[best] < _OUTSTANDING * math.sqrt(float((likeness**2).mean())):
        return None
    gain = float(np.fft.irfft(cross, _SIZE)[delays[best]]) / float((np.diff(far) ** 2).sum())
    if _level(far) + 20 * math.log10(abs(gain) + 1e-6) < _ECHO_DB:
        return None
    return -int(delays[best])
