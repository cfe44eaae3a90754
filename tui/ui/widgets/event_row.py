"""Draws one row of the event pane: time, direction, signs, type, what it says, size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui import wire
from tui.capture import RowView
from tui.ui.terminal.short_ansi import TerseStrip
from tui.ui.text import clip, is_plain, legible
from tui.ui.times import absolute, relative
from tui.wire import Direction, Family

_ARROWS = {Direction.RECEIVED: "←", Direction.SENT: "→", Direction.LOCAL: "·"}

_LOOKED_AT = 16
"""Characters of a text that are looked at for each cell that it may fill: what is longer is cut off in any case."""

_SIGNS = {(False, False): "  ", (True, False): "! ", (False, True): "◆ ", (True, True): "!◆"}
"""For whether a row says that something failed, and whether it is marked."""


@dataclass(frozen=True, slots=True)
class RowExtras:
    """What a row shows beside what it is."""

    since_s: float | None = None
    """Seconds since connect from which its time counts; None for connect itself."""
    marked: bool = False
    hit: bool = False
    """Whether the search has found it: perhaps in what the row has no room for."""
    found: re.Pattern[str] | None = None
    """What stands out in the texts."""


NO_EXTRAS = RowExtras()


class RowPainter:
    """Draws rows in one width and one set of styles: ``base`` and the component classes of the pane."""

    def __init__(self, styles: Mapping[str, Style], width: int) -> None:
        self._styles = styles
        self._families = {family: styles[f"events--{family}"] for family in Family}
        self._width = width
        self._time_width = 8 if width >= 56 else 0
        self._size_width = 6 if width >= 46 else 0
        self._label_width = 29 if width >= 90 else 25 if width >= 80 else max(8, min(23, width // 2 - 3))
        fixed = self._time_width + 3 + self._label_width + 1 + self._size_width
        self._text_width = max(0, width - fixed)
        self._fits = fixed + self._text_width == width

    def draw(self, view: RowView, extras: RowExtras = NO_EXTRAS) -> Strip:
        """The row as a strip of exactly the width."""
        styles = self._styles
        base, dim = styles["base"], styles["events--time"]
        summary = f"×{view.count:,}  {view.summary}" if view.count > 1 else view.summary
        arrow = styles["events--sent"] if view.direction is Direction.SENT else dim
        note = styles["events--note"] if view.direction is Direction.LOCAL else base
        segments = [
            Segment(_ARROWS[view.direction], arrow + styles["events--match"] if extras.hit else arrow),
            Segment(_SIGNS[view.alarm, extras.marked], styles["events--error"]),
            *self._marked(_cell(view.label, self._label_width), self._families[view.family], extras.found),
            Segment(" ", base),
            *self._marked(_cell(summary, self._text_width), note, extras.found),
        ]
        if self._time_width:
            since_s = extras.since_s
            time = absolute(view.time_s) if since_s is None else relative(view.time_s - since_s)
            segments.insert(0, Segment(f"{time} ", dim))
        if self._size_width:
            segments.append(Segment(f"{wire.size(view.size):>5} ", dim))
        if not self._fits:
            segments = list(Strip(segments).adjust_cell_length(self._width, base))
        return TerseStrip(segments, self._width)

    def _marked(self, text: str, style: Style, found: re.Pattern[str] | None) -> Sequence[Segment]:
        """A text in its style, with what was searched standing out."""
        if found is None:
            return (Segment(text, style),)
        segments = []
        at = 0
        for match in found.finditer(text):
            segments.append(Segment(text[at : match.start()], style))
            segments.append(Segment(match[0], style + self._styles["events--match"]))
            at = match.end()
        return [*segments, Segment(text[at:], style)]


def _cell(text: str, width: int) -> str:
    """Text from outside, in exactly ``width`` cells; the work is bounded by the width."""
    shown = legible(text[: _LOOKED_AT * (width + 1)])
    if is_plain(shown[: width + 1]):
        return clip(shown, width).ljust(width)
    clipped = Strip([Segment(clip(shown, width))]).adjust_cell_length(width)
    return "".join(segment.text for segment in clipped)
