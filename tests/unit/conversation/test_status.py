"""The status from scripted events."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.unit.test_wire import hostile_events
from tui.conversation import AgentState, Status
from tui.conversation.status import StatusReducer

MS = 1_000_000


def received(reducer: StatusReducer, event_type: str, t_ms: int = 0, **fields: Any) -> Status:
    """An event arrives; return the status after it."""
    reducer.received({"type": event_type, **fields}, t_ms * MS)
    return reducer.status


def test_a_turn() -> None:
    reducer = StatusReducer()
    reducer.sent({"type": "response.create"}, 100 * MS)
    assert reducer.status.agent is AgentState.THINKING
    assert reducer.asked
    assert received(reducer, "response.created", response={"id": "r"}).response_id == "r"
    assert not reducer.asked
    status = received(reducer, "response.output_text.delta", 350, response_id="r")
    assert (status.agent, status.first_output_ms) == (AgentState.SPEAKING, 250)
    received(reducer, "response.output_text.delta", 900, response_id="r")
    usage = {"input_tokens": 7, "output_tokens": 5}
    status = received(reducer, "response.done", response={"id": "r", "usage": usage})
    assert (status.agent, status.response_id, status.first_output_ms) == (AgentState.IDLE, "", 250)
    assert (status.tokens_in, status.tokens_out) == (7, 5)
    received(reducer, "response.done", response={"id": "r2", "usage": usage})
    assert (reducer.status.tokens_in, reducer.status.tokens_out) == (14, 10)


@pytest.mark.parametrize(
    "kind", ["output_audio.delta", "output_audio_transcript.delta", "output_text.delta", "audio.delta"]
)
@pytest.mark.parametrize("status", ["completed", "cancelled", "failed"])
def test_a_delta_behind_the_end_of_its_response_is_no_speech(kind: str, status: str) -> None:
    reducer = StatusReducer()
    received(reducer, "response.created", response={"id": "r"})
    received(reducer, f"response.{kind}", response_id="r")
    received(reducer, "response.done", response={"id": "r", "status": status})
    assert received(reducer, f"response.{kind}", response_id="r").agent is AgentState.IDLE
    received(reducer, "response.created", response={"id": "r2"})
    assert received(reducer, f"response.{kind}", response_id="r").agent is AgentState.THINKING
    received(reducer, "response.done", response={"id": "r2"})
    received(reducer, "response.created", response={"id": "r"})
    assert received(reducer, f"response.{kind}", response_id="r").agent is AgentState.SPEAKING, (
        "an id that is used again"
    )


def test_a_request_for_approval_is_waited_for() -> None:
    reducer = StatusReducer()
    request = {"type": "mcp_approval_request", "name": "delete_order", "arguments": "{}"}
    received(reducer, "response.created", response={"id": "r"})
    status = received(reducer, "response.done", response={"id": "r", "output": [request]})
    assert (status.agent, status.waits_for) == (AgentState.IDLE, "approval")
    assert received(reducer, "response.created", response={"id": "r2"}).waits_for == ""


def test_after_speech_the_clock_starts_when_it_stops() -> None:
    reducer = StatusReducer()
    received(reducer, "input_audio_buffer.speech_stopped", 1000)
    assert received(reducer, "response.output_audio.delta", 1700).first_output_ms == 700


VAD = {"type": "server_vad"}


@pytest.mark.parametrize(
    ("detection", "running", "expected"),
    [
        (VAD, False, True),
        ({**VAD, "create_response": True, "interrupt_response": True}, True, True),
        ({**VAD, "create_response": False}, False, False),
        ({**VAD, "interrupt_response": False}, False, True),
        ({**VAD, "interrupt_response": False}, True, False),
        (None, False, False),
    ],
)
def test_whether_the_server_answers_by_itself(detection: object, running: bool, expected: bool) -> None:
    reducer = StatusReducer()
    received(reducer, "session.updated", session={"audio": {"input": {"turn_detection": detection}}})
    if running:
        received(reducer, "response.created", response={"id": "r"})
    received(reducer, "input_audio_buffer.speech_stopped")
    received(reducer, "input_audio_buffer.committed", item_id="i")
    assert reducer.expected is expected


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("response.created", {"response": {"id": "r"}}),
        ("input_audio_buffer.speech_started", {}),
        ("input_audio_buffer.cleared", {}),
        ("error", {"error": {}}),
        ("session.updated", {"session": {"audio": {"input": {"turn_detection": None}}}}),
    ],
)
def test_what_ends_the_expectation_of_an_answer(event_type: str, fields: dict[str, Any]) -> None:
    reducer = StatusReducer()
    received(reducer, "session.created", session={"turn_detection": VAD})
    received(reducer, "input_audio_buffer.speech_stopped")
    assert reducer.expected
    received(reducer, event_type, **fields)
    assert not reducer.expected


def test_what_the_session_does_not_say_is_not_expected() -> None:
    reducer = StatusReducer()
    received(reducer, "session.created", session={})
    received(reducer, "input_audio_buffer.speech_stopped")
    received(reducer, "input_audio_buffer.committed")
    assert not reducer.expected


def test_late_deltas_of_an_interrupted_response_are_no_speaking() -> None:
    reducer = StatusReducer()
    received(reducer, "response.created", response={"id": "r"})
    received(reducer, "response.output_text.delta", response_id="r")
    reducer.interrupted("r")
    assert received(reducer, "response.output_text.delta", response_id="r").agent is AgentState.IDLE
    assert received(reducer, "response.output_text.delta", response_id="r2").agent is AgentState.SPEAKING


def test_the_end_of_another_response_ends_nothing() -> None:
    reducer = StatusReducer()
    received(reducer, "response.created", response={"id": "r"})
    assert received(reducer, "response.done", response={"id": "other"}).response_id == "r"
    assert received(reducer, "response.done", response={}).response_id == ""


def test_an_error_ends_the_thinking_unless_a_response_is_running() -> None:
    reducer = StatusReducer()
    reducer.sent({"type": "response.create"}, 0)
    assert received(reducer, "error").agent is AgentState.IDLE
    assert not reducer.asked
    received(reducer, "response.created", response={"id": "r"})
    assert received(reducer, "error").agent is AgentState.THINKING


def test_the_session() -> None:
    reducer = StatusReducer()
    session = {"id": "s", "model": "m", "expires_at": 1_765_126_464, "output_modalities": ["audio"]}
    status = received(reducer, "session.created", 1500, session=session)
    assert (status.session_id, status.model, status.modality, status.started_s) == ("s", "m", "audio", 1.5)
    assert status.expires_at == 1_765_126_464
    status = received(reducer, "session.updated", session={"output_modalities": ["text"], "model": "other"})
    assert (status.modality, status.model) == ("text", "m")
    reducer.new_connection()
    assert (reducer.status.session_id, reducer.status.expires_at, reducer.status.model) == ("", None, "m")


@pytest.mark.parametrize("expires", [None, True, "soon", -1, 0, float("nan"), float("inf"), 10**30, []])
def test_a_time_without_sense(expires: object) -> None:
    assert received(StatusReducer(), "session.created", session={"expires_at": expires}).expires_at is None


@pytest.mark.parametrize("count", [None, True, "7", -1, 1.5, 10**400, {}])
def test_a_count_without_sense(count: object) -> None:
    assert received(StatusReducer(), "response.done", response={"usage": {"input_tokens": count}}).tokens_in == 0


@settings(PROPERTY, max_examples=100)
@given(st.lists(hostile_events(), max_size=5))
def test_nothing_is_too_odd(events: list[dict[str, Any]]) -> None:
    reducer = StatusReducer()
    for event in events:
        reducer.received(event, 0)
        reducer.sent(event, 0)
    assert isinstance(reducer.status.response_id, str)
    assert isinstance(reducer.status.model, str)
    assert repr(reducer.status)
