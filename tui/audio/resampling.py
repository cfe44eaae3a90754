"""From one rate to another, a piece at a time: for devices that refuse 24 kHz. numpy is imported on first use."""

from __future__ import annotations

import functools
import math
from typing import Any

_ZERO_CROSSINGS = 12
"""Of the windowed sinc, on each side: it sets how steep the edge of the band is."""

_PASSBAND = 0.9
"""The edge of the band, as a part of the lower rate's."""

_KAISER_BETA = 8.0


@functools.lru_cache(maxsize=8)
def _filters(up: int, down: int) -> Any:
    """The windowed sinc, split into ``up`` phases: one row of taps a phase, newest input last."""
    import numpy as np

    # In samples of the input: the band is that of the lower of the two rates.
    cutoff = _PASSBAND * min(1.0, up / down)
    half = math.ceil(_ZERO_CROSSINGS / cutoff)
    taps = np.arange(-half, half + 1)
    phases = np.arange(up)[:, None] / up
    at = taps[None, :] + phases  # distance of each tap from the output sample
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (at / (half + 1)) ** 2, 0, 1))) / np.i0(_KAISER_BETA)
    rows = cutoff * np.sinc(cutoff * at) * window
    return (rows / rows.sum(axis=1, keepdims=True))[:, ::-1].astype(np.float32).copy()


class Resampler:
    """A stream of PCM16 mono at ``rate`` in, at ``target`` out: linear phase, delayed by :attr:`delay_s`.

    Cutting the stream differently does not change the result by a bit: only whole outputs are made, and the rest waits.
    """

    def __init__(self, rate: int, target: int) -> None:
        """Rates in frames a second."""
        import numpy as np

        self._numpy = np
        divisor = math.gcd(rate, target)
        self._up, self._down = target // divisor, rate // divisor
        self._rows = _filters(self._up, self._down)
        self._taps = int(self._rows.shape[1])
        self.delay_s = (self._taps // 2) / rate
        self._held = np.zeros(self._taps - 1, dtype=np.float32)
        self._next = 0
        """Where the next output lies, in steps of 1/up input samples, from the first window that is whole."""

    def feed(self, pcm: bytes | memoryview) -> bytes:
        """Return what comes out for these samples; a few of them wait for the next call."""
        np = self._numpy
        samples = np.concatenate((self._held, np.frombuffer(pcm, dtype="<i2").astype(np.float32)))
        windows = len(samples) - self._taps + 1
        count = max(0, -((self._next - windows * self._up) // self._down))
        if count == 0:
            self._held = samples
            return b""
        places = self._next + self._down * np.arange(count)
        starts, phases = places // self._up, places % self._up
        inputs = np.lib.stride_tricks.sliding_window_view(samples, self._taps)[starts]
        result = np.einsum("ij,ij->i", inputs, self._rows[phases])
        keep = min(windows, (self._next + self._down * count) // self._up)
        self._next += self._down * count - keep * self._up
        self._held = samples[keep:]
        return bytes(np.clip(np.rint(result), -32768, 32767).astype("<i2").tobytes())


def spread(pcm: bytes, channels: int) -> bytes:
    """Give every channel the same 16-bit samples."""
    frames = bytearray(len(pcm) * channels)
    source, target = memoryview(pcm).cast("h"), memoryview(frames).cast("h")
    for channel in range(channels):
        target[channel::channels] = source
    return bytes(frames)
