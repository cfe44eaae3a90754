"""The conversation of a capture as Markdown, text and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.export.support import LOCAL, MS, RECEIVED, SENT, audio, capture, said, typed
from tui.capture import CaptureReader, Interrupted
from tui.export.transcript import FORMATS, as_json, as_markdown, as_text

HOSTILE = "*a* _b_ `c` <script> [l](http://x) \x1b]0;t\x07 \u202e\n# head\n- list\n1. one [red]x[/]"


def exported(path: Path, kind: str) -> str:
    """The transcript of a capture."""
    reader = CaptureReader(path)
    try:
        return FORMATS[kind](reader)
    finally:
        reader.close()


def interrupted(folder: Path) -> Path:
    """An answer of two seconds of which half was heard."""
    return capture(
        folder,
        (0, LOCAL, {"type": "websocket.connect", "text": "wss://acme.example"}),
        (10, SENT, typed("Tell me a story")),
        (20, RECEIVED, {"type": "response.created", "response": {"id": "resp_1"}}),
        (30, RECEIVED, said("item_1", "one two three four")),
        (31, RECEIVED, audio("item_1", 2_000, 5)),
        Interrupted(1_031 * MS, "resp_1", {"item_1": 1_000}),
        (1_032, SENT, {"type": "conversation.item.truncate", "item_id": "item_1", "audio_end_ms": 1_000}),
        (1_040, RECEIVED, {"type": "response.done", "response": {"id": "resp_1", "status": "cancelled"}}),
        (2_000, LOCAL, {"type": "websocket.closed", "text": "The server went away."}),
    )


def test_what_nobody_heard_is_marked(tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    title = "Conversation with gpt-realtime, acme.example, 2027-01-15T08:00:00"
    text = exported(path, "txt")
    assert text.startswith(title)
    assert text.split("\n\n")[1:] == [
        "   0:00  You: Tell me a story",
        "   0:00  Agent: one two three [not heard: four] (interrupted at 1.0 s)",
        "   0:02  azrt-tui: The server went away.\n",
    ]
    markdown = exported(path, "markdown")
    assert markdown.startswith(f"# {title}")
    assert "**Agent** (0:00)\n\none two three ~~four~~\n\n*interrupted at 1.0 s*\n" in markdown
    turns = json.loads(exported(path, "json"))["turns"]
    assert [(turn["speaker"], turn["heard"], turn["unheard"]) for turn in turns] == [
        ("user", "Tell me a story", ""),
        ("agent", "one two three", "four"),
        ("program", "The server went away.", ""),
    ]


def test_a_file_without_marks_goes_by_the_truncation_that_was_sent(tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    reader = CaptureReader(path)
    reader.read_all()
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(b"\n".join(reader.log.data(at) for at in range(len(reader.log))) + b"\n")
    reader.close()
    turns = json.loads(exported(plain, "json"))["turns"]
    assert ("one two three", "four") in [(turn["heard"], turn["unheard"]) for turn in turns]


def test_a_message_that_no_session_confirmed_is_there_once(tmp_path: Path) -> None:
    ended: tuple[tuple[int, Any, dict[str, Any]], ...] = (
        (20, LOCAL, {"type": "websocket.closed", "text": "Lost."}),
        (30, LOCAL, {"type": "websocket.connect", "text": "wss://acme.example"}),
    )
    path = capture(tmp_path, (10, SENT, typed("Hello?")), *ended, (40, SENT, typed("Hello?")))
    turns = json.loads(exported(path, "json"))["turns"]
    assert [turn["heard"] for turn in turns if turn["speaker"] == "user"] == ["Hello?"]


def test_what_a_new_session_was_given_is_not_said_twice(tmp_path: Path) -> None:
    item = {"id": "item_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
    carried = {**item, "id": "carried_2_1"}
    path = capture(
        tmp_path,
        (0, LOCAL, {"type": "websocket.connect", "text": ""}),
        (10, SENT, typed("Hello")),
        (20, RECEIVED, {"type": "conversation.item.done", "item": item}),
        (30, LOCAL, {"type": "websocket.closed", "text": "Lost."}),
        (40, LOCAL, {"type": "websocket.connect", "text": ""}),
        (50, SENT, {"type": "conversation.item.create", "item": carried}),
        (60, RECEIVED, {"type": "conversation.item.added", "item": carried}),
        (61, RECEIVED, {"type": "conversation.item.done", "item": carried}),
    )
    turns = json.loads(exported(path, "json"))["turns"]
    assert [turn["heard"] for turn in turns if turn["speaker"] == "user"] == ["Hello"]


@pytest.mark.parametrize("kind", FORMATS)
def test_text_from_outside_is_text(tmp_path: Path, kind: str) -> None:
    answer = {"type": "response.output_text.delta", "item_id": "i", "response_id": "r", "delta": HOSTILE}
    path = capture(tmp_path, (0, RECEIVED, answer), (5, SENT, typed(HOSTILE)), host=HOSTILE, model="*m*")
    text = exported(path, kind)
    assert not [letter for letter in text if not letter.isprintable() and letter != "\n"]
    if kind == "json":
        assert json.loads(text)["turns"][0]["heard"] == HOSTILE
    if kind == "markdown":
        assert r"\*a\* \_b\_ \`c\` \<script\> \[l\](http://x)" in text
        assert "\n\\# head  \n\\- list  \n\\1. one" in text
        assert text.split("\n")[0].count("#") == text.split("\n")[0].count("\\#") + 1


def test_a_capture_that_is_cut_off_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    exported_turns = json.loads(exported(path, "json"))
    assert exported_turns["problems"] == ["the last line is cut off, and left out"]
    assert len(exported_turns["turns"]) == 2
    for render in (as_text, as_markdown, as_json):
        reader = CaptureReader(path)
        assert "Tell me a story" in render(reader)
        reader.close()
