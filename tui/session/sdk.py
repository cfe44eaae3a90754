"""The openai-agents realtime session on a recorded connection. Importing this module takes about three seconds.

The one private method that is overridden, ``_create_websocket_connection``, and ``_handle_ws_event``, which is
guarded, are named by a contract test.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from agents import set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimePlaybackTracker, RealtimeRunner, RealtimeSession
from agents.realtime.model import RealtimeModelConfig, RealtimePlaybackState
from agents.realtime.model_events import RealtimeModelEvent
from agents.realtime.model_inputs import RealtimeModelSendInterrupt, RealtimeModelSendRawMessage
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel, TransportConfig
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed

from tui.audio import Playback
from tui.session.plan import SessionPlan
from tui.session.recorder import Recorder
from tui.session.transport import RecordedConnection, open_connection

logger = logging.getLogger(__name__)

# Traces would go to api.openai.com, whatever the session's endpoint is.
set_tracing_disabled(True)


class HeardTracker(RealtimePlaybackTracker):
    """Answers the SDK's question how much was heard, from playback itself instead of from a sum of reports."""

    def __init__(self, playback: Playback) -> None:
        super().__init__()
        self._playback = playback
        self._frozen: RealtimePlaybackState | None = None

    def freeze(self) -> None:
        """Hold the position of now, for an interruption that silences playback before the wire is told."""
        self._frozen = self._now()

    def get_state(self) -> RealtimePlaybackState:
        """What is playing, and how many milliseconds of it were heard."""
        return self._frozen or self._now()

    def on_interrupted(self) -> None:
        """The interruption is dealt with."""
        self._frozen = None

    def _now(self) -> RealtimePlaybackState:
        position = self._playback.position()
        if position is None:
            return {"current_item_id": None, "current_item_content_index": None, "elapsed_ms": None}
        return {
            "current_item_id": position.item_id,
            "current_item_content_index": position.content_index,
            "elapsed_ms": position.ms,
        }


class RecordingModel(OpenAIRealtimeWebSocketModel):
    """The SDK's transport on our connection; an event that the SDK cannot digest never ends the session."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self._recorder = recorder
        self.connection: RecordedConnection | None = None
        """The connection, kept after its end for the close code and the reason."""

    async def _create_websocket_connection(
        self, url: str, headers: dict[str, str], transport_config: TransportConfig | None = None
    ) -> RecordedConnection:
        self.connection = await open_connection(url, headers, self._recorder)
        return self.connection

    async def _handle_ws_event(self, event: dict[str, Any]) -> None:
        try:
            await super()._handle_ws_event(event)
        except ConnectionClosed:
            raise
        except Exception as error:
            logger.warning("The SDK failed on an event: %s", type(error).__name__)
            self._note(f"the SDK failed on it ({type(error).__name__})")

    async def _emit_event(self, event: RealtimeModelEvent) -> None:
        if event.type == "error" and isinstance(event.error, ValidationError):
            # An event type or a shape that this SDK does not know: it happens with healthy servers. It is on
            # record, and the SDK's session has no use for the error.
            self._note(f"not known to the SDK: {_first_error(event.error)}")
            return
        await super()._emit_event(event)

    def _note(self, text: str) -> None:
        if self.connection is not None and self.connection.reading is not None:
            self._recorder.log.add_note(self.connection.reading, text)
            self._recorder.touch()


def _first_error(error: ValidationError) -> str:
    """What pydantic minds, without the input, which may be anything."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    if not details:
        return "another shape"
    first = details[0]
    return f"{'.'.join(str(part) for part in first['loc'][-2:])} {first['msg'].lower()}".strip()[:120]


class Connection:
    """One session with the service, from handshake to close."""

    def __init__(self, plan: SessionPlan, recorder: Recorder, playback: Playback) -> None:
        self._plan = plan
        self._recorder = recorder
        self._playback = playback
        self._tracker = HeardTracker(playback)
        self._model = RecordingModel(recorder)
        self._session: RealtimeSession | None = None

    @property
    def websocket(self) -> RecordedConnection | None:
        """The connection, or None before the handshake succeeded."""
        return self._model.connection

    async def open(self) -> None:
        """Connect and send the session's settings. Raises whatever went wrong."""
        plan = self._plan
        agent: RealtimeAgent[None] = RealtimeAgent(name="azrt-tui", instructions=plan.instructions)
        config: RealtimeModelConfig = {
            "url": plan.target.url,
            "headers": plan.target.headers(plan.key.reveal()),
            "initial_model_settings": plan.model_settings(),  # type: ignore[typeddict-item]
            "playback_tracker": self._tracker,
        }
        runner = RealtimeRunner(agent, model=self._model, config={"tracing_disabled": True})
        self._session = await runner.run(model_config=config)
        await self._session.enter()
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

    async def interrupt(self, response_id: str) -> None:
        """Cancel a response and truncate what of it was not heard.

        With a response id the SDK also drops the late audio of that response; without one (the response is done, but
        still plays) only the form without a scope makes it truncate.
        """
        try:
            await self._model.send_event(
                RealtimeModelSendInterrupt(force_response_cancel=True, response_id=response_id or None)
            )
        finally:
            self._tracker.on_interrupted()

    def freeze_position(self) -> None:
        """Hold what was heard until :meth:`interrupt` has told the server."""
        self._tracker.freeze()

    async def truncate(self, item_id: str) -> None:
        """Tell the server that nothing of a queued item was heard."""
        await self._send_raw("conversation.item.truncate", {"item_id": item_id, "content_index": 0, "audio_end_ms": 0})

    async def update(self, session: Mapping[str, Any]) -> None:
        """Send a session.update with these fields."""
        await self._send_raw("session.update", {"session": {"type": "realtime", **session}})

    async def close(self) -> None:
        """Say goodbye and wait for the other side, for a second at most."""
        if self._session is not None:
            await self._session.close()

    async def _send_raw(self, event_type: str, rest: dict[str, Any]) -> None:
        await self._model.send_event(RealtimeModelSendRawMessage(message={"type": event_type, "other_data": rest}))
