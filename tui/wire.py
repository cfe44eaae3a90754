"""What a Realtime event is: its type, family, item, payload, and one line that says what it holds. No I/O.

Frames come from the network, so nothing here trusts their shape: every function takes any input and never raises.
The event types are those of the GA reference (``openai.types.realtime``), plus the Beta names, which old servers
still send.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tui.audio_format import PCM16_24K, AudioFormat

PCM16_RATE = 24_000
"""Samples a second of PCM16 mono: the only audio format that azrt-tui asks for."""

PCM16_BYTES_PER_SECOND = 2 * PCM16_RATE


class Direction(enum.IntEnum):
    """Where an entry of the event log comes from."""

    RECEIVED = 0
    SENT = 1
    LOCAL = 2
    """Said by azrt-tui itself about the connection: opened, closed, refused."""


class Family(enum.StrEnum):
    """What an event is about; decides its colour. The values name the theme variables ``family-<value>``."""

    SESSION = "session"
    INPUT = "input"
    CONVERSATION = "conversation"
    RESPONSE = "response"
    TOOL = "tool"
    LIMITS = "limits"
    ERROR = "error"
    UNKNOWN = "unknown"


BROKEN_TYPE = "(not JSON)"
"""Stands for the type of a text frame that is not a JSON object with a string ``type``."""

BINARY_TYPE = "(binary)"
"""Stands for the type of a binary frame: the Realtime API sends none."""

_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("response.function_call", Family.TOOL),
    ("response.mcp_call", Family.TOOL),
    ("mcp_list_tools.", Family.TOOL),
    ("response.", Family.RESPONSE),
    ("output_audio_buffer.", Family.RESPONSE),
    ("conversation.", Family.CONVERSATION),
    ("input_audio_buffer.", Family.INPUT),
    ("rate_limits.", Family.LIMITS),
    ("session.", Family.SESSION),
    ("transcription_session.", Family.SESSION),
    ("websocket.", Family.SESSION),
)

AUDIO_KEYS: Mapping[str, str] = {
    "response.output_audio.delta": "delta",
    "response.audio.delta": "delta",
    "input_audio_buffer.append": "audio",
}
"""Event type -> the key that holds base64 audio."""

OUTPUT_AUDIO = ("response.output_audio.delta", "response.audio.delta")
"""Event types with a piece of the agent's voice."""

TEXT_DELTAS = frozenset(
    {
        "response.output_text.delta",
        "response.text.delta",
        "response.output_audio_transcript.delta",
        "response.audio_transcript.delta",
        "response.function_call_arguments.delta",
        "response.mcp_call_arguments.delta",
        "conversation.item.input_audio_transcription.delta",
    }
)
"""Event types whose ``delta`` is a piece of text."""


def family(event_type: str) -> Family:
    """The family of an event type; :attr:`Family.UNKNOWN` for what the API does not name."""
    if event_type in {
        "error",
        BROKEN_TYPE,
        BINARY_TYPE,
        "conversation.item.input_audio_transcription.failed",
    }:
        return Family.ERROR
    for prefix, member in _FAMILIES:
        if event_type.startswith(prefix):
            return member
    return Family.UNKNOWN


def folds(event_type: str) -> bool:
    """True for events that come in runs and are shown as one growing row."""
    return event_type.endswith(".delta") or event_type == "input_audio_buffer.append"


# Start of a type -> the part of it that may go.
_CLEAR_PREFIXES: Mapping[str, str] = {
    "conversation.item.input_audio_transcription.": "conversation.item.input_audio_",
    "conversation.item.": "conversation.",
    "input_audio_buffer.speech_": "input_audio_buffer.",
}


def label(event_type: str) -> str:
    """The type without the prefix that the rest makes unmistakable.

    ``response.output_text.delta`` -> ``output_text.delta``, ``conversation.item.added`` -> ``item.added``;
    ``response.done`` and ``input_audio_buffer.commit`` stay.
    """
    for prefix in _CLEAR_PREFIXES:
        if event_type.startswith(prefix):
            return event_type.removeprefix(_CLEAR_PREFIXES[prefix])
    rest = event_type.removeprefix("response.")
    return rest if "." in rest else event_type


# Servers write `type` first or right after `event_id`; anything else takes the slow road through the JSON parser.
_TYPE_FIRST = re.compile(rb'\s*\{\s*(?:"event_id"\s*:\s*"[^"\\]*"\s*,\s*)?"type"\s*:\s*"([^"\\]{1,200})"')


_MOST_BEFORE_TYPE = 1_000
"""Characters at the start of an event that hold its type, where that is named first."""


def sniff_type(data: bytes) -> str:
    """The ``type`` of a text frame, in about half a microsecond for frames as the services write them.

    Returns :data:`BROKEN_TYPE` for whatever is not a JSON object with a string type, unless it begins like one.
    """
    found = _TYPE_FIRST.match(data)
    if found is not None:
        try:
            return found[1].decode()
        except UnicodeDecodeError:
            return BROKEN_TYPE
    event = parse(data)
    event_type = event.get("type") if event is not None else None
    return event_type if isinstance(event_type, str) and event_type else BROKEN_TYPE


def starts_event(text: str) -> bool:
    """True for what begins as an event that names its type first, whatever becomes of it."""
    return _TYPE_FIRST.match(text[:_MOST_BEFORE_TYPE].encode(errors="replace")) is not None


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


def joined(text: str, delta: str) -> str:
    """A text and its next piece. A server in JavaScript may cut an emoji in two: the halves become one again."""
    if "\ud800" <= text[-1:] <= "\udbff" and "\udc00" <= delta[:1] <= "\udfff":
        return text[:-1] + (text[-1] + delta[0]).encode("utf-16", "surrogatepass").decode("utf-16") + delta[1:]
    return text + delta


def text(value: object, limit: int = 200) -> str:
    """A JSON value as one short line of text: whitespace runs become one space."""
    if isinstance(value, str):
        return " ".join(value[: 4 * limit].split())[:limit]
    if value is None:
        return ""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)[:limit]
    except (ValueError, RecursionError):  # an integer of too many digits, or nested about as deeply as can be parsed
        return "…"


def size(count: int) -> str:
    """Bytes for a narrow column: ``182``, ``1.9k``, ``268k``, ``1.2M``."""
    if count < 1000:
        return str(count)
    units = (("k", 1e3), ("M", 1e6), ("G", 1e9))
    unit, in_unit = next(((unit, count / one) for unit, one in units if count / one < 999.5), ("G", count / 1e9))
    return f"{in_unit:.1f}{unit}" if in_unit < 9.95 else f"{in_unit:.0f}{unit}"


def audio_duration(count: int, audio: AudioFormat = PCM16_24K) -> str:
    """How long so many bytes of audio play: ``150 ms of audio``, ``5.6 s of audio``; or of what they are."""
    if not audio.known:
        return f"{size(count)} bytes of {text(audio.name)}"
    ms = count * 1000 / audio.bytes_per_second
    return f"{ms:.0f} ms of audio" if ms < 1000 else f"{ms / 1000:.1f} s of audio"


def content_text(content: object) -> str:
    """What the parts of an item's ``content`` say, joined; parts without words are named in brackets."""
    if not isinstance(content, list):
        return ""
    words = []
    for part in content:
        if not isinstance(part, Mapping):
            continue
        said = part.get("text") or part.get("transcript")
        if isinstance(said, str) and said:
            words.append(said)
        elif part.get("type") == "input_image":
            words.append("[image]")
    return "\n".join(words)


def _get(event: Mapping[str, Any], *path: str) -> Any:
    value: Any = event
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _join(*parts: object) -> str:
    return " ".join(said for said in (text(part) for part in parts) if said)


def _item_summary(event: Mapping[str, Any]) -> str:
    item = event.get("item")
    if not isinstance(item, Mapping):
        return text(event.get("item_id"))
    kind = item.get("type")
    if kind == "function_call":
        return _join("call", item.get("name"), item.get("arguments"))
    if kind == "function_call_output":
        return _join("output", item.get("output"))
    if kind == "message":
        role = text(item.get("role"))
        who = {"user": "you", "assistant": "agent"}.get(role, role)
        said = text(content_text(item.get("content")))
        return f"{who}: {said}" if said else _join(who, item.get("status"))
    return _join(kind, item.get("status"))


def _session_summary(event: Mapping[str, Any]) -> str:
    session = event.get("session")
    if not isinstance(session, Mapping):
        return ""
    detection = _get(session, "audio", "input", "turn_detection", "type") or _get(session, "turn_detection", "type")
    voice = _get(session, "audio", "output", "voice") or session.get("voice")
    modalities = session.get("output_modalities") or session.get("modalities")
    said = "+".join(text(each) for each in modalities) if isinstance(modalities, list) else ""
    words = [text(session.get("model")), said, text(voice), text(detection)]
    return ", ".join(word for word in words if word)


def _response_summary(event: Mapping[str, Any]) -> str:
    response = event.get("response")
    if not isinstance(response, Mapping):
        return text(event.get("response_id"))
    status = response.get("status")
    details = response.get("status_details")
    reason = _get(response, "status_details", "reason") or _get(response, "status_details", "error", "code")
    tokens = _get(response, "usage", "total_tokens")
    return _join(
        response.get("id") if event.get("type") == "response.created" else None,
        status if status != "in_progress" else None,
        reason if isinstance(details, Mapping) and reason != status else None,
        f"{tokens} tokens" if isinstance(tokens, int) else None,
    )


_MOST_WRAPPED = 4
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


def _error_summary(event: Mapping[str, Any]) -> str:
    error = error_of(event)
    code = text(error.get("code") or error.get("type"))
    message = text(error.get("message"))
    return f"{code}: {message}" if code and message else code or message


def _limits_summary(event: Mapping[str, Any]) -> str:
    limits = event.get("rate_limits")
    if not isinstance(limits, list):
        return ""
    words = [
        f"{text(each.get('name'))} {text(each.get('remaining'))}/{text(each.get('limit'))}"
        for each in limits
        if isinstance(each, Mapping)
    ]
    return ", ".join(words)


def _moment_summary(event: Mapping[str, Any]) -> str:
    ms = event.get("audio_start_ms", event.get("audio_end_ms"))
    return _join(f"at {ms:,} ms" if isinstance(ms, int) else None, event.get("item_id"))


def _part_summary(event: Mapping[str, Any]) -> str:
    part = event.get("part")
    return _join(part.get("type"), part.get("text") or part.get("transcript")) if isinstance(part, Mapping) else ""


_SUMMARIES: tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...] = (
    ("session.", _session_summary),
    ("transcription_session.", _session_summary),
    ("conversation.item.truncate", _moment_summary),
    ("conversation.item.input_audio_transcription.failed", _error_summary),
    (
        "conversation.item.input_audio_transcription.",
        lambda e: text(e.get("transcript") or e.get("delta") or e.get("text")),
    ),
    ("conversation.item.", _item_summary),
    ("conversation.created", lambda e: text(_get(e, "conversation", "id"))),
    ("response.output_item.", _item_summary),
    ("response.content_part.", _part_summary),
    ("response.created", _response_summary),
    ("response.done", _response_summary),
    ("response.create", _response_summary),
    ("response.cancel", lambda e: text(e.get("response_id"))),
    (
        "response.function_call_arguments.",
        lambda e: _join(e.get("name"), e.get("arguments") or e.get("delta")),
    ),
    ("response.", lambda e: text(e.get("text") or e.get("transcript") or e.get("delta") or e.get("item_id"))),
    ("input_audio_buffer.speech_", _moment_summary),
    ("input_audio_buffer.", lambda e: text(e.get("item_id"))),
    ("rate_limits.", _limits_summary),
    ("error", _error_summary),
    ("websocket.", lambda e: text(e.get("text"))),
)


def summary(event: Mapping[str, Any], audio: AudioFormat = PCM16_24K) -> str:
    """One line that says what an event holds, without its type; "" when its type says it all.

    Args:
        event: the event.
        audio: the format of audio in it.
    """
    event_type = event.get("type")
    if not isinstance(event_type, str):
        return text(event)
    key = AUDIO_KEYS.get(event_type)
    if key is not None:
        payload = event.get(key)
        return audio_duration(len(payload) * 3 // 4, audio) if isinstance(payload, str) else ""
    for prefix, summarise in _SUMMARIES:
        if event_type.startswith(prefix):
            return summarise(event)
    rest = {key: value for key, value in event.items() if key not in {"type", "event_id"}}
    return text(rest) if rest else ""


def is_alarm(event: Mapping[str, Any]) -> bool:
    """True for events that say something failed: errors, failed transcriptions, failed or cut-short responses."""
    event_type = event.get("type")
    if event_type == "response.done":
        return _get(event, "response", "status") in ("failed", "incomplete")
    return isinstance(event_type, str) and (event_type == "error" or event_type.endswith(".failed"))
