"""One line that says what an event holds, without its type: what the table of event types refers to.

Events come from the network: every function takes any object and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tui.wire.errors import error_of
from tui.wire.text import content_text, text

Summary = Callable[[Mapping[str, Any]], str]


def of(*keys: str) -> Summary:
    """Return a summary that is the first of these fields that says something."""

    def summarise(event: Mapping[str, Any]) -> str:
        return text(next((event[key] for key in keys if event.get(key)), None))

    return summarise


def nothing(event: Mapping[str, Any]) -> str:
    """Say nothing: the type says it all."""
    return ""


def rest(event: Mapping[str, Any]) -> str:
    """Return all fields but the type and the event's id."""
    fields = {key: value for key, value in event.items() if key not in {"type", "event_id"}}
    return text(fields) if fields else ""


def item(event: Mapping[str, Any]) -> str:
    """Return what an item says, or what it calls."""
    said = event.get("item")
    if not isinstance(said, Mapping):
        return text(event.get("item_id"))
    kind = said.get("type")
    if kind == "function_call":
        return _join("call", said.get("name"), said.get("arguments"))
    if kind == "function_call_output":
        return _join("output", said.get("output"))
    if kind == "message":
        role = text(said.get("role"))
        who = {"user": "you", "assistant": "agent"}.get(role, role)
        words = text(content_text(said.get("content")))
        return f"{who}: {words}" if words else _join(who, said.get("status"))
    return _join(kind, said.get("status"))


def session(event: Mapping[str, Any]) -> str:
    """Return model, modalities, voice, turn detection, and what a transcription or translation session is for."""
    settings = event.get("session")
    if not isinstance(settings, Mapping):
        return ""
    detection = _get(settings, "audio", "input", "turn_detection", "type") or _get(settings, "turn_detection", "type")
    voice = _get(settings, "audio", "output", "voice") or settings.get("voice")
    modalities = settings.get("output_modalities") or settings.get("modalities")
    said = "+".join(text(each) for each in modalities) if isinstance(modalities, list) else ""
    delegation = _get(settings, "delegation", "type")
    words = [
        text(settings.get("model")),
        said,
        text(voice),
        text(detection),
        text(settings.get("type")) if settings.get("type") in ("transcription", "translation") else "",
        _join("to", _get(settings, "audio", "output", "language"))
        if _get(settings, "audio", "output", "language")
        else "",
        f"{text(delegation)} delegation" if delegation else "",
    ]
    return ", ".join(word for word in words if word)


def response(event: Mapping[str, Any]) -> str:
    """Return how a response ended, why, and its tokens; its id where it only begins."""
    whole = event.get("response")
    if not isinstance(whole, Mapping):
        return text(event.get("response_id"))
    status = whole.get("status")
    details = whole.get("status_details")
    reason = _get(whole, "status_details", "reason") or _get(whole, "status_details", "error", "code")
    tokens = _get(whole, "usage", "total_tokens")
    return _join(
        whole.get("id") if event.get("type") == "response.created" else None,
        status if status != "in_progress" else None,
        reason if isinstance(details, Mapping) and reason != status else None,
        f"{tokens} tokens" if isinstance(tokens, int) else None,
    )


def error(event: Mapping[str, Any]) -> str:
    """Return code and message of the error in an event."""
    found = error_of(event)
    code = text(found.get("code") or found.get("type"))
    message = text(found.get("message"))
    return f"{code}: {message}" if code and message else code or message


def limits(event: Mapping[str, Any]) -> str:
    """Return what is left of each limit."""
    found = event.get("rate_limits")
    if not isinstance(found, list):
        return ""
    words = [
        f"{text(each.get('name'))} {text(each.get('remaining'))}/{text(each.get('limit'))}"
        for each in found
        if isinstance(each, Mapping)
    ]
    return ", ".join(words)


def moment(event: Mapping[str, Any]) -> str:
    """Return a time in the audio, in milliseconds, and the item."""
    ms = event.get("audio_start_ms", event.get("audio_end_ms"))
    return _join(f"at {ms:,} ms" if isinstance(ms, int) else None, event.get("item_id"))


def part(event: Mapping[str, Any]) -> str:
    """Return the type of a part of an item, and what it says."""
    found = event.get("part")
    return _join(found.get("type"), found.get("text") or found.get("transcript")) if isinstance(found, Mapping) else ""


def arguments(event: Mapping[str, Any]) -> str:
    """Return the name and the arguments of a function call."""
    return _join(event.get("name"), event.get("arguments") or event.get("delta"))


def conversation(event: Mapping[str, Any]) -> str:
    """Return the id of a conversation."""
    return text(_get(event, "conversation", "id"))


def usage(event: Mapping[str, Any]) -> str:
    """Return the seconds of a GPT-Live session that are billed so far, its share of the context, why it ended."""
    seconds, ratio = _get(event, "usage", "seconds"), _get(event, "context_window", "usage_ratio")
    return _join(
        event.get("reason"),
        f"{seconds:,} s" if _is_number(seconds) else None,
        f"{ratio:.1%} of the context" if _is_number(ratio) else None,
    )


def delegation(event: Mapping[str, Any]) -> str:
    """Return to whom GPT-Live delegates, and the id of the delegation."""
    return _join(
        "to",
        _get(event, "delegation", "target"),
        _get(event, "delegation", "id"),
        _get(event, "delegation", "response_id"),
    )


def on_timeline(event: Mapping[str, Any]) -> str:
    """Return where on the timeline of a GPT-Live session something took effect, in milliseconds."""
    start, end = event.get("start_ms"), event.get("end_ms")
    return f"at {start:,} to {end:,} ms" if _is_number(start) and _is_number(end) else ""


def call(event: Mapping[str, Any]) -> str:
    """Return which key was pressed, which session a call belongs to, or why it failed."""
    return error(event) or text(event.get("event")) or text(event.get("session_id"))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _get(event: Mapping[str, Any], *path: str) -> Any:
    value: Any = event
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _join(*parts: object) -> str:
    return " ".join(said for said in (text(part) for part in parts) if said)
