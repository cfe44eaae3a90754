"""The session's thread: connects, carries out commands in order, and reports in batches.

A thread of its own, because a terminal that stops reading (a dropped SSH link, a paused tmux) blocks the screen's
event loop for as long, and the socket must not notice. The SDK is imported here, because that takes three seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from tui import wire
from tui.audio import Playback, SilentPlayback
from tui.audio.microphone import Microphone
from tui.capture import EventLog
from tui.conversation import AgentState, Cause, Link
from tui.session import causes
from tui.session.batch import Batch, Severity
from tui.session.commands import (
    Cancel,
    Close,
    Command,
    Interrupt,
    Reconnect,
    SendQueued,
    SendText,
    ToggleMicrophone,
    Truncate,
    UpdateSession,
    Work,
)
from tui.session.loop import SessionLoop
from tui.session.plan import SessionPlan
from tui.session.recorder import Recorder
from tui.session.speaking import Speaking
from tui.session.voice import Voice

if TYPE_CHECKING:
    from tui.session.sdk import Connection

logger = logging.getLogger(__name__)

_CRASH = Cause("crash", "The session worker failed: a fault of azrt-tui.", "The log file has the details.")


class SessionWorker:
    """Runs one session after another for a plan.

    ``deliver`` is called in the worker's thread; it must be quick and may not raise.
    """

    def __init__(
        self,
        plan: SessionPlan,
        deliver: Callable[[Batch], None],
        *,
        fps: float = 30,
        playback: Playback | None = None,
        microphone: Microphone | None = None,
        log: EventLog | None = None,
    ) -> None:
        self.log = log if log is not None else EventLog(time.monotonic_ns())
        self._plan = plan
        self._deliver = deliver
        self._playback = playback if playback is not None else SilentPlayback()
        self._loop = SessionLoop()
        self._thread = threading.Thread(target=self._run, name="azrt-session", daemon=True)
        self._recorder = Recorder(self.log, self._playback, deliver, fps=fps, key=plan.key)
        self._speaking = Speaking(self._loop, self._recorder, self._playback)
        self._voice = Voice(
            self._loop, self._recorder, self._playback, microphone or Microphone(), half_duplex=plan.half_duplex
        )
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._work: asyncio.Queue[Work] = asyncio.Queue()
        self._connection: Connection | None = None
        self._created: asyncio.Future[Cause | None] | None = None
        self._closing: asyncio.Future[None] | None = None
        self._outbox: deque[tuple[str, str]] = deque()  # (key in the transcript, text)
        self._sessions = 0
        self._to_cancel = 0
        """Responses that were interrupted before they began."""
        self._cancelled = ""
        """The response that was cancelled last."""

    def start(self) -> None:
        """Start the thread and connect."""
        self._thread.start()

    def submit(self, command: Command) -> None:
        """Hand over a command, from any thread. Ignored once the worker has ended."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._commands.put_nowait, command)

    def stop(self, timeout: float = 3.0) -> bool:
        """Close the connection and wait for the thread, for ``timeout`` seconds at most; True when it ended."""
        if self._thread.ident is None:
            self._loop.close()
            return True
        self.submit(Close())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._main())
            except Exception:
                logger.exception("The session worker failed")
                status = replace(self._recorder.status, link=Link.FAILED, cause=_CRASH)
                self._deliver(Batch(len(self.log), self.log.rows, (), (), None, status))

    async def _main(self) -> None:
        recorder = self._recorder
        recorder.on_event = self._on_event
        target = self._plan.target
        recorder.set_status(host=target.host, model=target.model, simulator=self._plan.simulator)
        # Commands have a task of their own: one that hangs, because the server does not read, can be given up.
        session, worker = asyncio.create_task(self._session()), asyncio.create_task(self._carry_out_all())
        try:
            while not isinstance(command := await self._commands.get(), Close):
                if isinstance(command, Reconnect):
                    await self._end(session, worker)
                    session, worker = asyncio.create_task(self._session()), asyncio.create_task(self._carry_out_all())
                else:
                    self._work.put_nowait(command)
        finally:
            recorder.set_status(link=Link.CLOSING)
            recorder.flush()
            await self._end(session, worker)
            self._speaking.stop()
            recorder.set_status(link=Link.CLOSED)
            recorder.stop()

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        if self._closing is not None:
            await asyncio.wait({self._closing})

    # One session

    async def _session(self) -> None:
        """One session, from the handshake to its end."""
        self._recorder.new_connection()
        self._recorder.set_status(link=Link.CONNECTING)
        self._recorder.flush()
        try:
            # While the SDK is imported.
            opening = None if self._plan.modality == "text" else self._speaking.open()
            from tui.session.sdk import Connection

            can_play = opening is not None and await opening
            connection = Connection(self._plan, self._recorder, self._playback, can_play=can_play)
            await self._connect(connection)
        except Exception:
            logger.exception("The session failed")
            self._ended(_CRASH, failed=True)

    async def _connect(self, connection: Connection) -> None:
        recorder, plan = self._recorder, self._plan
        self._created = asyncio.get_running_loop().create_future()
        self._to_cancel = 0
        ending: asyncio.Task[None] | None = None
        if not len(self.log):
            self.log.origin_ns = time.monotonic_ns()  # times are since connect; importing the SDK took seconds
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
            self._connection = connection
            self._sessions += 1
            if self._sessions > 1:
                recorder.transcript.say(
                    "New session. The agent does not remember what was said above.", recorder.now_s()
                )
            recorder.set_status(link=Link.CONNECTED)
            self._work.put_nowait(SendQueued())
            self._voice.connected(connection)
            await asyncio.wait({ending})  # awaiting it would cancel it together with this task
            self._ended(causes.from_ending(connection.ending), failed=False)
        finally:
            self._connection = None
            self._voice.disconnected()
            self._playback.flush()
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
        timeout_s = self._plan.timeouts.created_s
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if created.done():
            return created.result()
        if ending.done():
            return causes.from_ending(connection.ending)
        return causes.no_session_created(timeout_s)

    def _ended(self, cause: Cause, *, failed: bool) -> None:
        recorder = self._recorder
        cause = cause.mapped(self._plan.key.masked)
        recorder.local("websocket.failed" if failed else "websocket.closed", cause.sentence, cause.facts, alarm=True)
        recorder.transcript.end_session()
        recorder.transcript.say(cause.sentence, recorder.now_s(), cause.fix)
        recorder.set_status(
            link=Link.FAILED if failed else Link.CLOSED, cause=cause, agent=AgentState.IDLE, response_id=""
        )

    # Events

    def _on_event(self, event: Mapping[str, Any]) -> None:
        event_type = event.get("type")
        if event_type in ("session.created", "session.updated"):  # some servers only ever send the second
            if self._created is not None and not self._created.done():
                self._created.set_result(self._judge(event.get("session")))
        elif event_type == "response.created":
            if self._to_cancel:
                self._to_cancel -= 1
                response_id = self._recorder.status.response_id
                self._recorder.interrupted(response_id, {})
                self._work.put_nowait(Cancel(response_id))
        elif event_type == "response.done":
            self._speaking.keep_speaking()
            if self._outbox:
                self._work.put_nowait(SendQueued())
        elif event_type == "input_audio_buffer.speech_started":
            self._voice.speech(True)
            if self._connection is not None and self._answering:
                waiting = self._speaking.barge_in(self._connection)
                self._work.put_nowait(Truncate(tuple(waiting)))
        elif event_type in ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"):
            self._voice.speech(False)
        elif event_type == "error":
            error = event.get("error")
            self._report(error if isinstance(error, Mapping) else {})

    def _judge(self, session: object) -> Cause | None:
        """Tell a Beta session, which the SDK cannot use, from a GA one that only lacks its type."""
        if not isinstance(session, Mapping) or session.get("type") is not None:
            return None
        beta = "modalities" in session or "input_audio_format" in session or "api-version=" in self._plan.target.url
        return causes.beta_session(self._plan.target) if beta else None

    def _report(self, error: Mapping[str, Any]) -> None:
        code, message = wire.text(error.get("code") or error.get("type")), wire.text(error.get("message"))
        if code == "response_cancel_not_active":
            return  # the answer ended while the interruption was on its way
        said = " · ".join(part for part in (code, message) if part) or "no reason given"
        self._recorder.transcript.say(f"The server reports an error: {said}", self._recorder.now_s())

    # Commands

    async def _carry_out_all(self) -> None:
        while True:
            command = await self._work.get()
            try:
                await self._carry_out(command)
            except ConnectionClosed:
                pass  # it broke under the command; what it was is said where the connection ends
            except Exception as error:
                logger.exception("%s failed", type(command).__name__)
                self._recorder.notify(
                    f"{type(command).__name__} failed ({type(error).__name__}). The log file has the details.",
                    Severity.ERROR,
                )

    async def _carry_out(self, command: Work) -> None:
        connection = self._connection
        if isinstance(command, SendText):
            # What is no Unicode (bytes of another encoding on a command line) cannot be sent as JSON either.
            text = command.text.encode(errors="replace").decode()
            self._outbox.append((self._recorder.transcript.queue(text, self._recorder.now_s()), text))
            self._recorder.set_status(queued=len(self._outbox))
            if self._answering and self._plan.while_answering == "interrupt":
                await self._interrupt()
            await self._send_queued()
        elif isinstance(command, SendQueued):
            await self._send_queued()
        elif isinstance(command, Interrupt):
            if self._answering:
                await self._interrupt()
            else:
                self._recorder.notify("Nothing to interrupt: the agent is silent.")
        elif isinstance(command, Cancel):
            if connection is not None:
                await self._cancel(connection, command.response_id)
        elif isinstance(command, Truncate):
            if connection is not None:
                for item_id in command.item_ids:
                    await connection.truncate(item_id, 0, 0)
        elif isinstance(command, ToggleMicrophone):
            await self._toggle_microphone()
        elif isinstance(command, UpdateSession):
            self._plan = replace(self._plan, overrides={**self._plan.overrides, **command.session})
            if "audio" in command.session.get("output_modalities", ()):
                await self._speaking.open()
            if connection is not None:
                await connection.update(command.session)

    @property
    def _answering(self) -> bool:
        status = self._recorder.status
        return self._connection is not None and (
            bool(status.response_id) or status.agent is not AgentState.IDLE or self._playback.remaining_s() > 0
        )

    @property
    def _awaiting_response(self) -> bool:
        status = self._recorder.status
        return bool(status.response_id) or status.agent is AgentState.THINKING

    async def _send_queued(self) -> None:
        """Send what waits, unless an answer is running and the setting is to wait for its end."""
        while self._outbox and self._connection is not None:
            if self._plan.while_answering == "queue" and self._awaiting_response:
                return
            key, text = self._outbox.popleft()
            self._recorder.transcript.mark_sent(key)
            self._recorder.set_status(queued=len(self._outbox), agent=AgentState.THINKING)
            reducer = self._recorder.reducer
            # A response that is still to be requested will answer this message too.
            self._to_cancel = min(self._to_cancel, int(reducer.asked))
            reducer.promised = True
            try:
                await self._connection.send_text(text)
            except BaseException:
                self._recorder.transcript.fail(key, "not sent: the connection ended")
                raise

    async def _toggle_microphone(self) -> None:
        connection, voice = self._connection, self._voice
        if connection is None:
            self._recorder.notify("Not connected: nobody would hear you. ctrl+r reconnects.", Severity.WARNING)
        elif not voice.listening:
            if self._plan.turn_detection == "none" and self._answering:
                await self._interrupt()  # the server would not notice that somebody speaks
            await voice.listen()
        elif self._plan.turn_detection == "none":
            await voice.end_turn(connection)
        else:
            await voice.stop()

    async def _interrupt(self) -> None:
        """Silence first, then tell the wire: truncate what was not heard, cancel what runs."""
        connection, recorder = self._connection, self._recorder
        assert connection is not None
        response_id = recorder.status.response_id
        position = self._playback.position()
        heard = self._playback.flush()
        self._to_cancel = recorder.reducer.promised + recorder.reducer.asked
        recorder.interrupted(response_id, heard)
        for item_id, ms in heard.items():
            playing = position is not None and position.item_id == item_id
            await connection.truncate(item_id, position.content_index if position and playing else 0, ms)
        await self._cancel(connection, response_id)

    async def _cancel(self, connection: Connection, response_id: str) -> None:
        if response_id not in ("", self._cancelled):
            self._cancelled = response_id
            await connection.cancel(response_id)


async def _close(connection: Connection, ending: asyncio.Task[None] | None) -> None:
    if ending is not None:
        ending.cancel()
        await asyncio.wait({ending})
    await connection.close()
