"""Every binding and every command of the program, collected in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from textual.app import SystemCommand
from textual.binding import Binding

from tui import paths
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.transcript_pane import TranscriptPane

if TYPE_CHECKING:
    from tui.ui.app import AzrtApp
    from tui.ui.screens.help import HelpSection


def all_bindings() -> Iterator[Binding]:
    """Every binding with an id: what config.toml can remap."""
    from tui.ui.app import AzrtApp
    from tui.ui.screens.event_detail import EventDetail
    from tui.ui.screens.first_run import FirstRun
    from tui.ui.screens.help import Help
    from tui.ui.widgets.json_view import JsonView

    owners = (AzrtApp, MainScreen, EventPane, TranscriptPane, Prompt, EventDetail, JsonView, Help, FirstRun)
    for owner in owners:
        for binding in owner.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                yield binding


def help_sections(app: AzrtApp) -> tuple[HelpSection, ...]:
    """What the help screen shows: the keys of each pane as they are mapped now, then the explanations."""
    from tui.ui.screens.event_detail import EventDetail
    from tui.ui.screens.help import explanations, section_from
    from tui.ui.widgets.json_view import JsonView

    owners = (
        ("Everywhere", type(app)),
        ("Session and panes", MainScreen),
        ("Message", Prompt),
        ("Events", EventPane),
        ("One event", EventDetail),
        ("Its JSON", JsonView),
        ("Conversation", TranscriptPane),
    )
    keys = tuple(section_from(title, owner, app) for title, owner in owners)
    return (*keys, *explanations(paths.config_file(), app.themes_dir, paths.log_file()))


def palette_commands(app: AzrtApp, modality: str) -> Iterable[SystemCommand]:
    """What the command palette offers."""
    other = "audio" if modality == "text" else "text"
    yield SystemCommand("Interrupt", "Stop the agent's answer", app.action_interrupt)
    yield SystemCommand("Microphone", "Microphone on or off", app.action_toggle_microphone)
    yield SystemCommand("Reconnect", "Close this session and open a new one", app.action_reconnect)
    yield SystemCommand(
        f"Answer in {other}", f"Ask for answers in {other} from now on", lambda: app.action_answer_in(other)
    )
    yield SystemCommand("Copy answer", "Copy the agent's latest answer", app.action_copy_answer)
    yield SystemCommand("Theme", "Choose the colours; the choice is remembered", app.action_change_theme)
    yield SystemCommand("Help", "Keys, signs and where things are", app.action_help)
    yield SystemCommand("Quit", "Close the session and quit", app.action_quit)
