"""The parts that a filter is made of, and how each is written. What they match is in ``evaluation``."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from tui.wire import Direction

DIRECTIONS: Final[Mapping[str, Direction]] = MappingProxyType(
    {"in": Direction.RECEIVED, "out": Direction.SENT, "local": Direction.LOCAL}
)
"""What stands behind ``dir:``."""

DIRECTION_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"received": "in", "sent": "out", "server": "in", "client": "out"}
)
"""Other words for the same."""

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "error": "what failed: errors, failed and cut-short responses",
        "audio": "frames of audio, both ways",
        "delta": "all pieces: of text, audio and arguments",
        "sent": "to the server",
        "received": "from the server",
        "local": "said by azrt-tui itself",
        "session": "the session and the connection",
        "input": "your audio",
        "conversation": "items of the conversation",
        "response": "the agent's answers",
        "tool": "function calls",
        "limits": "rate limits",
        "unknown": "types that the API reference does not have",
    }
)
"""Words that stand for more than their letters, and what they pick. In quotes they are text like any other."""

UNITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "b": 1,
        "k": 1000,
        "kb": 1000,
        "kib": 1024,
        "m": 1000**2,
        "mb": 1000**2,
        "mib": 1024**2,
        "g": 1000**3,
        "gb": 1000**3,
        "gib": 1024**3,
    }
)
"""Units of a size, in lower case, in bytes."""

COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq}
)
"""How a size may be compared; a sign stands before another one that it begins with."""


class Kind(enum.StrEnum):
    """What an id names."""

    ITEM = "item"
    RESPONSE = "response"
    CALL = "call"
    EVENT = "event"


KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "type": "the event's type: type:response.*",
        "dir": "in, out or local",
        "item": "everything of one item",
        "response": "everything of one response",
        "call": "everything of one function call",
        "event": "an event id, and the errors about it",
        "size": "bytes on the wire: size:>1kB, or just >1kB",
        "text": "text anywhere in the frame",
    }
)
"""What may stand before a colon."""


@dataclass(frozen=True, slots=True)
class Type:
    """The type, or the short form of it that the screen shows, ignoring case."""

    pattern: str

    def __str__(self) -> str:
        return f"type:{_value(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Way:
    """Who sent it."""

    name: str
    """A key of :data:`DIRECTIONS`."""

    def __str__(self) -> str:
        return f"dir:{self.name}"


@dataclass(frozen=True, slots=True)
class Name:
    """One of :data:`NAMES`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Id:
    """Everything that belongs to what has this id; ``*`` stands for any letters."""

    kind: Kind
    pattern: str

    def __str__(self) -> str:
        return f"{self.kind}:{_value(self.pattern)}"


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes on the wire."""

    comparison: str
    """A key of :data:`COMPARISONS`."""
    count: int

    def __str__(self) -> str:
        return f"{self.comparison}{_bytes(self.count)}"


@dataclass(frozen=True, slots=True)
class Text:
    """Text anywhere in the frame or in the note on it, ignoring case."""

    text: str

    def __str__(self) -> str:
        return _quoted(self.text)


@dataclass(frozen=True, slots=True)
class Not:
    """Everything else."""

    part: Expression

    def __str__(self) -> str:
        return f"-{_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class All:
    """What every part matches. Without parts: everything."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " ".join(_inside(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Any:
    """What one of the parts matches; there are at least two."""

    parts: tuple[Expression, ...]

    def __str__(self) -> str:
        return " or ".join(_inside(part) for part in self.parts)


Term: TypeAlias = Type | Way | Name | Id | Size | Text
Expression: TypeAlias = Term | Not | All | Any

EVERYTHING: Final = All(())
"""What an empty filter means."""


def all_of(*parts: Expression) -> Expression:
    """What every part matches; a single part stands for itself."""
    return parts[0] if len(parts) == 1 else All(parts)


def any_of(*parts: Expression) -> Expression:
    """What one of the parts matches; there must be one."""
    return parts[0] if len(parts) == 1 else Any(parts)


def _inside(part: Expression) -> str:
    """A part of something larger, in parentheses where they are needed."""
    return f"({part})" if isinstance(part, All | Any) else str(part)


def _value(value: str) -> str:
    plain = value and not any(each.isspace() or each in '"()' for each in value)
    return value if plain else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bytes(count: int) -> str:
    for name, unit in (("GB", 1000**3), ("MB", 1000**2), ("kB", 1000)):
        if count >= unit and count % (unit // 10) == 0:
            whole, tenths = divmod(count // (unit // 10), 10)
            return f"{whole}.{tenths}{name}" if tenths else f"{whole}{name}"
    return str(count)
