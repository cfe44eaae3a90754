"""Filter, search, marks, times and following one thing, on the main screen with a log that grows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from tests.support.apps import fast, isolate, running
from tests.support.drawing import HOSTILE, assert_clean, is_safe, lines, resize, screen_lines, segments, until
from tui.capture import EventLog
from tui.settings import load_settings
from tui.ui import theming
from tui.ui.screens.event_detail import EventDetail
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.find_line import FindLine
from tui.wire import Direction

RECEIVED, SENT = Direction.RECEIVED, Direction.SENT


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


class Stage(App[None]):
    """The main screen, and nothing behind it."""

    def __init__(self, filters: dict[str, str]) -> None:
        super().__init__()
        self._saved_filters = filters

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theming.variable_defaults(self.current_theme)

    def on_mount(self) -> None:
        for theme in theming.load_themes().loaded:
            self.register_theme(theme)
        self.theme = theming.DEFAULT_THEME
        self.push_screen(MainScreen("interrupt", self._saved_filters))


class Scene:
    """A log, and the screen that shows it."""

    def __init__(self, pilot: Pilot[None], main: MainScreen) -> None:
        self.pilot = pilot
        self.main = main
        self.log = EventLog()
        self.pane = main.query_one(EventPane)
        self.line = main.query_one(FindLine)
        main.show_session(self.log, lambda: (0.0, 0.0), 1)
        self.pane.focus()

    def add(self, event_type: str, direction: Direction = RECEIVED, *, alarm: bool = False, **fields: Any) -> int:
        """Log an event; each comes a tenth of a second behind the one before."""
        data = json.dumps({"type": event_type, **fields}).encode(errors="surrogatepass")
        index = self.log.append(direction, data, len(self.log) * 10**8)
        if alarm:
            self.log.mark_alarm(index)
        return index

    def show(self) -> None:
        """Hand over a batch."""
        self.pane.update_rows(self.log.rows, self.log.take_changed())

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settled()

    async def type(self, text: str) -> None:
        """Write into what has the focus."""
        await self.press(*({" ": "space"}.get(each, each) for each in text))

    async def settled(self) -> None:
        """Wait until the log has been looked through."""
        await until(self.pilot, lambda: self.pane.view.complete and not self.pane._looking, "looked through")

    @property
    def rows(self) -> list[str]:
        """What the pane shows, without the times."""
        return [line[8:].strip() for line in lines(self.pane) if line.strip()]

    @property
    def title(self) -> str:
        return str(self.main.query_one("#events-frame").border_title)

    @property
    def subtitle(self) -> str:
        return str(self.main.query_one("#events-frame").border_subtitle)

    @property
    def answer(self) -> str:
        """What the line says below what is written."""
        return "\n".join(line.strip() for line in lines(self.main.query_one("#find-answer"))).strip()

    @property
    def text(self) -> str:
        return "\n".join(screen_lines(self.pilot.app))


@asynccontextmanager
async def scene(size: tuple[int, int] = (120, 30), **filters: str) -> AsyncIterator[Scene]:
    app = Stage(filters)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: isinstance(app.screen, MainScreen), "the main screen")
        await pilot.pause()
        main = app.screen
        assert isinstance(main, MainScreen)
        main.show_pane("events")
        made = Scene(pilot, main)
        await pilot.pause()
        yield made
        made.log.close()


def conversation(shown: Scene) -> None:
    """A question, an answer in four deltas, an error, a call."""
    shown.add("session.created")
    shown.add("response.create", SENT)
    shown.add("response.created", response={"id": "resp_1"})
    shown.add("response.output_item.added", response_id="resp_1", item={"id": "item_1", "type": "message"})
    for word in ("It ", "is ", "raining ", "today"):
        shown.add("response.output_text.delta", response_id="resp_1", item_id="item_1", delta=word)
    shown.add("error", alarm=True, error={"message": "no such voice"})
    shown.add("conversation.item.added", item={"id": "item_1"})
    shown.add("response.function_call_arguments.done", response_id="resp_1", item_id="item_2", call_id="call_1")
    shown.add("response.done", response={"id": "resp_1", "status": "completed"})
    shown.add("rate_limits.updated")
    shown.show()


# The filter


async def test_the_filter_takes_effect_while_it_is_written() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        assert shown.line.display
        await shown.type("-delta")
        assert shown.title == "Events · -delta · 9"
        assert not any("output_text.delta" in row for row in shown.rows)
        await shown.press("enter")
        assert not shown.line.display
        assert shown.pane.has_focus
        assert shown.subtitle == "following"
        await shown.press("escape")
        assert shown.title == "Events"
        assert len(shown.rows) == 10


async def test_escape_in_the_line_takes_the_change_back() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f", "e", "r", "r", "o", "r", "enter")
        assert shown.title == "Events · error · 1"
        await shown.press("f")
        await shown.type("audio")
        assert shown.title == "Events · audio · 0"
        assert "No event matches audio" in shown.text
        await shown.press("escape")
        assert shown.title == "Events · error · 1"
        assert shown.pane.has_focus


async def test_a_mistake_is_shown_at_its_character_and_changes_nothing() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        await shown.type("error dir:up")
        assert shown.answer == "character 11: dir: is in, out or local"
        assert shown.title.startswith("Events · error ")
        (wrong,) = [each for each in segments(shown.main.query_one("#find-field"), "up") if each.text == "up"]
        assert wrong.style is not None and wrong.style.reverse
        await shown.press("enter")
        assert shown.line.display
        await shown.press("backspace", "backspace")
        await shown.type("in")
        await shown.press("enter")
        assert shown.title == "Events · error dir:in · 1"


async def test_tab_completes_what_the_log_has_seen() -> None:
    async with scene(quiet="-delta -limits") as shown:
        conversation(shown)
        await shown.press("f")
        assert shown.answer.startswith("@quiet  type:  dir:  item:")
        await shown.type("type:rate")
        assert "type:rate_limits.updated" in shown.answer
        await shown.press("tab")
        assert shown.title == "Events · type:rate_limits.updated · 1"
        await shown.type("or item:")
        await shown.press("down", "tab")
        assert shown.title.startswith("Events · type:rate_limits.updated or item:item_1")
        await shown.press("escape", "f", "@", "tab", "enter")
        assert shown.title == "Events · @quiet · 8"


async def test_without_offers_tab_goes_to_the_next_pane() -> None:
    async with scene() as shown:
        await shown.press("slash", "tab")
        assert shown.main.focused is not None and shown.main.focused.id == "prompt"


async def test_a_filter_is_saved_by_name() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        await shown.type('"no such" error')
        await shown.press("ctrl+s")
        await shown.type("my own")
        assert "letters, digits" in shown.answer
        await shown.press("enter", *["backspace"] * 4)
        await shown.press("enter")
        assert [note.message for note in shown.pilot.app._notifications] == ["Saved: write @my in a filter."]
        assert dict(load_settings({}).settings.filters) == {"my": '"no such" error'}
        await shown.type("-@m")
        await shown.press("tab")
        assert shown.title == "Events · -@my · 9"


async def test_a_filter_that_cannot_be_saved_says_why(tmp_path: Path) -> None:
    config = tmp_path / "config" / "azrt-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("voice = \n")
    async with scene() as shown:
        await shown.press("f", "x", "ctrl+s", "a", "enter")
        (note,) = shown.pilot.app._notifications
    assert note.message == 'Not saved: config.toml has a mistake in it; write it yourself, under [filters]: a = "x"'
    assert config.read_text() == "voice = \n"


@pytest.mark.parametrize("keys", [(), ("k", "k")], ids=["following", "paused"])
async def test_a_filter_holds_while_events_come_and_runs_grow(keys: tuple[str, ...]) -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        await shown.type("rain or snow")
        await shown.press("enter", *keys)
        assert [row.split()[1] for row in shown.rows] == ["output_text.delta"]
        for number in range(3):
            shown.add("response.output_text.delta", item_id="item_9", delta="sun" if number < 2 else "snow")
            shown.add("session.updated", text="rain" if number == 1 else "")
            shown.show()
        await shown.settled()
        assert [row.split()[1] for row in shown.rows] == ["output_text.delta", "output_text.delta", "session.updated"]
        assert "×3  sunsunsnow" in shown.rows[1]
        assert shown.title == "Events · rain or snow · 3"
        assert shown.subtitle == ("paused at 1 of 3 · 2 new" if keys else "following")


async def test_the_selected_row_stays_selected_through_filters() -> None:
    async with scene() as shown:
        for number in range(100):
            shown.add("error" if number % 10 == 0 else "session.updated", text=f"n{number}n")
        shown.show()
        await shown.press("g", *["j"] * 50)
        assert shown.pane.cursor == 50
        await shown.press("f")
        await shown.type("type:error")
        await shown.press("enter")
        assert (shown.pane.cursor, shown.subtitle) == (50, "paused at 6 of 10")
        await shown.press("f")
        await shown.type("n77n or n12n")
        await shown.press("enter")
        assert shown.pane.cursor == 77
        await shown.press("escape")
        assert shown.pane.cursor == 77
        assert 77 in shown.pane._drawn_rows


async def test_it_looks_through_a_long_log_in_slices_and_keys_work_meanwhile() -> None:
    async with scene() as shown:
        for number in range(30_000):
            shown.add("session.updated", text=f"n{number}n")
        shown.show()
        await shown.press("k")
        await shown.press("f")
        await shown.type('"n7"')
        assert shown.title == 'Events · "n7" · 1,111'
        await shown.press("enter")
        assert shown.subtitle == "paused at 1,111 of 1,111"
        shown.add("session.updated", text="n7n")
        shown.show()
        await shown.settled()
        assert shown.subtitle == "paused at 1,111 of 1,112 · 1 new"


async def test_another_log_keeps_the_filter() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        await shown.type("error")
        await shown.press("enter")
        other = EventLog()
        shown.main.show_session(other, lambda: (0.0, 0.0), 1)
        other.append(RECEIVED, b'{"type":"session.created"}', 0)
        other.mark_alarm(other.append(RECEIVED, b'{"type":"error"}', 0))
        shown.pane.update_rows(2, ())
        assert shown.title == "Events · error · 1"
        assert len(shown.rows) == 1
        other.close()


# The search


async def test_hits_stand_out_and_n_walks_them() -> None:
    async with scene() as shown:
        for number in range(60):
            shown.add("session.updated", text="Rainy" if number % 20 == 5 else "dry", session={"model": f"m{number}"})
        shown.add("rate_limits.updated", rate_limits=[{"name": "rain"}])
        shown.show()
        await shown.press("slash")
        await shown.type("rain")
        assert shown.subtitle == "following · rain: 4 of 4"
        await shown.press("enter")
        (hit,) = [each for each in segments(shown.pane, "rain") if each.text == "rain"]
        (label,) = segments(shown.pane, "rate_limits")
        assert hit.style is not None and label.style is not None and hit.style.bgcolor != label.style.bgcolor
        reached = []
        for key in ("N", "N", "n", "n", "n"):
            await shown.press(key)
            reached.append((shown.pane.cursor, shown.subtitle.rpartition(": ")[2]))
        assert reached == [(45, "3 of 4"), (25, "2 of 4"), (45, "3 of 4"), (60, "4 of 4"), (5, "1 of 4")]
        arrows = [segments(shown.pane, "←")[shown.pane.cursor - shown.pane._top], segments(shown.pane, "←")[-1]]
        assert arrows[0].style is not None and arrows[1].style is not None
        assert arrows[0].style.bgcolor != arrows[1].style.bgcolor
        await shown.press("escape")
        assert shown.subtitle == "paused at 6 of 61"


async def test_a_search_that_is_taken_back_leaves_nothing() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("slash")
        await shown.type("nowhere")
        assert shown.subtitle == "following · nowhere: not found"
        await shown.press("enter")
        assert [note.message for note in shown.pilot.app._notifications] == ["Not found."]
        await shown.press("slash", "escape")
        assert shown.subtitle == "following"


async def test_n_without_a_search_begins_one() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("n")
        assert shown.main.query_one("#find-field").has_focus


async def test_what_is_typed_right_behind_the_key_belongs_to_the_line() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press(*"/mark")
        assert shown.main.query_one("#find-field").value == "mark"
        assert shown.pane.view.marks == []


async def test_e_stays_within_the_filter() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("e")
        assert shown.pane.cursor == 5
        await shown.press("f")
        await shown.type("-error")
        await shown.press("enter", "e")
        assert [note.message for note in shown.pilot.app._notifications] == ["No errors here."]


# Marks and times


async def test_marks_are_set_walked_and_counted_from() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("m", "g", "j", "m")
        assert [row.startswith(("→◆", "←◆")) for row in shown.rows] == [number in (1, 9) for number in range(10)]
        await shown.press("left_square_bracket")
        assert shown.pane.cursor == 9
        await shown.press("right_square_bracket")
        assert shown.pane.cursor == 1
        await shown.press("r")
        assert shown.subtitle == "paused at 2 of 10 · times from 0.100"
        times = [line[:8].strip() for line in lines(shown.pane)[:10]]
        assert times[:5] == ["-0.100", "+0.000", "+0.100", "+0.200", "+0.300"]
        await shown.press("r", "m")
        assert lines(shown.pane)[2].startswith("  0.200")
        assert shown.pane.view.marks == [9]


async def test_a_mark_and_a_failure_are_both_seen() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("e", "m")
        assert shown.rows[5].startswith("←!◆error")


async def test_without_marks_it_says_how_to_set_one() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("right_square_bracket")
        assert [note.message for note in shown.pilot.app._notifications] == ["No row is marked: m marks one."]


async def test_the_key_that_marks_is_the_key_of_now() -> None:
    async with scene() as shown:
        conversation(shown)
        shown.pilot.app.set_keymap({"events.mark": "plus"})
        await shown.press("right_square_bracket")
        assert [note.message for note in shown.pilot.app._notifications] == ["No row is marked: + marks one."]


@pytest.mark.parametrize("key", ["t", "colon"])
async def test_a_time_is_gone_to(key: str) -> None:
    async with scene() as shown:
        for number in range(2000):
            shown.add("session.updated", text=f"n{number}n")
        shown.show()
        await shown.press(key)
        await shown.type("1:30.05")
        await shown.press("enter")
        assert shown.pane.cursor == 901
        await shown.press(key)
        await shown.type("-10")
        await shown.press("enter")
        assert shown.pane.cursor == 801
        await shown.press(key)
        await shown.type("soon")
        assert "such as 90, 1:30" in shown.answer.replace("\n", " ")
        await shown.press("enter", "escape")
        assert shown.pane.cursor == 801


# Following one thing


async def test_enter_offers_what_the_event_belongs_to_and_it_is_followed() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("g", *["j"] * 4, "enter")
        await until(shown.pilot, lambda: isinstance(shown.pilot.app.screen, EventDetail), "the event")
        await until(shown.pilot, lambda: "i Item r Response" in shown.text, "what it offers")
        assert "c Call" not in shown.text
        await shown.press("r")
        assert shown.pilot.app.screen is shown.main
        assert shown.title == "Events · response:resp_1 · 7"
        assert [row.split()[1] for row in shown.rows] == [
            "response.create",
            "response.created",
            "output_item.added",
            "output_text.delta",
            "item.added",
            "function_call_arguments.d…",
            "response.done",
        ] or len(shown.rows) == 7
        assert [line[:8].strip() for line in lines(shown.pane)[:6]] == [
            "0.100",
            "+0.100",
            "+0.100",
            "+0.100",
            "+0.500",
            "+0.100",
        ]
        assert shown.subtitle == "paused at 4 of 7 · times from row to row"
        shown.add("response.output_text.done", response_id="resp_1", item_id="item_1")
        shown.show()
        await shown.settled()
        assert shown.title == "Events · response:resp_1 · 8"
        assert lines(shown.pane)[7].startswith(" +0.200")
        await shown.press("escape")
        assert (shown.title, shown.pane.cursor) == ("Events", 4)


async def test_following_ends_where_it_began_with_the_filter_of_before() -> None:
    async with scene() as shown:
        conversation(shown)
        await shown.press("f")
        await shown.type("-limits")
        await shown.press("enter", "g", *["j"] * 7, "enter")
        await until(shown.pilot, lambda: "c Call" in shown.text, "what it offers")
        await shown.press("c")
        assert shown.title == "Events · call:call_1 · 1"
        await shown.press("escape")
        assert (shown.title, shown.pane.cursor) == ("Events · -limits · 9", 7)
        await shown.press("escape")
        assert shown.title == "Events"


# Every size, and whatever comes from the network


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20), (40, 12), (20, 6)])
async def test_nothing_is_cut_or_left_at_any_size(size: tuple[int, int]) -> None:
    async with scene(size) as shown:
        conversation(shown)
        for keys in (
            ["f"],
            ["x"],
            ["tab"],
            ["("],
            ["escape"],
            ["slash", "i"],
            ["enter"],
            ["g", "m", "r"],
            ["t"],
            ["escape"],
        ):
            await shown.press(*keys)
            assert_clean(shown.pane)
            await resize(shown.pilot, size[0] + 3, size[1] + 2)
            assert_clean(shown.pane)
            await resize(shown.pilot, *size)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_keys_below_the_screen_fit(size: tuple[int, int]) -> None:
    async with running(fast(), size=size) as shown:
        await shown.connected()
        shown.main.show_pane("events")
        shown.events.focus()
        for keys, words in (
            (["k"], ("Open", "f Filter", "/ Search", "esc Interrupt", "f1 Help", "^p Commands")),
            (["f"], ("esc Back", "tab Complete", "^s Save filter", "f1 Help", "^p Commands")),
            ([*"response", "enter"], ("esc Clear", "f3 Interrupt", "f1 Help", "^p Commands")),
        ):
            await shown.pilot.press(*keys)
            await shown.until(
                lambda words=words: all(word in shown.text.splitlines()[-1] for word in words),  # type: ignore[misc]
                f"all of {words} below the screen",
            )


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_searched_and_offered_as_text(hostile: str) -> None:
    async with scene((100, 24)) as shown:
        shown.add(hostile[:150], item_id=hostile, text=hostile)
        shown.add("session.updated", item_id=hostile[:40], text=f"x{hostile}")
        shown.show()
        await shown.press("f")
        await shown.type("item:")
        assert is_safe(shown.answer.replace("\n", ""))
        await shown.press("tab", "enter", "escape", "escape")
        shown.pane.search(hostile[:60])
        await shown.settled()
        assert len(shown.pane.view.hits) >= 1
        assert_clean(shown.pane)
        assert is_safe(shown.title + shown.subtitle)
