"""Draws one row of the event pane: time, direction, type, what it says, size."""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui import wire
from tui.capture import RowView
from tui.ui.terse import TerseStrip
from tui.ui.text import clip, printable
from tui.wire import Direction

_ARROWS = {Direction.RECEIVED: "←", Direction.SENT: "→", Direction.LOCAL: "·"}

_LOOKED_AT = 16
"""Characters of a text that are looked at for each cell that it may fill: what is longer is cut off in any case."""


class RowPainter:
    """Draws rows in one width and one set of styles: ``base`` and the component classes of the pane."""

    def __init__(self, styles: Mapping[str, Style], width: int) -> None:
        self._styles = styles
        self._width = width
        self._time_width = 8 if width >= 56 else 0
        self._size_width = 6 if width >= 46 else 0
        self._label_width = 29 if width >= 90 else 25 if width >= 80 else max(8, min(23, width // 2 - 3))
        fixed = self._time_width + 3 + self._label_width + 1 + self._size_width
        self._text_width = max(0, width - fixed)
        self._fits = fixed + self._text_width == width

    def draw(self, view: RowView) -> Strip:
        """The row as a strip of exactly the width."""
        styles = self._styles
        base, dim = styles["base"], styles["events--time"]
        summary = f"×{view.count:,}  {view.summary}" if view.count > 1 else view.summary
        segments = [
            Segment(_ARROWS[view.direction], styles["events--sent"] if view.direction is Direction.SENT else dim),
            Segment("! " if view.alarm else "  ", styles["events--error"]),
            Segment(_cell(view.label, self._label_width), styles[f"events--{view.family}"]),
            Segment(" ", base),
            Segment(
                _cell(summary, self._text_width),
                styles["events--note"] if view.direction is Direction.LOCAL else base,
            ),
        ]
        if self._time_width:
            segments.insert(0, Segment(f"{_seconds(view.time_s)} ", dim))
        if self._size_width:
            segments.append(Segment(f"{wire.size(view.size):>5} ", dim))
        if not self._fits:
            segments = list(Strip(segments).adjust_cell_length(self._width, base))
        return TerseStrip(segments, self._width)


def _seconds(time_s: float) -> str:
    """Seconds in seven cells, to the millisecond while that fits."""
    for digits in (3, 2, 1):
        text = f"{time_s:7.{digits}f}"
        if len(text) <= 7:
            return text
    return f"{time_s:7.0f}"


def _cell(text: str, width: int) -> str:
    """Text from outside, in exactly ``width`` cells; the work is bounded by the width."""
    shown = printable(text[: _LOOKED_AT * (width + 1)])
    if shown.isascii():
        return shown.ljust(width) if len(shown) <= width else f"{shown[: width - 1]}…"[:width]
    clipped = Strip([Segment(clip(shown, width))]).adjust_cell_length(width)
    return "".join(segment.text for segment in clipped)
