"""JSON, read so that nothing of what the frame says is lost: repeated keys and the exact digits of numbers are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from rich.cells import cell_len

from tui import wire
from tui.audio_format import AudioFormat
from tui.ui.document.base import LARGE_TEXT, Role
from tui.ui.text import clip, printable


class Members(list[tuple[str, "Value"]]):
    """The members of a JSON object, in order and with repeated keys."""


class Digits(str):
    """A number that Python would change: a fraction, minus zero, or a very long integer."""

    __slots__ = ()


Container: TypeAlias = "Members | list[Value]"
Value: TypeAlias = "Container | Digits | str | int | bool | None"

_EXACT_DIGITS = 15
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_SHORTEST_AUDIO = 64
_PREVIEW_MEMBERS = 8


def parse(text: str) -> Value:
    """The value that a JSON text stands for.

    Raises:
        ValueError: It is not JSON; the message says why, in a few words.
    """
    try:
        value: Value = json.loads(
            text, object_pairs_hook=Members, parse_int=_integer, parse_float=Digits, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at").removesuffix(":")
        raise ValueError(f"not JSON: {what[:1].lower()}{what[1:]} at character {error.pos:,}") from None
    except RecursionError:
        raise ValueError("JSON nested too deeply to be laid out") from None
    return value


def quoted(text: str) -> str:
    """The text as a JSON string that is safe to draw; all in ASCII if it is longer than :data:`LARGE_TEXT`."""
    return _quoted(text, len(text) > LARGE_TEXT)


def quoted_head(text: str, width: int) -> tuple[str, str]:
    """The text as a JSON string, cut off to fit in so many cells, and the part of that which is the text's beginning.

    ``"UklGR…"`` and ``"UklGR``, or twice the same if nothing is cut off. The work is bounded by the width.
    """
    shown = _quoted(text[:width], len(text) > LARGE_TEXT)
    if len(text) <= width and cell_len(shown) <= width:
        return shown, shown
    head = clip(shown[:-1] + "……", width - 1).removesuffix("…").removesuffix("…")
    return f'{head}…"', head


def _quoted(text: str, all_ascii: bool) -> str:
    if all_ascii:
        return json.dumps(text).replace("\x7f", "\\u007f")
    return printable(json.dumps(text, ensure_ascii=False))


def written(value: Value) -> str:
    """How a value without children is written."""
    if isinstance(value, Digits):
        return value
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "".join(brackets(value))
    return json.dumps(value)


def role(value: Value) -> Role:
    """What a value is."""
    if isinstance(value, list):
        return Role.PUNCTUATION
    if value is None or isinstance(value, bool):
        return Role.LITERAL
    return Role.STRING if isinstance(value, str) and not isinstance(value, Digits) else Role.NUMBER


def brackets(container: Container) -> tuple[str, str]:
    """The brackets of an object or array."""
    return ("{", "}") if isinstance(container, Members) else ("[", "]")


def child(container: Container, index: int) -> tuple[str | None, Value]:
    """The key, None in an array, and the value of the member or item with this index."""
    return container[index] if isinstance(container, Members) else (None, container[index])


def count(container: Container) -> str:
    """``1 key``, ``14 keys``, ``3 items``."""
    unit = "key" if isinstance(container, Members) else "item"
    return f"{len(container):,} {unit}{'' if len(container) == 1 else 's'}"


def preview(container: Container, width: int) -> str:
    """The beginning of what a folded object or array holds, in at most ``width`` cells: ``{"id": "msg_1", …}``."""
    opening, closing = brackets(container)
    shown = opening
    room = width - len(", …}")
    for index in range(min(len(container), _PREVIEW_MEMBERS)):
        key, value = child(container, index)
        said = ", " if index else ""
        if key is not None:
            said += f"{quoted(key[:width])}: "
        if isinstance(value, list) and value:
            said += "…".join(brackets(value))
        elif isinstance(value, str) and len(value) > width:
            said += "…" * width  # too long for its beginning to be worth writing out
        else:
            said += written(value)
        if clip(shown + said, room) != shown + said:
            return f"{shown}{', ' if index else ''}…{closing}"
        shown += said
    return f"{shown}{', …' if len(container) > _PREVIEW_MEMBERS else ''}{closing}"


def holds_audio(value: Value, key: str | None, parent: Container) -> bool:
    """Whether a value is audio in base64: by the type of the event, or of the content part, that it is in."""
    if not isinstance(value, str) or not isinstance(parent, Members) or len(value) < _SHORTEST_AUDIO:
        return False
    kind = next((said for name, said in parent[:_PREVIEW_MEMBERS] if name == "type"), None)
    if not isinstance(kind, str) or not _BASE64.fullmatch(value[:256]):
        return False
    return (wire.event_type(kind).audio or None) == key or (key == "audio" and kind.endswith("audio"))


def length_notes(text: str, audio: AudioFormat | None) -> list[str]:
    """What may be said of a long string that is cut off, from the most to the fewest words.

    Args:
        text: the string.
        audio: the format of the audio that it holds; None where it holds none.
    """
    length = f"{len(text):,} {'digits' if isinstance(text, Digits) else 'characters'}"
    if audio is None:
        return [length, f"{len(text):,}"]
    duration = wire.audio_duration(len(text) * 3 // 4 - text.endswith("=") - text.endswith("=="), audio)
    return [f"{length}, {duration}", duration, f"{len(text):,}"]


def pretty(value: Value, limit: int) -> str | None:
    """The value as JSON with an indent of two, safe to paste; None if that is more than ``limit`` characters."""
    pieces: list[str] = []
    size = 0
    for piece in _pieces(value):
        size += len(piece)
        if size > limit:
            return None
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Value) -> Iterator[str]:
    # The standard library's encoder recurses; a frame may be nested as deeply as Python's recursion goes.
    stack: list[tuple[Container, int]] = []
    key: str | None = None
    while True:
        if key is not None:
            yield f"{quoted(key)}: "
        if isinstance(value, list) and value:
            yield brackets(value)[0]
            stack.append((value, 0))
        else:
            yield written(value)
        while stack and stack[-1][1] == len(stack[-1][0]):
            closed, _ = stack.pop()
            yield f"\n{'  ' * len(stack)}{brackets(closed)[1]}"
        if not stack:
            return
        container, index = stack[-1]
        stack[-1] = (container, index + 1)
        key, value = child(container, index)
        yield f"{',' if index else ''}\n{'  ' * len(stack)}"


def _integer(digits: str) -> int | Digits:
    return int(digits) if len(digits) <= _EXACT_DIGITS and digits != "-0" else Digits(digits)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"not JSON: {constant} is not a number")
