"""One session from the handshake to its end, and why it ended."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed

from tui.conversation import AgentState, Cause, Link
from tui.session import causes
from tui.session.commands import SendQueued
from tui.session.importing import import_sdk
from tui.session.shared import Shared

if TYPE_CHECKING:
    from tui.session.sdk import Connection

logger = logging.getLogger(__name__)

CRASH: Final = Cause("crash", "The session worker failed: a fault of azrt-tui.", "The log file has the details.")


class Lifeline:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._created: asyncio.Future[Cause | None] | None = None
        self._closing: asyncio.Future[None] | None = None
        self._sessions = 0

    async def run(self) -> None:
        """One session, from the handshake to its end."""
        shared, recorder = self._shared, self._shared.recorder
        recorder.new_connection()
        recorder.set_status(link=Link.CONNECTING)
        recorder.flush()
        try:
            # While the SDK is imported.
            opening = None if shared.plan.modality == "text" else shared.speaking.open()
            import_sdk()
            from tui.session.sdk import Connection

            can_play = opening is not None and await opening
            connection = Connection(shared.plan, recorder, shared.playback, can_play=can_play)
            await self._connect(connection)
        except Exception:
            logger.exception("The session failed")
            self._ended(CRASH, failed=True)

    def created(self, session: object) -> None:
        """The server has sent the settings of the session."""
        if self._created is not None and not self._created.done():
            self._created.set_result(self._judge(session))

    async def closed(self) -> None:
        """Wait until the connection that ended last is closed."""
        if self._closing is not None:
            await asyncio.wait({self._closing})

    async def _connect(self, connection: Connection) -> None:
        shared, recorder, plan = self._shared, self._shared.recorder, self._shared.plan
        self._created = asyncio.get_running_loop().create_future()
        shared.to_cancel = 0
        ending: asyncio.Task[None] | None = None
        if not len(recorder.log):
            recorder.log.origin_ns = time.monotonic_ns()  # times are since connect; importing the SDK took seconds
        recorder.local("websocket.connect", plan.target.url)
        try:
            try:
                await connection.open()
            except ConnectionClosed:
                self._ended(causes.from_ending(connection.ending), failed=True)
                return
            except Exception as error:
                failure = causes.from_exception(error, plan.target)
                if failure.name == "unexpected":  # a trace of the others would only add what the server sent
                    logger.info("Connecting failed", exc_info=error)
                self._ended(failure, failed=True)
                return
            ending = asyncio.create_task(connection.drain())
            cause = await self._wait_until_created(connection, ending)
            if cause is not None:
                self._ended(cause, failed=True)
                return
            shared.connection = connection
            self._sessions += 1
            if self._sessions > 1:
                recorder.transcript.say(
                    "New session. The agent does not remember what was said above.", recorder.now_s()
                )
            recorder.set_status(link=Link.CONNECTED)
            shared.work.put_nowait(SendQueued())
            shared.voice.connected(connection)
            await asyncio.wait({ending})  # awaiting it would cancel it together with this task
            self._ended(causes.from_ending(connection.ending), failed=False)
        finally:
            shared.connection = None
            shared.voice.disconnected()
            shared.playback.flush()
            recorder.transcript.end_session()
            if ending is not None and not ending.done():
                recorder.local("websocket.close", "closed by azrt-tui")
            # Closing takes a moment, and a command that cancels this task may come in it: that must not cut it short.
            self._closing = asyncio.ensure_future(_close(connection, ending))
            await asyncio.shield(self._closing)

    async def _wait_until_created(self, connection: Connection, ending: asyncio.Task[None]) -> Cause | None:
        """Wait for session.created; return what is wrong with it, None when nothing is."""
        created = self._created
        assert created is not None
        waiting: set[asyncio.Future[Any]] = {created, ending}
        timeout_s = self._shared.plan.timeouts.created_s
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if created.done():
            return created.result()
        if ending.done():
            return causes.from_ending(connection.ending)
        return causes.no_session_created(timeout_s)

    def _ended(self, cause: Cause, *, failed: bool) -> None:
        recorder = self._shared.recorder
        cause = cause.mapped(self._shared.plan.key.masked)
        recorder.local("websocket.failed" if failed else "websocket.closed", cause.sentence, cause.facts, alarm=True)
        recorder.transcript.end_session()
        recorder.transcript.say(cause.sentence, recorder.now_s(), cause.fix)
        recorder.set_status(
            link=Link.FAILED if failed else Link.CLOSED, cause=cause, agent=AgentState.IDLE, response_id=""
        )

    def _judge(self, session: object) -> Cause | None:
        """Tell a Beta session, which the SDK cannot use, from a GA one that only lacks its type."""
        if not isinstance(session, Mapping) or session.get("type") is not None:
            return None
        beta = (
            "modalities" in session or "input_audio_format" in session or "api-version=" in self._shared.plan.target.url
        )
        return causes.beta_session(self._shared.plan.target) if beta else None


async def _close(connection: Connection, ending: asyncio.Task[None] | None) -> None:
    if ending is not None:
        ending.cancel()
        await asyncio.wait({ending})
    await connection.close()
