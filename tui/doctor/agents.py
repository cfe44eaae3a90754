"""The check of the openai-agents SDK: whether it reads this server's session, by the session's own connection path."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed

from tui import wire
from tui.audio import NoPlayback
from tui.capture import EventLog
from tui.conversation import Cause
from tui.doctor.case import Case
from tui.doctor.report import Finding, Outcome, failed, warning
from tui.failures.events import of_error
from tui.failures.table import cause
from tui.session import causes
from tui.session.importing import import_sdk
from tui.session.loop import in_daemon_thread
from tui.session.recorder import Recorder

if TYPE_CHECKING:
    from tui.session.sdk import Connection

_NOT_DIGESTED = ("not known to the SDK", "the SDK failed on it")


def begin_import() -> asyncio.Future[None]:
    """Begin to import the SDK, which takes about two seconds, while other checks wait for the network."""
    return in_daemon_thread("azrt-sdk-import", import_sdk)


_SLOT_FREE_S: Final = 1.0
"""A server with one slot may take so long to notice that the connection before has ended."""


async def check_sdk(case: Case) -> Finding:
    """Open a session through the SDK, as the program does, and see what it makes of the server's events.

    The doctor's own connection is closed first: a server may have room for one session.
    """
    try:
        await (case.importing or begin_import())
    except Exception as error:
        return failed(cause("sdk-missing", why=f"{type(error).__name__}: {wire.text(str(error))}"))
    if case.probe is not None:
        await case.probe.close()
    found = await _through_the_sdk(case)
    if found.outcome is Outcome.FAILED and found.cause is not None and found.cause.passes:
        await asyncio.sleep(_SLOT_FREE_S)
        found = await _through_the_sdk(case)
    return found


async def _through_the_sdk(case: Case) -> Finding:
    from tui.session.sdk import Connection

    plan = replace(case.the_plan, modality="text", transcription_model=case.transcriber)
    log = EventLog(time.monotonic_ns())
    recorder = Recorder(log, NoPlayback(), lambda _: None, fps=1, key=plan.credentials)
    answered: asyncio.Future[Cause | None] = asyncio.get_running_loop().create_future()

    def on_event(event: dict[str, Any]) -> None:
        kind = event.get("type")
        if not answered.done() and kind in ("session.updated", "error"):
            answered.set_result(of_error(wire.error_of(event)) if kind == "error" else None)

    recorder.on_event = on_event  # type: ignore[assignment]
    connection = Connection(plan, recorder, NoPlayback())
    draining: asyncio.Task[None] | None = None
    try:
        await connection.open()
        draining = asyncio.create_task(connection.drain())
        waiting: set[asyncio.Future[Any]] = {answered, draining}
        await asyncio.wait(waiting, timeout=case.limits.reply_s, return_when=asyncio.FIRST_COMPLETED)
        if draining.done():
            return failed(causes.from_ending(connection.ending))
        return _finding(log, answered, case)
    except ConnectionClosed:
        return failed(causes.from_ending(connection.ending))
    except Exception as error:
        return failed(causes.from_exception(error, plan.target))
    finally:
        await _close(connection, draining)
        recorder.stop()
        log.close()


def _finding(log: EventLog, answered: asyncio.Future[Cause | None], case: Case) -> Finding:
    facts = {name: _version(name) for name in ("openai-agents", "openai", "websockets")}
    notes = [note for note in (log.entry(index).note for index in range(len(log))) if note.startswith(_NOT_DIGESTED)]
    if notes:
        said = notes[0].partition(": ")[2] or notes[0]
        found = cause("sdk-unreadable", facts, count=len(notes), said=said)
        return warning(found)
    if not answered.done():
        return failed(cause("not-updated", seconds=f"{case.limits.reply_s:g} s"))
    refusal = answered.result()
    if refusal is not None and not case.refused:  # else it was told already
        return failed(refusal)
    return Finding(f"openai-agents {facts['openai-agents']} reads this server's session", facts=facts)


async def _close(connection: Connection, draining: asyncio.Task[None] | None) -> None:
    if draining is not None:
        draining.cancel()
        await asyncio.wait({draining})
    await connection.close()


def _version(package: str) -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return "?"
