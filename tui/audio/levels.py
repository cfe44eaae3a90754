"""How loud a few milliseconds of audio are, for a meter."""

from __future__ import annotations

import math

QUIETEST_DB = -50.0
"""What is quieter is a quiet room, and no meter moves for it."""


def loudness(samples: memoryview) -> float:
    """Return the peak of 16-bit samples (a memoryview of format ``h``) between ``QUIETEST_DB`` and full scale, 0 to 1.

    Peak and not power, because a peak needs no numpy: 480 samples take about 10 microseconds.
    """
    if not len(samples):
        return 0.0
    highest, lowest = max(samples), min(samples)
    peak = max(highest, -lowest)
    if peak <= 0:
        return 0.0
    return min(1.0, max(0.0, 1 - 20 * math.log10(peak / 32768) / QUIETEST_DB))
