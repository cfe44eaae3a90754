"""Carries out commands, in order: messages, interruptions, the microphone, changes of the session."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from tui.conversation import AgentState
from tui.session.batch import Severity
from tui.session.commands import (
    Cancel,
    Interrupt,
    SendQueued,
    SendText,
    ToggleMicrophone,
    Truncate,
    UpdateSession,
    Work,
)
from tui.session.shared import Shared

if TYPE_CHECKING:
    from tui.session.sdk import Connection

logger = logging.getLogger(__name__)


class Actions:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._outbox: deque[tuple[str, str]] = deque()  # (key in the transcript, text)
        self._cancelled = ""
        """The response that was cancelled last."""

    async def carry_out_all(self) -> None:
        """Take commands from the queue until cancelled. One that fails is said, and the next one is taken."""
        while True:
            command = await self._shared.work.get()
            try:
                await self._carry_out(command)
            except ConnectionClosed:
                pass  # it broke under the command; what it was is said where the connection ends
            except Exception as error:
                logger.exception("%s failed", type(command).__name__)
                self._shared.recorder.notify(
                    f"{type(command).__name__} failed ({type(error).__name__}). The log file has the details.",
                    Severity.ERROR,
                )

    async def _carry_out(self, command: Work) -> None:
        shared, connection = self._shared, self._shared.connection
        if isinstance(command, SendText):
            # What is no Unicode (bytes of another encoding on a command line) cannot be sent as JSON either.
            text = command.text.encode(errors="replace").decode()
            self._outbox.append((shared.recorder.transcript.queue(text, shared.recorder.now_s()), text))
            shared.recorder.set_status(queued=len(self._outbox))
            if shared.answering and shared.plan.while_answering == "interrupt":
                await self._interrupt()
            await self._send_queued()
        elif isinstance(command, SendQueued):
            await self._send_queued()
        elif isinstance(command, Interrupt):
            if shared.answering:
                await self._interrupt()
            else:
                shared.recorder.notify("Nothing to interrupt: the agent is silent.")
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
            shared.plan = replace(shared.plan, overrides={**shared.plan.overrides, **command.session})
            if "audio" in command.session.get("output_modalities", ()):
                await shared.speaking.open()
            if connection is not None:
                await connection.update(command.session)

    async def _send_queued(self) -> None:
        """Send what waits, unless an answer is running and the setting is to wait for its end."""
        shared = self._shared
        recorder = shared.recorder
        while self._outbox and shared.connection is not None:
            if shared.plan.while_answering == "queue" and shared.awaiting_response:
                return
            key, text = self._outbox.popleft()
            recorder.transcript.mark_sent(key)
            recorder.set_status(queued=len(self._outbox), agent=AgentState.THINKING)
            # A response that is still to be requested will answer this message too.
            shared.to_cancel = min(shared.to_cancel, int(recorder.reducer.asked))
            recorder.reducer.promised = True
            try:
                await shared.connection.send_text(text)
            except BaseException:
                recorder.transcript.fail(key, "not sent: the connection ended")
                raise

    async def _toggle_microphone(self) -> None:
        shared, connection, voice = self._shared, self._shared.connection, self._shared.voice
        if connection is None:
            shared.recorder.notify("Not connected: nobody would hear you. ctrl+r reconnects.", Severity.WARNING)
        elif not voice.listening:
            if shared.plan.turn_detection == "none" and shared.answering:
                await self._interrupt()  # the server would not notice that somebody speaks
            await voice.listen()
        elif shared.plan.turn_detection == "none":
            await voice.end_turn(connection)
        else:
            await voice.stop()

    async def _interrupt(self) -> None:
        """Silence first, then tell the wire: truncate what was not heard, cancel what runs."""
        shared, recorder = self._shared, self._shared.recorder
        connection = shared.connection
        assert connection is not None
        response_id = recorder.status.response_id
        position = shared.playback.position()
        heard = shared.playback.flush()
        shared.to_cancel = recorder.reducer.promised + recorder.reducer.asked
        recorder.interrupted(response_id, heard)
        for item_id, ms in heard.items():
            playing = position is not None and position.item_id == item_id
            await connection.truncate(item_id, position.content_index if position and playing else 0, ms)
        await self._cancel(connection, response_id)

    async def _cancel(self, connection: Connection, response_id: str) -> None:
        if response_id not in ("", self._cancelled):
            self._cancelled = response_id
            await connection.cancel(response_id)
