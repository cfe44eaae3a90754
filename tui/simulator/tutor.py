"""Picks what to reply: an answer of the script, or a call of one of the session's tools."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui.simulator import script
from tui.simulator.audio import level_db
from tui.simulator.conversation import Item, Sound
from tui.simulator.script import Answer
from tui.simulator.vad import QUIETEST_DB

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_COUNT_TO = re.compile(r"\bcount\b(?:\D*?(\d+))?", re.IGNORECASE)
_PLACE = re.compile(r"\b(?:in|for|at|of|to)\s+([A-Z]\w+(?:[ -][A-Z]\w+)*)")

_TOOL_VERBS = frozenset(
    "get set list find fetch do run make create update check read show give look up search the a to of and in".split()  # noqa: SIM905
)
"""Parts of a tool's name that many tools share and that therefore ask for none of them."""

_LONGEST_COUNT = 200
_MEASURED = 50_000
_LONGEST_OUTPUT = 300


@dataclass(frozen=True)
class Say:
    """Reply with words."""

    answer: Answer


@dataclass(frozen=True)
class Call:
    """Reply with a call of the function `name`; `arguments` is JSON."""

    name: str
    arguments: str


def reply(
    context: Sequence[Item],
    *,
    tools: Sequence[Mapping[str, Any]] = (),
    tool_choice: Any = "auto",
    instructions: str = "",
) -> Say | Call:
    """Return the reply to the newest item of `context` that a reply can be given to.

    `instructions` are those of this one response; they count as the request if they name a topic.
    """
    last = next((item for item in reversed(context) if _asks(item)), None)
    if last is not None and last.data["type"] == "function_call_output":
        return Say(_tool_result(last, context))
    sound = _sound(last)
    text = last.text() if last is not None else ""
    call = _tool_call(text, tools, tool_choice)
    if call is not None:
        return call
    if instructions and _topic(instructions) is not None:
        text = instructions
    elif sound is not None:
        return Say(_heard(sound, spoken_turns=sum(_sound(item) is not None for item in context)))
    return Say(_scripted(text) if text or last is not None else script.HELLO)


def _asks(item: Item) -> bool:
    return item.data["type"] == "function_call_output" or item.data.get("role") == "user"


def _sound(item: Item | None) -> Sound | None:
    if item is None or item.data.get("role") != "user":
        return None
    return next(iter(item.sounds.values()), None)


def describe(sound: Sound) -> tuple[str, str]:
    """Return the length and the level of `sound` for people to read: ("1.8", "-23")."""
    samples = sound.format.samples(bytes(sound.data))
    # A sample of the samples will do: a minute of audio would hold up the event loop.
    level = level_db(samples[:: 1 + len(samples) // _MEASURED])
    return f"{sound.ms / 1000:.1f}", f"{level:.0f}"


def _heard(sound: Sound, spoken_turns: int) -> Answer:
    seconds, level = describe(sound)
    if float(level) < QUIETEST_DB:
        return script.SILENCE.filled(seconds=seconds, level=level)
    lesson = script.LESSONS[(spoken_turns - 1) % len(script.LESSONS)]
    return script.HEARD.filled(seconds=seconds, level=level, lesson=lesson)


def _tool_result(output: Item, context: Sequence[Item]) -> Answer:
    call_id = output.data["call_id"]
    calls = (item.data for item in context if item.data["type"] == "function_call")
    name = next((call["name"] for call in calls if call["call_id"] == call_id), "the tool")
    text = " ".join(output.data["output"].split())
    shown = text if len(text) <= _LONGEST_OUTPUT else f"{text[:_LONGEST_OUTPUT]}…"
    return script.TOOL_RESULT.filled(name=name, output=shown or "nothing")


def _scripted(text: str) -> Answer:
    count = _COUNT_TO.search(text)
    if count:
        # Six digits are more than enough to be cut to the longest count.
        last = max(1, min(int((count[1] or "20")[:6]), _LONGEST_COUNT))
        return script.COUNT.filled(numbers=", ".join(map(str, range(1, last + 1))))
    return _topic(text) or script.FALLBACK


def _topic(text: str) -> Answer | None:
    lowered = text.lower()
    words = set(_WORD.findall(lowered))
    best, most = None, 0
    for topic in script.TOPICS:
        hits = sum(ask in (lowered if " " in ask or "-" in ask else words) for ask in topic.asks)
        if hits > most:
            best, most = topic.answer, hits
    return best


def _tool_call(text: str, tools: Sequence[Mapping[str, Any]], tool_choice: Any) -> Call | None:
    functions = [tool for tool in tools if tool["type"] == "function"]
    if tool_choice == "none" or not functions:
        return None
    if isinstance(tool_choice, dict):
        chosen = next((tool for tool in functions if tool["name"] == tool_choice.get("name")), None)
    else:
        words = set(_WORD.findall(text.lower()))
        chosen = next((tool for tool in functions if words & _name_words(tool["name"])), None)
        if chosen is None and tool_choice == "required":
            chosen = functions[0]
    if chosen is None:
        return None
    return Call(chosen["name"], json.dumps(_arguments(chosen.get("parameters"), text), ensure_ascii=False))


def _name_words(name: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return {word for word in _WORD.findall(spaced.replace("_", " ").lower()) if word not in _TOOL_VERBS}


def _arguments(schema: Any, text: str) -> dict[str, Any]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    required = schema.get("required")
    wanted = required if isinstance(required, list) and required else list(properties)
    return {name: _argument(properties[name], text) for name in wanted if isinstance(name, str) and name in properties}


def _argument(schema: Any, text: str) -> Any:
    if not isinstance(schema, dict):
        return text
    allowed = schema.get("enum")
    if isinstance(allowed, list) and allowed:
        return next((value for value in allowed if str(value).lower() in text.lower()), allowed[0])
    number = re.search(r"-?\d{1,9}", text)
    place = _PLACE.search(text)
    by_type: dict[str, Any] = {
        "integer": int(number[0]) if number else 1,
        "number": float(number[0]) if number else 1.0,
        "boolean": True,
        "array": [],
        "object": {},
        "null": None,
    }
    kind = schema.get("type")
    if isinstance(kind, str) and kind in by_type:
        return by_type[kind]
    return place[1] if place else text.strip(" ?!.") or "anything"
