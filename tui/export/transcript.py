"""`azrt-tui export`: the conversation of a capture as text, Markdown or JSON, with what nobody heard marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from tui.capture import CaptureReader
from tui.clock import clock
from tui.conversation import Speaker, Turn
from tui.endpoint import escape_controls
from tui.replay.position import Replayed

_NAMES: Final = {
    Speaker.USER: "You",
    Speaker.AGENT: "Agent",
    Speaker.TOOL: "Tool",
    Speaker.SYSTEM: "System",
    Speaker.PROGRAM: "azrt-tui",
}

_MARKDOWN = re.compile(r"([\\`*_~<>\[\]|#&])")
_LIST = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))", re.MULTILINE)


def turns_of(reader: CaptureReader) -> tuple[Turn, ...]:
    """What was said, in the order of the conversation. Raises CaptureError."""
    reader.read_all()
    replayed = Replayed(reader.log, "", "")
    while replayed.count < len(reader.log):
        replayed.take()
    replayed.finish()
    return replayed.turns()


def as_text(reader: CaptureReader) -> str:
    """Plain text, a paragraph a turn; ``[not heard: …]`` marks what did not reach the person."""
    turns = turns_of(reader)
    paragraphs = [_safe(_title(reader))]
    for turn in turns:
        heard, unheard = _parts(turn)
        said = f"{heard}{' ' * bool(heard)}[not heard: {unheard}]" if unheard else heard
        note = f" ({turn.note})" if turn.note else ""
        paragraphs.append(_safe(f"{clock(turn.time_s):>7}  {_NAMES[turn.speaker]}: {said}{note}"))
    return "\n\n".join(paragraphs) + "\n"


def as_markdown(reader: CaptureReader) -> str:
    """Markdown, a paragraph a turn; what did not reach the person is struck through."""
    turns = turns_of(reader)
    blocks = [_safe(f"# {_escaped(_title(reader))}")]
    for turn in turns:
        heard, unheard = (_escaped(part) for part in _parts(turn))
        struck = "\n".join(f"~~{line}~~" if line else line for line in unheard.split("\n"))
        said = f"{heard}{' ' * bool(heard)}{struck}" if unheard else heard
        name = f"**{_NAMES[turn.speaker]}** ({clock(turn.time_s)})"
        note = f"\n\n*{_escaped(turn.note)}*" if turn.note else ""
        blocks.append(_safe(f"{name}\n\n{said}{note}"))
    return "\n\n".join(blocks) + "\n"


def as_json(reader: CaptureReader) -> str:
    """One JSON object: where it is from, and the turns."""
    turns = []
    for turn in turns_of(reader):
        heard, unheard = _parts(turn)
        fields = {
            "time": round(turn.time_s, 3),
            "speaker": turn.speaker.value,
            "heard": heard,
            "unheard": unheard,
            "state": turn.state.value,
            "note": turn.note,
            "item_id": turn.item_id,
        }
        turns.append(fields)
    header = reader.header
    where = {
        "started": header.started if header else "",
        "host": header.host if header else "",
        "deployment": header.deployment if header else "",
    }
    return json.dumps({**where, "turns": turns, "problems": reader.problems}, indent=1) + "\n"


FORMATS: Final[Mapping[str, Callable[[CaptureReader], str]]] = {
    "markdown": as_markdown,
    "txt": as_text,
    "json": as_json,
}
"""What a transcript can be written as."""


def _parts(turn: Turn) -> tuple[str, str]:
    """What was heard, and what was not."""
    return turn.text[: turn.heard].strip(), turn.text[turn.heard :].strip()


def _title(reader: CaptureReader) -> str:
    header = reader.header
    if header is None:
        return "Conversation"
    where = ", ".join(part for part in (header.deployment, header.host) if part)
    said = "Conversation" + (f" with {where}" if where else "") + (f", {header.started}" if header.started else "")
    return " ".join(said.split())


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return _LIST.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text)).replace("\n", "  \n")


def _safe(text: str) -> str:
    """Without what would move a terminal's cursor, for those who look at the file in one."""
    return escape_controls(text, keep="\n\t")
