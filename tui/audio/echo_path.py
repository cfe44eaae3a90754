"""What of the loudspeaker can be in the microphone: the way through the room, and how well it is known.

An adaptive filter in the frequency domain follows the way from the loudspeaker to the microphone, as a Kalman filter of
partitions (Enzner and Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in hands-free
telephones", 2006; Kuech et al., "State-space architecture of the partitioned-block-based acoustic echo controller",
2014). It keeps, for each partition and frequency, the variance of what it may be wrong by. So it learns on while a
person speaks, and it says how loud the echo that is left can be at most.

A variance is never larger than the power in the microphone allows: what is played and leaves the microphone quiet has
no way there. A headset is known by that after half a second of speech.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

FRAME: Final = PCM16_RATE // 50
"""Samples that are taken at a time, 20 ms."""

_PARTITIONS: Final = 25
"""Of 20 ms each: half a second, which is what the canceller reaches too."""

_BINS: Final = FRAME + 1

_SPEECH: Final = slice(4, 140)
"""The frequencies that are compared, 100 to 3,500 Hz."""

_UNKNOWN: Final = 4.0
"""The variance of a way of which nothing is known: 6 dB louder than what is played."""

_KEPT: Final = 0.996
"""What stays of a variance in 20 ms; the rest becomes a part of the way's own power, as rooms and clocks change."""

_LEARNED: Final = 1.0
"""How far a frame shortens a variance, of what the theory says."""

_SMOOTHED: Final = 0.9
"""The part of a power that stays from frame to frame: 0.2 s."""

_NEAR_SMOOTHED: Final = 0.8

_LIKELY: Final = 0.3
_LIKELY_ALL: Final = 7.5
"""What a partition may have of the power that the microphone allows it alone, or as a part of all of them."""

_FLOOR_RISE: Final = 1.002
"""How fast the noise floor follows a room that becomes louder, a frame: 0.4 dB a second."""

_DISTORTED: Final = 0.05
"""The part of an echo's power that a small loudspeaker may add and no linear filter can find: -13 dB."""

_FULL_SCALE: Final = float(2 * FRAME * FRAME)


class Residual(NamedTuple):
    """What a frame of the microphone's holds besides the echo that is known."""

    samples: NDArray[float64]
    """Of full scale 1."""
    power: float
    """Of speech frequencies in it, 1 for full scale."""
    bound: float
    """How much of that can be echo at most."""


class EchoPath:
    """Follows the way from what is played to what is captured."""

    def __init__(self) -> None:
        import numpy as np

        shape = (_PARTITIONS, _BINS)
        self._played: Any = np.zeros(2 * FRAME)
        self._far: Any = np.zeros(shape, complex)  # what was played, a frame a row, the newest first
        self._far_power: Any = np.zeros(shape)
        self._far_smoothed: Any = np.zeros(shape)
        self._way: Any = np.zeros(shape, complex)
        self._variance: Any = np.full(shape, _UNKNOWN)
        self._near_power: Any = np.full(_BINS, 1e-4)
        self._near_smoothed: Any = np.zeros(_BINS)
        self._floor: Any = np.full(_BINS, 1e-2)
        self._neighbours: Any = np.full(9, 1 / 9)

    def follow(self, near: NDArray[float64], far: NDArray[float64]) -> Residual:
        """Take a frame that was captured, and what was played meanwhile."""
        import numpy as np

        self._take(far)
        echo = (self._far * self._way).sum(0)
        samples = near - np.fft.irfft(echo)[FRAME:]
        error = np.fft.rfft(np.concatenate((np.zeros(FRAME), samples)))
        power = _power(error)
        self._near_smoothed += (1 - _SMOOTHED) * (np.convolve(power, self._neighbours, "same") - self._near_smoothed)
        self._floor = np.minimum(self._floor * _FLOOR_RISE + 1e-12, self._near_smoothed)
        self._variance *= _KEPT
        self._variance += (1 - _KEPT) * _power(self._way)
        np.minimum(self._variance, self._possible(), out=self._variance)
        left = (self._variance * self._far_power).sum(0)
        self._near_power += (1 - _NEAR_SMOOTHED) * (power - self._near_power)
        self._learn(error, left + self._near_power + 1e-9)
        bound = left[_SPEECH].sum() + _DISTORTED * _power(echo[_SPEECH]).sum()
        return Residual(samples, float(power[_SPEECH].sum()) / _FULL_SCALE, float(bound) / 2 / _FULL_SCALE)

    def doubt(self) -> None:
        """The way has changed: take for possible what the power in the microphone allows."""
        self._variance[:] = _UNKNOWN

    def _take(self, far: Any) -> None:
        import numpy as np

        self._played = np.concatenate((self._played[FRAME:], far))
        for rows in (self._far, self._far_power, self._far_smoothed):
            rows[1:] = rows[:-1]
        self._far[0] = np.fft.rfft(self._played)
        self._far_power[0] = _power(self._far[0])
        around = np.convolve(self._far_power[0], self._neighbours, "same")
        self._far_smoothed[0] = _SMOOTHED * self._far_smoothed[1] + (1 - _SMOOTHED) * around

    def _possible(self) -> Any:
        """The largest variance of each partition at which the microphone would be as quiet as it is."""
        import numpy as np

        above = 2 * (np.maximum(self._near_smoothed - 2 * self._floor, 0) + 1e-7)
        alone, together = self._far_smoothed + 1e-5, self._far_smoothed.sum(0) + 1e-5
        return above * np.maximum(_LIKELY / alone, _LIKELY_ALL / together)

    def _learn(self, error: Any, power: Any) -> None:
        import numpy as np

        gain = self._variance * np.conj(self._far) / power
        step = np.fft.irfft(gain * error, axis=1)
        step[:, FRAME:] = 0  # a partition ends after its 20 ms
        self._way += np.fft.rfft(step, axis=1)
        self._variance *= np.maximum(1 - _LEARNED * self._variance * self._far_power / power, 0)


def decibels(power: float) -> float:
    """Of a power, 1 for full scale."""
    return 10 * math.log10(power + 1e-12)


def _power(spectrum: Any) -> Any:
    return spectrum.real**2 + spectrum.imag**2
