"""Carries out commands, in order: messages, interruptions, the microphone, changes of the session."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from tui.conversation import AgentState, Choice
from tui.session.batch import Severity
from tui.session.commands import (
    MAX_TEXT_BYTES,
    Cancel,
    DetectTurns,
    DevicesChanged,
    Interrupt,
    Retry,
    Say,
    SendQueued,
    SendText,
    ToggleMicrophone,
    Transcribe,
    Truncate,
    TurnsByHand,
    UpdateSession,
    Work,
)
from tui.session.plan import turn_detection
from tui.session.shared import Shared
from tui.session.transcribing import Change

if TYPE_CHECKING:
    from tui.session.sdk import Connection

logger = logging.getLogger(__name__)


class Actions:
    """Runs in the session thread; one for all the sessions of a worker."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._cancelled = ""
        """The response that was cancelled last."""

    def take(self, command: SendText) -> None:
        """Show a message, and send it as soon as that can be. Not in the queue: it may stand behind what hangs."""
        shared = self._shared
        # What is no Unicode (bytes of another encoding on a command line) cannot be sent as JSON either.
        text = command.text.encode(errors="replace").decode()
        key = shared.recorder.transcript.queue(text, shared.recorder.now_s())
        if len(text.encode()) > MAX_TEXT_BYTES:
            shared.recorder.transcript.fail(key, f"not sent: it is larger than {MAX_TEXT_BYTES >> 20} MiB")
            shared.recorder.touch()
            return
        shared.outbox.append(key)
        shared.recorder.set_status(queued=len(shared.outbox))
        shared.work.put_nowait(SendQueued(new=True))

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
        if isinstance(command, SendQueued):
            if command.new and shared.answering and shared.plan.while_answering == "interrupt":
                await self._interrupt()
            await self._send_queued()
        elif isinstance(command, Interrupt):
            if shared.answering:
                await self._interrupt()
            else:
                shared.recorder.notify("Nothing to interrupt: the agent is silent.")
        elif isinstance(command, Retry):
            await self._ask_again()
        elif isinstance(command, Cancel):
            if connection is not None:
                await self._cancel(connection, command.response_id)
        elif isinstance(command, Truncate):
            if connection is not None:
                for item_id in command.item_ids:
                    await connection.truncate(item_id, 0, 0)
        elif isinstance(command, ToggleMicrophone):
            await self._toggle_microphone()
        elif isinstance(command, TurnsByHand):
            if connection is not None:
                await shared.voice.turns_by_hand(connection)
        elif isinstance(command, Transcribe):
            if connection is not None:
                await self._transcribe(connection)
        elif isinstance(command, DetectTurns):
            shared.asked_detection = True
            await self._update({"audio": {"input": {"turn_detection": turn_detection(command.kind)}}})
            if connection is None:
                shared.recorder.notify("Not connected: the next session will have it.")
        elif isinstance(command, Say):
            shared.recorder.transcript.say(
                command.text, shared.recorder.now_s(), command.note, cause=command.cause, command=command.command
            )
            shared.recorder.touch()
        elif isinstance(command, DevicesChanged):
            await self._devices_changed()
        elif isinstance(command, UpdateSession):
            if "audio" in command.session.get("output_modalities", ()):
                shared.recorder.set_status(unheard=not await shared.speaking.open())
            await self._update(command.session)

    async def _update(self, session: Mapping[str, Any]) -> None:
        """Ask for these fields of the session, now and after each reconnect."""
        shared = self._shared
        shared.plan = shared.plan.updated(session)
        if shared.connection is not None:
            await shared.connection.update(session)

    async def _transcribe(self, connection: Connection) -> None:
        """Ask for the transcription model that is to be tried now."""
        shared = self._shared
        change = shared.transcribing.take_due()
        if change is Change.SETTINGS:
            await connection.configure(shared.plan)
        elif change is Change.TRANSCRIPTION:
            await connection.update({"audio": {"input": {"transcription": {"model": shared.transcribing.model}}}})

    async def _devices_changed(self) -> None:
        """Say what can be used now; answers become audio, where that was left to what the machine can play."""
        shared, status = self._shared, self._shared.recorder.status
        shared.voice.devices_changed()
        by_itself = shared.plan.modality == "auto" and "output_modalities" not in shared.plan.overrides
        if status.modality == "text" and not by_itself:
            return
        heard = await shared.speaking.open()
        shared.recorder.set_status(unheard=not heard and status.modality == "audio")
        if heard and status.modality == "text" and shared.connection is not None:
            await shared.connection.update({"output_modalities": ["audio"]})

    async def _send_queued(self) -> None:
        """Send what waits, unless an answer is running and the setting is to wait for its end."""
        shared = self._shared
        recorder = shared.recorder
        while shared.outbox and shared.connection is not None:
            if shared.plan.while_answering == "queue" and shared.awaiting_response:
                return
            # Until the server confirms it, it goes back into the outbox when the connection ends.
            key = shared.outbox.popleft()
            text = recorder.transcript.mark_sent(key)
            recorder.set_status(queued=len(shared.outbox), agent=AgentState.THINKING)
            # A response that is still to be requested will answer this message too.
            shared.to_cancel = min(shared.to_cancel, int(recorder.reducer.asked))
            recorder.reducer.promised = True
            await shared.connection.send_text(text)

    async def _toggle_microphone(self) -> None:
        shared, connection, voice = self._shared, self._shared.connection, self._shared.voice
        if connection is None and voice.listening:
            voice.close()
        elif connection is None:
            shared.recorder.notify("Not connected: nobody would hear you.", Severity.WARNING, Choice.RECONNECT)
        elif not voice.listening:
            if shared.turns_by_hand and shared.answering:
                await self._interrupt()  # the server would not notice that somebody speaks
            await voice.listen()
        elif shared.turns_by_hand:
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

    async def _ask_again(self) -> None:
        """Give up the answer that does not come, or does not end, and ask for another."""
        shared, recorder = self._shared, self._shared.recorder
        connection, offer = shared.connection, recorder.status.offer
        if connection is None or offer is None or Choice.RETRY not in dict(offer.choices):
            recorder.notify("There is nothing to ask for again.")
            return
        recorder.set_status(offer=None)
        response_id = recorder.status.response_id
        requested = recorder.reducer.promised
        running = bool(response_id) or recorder.reducer.unnamed
        if running:
            recorder.interrupted(response_id, shared.playback.flush())
            await self._cancel(connection, response_id)
        recorder.reducer.give_up()
        recorder.set_status(agent=AgentState.THINKING)
        await connection.give_up(response_id if running else None)
        if not requested:  # else the SDK sends the request that it has held
            recorder.reducer.promised = True
            await connection.ask()

    async def _cancel(self, connection: Connection, response_id: str) -> None:
        if response_id:
            news, self._cancelled = response_id != self._cancelled, response_id
        else:
            news = self._shared.recorder.reducer.unnamed
        if news:
            await connection.cancel(response_id)
