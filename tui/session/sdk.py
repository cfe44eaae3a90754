"""The openai-agents realtime session on a recorded connection. Importing this module takes about three seconds.

The private methods that are overridden, ``_create_websocket_connection``, ``_get_session_config``, ``_handle_ws_event``
and ``_emit_event``, are named by a contract test.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from agents.realtime import RealtimeAgent, RealtimePlaybackTracker, RealtimeRunner, RealtimeSession
from agents.realtime.config import RealtimeSessionModelSettings
from agents.realtime.model import RealtimeModelConfig, RealtimePlaybackState
from agents.realtime.model_events import RealtimeModelEvent
from agents.realtime.model_inputs import (
    RealtimeModelRawClientMessage,
    RealtimeModelSendRawMessage,
    RealtimeModelSendSessionUpdate,
)
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel, TransportConfig
from agents.tracing import set_trace_provider
from agents.tracing.provider import DefaultTraceProvider
from openai.types.realtime import RealtimeSessionCreateRequest
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tui.audio import Playback, Position
from tui.conversation.carrying import CARRIED
from tui.session.causes import Ending
from tui.session.plan import SessionPlan, Timeouts
from tui.session.recorder import Recorder
from tui.session.transport import RecordedConnection, open_connection

logger = logging.getLogger(__name__)

# Every event that the SDK does not know carries a note of ours; with a server of its own mind, nothing else would be in
# the log file.
logging.getLogger("openai.agents").addFilter(
    lambda record: not record.getMessage().startswith("Failed to validate server event")
)

# Traces would go to api.openai.com, whatever the session's endpoint is. A provider of our own, because the SDK's comes
# with an HTTP client, even when it is disabled at once, and that fails on a proxy that it does not know (SOCKS).
_tracing = DefaultTraceProvider()
_tracing.set_disabled(True)
set_trace_provider(_tracing)


class HeardTracker(RealtimePlaybackTracker):
    """Answers the SDK's question how much was heard, from playback itself instead of from a sum of reports."""

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self._playback = playback
        self._frozen: Position | None = None

    def freeze(self, position: Position | None) -> None:
        """Playback was silenced here, before the SDK has read why: this is what it shall truncate."""
        self._frozen = position

    def on_interrupted(self) -> None:
        """The SDK has truncated."""
        super().on_interrupted()
        self._frozen = None

    def get_state(self) -> RealtimePlaybackState:
        """What is playing, and how many milliseconds of it were heard."""
        position = self._frozen or self._playback.position()
        if position is None:
            return {"current_item_id": None, "current_item_content_index": None, "elapsed_ms": None}
        return {
            "current_item_id": position.item_id,
            "current_item_content_index": position.content_index,
            "elapsed_ms": position.ms,
        }


class RecordingModel(OpenAIRealtimeWebSocketModel):
    """The SDK's transport on our connection; an event that the SDK cannot digest never ends the session."""

    def __init__(self, recorder: Recorder, timeouts: Timeouts, ca_file: Path | None = None) -> None:
        super().__init__()
        self._recorder = recorder
        self._timeouts = timeouts
        self._ca_file = ca_file
        self._handling = False
        self._not_understood = False
        """The SDK does not know the shape of the event that it is handling."""
        self.connection: RecordedConnection | None = None
        """The connection, kept after its end for the close code and the reason."""

    async def _create_websocket_connection(
        self, url: str, headers: dict[str, str], transport_config: TransportConfig | None = None
    ) -> RecordedConnection:
        self.connection = await open_connection(url, headers, self._recorder, self._timeouts, self._ca_file)
        return self.connection

    def _get_session_config(self, model_settings: RealtimeSessionModelSettings) -> RealtimeSessionCreateRequest:
        """Name no model where the settings name none: the SDK would name its own defaults, which nobody chose."""
        session = super()._get_session_config(model_settings)
        # What is not set is not sent.
        if not model_settings.get("model_name"):
            session.__pydantic_fields_set__.discard("model")
        heard = session.audio.input if session.audio is not None else None
        if heard is not None and "transcription" not in model_settings["audio"]["input"]:
            heard.__pydantic_fields_set__.discard("transcription")
        return session

    async def _handle_ws_event(self, event: dict[str, Any]) -> None:
        self._handling, self._not_understood = True, False
        try:
            await super()._handle_ws_event(event)
            if self._not_understood or event.get("type") == "error":
                digest = _digest(event)
                if digest is not None:
                    await super()._handle_ws_event(digest)
        except ConnectionClosed:
            raise
        except Exception as error:
            self._note_failure(error)
        finally:
            self._handling = False

    async def _emit_event(self, event: RealtimeModelEvent) -> None:
        if event.type == "error" and isinstance(event.error, ValidationError):
            # An event type or a shape that this SDK does not know: it happens with healthy servers. It is on
            # record, and the SDK's session has no use for the error.
            self._not_understood = True
            self._note(f"not known to the SDK: {_first_error(event.error)}")
            return
        if event.type == "exception" and self._handling and not isinstance(event.exception, ConnectionClosed):
            # The SDK's session would end itself.
            self._note_failure(event.exception)
            return
        await super()._emit_event(event)

    async def give_up(self, response_id: str | None) -> None:
        """See :meth:`Connection.give_up`."""
        done = {"type": "response.done", "response": {"id": response_id}}
        event = _digest({"type": "error", "error": {}} if response_id is None else done)
        assert event is not None
        await super()._handle_ws_event(event)

    def _note_failure(self, error: Exception) -> None:
        logger.warning("The SDK failed on an event: %s", type(error).__name__)
        self._note(f"the SDK failed on it ({type(error).__name__})")

    def _note(self, text: str) -> None:
        if self.connection is not None and self.connection.reading is not None:
            self._recorder.log.add_note(self.connection.reading, text)
            self._recorder.touch()


def _digest(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the SDK must know of an event, in a shape that it can read; None for most types.

    It holds a request for a response until the one before has ended. When it cannot read that end, or does not take an
    error for the refusal of its request, because the error names no event, it would hold every further one for ever.
    """
    event_type = event.get("type")
    if event_type in ("response.created", "response.done"):
        return {"type": event_type, "event_id": "", "response": {"id": _string(event.get("response"), "id")}}
    if event_type == "error":
        about = _string(event.get("error"), "event_id")
        error = {"type": "", "message": "", "event_id": about, "code": None if about else "bad_response_create"}
        return {"type": event_type, "event_id": "", "error": error}
    return None


def _string(value: object, key: str) -> str | None:
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, str) else None


def _first_error(error: ValidationError) -> str:
    """What pydantic minds, without the input, which may be anything."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    if not details:
        return "another shape"
    first = details[0]
    return f"{'.'.join(str(part) for part in first['loc'][-2:])} {first['msg'].lower()}".strip()[:120]


class Connection:
    """One session with the service, from handshake to close."""

    def __init__(self, plan: SessionPlan, recorder: Recorder, playback: Playback, *, can_play: bool = False) -> None:
        self._plan = plan
        self._can_play = can_play
        self._tracker = HeardTracker(playback)
        self._model = RecordingModel(recorder, plan.timeouts, plan.ca_file)
        self._session: RealtimeSession | None = None

    @property
    def silent_since(self) -> float | None:
        """Since when the server gives no sign, by ``time.monotonic()``; None while nothing is expected of it."""
        return None if self._model.connection is None else self._model.connection.silent_since

    @property
    def ending(self) -> Ending:
        """How the connection ended."""
        return self._model.connection.ending if self._model.connection is not None else Ending()

    async def answers(self, seconds: float) -> bool:
        """Whether the server answers a ping within so many seconds."""
        assert self._model.connection is not None
        try:
            async with asyncio.timeout(seconds):
                await (await self._model.connection.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def open(self) -> None:
        """Connect and send the session's settings. Raises whatever went wrong."""
        plan = self._plan
        agent: RealtimeAgent[None] = RealtimeAgent(name="azrt-tui", instructions=plan.instructions)
        config: RealtimeModelConfig = {
            "url": plan.target.url,
            "headers": await plan.credentials.headers(plan.target),
            "initial_model_settings": plan.model_settings(can_play=self._can_play),  # type: ignore[typeddict-item]
            "playback_tracker": self._tracker,
        }
        runner = RealtimeRunner(agent, model=self._model, config={"tracing_disabled": True})
        self._session = await runner.run(model_config=config)
        try:
            await self._session.enter()
        except InvalidStatus as refusal:
            if refusal.response.status_code == HTTPStatus.UNAUTHORIZED:
                plan.credentials.refused()
            raise
        if plan.overrides:
            await self.update(plan.overrides)

    async def configure(self, plan: SessionPlan) -> None:
        """Send the session's settings again: the server has refused them as a whole."""
        assert self._session is not None
        settings = plan.model_settings(can_play=self._can_play)
        await self._session.model.send_event(RealtimeModelSendSessionUpdate(session_settings=settings))  # type: ignore[arg-type]
        if plan.overrides:
            await self.update(plan.overrides)

    async def drain(self) -> None:
        """Read the SDK's session events, which hold nothing that the wire has not, until the connection ends."""
        assert self._session is not None
        try:
            async for _ in self._session:
                pass
        except ConnectionClosed:
            pass  # how it ended stands in the connection
        except Exception as error:
            logger.warning("The SDK's session ended: %s", type(error).__name__)

    async def send_text(self, text: str) -> None:
        """Send a user message and ask for a response, as soon as none is running."""
        assert self._session is not None
        await self._session.send_message(text)

    async def send_audio(self, pcm: bytes) -> None:
        """Append PCM16 mono 24 kHz to the input buffer."""
        assert self._session is not None
        await self._session.send_audio(pcm)

    async def end_turn(self) -> None:
        """Commit the input buffer and ask for a response, as soon as none is running."""
        await self._send("input_audio_buffer.commit")
        await self.ask()

    async def ask(self) -> None:
        """Ask for a response, as soon as none is running."""
        assert self._session is not None
        message: RealtimeModelRawClientMessage = {"type": "response.create"}
        await self._session.model.send_event(RealtimeModelSendRawMessage(message=message))

    async def give_up(self, response_id: str | None) -> None:
        """Let the SDK believe that this response ("" without an id) is done, or, with None, that none was granted.

        Otherwise it would hold every further request until the end that never comes.
        """
        await self._model.give_up(response_id)

    async def create(self, item: Mapping[str, Any]) -> None:
        """Put an item into the conversation; an error about it names ``CARRIED`` and its id as the event."""
        await self._send("conversation.item.create", event_id=f"{CARRIED}{item['id']}", item=item)

    async def clear_audio(self) -> None:
        """Forget what the input buffer holds."""
        await self._send("input_audio_buffer.clear")

    def silenced(self, position: Position | None) -> None:
        """Playback was silenced because the person speaks; the SDK truncates what was playing, when it reads of it."""
        self._tracker.freeze(position)

    async def cancel(self, response_id: str) -> None:
        """Cancel a response, or, with "", whichever is running; the SDK holds the next request until it has ended.

        Not through the SDK: it sends nothing for a response whose beginning it has not read yet.
        """
        named = {"response_id": response_id} if response_id else {}
        await self._send("response.cancel", **named)

    async def truncate(self, item_id: str, content_index: int, heard_ms: int) -> None:
        """Tell the server how much of an item was heard, so that the model does not believe it said more."""
        await self._send(
            "conversation.item.truncate", item_id=item_id, content_index=content_index, audio_end_ms=heard_ms
        )

    async def update(self, session: Mapping[str, Any]) -> None:
        """Send a session.update with these fields."""
        await self._send("session.update", session={"type": "realtime", **session})

    async def close(self) -> None:
        """Say goodbye and wait for the other side, for a second or so at most. Raises nothing."""
        if self._session is None:
            return
        try:
            await self._session.close()
        except Exception as error:
            logger.warning("Closing failed: %s", type(error).__name__)

    async def _send(self, event_type: str, **fields: Any) -> None:
        # The SDK's way for raw messages drops, with a line in its log, whatever its own types do not know.
        assert self._model.connection is not None
        await self._model.connection.send(json.dumps({"type": event_type, **fields}))
