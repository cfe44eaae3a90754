"""The doctor at work behind the screen: in a thread of its own, one run at a time.

It opens a session only when nobody else has one, or will: while the connection is to be made again, it looks at the way
to the server alone, and beside a session that runs it takes what that one shows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from textual.message import Message

from tui.conversation import Link
from tui.session import Say
from tui.session.loop import LoopThread

if TYPE_CHECKING:
    from textual.app import App

    from tui.conversation import Cause
    from tui.doctor import Case, Check, Report
    from tui.settings import Loaded
    from tui.ui.host import SessionHost

logger = logging.getLogger(__name__)

_WAY: Final = ("dns", "tcp", "tls", "handshake", "session")
"""Checks whose success says how far the way to the server is open."""

_LOST: Final = "closed-1006"
"""Where it is tried again, the next try says more within a second."""

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
        _LOST,
    }
)
"""Causes that leave open where the way to the server ends; the others say it themselves."""


@dataclass
class Examined(Message):
    """A check has begun or is done, or the run has ended."""

    ended: bool = False


class _Run:
    """One run, which can be stopped. ``thread`` is begun by whoever makes it."""

    def __init__(
        self, names: tuple[str, ...], *, asked: bool, main: Callable[[_Run], Coroutine[Any, Any, None]]
    ) -> None:
        self.names = names
        self.asked = asked
        self.task: asyncio.Task[Report] | None = None
        self.thread = LoopThread("azrt-doctor", lambda: main(self))

    def stop(self) -> None:
        """End it, wherever it is, from any thread."""
        self.thread.call(self._cancel)

    def _cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


class Diagnosis:
    """What the doctor has found out so far. Everything but the run itself belongs to the screen's thread."""

    def __init__(self, post: Callable[[Message], object]) -> None:
        """``post`` is called from the doctor's thread."""
        self._post = post
        self._run: _Run | None = None
        self.checks: list[Check] = []
        self.under_way = ""
        """The title of the check of the moment; "" when none is."""
        self.report: Report | None = None
        """What the checks came to, when the run has ended."""

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return bool(self.under_way)

    @property
    def asked(self) -> bool:
        """Whether the person asked for the run of the moment, or the last one."""
        return self._run is not None and self._run.asked

    @property
    def opens_session(self) -> bool:
        """Whether the run of the moment, or the last one, goes as far as a session of its own."""
        return self._run is not None and "handshake" in self._run.names

    def start(self, make: Callable[[], Case], names: tuple[str, ...], *, asked: bool) -> None:
        """Begin the checks of these names. A run that the person asked for goes on instead, others it replaces."""
        if self.running and self.asked:
            return
        self.stop()
        self.checks, self.report, self.under_way = [], None, "Settings"
        self._run = _Run(names, asked=asked, main=partial(self._examine, make))
        self._run.thread.start()

    def stop(self) -> None:
        """End the run that is under way, unless the person asked for it. Nothing more is heard of it."""
        if self.running and not self.asked:
            assert self._run is not None
            self._run.stop()
            self._run, self.under_way = None, ""

    # The doctor's thread

    async def _examine(self, make: Callable[[], Case], run: _Run) -> None:
        from tui.doctor import Report, examine

        report = Report()
        try:
            tell, begin = partial(self._tell, run), partial(self._begin, run)
            run.task = asyncio.create_task(examine(make(), tell, run.names, begin=begin))
            if run is self._run:
                report = await run.task
        except asyncio.CancelledError:
            return
        except Exception:
            logger.exception("The doctor failed")
        if run is self._run:
            self.report, self.under_way = report, ""
            self._post(Examined(ended=True))

    def _begin(self, run: _Run, title: str) -> None:
        if run is self._run:
            self.under_way = title
            self._post(Examined())

    def _tell(self, run: _Run, check: Check) -> None:
        if run is self._run:
            self.checks = [*self.checks, check]  # a new list: the screen may be reading the old one
            self._post(Examined())


class Examiner:
    """Lets the doctor look at a connection that failed, or at any when the person asks, and shows what it finds."""

    def __init__(self, app: App[Any], host: SessionHost) -> None:
        self._app = app
        self._host = host
        self._diagnosis = Diagnosis(app.post_message)
        self._link = Link.IDLE
        self._examined: set[tuple[str, bool]] = set()
        """The causes that were looked into since there was a connection, and whether as far as a session."""
        self._cause = ""
        """The one that was looked into last."""
        self._told = ""
        """What the conversation says already, since there was a connection."""

    def open(self, loaded: Loaded) -> None:
        """Show the screen, which begins a run."""
        from tui.ui.screens.checkup import Checkup

        if not isinstance(self._app.screen, Checkup):
            self._app.push_screen(Checkup(self._diagnosis, lambda: self._examine(loaded, asked=True)))

    def link_changed(self, link: Link, cause: Cause | None, loaded: Loaded) -> None:
        """Find out more about a connection that failed, where the cause does not say it all; once for each."""
        if self._link is Link.CLOSING:
            return  # the program ends
        self._link = link
        final = link in (Link.FAILED, Link.CLOSED)
        if link is Link.CONNECTED:
            self._examined.clear()
            self._told = ""
        if link in (Link.CONNECTED, Link.CLOSING):
            self._diagnosis.stop()
        elif link is Link.CONNECTING and self._diagnosis.opens_session:
            self._diagnosis.stop()
            self._examined.discard((self._cause, True))
        if cause is None or cause.name not in UNCERTAIN or (cause.name, final) in self._examined:
            return
        if final or (link is Link.WAITING and cause.name != _LOST):
            self._cause = cause.name
            self._examined.add((cause.name, final))
            self._examine(loaded, asked=False, final=final)

    def examined(self, message: Examined) -> None:
        """Show what is known now: on its screen, and in the end in the conversation when nobody had asked."""
        from tui.doctor import Outcome
        from tui.ui.screens.checkup import Checkup

        if not self._app.screen_stack:
            return  # the program ends, and the check was still under way
        if isinstance(self._app.screen, Checkup):
            self._app.screen.show()
        report = self._diagnosis.report
        if not message.ended or report is None or self._diagnosis.asked or self._link is Link.CONNECTED:
            return
        if report.of(Outcome.FAILED) or self._link in (Link.FAILED, Link.CLOSED):  # else what follows is not known yet
            text, note, cause = in_words(report, self._cause)
            if text != self._told:
                self._told = text
                self._host.submit(Say(text, note, cause, "session.checkup"))

    def _examine(self, loaded: Loaded, *, asked: bool, final: bool = True) -> None:
        from tui.doctor import ALL, CONNECTION, WAY
        from tui.doctor.case import Case
        from tui.doctor.setup import case_of

        # The sound has a screen of its own, and looking for devices would redirect what the screen is drawn on.
        names = tuple(name for name in ALL if name != "audio") if asked else CONNECTION if final else WAY
        plan = self._host.plan
        beside = self._link if self._link in (Link.CONNECTING, Link.CONNECTED) else None

        def make() -> Case:
            case = case_of(loaded) if plan is None else Case(loaded, plan)
            case.beside = beside
            return case

        self._diagnosis.start(make, names, asked=asked)


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
