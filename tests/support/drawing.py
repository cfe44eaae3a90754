"""Looking at what widgets draw: lines as they go to the terminal, and a screen with one widget on it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.color import Color
from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot
from textual.strip import Strip
from textual.theme import Theme
from textual.widget import Widget

from tests.support.pace import turns_of_the_loop
from tui.conversation import Speaker, Turn, TurnState
from tui.ui import theming
from tui.ui.screens import main
from tui.wire import Family

Shown = TypeVar("Shown", bound=Widget)
Posted = TypeVar("Posted", bound=Message)

PATIENCE_S = 30.0
"""How long anything may take on a loaded machine before a test gives up: a bound on hanging, not a measure."""

HOSTILE = {
    "ansi": "\x1b[2J\x1b[31mred\x1b]0;title\x07\x9b1m",
    "markup": "[red]x[/red] [link=https://example.com]y[/link] [/] [@click=app.quit]z[/] [",
    "bidi": "\u202egnp.exe\u2066\u200e\u061c",
    "zero-width": "zero\u200bwidth\ufeff\u2060\u00ad",
    "newlines": "line\nline\r\nline\r\tline\u2028line\x85\x00",
    "wide": "日本語のテキスト👍🏽🇫🇷❤️ e\u0301\u0301",
    "no-text": "\ud800\udfff\uffff\U000e0041",
    "pile": "e" + "\u0301" * 500,
    "long": "x" * 1_000_000,
    "long-ansi": "\x1b[31m" * 200_000,
    "long-wide": "日" * 400_000,
}
"""Texts that a server may send in any field, to be drawn as what they are."""

each_hostile = pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())


def screen_lines(app: App[Any]) -> list[str]:
    """What the whole screen shows, a line each."""
    return [strip.text for strip in app.screen._compositor.render_strips(app.size)]


def strips(widget: Widget) -> list[Strip]:
    """The lines of a widget, as they go to the terminal."""
    return widget.render_lines(widget.size.region)


def lines(widget: Widget) -> list[str]:
    """The texts of :func:`strips`, without trailing blanks."""
    return [strip.text.rstrip() for strip in strips(widget)]


def segments(widget: Widget, text: str) -> list[Segment]:
    """The segments of a widget that hold a text."""
    return [segment for strip in strips(widget) for segment in strip if text in segment.text]


_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def is_safe(text: str) -> bool:
    """True when nothing in a text controls the terminal, turns it around or hides itself."""
    return _UNSAFE.search(text) is None


def assert_clean(widget: Widget) -> None:
    """Every line fills the widget's width exactly, a cell holds no pile of marks, and nothing controls the terminal."""
    for strip in strips(widget):
        text = strip.text
        assert is_safe(text), repr(text)
        assert cell_len(text) == strip.cell_length == widget.size.width, repr(text)
        assert len(text) <= 9 * widget.size.width


_THEMES = theming.load_themes().loaded


def semantic_colors(theme: Theme) -> dict[str, str]:
    """Every one of our own variables with its colour in this theme."""
    colors = theming.variable_defaults(theme) | theme.variables
    return {variable: colors[variable] for variable in theming.SEMANTIC_VARIABLES}


def family_colors(theme: Theme) -> dict[Family, Color]:
    """The colour of each family of events in this theme."""
    colors = semantic_colors(theme)
    return {family: Color.parse(colors[f"family-{family}"]) for family in Family}


class Stage(App[None]):
    """One widget on the whole screen, with our style sheet and themes."""

    CSS_PATH = Path(main.__file__).with_name("main.tcss")

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self._widget = widget
        for theme in _THEMES:
            self.register_theme(theme)
        self.theme = theming.DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own colours."""
        return theming.variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        """The widget alone."""
        yield self._widget


@dataclass
class Staged(Generic[Shown]):
    """A widget that is shown, and what it has posted so far."""

    widget: Shown
    pilot: Pilot[None]
    posted: list[Message]

    def posts(self, kind: type[Posted]) -> list[Posted]:
        """The messages of one kind, oldest first; each was seen by several widgets on its way up."""
        return list(dict.fromkeys(message for message in self.posted if isinstance(message, kind)))

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await resize(self.pilot, width, height)


async def resize(pilot: Pilot[Any], width: int, height: int) -> None:
    """Give the terminal another size, and wait until the screen has it."""
    await pilot.resize_terminal(width, height)
    await until(pilot, lambda: pilot.app.screen._compositor.size == (width, height), f"{width} by {height}")
    await pilot.pause()


def watched(widget: Widget) -> list[Region | None]:
    """What a widget is asked to draw anew from now on; None stands for all of it."""
    asked: list[Region | None] = []
    refresh = widget.refresh

    def watch(*regions: Region, **options: Any) -> Widget:
        asked.extend(regions or [None])
        return refresh(*regions, **options)

    widget.refresh = watch  # type: ignore[method-assign]
    return asked


async def wheel(pilot: Pilot[Any], widget: Widget, notches: int) -> None:
    """Turn the mouse wheel over a widget, up for a negative number."""
    kind = MouseScrollUp if notches < 0 else MouseScrollDown
    await pilot._post_mouse_events([kind] * abs(notches), widget, (1, 0))
    await pilot.pause()


@asynccontextmanager
async def staged(widget: Shown, size: tuple[int, int] = (80, 20)) -> AsyncIterator[Staged[Shown]]:
    """Show a widget alone."""
    posted: list[Message] = []
    app = Stage(widget)
    with turns_of_the_loop():
        async with app.run_test(size=size, notifications=True, message_hook=posted.append) as pilot:
            widget.focus()
            await pilot.pause()
            yield Staged(widget, pilot, posted)


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "") -> None:
    """Let an app run until a condition holds; fail with ``what`` and the screen when it never does."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await pilot.pause(0.01)
    except TimeoutError:
        shown = "\n".join(screen_lines(pilot.app))
        raise AssertionError(f"never happened: {what or condition}\n{shown}") from None
    await pilot.pause()


def turn(key: str, text: str) -> Turn:
    """An answer that is on its way, all of it heard."""
    return Turn(
        key=key,
        item_id=key,
        speaker=Speaker.AGENT,
        text=text,
        heard=len(text),
        state=TurnState.STREAMING,
        time_s=0.0,
        note="",
    )
