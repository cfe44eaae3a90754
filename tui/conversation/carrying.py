"""What of a conversation goes into a new session, as the items of ``conversation.item.create``.

The text of both sides, as far as the person heard it, and the calls of tools with their output. The API takes no audio
of the assistant's, so that what was spoken goes as ``output_text``; a spoken turn of the person's goes as its
transcript.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui import wire
from tui.conversation.blocks import Block
from tui.conversation.turns import Speaker, TurnState

MAX_CHARS: Final = 48_000
"""Characters of all items together, about 12,000 tokens: models hold 32,000 and more, and every turn is billed for all
of it."""

MAX_ITEMS: Final = 400

ROLES: Final = {"user": Speaker.USER, "assistant": Speaker.AGENT, "system": Speaker.SYSTEM}
"""Who speaks in an item of each role."""

_ROLE_OF: Final = {speaker: role for role, speaker in ROLES.items()}


@dataclass(frozen=True, slots=True)
class Carried:
    """What goes into the new session."""

    items: tuple[dict[str, Any], ...] = ()
    """Items in the order of the conversation, each with an id of ours."""
    left_out: int = 0
    """Items that are too old: there is no room for them."""
    unspoken: int = 0
    """Spoken turns of the person's that have no transcript."""
    ends_with_question: bool = False
    """Whether the last item is the person's, which nothing has answered."""


def choose(blocks: Iterable[Block], session: int) -> tuple[Carried, list[tuple[Block, dict[str, Any]]]]:
    """What goes into the ``session``-th session, and the blocks that the items are made of."""
    known = [block for block in blocks if not block.deleted and _is_taken(block)]
    unspoken = sum(block.speaker is Speaker.USER and not block.text.strip() for block in known)
    found = [(block, item) for block in known if (item := _item(block)) is not None]
    chosen = _complete(_latest(_complete(found)))
    for number, (_, item) in enumerate(chosen, 1):
        item["id"] = f"carried_{session}_{number}"
    carried = Carried(
        tuple(item for _, item in chosen),
        len(_complete(found)) - len(chosen),
        unspoken,
        bool(chosen) and chosen[-1][0].speaker is Speaker.USER,
    )
    return carried, chosen


def _is_taken(block: Block) -> bool:
    """Whether a server has taken it. What none has confirmed is sent once more instead, or was given up."""
    if block.state is TurnState.FAILED:
        return bool(block.name)
    return block.state not in (TurnState.QUEUED, TurnState.SENT)


def _item(block: Block) -> dict[str, Any] | None:
    """The item of a block, without its id; None for what is not part of the conversation."""
    if block.kind == "function_call":
        return {
            "type": "function_call",
            "call_id": block.call_id,
            "name": block.parts.get(-1, ""),
            "arguments": block.parts.get(0, ""),
        }
    if block.kind == "function_call_output":
        return {"type": "function_call_output", "call_id": block.call_id, "output": block.parts.get(0, "")}
    role, text = _ROLE_OF.get(block.speaker), _heard(block)
    if role is None or block.kind != "message" or not text:
        return None
    content_type = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": content_type, "text": text}]}


def _heard(block: Block) -> str:
    text = block.text
    return text[: block.heard(text)].rstrip()


def is_same(block: Block, item: Mapping[str, Any]) -> bool:
    """Whether an item that a server confirms is what a carried block went out as."""
    if item.get("type") != block.kind:
        return False
    if block.kind != "message":
        return item.get("call_id") == block.call_id
    return ROLES.get(str(item.get("role"))) is block.speaker and wire.content_text(item.get("content")) == _heard(block)


def _complete(found: list[tuple[Block, dict[str, Any]]]) -> list[tuple[Block, dict[str, Any]]]:
    """Without the calls that have no output, and the outputs whose call is gone: a server refuses the latter."""
    calls = {block.call_id for block, item in found if item["type"] == "function_call"}
    outputs = {block.call_id for block, item in found if item["type"] == "function_call_output"}
    both = (calls & outputs) - {""}
    return [(block, item) for block, item in found if item["type"] == "message" or block.call_id in both]


def _latest(found: list[tuple[Block, dict[str, Any]]]) -> list[tuple[Block, dict[str, Any]]]:
    """As many as there is room for, the newest in any case."""
    room = MAX_CHARS
    kept = 0
    for block, _ in reversed(found[-MAX_ITEMS:]):
        room -= len(block.text)
        if room < 0 and kept:
            break
        kept += 1
    return found[len(found) - kept :]
