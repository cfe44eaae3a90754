"""Checks for client events: small functions that compose into the description of an event.

A check takes a value and its path ("session.audio.input") and either returns or raises `ClientError` with the
code and the wording the service uses: unknown_parameter, missing_required_parameter, invalid_type,
invalid_value, and the bounds codes of numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from tui.simulator.events import ClientError

Check = Callable[[Any, str], None]

MAX_DEPTH = 64
"""Nesting allowed in a client event. The deepest documented event needs 9; tool schemas of real life stay under 30."""


def parse(frame: str | bytes) -> dict[str, Any]:
    """Return the JSON object in a WebSocket text message.

    Raises ClientError for a binary message, malformed JSON, a number JSON cannot write back (1e999, NaN),
    nesting deeper than `MAX_DEPTH`, and anything but an object.
    """
    if isinstance(frame, bytes):
        raise ClientError("Binary messages are not supported. Send each event as JSON text.", code="invalid_event")
    try:
        value = json.loads(frame, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as reason:
        detail = "it is nested too deeply" if isinstance(reason, RecursionError) else str(reason)
        raise ClientError(f"The event is not valid JSON: {detail}.", code="invalid_json") from None
    if not isinstance(value, dict):
        raise ClientError(f"An event must be a JSON object, but got {_named(value)} instead.", code="invalid_event")
    if _deeper_than(value, MAX_DEPTH):
        raise ClientError(f"The event is nested deeper than {MAX_DEPTH} levels.", code="invalid_event")
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number JSON allows")
    return number


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return True


def string(value: Any, path: str) -> None:
    """Accept a string."""
    if not isinstance(value, str):
        raise _wrong_type(value, path, "a string")


def bounded_string(longest: int) -> Check:
    """Accept a string of at most `longest` characters."""

    def check(value: Any, path: str) -> None:
        string(value, path)
        if len(value) > longest:
            raise ClientError(
                f"Invalid '{path}': string too long. Expected a string with maximum length {longest}, "
                f"but got a string with length {len(value)} instead.",
                code="string_above_max_length",
                param=path,
            )

    return check


def boolean(value: Any, path: str) -> None:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise _wrong_type(value, path, "a boolean")


def anything(value: Any, path: str) -> None:
    """Accept every JSON value."""


def integer(low: int | None = None, high: int | None = None) -> Check:
    """Accept an integer within the bounds, both inclusive."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong_type(value, path, "an integer")
        _bounds(value, path, low, high, "integer")

    return check


def number(low: float | None = None, high: float | None = None) -> Check:
    """Accept a number within the bounds, both inclusive."""

    def check(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, path, "a decimal")
        _bounds(value, path, low, high, "decimal")

    return check


def choice(*allowed: str) -> Check:
    """Accept one of these strings."""

    def check(value: Any, path: str) -> None:
        string(value, path)
        if value not in allowed:
            raise ClientError(
                f"Invalid value: '{value}'. Supported values are: {listing(allowed)}.", code="invalid_value", param=path
            )

    return check


def array(of: Check, *, longest: int | None = None) -> Check:
    """Accept a list whose members pass `of`."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, list):
            raise _wrong_type(value, path, "an array")
        if longest is not None and len(value) > longest:
            raise ClientError(
                f"Invalid '{path}': array too long. Expected an array with maximum length {longest}, "
                f"but got an array with length {len(value)} instead.",
                code="array_above_max_length",
                param=path,
            )
        for index, member in enumerate(value):
            of(member, f"{path}[{index}]")

    return check


def fields(known: Mapping[str, Check], *required: str) -> Check:
    """Accept an object with only `known` fields, of which `required` must be there; the others may be null.

    Every optional field of the API is nullable (openai.types.realtime), and clients that write all their fields rely
    on it: livekit-agents sends `"instructions": null` with each response.create.
    """

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        for name in required:
            if name not in value:
                full = join(path, name)
                raise ClientError(
                    f"Missing required parameter: '{full}'.", code="missing_required_parameter", param=full
                )
        for name, member in value.items():
            full = join(path, name)
            if name not in known:
                raise ClientError(f"Unknown parameter: '{full}'.", code="unknown_parameter", param=full)
            if member is not None or name in required:
                known[name](member, full)

    return check


def mapping(of: Check) -> Check:
    """Accept an object with any field names whose values pass `of`."""

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        for name, member in value.items():
            of(member, join(path, name))

    return check


def tagged(kinds: Mapping[str, Check], *, by: str = "type") -> Check:
    """Accept an object whose field `by` names the check that it must pass."""
    tag = choice(*kinds)

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        full = join(path, by)
        if by not in value:
            raise ClientError(f"Missing required parameter: '{full}'.", code="missing_required_parameter", param=full)
        tag(value[by], full)
        kinds[value[by]](value, path)

    return check


def nullable(of: Check) -> Check:
    """Accept null and whatever passes `of`."""

    def check(value: Any, path: str) -> None:
        if value is not None:
            of(value, path)

    return check


def string_or(of: Check, *allowed: str) -> Check:
    """Accept one of the `allowed` strings (any string where none are given), or what passes `of`."""
    text = choice(*allowed) if allowed else string

    def check(value: Any, path: str) -> None:
        (text if isinstance(value, str) else of)(value, path)

    return check


def join(path: str, name: str) -> str:
    """Return the path of field `name` inside `path`."""
    return f"{path}.{name}" if path else name


def listing(values: tuple[str, ...]) -> str:
    """Return "'a', 'b', and 'c'"."""
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"


def _bounds(value: float, path: str, low: float | None, high: float | None, noun: str) -> None:
    if low is not None and value < low:
        side, sign, code, bound = "below minimum", ">=", "below_min_value", low
    elif high is not None and value > high:
        side, sign, code, bound = "above maximum", "<=", "above_max_value", high
    else:
        return
    raise ClientError(
        f"Invalid '{path}': {noun} {side} value. Expected a value {sign} {bound}, but got {value} instead.",
        code=f"{noun}_{code}",
        param=path,
    )


def _wrong_type(value: Any, path: str, expected: str) -> ClientError:
    return ClientError(
        f"Invalid type for '{path}': expected {expected}, but got {_named(value)} instead.",
        code="invalid_type",
        param=path,
    )


def _named(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array"}
    return names.get(type(value), "an object")
