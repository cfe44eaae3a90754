"""What a measurement gives, and how it is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class NotMeasuredError(Exception):
    """The measurement could not be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number. ``target`` is the most it should be; None when it is there for information."""

    name: str
    """Stable: ``topic.what``."""
    title: str
    value: float
    unit: str
    target: float | None = None
    detail: str = ""
    """How it spreads, or what it is made of."""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return None if self.target is None else self.value <= self.target

    def as_json(self) -> dict[str, Any]:
        """The figure for machines."""
        return {
            "name": self.name,
            "title": self.title,
            "value": self.value,
            "unit": self.unit,
            "target": self.target,
            "met": self.met,
            "detail": self.detail,
        }


Measurement = Callable[[], list[Figure]]


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of the values do not exceed. Raises NotMeasuredError without any."""
    ordered = sorted(values)
    if not ordered:
        raise NotMeasuredError("nothing was counted")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values: Sequence[float], unit: str) -> str:
    """How many rounds there were, and between what they lie."""
    return f"{len(values)} rounds, {number(min(values), unit)} to {number(max(values), unit)}"


def number(value: float, unit: str) -> str:
    """A number with three significant digits, or all of an integer's, and its unit."""
    if value == int(value) or abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        digits = 2 - math.floor(math.log10(abs(value)))
        text = f"{value:.{max(0, digits)}f}"
    return f"{text} {unit}" if unit else text


def table(figures: Sequence[Figure], failures: Mapping[str, str]) -> str:
    """The figures in columns, then the measurements that could not be made."""
    head = ("figure", "measured", "target", "", "")
    lines = [head]
    for figure in figures:
        target = "" if figure.target is None else number(figure.target, figure.unit)
        verdict = {True: "met", False: "missed", None: ""}[figure.met]
        lines.append((figure.title, number(figure.value, figure.unit), target, verdict, figure.detail))
    lines += [(name, "not measured", "", "", why) for name, why in failures.items()]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rows = [
        "  ".join(
            (
                line[0].ljust(widths[0]),
                line[1].rjust(widths[1]),
                line[2].rjust(widths[2]),
                line[3].ljust(widths[3]),
                line[4],
            )
        ).rstrip()
        for line in lines
    ]
    return "\n".join([rows[0], "-" * max(map(len, rows)), *rows[1:]])
