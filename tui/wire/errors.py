"""The error in an event, in whichever shape a server writes it. No I/O, and never raises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.wire.frames import parse

_MOST_WRAPPED: Final = 4
"""Levels of an error: an answer of the service, in that of a gateway, in an event."""


def error_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error object of an event, {} without one.

    Some servers give a string, or a list, wrap it twice, also as a text of JSON, or put it beside.
    """
    error = next((event[name] for name in ("error", "errors") if event.get(name)), None)
    for _ in range(_MOST_WRAPPED):
        inside = _unwrapped(error)
        if inside is None:
            break
        error = inside
    if isinstance(error, Mapping):
        said = error.get("error")
        return {"message": said, **error} if isinstance(said, str) else error
    beside = {key: event[key] for key in ("code", "message", "param") if event.get(key)}
    if not beside and not error:
        said = next((event[key] for key in ("detail", "reason") if isinstance(event.get(key), str)), "")
        beside = {"message": said} if said else {}
    return {"code" if "message" in beside else "message": error, **beside} if error else beside


def _unwrapped(error: object) -> object:
    """The error that is wrapped in another one; None where it is the thing itself."""
    if isinstance(error, list):
        return error[0] if error and isinstance(error[0], Mapping) else None
    if isinstance(error, str) and error.lstrip()[:1] == "{":
        return parse(error.encode(errors="replace"))
    if isinstance(error, Mapping):
        if isinstance(error.get("error"), Mapping | list):
            return error["error"]
        message = error.get("message")
        return message if isinstance(message, Mapping) and ("message" in message or "error" in message) else None
    return None
