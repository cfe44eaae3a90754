"""Sessions, one after another: connecting, giving a new one the conversation so far, and what follows an end."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import ConnectionClosed

from tui.conversation import AgentState, Cause, Choice, Link, Offer
from tui.session import causes
from tui.session.back_off import MAX_TRIES, BackOff
from tui.session.commands import SendQueued, Transcribe
from tui.session.importing import import_sdk
from tui.session.restoring import Seam, restore
from tui.session.shared import Shared
from tui.session.watchdog import Watch

if TYPE_CHECKING:
    from tui.session.sdk import Connection

logger = logging.getLogger(__name__)

_LASTING_S: Final = 10.0
"""A session that lasted so long, or in which the person asked and an answer began, was worth having: the next wait is a
first one. A greeting is no such answer: a server that fails on its greeting would be asked for ever. What an answer was
given to is not asked again by itself."""

_UNANSWERED: Final = "Your last question is not answered; a new session asks it again."


class Lifeline:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._back_off = BackOff()
        self._created: asyncio.Future[Cause | None] | None = None
        self._closing: asyncio.Future[None] | None = None
        self._watch: Watch | None = None
        self._waited = asyncio.Event()
        """The person chose to wait, since there was a session. While connecting too: it is not tried again then."""
        self._sessions = 0
        """How many there were that could be used, even if one was gone before anything was sent in it."""
        self._before = (0, 0)
        """What the person had asked for, and the answers that had begun, before this session."""
        self._owed = False
        """The last session ended with a question that the server had taken, and of whose answer nothing had come."""
        self._thinking = False
        """It ended before a response that had begun had said anything, whoever had asked for it."""
        self._lost_speech = False
        self._said = ""
        """The cause that was said last, since something else than that happened in a session."""
        self._repeats = False
        """The last session, or try, ended as the one before, which is not said again; nor is that a new one begins."""

    async def run(self) -> None:
        """Sessions, until one ends after which another makes no sense, or the person does not want it."""
        self._back_off.reset()
        self._waited.clear()
        try:
            while True:
                cause, failed = await self._session()
                cause = cause.mapped(self._shared.plan.credentials.masked)
                if not await self._goes_on_after(cause, failed=failed):
                    self._shared.voice.close()
                    return
        except Exception:
            logger.exception("The session failed")
            self._say_ended(causes.crash(), Link.FAILED, failed=True)
            self._shared.voice.close()

    def created(self, session: object) -> None:
        """The server has sent the settings of the session."""
        if self._created is not None and not self._created.done():
            verdict = causes.of_session(session, self._shared.plan.target)
            self._shared.recorder.transcript.muted = verdict is not None
            self._sessions += verdict is None
            self._created.set_result(verdict)

    def wait_on(self) -> None:
        """The person wants to leave it as it is."""
        if self._watch is not None:
            self._watch.wait_on()
        else:
            self._waited.set()

    async def closed(self) -> None:
        """Wait until the connection that ended last is closed."""
        if self._closing is not None:
            await asyncio.wait({self._closing})

    # One session

    async def _session(self) -> tuple[Cause, bool]:
        """One session, from the handshake to its end.

        Returns:
            Why it ended, and whether that was before there was one.
        """
        shared, recorder = self._shared, self._shared.recorder
        recorder.new_connection()
        shared.new_connection()
        self._before = recorder.reducer.requests, recorder.reducer.begun
        recorder.set_status(link=Link.CONNECTING)
        recorder.flush()
        # While the SDK is imported.
        opening = None if shared.plan.modality == "text" else shared.speaking.open()
        import_sdk()
        from tui.session.sdk import Connection

        can_play = opening is not None and await opening
        connection = Connection(shared.plan, recorder, shared.playback, can_play=can_play)
        self._created = asyncio.get_running_loop().create_future()
        if not len(recorder.log):
            recorder.begin()
        recorder.local("websocket.connect", shared.plan.target.url)
        ending: asyncio.Task[None] | None = None
        try:
            try:
                await connection.open()
            except ConnectionClosed:
                return self._ending_of(connection), True
            except Exception as error:
                failure = causes.from_exception(error, shared.plan.target)
                if failure.name == "unexpected":  # a trace of the others would only add what the server sent
                    logger.info("Connecting failed", exc_info=error)
                return failure, True
            ending = asyncio.create_task(connection.drain())
            cause = await self._wait_until_created(connection, ending)
            if cause is not None:
                return cause, True
            try:
                await self._begin(connection)
            except ConnectionClosed:
                return self._ending_of(connection), False
            return await self._go_on(connection, ending), False
        finally:
            self._leave(connection, ending)
            # Closing takes a moment, and a command that cancels this task may come in it: that must not cut it short.
            assert self._closing is not None
            await asyncio.shield(self._closing)

    async def _wait_until_created(self, connection: Connection, ending: asyncio.Task[None]) -> Cause | None:
        """Wait for session.created; return what is wrong with it, None when nothing is."""
        created, plan, recorder = self._created, self._shared.plan, self._shared.recorder
        assert created is not None
        waiting: set[asyncio.Future[Any]] = {created, ending}
        limit_s = plan.timeouts.created_s
        await asyncio.wait(waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        while plan.attended and not (created.done() or ending.done() or self._shared.expired_at is not None):
            text = f"No session.created for {limit_s:g} s"
            choices = ((Choice.RECONNECT, "now"), (Choice.WAIT, "wait"))
            due_s = time.monotonic() + limit_s
            self._waited.clear()
            recorder.set_status(offer=Offer("no-session-created", f"{text}, reconnects in", choices, due_s))
            if not await self._chose_to_wait(limit_s, *waiting):
                break
            recorder.set_status(offer=None)
            await asyncio.wait(waiting, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        recorder.set_status(offer=None)
        if created.done():
            return created.result()
        if ending.done() or self._shared.expired_at is not None:
            return self._ending_of(connection)
        return causes.no_session_created(limit_s)

    async def _begin(self, connection: Connection) -> None:
        """There is a session: give it the conversation so far, and what waits."""
        shared, recorder = self._shared, self._shared.recorder
        if self._sessions > 1:
            seam = Seam(self._sessions, self._lost_speech, self._owed, self._repeats)
            carried = await restore(shared, connection, seam)
            # A message that goes out now is answered together with what is before it, unless each has its own turn.
            alone = not shared.outbox or shared.plan.while_answering == "queue"
            if (self._owed or self._thinking) and carried.ends_with_question and alone:
                recorder.reducer.promised = True
                recorder.set_status(agent=AgentState.THINKING)
                await connection.ask()
        self._owed = self._thinking = self._lost_speech = False
        self._waited.clear()
        shared.connection = connection
        recorder.set_status(link=Link.CONNECTED, cause=None)
        shared.work.put_nowait(Transcribe())  # settings that were refused before this was a session
        shared.work.put_nowait(SendQueued())
        shared.voice.connected(connection)

    async def _go_on(self, connection: Connection, ending: asyncio.Task[None]) -> Cause:
        """Be there until the session ends, or has to be ended; return why."""
        recorder = self._shared.recorder
        since, asked = time.monotonic(), recorder.reducer.requests
        self._watch = Watch(self._shared, connection)
        watching = asyncio.create_task(self._watch.run())
        try:
            # Awaiting them would cancel them together with this task.
            await asyncio.wait({ending, watching}, return_when=asyncio.FIRST_COMPLETED)
            return self._ending_of(connection) if ending.done() else watching.result()
        finally:
            by_itself = ending.done() or watching.done()
            self._watch = None
            watching.cancel()
            await asyncio.wait({watching})
            requests, begun = self._before
            answered = recorder.reducer.begun > begun and recorder.reducer.requests > requests
            if answered or time.monotonic() - since >= _LASTING_S:
                self._back_off.reset()
                self._said = ""
            elif recorder.reducer.requests > asked or not by_itself:  # the person has said something, or wants another
                self._said = ""

    def _leave(self, connection: Connection, ending: asyncio.Task[None] | None) -> None:
        """The session is over, for whatever reason: keep what the next one needs, and begin to close."""
        shared, recorder = self._shared, self._shared.recorder
        shared.connection = None
        in_flight, thinking = shared.in_flight, recorder.status.agent is AgentState.THINKING
        self._lost_speech = shared.voice.disconnected() or self._lost_speech
        again = recorder.end_session(shared.playback.flush())
        shared.outbox.extendleft(reversed(again))
        # What goes out again asks for its answer itself.
        self._owed = self._owed or (in_flight and not again)
        self._thinking = self._thinking or (thinking and not again)
        recorder.set_status(queued=len(shared.outbox), agent=AgentState.IDLE, response_id="", offer=None)
        if ending is not None and not ending.done():
            recorder.local("websocket.close", "closed by azrt-tui")
        self._closing = asyncio.ensure_future(_close(connection, ending))

    def _ending_of(self, connection: Connection) -> Cause:
        return causes.from_ending(connection.ending, expired=self._shared.expired_at is not None)

    # After a session

    async def _goes_on_after(self, cause: Cause, *, failed: bool) -> bool:
        """Say why it ended; wait, and return whether to connect again."""
        shared, plan = self._shared, self._shared.plan
        link = Link.FAILED if failed else Link.CLOSED
        if cause.name == "closed-1009":
            self._drop_what_was_too_large()
        if cause.name == "session-filtered":  # the same words would end each further session too
            self._owed = self._thinking = False
        wait_s = None
        if plan.attended and (plan.reconnects or cause.name == "expiring"):  # the latter has a setting of its own
            wait_s = self._back_off.next_s(cause, plan.timeouts.back_off_s)
        if wait_s is None:
            self._say_ended(cause, link, failed=failed)
            return False
        self._say_ended(cause, Link.WAITING, failed=failed)
        if wait_s:
            due_s = time.monotonic() + wait_s
            choices = ((Choice.RECONNECT, "now"), (Choice.WAIT, "stop"))
            tried = f" (try {self._back_off.tries} of {MAX_TRIES})" if self._back_off.tries > 1 else ""
            shared.recorder.set_status(offer=Offer(cause.name, f"Connects again{tried} in", choices, due_s))
            if await self._chose_to_wait(wait_s):
                self._say_unanswered()
                shared.recorder.set_status(link=link, offer=None)
                return False
        return True

    async def _chose_to_wait(self, timeout_s: float, *others: asyncio.Future[Any]) -> bool:
        """Let time pass, until one of ``others`` is done; True when the person chose to leave it as it is before."""
        choosing = asyncio.create_task(self._waited.wait())
        try:
            await asyncio.wait({choosing, *others}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            return choosing.done()
        finally:
            choosing.cancel()

    def _say_ended(self, cause: Cause, link: Link, *, failed: bool) -> None:
        recorder = self._shared.recorder
        what = "websocket.failed" if failed else "websocket.closed"
        facts = {"cause": cause.name, **cause.facts, "retry": cause.retry.value}
        if cause.fix:
            facts["fix"] = cause.fix
        recorder.local(what, cause.sentence, facts, alarm=cause.name != "expiring")
        self._repeats = cause.name == self._said
        if not self._repeats:  # ten tries that fail in the same way are one line
            self._said = cause.name
            command = "" if link is Link.WAITING else Choice.RECONNECT
            note = f"{cause.fix} {_UNANSWERED}".strip() if self._owed and link is not Link.WAITING else cause.fix
            recorder.transcript.say(cause.sentence, recorder.now_s(), note, cause=cause.name, command=command)
        elif link is not Link.WAITING:
            self._say_unanswered()
        recorder.set_status(link=link, cause=cause)

    def _say_unanswered(self) -> None:
        """Nobody tries any more to get an answer."""
        if self._owed:
            recorder = self._shared.recorder
            recorder.transcript.say(_UNANSWERED, recorder.now_s(), command=Choice.RECONNECT)

    def _drop_what_was_too_large(self) -> None:
        """The message that was on its way would end each further session too."""
        shared = self._shared
        if shared.outbox:
            transcript = shared.recorder.transcript
            transcript.fail(shared.outbox.popleft(), "not sent: it is larger than the server takes")
            shared.recorder.set_status(queued=len(shared.outbox))


async def _close(connection: Connection, ending: asyncio.Task[None] | None) -> None:
    if ending is not None:
        ending.cancel()
        await asyncio.wait({ending})
    await connection.close()
