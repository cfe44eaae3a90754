"""The app that watches other clients: a relay, and a screen for each session that goes through it."""

from __future__ import annotations

import shlex
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from textual import on
from textual.app import SystemCommand
from textual.message import Message
from textual.screen import Screen

from tui.capture import EventLog
from tui.conversation import Link, Status
from tui.endpoint import Target
from tui.replay.recording import Recording
from tui.session.capturing import new_event_log
from tui.settings import Loaded
from tui.ui.app import AzrtApp, run_app
from tui.ui.commands import watch_commands
from tui.ui.screens.watch import WatchScreen
from tui.ui.text import printable
from tui.ui.widgets.session_tabs import SessionTabs
from tui.ui.widgets.transcript_pane import TranscriptPane
from tui.watch import Relay, RelayPlan, WatchedSession
from tui.watch.credentials import SessionMask
from tui.watch.request import Asked

if TYPE_CHECKING:
    from tui.ui.screens.main import MainScreen

MOST_SESSIONS: Final = 32
"""Tabs; beyond them the oldest session that is over goes. Its capture stays."""

MOST_REFUSALS: Final = 20
"""Different sentences about requests that came to nothing; each is counted."""

QUIT_TIMEOUT_S: Final = 2.5
"""How long quitting waits for the goodbyes of clients and services."""


class SessionsChanged(Message):
    """A client has connected, or a session stands otherwise than before."""


class WatchApp(AzrtApp):
    """The terminal client on the sessions of others. The relay listens before it is shown."""

    def __init__(self, loaded: Loaded, plan: RelayPlan) -> None:
        super().__init__(loaded)
        self._plan = plan
        self.relay = Relay(plan, self._opened, self._new_log, fps=loaded.settings.frame_rate, refused=self._refused)
        self._lock = threading.Lock()
        self._new: list[WatchedSession] = []
        self._new_refusals: list[str] = []
        self._refusals: Counter[str] = Counter()
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
        mask = SessionMask(asked.presented, self._plan.sign_in)
        return new_event_log(self._loaded.settings, self._plan.target.host, model, mask.masked)

    def _opened(self, session: WatchedSession) -> None:
        session.on_link = self._changed
        with self._lock:
            self._new.append(session)
        self._changed()

    def _refused(self, sentence: str) -> None:
        with self._lock:
            self._new_refusals.append(sentence)
        self._changed()

    def _changed(self) -> None:
        if self._begun:
            self.post_message(SessionsChanged())

    # Screens

    def _first_screen(self) -> MainScreen:
        address = self.relay.url.partition("://")[2]
        screen = self._screens[0] = WatchScreen(None, address, self._loaded.settings.filters)
        self.install_screen(screen, _name(0))
        return screen

    def _begin(self) -> None:
        target = self._plan.target
        self._screens[0].listen(
            Status(link=Link.LISTENING, host=target.host, model=target.model, kind=target.kind.remark, watched=True)
        )
        self._say_listening()
        self._begun = True
        self._take_sessions()

    def _say_listening(self) -> None:
        """Say how to connect, and below it which requests came to nothing."""
        lines = how_to_connect(self.relay.url, self._plan, self.relay.ca_file)
        refusals = [f"{count} times: {text}" if count > 1 else text for text, count in self._refusals.items()]
        self._screens[0].say("\n".join(lines), *refusals)

    def _take_refusals(self, sentences: Sequence[str]) -> None:
        """Show requests that came to nothing: in passing, and where the relay listens."""
        for sentence in sentences:
            if sentence not in self._refusals and len(self._refusals) >= MOST_REFUSALS:
                continue
            self._refusals[sentence] += 1
            if self._refusals[sentence] == 1:
                self.notify(printable(sentence), title="Not relayed", severity="warning", markup=False)
        if sentences:
            self._say_listening()

    @on(SessionsChanged)
    def _take_sessions(self) -> None:
        with self._lock:
            new, self._new = self._new, []
            refusals, self._new_refusals = self._new_refusals, []
        self._take_refusals(refusals)
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
        from tui.ui.screens.help import Help, help_sections

        if not isinstance(self.screen, Help):
            self.push_screen(Help(help_sections(self, self.themes_dir, watching=True)))

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
        yield from watch_commands(self)


def how_to_connect(url: str, plan: RelayPlan, ca_file: Path | None = None) -> list[str]:
    """What a person does to have his client seen here. ``ca_file``: whom the client must trust, with TLS."""
    whose = {
        "auto": "A client's own key is passed on; where it sends none, the key of your settings is used.",
        "client": "The client's own key is passed on.",
        "settings": "A client's key is replaced by the key of your settings.",
    }
    lines = [
        f"Listening on {url.partition('://')[2]} for {plan.target.host}.",
        "Let a client connect here instead of there: each of its sessions gets a tab.",
        "",
        "OpenAI's libraries take as base_url",
        f"  http{url.removeprefix('ws')}/v1",
        "or, in Python, as websocket_base_url",
        f"  {url}/v1",
        f"  {url}/openai  (AzureOpenAI)",
        "openai-agents and others take as url",
        f"  {url}{_example(plan.target)}",
    ]
    if ca_file is None:
        lines += ["For clients that insist on wss:, such as npm's openai, start it with --tls."]
    else:
        file = shlex.quote(str(ca_file))
        lines += ["The client trusts it when it starts with", f"  SSL_CERT_FILE={file}  (Python)"]
        lines += [f"  NODE_EXTRA_CA_CERTS={file}  (Node)"]
    return [*lines, "", whose[plan.credentials]]


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
