"""What the items of a conversation say, put into their blocks: messages, and the tools that anybody calls.

A function is called by the client, which sends its output as an item of its own. A tool of an MCP server is called by
the service: call and output are one item, and another one before it may ask for approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui import wire
from tui.conversation.blocks import Block, Blocks
from tui.conversation.turns import Speaker, TurnState

CALLS: Final = ("function_call", "mcp_call", "mcp_approval_request")
"""Types of items that name a tool and its arguments."""

CALL_FAILED: Final = "failed"

WAITS_FOR_APPROVAL: Final = "asks for approval, which cannot be given here: it has not run"


def begin_tool(blocks: Blocks, item: Mapping[str, Any], time_s: float) -> Block | None:
    """A new block for what a tool has to do with; None for every other item."""
    kind = item.get("type")
    if kind not in (*CALLS, "function_call_output"):
        return None
    state = TurnState.DONE if kind == "function_call_output" else TurnState.STREAMING
    block = blocks.add(string(item.get("id")), Speaker.TOOL, time_s, state)
    block.kind, block.call_id = str(kind), string(item.get("call_id"))
    if kind in CALLS:
        block.parts[-1] = string(item.get("name"))
    return block


def fill(block: Block, item: Mapping[str, Any]) -> None:
    """Take what the item itself says, where no delta has brought it."""
    if item.get("type") == "function_call_output":
        output = string(item.get("output"))
        if block.kind == "mcp_call":  # it was carried over as two items
            block.output = output
        else:
            block.parts[0] = output
    elif block.speaker is Speaker.TOOL:
        arguments = string(item.get("arguments"))
        if arguments:
            block.parts[0] = arguments
        if block.kind == "mcp_call":
            _take_output(block, item)
        elif block.kind == "mcp_approval_request" and block.output is None:
            block.note = WAITS_FOR_APPROVAL
    elif not any(block.parts.values()):
        said = wire.content_text(item.get("content"))
        if said:
            block.parts[0] = said


def answer_approval(blocks: Blocks, item: Mapping[str, Any]) -> None:
    """Where the item answers a request for approval, by a response or as the call itself: say so in the request."""
    block = blocks.named(string(item.get("approval_request_id")))
    if block is not None and block.kind == "mcp_approval_request" and block.output is None:
        block.output = "refused" if item.get("approve") is False else "approved"
        block.note = ""
        blocks.touch(block)


def has_audio(item: Mapping[str, Any]) -> bool:
    """Whether it is speech of the person's."""
    content = item.get("content")
    if not isinstance(content, list):
        return False
    return any(isinstance(part, Mapping) and part.get("type") == "input_audio" for part in content)


def part_index(event: Mapping[str, Any]) -> int:
    """Which part of an item's content an event is about."""
    value = event.get("content_index")
    return value if isinstance(value, int) and 0 <= value < 1000 else 0


def mapping(value: object) -> Mapping[str, Any]:
    """An object as it is; {} for anything else."""
    return value if isinstance(value, Mapping) else {}


def string(value: object) -> str:
    """A string as it is; "" for anything else."""
    return value if isinstance(value, str) else ""


def _take_output(block: Block, item: Mapping[str, Any]) -> None:
    output, error = item.get("output"), item.get("error")
    if isinstance(output, str):
        block.output = output
    elif isinstance(error, Mapping):
        said = wire.text(error.get("message")) or wire.text(error.get("type"))
        block.output = f"{CALL_FAILED}: {said}" if said else CALL_FAILED
