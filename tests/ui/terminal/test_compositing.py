"""What is written for a change draws what a whole new screen would, and over a slow line bit by bit."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

import pyte
import pytest
from rich.console import Console, RenderableType
from textual._compositor import CompositorUpdate
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tests.bench import workload
from tests.bench.inside.themed import ThemedApp
from tests.support.drawing import resize, turn, until
from tui.capture import EventLog
from tui.ui.screens.help import Help
from tui.ui.screens.main import MainScreen
from tui.ui.terminal.compositing import Piece, PiecesUpdate
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.transcript_pane import TranscriptPane
from tui.wire import Direction

SHOWS_ON_BLANKS = ("bg", "underscore", "strikethrough", "reverse")


class Drawn(ThemedApp):
    """The main screen, and the terminal that has got all that was written."""

    def __init__(self) -> None:
        super().__init__()
        self.terminal = pyte.Screen(120, 36)
        self.partial = 0
        """Updates that were less than the whole screen."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if isinstance(renderable, CompositorUpdate):
            self.partial += isinstance(renderable, PiecesUpdate)
            pyte.Stream(self.terminal).feed(renderable.render_segments(self.console))
        super()._display(screen, renderable)


def cells(terminal: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What a terminal shows: of a blank only what can be seen of it."""
    return [
        [
            tuple(getattr(cell, name) for name in SHOWS_ON_BLANKS) if cell.data == " " else tuple(cell)
            for cell in (terminal.buffer[y][x] for x in range(terminal.columns))
        ]
        for y in range(terminal.lines)
    ]


def as_if_new(app: Drawn) -> bool:
    """Whether the terminal shows what it would if the screen were drawn for the first time."""
    new = pyte.Screen(app.terminal.columns, app.terminal.lines)
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        pyte.Stream(new).feed(f"\x1b[{y + 1};1H{strip.render(app.console)}")
    return app.terminal.display == new.display and cells(app.terminal) == cells(new)


def at_rest(screen: Screen[Any]) -> bool:
    """Whether all that has changed is drawn."""
    return not (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._compositor._dirty_regions
    )


async def test_the_terminal_shows_what_a_new_screen_would() -> None:
    app = Drawn()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        screen = app.show_main()
        await pilot.pause()
        log, events = EventLog(time.monotonic_ns()), workload.spoken(workload.event_ids())
        screen.show_session(log, lambda: (0.0, 0.0), 1)
        pane, transcript = screen.query_one(EventPane), screen.query_one(TranscriptPane)

        async def settle(when: str) -> None:
            await pilot.pause()
            await until(pilot, lambda: at_rest(app.screen) and as_if_new(app), when)

        async def rows(count: int) -> None:
            for event in itertools.islice(events, count):
                log.append(Direction.RECEIVED, event, time.monotonic_ns())
            pane.update_rows(log.rows, log.take_changed())
            await settle(f"after {log.rows} rows")

        for count in (3, 30, 60, 500):
            await rows(count)
        transcript.update_turns([turn("a", "日本語 " * 30)], ("a",))
        await settle("an answer")
        await pilot.press("x", "y")
        await settle("typed")
        app.notify("日本 a toast that lies above a pane", markup=False)
        await settle("a toast")
        await rows(150)
        for keys in (("tab",), ("k", "k"), ("slash",), (*"item",), ("enter",), ("f4",), ("j",), ("f4",)):
            await pilot.press(*keys)
            await settle(f"after {keys}")
            await rows(40)
        app.push_screen(Help([]))
        await settle("help")
        await rows(100)
        app.pop_screen()
        await settle("help gone")
        app.terminal.resize(24, 80)
        await resize(pilot, 80, 24)
        await rows(200)
        assert app.partial > 20, "most of this is not worth a whole screen"
        log.close()


async def test_a_wide_character_is_not_cut_by_what_changed_beside_it() -> None:
    app = Drawn()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = app.show_main()
        await pilot.pause()
        transcript = screen.query_one(TranscriptPane)
        transcript.update_turns([turn("a", "日本語 " * 30)], ("a",))
        await until(pilot, lambda: at_rest(screen) and as_if_new(app))
        for column in range(8):
            for width in (1, 2, 3):
                transcript.refresh(Region(column, 0, width, transcript.size.height))
                await until(pilot, lambda: at_rest(screen))
                assert as_if_new(app), (column, width)


async def test_widgets_that_show_nothing_new_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str | None] = []
    app = Drawn()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = app.show_main()
        await pilot.pause()
        for widget in screen.walk_children(Widget):

            def draw(crop: Region, widget: Any = widget, render: Any = widget.render_lines) -> list[Strip]:
                drawn.append(widget.id)
                strips: list[Strip] = render(crop)
                return strips

            monkeypatch.setattr(widget, "render_lines", draw)
        await pilot.press("x")
        await until(pilot, lambda: at_rest(screen))
        drawn.clear()
        screen.query_one(EventPane).refresh(Region(0, 5, 20, 1))
        await until(pilot, lambda: drawn and at_rest(screen))
        assert drawn == ["events"]


def update(limit: int | None, rest: list[Region], late: Sequence[bool]) -> str:
    pieces = sorted(Piece(each, y, 0, 10, Strip.blank(10)) for y, each in enumerate(late))
    written = PiecesUpdate(pieces, limit, rest.extend).render_segments(Console())
    screen = pyte.Screen(10, len(late))
    screen.draw("x" * 10 * len(late))
    pyte.Stream(screen).feed(written)
    return "".join(" " if line.isspace() else "x" for line in screen.display)


def test_without_a_limit_everything_is_written() -> None:
    rest: list[Region] = []
    assert update(None, rest, [True] * 5) == "     "
    assert not rest


def test_what_has_no_room_is_left_for_later_and_the_focus_goes_first() -> None:
    rest: list[Region] = []
    assert update(20, rest, [True, True, True, False]) == " xx "
    assert rest == [Region(0, 1, 10, 1), Region(0, 2, 10, 1)]


def test_the_focus_is_drawn_whole() -> None:
    rest: list[Region] = []
    assert update(1, rest, [False, False, False, True]) == "   x"
    assert rest == [Region(0, 3, 10, 1)]


async def test_what_was_left_is_drawn_when_the_terminal_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    limit: list[int | None] = [None]
    busy = [True]
    monkeypatch.setattr("tui.ui.terminal.compositing.allowance", lambda _: limit[0])
    monkeypatch.setattr("tui.ui.terminal.compositing.is_busy", lambda _: busy[0])
    app = Drawn()
    async with app.run_test(size=(120, 36)) as pilot:
        screen = app.show_main()
        await pilot.pause()
        log, events = EventLog(time.monotonic_ns()), workload.unfolded(workload.event_ids())
        screen.show_session(log, lambda: (0.0, 0.0), 1)
        await until(pilot, lambda: at_rest(screen))
        limit[0] = 1_000
        for event in itertools.islice(events, 200):
            log.append(Direction.RECEIVED, event, time.monotonic_ns())
        screen.query_one(EventPane).update_rows(log.rows, log.take_changed())
        screen.query_one(Prompt).insert("first")
        await until(pilot, lambda: screen.unfinished)
        assert any("first" in line for line in app.terminal.display), "what has the focus is drawn before the rest"
        await pilot.press("q")
        await until(pilot, lambda: any("firstq" in line for line in app.terminal.display), "a key is answered")
        assert screen.unfinished
        busy[0] = False
        await until(pilot, lambda: not screen.unfinished and at_rest(screen))
        assert as_if_new(app)
        assert isinstance(screen, MainScreen)
        log.close()
