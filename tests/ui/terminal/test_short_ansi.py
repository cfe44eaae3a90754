"""A terse strip draws what an ordinary one draws, with less."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import DimFilter, Monochrome, NoColor
from textual.strip import Strip

from tests.support.properties import PROPERTY
from tui.ui.terminal.short_ansi import TerseStrip, filter_styles

COLORS = st.sampled_from([None, "red", "color(201)", "#7aa2f7", "#121519", "default"])
FLAGS = st.sampled_from([None, True, False])
STYLES = st.builds(
    Style, color=COLORS, bgcolor=COLORS, bold=FLAGS, italic=FLAGS, underline=FLAGS, strike=FLAGS, reverse=FLAGS
)
SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["a", "bc ", "  ", "", "日本", "é…"]), STYLES | st.none()).map(lambda it: Segment(*it)),
    max_size=8,
)
SYSTEMS = st.sampled_from(["standard", "256", "truecolor"])
SHOWS_ON_BLANKS = ("bg", "underscore", "strikethrough", "reverse")


def drawn(sequences: str) -> list[tuple[object, ...]]:
    """The cells that a terminal shows: of a blank only what can be seen of it."""
    screen = pyte.Screen(60, 1)
    pyte.Stream(screen).feed(sequences + "|")
    cells = []
    for column in range(60):
        cell = screen.buffer[0][column]
        if cell.data == " ":
            seen = tuple(getattr(cell, name) for name in SHOWS_ON_BLANKS)
            # Lines and a reversed background are drawn in the colour of the text.
            cells.append((" ", seen, cell.fg if any(seen[1:]) else None))
        else:
            cells.append(tuple(cell))
    return cells


@PROPERTY
@given(SEGMENTS, SYSTEMS)
def test_the_terminal_shows_the_same(segments: list[Segment], system: str) -> None:
    console = Console(color_system=system, force_terminal=True)  # type: ignore[arg-type]
    # Styles remember their codes, whatever the colour system: each strip gets its own.
    fresh = [Segment(text, style.copy() if style else None) for text, style, _ in segments]
    assert drawn(TerseStrip(segments).render(console)) == drawn(Strip(fresh).render(console))


def test_a_colour_is_said_once() -> None:
    console = Console(color_system="truecolor", force_terminal=True)
    dim, plain = Style(color="#888888", bgcolor="#121519"), Style(color="#d7dce5", bgcolor="#121519")
    segments = [Segment("7.302 ", dim), Segment("← ", dim), Segment("  ", plain), Segment("text", plain)]
    assert TerseStrip(segments).render(console) == (
        "\x1b[38;2;136;136;136;48;2;18;21;25m7.302 ←   \x1b[38;2;215;220;229mtext\x1b[0m"
    )


@pytest.mark.parametrize("line_filter", [Monochrome(), NoColor(), DimFilter()])
def test_filtered_styles_draw_what_filtered_strips_draw(line_filter: Monochrome | NoColor | DimFilter) -> None:
    background = Color.parse("#121519")
    styles = {"dim": Style(color="#888888", bgcolor="#121519", dim=True), "bold": Style(bold=True), "plain": Style()}
    segments = [Segment(name, style) for name, style in styles.items()]
    filtered = filter_styles(styles, [line_filter], background)
    assert [Segment(name, filtered[name]) for name in styles] == list(
        Strip(segments).apply_filter(line_filter, background)
    )
