"""Turns: written and spoken answers, their order, their numbers, and how they end."""

from __future__ import annotations

import base64
from typing import Any

from tests.unit.simulator.support import Client, client, session, simulator, speech
from tui.simulator import script

TEXT_TURN = [
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "rate_limits.updated",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
]


def without_repeats(types: list[str]) -> list[str]:
    return [kind for at, kind in enumerate(types) if at == 0 or kind != types[at - 1]]


async def text_session(client: Client) -> None:
    await client.update(output_modalities=["text"])
    client.events.clear()


async def test_a_text_turn_has_the_whole_life_cycle() -> None:
    async with session() as client:
        await text_session(client)
        response = await client.ask("Which keys are there?")
        assert without_repeats(client.types) == TEXT_TURN
        text = "".join(event["delta"] for event in client.of("response.output_text.delta"))
        assert text == client.of("response.output_text.done")[0]["text"] == script.KEYS.text
        assert response["output"][0]["content"] == [{"type": "output_text", "text": text}]
        assert (response["status"], response["status_details"]) == ("completed", None)
        user, assistant = client.of("conversation.item.added")
        assert user["previous_item_id"] is None
        assert assistant["previous_item_id"] == user["item"]["id"]
        assert assistant["item"]["status"] == "in_progress"
        assert client.of("conversation.item.done")[1]["item"]["status"] == "completed"


def audio_of(client: Client) -> list[bytes]:
    return [base64.b64decode(event["delta"]) for event in client.of("response.output_audio.delta")]


async def test_a_spoken_turn_comes_in_growing_chunks_with_its_transcript_in_step() -> None:
    async with session() as client:
        response = await client.ask("tell me a long story")
        chunks = audio_of(client)
        assert [len(chunk) // 48 for chunk in chunks[:5]] == [100, 150, 250, 500, 500]
        assert all(len(chunk) == 24_000 for chunk in chunks[3:-1])
        assert 0 < len(chunks[-1]) <= 24_000
        seconds = sum(map(len, chunks)) / 48_000
        assert 35 <= seconds <= 60
        words = client.of("response.output_audio_transcript.delta")
        transcript = "".join(event["delta"] for event in words)
        assert transcript == client.of("response.output_audio_transcript.done")[0]["transcript"]
        assert transcript == script.STORY.spoken
        assert response["output"][0]["content"] == [{"type": "output_audio", "transcript": transcript}]
        # In step: at each chunk, about as much of the words is out as of the sound.
        said = heard = 0
        for event in client.events:
            if event["type"] == "response.output_audio_transcript.delta":
                said += len(event["delta"])
            elif event["type"] == "response.output_audio.delta":
                heard += len(base64.b64decode(event["delta"]))
                assert abs(said / len(transcript) - heard / (seconds * 48_000)) < 0.02
        await client.send("conversation.item.retrieve", item_id=response["output"][0]["id"])
        item = (await client.until("conversation.item.retrieved"))["item"]
        assert base64.b64decode(item["content"][0]["audio"]) == b"".join(chunks)


async def test_usage_counts_text_audio_and_what_was_cached() -> None:
    async with session() as client:
        first = (await client.ask("hello"))["usage"]
        seconds = sum(map(len, audio_of(client))) / 48_000
        assert first["output_token_details"]["audio_tokens"] == round(seconds * 20)
        assert first["output_token_details"]["text_tokens"] == -(-len(script.HELLO.spoken) // 4)
        second = (await client.ask("keys"))["usage"]
        for usage in (first, second):
            details = usage["input_token_details"]
            assert usage["input_tokens"] == details["text_tokens"] + details["audio_tokens"] + details["image_tokens"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert first["input_token_details"]["cached_tokens"] == 0
        # The answer has become input: its audio weighs 10 tokens a second now.
        assert second["input_token_details"]["audio_tokens"] == round(seconds * 10)
        cached = second["input_token_details"]["cached_tokens_details"]
        assert cached == {"text_tokens": first["input_tokens"] // 64 * 64, "audio_tokens": 0, "image_tokens": 0}


async def test_rate_limits_go_down_with_use() -> None:
    async with session() as client:
        await text_session(client)
        for _ in range(2):
            await client.ask("hello")
        first, second = (
            {limit["name"]: limit for limit in event["rate_limits"]} for event in client.of("rate_limits.updated")
        )
        assert first["requests"]["remaining"] == 999
        assert second["tokens"]["remaining"] < first["tokens"]["remaining"] < first["tokens"]["limit"]


async def test_a_cancelled_response_closes_what_is_open_and_ends_cancelled() -> None:
    async with simulator(speed=50) as sim, client(sim) as talker:
        await talker.say("count to 200")
        await talker.send("response.create")
        delta = await talker.until("response.output_audio.delta")
        await talker.send("response.cancel")
        response = (await talker.until("response.done"))["response"]
        assert response["id"] == delta["response_id"]
        assert response["status"] == "cancelled"
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert response["output"][0]["status"] == "incomplete"
        assert without_repeats(talker.types)[-6:] == [
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
        ]
        said = "".join(event["delta"] for event in talker.of("response.output_audio_transcript.delta"))
        assert response["output"][0]["content"][0]["transcript"] == said
        # It is over: nothing of it comes any more, and the next response may begin.
        talker.events.clear()
        assert (await talker.ask("hello"))["status"] == "completed"
        assert not [event for event in talker.events if event.get("response_id") == response["id"]]


async def test_a_response_cancelled_before_its_first_token_has_no_output() -> None:
    async with simulator(speed=1, thinking_s=3600) as sim, client(sim) as talker:
        await talker.send("response.create")
        created = await talker.until("response.created")
        await talker.send("response.cancel", response_id=created["response"]["id"])
        response = (await talker.until("response.done"))["response"]
        assert (response["status"], response["output"]) == ("cancelled", [])


async def test_one_response_at_a_time_but_items_may_come_meanwhile() -> None:
    async with simulator(speed=1, thinking_s=3600) as sim, client(sim) as talker:
        await talker.send("response.create")
        active = (await talker.until("response.created"))["response"]["id"]
        await talker.say("and another thing")
        assert (await talker.until("conversation.item.done"))["item"]["role"] == "user"
        await talker.send("response.create", event_id="second")
        error = await talker.error()
        assert error["code"] == "conversation_already_has_active_response"
        assert error["event_id"] == "second"
        assert active in error["message"]


async def test_out_of_band_responses_leave_the_conversation_alone() -> None:
    async with simulator(speed=1, thinking_s=3600) as sim, client(sim) as talker:
        await talker.send("response.create")
        await talker.until("response.created")
        await talker.send("response.create", response={"conversation": "none", "metadata": {"job": "classify"}})
        outside = (await talker.until("response.created"))["response"]
        assert outside["conversation_id"] is None
        assert outside["metadata"] == {"job": "classify"}
        await talker.send("response.cancel", response_id=outside["id"])
        assert (await talker.until("response.done"))["response"]["id"] == outside["id"]
    async with session() as quick:
        await text_session(quick)
        asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "errors"}]}
        response = await quick.ask("keys", conversation="none", input=[asked])
        assert response["output"][0]["content"][0]["text"] == script.ERRORS.text
        assert len(quick.of("conversation.item.added")) == 1
        await quick.send("conversation.item.delete", item_id=response["output"][0]["id"])
        assert (await quick.error())["code"] == "item_delete_invalid_item_id"


async def test_a_response_may_override_the_session() -> None:
    async with session() as client:
        overrides: dict[str, Any] = {"output_modalities": ["text"], "instructions": "Explain the wire events."}
        response = await client.ask("hello", **overrides)
        assert response["output_modalities"] == ["text"]
        assert response["output"][0]["content"][0]["text"] == script.EVENTS.text
        assert (await client.ask("hello"))["output_modalities"] == ["audio"]


async def test_max_output_tokens_ends_a_response_as_incomplete() -> None:
    async with session() as client:
        response = await client.ask("tell me a story", max_output_tokens=100)
        assert response["status"] == "incomplete"
        assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
        assert 50 < response["usage"]["output_tokens"] <= 100
        assert script.STORY.spoken.startswith(response["output"][0]["content"][0]["transcript"])


async def test_g711_audio_has_its_own_rate_both_ways() -> None:
    async with session() as client:
        shapes = {"input": {"format": {"type": "audio/pcma"}}, "output": {"format": {"type": "audio/pcmu"}}}
        await client.update(audio=shapes)
        await client.ask("hello")
        assert [len(chunk) for chunk in audio_of(client)[:4]] == [800, 1200, 2000, 4000]
        # A-law at 8 kHz: the loudest code, then silence, is heard as speech of half a second.
        loud, quiet = bytes([0x2A, 0xAA] * 2000), bytes([0xD5]) * 8000
        await client.send("input_audio_buffer.append", audio=base64.b64encode(loud + quiet).decode())
        stopped = await client.until("input_audio_buffer.speech_stopped")
        assert stopped["audio_end_ms"] == 1000


async def test_a_custom_voice_is_named_by_its_id() -> None:
    async with session() as client:
        updated = await client.update(audio={"output": {"voice": {"id": "voice_1234"}}})
        assert updated["audio"]["output"]["voice"] == {"id": "voice_1234"}
        assert (await client.ask("hello"))["audio"]["output"]["voice"] == "voice_1234"


async def test_every_session_log_holds_what_the_far_end_saw() -> None:
    async with simulator() as sim, client(sim) as talker:
        await talker.append(speech(100))
        await talker.ask("hello", output_modalities=["text"])
        (log,) = sim.sessions
        assert log.model == "gpt-realtime-2.1"
        assert len(log.received) == 3
        assert len(log.sent) == len(talker.events)
        assert '"input_audio_buffer.append"' in str(log.received[0])
        await talker.connection.close(4321)
    assert log.close_code == 4321
