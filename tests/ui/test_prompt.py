"""The prompt: sending, new lines, history, pasting, growing, and keys that come in one burst."""

from __future__ import annotations

import pytest
from textual.events import Key, Paste
from textual.pilot import Pilot

from tests.support.drawing import Staged, is_safe, lines, staged
from tui.ui.widgets.prompt import HISTORY_LENGTH, Prompt


def sent(stage: Staged[Prompt]) -> list[str]:
    return [message.text for message in stage.posts(Prompt.Submitted)]


async def write(stage: Staged[Prompt], *messages: str) -> None:
    """Send messages, so that they are in the history."""
    for message in messages:
        stage.widget.text = message
        stage.widget.action_submit()
    await stage.pilot.pause()


async def paste(pilot: Pilot[None], text: str) -> None:
    """What a terminal sends for pasted text."""
    pilot.app.post_message(Paste(text))
    await pilot.pause()


async def test_enter_sends_and_clears() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await stage.pilot.press(*"hello", "enter")
        assert sent(stage) == ["hello"]
        assert stage.widget.text == ""


@pytest.mark.parametrize("blank", ["", "   ", "\n \n"])
async def test_nothing_is_not_sent(blank: str) -> None:
    async with staged(Prompt(id="prompt")) as stage:
        stage.widget.text = blank
        await stage.pilot.press("enter")
        assert sent(stage) == []
        assert stage.widget.text == blank


async def test_ctrl_j_begins_a_new_line() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await stage.pilot.press(*"one", "ctrl+j", *"two", "enter")
        assert sent(stage) == ["one\ntwo"]


async def test_space_around_a_message_is_not_sent() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        stage.widget.text = "\n  one \n two \n"
        await stage.pilot.press("enter")
        assert sent(stage) == ["one \n two"]


async def test_keys_in_one_burst_keep_their_order() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        for character in "first\rsecond\rthird":
            key = "enter" if character == "\r" else character
            stage.pilot.app.post_message(Key(key, character))
        await stage.pilot.pause()
        assert sent(stage) == ["first", "second"]
        assert stage.widget.text == "third"


async def test_up_and_down_walk_the_history_and_keep_the_draft() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await write(stage, "first", "second")
        await stage.pilot.press(*"draft")
        walked = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await stage.pilot.press(key)
            walked.append(stage.widget.text)
        assert walked == ["second", "first", "first", "second", "draft", "draft"]


async def test_a_message_from_the_history_can_be_changed_and_sent() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await write(stage, "first", "second")
        await stage.pilot.press("up", "up", *" again", "enter", "up")
        assert sent(stage)[-1] == "first again"
        assert stage.widget.text == "first again"


async def test_the_same_message_twice_is_one_in_the_history() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await write(stage, "first", "again", "again")
        await stage.pilot.press("up", "up")
        assert stage.widget.text == "first"


async def test_the_history_has_an_end() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await write(stage, *(f"message {number}" for number in range(HISTORY_LENGTH + 5)))
        for _ in range(HISTORY_LENGTH + 10):
            stage.widget.action_history(-1)
        assert stage.widget.text == "message 5"


async def test_without_a_history_the_arrows_leave_the_text() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await stage.pilot.press(*"draft", "up", "down")
        assert stage.widget.text == "draft"


async def test_in_several_lines_the_arrows_move_the_cursor_first() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await write(stage, "earlier")
        await stage.pilot.press(*"one", "ctrl+j", *"two", "up")
        assert stage.widget.cursor_location[0] == 0
        await stage.pilot.press("up")
        assert stage.widget.text == "earlier"
        await stage.pilot.press("down")
        assert stage.widget.text == "one\ntwo"


async def test_in_a_wrapped_line_the_arrows_move_the_cursor_first() -> None:
    async with staged(Prompt(id="prompt"), (30, 10)) as stage:
        await write(stage, "earlier")
        long = "a message that is longer than one line of the prompt"
        stage.widget.text = long
        stage.widget.move_cursor(stage.widget.document.end)
        await stage.pilot.press("up")
        assert stage.widget.text == long
        await stage.pilot.press("up", "up")
        assert stage.widget.text == "earlier"


async def test_pasted_lines_stay_lines_and_nothing_is_sent() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await paste(stage.pilot, "one\r\ntwo\rthree\n\tfour")
        assert sent(stage) == []
        assert stage.widget.text == "one\ntwo\nthree\n\tfour"
        await stage.pilot.press("enter")
        assert sent(stage) == ["one\ntwo\nthree\n\tfour"]


async def test_what_controls_a_terminal_is_not_pasted() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await paste(stage.pilot, "a\x1b[2Jb\x07c\x00d\x9b1me\x7f")
        assert stage.widget.text == "abcd1me"
        assert all(is_safe(line) for line in lines(stage.widget))


async def test_markup_is_text_here_too() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        await paste(stage.pilot, "[red]x[/red] [/] [@click=app.quit]y[/]")
        assert lines(stage.widget)[0].strip() == "[red]x[/red] [/] [@click=app.quit]y[/]"


async def test_it_grows_with_its_text_up_to_six_lines() -> None:
    async with staged(Prompt(id="prompt"), (60, 20)) as stage:
        heights = []
        for count in range(1, 10):
            stage.widget.text = "\n".join("line" for _ in range(count))
            await stage.pilot.pause()
            heights.append(stage.widget.size.height)
        assert heights == [1, 2, 3, 4, 5, 6, 6, 6, 6]
        stage.widget.clear()
        await stage.pilot.pause()
        assert stage.widget.size.height == 1


async def test_an_empty_prompt_says_what_to_do() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        assert "Type a message" in lines(stage.widget)[0]


async def test_the_cursor_does_not_blink() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        assert not stage.widget.cursor_blink


async def test_enter_can_be_given_back_its_old_meaning() -> None:
    async with staged(Prompt(id="prompt")) as stage:
        stage.pilot.app.set_keymap({"prompt.send": "ctrl+s"})
        await stage.pilot.press(*"one", "enter", *"two")
        assert stage.widget.text == "one\ntwo"
        await stage.pilot.press("ctrl+s")
        assert sent(stage) == ["one\ntwo"]
