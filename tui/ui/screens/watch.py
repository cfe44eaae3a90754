"""The main screen on the session of another client: the same panes, and a line of tabs where the prompt was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.message import Message
from textual.widget import Widget

from tui.capture import EventLog
from tui.conversation import Link, Speaker, Status, Turn, TurnState
from tui.ui import bindings
from tui.ui.messages import Delivery
from tui.ui.screens.main import MainScreen
from tui.ui.widgets.session_tabs import SessionTabs, Tab
from tui.ui.widgets.status_strip import StatusStrip
from tui.ui.widgets.transcript_pane import TranscriptPane
from tui.watch import WatchedSession

SIGNS: Mapping[Link, str] = {
    Link.CONNECTING: "◌",
    Link.CONNECTED: "●",
    Link.FAILED: "✗",
    Link.LISTENING: "◌",
}
"""How a session stands, on its tab; one that is over has the sign of none."""

OVER = "○"


class WatchScreen(MainScreen, inherit_bindings=False):
    """One session, or the place where the relay listens. What happens to it comes as batches, as for any session."""

    CONTROL = "sessions"
    AUTO_FOCUS = f"#{CONTROL}"

    BINDINGS: ClassVar[list[BindingType]] = bindings.WATCH_SCREEN

    class Resumed(Message):
        """The screen is looked at, and its line of tabs is there."""

    class Closed(Message):
        """The person is done with this session."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, session: WatchedSession | None, address: str, filters: Mapping[str, str]) -> None:
        """``session`` is None for the place where the relay listens, ``address``; ``filters`` are the saved ones."""
        super().__init__("", filters)
        self.number = session.number if session is not None else 0
        """Of the session; 0 for the place where the relay listens."""
        self.session_log = session.log if session is not None else EventLog()
        self._session = session
        self._address = address

    @property
    def tab(self) -> Tab:
        """What stands on the tab."""
        if self._session is None:
            return Tab(0, SIGNS[Link.LISTENING], self._address)
        return Tab(self.number, SIGNS.get(self._session.link, OVER), self._session.name or "session")

    @property
    def over(self) -> bool:
        """Whether the session has ended."""
        return self._session is not None and self._session.link in (Link.CLOSED, Link.FAILED)

    def make_control(self) -> Widget:
        """What the person chooses a session with."""
        return SessionTabs(id=self.CONTROL)

    def on_mount(self) -> None:
        """Show the session from its beginning."""
        self.show_session(self.session_log, lambda: (0.0, 0.0), 1)
        if self._session is not None:
            self._session.watch(Delivery(self))
        self.post_message(self.Resumed())

    def on_screen_resume(self) -> None:
        """The tabs may have changed meanwhile."""
        self.post_message(self.Resumed())

    def show_tabs(self, tabs: Sequence[Tab]) -> None:
        """Show the tabs of all sessions."""
        for line in self.query(SessionTabs):  # which is not there yet at the very first
            line.show_tabs(tabs, self.number)

    def listen(self, status: Status) -> None:
        """Show the status of the place where the relay listens."""
        self._status = status
        self.query_one(StatusStrip).update_status(status)

    def say(self, *texts: str) -> None:
        """Show each of these as a word of the program's own, in place of those before."""
        turns = [
            Turn(f"listening-{number}", "", Speaker.PROGRAM, text, 0, TurnState.DONE, 0.0, "")
            for number, text in enumerate(texts)
        ]
        self.query_one(TranscriptPane).update_turns(turns, [turn.key for turn in turns])

    def say_below(self) -> None:
        """The footer says what the keys do."""

    def action_session(self, step: int) -> None:
        """The session beside this one."""
        self.query_one(SessionTabs).action_step(step)

    def action_close(self) -> None:
        """Close the tab, where the session is over."""
        if self.over:
            self.post_message(self.Closed(self.number))
        elif self.number:
            self.notify("This session still runs; its client ends it.", severity="warning", markup=False)

    def action_restore(self) -> None:
        """Give the panes their place back."""
        self.restore_panes()
