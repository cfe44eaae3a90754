"""The tutor: which words lead to which answer, and that it never pretends to be a model."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tui.simulator import script
from tui.simulator.audio import FORMATS
from tui.simulator.conversation import item_from_client
from tui.simulator.script import Answer
from tui.simulator.tutor import Call, Say, reply


def answer_to(text: str, **options: Any) -> Say | Call:
    content = [{"type": "input_text", "text": text}]
    item = item_from_client({"type": "message", "role": "user", "content": content}, FORMATS["audio/pcm"])
    return reply([item], **options)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Hello!", script.HELLO),
        ("What is this?", script.HELLO),
        ("which KEYS do I press", script.KEYS),
        ("how do I quit", script.KEYS),
        ("show me the events on the wire", script.EVENTS),
        ("How do I interrupt you?", script.INTERRUPT),
        ("give me a long answer", script.STORY),
        ("Tell me a story.", script.STORY),
        ("how do I set up Azure", script.AZURE),
        ("what goes into .env", script.AZURE),
        ("will it rain tomorrow", script.WEATHER),
        ("can I use the microphone", script.VOICE),
        ("what is an error event", script.ERRORS),
        ("GA or Beta url?", script.DIALECTS),
        ("how do function calls work", script.TOOLS),
        ("thank you", script.THANKS),
        ("purple monkey dishwasher", script.FALLBACK),
        ("?!", script.FALLBACK),
        ("this is whimsical", script.FALLBACK),  # "hi" and "is" hide in other words
    ],
)
def test_the_words_choose_the_answer(text: str, answer: Answer) -> None:
    assert answer_to(text) == Say(answer)


def test_nothing_said_yet_gets_a_greeting() -> None:
    assert reply([]) == Say(script.HELLO)


@pytest.mark.parametrize(
    ("text", "last"),
    [("count to 50", 50), ("Count please", 20), ("count to 0", 1), ("count to 99999999999999999999", 200)],
)
def test_it_counts(text: str, last: int) -> None:
    plan = answer_to(text)
    assert isinstance(plan, Say)
    numbers = re.findall(r"\d+", plan.answer.text)
    assert numbers == [str(number) for number in range(1, last + 1)]


def test_it_says_what_it_is() -> None:
    for answer in (script.HELLO, script.FALLBACK):
        assert "simulator" in answer.text
        assert re.search(r"\b(no|not a) model\b", answer.text)


def test_azure_is_set_up_in_three_lines() -> None:
    names = re.findall(r"^(\w+)=", script.AZURE.text, re.MULTILINE)
    assert names == ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_KEY"]


@pytest.mark.parametrize("answer", script.ANSWERS, ids=lambda answer: answer.name)
def test_answers_can_be_read_and_said(answer: Answer) -> None:
    if answer is not script.STORY:
        assert len(answer.text) < 450
    # Names of events and paths are for reading only.
    assert not re.search(r"[_/=]|\w\.\w", re.sub(r"\{\w+\}", "", answer.spoken))


@pytest.mark.parametrize(
    ("schema", "text", "arguments"),
    [
        ({"city": {"type": "string"}}, "weather in São Paulo?", '{"city": "São Paulo"}'),
        ({"query": {"type": "string"}}, "weather?", '{"query": "weather"}'),
        ({"unit": {"enum": ["celsius", "kelvin"]}}, "weather in kelvin", '{"unit": "kelvin"}'),
        ({"unit": {"enum": ["celsius", "kelvin"]}}, "weather", '{"unit": "celsius"}'),
        ({"days": {"type": "integer"}}, "weather for 3 days", '{"days": 3}'),
        ({"days": {"type": "number"}}, "weather", '{"days": 1.0}'),
        ({"x": {"type": "boolean"}, "y": {"type": "array"}}, "weather", '{"x": true, "y": []}'),
        ({"x": {"type": "object"}, "y": {"type": "null"}}, "weather", '{"x": {}, "y": null}'),
        ({"odd": 5, "odder": {"type": ["string", "null"]}}, "weather", '{"odd": "weather", "odder": "weather"}'),
    ],
)  # fmt: skip
def test_arguments_follow_the_tools_schema(schema: Any, text: str, arguments: str) -> None:
    tool = {"type": "function", "name": "getWeather", "parameters": {"type": "object", "properties": schema}}
    assert answer_to(text, tools=[tool]) == Call("getWeather", arguments)


@pytest.mark.parametrize("parameters", [None, 7, [], {"properties": []}, {"properties": {"a": {}}, "required": "a"}])
def test_a_schema_that_is_none_does_no_harm(parameters: Any) -> None:
    plan = answer_to("weather", tools=[{"type": "function", "name": "weather", "parameters": parameters}])
    assert isinstance(plan, Call)
    assert plan.name == "weather"


def test_only_what_is_required_is_filled_in() -> None:
    properties = {"city": {"type": "string"}, "unit": {"type": "string"}}
    tool = {"type": "function", "name": "weather", "parameters": {"properties": properties, "required": ["city"]}}
    assert answer_to("weather in Rome", tools=[tool]) == Call("weather", '{"city": "Rome"}')


def test_mcp_tools_are_never_called() -> None:
    tool = {"type": "mcp", "server_label": "weather"}
    assert answer_to("weather", tools=[tool], tool_choice="required") == Say(script.WEATHER)
