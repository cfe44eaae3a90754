"""The app that watches other clients: a relay, and a screen for each session that goes through it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from textual import on
from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from tui.capture import EventLog
from tui.conversation import Link, Status
from tui.endpoint import Target
from tui.relay import Relay, RelayPlan, WatchedSession
from tui.relay.request import Asked
from tui.session.capturing import new_event_log
from tui.settings import Loaded
from tui.ui.app import AzrtApp, run_app
from tui.ui.commands import help_sections
from tui.ui.recording import Recording
from tui.ui.screens.watch import WatchScreen
from tui.ui.widgets.session_tabs import SessionTabs
from tui.ui.widgets.transcript_pane import TranscriptPane

if TYPE_CHECKING:
    from tui.ui.screens.main import MainScreen

MOST_SESSIONS: Final = 32
"""Tabs; beyond them the oldest session that is over goes. Its capture stays."""

QUIT_TIMEOUT_S: Final = 2.5
"""How long quitting waits for the goodbyes of clients and services."""


class SessionsChanged(Message):
    """A client has connected, or a session stands otherwise than before."""


class WatchApp(AzrtApp):
    """The terminal client on the sessions of others. The relay listens before it is shown."""

    def __init__(self, loaded: Loaded, plan: RelayPlan) -> None:
        super().__init__(loaded)
        self._plan = plan
        self.relay = Relay(plan, self._opened, self._new_log, fps=loaded.settings.frame_rate)
        self._lock = threading.Lock()
        self._new: list[WatchedSession] = []
        self._begun = False
        self._screens: dict[int, WatchScreen] = {}

    def close_session(self) -> None:
        """End the relay, and what it is recorded into."""
        self.relay.stop(QUIT_TIMEOUT_S)
        for screen in self._screens.values():
            _close(screen.session_log)
        super().close_session()

    # In the relay's thread

    def _new_log(self, asked: Asked) -> EventLog:
        model = asked.name or self._plan.target.model
        return new_event_log(self._loaded.settings, self._plan.target.host, model, self._plan.sign_in.masked)

    def _opened(self, session: WatchedSession) -> None:
        session.on_link = self._changed
        with self._lock:
            self._new.append(session)
        self._changed()

    def _changed(self) -> None:
        if self._begun:
            self.post_message(SessionsChanged())

    # Screens

    def _first_screen(self) -> MainScreen:
        address = self.relay.url.removeprefix("ws://")
        screen = self._screens[0] = WatchScreen(None, address, self._loaded.settings.filters)
        self.install_screen(screen, _name(0))
        return screen

    def _begin(self) -> None:
        target = self._plan.target
        listening = Status(
            link=Link.LISTENING, host=target.host, model=target.model, kind=target.kind.remark, watched=True
        )
        self._screens[0].say(listening, how_to_connect(self.relay.url, self._plan))
        self._begun = True
        self._take_sessions()

    @on(SessionsChanged)
    def _take_sessions(self) -> None:
        with self._lock:
            new, self._new = self._new, []
        for session in new:
            screen = self._screens[session.number] = WatchScreen(session, "", self._loaded.settings.filters)
            self.install_screen(screen, _name(session.number))
        over = [number for number, screen in self._screens.items() if screen.over]
        for number in over[: max(0, len(self._screens) - 1 - MOST_SESSIONS)]:
            self._remove(number)
        shown = self._shown
        if new and shown is not None and (shown.number == 0 or shown.over):
            self._show(new[-1].number)
        self._show_tabs()

    @property
    def _shown(self) -> WatchScreen | None:
        """The session that is looked at; None while another screen lies over it."""
        top = self.screen_stack[-1:]  # none while the app ends
        return top[0] if top and isinstance(top[0], WatchScreen) else None

    @on(SessionTabs.Chosen)
    def _choose(self, message: SessionTabs.Chosen) -> None:
        self._show(message.number)

    def _show(self, number: int) -> None:
        if self._shown is not None and number in self._screens and self._shown.number != number:
            self.switch_screen(_name(number))

    @on(WatchScreen.Resumed)
    def _show_tabs(self) -> None:
        if self._shown is not None:
            self._shown.show_tabs([screen.tab for _, screen in sorted(self._screens.items())])

    @on(WatchScreen.Closed)
    def _close_tab(self, message: WatchScreen.Closed) -> None:
        numbers = sorted(self._screens)
        before = numbers[numbers.index(message.number) - 1]
        self._show(before)
        self.call_after_refresh(self._remove, message.number)

    def _remove(self, number: int) -> None:
        screen = self._screens.get(number)
        if screen is None or screen in self.screen_stack:
            return
        del self._screens[number]
        self.uninstall_screen(screen)
        if screen.is_running:
            screen.remove()
        _close(screen.session_log)
        self._show_tabs()

    # What the person does

    def action_help(self) -> None:
        """Show the keys and what the signs mean."""
        from tui.ui.screens.help import Help

        if not isinstance(self.screen, Help):
            self.push_screen(Help(help_sections(self, watching=True)))

    def action_replay_session(self) -> None:
        """Look at this session from its beginning to now; it goes on meanwhile."""
        shown = self._shown
        if shown is None or shown.number == 0:
            return
        from tui.ui.screens.replay import ReplayScreen

        status = shown.status
        recording = Recording(shown.session_log, status.host, status.model, start_s=float("inf"), playing=False)
        self.push_screen(ReplayScreen(recording, self._host.make_speaker(), self._loaded.settings.frame_rate))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: what can be done with sessions that are looked at."""
        shown = self._shown
        if shown is not None:
            tabs = shown.query_one(SessionTabs)
            yield SystemCommand("Next session", "Show the next tab", lambda: tabs.action_step(1))
            yield SystemCommand("Newest session", "Show the last tab", lambda: tabs.action_end(-1))
            yield SystemCommand("Close tab", "Close the tab of a session that is over", shown.action_close)
            copy = shown.query_one(TranscriptPane).action_copy
            yield SystemCommand("Copy answer", "Copy the agent's latest answer", copy)
        yield SystemCommand("Replay", "Replay this session so far", self.action_replay_session)
        yield SystemCommand("Theme", "Choose the colours; the choice is remembered", self.action_change_theme)
        yield SystemCommand("Help", "Keys, signs and where things are", self.action_help)
        yield SystemCommand("Quit", "Close the relay and quit", self.action_quit)


def how_to_connect(url: str, plan: RelayPlan) -> list[str]:
    """What a person does to have his client seen here."""
    whose = {
        "auto": "A client's own key is passed on; where it sends none, the key of your settings is used.",
        "client": "The client's own key is passed on.",
        "settings": "A client's key is replaced by the key of your settings.",
    }
    return [
        f"Listening on {url.removeprefix('ws://')} for {plan.target.host}.",
        "Let a client connect here instead of there: each of its sessions gets a tab.",
        "",
        "OpenAI's Python library takes as base_url",
        f"  http{url.removeprefix('ws')}/v1",
        "openai-agents and others take as url",
        f"  {url}{_example(plan.target)}",
        "",
        whose[plan.credentials],
    ]


def _example(target: Target) -> str:
    """Path and query that a client may ask for: Realtime's are known to all, others are the target's."""
    if not target.kind.own:
        parts = urlsplit(target.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "/v1/realtime" if target.model else "/v1/realtime?model=NAME"


def run(loaded: Loaded, plan: RelayPlan) -> int:
    """Listen, and show the sessions until the person quits; return the exit code. Raises OSError when it cannot."""

    def make(loaded: Loaded) -> WatchApp:
        app = WatchApp(loaded, plan)
        app.relay.start()
        return app

    return run_app(loaded, make)


def _name(number: int) -> str:
    return f"session-{number}"


def _close(log: EventLog) -> None:
    if log.capture is not None:
        log.capture.close(QUIT_TIMEOUT_S)
    log.close()
