"""The whole program under Textual's Pilot: a real session worker, the real SDK, a real server on loopback."""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.support.drawing import lines, screen_lines, until
from tests.support.pace import turns_of_the_loop
from tui import wire
from tui.audio import AudioUnavailable, devices
from tui.conversation import AgentState
from tui.settings import load_settings
from tui.simulator import SimulatorThread
from tui.ui.app import AzrtApp
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.prompt import Prompt
from tui.ui.widgets.status_strip import StatusStrip
from tui.ui.widgets.transcript_pane import TranscriptPane

NO_SOUND = "The PortAudio library is not installed."
"""What the program finds in the way of sound."""

_SETTINGS = ("AZURE_OPENAI_", "AZRT_", "OPENAI_", "SSH_", "NO_COLOR", "TEXTUAL")


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str] | None = None) -> None:
    """Give the program an empty home and working directory, and none of the machine's settings and sound devices."""

    def no_library() -> None:
        raise AudioUnavailable(NO_SOUND, "sudo apt install libportaudio2")

    monkeypatch.setattr(devices, "library", no_library)
    for name in list(os.environ):
        if name.startswith(_SETTINGS):
            monkeypatch.delenv(name)
    for name, folder in (("HOME", "home"), ("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name, value in (environment or {}).items():
        monkeypatch.setenv(name, value)
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    monkeypatch.chdir(work)


def remap(tmp_path: Path, keys: str) -> None:
    """Write a ``[keys]`` table into the home that :func:`isolate` gave."""
    folder = tmp_path / "config" / "azrt-tui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"[keys]\n{keys}")


def fast(**options: Any) -> SimulatorThread:
    """A simulator without delays that needs no speech program."""
    return SimulatorThread(**{"speed": math.inf, "engine": "recordings", **options})


def endless(**options: Any) -> SimulatorThread:
    """A simulator whose answers begin at once, stream visibly, and last longer than a test: for interrupting."""
    return SimulatorThread(**{"thinking_s": 0.0, "word_s": 0.05, "engine": "recordings", **options})


@dataclass
class Running:
    """The program while it runs: how to use it, and how to look at it."""

    app: AzrtApp
    pilot: Pilot[int]
    simulator: SimulatorThread | None = None

    @property
    def main(self) -> MainScreen:
        """The main screen, whatever lies above it."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, MainScreen))

    @property
    def events(self) -> EventPane:
        """The event pane."""
        return self.main.query_one(EventPane)

    @property
    def transcript(self) -> TranscriptPane:
        """The transcript pane."""
        return self.main.query_one(TranscriptPane)

    @property
    def strip(self) -> StatusStrip:
        """The status strip."""
        return self.main.query_one(StatusStrip)

    @property
    def prompt(self) -> Prompt:
        """The prompt."""
        return self.main.query_one(Prompt)

    @property
    def text(self) -> str:
        """Everything that the screen shows."""
        return "\n".join(screen_lines(self.app))

    @property
    def status_text(self) -> str:
        """What the status strip says."""
        return "\n".join(lines(self.strip))

    @property
    def toasts(self) -> list[str]:
        """What the toasts on the screen say, oldest first."""
        return [notification.message for notification in self.app._notifications]

    def subtitle(self, pane: str) -> str:
        """What the lower frame of ``events``, ``transcript`` or ``prompt`` says."""
        return str(self.main.query_one(f"#{pane}-frame").border_subtitle or "")

    def types(self) -> list[str]:
        """The types of all events so far, both ways, from the event log."""
        log = self.main._log
        return [log.entry(index).type for index in range(len(log))] if log is not None else []

    def sent(self, event_type: str) -> list[dict[str, Any]]:
        """What went out of one type, from the event log."""
        log = self.main._log
        assert log is not None
        entries = (log.entry(index) for index in range(len(log)))
        events = (wire.parse(entry.data) for entry in entries if entry.direction is wire.Direction.SENT)
        return [event for event in events if event is not None and event["type"] == event_type]

    def server_got(self, event_type: str, session: int = -1) -> list[dict[str, Any]]:
        """Events of a type that the simulator received in one of its sessions."""
        assert self.simulator is not None
        frames = [json.loads(frame) for frame in list(self.simulator.simulator.sessions[session].received)]
        return [event for event in frames if event["type"] == event_type]

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds."""
        await until(self.pilot, condition, what)

    async def shows(self, text: str) -> None:
        """Wait until the screen shows a text."""
        await self.until(lambda: text in self.text, f"the screen shows {text!r}")

    async def says(self, text: str) -> None:
        """Wait until the transcript holds a text, wherever it is scrolled to."""
        await self.until(
            lambda: any(text in turn.text or text in turn.note for turn in self.transcript.turns),
            f"the transcript says {text!r}",
        )

    async def connected(self) -> None:
        """Wait until the session is ready and its settings are confirmed."""
        await self.until(lambda: self.app.connected and "session.updated" in self.types(), "connected")
        await self.caught_up()

    async def answered(self, text: str, answers: int) -> None:
        """Send a message, and wait until so many answers in all are complete and the agent is silent."""
        await self.say(text)
        await self.until(lambda: self.types().count("response.done") >= answers, f"{answers} answers")
        await self.caught_up()

    async def caught_up(self) -> None:
        """Wait until the screen has everything that the log has, and the agent is silent."""

        def has_all() -> bool:
            log, status = self.main._log, self.main.status
            return (
                log is not None
                and status.received == log.count(wire.Direction.RECEIVED)
                and status.sent == log.count(wire.Direction.SENT)
                and status.agent is AgentState.IDLE
            )

        await self.until(has_all, "the screen has caught up")

    async def say(self, text: str) -> None:
        """Put a message into the prompt and send it; much faster than pressing its keys."""
        self.prompt.text = text
        self.prompt.action_submit()
        await self.pilot.pause()


@asynccontextmanager
async def running(
    simulator: SimulatorThread | None = None,
    *,
    size: tuple[int, int] = (120, 36),
    demo: bool = False,
    **flags: object,
) -> AsyncIterator[Running]:
    """Run the program against a simulator, or whatever its settings name; the session and the server always end.

    Call :func:`isolate` first: the settings come from the environment and the files there, and from ``flags``.
    """
    try:
        if simulator is not None:
            flags["url"] = simulator.start().url()
            if simulator.simulator.ca_file is not None:
                flags.setdefault("ca_file", str(simulator.simulator.ca_file))
        app = AzrtApp(load_settings(flags), demo=demo)
        try:
            with turns_of_the_loop():
                async with app.run_test(size=size, notifications=True) as pilot:
                    yield Running(app, pilot, simulator)
        finally:
            await asyncio.to_thread(app.close_session)
    finally:
        if simulator is not None:
            await asyncio.to_thread(simulator.stop)
