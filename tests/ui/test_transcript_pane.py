"""The transcript pane: blocks in order, streaming in place, what was not heard, scrolling, and hostile text."""

from __future__ import annotations

from typing import Any

import pytest
from rich.segment import Segment
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
from tui.conversation import Speaker, Turn, TurnState
from tui.ui.widgets.transcript_pane import TranscriptPane

STORY = "Once there was a lighthouse keeper who told passing ships everything he knew."
SIZES = [(120, 30), (60, 20), (40, 7), (20, 3), (9, 2)]


def turn(key: str, text: str = "", speaker: Speaker = Speaker.AGENT, **fields: Any) -> Turn:
    """A block; all of its text was heard unless ``heard`` says otherwise."""
    known = {"item_id": f"item_{key}", "heard": len(text), "state": TurnState.DONE, "time_s": 0.0, "note": ""}
    return Turn(key=key, text=text, speaker=speaker, **{**known, **fields})


def show(pane: TranscriptPane, *turns: Turn) -> None:
    """Show these blocks in this order."""
    pane.update_turns(turns, tuple(each.key for each in turns))


def page(pane: TranscriptPane, count: int) -> None:
    """Fill the pane with numbered blocks of three lines each, the blank one counted."""
    show(pane, *(turn(f"turn-{number}", f"answer {number}") for number in range(count)))


def visible(pane: TranscriptPane) -> list[int]:
    return [int(line.split()[1]) for line in lines(pane) if "answer" in line]


def subtitle(stage: Staged[TranscriptPane]) -> str:
    posts = stage.posts(TranscriptPane.StateChanged)
    return posts[-1].text if posts else ""


def struck(found: list[Segment]) -> str:
    return " ".join(segment.text for segment in found if segment.style is not None and segment.style.strike)


# What a block says


async def test_an_empty_pane_says_how_to_begin() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 10)) as stage:
        shown = "\n".join(lines(stage.widget))
    assert "The conversation appears here." in shown
    assert "Type below and press enter." in shown
    assert "escape stops the agent in mid-sentence." in shown


async def test_its_words_name_the_keys_of_now() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 10)) as stage:
        keys = {"prompt.send": "f9", "session.interrupt": "ctrl+x", "transcript.last": "right_square_bracket"}
        stage.pilot.app.set_keymap(keys)
        shown = "\n".join(lines(stage.widget))
        assert "Type below and press F9." in shown
        assert "ctrl+x stops the agent in mid-sentence." in shown
        page(stage.widget, 20)
        await stage.pilot.press("k")
        assert subtitle(stage) == "scrolled up · ] to the end"


async def test_both_sides_stand_in_conversation_order_with_their_time() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 12)) as stage:
        show(
            stage.widget,
            turn("a", "What is the weather?", Speaker.USER, time_s=7.9),
            turn("b", "It is raining.", time_s=68.0),
        )
        assert lines(stage.widget)[:5] == [
            " you                               0:07",
            " What is the weather?",
            "",
            " agent                             1:08",
            " It is raining.",
        ]


async def test_the_order_can_change_without_the_blocks() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 12)) as stage:
        show(stage.widget, turn("a", "answer 1"), turn("b", "answer 2"))
        stage.widget.update_turns((), ("b", "a"))
        assert visible(stage.widget) == [2, 1]


async def test_a_block_that_is_gone_from_the_order_is_forgotten() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 12)) as stage:
        show(stage.widget, turn("a", "answer 1"), turn("b", "answer 2"))
        stage.widget.update_turns((turn("c", "answer 3"),), ("b", "c"))
        assert visible(stage.widget) == [2, 3]
        stage.widget.update_turns((), ("a", "b", "c"))
        assert visible(stage.widget) == [2, 3]


async def test_an_answer_streams_in_its_place() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 12)) as stage:
        question = turn("a", "And then?", Speaker.USER)
        show(stage.widget, question, turn("b", state=TurnState.STREAMING), turn("c", "A later word", Speaker.USER))
        assert lines(stage.widget)[4] == " …"
        for text in ("It", "It is", "It is raining."):
            stage.widget.update_turns((turn("b", text, state=TurnState.STREAMING),), None)
            assert lines(stage.widget)[4:6] == [f" {text}", ""]
        assert lines(stage.widget)[7] == " A later word"


@pytest.mark.parametrize(
    ("state", "head"), [(TurnState.QUEUED, "you · waits"), (TurnState.SENT, "you · sending"), (TurnState.DONE, "you ")]
)
async def test_a_message_says_how_far_it_has_come(state: TurnState, head: str) -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 6)) as stage:
        show(stage.widget, turn("a", "hello", Speaker.USER, state=state))
        assert lines(stage.widget)[0].startswith(f" {head}")


async def test_a_failure_says_why_in_the_colour_of_errors() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 6)) as stage:
        note = "not confirmed: the connection ended"
        show(stage.widget, turn("a", "hello", Speaker.USER, state=TurnState.FAILED, note=note))
        assert lines(stage.widget)[:3] == [f" you · failed{'0:00':>46}", " hello", f" {note}"]
        (said,), (text,) = segments(stage.widget, note), segments(stage.widget, "hello")
    assert said.style is not None and text.style is not None
    assert said.style.color != text.style.color


async def test_the_program_speaks_as_itself() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 6)) as stage:
        show(stage.widget, turn("a", "The server ended the session.", Speaker.PROGRAM, note="Press ctrl+r."))
        assert lines(stage.widget)[0].startswith(" azrt-tui ")
        assert lines(stage.widget)[1:3] == [" The server ended the session.", " Press ctrl+r."]


async def test_what_was_not_heard_is_struck_through() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 10)) as stage:
        heard = STORY.index("keeper")
        show(
            stage.widget,
            turn("a", STORY, heard=heard, state=TurnState.INTERRUPTED, note="interrupted at 4.2 s"),
        )
        drawn = [segment for strip in strips(stage.widget) for segment in strip]
        shown = lines(stage.widget)
    assert struck(drawn).split() == STORY[heard:].split()
    assert " ".join(shown).split() == ["agent", "0:00", *STORY.split(), "interrupted", "at", "4.2", "s"]
    assert shown[3].endswith("interrupted at 4.2 s") and len(shown[3]) == 39


async def test_no_space_at_the_end_of_a_line_is_struck_through() -> None:
    async with staged(TranscriptPane(id="transcript"), (30, 10)) as stage:
        show(stage.widget, turn("a", STORY, heard=0, state=TurnState.INTERRUPTED))
        found = [segment for strip in strips(stage.widget) for segment in strip if segment.style]
    assert not any(segment.style and segment.style.strike and segment.text.endswith(" ") for segment in found)


async def test_another_theme_changes_the_colours() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 6)) as stage:
        show(stage.widget, turn("a", "hello"))
        (before,) = segments(stage.widget, "agent")
        stage.pilot.app.theme = "azrt-light"
        await stage.pilot.pause()
        (after,) = segments(stage.widget, "agent")
    assert before.style is not None and after.style is not None
    assert before.style.color != after.style.color


async def test_no_color_leaves_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with staged(TranscriptPane(id="transcript"), (40, 6)) as stage:
        show(stage.widget, turn("a", "hello", heard=0, state=TurnState.INTERRUPTED))
        styles = [segment.style for strip in strips(stage.widget) for segment in strip if segment.style]
    colours = [colour.triplet for style in styles for colour in (style.color, style.bgcolor) if colour]
    assert styles
    assert all(triplet is None or triplet.red == triplet.green == triplet.blue for triplet in colours)


# Scrolling


async def test_the_end_stays_in_view() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        for count in (1, 5, 20):
            page(stage.widget, count)
            assert visible(stage.widget)[-1] == count - 1
        assert lines(stage.widget)[-1] == " answer 19"


async def test_scrolled_up_the_view_stands_still_and_says_so() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        await stage.pilot.press("k")
        before = lines(stage.widget)
        assert subtitle(stage) == "scrolled up · G to the end"
        page(stage.widget, 30)
        await stage.pilot.pause()
        assert lines(stage.widget) == before
        await stage.pilot.press("G")
        assert visible(stage.widget)[-1] == 29
        assert subtitle(stage) == ""


async def test_what_grows_above_does_not_move_the_view() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        stage.widget.action_scroll_by(-6)
        before = lines(stage.widget)
        stage.widget.update_turns((turn("turn-2", STORY * 3),), None)
        assert lines(stage.widget) == before
        stage.widget.update_turns((turn("turn-2", "short"),), ("turn-19", *(f"turn-{n}" for n in range(19))))
        assert lines(stage.widget) == before


async def test_keys_move_by_lines_and_pages() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        press = stage.pilot.press
        await press("g")
        assert visible(stage.widget) == [0, 1, 2]
        await press("j", "down", "down")
        assert visible(stage.widget) == [1, 2, 3]
        await press("up")
        assert visible(stage.widget)[0] == 1
        await press("home", "pagedown")
        assert visible(stage.widget) == [3, 4, 5]
        await press("pageup")
        assert visible(stage.widget) == [0, 1, 2]
        await press("end")
        assert visible(stage.widget)[-1] == 19
        assert subtitle(stage) == ""


async def test_the_wheel_scrolls_and_follows_again_at_the_end() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        await wheel(stage.pilot, stage.widget, -1)
        assert visible(stage.widget)[-1] == 18
        assert subtitle(stage) == "scrolled up · G to the end"
        await wheel(stage.pilot, stage.widget, 1)
        assert visible(stage.widget)[-1] == 19
        assert subtitle(stage) == ""


async def test_resizing_keeps_the_end_in_view() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 9)) as stage:
        show(stage.widget, *(turn(f"t{number}", f"{STORY} answer {number}") for number in range(20)))
        for size in [(30, 20), (80, 4), (60, 30)]:
            await stage.resize(*size)
            assert lines(stage.widget)[-1].endswith("answer 19")


async def test_resizing_keeps_the_same_block_on_top() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 12)) as stage:
        show(stage.widget, *(turn(f"t{number}", f"{number:02} {STORY}") for number in range(20)))
        await stage.pilot.press("g")
        stage.widget.action_scroll_by(13)
        assert lines(stage.widget)[0].startswith(" 03 Once")
        for size in [(30, 12), (100, 5), (60, 12)]:
            await stage.resize(*size)
            assert lines(stage.widget)[0].startswith(" 03 Once")


async def test_a_view_that_shows_everything_follows() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 5)
        await stage.pilot.press("k")
        assert subtitle(stage) == "scrolled up · G to the end"
        await stage.resize(40, 30)
        assert subtitle(stage) == ""


async def test_y_copies_the_latest_answer_not_the_question() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        show(
            stage.widget,
            turn("a", "first answer"),
            turn("b", "second answer\nin two lines"),
            turn("c", "a question", Speaker.USER),
            turn("d", state=TurnState.STREAMING),
        )
        await stage.pilot.press("y")
        assert [message.text for message in stage.posts(TranscriptPane.CopyAnswer)] == ["second answer\nin two lines"]


async def test_y_says_when_there_is_nothing_to_copy() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        await stage.pilot.press("y")
        assert not stage.posts(TranscriptPane.CopyAnswer)
        assert [note.message for note in stage.pilot.app._notifications] == ["The agent has not said anything yet."]


async def test_clearing_forgets_everything() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        await stage.pilot.press("g")
        stage.widget.clear()
        await stage.pilot.pause()
        assert "The conversation appears here." in "\n".join(lines(stage.widget))
        assert "escape stops the agent" in "\n".join(lines(stage.widget))
        stage.pilot.app.set_keymap({"session.interrupt": "f10"})
        stage.widget.clear()
        await stage.pilot.pause()
        assert "F10 stops the agent" in "\n".join(lines(stage.widget))
        assert stage.widget.turns == ()
        assert subtitle(stage) == ""


# Drawing no more than needed


async def test_a_word_that_is_added_draws_one_line() -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 12)) as stage:
        show(stage.widget, turn("a", "hello", Speaker.USER), turn("b", "It is", state=TurnState.STREAMING))
        drawn = watched(stage.widget)
        stage.widget.update_turns((turn("b", "It is raining", state=TurnState.STREAMING),), None)
        assert drawn == [Region(0, 4, 60, 1)]


async def test_what_changes_out_of_view_draws_nothing() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        await stage.pilot.press("g")
        drawn = watched(stage.widget)
        stage.widget.update_turns((turn("turn-19", "grows out of view"),), None)
        assert drawn == []


async def test_nothing_is_drawn_while_nothing_happens() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        await stage.pilot.pause()
        drawn = watched(stage.widget)
        stage.widget.update_turns((), None)
        await stage.pilot.pause(0.2)
        assert drawn == []


async def test_part_of_the_pane_can_be_drawn() -> None:
    async with staged(TranscriptPane(id="transcript"), (40, 9)) as stage:
        page(stage.widget, 20)
        whole = strips(stage.widget)
        part = stage.widget.render_lines(Region(3, 2, 20, 4))
    assert [strip.text for strip in part] == [strip.text[3:23] for strip in whole[2:6]]


# Whatever comes from the network


@pytest.mark.parametrize("size", SIZES)
async def test_every_line_fills_the_width_at_any_size(size: tuple[int, int]) -> None:
    async with staged(TranscriptPane(id="transcript"), size) as stage:
        assert_clean(stage.widget)
        show(
            stage.widget,
            turn("a", "日本語のテキストです。" * 9, heard=7, state=TurnState.INTERRUPTED, note="日" * 80),
            turn("b", STORY, Speaker.PROGRAM, state=TurnState.FAILED, note=STORY, time_s=360_000),
        )
        for key in ("g", "pagedown", "G"):
            await stage.pilot.press(key)
            assert_clean(stage.widget)


@each_hostile
async def test_hostile_text_is_drawn_as_text(hostile: str) -> None:
    async with staged(TranscriptPane(id="transcript"), (60, 40)) as stage:
        kinds = list(zip(Speaker, TurnState, strict=False))[: 1 if len(hostile) > 10_000 else None]
        show(
            stage.widget,
            *(turn(f"{speaker}", hostile, speaker, state=state, heard=3, note=hostile) for speaker, state in kinds),
        )
        await stage.pilot.pause()
        for key in ("g", "G"):
            await stage.pilot.press(key)
            assert_clean(stage.widget)
        assert is_safe(subtitle(stage))
