"""Every binding and every command of the program, collected in one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode

from tui import paths
from tui.settings.model import TurnDetection
from tui.ui.advice import key_of
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.find_line import FindLine
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.row_browser import RowBrowser
from tui.ui.widgets.transcript_pane import TranscriptPane

_TURN_DETECTIONS: Final[tuple[tuple[str, str, TurnDetection], ...]] = (
    ("Push-to-talk", "You begin your turn and end it, by key", "none"),
    ("Server VAD", "The server answers when it hears you fall silent", "server_vad"),
    ("Semantic VAD", "The server answers when what you said is complete", "semantic_vad"),
)

if TYPE_CHECKING:
    from tui.ui.app import AzrtApp
    from tui.ui.screens.help import HelpSection


def all_bindings() -> Iterator[Binding]:
    """Every binding with an id: what config.toml can remap.

    Those of the main screen come first: who looks for one of them need not wait until all other screens are imported.
    """
    from tui.ui.app import AzrtApp

    seen: set[Binding] = set()
    yield from _named((AzrtApp, MainScreen, EventPane, RowBrowser, FindLine, TranscriptPane, Prompt), seen)

    from tui.ui.screens.checkup import Checkup
    from tui.ui.screens.devices import Devices
    from tui.ui.screens.event_detail import EventDetail
    from tui.ui.screens.first_run import FirstRun
    from tui.ui.screens.help import Help
    from tui.ui.screens.replay import ReplayScreen
    from tui.ui.screens.watch import WatchScreen
    from tui.ui.widgets.json_view import JsonView
    from tui.ui.widgets.replay_bar import ReplayBar
    from tui.ui.widgets.session_tabs import SessionTabs

    screens = (EventDetail, Help, FirstRun, Devices, Checkup, ReplayScreen, WatchScreen)
    yield from _named((*screens, JsonView, ReplayBar, SessionTabs), seen)


def _named(owners: Iterable[type[DOMNode]], seen: set[Binding]) -> Iterator[Binding]:
    for owner in owners:
        for binding in owner.BINDINGS:
            if isinstance(binding, Binding) and binding.id and binding not in seen:
                seen.add(binding)  # screens with the same panes share their bindings
                yield binding


def help_sections(app: AzrtApp, *, watching: bool = False) -> tuple[HelpSection, ...]:
    """What the help screen shows: the keys of each pane as they are mapped now, then the explanations.

    ``watching`` is whether the sessions are those of other clients, in which the person takes no part.
    """
    from tui.ui.screens.checkup import Checkup
    from tui.ui.screens.devices import Devices
    from tui.ui.screens.event_detail import EventDetail
    from tui.ui.screens.help import explanations, section_from
    from tui.ui.screens.replay import ReplayScreen
    from tui.ui.screens.watch import WatchScreen
    from tui.ui.widgets.json_view import JsonView
    from tui.ui.widgets.replay_bar import ReplayBar
    from tui.ui.widgets.session_tabs import SessionTabs

    part = (("Session and panes", MainScreen), ("Message", Prompt))
    sessions = (("Sessions and panes", WatchScreen), ("The tabs of sessions", SessionTabs))
    sound = (("Sound", Devices), ("Connection, checked", Checkup))
    owners = (
        ("Everywhere", type(app)),
        *(sessions if watching else part),
        ("Events", EventPane),
        ("Filter, search and time", FindLine),
        ("One event", EventDetail),
        ("Its JSON", JsonView),
        ("Conversation", TranscriptPane),
        ("Replay", ReplayBar),
        ("The panes of a replay", ReplayScreen),
        *(() if watching else sound),
    )
    keys = tuple(section_from(title, owner, app) for title, owner in owners)
    return (*keys, *explanations(paths.config_file(), app.themes_dir, paths.log_file(), partial(key_of, app)))


def next_turn_detection(now: str) -> TurnDetection:
    """What comes after push-to-talk, server VAD and semantic VAD; push-to-talk where nothing is known."""
    kinds = [kind for _, _, kind in _TURN_DETECTIONS]
    return kinds[(kinds.index(now) + 1) % len(kinds)] if now in kinds else kinds[0]


def palette_commands(app: AzrtApp, modality: str) -> Iterable[SystemCommand]:
    """What the command palette offers."""
    other = "audio" if modality == "text" else "text"
    yield SystemCommand("Interrupt", "Stop the agent's answer", app.action_interrupt)
    yield SystemCommand("Microphone", "Microphone on or off", app.action_toggle_microphone)
    yield SystemCommand(
        "Sound devices", "Choose, test and retry the microphone and the loudspeaker", app.action_devices
    )
    yield from (
        SystemCommand(title, says, partial(app.action_detect_turns, kind)) for title, says, kind in _TURN_DETECTIONS
    )
    yield SystemCommand("Check the connection", "Step by step, with what to do where it fails", app.action_checkup)
    yield SystemCommand("Reconnect", "Open a new session, with the conversation so far", app.action_reconnect)
    yield SystemCommand("Ask again", "Give up an answer that does not come or end, and ask again", app.action_retry)
    yield SystemCommand("Wait", "Wait on for what does not come; stop connecting by itself", app.action_wait)
    yield SystemCommand("What failed", "The event that says why something failed last", app.action_show_trouble)
    yield SystemCommand(
        f"Answer in {other}", f"Ask for answers in {other} from now on", lambda: app.action_answer_in(other)
    )
    yield SystemCommand("Copy answer", "Copy the agent's latest answer", app.action_copy_answer)
    yield SystemCommand("Theme", "Choose the colours; the choice is remembered", app.action_change_theme)
    yield SystemCommand("Help", "Keys, signs and where things are", app.action_help)
    yield SystemCommand("Quit", "Close the session and quit", app.action_quit)
