"""Captures made of events, for the commands that read them."""

from __future__ import annotations

import base64
import json
from array import array
from pathlib import Path
from typing import Any

from tui.capture import CaptureWriter, EventLog, Mark
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction
MS = 1_000_000

Happening = tuple[int, Direction, dict[str, Any]] | Mark
"""Milliseconds, direction and event; or a mark."""


def capture(folder: Path, *happenings: Happening, host: str = "acme.example", model: str = "gpt-realtime") -> Path:
    """A capture of what happened, in ``folder``."""
    writing = CaptureWriter(
        NewCapture(folder),
        Header(program="azrt-tui 1", host=host, deployment=model),
        clock_ns=lambda: 0,
        wall_ns=lambda: 1_800_000_000 * 10**9,
    )
    log = EventLog(capture=writing)
    for one in happenings:
        if isinstance(one, tuple):
            ms, direction, event = one
            index = log.append(direction, json.dumps(event).encode(), ms * MS)
            if event["type"] == "error":
                log.mark_alarm(index)
        else:
            log.mark(one)
    log.close()
    assert not writing.trouble
    return writing.path


def tone(ms: int, value: int) -> str:
    """So much of a constant sample, as base64."""
    return base64.b64encode(array("h", [value]) * (24 * ms)).decode()


def audio(item: str, ms: int, value: int, response: str = "resp_1") -> dict[str, Any]:
    """A piece of an answer."""
    return {
        "type": "response.output_audio.delta",
        "response_id": response,
        "item_id": item,
        "content_index": 0,
        "delta": tone(ms, value),
    }


def said(item: str, text: str, response: str = "resp_1") -> dict[str, Any]:
    """A piece of an answer's transcript."""
    return {
        "type": "response.output_audio_transcript.delta",
        "response_id": response,
        "item_id": item,
        "content_index": 0,
        "delta": text,
    }


def typed(text: str) -> dict[str, Any]:
    """A message of the person's, as it is sent."""
    content = [{"type": "input_text", "text": text}]
    return {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": content}}
