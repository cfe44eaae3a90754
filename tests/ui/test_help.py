"""The help says which keys do what now, on every size of screen."""

import asyncio
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.color import Color
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from tests.support.drawing import family_colors
from tui.ui import theming
from tui.ui.bindings import all_bindings
from tui.ui.screens.help import Help, HelpSection, KeyHelp, KeyTable, explanations, section_from
from tui.wire import Family

SIZES = [(120, 40), (80, 24), (40, 12)]
HOME = Path("/home/ada")


class Base(Widget, can_focus=True):
    BINDINGS = [
        Binding("j,down", "go", "Down", id="pane.down", tooltip="One line down"),
        Binding("x", "hidden", system=True, tooltip="Not for people", id="pane.system"),
        ("t", "plain", "A tuple has no name"),
    ]


class Pane(Base):
    BINDINGS = [
        Binding("slash", "find", "Search", id="pane.search", tooltip="Search in the pane"),
        Binding("e", "edit", "Edit", id="pane.edit"),
        Binding("z", "wordless", id="pane.wordless"),
    ]

    def action_find(self) -> None:
        self.app.bell()


class Host(App[None]):
    BINDINGS = [Binding("f1", "help", "Help", id="app.help", tooltip="This page")]

    def __init__(self, *more: HelpSection) -> None:
        super().__init__()
        self.more = more

    def compose(self) -> ComposeResult:
        yield Pane()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theming.variable_defaults(self.current_theme)

    def action_help(self) -> None:
        sections = [
            section_from("Everywhere", self.BINDINGS, self),
            section_from("Pane", [*Pane.BINDINGS, *Base.BINDINGS], self, "What the pane is for."),
            *self.more,
        ]
        self.push_screen(Help(sections))


def screen_text(app: App[None]) -> list[str]:
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def scroll(pilot: Pilot[None], key: str) -> None:
    """Press a key, and wait until the page stands where it leads: Textual scrolls behind the next refresh."""
    await pilot.press(key)
    scrolled = asyncio.Event()
    pilot.app.screen.query_one("#help").call_after_refresh(scrolled.set)
    await scrolled.wait()
    await pilot.pause()


async def whole_text(pilot: Pilot[None]) -> str:
    """All that the help says, read by scrolling from the top to the end."""
    pages = []
    await scroll(pilot, "g")
    while True:
        pages.append("\n".join(screen_text(pilot.app)))
        before = pilot.app.screen.query_one("#help").scroll_offset
        await scroll(pilot, "pagedown")
        if pilot.app.screen.query_one("#help").scroll_offset == before:
            return "\n".join(pages)


async def test_a_section_has_the_declared_bindings_and_their_words() -> None:
    app = Host()
    async with app.run_test():
        section = section_from("Pane", [*Pane.BINDINGS, *Base.BINDINGS], app)
        assert section.bindings == (
            KeyHelp("/", "Search in the pane", "pane.search"),
            KeyHelp("e", "Edit", "pane.edit"),
            KeyHelp("j ↓", "One line down", "pane.down"),
        )


async def test_a_section_shows_the_keys_of_now() -> None:
    app = Host()
    async with app.run_test():
        app.set_keymap({"pane.search": "f5,question_mark", "pane.down": "n", "pane.nowhere": "x"})
        keys = {row.id: row.keys for row in section_from("Pane", [*Pane.BINDINGS, *Base.BINDINGS], app).bindings}
        assert keys == {"pane.search": "f5 ?", "pane.edit": "e", "pane.down": "n"}


async def test_the_keys_that_are_shown_are_the_keys_that_work(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host()
    rung: list[bool] = []
    async with app.run_test() as pilot:
        monkeypatch.setattr(app, "bell", lambda: rung.append(True))
        app.set_keymap({"pane.search": "f5"})
        app.query_one(Pane).focus()
        assert section_from("Pane", [*Pane.BINDINGS, *Base.BINDINGS], app).bindings[0].keys == "f5"
        await pilot.press("slash")
        assert rung == []
        await pilot.press("f5")
        assert rung == [True]


@pytest.mark.parametrize("size", SIZES)
async def test_everything_can_be_read(size: tuple[int, int]) -> None:
    app = Host(*explanations(HOME / "config.toml", HOME / "themes", HOME / "azrt-tui.log", str))
    async with app.run_test(size=size) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        assert all(cell_len(line) == size[0] for line in screen_text(app))
        text = re.sub(r"[\s│▇▃▁▂▄▅▆]+", "", await whole_text(pilot))
        for part in (
            "Everywhere",
            "This page",
            "What the pane is for.",
            "Search in the pane",
            "One line down",
            "AZURE_OPENAI_ENDPOINT",
            "OPENAI_API_KEY",
            "→ to the server",
            "← from the server",
            "/home/ada/config.toml",
            "/home/ada/azrt-tui.log",
            *Family,
        ):
            assert part.replace(" ", "") in text, part


@pytest.mark.parametrize(("size", "shown"), zip(SIZES, [True, True, False], strict=True))
async def test_names_for_the_keys_table_are_shown_where_there_is_room(size: tuple[int, int], shown: bool) -> None:
    app = Host()
    async with app.run_test(size=size) as pilot:
        await pilot.press("f1")
        assert ("pane.search" in await whole_text(pilot)) is shown


@pytest.mark.parametrize("key", ["escape", "q", "f1"])
async def test_it_closes(key: str) -> None:
    app = Host()
    async with app.run_test() as pilot:
        await pilot.press("f1")
        assert isinstance(app.screen, Help)
        await pilot.press(key)
        assert not isinstance(app.screen, Help)


async def test_keys_scroll() -> None:
    app = Host(HelpSection("Long", text="\n".join(map(str, range(200)))))
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        pane = app.screen.query_one("#help")
        positions = [pane.scroll_offset.y]
        for key in ("down", "j", "space", "pagedown", "k", "up", "pageup", "G", "g", "end", "home"):
            await scroll(pilot, key)
            positions.append(pane.scroll_offset.y)
        assert positions[:3] == [0, 1, 2]
        assert positions[4] > positions[3] > positions[2]
        assert positions[6] == positions[4] - 2
        assert positions[7] < positions[6]
        assert positions[8] == positions[10] == pane.max_scroll_y
        assert positions[9] == positions[11] == 0


async def test_no_sections_is_an_empty_page() -> None:
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        app.push_screen(Help(()))
        await pilot.pause()
        assert "Help" in screen_text(app)[0]
        await pilot.press("escape")
        assert not isinstance(app.screen, Help)


@pytest.mark.parametrize("size", SIZES)
async def test_words_are_drawn_letter_by_letter(size: tuple[int, int]) -> None:
    row = KeyHelp("[b]f5[/b]", "日本語 [red]not red[/red] " + "word " * 30, "a.[link]")
    files = explanations(Path("/home/[b]x\x1b[2J\u202e"), HOME, HOME, str)
    app = Host(HelpSection("[u]Title[/u]", [row], "[i]text[/i]"), files[-1])
    async with app.run_test(size=size) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        text = await whole_text(pilot)
        assert all(cell_len(line) == size[0] for line in text.split("\n"))
        assert text.replace("\n", "").isprintable()
        flat = re.sub(r"[\s│▇▃▁▂▄▅▆]+", "", text)
        for part in ("[u]Title[/u]", "[b]f5[/b]", "[red]notred[/red]", "[i]text[/i]", r"/home/[b]x\u001b[2J\u202e"):
            assert part in flat


async def test_the_legend_wears_the_colours_of_the_theme() -> None:
    legend = next(s for s in explanations(HOME, HOME, HOME, str) if "colours" in s.title)
    app = Host(legend)
    async with app.run_test(size=(80, 24)) as pilot:
        for theme in theming.load_themes().loaded:
            app.register_theme(theme)
        await pilot.press("f1")
        for name in ("azrt-dark", "azrt-light", "nord"):
            app.theme = name
            await scroll(pilot, "end")
            colors = {
                segment.text.strip(): segment.style.color
                for strip in app.screen._compositor.render_strips()
                for segment in strip
                if segment.style
            }
            for family, color in family_colors(app.current_theme).items():
                shown = colors[family.value]
                assert shown is not None
                assert Color.from_rich_color(shown) == color, (name, family)


async def test_the_table_of_keys_follows_the_theme() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        seen = set()
        for name in ("textual-dark", "textual-light"):
            app.theme = name
            await pilot.pause()
            accent = app.screen.query(KeyTable).first().get_component_rich_style("key-table--keys").color
            drawn = {
                segment.style.color
                for strip in app.screen._compositor.render_strips()
                for segment in strip
                if segment.style and segment.text.strip() == "f1"
            }
            assert drawn == {accent}
            seen |= drawn
        assert len(seen) == 2


def test_the_example_in_the_text_names_a_binding_that_exists() -> None:
    text = str(explanations(HOME, HOME, HOME, str)[-1].text)
    (name,) = re.findall(r'^"([\w.]+)" = ', text, re.MULTILINE)
    assert name in {binding.id for binding in all_bindings()}


async def test_text_may_be_plain_or_styled() -> None:
    app = Host(HelpSection("Plain", text="just text"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f1")
        assert [str(each.render()) for each in app.screen.query(".text").results(Static)] == [
            "What the pane is for.",
            "just text",
        ]


def test_the_explanations_name_the_keys_of_now() -> None:
    keys = {
        "session.microphone": "ctrl+g",
        "session.devices": "F10",
        "session.turns": "ctrl+b",
        "events.filter": "?",
        "events.mark": "[",
        "find.complete": "ctrl+n",
        "find.save": "F2",
    }
    texts = {each.title: str(each.text) for each in explanations(HOME, HOME, HOME, keys.__getitem__)}
    assert "ctrl+g opens the microphone" in texts["Voice"]
    assert "F10 shows the devices" in texts["Voice"]
    assert "ctrl+b changes to server VAD" in texts["Voice"]
    assert "◆ marked with [\n" in texts["Signs and colours of the events"]
    assert texts["Filters"].startswith("Behind ?. ")
    assert "ctrl+n completes; F2 saves one as @name." in texts["Filters"]
