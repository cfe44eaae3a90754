"""The command palette and the table of bindings: everything is there, has a name, and does what it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette
from textual.widgets import Input, OptionList

from tests.support.apps import NO_SOUND, Running, endless, fast, isolate, running
from tests.support.drawing import PATIENCE_S
from tui.conversation import Speaker, TurnState
from tui.ui.advice import key_of
from tui.ui.bindings import all_bindings
from tui.ui.screens.help import Help, help_sections
from tui.ui.terminal.command_palette import Palette


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


async def choose(shown: Running, *names: str) -> None:
    """Run a command as a person does: by name, from the palette; a second name is chosen from a second list."""
    await shown.pilot.press("ctrl+p")
    for name in names:
        await shown.until(lambda: isinstance(shown.app.screen, CommandPalette), "the palette opens")
        palette = shown.app.screen
        palette.query_one(Input).value = name
        await shown.until(lambda n=name: n in options(shown), f"the palette lists {name}")  # type: ignore[misc]
        await shown.pilot.press("enter")
        await shown.until(lambda before=palette: shown.app.screen is not before, "the palette closes")  # type: ignore[misc]


def options(shown: Running) -> str:
    """The first line of what the palette offers."""
    found = shown.app.screen.query_one(OptionList)
    return str(found.get_option_at_index(0).prompt) if found.option_count else ""


@pytest.mark.parametrize("action", ["command_palette", "change_theme"])
async def test_a_palette_may_be_closed_while_it_gathers(action: str) -> None:
    async with running(fast()) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.app.run_action(action)
        await shown.until(lambda: shown.app.screen.query(CommandList) and options(shown))
        palette = shown.app.screen
        assert isinstance(palette, Palette)
        palette.dismiss()
        await shown.until(lambda: not palette.query(CommandList))
        await asyncio.wait_for(palette._gather_commands("").wait(), PATIENCE_S)  # as it does when it began late
        assert shown.app.is_running


async def test_a_palette_without_a_row_for_its_commands() -> None:
    async with running(fast(), size=(40, 4)) as shown:
        await shown.pilot.press("ctrl+p")
        await shown.until(lambda: shown.app.screen.query(CommandList) and options(shown))
        await shown.pilot.press("pagedown", "pageup")
        await shown.pilot.resize_terminal(80, 24)
        await shown.until(lambda: "Answer in" in shown.text)


def test_every_binding_has_a_name_of_its_own_and_says_what_it_does() -> None:
    bindings = list(all_bindings())
    names = [binding.id for binding in bindings]
    assert len(set(names)) == len(names)
    for binding in bindings:
        assert re.fullmatch(r"[a-z]+(\.[a-z_]+)+", binding.id or "")
        assert binding.tooltip and binding.tooltip[0].isupper() and not binding.tooltip.endswith(".")
        assert binding.description


def test_no_binding_of_ours_is_left_out() -> None:
    known = {binding.id for binding in all_bindings()}
    sources = (path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "tui/ui").rglob("*.py"))
    written = {name for source in sources for name in re.findall(r'\bid="([a-z]+\.[a-z_]+)"', source)}
    assert written == known


async def test_words_can_name_a_key_for_every_binding_as_it_is_mapped_now() -> None:
    async with running(fast()) as shown:
        assert all(key_of(shown.app, str(binding.id)) for binding in all_bindings())
        names = ("events.search", "replay.faster", "events.follow", "session.reconnect", "devices.test", "detail.fold")
        assert [key_of(shown.app, name) for name in names] == ["/", "+", "space", "ctrl+r", "t", "enter"]
        shown.app.set_keymap({"events.search": "f7,s", "devices.test": "shift+f2", "detail.fold": "ctrl+underscore"})
        assert [key_of(shown.app, name) for name in names] == ["F7", "+", "space", "ctrl+r", "shift+F2", "ctrl+_"]


async def test_the_help_names_every_binding_of_the_panes() -> None:
    async with running(fast()) as shown:
        sections = [
            section for watching in (False, True) for section in help_sections(shown.app, Path(), watching=watching)
        ]
        named = {binding.id for section in sections for binding in section.bindings}
    shown_there = (binding for binding in all_bindings() if not binding.system)
    wanted = {binding.id for binding in shown_there if not str(binding.id).startswith(("help.", "start."))}
    assert wanted <= named


async def test_f1_opens_the_help_once() -> None:
    async with running(fast()) as shown:
        await shown.pilot.press("f1", "f1")
        await shown.pilot.pause()
        assert sum(isinstance(screen, Help) for screen in shown.app.screen_stack) <= 1
        shown.app.action_help()
        shown.app.action_help()
        await shown.pilot.pause()
        assert sum(isinstance(screen, Help) for screen in shown.app.screen_stack) == 1


async def test_answers_can_be_switched_to_audio_and_back() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.shows("answers in text")
        for modality in ("audio", "text"):
            await choose(shown, f"Answer in {modality}")
            await shown.shows(f"answers in {modality}")
            update = shown.sent("session.update")[-1]
            assert update["session"] == {"type": "realtime", "output_modalities": [modality]}
            assert f"Asked for answers in {modality} from now on." in shown.toasts


async def test_the_choice_holds_in_the_next_session_too() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        shown.app.action_answer_in("audio")
        await shown.shows("answers in audio")
        await choose(shown, "Reconnect")
        await shown.until(lambda: shown.types().count("session.updated") >= 4, "the new session is set up")
        await shown.shows("answers in audio")
        assert shown.server_got("session.update")[-1]["session"]["output_modalities"] == ["audio"]


async def test_interrupt_from_the_palette() -> None:
    async with running(endless()) as shown:
        await shown.connected()
        await shown.say("tell me a long story")
        await shown.says("Here is a long")
        await choose(shown, "Interrupt")
        await shown.until(lambda: shown.server_got("response.cancel"), "response.cancel on the wire")
        await shown.until(lambda: shown.transcript.turns[-1].state is TurnState.INTERRUPTED, "it stops")


async def test_copy_answer_from_the_palette() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await shown.answered("thanks", 1)
        await choose(shown, "Copy answer")
        await shown.until(lambda: shown.app.clipboard.startswith("You are welcome"), "the answer is copied")
        assert shown.transcript.turns[-1].speaker is Speaker.AGENT


async def test_every_other_command_does_what_it_says() -> None:
    async with running(fast()) as shown:
        await shown.connected()
        await choose(shown, "Microphone")
        await shown.until(lambda: any(NO_SOUND in toast for toast in shown.toasts), "a toast")
        await choose(shown, "Reconnect")
        await shown.says("New session.")
        await choose(shown, "Help")
        await shown.until(lambda: isinstance(shown.app.screen, Help), "the help opens")
        await shown.pilot.press("escape")
        await choose(shown, "Theme", "azrt-light")
        assert shown.app.theme == "azrt-light"
        await choose(shown, "Quit")
        await shown.until(lambda: shown.app._exit, "it quits")
