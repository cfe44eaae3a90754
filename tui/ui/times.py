"""Times in the event pane: how a person writes one, and how they are shown in seven cells."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"([+-]?)(?:(?:(\d{1,4}):)?(\d{1,5}):)?(\d{1,9}(?:[.,]\d{1,9})?)\s*s?")


def parse_time(text: str, from_s: float) -> float:
    """Seconds since connect that a person means: ``90``, ``1:30``, ``1:02:03.5``; ``+10`` and ``-10`` from ``from_s``.

    Raises ValueError with what is possible.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise ValueError("a time since connect, such as 90, 1:30 or 1:02:03.5, or +10 and -10 from here")
    sign, hours, minutes, seconds = found.groups()
    time_s = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds.replace(",", "."))
    return time_s if not sign else from_s + (time_s if sign == "+" else -time_s)


def absolute(time_s: float) -> str:
    """Seconds in seven cells, to the millisecond while that fits."""
    return _in_seven_cells(time_s, "")


def relative(time_s: float) -> str:
    """Seconds with their sign, in seven cells: ``+12.340``."""
    return _in_seven_cells(time_s, "+")


def _in_seven_cells(time_s: float, sign: str) -> str:
    for digits in (3, 2, 1):
        text = f"{time_s:{sign}7.{digits}f}"
        if len(text) <= 7:
            return text
    return f"{time_s:{sign}7.0f}"
