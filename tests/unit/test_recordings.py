"""The server events that tests go through are those of the API, and like those that others have recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from openai.types.beta.realtime import RealtimeServerEvent as BetaServerEvent
from openai.types.realtime import RealtimeServerEvent as ServerEvent
from pydantic import BaseModel

from tests.support.recordings import BETA_OVER, examples
from tui import wire

ELSEWHERE = Path(__file__).parents[3] / "shared" / "recordings"


def models_of(union: Any) -> dict[str, type[BaseModel]]:
    """Return the models of a union of events, by their type."""
    return {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(union)[0])}


@pytest.mark.parametrize(("dialect", "union"), [("ga", ServerEvent), ("beta", BetaServerEvent)], ids=["ga", "beta"])
def test_every_event_is_one_of_the_api(dialect: str, union: Any) -> None:
    models = models_of(union)
    for event in examples(dialect):
        model = models[event["type"]]
        model.model_validate(event)
        assert set(event) <= {"event_id", *model.model_fields}, event["type"]


@pytest.mark.parametrize(("dialect", "union"), [("ga", ServerEvent), ("beta", BetaServerEvent)], ids=["ga", "beta"])
def test_no_type_is_left_out(dialect: str, union: Any) -> None:
    webrtc = (
        {f"output_audio_buffer.{ends}" for ends in ("started", "stopped", "cleared")} if dialect == "beta" else set()
    )
    assert {event["type"] for event in examples(dialect)} == set(models_of(union)) - webrtc


def test_the_end_of_beta_is_an_error_of_the_api() -> None:
    assert models_of(ServerEvent)["error"].model_validate(BETA_OVER)


@pytest.mark.skipif(not ELSEWHERE.is_dir(), reason="there are no recordings of other programs beside this checkout")
def test_recorded_events_are_known() -> None:
    seen = 0
    for path in ELSEWHERE.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            event = event.get("event", event)
            if "type" in event:
                seen += 1
                assert wire.family(event["type"]) is not wire.Family.UNKNOWN, event["type"]
                assert wire.summary(event) or event["type"].endswith((".cleared", ".done", ".in_progress")), event[
                    "type"
                ]
    assert seen
