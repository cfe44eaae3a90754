"""The commands of the palette, and what each of them does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final

from textual.app import App, SystemCommand

from tui.settings.model import TurnDetection

_TURN_DETECTIONS: Final[tuple[tuple[str, str, TurnDetection], ...]] = (
    ("Push-to-talk", "You begin your turn and end it, by key", "none"),
    ("Server VAD", "The server answers when it hears you fall silent", "server_vad"),
    ("Semantic VAD", "The server answers when what you said is complete", "semantic_vad"),
)

_SESSION: Final = (
    ("Interrupt", "Stop the agent's answer", "interrupt"),
    ("Microphone", "Microphone on or off", "toggle_microphone"),
    ("Sound devices", "Choose, test and retry the microphone and the loudspeaker", "devices"),
    *((title, says, f"detect_turns('{kind}')") for title, says, kind in _TURN_DETECTIONS),
    ("Check the connection", "Step by step, with what to do where it fails", "checkup"),
    ("Reconnect", "Open a new session, with the conversation so far", "reconnect"),
    ("Ask again", "Give up an answer that does not come or end, and ask again", "retry"),
    ("Wait", "Wait on for what does not come; stop connecting by itself", "wait"),
    ("What failed", "The event that says why something failed last", "show_trouble"),
)
"""Title, help and action of each command; the actions are those of the app."""

_PROGRAM: Final = (
    ("Theme", "Choose the colours; the choice is remembered", "change_theme"),
    ("Help", "Keys, signs and where things are", "help"),
)


def session_commands(app: App[Any], modality: str) -> Iterator[SystemCommand]:
    """Yield what the palette offers in a session of the user's own, whose answers come in ``modality``."""
    other = "audio" if modality == "text" else "text"
    answers = (f"Answer in {other}", f"Ask for answers in {other} from now on", f"answer_in('{other}')")
    copy = ("Copy answer", "Copy the agent's latest answer", "copy_answer")
    leave = ("Quit", "Close the session and quit", "quit")
    yield from _commands(app, (*_SESSION, answers, copy, *_PROGRAM, leave))


def watch_commands(app: App[Any]) -> Iterator[SystemCommand]:
    """Yield what the palette always offers where the sessions are those of other clients."""
    replay = ("Replay", "Replay this session so far", "replay_session")
    yield from _commands(app, (replay, *_PROGRAM, ("Quit", "Close the relay and quit", "quit")))


def next_turn_detection(now: str) -> TurnDetection:
    """Return what comes after push-to-talk, server VAD and semantic VAD; push-to-talk where nothing is known."""
    kinds = [kind for _, _, kind in _TURN_DETECTIONS]
    return kinds[(kinds.index(now) + 1) % len(kinds)] if now in kinds else kinds[0]


def _commands(app: App[Any], rows: Iterable[tuple[str, str, str]]) -> Iterator[SystemCommand]:
    for title, says, action in rows:
        yield SystemCommand(title, says, partial(app.call_later, app.run_action, action, app))
