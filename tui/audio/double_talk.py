"""Letting a user through who speaks while the agent does.

WebRTC's canceller takes for echo whatever it does not know better. As long as it has not learned the room, and with a
headset for seconds, it takes the user's voice out too. So what the microphone hears is compared with the loudest echo
that :mod:`tui.audio.echo_path` holds for possible. What is clearly louder is a user, and goes out without the echo
that is known; all else goes through the canceller.

Or the way has changed: headphones were pulled out. Then what is louder is found in what was played, within a quarter of
a second (GCC, as in :mod:`tui.audio.own_voice`). It is held back until that is known, and nothing of it is lost.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from tui.audio.echo_path import FRAME, EchoPath, decibels
from tui.wire import PCM16_RATE

if TYPE_CHECKING:
    from numpy import float64, int16
    from numpy.typing import NDArray

    from tui.audio.echo import Canceller

_LOUDER_DB: Final = 4.0
"""So much louder than the possible echo may be a user: an echo in a room that stays as it is was never above."""

_STILL_DB: Final = 1.0
"""So much louder is still the same user."""

_QUIETEST_DB: Final = -50.0
"""What is quieter starts no turn."""

_JUDGED: Final = 3
"""Frames that are compared: 60 ms."""

_LEARNING: Final = 25
"""Frames in which something was played before the comparison means anything: half a second."""

_UNSURE: Final = 75
"""Frames in which something was played before the canceller has learned any room, too: it lets words through before."""

_PLAYED_DB: Final = -45.0
"""What is played more softly teaches nothing."""

_HELD: Final = 8
"""Frames that are louder until it is known whether it is the agent: 0.16 s."""

_HUSHED: Final = 50
"""Frames that a canceller gets to learn a way that has changed: a second."""

_ONSET: Final = 4
"""Frames before the first that was louder which belong to the same word."""

_GOES_ON: Final = 10
"""Frames that go out after the last one that was louder: word endings are soft."""

_STEP: Final = 3
_RATE: Final = PCM16_RATE // _STEP
_WINDOW: Final = 3 * _RATE // 10
_REACH: Final = 11 * _RATE // 20
_SIZE: Final = 9_216
"""Of the transform: the window, the reach and the window, without one end meeting the other."""

_OUTSTANDING: Final = 11.5
"""How far an echo stands out, in standard deviations of the rest.

Measured on 60 onsets of human speech each, 0.3 s at a time: a user 10 at most; an echo 18 and more in 95 of 100.
"""


class DoubleTalk:
    """A canceller that lets a user through."""

    def __init__(self, canceller: Canceller) -> None:
        """``canceller``: what takes the agent out where it is heard."""
        self._canceller = canceller
        self._path = EchoPath()
        self._taught = 0  # frames
        self._powers: deque[tuple[float, float]] = deque(maxlen=_JUDGED)
        self._residuals: deque[Any] = deque(maxlen=_WINDOW * _STEP // FRAME)
        self._far: deque[Any] = deque(maxlen=(_WINDOW + _REACH) * _STEP // FRAME)
        self._delayed: deque[Any] = deque()
        self._playing = False  # whether an echo may be under way
        self._excess = 0.0  # dB above what can be echo
        self._muted = False
        self._hushed = 0  # frames in which still nothing goes out
        self._louder = 0  # frames in a row, while nothing goes out
        self._open = 0  # frames that still go out
        self._gains = (1.0, 0.0)

    def process(self, near: NDArray[int16], far: NDArray[int16], /) -> NDArray[int16]:
        """Return ``near`` without ``far``, in whole frames of 20 ms."""
        import numpy as np

        clean = self._canceller.process(near, far)
        frames = [
            self._frame(clean[at : at + FRAME], near[at : at + FRAME] / 32768, far[at : at + FRAME] / 32768)
            for at in range(0, len(near), FRAME)
        ]
        return np.concatenate(frames)

    def _frame(self, clean: NDArray[int16], near: NDArray[float64], far: NDArray[float64]) -> NDArray[int16]:
        residual = self._path.follow(near, far)
        self._taught += decibels(float((far**2).mean())) > _PLAYED_DB
        self._powers.append((residual.power, residual.bound))
        self._residuals.append(residual.samples)
        self._far.append(far)
        self._hushed = max(0, self._hushed - 1)
        self._playing = any(far.any() for far in self._far)
        self._judge()
        if self._open:
            self._delayed.append(residual.samples)
            return self._mixed(clean, self._delayed.popleft(), (0.0, 1.0))
        self._delayed.clear()
        own = 0.0 if self._muted or self._hushed else self._no_louder(clean)
        return self._mixed(clean, residual.samples, (own, 0.0))

    def _no_louder(self, clean: NDArray[int16]) -> float:
        """The gain by which the canceller lets no more through than the filter has left over."""
        if not self._playing:
            return 1.0
        if self._taught < _UNSURE and self._excess <= _STILL_DB:
            return 0.0
        left = max(float((samples**2).mean()) for samples in list(self._residuals)[-_JUDGED:])
        through = float(((clean / 32768) ** 2).mean())
        return min(1.0, math.sqrt(left / (through + 1e-12)))

    def _judge(self) -> None:
        power, bound = (sum(powers) / len(self._powers) for powers in zip(*self._powers, strict=True))
        heard = decibels(power) > _QUIETEST_DB and self._playing
        louder = self._excess = decibels(power) - decibels(bound)
        if self._open:
            if heard and louder > _STILL_DB:
                self._open = _GOES_ON
            else:
                self._open -= 1
            return
        self._muted = heard and louder > _LOUDER_DB and self._taught >= _LEARNING
        if not self._muted:
            if not heard or louder <= _STILL_DB:
                self._louder = max(0, self._louder - 1)
            return
        self._louder += 1
        if self._louder >= _HELD:
            if self._is_agent():
                self._path.doubt()
                self._hushed = _HUSHED
            else:
                self._open, self._louder = _GOES_ON, 0
                onset = list(self._residuals)[-_HELD - _ONSET : -1]
                self._delayed.extend(onset)

    def _is_agent(self) -> bool:
        """Whether what is left of the last frames is found in what was played."""
        import numpy as np

        near, far = _thinned(self._residuals), _thinned(self._far)
        near_spectrum, far_spectrum = np.fft.rfft(near, _SIZE), np.fft.rfft(far, _SIZE)
        cross = near_spectrum * np.conj(far_spectrum)
        likeness = np.fft.irfft(cross / (np.abs(cross) + 1e-12), _SIZE)
        delays = np.arange(len(near) - len(far), 1)
        peak = float(np.abs(likeness[delays]).max())
        return peak > _OUTSTANDING * math.sqrt(float((likeness**2).mean()))

    def _mixed(self, clean: NDArray[int16], residual: Any, gains: tuple[float, float]) -> NDArray[int16]:
        """Return both, added with these gains, which are reached in the first 10 ms."""
        import numpy as np

        before, self._gains = self._gains, gains
        if before == gains == (1.0, 0.0):
            return clean
        own, other = (
            np.concatenate((np.linspace(start, end, FRAME // 2), np.full(FRAME // 2, end)))
            for start, end in zip(before, gains, strict=True)
        )
        mixed: NDArray[int16] = np.clip(np.rint(clean * own + residual * 32768 * other), -32768, 32767).astype(np.int16)
        return mixed


def _thinned(frames: deque[Any]) -> Any:
    """Differences of every third sample: speech is below 4 kHz, and loudest where it is all alike."""
    import numpy as np

    return np.diff(np.concatenate(list(frames)).reshape(-1, _STEP).mean(axis=1))
