"""Strips that say less to the terminal: each style as its difference from the one before it.

Textual writes a whole style before each segment and a reset behind it, forty bytes beside the text. A row of six
colours is then four times as long as its text, and over a slow line the screen falls behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

_SHOWS_ON_BLANKS = frozenset({"4", "7", "9", "21", "51", "52", "53"})
"""SGR attributes that a blank shows too: lines under, through, over and around it, and reverse."""

_PLAIN = Style.null()


class TerseStrip(Strip):
    """A strip with the shortest sequences that draw it. What is cut from it is an ordinary strip again.

    Most are drawn once and never cut or changed, so the caches that a strip has for that are made when they are used.
    """

    __slots__ = ()

    def __init__(self, segments: Iterable[Segment], cell_length: int | None = None) -> None:
        self._segments = list(segments)
        self._cell_length = cell_length
        self._render_cache = self._link_ids = self._cell_count = None

    def __getattr__(self, name: str) -> Any:
        if not name.endswith("_cache"):
            raise AttributeError(f"{type(self).__name__} has no {name}")
        cache: FIFOCache[Any, Any] = FIFOCache(4)
        setattr(self, name, cache)
        return cache

    def render(self, console: Console) -> str:
        """The text with its escape sequences; ends with everything reset."""
        if self._render_cache is None:
            self._render_cache = _render(self._segments, console._color_system or ColorSystem.TRUECOLOR)
        return self._render_cache


def filter_styles(styles: Mapping[str, Style], filters: Sequence[LineFilter], background: Color) -> dict[str, Style]:
    """The styles as line filters (NO_COLOR, dimmed text, ANSI colours) leave them.

    Filters look at nothing but styles, so a row that is drawn with these styles needs no filter of its own.
    """
    segments = [Segment(" ", style) for style in styles.values()]
    for line_filter in filters:
        segments = line_filter.apply(segments, background)
    return {name: segment.style or _PLAIN for name, segment in zip(styles, segments, strict=True)}


def _render(segments: Sequence[Segment], color_system: ColorSystem) -> str:
    texts = [text for text, _, _ in segments if text]
    styles = tuple([style or _PLAIN for text, style, _ in segments if text])
    sequences = _sequences(styles, tuple(map(str.isspace, texts)), color_system)
    return "".join([part for pair in zip(sequences, texts, strict=False) for part in pair]) + sequences[-1]


@lru_cache(maxsize=1024)
def _sequences(styles: Sequence[Style], blanks: Sequence[bool], color_system: ColorSystem) -> list[str]:
    """What comes before each of these texts, and behind the last: rows have few patterns of styles."""
    sequences: list[str] = []
    now = _PLAIN
    for style, blank in zip(styles, blanks, strict=True):
        sequence, now = _step(now, style, blank, color_system)
        sequences.append(sequence)
    sequences.append(_step(now, _PLAIN, False, color_system)[0])
    return sequences


@lru_cache(maxsize=4096)
def _step(now: Style, style: Style, blank: bool, color_system: ColorSystem) -> tuple[str, Style]:
    """The sequence that leads from one style to the other for a text, blank or not, and the style that then holds."""
    attributes, foreground, background = _codes(now, color_system)
    wants, color, behind = _codes(style, color_system)
    if blank and behind == background and not (wants | attributes) & _SHOWS_ON_BLANKS:
        return "", now
    if (wants, color, behind) == (attributes, foreground, background):
        return "", style
    # A default colour cannot be told as a difference, nor can the end of an attribute.
    if not attributes <= wants or (foreground and not color) or (background and not behind):
        codes = ["0", *sorted(wants), color, behind]
    else:
        codes = [*sorted(wants - attributes), color * (color != foreground), behind * (behind != background)]
    return f"\x1b[{';'.join(filter(None, codes))}m", style


def _codes(style: Style, color_system: ColorSystem) -> tuple[frozenset[str], str, str]:
    """SGR codes of a style: its attributes, its colour and its background, "" for the default."""
    attributes = Strip.render_ansi(style.without_color, color_system)
    foreground = Strip.render_ansi(Style(color=style.color), color_system)
    background = Strip.render_ansi(Style(bgcolor=style.bgcolor), color_system)
    return frozenset(attributes.split(";")) - {""}, foreground, background
