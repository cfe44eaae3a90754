"""The Beta dialect: the old shape of session, items and events, on the old path."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.unit.simulator.support import WEATHER_TOOL, Client, client, session, silence, simulator, speech
from tui.simulator import script

SESSION_FIELDS = {
    "object", "id", "model", "modalities", "instructions", "voice", "output_audio_format", "tools", "tool_choice",
    "temperature", "max_response_output_tokens", "turn_detection", "speed", "tracing", "prompt", "expires_at",
    "input_audio_noise_reduction", "input_audio_format", "input_audio_transcription", "client_secret", "include",
}  # fmt: skip
"""As in session.created of the preview service in December 2025."""

GA_ONLY = {"conversation.item.added", "conversation.item.done"}


async def update(client: Client, **settings: Any) -> dict[str, Any]:
    await client.send("session.update", session=settings)
    return dict((await client.until("session.updated"))["session"])


async def test_the_session_is_flat_and_has_no_type() -> None:
    async with session(dialect="beta") as client:
        created = client.events[0]["session"]
        assert set(created) == SESSION_FIELDS
        assert created["modalities"] == ["audio", "text"]
        assert (created["input_audio_format"], created["output_audio_format"]) == ("pcm16", "pcm16")
        wanted = {
            "modalities": ["text"],
            "voice": "sage",
            "input_audio_format": "g711_ulaw",
            "input_audio_transcription": {"model": "whisper-1"},
            "turn_detection": None,
            "temperature": 0.7,
            "max_response_output_tokens": 200,
            "instructions": "Be brief.",
            "speed": 1.1,
        }
        updated = await update(client, **wanted)
        assert {name: updated[name] for name in wanted} == wanted
        assert {name: value for name, value in updated.items() if name not in wanted} == {
            name: value for name, value in created.items() if name not in wanted
        }


async def test_ga_parameters_are_unknown() -> None:
    async with session(dialect="beta") as client:
        for name, value in {"type": "realtime", "audio": {}, "output_modalities": ["text"]}.items():
            await client.send("session.update", session={name: value})
            error = await client.error()
            assert (error["code"], error["param"]) == ("unknown_parameter", f"session.{name}")
            assert error["message"] == f"Unknown parameter: 'session.{name}'."
        await client.send("session.update", session={"modalities": ["audio"]})
        assert (await client.error())["message"] == (
            "Invalid modalities: ['audio']. Supported combinations are: ['text'] and ['audio', 'text']."
        )


async def test_a_written_turn_uses_the_old_names() -> None:
    async with session(dialect="beta") as client:
        await update(client, modalities=["text"])
        response = await client.ask("keys", temperature=0.9)
        assert response["modalities"] == ["text"]
        assert "output_modalities" not in response
        assert "audio" not in response
        (item,) = response["output"]
        assert item["content"] == [{"type": "text", "text": script.KEYS.text}]
        deltas = client.of("response.text.delta")
        assert "".join(event["delta"] for event in deltas) == client.of("response.text.done")[0]["text"]
        assert [event["item"]["role"] for event in client.of("conversation.item.created")] == ["user", "assistant"]
        assert not GA_ONLY & set(client.types)


async def test_a_spoken_turn_uses_the_old_names() -> None:
    async with session(dialect="beta") as client:
        await update(client, input_audio_transcription={"model": "whisper-1"})
        await client.append(speech(500) + silence(800))
        response = (await client.until("response.done"))["response"]
        assert response["output"][0]["content"][0]["type"] == "audio"
        assert (response["voice"], response["output_audio_format"]) == ("marin", "pcm16")
        transcript = "".join(event["delta"] for event in client.of("response.audio_transcript.delta"))
        assert response["output"][0]["content"][0]["transcript"] == transcript
        assert client.of("response.audio.done")
        assert sum(len(base64.b64decode(event["delta"])) for event in client.of("response.audio.delta")) > 48_000
        # Nothing of GA's vocabulary slips through, at any depth.
        assert not [
            event for event in client.events if "output_audio" in json.dumps(event).replace("output_audio_format", "")
        ]


async def test_items_of_the_client_use_the_old_content_types() -> None:
    async with session(dialect="beta") as client:
        item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hello."}]}
        await client.send("conversation.item.create", item=item)
        assert (await client.until("conversation.item.created"))["item"]["content"] == item["content"]
        refused = {**item, "content": [{"type": "output_text", "text": "Hello."}]}
        await client.send("conversation.item.create", item=refused)
        assert (await client.error())["param"] == "item.content[0].type"
        asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "errors"}]}
        response = await client.ask("keys", conversation="none", input=[item, asked], modalities=["text"])
        assert response["output"][0]["content"][0]["text"] == script.ERRORS.text


async def test_a_function_call_is_the_same_in_both() -> None:
    async with session(dialect="beta") as client:
        await update(client, tools=[WEATHER_TOOL])
        (call,) = (await client.ask("weather in Rome"))["output"]
        assert (call["name"], json.loads(call["arguments"])) == ("get_weather", {"city": "Rome"})


async def test_the_old_path_takes_a_deployment() -> None:
    async with simulator(dialect="beta") as sim:
        assert "/openai/realtime?api-version=" in sim.url("my-deployment")
        async with client(sim) as talker:
            assert talker.events[0]["session"]["model"] == "gpt-realtime-2.1"
