"""Messages that no client expects: what is sent in the middle of an answer that otherwise goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tui.simulator import events
from tui.simulator.faults.kinds import Turn

DEPTH = 100_000
"""Levels of nesting: far beyond what a parser that calls itself can take."""

DIGITS = 5_000
"""Digits of an integer; Python refuses to convert more than 4,300."""

LONG = 8 * 1024 * 1024
"""Characters of a long string. The whole message is a little over 8 MiB, at which some clients close the connection."""

TOO_BIG = 40 * 1024 * 1024
"""Characters of a string that no client should take."""

ESCAPES = (
    "\x1b[2J\x1b[H\x1b]0;title\x07\x1b]52;c;Y29weQ==\x07\x1bP+q\x1b\\\x9b31m"  # clear, title, clipboard, DCS, C1
    "\r\n\x00\x08\x7f \u202eright to left\u202c [bold red]markup[/] [link=x]click[/link]"
)
"""What a terminal or a markup language would act on, were it shown as it is."""


def delta(turn: Turn, text: str) -> dict[str, Any]:
    """Return a delta of the answer's words, in the GA shape."""
    return events.event(turn.delta_type, **turn.about, delta=text)


def sends(make: Callable[[Turn], bytes], *, text: bool = True) -> Callable[[Turn], None]:
    """Return an act that sends one message of the bytes that `make` returns."""

    def act(turn: Turn) -> None:
        turn.line.send_raw(make(turn), text=text)

    return act


def sends_bytes(data: bytes, *, text: bool = True) -> Callable[[Turn], None]:
    """Return an act that sends one message of these bytes."""
    return sends(lambda turn: data, text=text)


def emits(make: Callable[[Turn], events.Event]) -> Callable[[Turn], None]:
    """Return an act that sends the event that `make` returns, in the client's dialect."""

    def act(turn: Turn) -> None:
        turn.emit(make(turn))

    return act


def cut_short(turn: Turn) -> bytes:
    """An event without its last part, as after a message was cut."""
    return _written(delta(turn, "cut sh"))[:-6]


def bad_base64(turn: Turn) -> bytes:
    """An audio delta that is no base64."""
    return _written(events.event("response.output_audio.delta", **turn.about, delta="%%% not base64 %%%"))


def odd_base64(turn: Turn) -> bytes:
    """An audio delta of an odd number of bytes: half a sample is missing."""
    return _written(events.event("response.output_audio.delta", **turn.about, delta="AAAA"))


def missing_fields(turn: Turn) -> bytes:
    """A delta with none of its fields."""
    return _written({"type": turn.delta_type, "event_id": events.new_id("event")})


def wrong_types(turn: Turn) -> bytes:
    """An event of a known type, each of whose fields has the wrong type."""
    fields = {name: {"wrong": True} for name in turn.about}
    return _written({"type": turn.delta_type, "event_id": 7, **fields, "delta": ["not", "a", "string"]})


def unknown_event(turn: Turn) -> bytes:
    """An event that does not exist."""
    about = {"response_id": turn.about["response_id"], "thought": "What is it like to be new?"}
    return _written({"type": "response.telepathy.delta", "event_id": events.new_id("event"), **about})


def untyped(turn: Turn) -> bytes:
    """An object without a type."""
    return _written({"event_id": events.new_id("event"), "note": "no type"})


def deep(turn: Turn) -> bytes:
    """An event of `DEPTH` levels."""
    return b'{"type":"rate_limits.updated","event_id":"event_deep","rate_limits":%s%s}' % (b"[" * DEPTH, b"]" * DEPTH)


def huge_numbers(turn: Turn) -> bytes:
    """Numbers beyond a float and beyond what most integers hold."""
    return (
        b'{"type":"rate_limits.updated","event_id":"event_huge","rate_limits":[{"name":"tokens","limit":1e999,'
        b'"remaining":%s,"reset_seconds":-1e-999}]}' % (b"9" * DIGITS)
    )


def surrogate_halves(turn: Turn) -> bytes:
    """Text with half a surrogate pair in it, written as JSON escapes."""
    return json.dumps(delta(turn, " half \ud83d a \udfff pair ")).encode()


def long_string(turn: Turn) -> bytes:
    """A delta of `LONG` characters."""
    return _written(delta(turn, "long " * (LONG // 5)))


def too_big(turn: Turn) -> bytes:
    """A delta of `TOO_BIG` characters."""
    return _written(delta(turn, "vast " * (TOO_BIG // 5)))


def escapes(turn: Turn) -> bytes:
    """Words that a terminal would take for commands."""
    return _written(delta(turn, ESCAPES))


def escapes_in_type(turn: Turn) -> bytes:
    """An event whose type and id a terminal would take for commands."""
    return _written({"type": f"response.{ESCAPES}", "event_id": ESCAPES, "item_id": ESCAPES})


def fragments(turn: Turn) -> None:
    """Send an event in fragments of a few characters, as any server may."""
    limit = {"name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5}
    event = events.event("rate_limits.updated", rate_limits=[limit])
    turn.line.send_fragments(json.dumps(event), 16)


def _written(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()
