"""The doctor at work behind the screen: in a thread of its own, one run at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from textual.message import Message

from tui.session import Say
from tui.session.loop import SessionLoop

if TYPE_CHECKING:
    from textual.app import App

    from tui.conversation import Cause
    from tui.doctor import Case, Check, Report
    from tui.settings import Loaded
    from tui.ui.host import SessionHost

logger = logging.getLogger(__name__)

_WAY: Final = ("dns", "tcp", "tls", "handshake", "session")
"""Checks whose success says how far the way to the server is open."""

UNCERTAIN: Final = frozenset(
    {
        "network",
        "timeout",
        "proxy",
        "proxy-refused",
        "tls",
        "tls-certificate",
        "tls-name",
        "tls-untrusted",
        "handshake",
        "handshake-cut",
        "unexpected",
        "no-session-created",
        "closed-1006",
    }
)
"""Causes that leave open where the way to the server ends; the others say it themselves."""


@dataclass
class Examined(Message):
    """A check has begun or is done, or the run has ended."""

    ended: bool = False


class Diagnosis:
    """What the doctor has found out so far. Everything but the run itself belongs to the screen's thread."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        """``post`` is called from the doctor's thread."""
        self._post = post
        self._run = 0
        self.checks: list[Check] = []
        self.under_way = ""
        """The title of the check of the moment; "" when none is."""
        self.report: Report | None = None
        """What the checks came to, when the run has ended."""
        self.asked = False
        """Whether the person asked for this run."""

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return bool(self.under_way)

    def start(self, make: Callable[[], Case], *, asked: bool) -> None:
        """Begin a run, unless one is under way. One that was asked for does every check but those of the sound."""
        self.asked = asked or (self.asked and self.running)
        if self.running:
            return
        self.checks, self.report, self.under_way = [], None, "Settings"
        self._run += 1
        threading.Thread(target=self._examine, args=(make, asked), name="azrt-doctor", daemon=True).start()

    def _examine(self, make: Callable[[], Case], asked: bool) -> None:
        from tui.doctor import ALL, CONNECTION, Report, examine

        # The sound has a screen of its own, and looking for devices would redirect what the screen is drawn on.
        names = tuple(name for name in (ALL if asked else CONNECTION) if name != "audio")
        report = Report()
        try:
            with asyncio.Runner(loop_factory=SessionLoop) as runner:
                report = runner.run(examine(make(), self._tell, names, begin=self._begin))
        except Exception:
            logger.exception("The doctor failed")
        finally:
            self.report, self.under_way = report, ""
            self._post(Examined(ended=True))

    def _begin(self, title: str) -> None:
        self.under_way = title
        self._post(Examined())

    def _tell(self, check: Check) -> None:
        self.checks = [*self.checks, check]  # a new list: the screen may be reading the old one
        self._post(Examined())


class Examiner:
    """Lets the doctor look at a connection that failed, or at any when the person asks, and shows what it finds."""

    def __init__(self, app: App[Any], host: SessionHost, connected: Callable[[], bool]) -> None:
        """``connected``: whether there is a connection now, so that nobody needs to be told any more."""
        self._app = app
        self._host = host
        self._connected = connected
        self._diagnosis = Diagnosis(app.post_message)
        self._examined = ""
        """The cause of the failure that was examined last."""

    def open(self, loaded: Loaded) -> None:
        """Show the screen, which begins a run."""
        from tui.ui.screens.checkup import Checkup

        if not isinstance(self._app.screen, Checkup):
            self._app.push_screen(Checkup(self._diagnosis, lambda: self._examine(loaded, asked=True)))

    def connection_failed(self, cause: Cause, loaded: Loaded) -> None:
        """Find out more, where the cause does not say it all; once, however often it is tried again."""
        if cause.name in UNCERTAIN and cause.name != self._examined:
            self._examined = cause.name
            self._examine(loaded, asked=False)

    def examined(self, message: Examined) -> None:
        """Show what is known now: on its screen, and in the end in the conversation when nobody had asked."""
        from tui.ui.screens.checkup import Checkup

        if not self._app.screen_stack:
            return  # the program ends, and the check was still under way
        if isinstance(self._app.screen, Checkup):
            self._app.screen.show()
        report = self._diagnosis.report
        if message.ended and report is not None and not self._diagnosis.asked and not self._connected():
            text, note, cause = in_words(report, self._examined)
            self._host.submit(Say(text, note, cause, "session.checkup"))

    def _examine(self, loaded: Loaded, *, asked: bool) -> None:
        from tui.doctor.case import Case
        from tui.doctor.setup import case_of

        plan = self._host.plan
        self._diagnosis.start(lambda: case_of(loaded) if plan is None else Case(loaded, plan), asked=asked)


def in_words(report: Report, known: str) -> tuple[str, str, str]:
    """What a run comes to in the conversation: a sentence, what to do, and the name of the cause ("" when healthy).

    ``known`` is the name of the cause that is told there already.
    """
    from tui.doctor import Outcome

    bad = report.of(Outcome.FAILED)
    if not bad:
        return "Checked step by step: the connection is fine now.", "", ""
    first = bad[0]
    assert first.cause is not None
    fine = [check.title for check in report.of(Outcome.OK) if check.name in _WAY]
    works = f"{', '.join(fine)} {'is' if len(fine) == 1 else 'are'} fine, " if fine else ""
    said = f"Checked step by step: {works}{first.title} is not."
    new = first.cause.name != known
    if new:
        said += f" {first.cause.sentence}"
    if first.finding.facts:
        said += f" ({', '.join(f'{name} {value}' for name, value in first.finding.facts.items())})"
    line = f"$ {first.cause.line}" if first.cause.line else ""
    return said, "\n".join(part for part in (first.cause.fix if new else "", line) if part), first.cause.name
