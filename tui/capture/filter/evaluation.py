"""Whether something matches a filter: a single frame, an entry of the log, or a row of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from tui import wire
from tui.capture.filter import syntax
from tui.capture.filter.needle import glob, needle
from tui.capture.filter.syntax import COMPARISONS, DIRECTIONS, Expression
from tui.capture.log.index import Entry, EventLog
from tui.wire import Direction, Family

_WAYS: Final = {"received": Direction.RECEIVED, "sent": Direction.SENT, "local": Direction.LOCAL}


class Subject(Protocol):
    """What a filter is asked about."""

    @property
    def type(self) -> str:
        """The event's type."""

    @property
    def direction(self) -> Direction:
        """Who sent it."""

    @property
    def size(self) -> int:
        """Bytes on the wire."""

    @property
    def alarm(self) -> bool:
        """Whether it says that something failed."""

    def holds(self, term: syntax.Text | syntax.Id) -> bool:
        """Whether a text or an id stands in it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was parsed."""

    source: str
    """What the person wrote."""
    expression: Expression

    @property
    def everything(self) -> bool:
        """True for an empty filter."""
        return self.expression == syntax.EVERYTHING

    def matches(self, entry: Entry) -> bool:
        """Whether one entry of a log matches, or a frame from elsewhere, see :func:`frame`."""
        return holds(self.expression, _One(entry))

    def matches_row(self, log: EventLog, row: int) -> bool:
        """Whether a row matches: a run of deltas as one, with the bytes of all its frames.

        Reads all its frames when the filter asks for a text. For many rows there is
        :class:`~tui.capture.filter.matches.Matches`.
        """
        return holds(self.expression, _OfRow(log, row))


def frame(direction: Direction, data: bytes, *, binary: bool = False, note: str = "", t_ns: int = 0) -> Entry:
    """A frame that is in no log, as :meth:`Filter.matches` takes it; ``error`` is found out from its JSON."""
    event_type = wire.BINARY_TYPE if binary else wire.sniff_type(data)
    event = None if binary else wire.parse(data)
    alarm = event is None or wire.is_alarm(event)
    return Entry(0, t_ns, direction, event_type, data, binary, alarm, note)


def holds(expression: Expression, subject: Subject) -> bool:
    """Whether an expression is true of something."""
    match expression:
        case syntax.All(parts):
            return all(holds(part, subject) for part in parts)
        case syntax.Any(parts):
            return any(holds(part, subject) for part in parts)
        case syntax.Not(part):
            return not holds(part, subject)
        case syntax.Text() | syntax.Id():
            return subject.holds(expression)
        case syntax.Size(comparison, count):
            return COMPARISONS[comparison](subject.size, count)
        case syntax.Way(name):
            return subject.direction is DIRECTIONS[name]
        case syntax.Type(pattern):
            return type_test(pattern)(subject.type)
        case syntax.Name(name):
            if name in _WAYS:
                return subject.direction is _WAYS[name]
            return (name == "error" and subject.alarm) or name_test(name)(subject.type)


def way(name: str) -> Direction | None:
    """The direction that a name stands for; None for those that are about types."""
    return _WAYS.get(name)


@lru_cache(maxsize=64)
def type_test(pattern: str) -> Callable[[str], bool]:
    """A test of types: against the whole type or its short form with ``*``, else against whole parts of it."""
    if "*" in pattern:
        matches = glob(pattern, re.IGNORECASE).fullmatch
        return lambda event_type: bool(matches(event_type) or matches(wire.label(event_type)))
    part = f".{pattern.lower().strip('.')}."
    return lambda event_type: part in f".{event_type.lower()}."


@lru_cache(maxsize=64)
def name_test(name: str) -> Callable[[str], bool]:
    """A test of types for one of :data:`~tui.capture.filter.syntax.NAMES` that is about types."""
    if name == "audio":
        return lambda event_type: bool(wire.event_type(event_type).audio)
    if name == "delta":
        return lambda event_type: wire.event_type(event_type).folds
    family = Family(name)
    return lambda event_type: wire.event_type(event_type).family is family


class _One:
    """One entry."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self.type = entry.type
        self.direction = entry.direction
        self.size = len(entry.data)
        self.alarm = entry.alarm

    def holds(self, term: syntax.Text | syntax.Id) -> bool:
        return _in_entry(term, self._entry)


class _OfRow:
    """A row, with all its frames."""

    def __init__(self, log: EventLog, row: int) -> None:
        self._log = log
        self._row = row
        entry, whole = log.entry(log.first(row)), log.row(row)
        self.type = entry.type
        self.direction = entry.direction
        self.size = whole.size
        self.alarm = whole.alarm

    def holds(self, term: syntax.Text | syntax.Id) -> bool:
        return any(_in_entry(term, self._log.entry(index)) for index in self._log.members(self._row))


def _in_entry(term: syntax.Text | syntax.Id, entry: Entry) -> bool:
    finder = needle(term)
    return finder.in_frame(entry.type, entry.data) or bool(entry.note and finder.in_note(entry.note))
