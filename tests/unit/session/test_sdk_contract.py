"""Every internal of openai-agents and websockets that azrt-tui relies on. A failure here says what would break."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys

from agents.realtime import RealtimePlaybackTracker, RealtimeSession
from agents.realtime import openai_realtime as sdk
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.protocol import Protocol

from tests.unit.simulator.support import simulator
from tui.audio import Position, SilentPlayback
from tui.capture import EventLog
from tui.session.recorder import Recorder
from tui.session.sdk import Connection as SdkConnection
from tui.session.sdk import HeardTracker


def parameters(function: object) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def source(function: object) -> str:
    """The source of a function."""
    return inspect.getsource(function)  # type: ignore[arg-type]


def test_the_connection_is_opened_through_one_method() -> None:
    assert parameters(OpenAIRealtimeWebSocketModel._create_websocket_connection) == [
        "self",
        "url",
        "headers",
        "transport_config",
    ], "RecordingModel overrides it: no frame would be recorded, and redirects would carry the key away"
    assert "self._create_websocket_connection(" in source(OpenAIRealtimeWebSocketModel.connect), (
        "connect() no longer goes through the method that RecordingModel overrides"
    )


def test_headers_given_are_the_only_ones() -> None:
    assert 'headers.update(options["headers"])' in source(OpenAIRealtimeWebSocketModel.connect), (
        "Target.headers() may no longer replace the SDK's own Authorization header"
    )


def test_each_event_goes_through_a_method_that_can_be_guarded() -> None:
    assert parameters(OpenAIRealtimeWebSocketModel._handle_ws_event) == ["self", "event"], (
        "RecordingModel guards it: an event that the SDK cannot digest would end the session"
    )
    assert "self._handle_ws_event(" in source(OpenAIRealtimeWebSocketModel._listen_for_messages), (
        "the guard around each event is not called any more"
    )
    assert parameters(OpenAIRealtimeWebSocketModel._emit_event) == ["self", "event"], (
        "RecordingModel filters it: events that the SDK does not know would end or disturb the session"
    )
    handled = source(OpenAIRealtimeWebSocketModel._handle_ws_event)
    assert "RealtimeModelErrorEvent(error=e)" in handled, "validation errors have another form: notes would be missing"
    assert "RealtimeModelExceptionEvent(" in handled, "failures have another form: they might end the session"


def test_the_model_of_a_session_can_be_left_out() -> None:
    assert parameters(OpenAIRealtimeWebSocketModel._get_session_config) == ["self", "model_settings"], (
        "RecordingModel overrides it: a session whose URL names no model would be told the SDK's own"
    )
    assert "self._get_session_config(model_settings)" in source(OpenAIRealtimeWebSocketModel._update_session_config)
    assert "exclude_unset=True" in source(OpenAIRealtimeWebSocketModel._send_raw_message), (
        "what is not set is sent as null: a server may take that for a model"
    )


def test_the_listener_reads_with_recv() -> None:
    assert "async for message in self._websocket" in source(OpenAIRealtimeWebSocketModel._listen_for_messages)
    assert "await self.recv()" in source(Connection.__aiter__), (
        "RecordedConnection.recv() passes over what the SDK cannot read; iterating no longer goes through it"
    )
    assert "json.loads(message)" in source(OpenAIRealtimeWebSocketModel._listen_for_messages), (
        "RecordedConnection.recv() gives bytes, which only json.loads takes as gladly as str"
    )


def test_sending_goes_through_send() -> None:
    for method in (OpenAIRealtimeWebSocketModel._send_raw_message, OpenAIRealtimeWebSocketModel._send_raw_message_if):
        assert "await self._websocket.send(payload)" in source(method), "frames would go out unrecorded"
    senders = [line for line in source(sdk).splitlines() if "_websocket.send(" in line]
    assert len(senders) == 2, f"the SDK sends in a new way: {senders}"


def test_websockets_hands_each_frame_to_process_event() -> None:
    assert parameters(ClientConnection.process_event) == ["self", "event"], "frames would arrive unrecorded"
    assert "self.process_event(event)" in source(Connection.data_received), "frames would arrive unrecorded"
    assert "create_connection" in parameters(connect.__init__), "RecordedConnection would not be used"
    assert parameters(connect.process_redirect) == ["self", "exc"], "the key would follow redirects to other servers"
    for name in ("close_rcvd", "close_sent", "close_rcvd_then_sent", "state"):
        assert f"self.{name}" in source(Protocol), f"Protocol.{name} is gone: why a connection ended is unknown"
    assert inspect.iscoroutinefunction(Connection.close), "RecordedConnection.close() bounds it"


def test_the_session_is_driven_with_public_methods() -> None:
    for name in ("enter", "close", "send_message", "send_audio", "__aiter__"):
        assert callable(getattr(RealtimeSession, name)), f"RealtimeSession.{name} is gone"
    assert "playback_tracker" in source(OpenAIRealtimeWebSocketModel.connect), "the SDK would guess what was heard"
    assert isinstance(RealtimeSession.model, property), "RealtimeSession.model is gone: no response after a commit"
    for name in ("get_state", "on_interrupted"):
        assert parameters(getattr(RealtimePlaybackTracker, name)) == ["self"], f"HeardTracker overrides {name}"


def test_the_tracker_answers_from_playback() -> None:
    now = [0.0]
    playback = SilentPlayback(lambda: now[0])
    tracker = HeardTracker(playback)
    assert tracker.get_state()["current_item_id"] is None
    playback.feed("item", 2, bytes(48_000))
    now[0] = 0.25
    assert tracker.get_state() == {"current_item_id": "item", "current_item_content_index": 2, "elapsed_ms": 250.0}
    tracker.on_interrupted()
    assert tracker.get_state()["current_item_id"] == "item", "only playback itself falls silent"


def test_the_tracker_keeps_what_was_playing_until_the_sdk_has_truncated_it() -> None:
    tracker = HeardTracker(SilentPlayback())
    tracker.freeze(Position("item", 1, 700.0))
    frozen = {"current_item_id": "item", "current_item_content_index": 1, "elapsed_ms": 700.0}
    assert tracker.get_state() == tracker.get_state() == frozen
    tracker.on_interrupted()
    assert tracker.get_state()["current_item_id"] is None


async def test_a_model_can_be_used_without_a_runner_of_its_own() -> None:
    from tests.support.sessions import plan

    async with simulator() as sim:
        recorder = Recorder(EventLog(), SilentPlayback(), lambda _: None, fps=30)
        connection = SdkConnection(plan(sim.url()), recorder, SilentPlayback())
        await connection.close()  # before it was opened: nothing to do
        await connection.open()
        assert connection.ending.open
        await connection.close()
        assert connection.ending.sent == 1000
        recorder.stop()


def test_traces_do_not_leave_the_machine() -> None:
    code = (
        "import tui.session.sdk\nfrom agents.tracing import get_trace_provider\nprint(get_trace_provider()._disabled)"
    )
    environ = {**os.environ, "OPENAI_AGENTS_DISABLE_TRACING": ""}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert found.stdout.strip() == "True", "traces would go to api.openai.com, whatever the endpoint is"
