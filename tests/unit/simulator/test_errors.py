"""What the service refuses, in its words; and garbage of every kind, after which the session goes on."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.simulator.support import session, silence
from tui.simulator.client_events import GA_EVENTS
from tui.simulator.dialect import Beta
from tui.simulator.events import Event
from tui.simulator.faults import FaultPlan
from tui.simulator.faults.kinds import Terms
from tui.simulator.line import Line
from tui.simulator.response import Pacing
from tui.simulator.session import Session
from tui.simulator.speech import Speaker

MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
ALL_TYPES = ", ".join(f"'{name}'" for name in list(GA_EVENTS)[:-1]) + ", and 'response.cancel'"

REFUSED: list[tuple[Event, str | None, str | None, str]] = [
    ({"type": "session.begin"}, "invalid_value", "type", f"'session.begin'. Supported values are: {ALL_TYPES}."),
    ({"type": 7}, "invalid_type", "type", "Invalid type for 'type': expected a string, but got an integer instead."),
    (
        {"type": "session.update", "session": {"instructions": "hi"}},
        "missing_required_parameter",
        "session.type",
        "Missing required parameter: 'session.type'.",
    ),
    ({"type": "session.update"}, "missing_required_parameter", "session", "Missing required parameter: 'session'."),
    (
        {"type": "session.update", "session": {"type": "realtime", "foo": 1}},
        "unknown_parameter",
        "session.foo",
        "Unknown parameter: 'session.foo'.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "voice": "ash"}},
        "unknown_parameter",
        "session.voice",
        "Unknown parameter: 'session.voice'.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": "bob"}}}},
        "invalid_value",
        "session.audio.output.voice",
        (
            "Invalid value: 'bob'. Supported values are: 'alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', "
            "'verse', 'marin', and 'cedar'."
        ),
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text", "audio"]}},
        "invalid_value",
        "session.output_modalities",
        "Invalid modalities: ['text', 'audio']. Supported combinations are: ['text'] and ['audio'].",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"speed": 9}}}},
        "decimal_above_max_value",
        "session.audio.output.speed",
        (
            "Invalid 'session.audio.output.speed': decimal above maximum value. Expected a value <= 1.5, but got 9 "
            "instead."
        ),
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "max_output_tokens": 0}},
        "integer_below_min_value",
        "session.max_output_tokens",
        "Expected a value >= 1, but got 0 instead.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "tools": [{"type": "function", "meta": 1}]}},
        "missing_required_parameter",
        "session.tools[0].name",
        "Missing required parameter: 'session.tools[0].name'.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "tools": [MESSAGE] * 129}},
        "array_above_max_length",
        "session.tools",
        "Expected an array with maximum length 128, but got an array with length 129 instead.",
    ),
    ({"type": "session.update", "session": []}, "invalid_type", "session", "expected an object, but got an array"),
    (
        {"type": "session.update", "session": {"type": "realtime", "tools": {}}},
        "invalid_type",
        "session.tools",
        "expected an array, but got an object instead.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "parallel_tool_calls": "yes"}},
        "invalid_type",
        "session.parallel_tool_calls",
        "expected a boolean, but got a string instead.",
    ),
    (
        {"type": "session.update", "session": {"type": "realtime", "max_output_tokens": 1.5}},
        "invalid_type",
        "session.max_output_tokens",
        "expected an integer, but got a decimal instead.",
    ),
    (
        {"type": "response.create", "response": {"metadata": False}},
        "invalid_type",
        "response.metadata",
        "expected an object, but got a boolean instead.",
    ),
    (
        {"type": "input_audio_buffer.append", "audio": "not base64!"},
        "invalid_value",
        "audio",
        "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
    ),
    ({"type": "input_audio_buffer.append", "audio": "AA=A\u00e9"}, "invalid_value", "audio", "Invalid 'audio'."),
    (
        {"type": "input_audio_buffer.commit"},
        "input_audio_buffer_commit_empty",
        None,
        (
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
            "but buffer only has 0.00ms of audio."
        ),
    ),
    (
        {"type": "conversation.item.create", "item": MESSAGE, "previous_item_id": "gone"},
        "item_create_invalid_previous_item_id",
        "previous_item_id",
        "the previous item with id 'gone' does not exist",
    ),
    (
        {"type": "conversation.item.create", "item": {**MESSAGE, "role": "critic"}},
        "invalid_value",
        "item.role",
        "Invalid value: 'critic'. Supported values are: 'system', 'user', and 'assistant'.",
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "hi"}]},
        },
        "missing_required_parameter",
        "item.content[0].text",
        "Missing required parameter: 'item.content[0].text'.",
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {**MESSAGE, "content": [{"type": "input_audio", "audio": "?"}]},
        },
        "invalid_value",
        "item.content[0].audio",
        "Invalid 'item.content[0].audio'.",
    ),
    (
        {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "call_x", "output": ""},
        },
        "invalid_tool_call_id",
        "item.call_id",
        "Tool call ID 'call_x' not found in conversation.",
    ),
    (
        {"type": "conversation.item.delete", "item_id": "gone"},
        "item_delete_invalid_item_id",
        "item_id",
        "Error deleting item: the item with id 'gone' does not exist.",
    ),
    (
        {"type": "conversation.item.retrieve", "item_id": "gone"},
        "item_retrieve_invalid_item_id",
        "item_id",
        "Error retrieving item: the item with id 'gone' does not exist.",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "gone", "content_index": 0, "audio_end_ms": 0},
        "item_truncate_invalid_item_id",
        "item_id",
        "Error truncating item: the item with id 'gone' does not exist.",
    ),
    (
        {"type": "conversation.item.truncate", "item_id": "gone", "content_index": 0, "audio_end_ms": -1},
        "integer_below_min_value",
        "audio_end_ms",
        "Expected a value >= 0, but got -1 instead.",
    ),
    (
        {"type": "response.cancel"},
        "response_cancel_not_active",
        None,
        "Cancellation failed: no active response found",
    ),
    (
        {"type": "response.create", "response": {"modalities": ["text"]}},
        "unknown_parameter",
        "response.modalities",
        "Unknown parameter: 'response.modalities'.",
    ),
    (
        {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": "gone"}]}},
        "invalid_value",
        "response.input[0].id",
        "Item with id 'gone' not found.",
    ),
]


async def test_bad_events_are_refused_in_the_services_words() -> None:
    async with session() as client:
        for number, (event, code, param, words) in enumerate(REFUSED):
            await client.connection.send(json.dumps({**event, "event_id": f"mine-{number}"}))
            error = await client.error()
            assert error["type"] == "invalid_request_error"
            assert (error["code"], error["param"], error["event_id"]) == (code, param, f"mine-{number}"), event
            assert words in error["message"]
        assert set(client.types) == {"session.created", "error"}


async def test_an_id_can_be_taken_only_once() -> None:
    async with session() as client:
        await client.say("hi", id="me")
        await client.say("hi", id="me")
        assert (await client.error())["code"] == "item_create_duplicate_item_id"


async def test_a_short_buffer_says_how_much_it_holds() -> None:
    async with session() as client:
        await client.append(silence(40))
        await client.send("input_audio_buffer.commit")
        assert "buffer only has 40.00ms of audio." in (await client.error())["message"]


async def test_the_voice_is_fixed_once_it_was_heard() -> None:
    async with session() as client:
        updated = await client.update(audio={"output": {"voice": "cedar"}})
        await client.ask("hello")
        await client.send("session.update", session={"type": "realtime", "audio": {"output": {"voice": "ash"}}})
        error = await client.error()
        assert error["code"] == "cannot_update_voice"
        assert error["message"] == "Cannot update a conversation's voice if assistant audio is present."
        # The same voice again is no change, and everything else may still change.
        again = await client.update(audio={"output": {"voice": "cedar", "speed": 1.5}}, instructions="Be brief.")
        assert again["audio"]["output"] == {**updated["audio"]["output"], "speed": 1.5}


@pytest.mark.parametrize("target", ["user", "text"])
async def test_only_spoken_answers_can_be_truncated(target: str) -> None:
    async with session() as client:
        response = await client.ask("hello", output_modalities=["text"])
        user = client.of("conversation.item.added")[0]["item"]["id"]
        item_id = user if target == "user" else response["output"][0]["id"]
        await client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
        assert (await client.error())["message"] == "Only model output audio messages can be truncated."


GARBAGE: list[str | bytes] = [
    b"\x00\xff\xfe",
    b'{"type":"response.create"}',
    "",
    "null",
    "[]",
    "{}",
    '"text"',
    "42",
    "{",
    '{"type":null}',
    '{"type":["session.update"]}',
    '{"type":"response.create","event_id":5}',
    '{"type":"\ud800"}'.encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    '{"type":"\\ud800"}',
    '{"type":"conversation.item.delete","item_id":"\\udfff"}',
    '{"type":"session.update","session":{"type":"realtime","audio":{"output":{"speed":1e999}}}}',
    '{"type":"session.update","session":{"type":"realtime","audio":{"output":{"speed":NaN}}}}',
    '{"type":"session.update","session":{"type":"realtime","max_output_tokens":1' + "0" * 5000 + "}}",
    "[" * 100_000,
    '{"a":' * 5000 + "1" + "}" * 5000,
    '{"type":"response.create","response":{"metadata":' + "[" * 200 + "]" * 200 + "}}",
    '{"type":"session.update","session":{"type":"realtime","instructions":true}}',
    '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":{}}}}}',
    '{"type":"conversation.item.truncate","item_id":"a","content_index":1e30,"audio_end_ms":true}',
]


async def test_garbage_gets_an_error_and_the_session_goes_on() -> None:
    async with session() as client:
        for frame in GARBAGE:
            await client.connection.send(frame)
            assert (await client.receive())["type"] == "error", frame[:80]
        assert (await client.ask("hello", output_modalities=["text"]))["status"] == "completed"


async def test_lone_surrogates_are_echoed_as_they_came() -> None:
    async with session() as client:
        await client.connection.send(
            '{"type":"conversation.item.create","item":{"id":"\\ud800","type":"message","role":"user",'
            '"content":[{"type":"input_text","text":"\\udead hello"}]}}'
        )
        item = (await client.until("conversation.item.added"))["item"]
        assert (item["id"], item["content"][0]["text"]) == ("\ud800", "\udead hello")
        assert (await client.ask("hello"))["status"] == "completed"


async def test_an_append_holds_at_most_15_mib() -> None:
    async with session() as client:
        await client.update(audio={"input": {"turn_detection": None}})
        largest = 20 * 1024 * 1024
        await client.send("input_audio_buffer.append", audio="A" * (largest + 4))
        error = await client.error()
        assert (error["code"], error["param"]) == ("string_above_max_length", "audio")
        await client.send("input_audio_buffer.append", audio="A" * largest)
        await client.send("input_audio_buffer.commit")
        await client.until("input_audio_buffer.committed")


async def test_a_flood_of_errors_waits_for_a_slow_reader() -> None:
    async with session() as client:
        for _ in range(2000):
            await client.connection.send("null")
        for _ in range(2000):
            assert (await client.receive())["type"] == "error"
        assert (await client.ask("hello", output_modalities=["text"]))["status"] == "completed"


async def test_an_error_names_the_event_even_where_its_type_is_missing() -> None:
    async with session() as client:
        await client.connection.send('{"event_id":"mine"}')
        error = await client.error()
        assert (error["code"], error["event_id"]) == ("invalid_event", "mine")
        assert error["message"] == "The 'type' field is missing."


def _names() -> st.SearchStrategy[str]:
    words = [
        "type",
        "session",
        "audio",
        "item",
        "content",
        "role",
        "id",
        "output",
        "input",
        "tools",
        "text",
        "response",
    ]
    values = [
        *GA_EVENTS,
        "realtime",
        "message",
        "user",
        "assistant",
        "input_audio",
        "input_text",
        "function",
        "server_vad",
    ]
    return st.one_of(st.sampled_from(words + values), st.text(max_size=5))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _names()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names(), inner, max_size=4)),
    max_leaves=12,
)
EVENT = st.dictionaries(
    st.sampled_from(["item", "item_id", "session", "response", "audio", "event_id", "content_index", "audio_end_ms"]),
    JSON,
).flatmap(lambda rest: st.sampled_from(list(GA_EVENTS)).map(lambda kind: {"type": kind, **rest}))


class Kept(Line):
    """A line without a connection, for more events than a socket could carry in time."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events

    def send(self, event: Event) -> None:
        """Keep an event."""
        self.events.append(event)

    async def drained(self) -> None:
        """Nothing waits."""


@pytest.mark.parametrize("name", ["ga", "beta"])
async def test_whatever_json_comes_the_session_survives_it(name: str) -> None:
    sent: list[Event] = []
    line = Kept(sent)

    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    @given(EVENT)
    def feed(event: Any) -> None:
        sent.clear()
        target.receive(json.dumps(event))
        json.dumps(sent, allow_nan=False)

    async with asyncio.TaskGroup() as tasks:
        target = Session(
            "model",
            Terms(name, lifetime_s=3600),
            line=line,
            spawn=tasks.create_task,
            pacing=Pacing(thinking_s=3600),
            speaker=Speaker("recordings"),
            faults=FaultPlan(),
        )
        feed()
        target.receive('{"type":"conversation.item.delete","item_id":"none"}')
        assert sent[-1]["error"]["code"] == "item_delete_invalid_item_id"
        target.stop()


def test_beta_and_ga_take_the_same_events() -> None:
    assert set(Beta.client_events) == set(GA_EVENTS)
