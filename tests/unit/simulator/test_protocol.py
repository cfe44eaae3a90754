"""The whole protocol in one conversation, checked against the SDK's own types: the contract with real clients."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import BaseModel, Field, TypeAdapter

from tests.unit.simulator.support import WEATHER_TOOL, Client, session, silence, speech
from tui.simulator.client_events import GA_EVENTS
from tui.simulator.events import SERVER_EVENTS, event

SERVER: TypeAdapter[Any] = TypeAdapter(Annotated[RealtimeServerEvent, Field(discriminator="type")])
CLIENT: TypeAdapter[Any] = TypeAdapter(Annotated[RealtimeClientEvent, Field(discriminator="type")])

DOCUMENTED = {
    get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(RealtimeClientEvent)[0])
}

SERVED_BUT_UNTYPED = {"object", "id", "expires_at"}
"""The service has these in its session; the SDK's type for the session in events does not name them."""


def extras(model: Any, path: str = "") -> Iterator[str]:
    """Yield the path of each field that the SDK's types do not know."""
    if isinstance(model, list):
        for member in model:
            yield from extras(member, path)
    elif isinstance(model, BaseModel):
        for name in model.model_extra or ():
            yield f"{path}.{name}"
        for name in type(model).model_fields:
            yield from extras(getattr(model, name), f"{path}.{name}")


def check(served: dict[str, Any]) -> None:
    """Assert that the SDK understands the event, every field of it."""
    model = SERVER.validate_python(served)
    unknown = set(extras(model)) - {f".session.{name}" for name in SERVED_BUT_UNTYPED}
    assert not unknown, f"{served['type']} has {unknown}"


class Checked(Client):
    """A client that validates both directions."""

    def __init__(self, client: Client) -> None:
        super().__init__(client.connection)
        self.sent: set[str] = set()
        for served in client.events:
            check(served)
        self.events = client.events

    async def send(self, kind: str, **fields: Any) -> None:
        self.sent.add(kind)
        CLIENT.validate_python({"type": kind, **fields})
        await super().send(kind, **fields)

    async def receive(self) -> dict[str, Any]:
        served = await super().receive()
        check(served)
        return served


async def converse(client: Checked) -> None:
    """Use every client event, each of its documented fields, and have every server event come back."""
    await client.update(
        output_modalities=["text"],
        instructions="Be brief.",
        tools=[WEATHER_TOOL],
        tool_choice="auto",
        max_output_tokens=4096,
        tracing="auto",
        truncation={"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"post_instructions": 5000}},
        include=["item.input_audio_transcription.logprobs"],
        audio={
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "noise_reduction": {"type": "near_field"},
                "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en", "prompt": "azrt"},
                "turn_detection": {"type": "server_vad", "threshold": 0.5, "idle_timeout_ms": 5000},
            },
            "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0},
        },
    )
    await client.ask("hello")
    await client.ask("What is the weather in Paris?")
    (call,) = client.of("response.function_call_arguments.done")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
    await client.send("conversation.item.create", item=output)
    await client.send("response.create", response={"output_modalities": ["audio"], "metadata": {"topic": "weather"}})
    spoken = (await client.until("response.done"))["response"]["output"][0]["id"]
    await client.send("conversation.item.truncate", item_id=spoken, content_index=0, audio_end_ms=500)
    await client.until("conversation.item.truncated")
    await client.send("conversation.item.retrieve", item_id=spoken)
    await client.until("conversation.item.retrieved")
    await client.send("conversation.item.delete", item_id=spoken)
    await client.until("conversation.item.deleted")
    # A spoken turn, found by the server; then nobody says anything for longer than idle_timeout_ms.
    await client.append(speech(600) + silence(600))
    await client.until("conversation.item.input_audio_transcription.completed")
    await client.nth("response.done", 4)
    await client.append(silence(6000), ms=1000)
    await client.until("input_audio_buffer.timeout_triggered")
    await client.until("response.done")
    await client.append(silence(200))
    await client.send("input_audio_buffer.clear", event_id="clear-1")
    await client.until("input_audio_buffer.cleared")
    await client.append(speech(200)[: 48 * 40] + silence(200))
    await client.send("input_audio_buffer.commit")
    await client.until("input_audio_buffer.committed")
    system = {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "Be kind."}]}
    await client.send("conversation.item.create", item=system, previous_item_id="root")
    assistant = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]}
    await client.send("conversation.item.create", item=assistant)
    pixel = "data:image/png;base64,iVBORw0KGgo="
    sound = base64.b64encode(speech(200)).decode()
    parts = [
        {"type": "input_text", "text": "keys"},
        {"type": "input_audio", "audio": sound, "transcript": "keys"},
        {"type": "input_image", "image_url": pixel, "detail": "low"},
    ]
    await client.send("conversation.item.create", item={"type": "message", "role": "user", "content": parts})
    await client.send("response.create", event_id="create-1")
    await client.until("response.created")
    await client.send("response.cancel", response_id=client.events[-1]["response"]["id"])
    await client.until("response.done")
    # The SDK's type of a response has no item_reference, though that of its parameters has: it goes unchecked.
    reference = {"type": "item_reference", "id": client.of("conversation.item.added")[0]["item"]["id"]}
    response = {"conversation": "none", "output_modalities": ["text"], "input": [reference]}
    await client.connection.send(json.dumps({"type": "response.create", "response": response}))
    await client.until("response.done")
    await client.send("output_audio_buffer.clear")
    await client.until("error")


async def test_every_event_of_both_sides_fits_the_types_of_the_sdk() -> None:
    async with session() as bare:
        client = Checked(bare)
        await converse(client)
        await client.send("session.update", session={"type": "transcription"})
        assert (await client.error())["param"] == "session.type"
    # The two at the end are the events that a WebSocket session of type realtime refuses.
    assert len(client.of("error")) == 2
    # A transcription fails only where a fault was asked for: see test_faults.py.
    assert set(client.types) == SERVER_EVENTS - {"conversation.item.input_audio_transcription.failed"}
    assert client.sent == DOCUMENTED


def test_the_client_events_are_those_of_the_sdk() -> None:
    assert set(GA_EVENTS) == DOCUMENTED


def test_an_event_that_is_not_claimed_cannot_be_built() -> None:
    with pytest.raises(ValueError, match=r"conversation\.created"):
        event("conversation.created")
