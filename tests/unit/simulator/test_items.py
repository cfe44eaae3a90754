"""Items of the conversation: order, roles, retrieving, truncating, deleting, and function calls."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.unit.simulator.support import WEATHER_TOOL, Client, client, session, simulator, speech
from tui.simulator import script


def message(role: str, kind: str, item_id: str) -> dict[str, Any]:
    content = [{"type": kind, "text": item_id}]
    return {"id": item_id, "type": "message", "role": role, "content": content}


async def test_items_are_inserted_where_the_client_wants_them() -> None:
    async with session() as client:
        places = [("user", "one", None), ("user", "two", None), ("system", "zero", "root"), ("assistant", "mid", "one")]
        for role, item_id, after in places:
            kind = "output_text" if role == "assistant" else "input_text"
            item = message(role, kind, item_id)
            await client.send("conversation.item.create", item=item, previous_item_id=after)
            added = await client.until("conversation.item.added")
            assert added["item"] == {**item, "object": "realtime.item", "status": "completed"}
            assert (await client.until("conversation.item.done"))["item"] == added["item"]
        before = {event["item"]["id"]: event["previous_item_id"] for event in client.of("conversation.item.added")}
        assert before == {"one": None, "two": "one", "zero": None, "mid": "one"}
        # The newest item of the user counts, wherever others were put.
        await client.send("conversation.item.create", item=message("user", "input_text", "last"))
        assert (await client.until("conversation.item.added"))["previous_item_id"] == "two"


async def test_audio_comes_back_only_when_it_is_retrieved() -> None:
    sound = base64.b64encode(speech(300)).decode()
    part = {"type": "input_audio", "audio": sound, "transcript": "hello there"}
    async with session() as client:
        item = {"id": "spoken", "type": "message", "role": "user", "content": [part]}
        await client.send("conversation.item.create", item=item)
        shown = (await client.until("conversation.item.done"))["item"]
        assert shown["content"] == [{"type": "input_audio", "transcript": "hello there"}]
        await client.send("conversation.item.retrieve", item_id="spoken")
        assert (await client.until("conversation.item.retrieved"))["item"]["content"] == [part]


async def spoken_item(client: Client) -> tuple[str, int]:
    """Have an answer spoken; return its item's id and its length in milliseconds."""
    response = await client.ask("hello")
    size = sum(len(base64.b64decode(event["delta"])) for event in client.of("response.output_audio.delta"))
    return response["output"][0]["id"], size // 48


async def test_truncating_cuts_the_audio_and_drops_the_transcript() -> None:
    async with session() as client:
        item_id, length = await spoken_item(client)
        for end_ms in (length, 1234):
            await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms)
            truncated = await client.until("conversation.item.truncated")
            assert (truncated["item_id"], truncated["content_index"]) == (item_id, 0)
            assert truncated["audio_end_ms"] == end_ms
        await client.send("conversation.item.retrieve", item_id=item_id)
        (part,) = (await client.until("conversation.item.retrieved"))["item"]["content"]
        assert len(base64.b64decode(part["audio"])) == 1234 * 48
        assert "transcript" not in part
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1235)
        error = await client.error()
        assert error["message"] == "Audio content of 1234ms is already shorter than 1235ms"
        assert error["param"] == "audio_end_ms"


async def test_truncating_a_running_response_lets_it_run_but_keeps_nothing_more_of_it() -> None:
    async with simulator(speed=50) as sim, client(sim) as talker:
        await talker.say("count to 60")
        await talker.send("response.create")
        delta = await talker.until("response.output_audio.delta")
        item_id = delta["item_id"]
        await talker.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=60)
        await talker.until("conversation.item.truncated")
        assert (await talker.until("response.done"))["response"]["status"] == "completed"
        await talker.send("conversation.item.retrieve", item_id=item_id)
        (part,) = (await talker.until("conversation.item.retrieved"))["item"]["content"]
        assert len(base64.b64decode(part["audio"])) == 60 * 48
        assert "transcript" not in part


async def test_a_history_of_calls_can_be_put_back() -> None:
    async with session() as client:
        call = {"type": "function_call", "name": "get_weather", "arguments": "{}"}
        await client.send("conversation.item.create", item=call)
        item = (await client.until("conversation.item.done"))["item"]
        assert {name: item[name] for name in call} == call
        output = {"type": "function_call_output", "call_id": item["call_id"], "output": ""}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create", response={"output_modalities": ["text"]})
        answer = (await client.until("response.done"))["response"]["output"][0]["content"][0]["text"]
        assert answer == "The tool has answered. get_weather returned: nothing"


async def test_a_deleted_item_is_gone() -> None:
    async with session() as client:
        await client.say("keys", id="question")
        await client.send("conversation.item.delete", item_id="question")
        assert (await client.until("conversation.item.deleted"))["item_id"] == "question"
        await client.send("conversation.item.retrieve", item_id="question")
        assert (await client.error())["code"] == "item_retrieve_invalid_item_id"


async def test_deleting_an_item_that_is_being_spoken_does_not_stop_it() -> None:
    async with simulator(speed=50) as sim, client(sim) as talker:
        await talker.say("count to 60")
        await talker.send("response.create")
        delta = await talker.until("response.output_audio.delta")
        await talker.send("conversation.item.delete", item_id=delta["item_id"])
        await talker.until("conversation.item.deleted")
        assert (await talker.until("response.done"))["response"]["status"] == "completed"


async def test_a_tool_is_called_when_the_words_ask_for_it() -> None:
    async with session() as client:
        other = {"type": "function", "name": "send_mail", "parameters": {"type": "object", "properties": {}}}
        await client.update(tools=[other, WEATHER_TOOL], output_modalities=["text"])
        response = await client.ask("What is the weather in New York?")
        (call,) = response["output"]
        assert (call["type"], call["name"], call["status"]) == ("function_call", "get_weather", "completed")
        assert json.loads(call["arguments"]) == {"city": "New York"}
        (done,) = client.of("response.function_call_arguments.done")
        deltas = client.of("response.function_call_arguments.delta")
        assert "".join(event["delta"] for event in deltas) == done["arguments"] == call["arguments"]
        assert {event["call_id"] for event in (*deltas, done, call)} == {call["call_id"]}
        assert len(deltas) > 1
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": '{"sky": "clear"}'}
        await client.send("conversation.item.create", item=output)
        await client.send("response.create")
        answer = (await client.until("response.done"))["response"]["output"][0]["content"][0]["text"]
        assert answer == 'The tool has answered. get_weather returned: {"sky": "clear"}'


@pytest.mark.parametrize(
    ("choice", "text", "called"),
    [
        ("none", "weather in Paris", None),
        ("auto", "hello", None),
        ("required", "hello", "get_weather"),
        ({"type": "function", "name": "get_time"}, "weather in Paris", "get_time"),
        ({"type": "function", "name": "nothing"}, "weather in Paris", None),
    ],
)
async def test_tool_choice_is_honoured(choice: Any, text: str, called: str | None) -> None:
    async with session() as client:
        await client.update(tools=[WEATHER_TOOL, {"type": "function", "name": "get_time"}], tool_choice=choice)
        (item,) = (await client.ask(text, output_modalities=["text"]))["output"]
        assert item.get("name") == called


async def test_without_tools_the_weather_is_explained() -> None:
    async with session() as client:
        (item,) = (await client.ask("weather?", output_modalities=["text"]))["output"]
        assert item["content"][0]["text"] == script.WEATHER.text


async def test_a_cancelled_call_is_left_incomplete() -> None:
    async with simulator(speed=1, thinking_s=0, word_s=3600) as sim, client(sim) as talker:
        await talker.update(tools=[WEATHER_TOOL])
        await talker.say("weather in Paris")
        await talker.send("response.create")
        await talker.until("response.function_call_arguments.delta")
        await talker.send("response.cancel")
        (call,) = (await talker.until("response.done"))["response"]["output"]
        assert call["status"] == "incomplete"
        assert call["arguments"] == talker.of("response.function_call_arguments.done")[0]["arguments"] == '{"city":'[:8]
