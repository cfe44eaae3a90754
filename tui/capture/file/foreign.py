"""Lines of other programs: where in them the event is, when it came, and who sent it. Trusts nothing, never raises."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from tui import wire
from tui.wire import Direction, Family

SINCE_1970_NS: Final = 10**17
"""Times from here on are of the calendar, counted from 1970: others count from the start of a session."""

_LATEST_NS: Final = 9 * 10**18
"""Times beyond the year 2255 are no times."""

_INSIDE: Final = ("event", "event_data", "eventData", "data", "message", "payload", "msg", "body", "frame", "raw")
"""Keys under which others keep the event, as an object or as its text."""

_TIMES: Final = {
    "time_ns": 1,
    "timestamp_ns": 1,
    "time_ms": 1_000_000,
    "timestamp_ms": 1_000_000,
    "ts_ms": 1_000_000,
    "offset_ms": 1_000_000,
    "time": 0,
    "timestamp": 0,
    "@timestamp": 0,
    "ts": 0,
    "datetime": 0,
    "date": 0,
    "received_at": 0,
    "sent_at": 0,
    "created_at": 0,
    "asctime": 0,
}
"""Keys with a time -> nanoseconds in its unit; 0 where its size tells the unit."""

_SIDES: Final = ("direction", "dir", "source", "from", "sender", "type", "kind")

_BY_WORD: Final = {
    **dict.fromkeys(
        ("in", "recv", "receive", "received", "incoming", "inbound", "server", "<", "<<"), Direction.RECEIVED
    ),
    **dict.fromkeys(("out", "send", "sent", "outgoing", "outbound", "client", ">", ">>"), Direction.SENT),
}

_CLIENT_EVENT = re.compile(
    r"(?:session|transcription_session)\.update|input_audio_buffer\.(?:append|commit|clear)|output_audio_buffer\.clear"
    r"|conversation\.item\.(?:create|truncate|delete|retrieve)|response\.(?:create|cancel)"
)
"""Types that only a client sends."""

_SENT_WORDS = re.compile(
    r"(?:^|\W)(?:>{1,3}|→|sent|send|sending|outgoing|outbound|out to|write|client event)(?:\W|$)", re.I
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?")
_CLOCK = re.compile(r"(?<![\d:])(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?![\d:])")
_SECONDS = re.compile(r"(?<![\w.])(\d{10}(?:\.\d+)?|\d{13})(?![\w.])")

CUT_OFF: Final = "cut off where it was logged"
"""The note of an event that is not whole."""

_LENGTH_BEHIND = re.compile(r"['\"]? \[(\d+) bytes\]\s*$")
"""What the log of a WebSocket library says behind a message; the message itself may be shortened in its middle."""

_MOST_TRIES: Final = 4
"""Braces of a line at which an event may begin."""

_LONGEST_LITERAL: Final = 1024 * 1024

_DECODER: Final = json.JSONDecoder()


class Found(NamedTuple):
    """An event in a line behind something else."""

    data: bytes
    event: Mapping[str, Any]
    t_ns: int | None
    direction: Direction
    whole: bool = True
    """False where the line has only a part of it."""


def event_in(fields: Mapping[str, Any]) -> Mapping[str, Any] | str | None:
    """The event of an object: under one of the usual keys, as an object or as its text, or the object itself."""
    own = fields.get("type")
    if isinstance(fields.get("event"), dict):
        return fields["event"]  # type: ignore[no-any-return]
    if isinstance(own, str) and wire.event_type(own).family is not Family.UNKNOWN:
        return fields
    for key in _INSIDE:
        inner = fields.get(key)
        if isinstance(inner, dict) and isinstance(inner.get("type"), str):
            return inner
        if isinstance(inner, str) and inner.lstrip()[:1] == "{" and _typed(inner):
            return inner
    return fields if isinstance(own, str) else None


def _typed(text: str) -> bool:
    event = wire.parse(text.encode(errors="surrogatepass"))
    return event is not None and isinstance(event.get("type"), str)


def direction_of(event: object, fields: Mapping[str, Any], around: str = "") -> Direction:
    """Who sent an event: its type tells, or else a word beside it."""
    event_type = event.get("type") if isinstance(event, Mapping) else None
    if isinstance(event_type, str):
        if _CLIENT_EVENT.fullmatch(event_type):
            return Direction.SENT
        if wire.event_type(event_type).family is not Family.UNKNOWN:
            return Direction.RECEIVED
    for key in _SIDES:
        word = fields.get(key)
        side = _BY_WORD.get(word.lower()) if isinstance(word, str) else None
        if side is not None:
            return side
    return Direction.SENT if _SENT_WORDS.search(around) else Direction.RECEIVED


def time_in(fields: Mapping[str, Any]) -> int | None:
    """The time of an object in nanoseconds, from 1970 or from a start; None without one that can be read."""
    for key, unit in _TIMES.items():
        if key in fields:
            t_ns = _time_ns(fields[key], unit)
            if t_ns is not None:
                return t_ns
    return None


def _time_ns(value: object, unit: int) -> int | None:
    if isinstance(value, str):
        try:
            return _moment(datetime.fromisoformat(value.strip()))
        except (ValueError, OverflowError):
            pass
        try:
            value = int(value) if value[:20].isdecimal() and len(value) <= 20 else float(value[:40])
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LATEST_NS < value < _LATEST_NS:
        return None
    t_ns = int(value * unit) if unit else _scaled(value)
    return t_ns if abs(t_ns) < _LATEST_NS else None


def _scaled(value: float) -> int:
    """A number of seconds, milliseconds, microseconds or nanoseconds, by its size, as nanoseconds."""
    size = abs(value)
    unit = 1 if size >= 1e17 else 1_000 if size >= 1e14 else 1_000_000 if size >= 1e11 else 1_000_000_000
    return value * unit if isinstance(value, int) else int(value * unit)


def _moment(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000


def behind_prefix(line: bytes) -> Found | None:
    """The event that a log has in a line behind a prefix: as JSON, as a string of JSON, or as Python prints a dict."""
    text = line.decode(errors="replace")
    at = -1
    for _ in range(_MOST_TRIES):
        at = text.find("{", at + 1)
        if at < 0:
            return None
        value = _value_at(text, at)
        event = event_in(value) if value is not None and not _is_shortened(text[at:]) else None
        if event is not None:
            return _found(event, value or {}, text[:at])
        if wire.starts_event(text[at:]):
            cut = _LENGTH_BEHIND.sub("", text[at:]).rstrip().encode()
            event = {"type": wire.sniff_type(cut)}
            return Found(cut, event, _time_before(text[:at]), direction_of(event, {}, text[:at]), whole=False)
    return None


def _is_shortened(message: str) -> bool:
    """Whether a message is shorter than the length behind it."""
    length = _LENGTH_BEHIND.search(message)
    return length is not None and length[1] != str(len(message[: length.start()].encode()))


def _found(event: Mapping[str, Any] | str, fields: Mapping[str, Any], prefix: str) -> Found:
    if isinstance(event, str):
        data = event.encode(errors="surrogatepass")
        event = wire.parse(data) or {}
    else:
        data = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")
    t_ns = time_in(fields)
    return Found(
        data,
        event,
        _time_before(prefix) if t_ns is None else t_ns,
        direction_of(event, {} if event is fields else fields, prefix),
    )


def _value_at(text: str, at: int) -> Mapping[str, Any] | None:
    """The object that begins at a brace."""
    value: object = None
    try:
        if text.startswith('{\\"', at) and text[at - 1 : at] == '"':
            value = wire.parse(_DECODER.raw_decode(text, at - 1)[0].encode(errors="surrogatepass"))
        elif text.startswith("{'", at):
            literal = text[at : text.rfind("}") + 1]
            value = ast.literal_eval(literal) if len(literal) <= _LONGEST_LITERAL else None
        else:
            value, _ = _DECODER.raw_decode(text, at)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    return value if isinstance(value, dict) else None


def _time_before(prefix: str) -> int | None:
    """The time in what stands before an event. A time of day counts as one of the day of 2001-09-09."""
    if (found := _DATE.search(prefix)) is not None:
        return _time_ns(found[0], 0)
    if (found := _CLOCK.search(prefix)) is not None:
        hours, minutes, seconds, part = found.groups()
        return (10**9 + int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 10**9 + int((part or "").ljust(9, "0"))
    if (found := _SECONDS.search(prefix)) is not None:
        return _time_ns(found[0], 0)
    return None
