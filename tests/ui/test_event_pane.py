"""The event pane on a real event log: what a row says, following and pausing, moving, and how little is drawn anew."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest
from rich.style import Style
from textual.geometry import Region

from tests.support.drawing import (
    Staged,
    assert_clean,
    each_hostile,
    is_safe,
    lines,
    segments,
    staged,
    strips,
    watched,
    wheel,
)
from tui.capture import EventLog
from tui.capture.filter import parse
from tui.ui.widgets.event_pane import EventPane
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction.RECEIVED, Direction.SENT, Direction.LOCAL
SIZES = [(120, 30), (80, 24), (50, 20), (40, 12), (20, 5), (8, 2)]


class Feed:
    """A log and the pane that shows it, in batches as the session worker makes them."""

    def __init__(self) -> None:
        self.log = EventLog()
        self.pane = EventPane(id="events")

    def add(
        self, event: dict[str, Any] | bytes, at_s: float = 1.0, direction: Direction = RECEIVED, note: str = ""
    ) -> int:
        """Log one frame; return its index."""
        data = event if isinstance(event, bytes) else json.dumps(event).encode(errors="surrogatepass")
        return self.log.append(direction, data, int(at_s * 1e9), note=note)

    def fill(self, count: int) -> None:
        """Log events that make a row each, numbered from 0."""
        first = self.log.rows
        for number in range(first, first + count):
            self.add({"type": "rate_limits.updated", "rate_limits": [{"name": f"row {number}"}]}, number)

    def show(self) -> None:
        """Hand over a batch."""
        self.pane.update_rows(self.log.rows, self.log.take_changed())


@pytest.fixture
def feed() -> Iterable[Feed]:
    made = Feed()
    made.pane.watch_log(made.log)
    yield made
    made.log.close()


def visible(pane: EventPane) -> list[int]:
    """The numbers of the rows in view, from what is drawn."""
    return [int(line.split("row ")[1].split()[0]) for line in lines(pane) if "row " in line]


def subtitle(stage: Staged[EventPane]) -> str:
    posts = stage.posts(EventPane.StateChanged)
    return posts[-1].text if posts else ""


def audio(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


# What a row says


async def test_an_empty_pane_says_what_will_appear(feed: Feed) -> None:
    async with staged(feed.pane, (60, 20)):
        shown = "\n".join(lines(feed.pane))
    for word in ("Every event of the session appears here", "←", "→", "enter opens", "space pauses"):
        assert word in shown


async def test_the_words_in_an_empty_pane_name_the_keys_of_now(feed: Feed) -> None:
    keys = {"open": "o", "follow": "f6", "filter": "question_mark", "search": "ctrl+f", "clear": "ctrl+slash"}
    async with staged(feed.pane, (60, 20)) as stage:
        stage.pilot.app.set_keymap({f"events.{name}": key for name, key in keys.items()})
        shown = "\n".join(lines(feed.pane))
        assert "o opens one, F6 pauses," in shown
        assert "? filters, ctrl+f searches." in shown
        feed.pane.choose(parse("audio"))
        assert "ctrl+/ shows all events, ? changes it." in "\n".join(lines(feed.pane))


async def test_a_row_says_when_which_way_what_and_how_much(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)):
        feed.add({"type": "session.created", "session": {"model": "gpt-realtime", "voice": "ash"}}, 0.412)
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "What is it?"}]}
        feed.add({"type": "conversation.item.create", "item": item}, 7.02, SENT)
        feed.add({"type": "websocket.close", "text": "closed by azrt-tui"}, 1234.5678, LOCAL)
        feed.show()
        rows = [line.split() for line in lines(feed.pane)[:3]]
    assert rows[0] == ["0.412", "←", "session.created", "gpt-realtime,", "ash", "81"]
    assert rows[1][:3] == ["7.020", "→", "item.create"]
    assert " ".join(rows[1][3:-1]) == "you: What is it?"
    assert rows[2] == ["1234.57", "·", "websocket.close", "closed", "by", "azrt-tui", "57"]


async def test_numbers_stand_right_aligned_in_columns(feed: Feed) -> None:
    async with staged(feed.pane, (100, 8)):
        for at_s, size in [(0.001, 1), (12.5, 2_000), (999.999, 30_000), (12_345.678, 4_000_000)]:
            feed.add({"type": "session.updated", "pad": "x" * size}, at_s)
        feed.show()
        drawn = [strip.text for strip in strips(feed.pane)[:4]]
    assert [line.index("←") for line in drawn] == [8] * 4
    assert [line.index("session") for line in drawn] == [11] * 4
    assert {len(line.rstrip()) for line in drawn} == {99}
    assert [line.rstrip()[-5:].strip() for line in drawn] == ["39", "2.0k", "30k", "4.0M"]


async def test_audio_is_shown_as_its_duration(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)):
        for _ in range(3):
            feed.add({"type": "response.output_audio.delta", "item_id": "item_1", "delta": audio(48_000)})
        feed.add({"type": "input_audio_buffer.append", "audio": audio(4_800)}, direction=SENT)
        feed.show()
        shown = lines(feed.pane)
    assert "×3  3.0 s of audio" in shown[0]
    assert "100 ms of audio" in shown[1]


async def test_a_run_of_deltas_is_one_row_that_grows_in_place(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)):
        for number, word in enumerate(("It ", "is ", "raining."), 1):
            feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": word})
            feed.show()
            shown = [line for line in lines(feed.pane) if line]
            assert len(shown) == 1
            assert ("×" in shown[0]) == (number > 1)
        feed.add({"type": "response.output_text.delta", "item_id": "item_2", "delta": "other"})
        feed.show()
        shown = lines(feed.pane)
    assert "output_text.delta" in shown[0]
    assert "×3  It is raining." in shown[0]
    assert "other" in shown[1]


async def test_alarms_have_a_sign_and_errors_their_colour(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)):
        feed.add({"type": "session.updated"})
        index = feed.add({"type": "error", "error": {"code": "invalid_value", "message": "No such voice."}})
        feed.log.mark_alarm(index)
        feed.show()
        shown = lines(feed.pane)
        (quiet,), (alarm,) = segments(feed.pane, "session.updated"), segments(feed.pane, "error ")
    assert "!" not in shown[0]
    assert "←! error" in shown[1]
    assert "invalid_value: No such voice." in shown[1]
    assert isinstance(alarm.style, Style) and isinstance(quiet.style, Style)
    assert alarm.style.color != quiet.style.color


async def test_a_row_that_becomes_an_alarm_later_is_drawn_anew(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)):
        index = feed.add(b"null")
        feed.show()
        assert "!" not in lines(feed.pane)[0]
        feed.log.add_note(index, "JSON, but null instead of an object; kept from the SDK")
        feed.log.mark_alarm(index)
        feed.show()
        assert "! (not JSON)" in lines(feed.pane)[0]
        assert "null instead of an object" in lines(feed.pane)[0]


async def test_each_family_has_a_colour_of_its_own(feed: Feed) -> None:
    types = ["session.updated", "input_audio_buffer.commit", "conversation.item.added", "response.created", "brand.new"]
    async with staged(feed.pane, (100, 8)):
        for event_type in types:
            feed.add({"type": event_type})
        feed.show()
        colours = {segment.style.color for strip in strips(feed.pane)[:5] for segment in strip if segment.style}
    assert len(colours) >= len(types)


async def test_another_theme_redraws_every_row(feed: Feed) -> None:
    async with staged(feed.pane, (100, 5)) as stage:
        feed.add({"type": "session.updated"})
        feed.show()
        (before,) = segments(feed.pane, "session.updated")
        stage.pilot.app.theme = "azrt-light"
        await stage.pilot.pause()
        (after,) = segments(feed.pane, "session.updated")
    assert before.style is not None and after.style is not None
    assert before.style.color != after.style.color
    assert before.style.bgcolor != after.style.bgcolor


async def test_no_color_leaves_no_colour(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(feed.pane, (100, 5)) as stage:
        feed.add({"type": "error", "error": {}})
        feed.show()
        await stage.pilot.press("k")
        styles = [segment.style for strip in strips(feed.pane) for segment in strip if segment.style is not None]
    colours = {colour.triplet for style in styles for colour in (style.color, style.bgcolor) if colour is not None}
    assert styles
    assert all(colour is None or colour.red == colour.green == colour.blue for colour in colours)


# Following and pausing


async def test_it_follows_the_newest_row(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(25)
        feed.show()
        await stage.pilot.pause()
        assert visible(feed.pane) == list(range(15, 25))
        assert subtitle(stage) == "following"


async def test_paused_the_view_stands_still_and_says_how_much_is_new(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(25)
        feed.show()
        await stage.pilot.press("space")
        assert subtitle(stage) == "paused at 25 of 25"
        before = lines(feed.pane)
        feed.fill(40)
        feed.show()
        await stage.pilot.pause()
        assert lines(feed.pane) == before
        assert subtitle(stage) == "paused at 25 of 65 · 40 new"
        await stage.pilot.press("space")
        assert subtitle(stage) == "following"
        assert visible(feed.pane)[-1] == 64


async def test_a_run_grows_in_place_while_paused(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": "one"})
        feed.fill(5)
        feed.show()
        await stage.pilot.press("g")
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": " two"})
        feed.show()
        assert "×2  one two" in lines(feed.pane)[0]
        assert subtitle(stage) == "paused at 1 of 6"


async def test_another_log_starts_anew(feed: Feed) -> None:
    other = EventLog()
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(25)
        feed.show()
        await stage.pilot.press("g")
        feed.pane.watch_log(other)
        await stage.pilot.pause()
        assert feed.pane.following
        assert feed.pane.cursor is None
        assert "Every event of the session" in "\n".join(lines(feed.pane))
        assert subtitle(stage) == ""
    other.close()


async def test_a_filter_chosen_before_there_is_a_log_holds_for_it() -> None:
    pane, log = EventPane(), EventLog()
    async with staged(pane, (80, 10)):
        pane.choose(parse("error"))
        pane.watch_log(log)
        for event_type in ("session.created", "error"):
            log.append(Direction.RECEIVED, json.dumps({"type": event_type}).encode(), 0)
        log.mark_alarm(1)
        pane.update_rows(log.rows, log.take_changed())
        assert pane.view.filter == parse("error")
        assert [pane.view.row(position) for position in range(len(pane.view))] == [1]
    log.close()


# Moving


async def test_keys_move_the_selection_and_the_view_with_it(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(50)
        feed.show()
        press = stage.pilot.press
        await press("k")
        assert feed.pane.cursor == 48
        assert visible(feed.pane) == list(range(40, 50))
        await press("g")
        assert feed.pane.cursor == 0
        assert visible(feed.pane) == list(range(10))
        await press("j", "down")
        assert feed.pane.cursor == 2
        await press("up")
        assert feed.pane.cursor == 1
        await press("pagedown")
        assert feed.pane.cursor == 10
        assert visible(feed.pane) == list(range(1, 11))
        await press("pageup", "pageup")
        assert feed.pane.cursor == 0
        assert not feed.pane.following
        await press("G")
        assert feed.pane.following
        assert visible(feed.pane)[-1] == 49


async def test_a_page_down_at_the_end_follows(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(15)
        feed.show()
        await stage.pilot.press("g", "pagedown")
        assert feed.pane.cursor == 9
        await stage.pilot.press("pagedown")
        assert feed.pane.following


async def test_moving_in_an_empty_pane_does_nothing(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        await stage.pilot.press("j", "k", "g", "G", "pageup", "pagedown", "space", "enter", "y", "e")
        assert feed.pane.cursor is None
        assert not stage.posts(EventPane.Opened)
        assert not stage.posts(EventPane.Copied)


async def test_the_selected_row_looks_selected(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(5)
        feed.show()
        await stage.pilot.press("g", "j")
        backgrounds = [{segment.style.bgcolor for segment in strip if segment.style} for strip in strips(feed.pane)]
    assert len(backgrounds[1]) == 1
    assert backgrounds[1] != backgrounds[0] == backgrounds[2]


async def test_enter_and_y_name_the_selected_row_or_the_newest(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(12)
        feed.show()
        await stage.pilot.press("enter", "g", "j", "enter", "y")
        assert [message.row for message in stage.posts(EventPane.Opened)] == [11, 1]
        assert [message.row for message in stage.posts(EventPane.Copied)] == [1]


async def test_e_goes_from_failure_to_failure_and_around(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        for number in range(30):
            index = feed.add({"type": "error" if number in (3, 20) else "session.updated"})
            if number in (3, 20):
                feed.log.mark_alarm(index)
        feed.show()
        reached = []
        for _ in range(3):
            await stage.pilot.press("e")
            reached.append(feed.pane.cursor)
        assert reached == [3, 20, 3]


async def test_e_says_when_nothing_failed(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(3)
        feed.show()
        await stage.pilot.press("e")
        assert [note.message for note in stage.pilot.app._notifications] == ["No errors so far."]
        assert feed.pane.following


async def test_the_wheel_scrolls_pauses_and_follows_again_at_the_end(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(30)
        feed.show()
        await wheel(stage.pilot, feed.pane, -1)
        assert visible(feed.pane) == list(range(17, 27))
        assert subtitle(stage) == "paused at 27 of 30"
        await wheel(stage.pilot, feed.pane, -1)
        assert feed.pane.cursor == 23
        await wheel(stage.pilot, feed.pane, 2)
        assert feed.pane.following
        assert visible(feed.pane)[-1] == 29


async def test_the_wheel_does_nothing_where_everything_is_in_view(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(5)
        feed.show()
        await wheel(stage.pilot, feed.pane, -1)
        assert feed.pane.following


async def test_a_click_selects_and_a_double_click_opens(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(4)
        feed.show()
        await stage.pilot.click(feed.pane, (10, 2))
        assert feed.pane.cursor == 2
        assert not stage.posts(EventPane.Opened)
        await stage.pilot.click(feed.pane, (10, 1), times=2)
        assert [message.row for message in stage.posts(EventPane.Opened)] == [1]
        await stage.pilot.click(feed.pane, (10, 8))
        assert feed.pane.cursor == 1


async def test_resizing_keeps_the_end_in_view(feed: Feed) -> None:
    async with staged(feed.pane, (80, 20)) as stage:
        feed.fill(50)
        feed.show()
        for height in (5, 40, 60, 12):
            await stage.resize(80, height)
            assert visible(feed.pane) == list(range(max(0, 50 - height), 50))


async def test_resizing_keeps_the_selected_row_in_view(feed: Feed) -> None:
    async with staged(feed.pane, (80, 20)) as stage:
        feed.fill(50)
        feed.show()
        await stage.pilot.press("g", *["j"] * 15)
        for height in (5, 2, 30, 1, 20):
            await stage.resize(80, height)
            assert 15 in visible(feed.pane)
            assert feed.pane.cursor == 15


# Drawing no more than needed


async def test_only_changed_rows_are_drawn_when_nothing_scrolled(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": "one"})
        feed.fill(3)
        feed.show()
        await stage.pilot.pause()
        drawn = watched(feed.pane)
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": "two"})
        feed.fill(1)
        feed.show()
        assert drawn == [Region(0, 0, 80, 1), Region(0, 4, 80, 1)]


async def test_rows_out_of_view_are_not_drawn(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": "one"})
        feed.fill(30)
        feed.show()
        await stage.pilot.press("space")
        drawn = watched(feed.pane)
        feed.add({"type": "response.output_text.delta", "item_id": "item_1", "delta": "two"})
        feed.fill(30)
        feed.show()
        assert drawn == []


async def test_moving_the_selection_draws_two_rows(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(10)
        feed.show()
        await stage.pilot.press("k")
        drawn = watched(feed.pane)
        await stage.pilot.press("k")
        assert set(drawn) == {Region(0, 8, 80, 1), Region(0, 7, 80, 1)}


async def test_nothing_is_drawn_while_nothing_happens(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)) as stage:
        feed.fill(30)
        feed.show()
        await stage.pilot.pause()
        drawn = watched(feed.pane)
        feed.show()
        await stage.pilot.pause(0.3)
        assert drawn == []


async def test_part_of_the_pane_can_be_drawn(feed: Feed) -> None:
    async with staged(feed.pane, (80, 10)):
        feed.fill(10)
        feed.show()
        whole = strips(feed.pane)
        part = feed.pane.render_lines(Region(5, 3, 20, 2))
    assert [strip.text for strip in part] == [strip.text[5:25] for strip in whole[3:5]]


# Whatever comes from the network


@pytest.mark.parametrize("size", SIZES)
async def test_every_line_fills_the_width_at_any_size(feed: Feed, size: tuple[int, int]) -> None:
    async with staged(feed.pane, size) as stage:
        assert_clean(feed.pane)
        feed.fill(3)
        feed.add({"type": "response.output_text.delta", "item_id": "x", "delta": "日本語👍🏽" * 30})
        feed.log.mark_alarm(feed.add({"type": "error", "error": {"message": "日" * 300}}))
        feed.show()
        assert_clean(feed.pane)
        await stage.pilot.press("k")
        assert_clean(feed.pane)


@each_hostile
async def test_hostile_events_are_drawn_as_text(feed: Feed, hostile: str) -> None:
    text = hostile
    async with staged(feed.pane, (90, 24)) as stage:
        feed.add({"type": text, text: text})
        feed.add({"type": f"response.{text}.delta", "item_id": text, "delta": text})
        feed.add({"type": "session.created", "session": {"model": text, "voice": text, "modalities": [text]}})
        feed.add({"type": "conversation.item.added", "item": {"type": text, "status": text, "name": text}})
        feed.add({"type": "response.output_text.delta", "item_id": text, "delta": text})
        feed.add({"type": "response.done", "response": {"id": text, "status": text, "status_details": text}})
        feed.add({"type": "rate_limits.updated", "rate_limits": [{"name": text, "remaining": text}]})
        feed.add({"type": "websocket.closed", "text": text}, direction=LOCAL, note=text)
        feed.add(text.encode(errors="surrogatepass"), note=text)
        feed.log.mark_alarm(feed.add({"type": "error", "error": {"code": text, "message": text}}))
        feed.show()
        await stage.pilot.pause()
        assert_clean(feed.pane)
        await stage.pilot.press("g", "j", "e")
        assert_clean(feed.pane)
        assert is_safe(subtitle(stage))


@pytest.mark.parametrize(
    "data",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 50_000, b'{"type": 7}', b'{"type":""}'],
    ids=["empty", "null", "array", "broken", "no-utf8", "deep", "number-type", "empty-type"],
)
async def test_frames_that_are_no_events_are_drawn_too(feed: Feed, data: bytes) -> None:
    async with staged(feed.pane, (90, 24)):
        feed.add(data)
        feed.show()
        assert_clean(feed.pane)
        assert "(not JSON)" in lines(feed.pane)[0]
