"""Null is taken wherever the API takes it: clients that write all their fields send it for what they leave open."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any, Union

import pytest
from openai.types.realtime.realtime_response_create_params import RealtimeResponseCreateParams
from openai.types.realtime.realtime_session_create_request import RealtimeSessionCreateRequest
from pydantic import BaseModel

from tests.unit.simulator.support import WEATHER_TOOL, session

NULLS_OFF = ("turn_detection", "transcription", "noise_reduction")


def optional_fields(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each field that may be null, of the fields of its one model too."""
    for name, field in model.model_fields.items():
        if field.is_required():
            continue
        yield (*path, name)
        models = [each for each in members(field.annotation) if isinstance(each, type) and issubclass(each, BaseModel)]
        if len(models) == 1 and name in ("audio", "input", "output"):
            yield from optional_fields(models[0], (*path, name))


def members(annotation: Any) -> Iterator[Any]:
    """Yield the types of a union, however it is written."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        for each in typing.get_args(annotation):
            yield from members(each)
    elif typing.get_origin(annotation) is typing.Annotated:
        yield from members(typing.get_args(annotation)[0])
    else:
        yield annotation


def nested(path: tuple[str, ...]) -> dict[str, Any]:
    """Return an object in which nothing is given but null at this path."""
    first, *rest = path
    return {first: nested(tuple(rest)) if rest else None}


OF_SESSION = list(optional_fields(RealtimeSessionCreateRequest))
OF_RESPONSE = list(optional_fields(RealtimeResponseCreateParams))


def test_the_fields_are_found() -> None:
    assert {("instructions",), ("audio", "input", "turn_detection"), ("audio", "output", "voice")} <= set(OF_SESSION)
    assert {("instructions",), ("conversation",), ("audio", "output", "format")} <= set(OF_RESPONSE)


async def test_a_session_takes_null_for_every_field_that_is_optional() -> None:
    async with session() as client:
        for path in OF_SESSION:
            updated = await client.update(**nested(path))
            if path[-1] in NULLS_OFF:
                assert updated["audio"]["input"][path[-1]] is None
        response = await client.ask("hello", output_modalities=["text"])
        assert response["status"] == "completed"
        assert "error" not in client.types


async def test_a_response_takes_null_for_every_field_that_is_optional() -> None:
    async with session() as client:
        for path in OF_RESPONSE:
            fields = nested(path)
            response = await client.ask("hello", **({"output_modalities": ["text"]} | fields))
            assert response["status"] == "completed", path
        assert "error" not in client.types


async def test_null_clears_what_a_session_had() -> None:
    async with session() as client:
        before = await client.update(instructions="Be brief.", tools=[WEATHER_TOOL], max_output_tokens=7)
        assert (before["instructions"], before["max_output_tokens"]) == ("Be brief.", 7)
        after = await client.update(instructions=None, tools=None, max_output_tokens=None)
        assert (after["instructions"], after["tools"], after["max_output_tokens"]) == ("", [], "inf")


async def test_a_turn_detection_with_nulls_has_the_defaults() -> None:
    async with session() as client:
        given = {"type": "server_vad", "threshold": None, "create_response": None, "idle_timeout_ms": None}
        updated = await client.update(audio={"input": {"turn_detection": given}})
        detection = updated["audio"]["input"]["turn_detection"]
        assert (detection["threshold"], detection["create_response"], detection["idle_timeout_ms"]) == (0.5, True, None)


async def test_an_item_takes_null_for_its_id_and_status() -> None:
    async with session() as client:
        content = [{"type": "input_text", "text": "hello"}]
        item = {"type": "message", "role": "user", "id": None, "status": None, "object": None, "content": content}
        await client.send("conversation.item.create", item=item, previous_item_id=None, event_id=None)
        assert (await client.until("conversation.item.added"))["item"]["id"]


@pytest.mark.parametrize("field", ["item_id", "content_index", "audio_end_ms"])
async def test_what_is_required_may_not_be_null(field: str) -> None:
    async with session() as client:
        await client.send(
            "conversation.item.truncate", **{"item_id": "a", "content_index": 0, "audio_end_ms": 0, field: None}
        )
        assert (await client.error())["code"] == "invalid_type"
