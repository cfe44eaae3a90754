"""The checks in their order, and where to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final

from tui.conversation import Link
from tui.doctor import conversation
from tui.doctor.agents import begin_import, check_sdk
from tui.doctor.case import Case
from tui.doctor.conversation import while_connected
from tui.doctor.lifecycle import check_models
from tui.doctor.machine import begin_listing, check_devices
from tui.doctor.network import check_dns, check_proxy, check_tcp, check_tls
from tui.doctor.report import Check, Finding, Outcome, Report, failed, skipped
from tui.doctor.setup import check_endpoint, check_settings, check_sign_in
from tui.doctor.transcription import check_transcription
from tui.failures.table import cause

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    title: str
    check: Callable[[Case], Awaitable[Finding]]
    needs: tuple[str, ...] = ()
    """Checks without whose success this one makes no sense."""
    connected: bool = False
    """Whether it needs the connection to be open still."""


_STEPS: Final = (
    _Step("settings", "Settings", check_settings),
    _Step("endpoint", "Endpoint", check_endpoint, ("settings",)),
    _Step("sign-in", "Sign-in", check_sign_in, ("endpoint",)),
    _Step("proxy", "Proxy", check_proxy, ("endpoint",)),
    _Step("dns", "DNS", check_dns, ("proxy",)),
    _Step("tcp", "TCP", check_tcp, ("dns",)),
    _Step("tls", "TLS", check_tls, ("tcp",)),
    _Step("handshake", "Handshake", conversation.check_handshake, ("sign-in", "tls")),
    _Step("session", "session.created", while_connected(conversation.check_session), ("handshake",)),
    _Step("protocol", "Protocol", conversation.check_protocol, ("session",)),
    _Step("update", "session.update", while_connected(conversation.check_update), ("protocol",), connected=True),
    _Step("answer", "Text answer", while_connected(conversation.check_answer), ("protocol",), connected=True),
    _Step(
        "transcription",
        "Transcription",
        while_connected(check_transcription),
        ("protocol",),
        connected=True,
    ),
    _Step("round-trip", "Round trip", while_connected(conversation.check_round_trip), ("protocol",), connected=True),
    _Step("lifetime", "Lifetime", conversation.check_lifetime, ("protocol",)),
    _Step("sdk", "SDK", check_sdk, ("protocol",)),
    _Step("models", "Models", check_models, ("sign-in", "tls")),
    _Step("audio", "Audio", check_devices, ("endpoint",)),
)

ALL: Final = tuple(step.name for step in _STEPS)
"""Every check, in order."""

CONNECTION: Final = ALL[ALL.index("endpoint") : ALL.index("update")]
"""The checks of the connection alone: free of charge, and without the SDK."""

WAY: Final = ("endpoint", "proxy", "dns", "tcp", "tls")
"""The checks of the way to the server, which say nothing to it: they may go beside a session."""

_OF_SESSION: Final = ALL[ALL.index("handshake") : ALL.index("sdk") + 1]
"""The checks that need a session."""

_SHOWN_BY_SESSION: Final = ("handshake", "session", "protocol")
"""Those of them that a session which runs has passed."""

TITLES: Final = {step.name: step.title for step in _STEPS}


async def examine(
    case: Case,
    tell: Callable[[Check], None],
    names: Collection[str] = ALL,
    *,
    begin: Callable[[str], None] = lambda title: None,
) -> Report:
    """Do the checks of these names: ``begin`` with the title of each, and ``tell`` of it as soon as it is done.

    A check that fails never raises; what depends on it is skipped. No text that is told holds a secret.
    """
    report = Report()
    began = time.monotonic()
    bad: dict[str, str] = {}
    """Each check that did not go well -> the one that is to blame."""
    if "sdk" in names and case.plan is not None and case.beside is None:
        case.importing = begin_import()
    if "audio" in names and case.plan is not None and case.loaded is not None:
        case.listing = begin_listing()
    try:
        for step in _STEPS:
            if step.name not in names:
                continue
            started = time.monotonic()
            blame = next((bad[need] for need in step.needs if need in bad), "")
            if not blame and step.connected and conversation.is_over(case):
                blame = "connection"
            if blame:
                why = "the connection has ended" if blame == "connection" else f"not after {TITLES[blame]}"
                finding = skipped(why, in_vain=True)
                bad[step.name] = blame
            elif case.beside is not None and step.name in _OF_SESSION:
                finding = _beside(step.name, case.beside)
            else:
                begin(step.title)
                finding = await _done(step, case)
                if finding.outcome is Outcome.FAILED:
                    bad[step.name] = step.name
            check = Check(step.name, step.title, finding, time.monotonic() - started).mapped(case.masked)
            report.checks.append(check)
            tell(check)
    finally:
        for beside in (case.importing, case.listing):
            if beside is not None:
                beside.cancel()
        if case.probe is not None:
            await case.probe.close()
    report.seconds = time.monotonic() - began
    return report


def _beside(name: str, link: Link) -> Finding:
    """Return what can be told of a check that needs a session, without one beside that of the program."""
    if link is Link.CONNECTED and name in _SHOWN_BY_SESSION:
        return Finding("fine: the session that runs has passed it")
    return skipped("it needs a session of its own", in_vain=True)


async def _done(step: _Step, case: Case) -> Finding:
    try:
        return await step.check(case)
    except Exception as error:
        logger.exception("The check %s failed", step.name)
        return failed(cause("doctor", name=step.name, why=type(error).__name__))
