"""Frames as bytes: their type, their JSON, and where a string stands in them. No I/O.

Frames come from the network: every function takes any bytes and never raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

BROKEN_TYPE = "(not JSON)"
"""Stands for the type of a text frame that is not a JSON object with a string ``type``."""

BINARY_TYPE = "(binary)"
"""Stands for the type of a binary frame: the Realtime API sends none."""

NESTING_TYPE = "response.event"
"""GPT-Live's envelope of an event of the Responses API. Its type is shown with that of the event in it."""

# Servers write `type` first or right after `event_id`; anything else takes the slow road through the JSON parser.
_TYPE_FIRST = re.compile(rb'\s*\{\s*(?:"event_id"\s*:\s*"[^"\\]*"\s*,\s*)?"type"\s*:\s*"([^"\\]{1,200})"')


_MOST_BEFORE_TYPE = 1_000
"""Characters at the start of an event that hold its type, where that is named first."""


def starts_event(text: str) -> bool:
    """Return whether a text begins as an event that names its type first, whatever becomes of it."""
    return _TYPE_FIRST.match(text[:_MOST_BEFORE_TYPE].encode(errors="replace")) is not None


def sniff_type(data: bytes) -> str:
    """The ``type`` of a text frame, in about half a microsecond for frames as the services write them.

    Returns :data:`BROKEN_TYPE` for whatever is not a JSON object with a string type, unless it begins like one.
    """
    found = _TYPE_FIRST.match(data)
    if found is not None:
        try:
            event_type = found[1].decode()
        except UnicodeDecodeError:
            return BROKEN_TYPE
        if event_type != NESTING_TYPE:
            return event_type
    event = parse(data)
    return type_of(event) if event is not None else BROKEN_TYPE


def type_of(event: Mapping[str, Any]) -> str:
    """Return the type of an event; ``response.event/NESTED`` for an event of the Responses API inside GPT-Live's."""
    event_type = event.get("type")
    if event_type == NESTING_TYPE:
        nested = inner(event).get("type")
        return f"{NESTING_TYPE}/{nested}" if isinstance(nested, str) and nested else NESTING_TYPE
    return event_type if isinstance(event_type, str) and event_type else BROKEN_TYPE


def inner(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what says what happened: the nested event of GPT-Live's ``response.event``, else the event itself."""
    nested = event.get("event") if event.get("type") == NESTING_TYPE else event
    return nested if isinstance(nested, Mapping) else {}


def parse(data: bytes) -> dict[str, Any] | None:
    """The event in a text frame, or None for whatever is not a JSON object (broken, null, nested too deeply)."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):  # ValueError covers JSONDecodeError, UnicodeDecodeError and huge integers
        return None
    return event if isinstance(event, dict) else None


def why_not_event(data: bytes) -> str:
    """Why :func:`parse` gives None for this frame, in a few words."""
    try:
        value = json.loads(data)
    except UnicodeDecodeError as error:
        return f"not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg.lower()} at character {error.pos}"
    except RecursionError:
        return "JSON nested too deeply"
    except ValueError:
        return "JSON with a number of too many digits"
    kinds = {type(None): "null", list: "an array", str: "a string", bool: "a boolean"}
    return f"JSON, but {kinds.get(type(value), 'a number')} instead of an object"


def find_string(data: bytes, quoted_key: bytes) -> tuple[int, int, int]:
    """Where the first string under a key stands: the key's offset, and start and end of the string in its quotes.

    (0, 0, 0) when there is none. Reads no JSON: for delta events only. They nest nothing before their ids, and a quote
    inside their text is escaped, so the first match is the right one.
    """
    at = data.find(quoted_key)
    if at < 0:
        return 0, 0, 0
    colon = at + len(quoted_key)
    start = data.find(b'"', colon) + 1
    end = data.find(b'"', start)
    if not 0 < start <= end or data[colon : start - 1].strip() != b":":
        return 0, 0, 0
    return at, start, end


def decoded_size(data: bytes, start: int, end: int) -> int:
    """Bytes that the base64 text between two offsets of a frame stands for, from its length alone."""
    if end - start < 4:
        return 0
    padding = 0 if data[end - 1] != 61 else 1 if data[end - 2] != 61 else 2  # 61 is "="
    return (end - start) * 3 // 4 - padding
