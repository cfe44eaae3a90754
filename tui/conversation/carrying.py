"""What of a conversation goes into a new session, as the items of ``conversation.item.create``.

The text of both sides, as far as the person heard it, and the calls of tools with their output. The API takes no audio
of the assistant's, so that what was spoken goes as ``output_text``; a spoken turn of the person's goes as its
transcript. A call that the service made itself (``mcp_call``) goes as a call of a function: the API reference has no
example of creating one, and the model needs no more than what was asked and what came of it. The tools themselves are
settings of the session, which lists them anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui import wire
from tui.conversation.blocks import Block
from tui.conversation.items import CALLS
from tui.conversation.turns import Speaker, TurnState

MAX_CHARS: Final = 48_000
"""Characters of all items together, about 12,000 tokens: models hold 32,000 and more, and every turn is billed for all
of it."""

MAX_ITEMS: Final = 400

ROLES: Final = {"user": Speaker.USER, "assistant": Speaker.AGENT, "system": Speaker.SYSTEM}
"""Who speaks in an item of each role."""

_NO_FUNCTION_NAME: Final = re.compile(r"[^a-zA-Z0-9_-]")
"""What the name of a function cannot have, and that of a tool of an MCP server can."""

_ROLE_OF: Final = {speaker: role for role, speaker in ROLES.items()}


CARRIED: Final = "carried "
"""Begins the ids of events that put the conversation so far into a new session."""

CARRIED_FIRST: Final = re.compile(r"carried_(\d{1,6})_1")
"""The id of the first item that a new session is given of it."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What goes into the new session."""

    items: tuple[dict[str, Any], ...] = ()
    """Items in the order of the conversation, each with an id of ours."""
    left_out: int = 0
    """Items that are too old: there is no room for them."""
    unspoken: int = 0
    """Spoken turns of the person's that have no transcript."""
    unfinished: int = 0
    """Calls of tools of which nothing had come, and requests for approval that nobody had answered."""
    ends_with_question: bool = False
    """Whether the last thing of all is the user's, or what came of a call: nothing has answered it."""


def choose(blocks: Iterable[Block], session: int) -> tuple[Carried, list[tuple[Block, dict[str, Any]]]]:
    """What goes into the ``session``-th session, and the blocks that the items are made of."""
    known = [block for block in blocks if not block.deleted and _is_taken(block)]
    unspoken = sum(block.speaker is Speaker.USER and not block.text.strip() for block in known)
    complete = _complete([(block, item) for block in known for item in _items(block)])
    chosen = _complete(_latest(complete))
    for number, (_, item) in enumerate(chosen, 1):
        item["id"] = f"carried_{session}_{number}"
    carried = Carried(
        tuple(item for _, item in chosen),
        len(complete) - len(chosen),
        unspoken,
        _unfinished(known, complete),
        bool(chosen) and _is_open(chosen[-1]) and _last(known) is chosen[-1][0],
    )
    return carried, chosen


def _is_open(last: tuple[Block, dict[str, Any]]) -> bool:
    """Whether an answer is to follow this item."""
    block, item = last
    return block.speaker is Speaker.USER or item["type"] == "function_call_output"


def _last(known: list[Block]) -> Block | None:
    """The last block that the conversation consists of: what the agent never began to say is none."""
    both = (Speaker.USER, Speaker.TOOL)
    return next(
        (each for each in reversed(known) if each.speaker in both or next(_items(each), None) is not None), None
    )


def _is_taken(block: Block) -> bool:
    """Whether a server has taken it. What none has confirmed is sent once more instead, or was given up."""
    if block.state is TurnState.FAILED:
        return bool(block.name)
    return block.state not in (TurnState.QUEUED, TurnState.SENT)


def _items(block: Block) -> Iterator[dict[str, Any]]:
    """The items of a block, without their ids; none for what is not part of the conversation."""
    if block.kind == "function_call":
        yield _call(block.call_id, block.parts.get(-1, ""), block)
    elif block.kind == "function_call_output":
        yield {"type": "function_call_output", "call_id": block.call_id, "output": block.parts.get(0, "")}
    elif block.kind == "mcp_call" and block.output is not None:
        name = _NO_FUNCTION_NAME.sub("_", block.parts.get(-1, ""))[:64]
        yield _call(block.key, name or "tool", block)
        yield {"type": "function_call_output", "call_id": block.key, "output": block.output}
    role, text = _ROLE_OF.get(block.speaker), _heard(block)
    if role is not None and block.kind == "message" and text:
        content_type = "output_text" if role == "assistant" else "input_text"
        yield {"type": "message", "role": role, "content": [{"type": content_type, "text": text}]}


def _call(call_id: str, name: str, block: Block) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": block.parts.get(0, "")}


def _heard(block: Block) -> str:
    text = block.text
    return text[: block.heard(text)].rstrip()


def is_same(block: Block, item: Mapping[str, Any]) -> bool:
    """Whether an item that a server confirms is what a carried block went out as."""
    kind = item.get("type")
    if block.kind == "mcp_call":
        return kind in ("function_call", "function_call_output") and item.get("call_id") == block.key
    if kind != block.kind:
        return False
    if block.kind != "message":
        return item.get("call_id") == block.call_id
    return ROLES.get(str(item.get("role"))) is block.speaker and wire.content_text(item.get("content")) == _heard(block)


def _complete(found: list[tuple[Block, dict[str, Any]]]) -> list[tuple[Block, dict[str, Any]]]:
    """Without the calls that have no output, and the outputs whose call is gone: a server refuses the latter."""
    calls = {item["call_id"] for _, item in found if item["type"] == "function_call"}
    outputs = {item["call_id"] for _, item in found if item["type"] == "function_call_output"}
    both = (calls & outputs) - {""}
    return [(block, item) for block, item in found if item["type"] == "message" or item["call_id"] in both]


def _unfinished(known: list[Block], complete: list[tuple[Block, dict[str, Any]]]) -> int:
    """How many calls have no output, and requests for approval no answer."""
    finished = {block.key for block, _ in complete}
    return sum(block.kind in CALLS and block.output is None and block.key not in finished for block in known)


def _latest(found: list[tuple[Block, dict[str, Any]]]) -> list[tuple[Block, dict[str, Any]]]:
    """As many as there is room for, the newest in any case."""
    room = MAX_CHARS
    kept = 0
    for _, item in reversed(found[-MAX_ITEMS:]):
        room -= len(wire.content_text(item.get("content")) or item.get("arguments", item.get("output", "")))
        if room < 0 and kept:
            break
        kept += 1
    return found[len(found) - kept :]
