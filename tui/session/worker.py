"""The session's thread: takes commands, runs one session after another, and reports in batches.

A thread of its own, because a terminal that stops reading (a dropped SSH link, a paused tmux) blocks the screen's
event loop for as long, and the socket must not notice. The SDK is imported here, because that takes three seconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace

from tui.audio import NoPlayback, Playback
from tui.audio.microphone import Microphone
from tui.capture import EventLog
from tui.conversation import Link
from tui.session.actions import Actions
from tui.session.batch import Batch
from tui.session.causes import crash
from tui.session.commands import Close, Command, Reconnect, SendText, Wait
from tui.session.lifeline import Lifeline
from tui.session.loop import LoopThread
from tui.session.plan import SessionPlan
from tui.session.reactions import Reactions
from tui.session.recorder import Recorder
from tui.session.shared import Shared
from tui.session.speaking import Speaking
from tui.session.transcribing import Transcribing
from tui.session.voice import Voice

logger = logging.getLogger(__name__)


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
        self._deliver = deliver
        self._thread = LoopThread("azrt-session", self._run)
        self._loop = self._thread.loop
        playback = playback if playback is not None else NoPlayback()
        self._recorder = Recorder(self.log, playback, deliver, fps=fps, key=plan.credentials, ours=True)
        self._shared = Shared(
            plan,
            self._loop,
            self._recorder,
            playback,
            Speaking(self._loop, self._recorder, playback),
            Voice(self._loop, self._recorder, playback, microphone or Microphone(), echo=plan.echo),
            Transcribing(plan),
        )
        self._lifeline = Lifeline(self._shared)
        self._actions = Actions(self._shared)
        self._commands: asyncio.Queue[Command] = asyncio.Queue()

    def start(self) -> None:
        """Start the thread and connect."""
        self._thread.start()

    def submit(self, command: Command) -> None:
        """Hand over a command, from any thread. Ignored once the worker has ended."""
        self._thread.call(self._commands.put_nowait, command)

    def stop(self, timeout: float = 3.0) -> bool:
        """Close the connection and wait for the thread, for ``timeout`` seconds at most; True when it ended."""
        return self._thread.end(lambda: self.submit(Close()), timeout)

    # The thread

    async def _run(self) -> None:
        try:
            await self._main()
        except Exception:
            logger.exception("The session worker failed")
            status = replace(self._recorder.status, link=Link.FAILED, cause=crash())
            self._deliver(Batch(len(self.log), self.log.rows, (), (), None, status))

    async def _main(self) -> None:
        recorder, plan = self._recorder, self._shared.plan
        reactions = Reactions(self._shared, self._lifeline.created)
        recorder.on_event, recorder.transcript.judge = reactions.on_event, reactions.judge
        recorder.set_status(host=plan.target.host, model=plan.target.model, simulator=plan.simulator)
        for note in plan.target.notes:
            recorder.transcript.say(note, 0.0)
        session, worker = self._begin()
        try:
            while not isinstance(command := await self._commands.get(), Close):
                if isinstance(command, Reconnect):
                    await self._end(session, worker)
                    session, worker = self._begin()
                elif isinstance(command, SendText):
                    self._actions.take(command)
                elif isinstance(command, Wait):
                    self._lifeline.wait_on()
                else:
                    self._shared.work.put_nowait(command)
        finally:
            recorder.set_status(link=Link.CLOSING)
            recorder.flush()
            await self._end(session, worker)
            self._shared.speaking.stop()
            self._shared.voice.close()
            recorder.set_status(link=Link.CLOSED)
            recorder.stop()

    def _begin(self) -> tuple[asyncio.Task[None], asyncio.Task[None]]:
        # Commands have a task of their own: one that hangs, because the server does not read, can be given up.
        return asyncio.create_task(self._lifeline.run()), asyncio.create_task(self._actions.carry_out_all())

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self._lifeline.closed()
