"""One thing to follow: an item, a response or a function call, with all that belongs to it in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui import wire
from tui.capture.filter.evaluation import Filter
from tui.capture.filter.identity import ids
from tui.capture.filter.syntax import Expression, Id, Kind, any_of
from tui.capture.log.index import EventLog
from tui.wire import Direction

_LOOKED_BACK: Final = 200
"""Entries before an answer in which its question is looked for."""

_OFFERED: Final = (Kind.ITEM, Kind.RESPONSE, Kind.CALL)

_MOST: Final = 64
"""Other ids that belong to one thing, at most."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What to follow."""

    kind: Kind
    id: str

    def __str__(self) -> str:
        return str(Id(self.kind, self.id))


class Following:
    """What belongs to a thing, as far as is known: its own events name further ids, and have events that led to them.

    A response has items, whose events (truncated, deleted, retrieved) name only the item. And what asked for it, or
    made the item, had no id yet: the latest fitting event that was sent before.
    """

    def __init__(self, log: EventLog, thing: Thing) -> None:
        self.thing = thing
        self.rows: set[int] = set()
        """Rows that belong to it without naming it."""
        self._log = log
        self._others: dict[str, None] = {}
        self._looked_at: set[int] = set()

    @property
    def filter(self) -> Filter:
        """What picks the events that name it, or what belongs to it."""
        terms: list[Expression] = [Id(self.thing.kind, self.thing.id)]
        terms += [Id(Kind.ITEM, other) for other in self._others]
        return Filter(str(self.thing), any_of(*terms))

    def learn(self, rows: Iterable[int]) -> bool:
        """Look at rows that were found; return whether more belongs to it than was known."""
        before = len(self._others), len(self.rows)
        for row in rows:
            if row not in self._looked_at:
                self._looked_at.add(row)
                index = self._log.first(row)
                event = wire.parse(self._log.data(index))
                if event is not None and self.thing.id in ids(self.thing.kind, event):
                    self._take(index, event)
        return (len(self._others), len(self.rows)) != before

    def _take(self, index: int, event: Mapping[str, Any]) -> None:
        if self.thing.kind is not Kind.ITEM:
            # A response that names the call in its output names items of its own, which are not the call's.
            own = {**event, "response": None} if self.thing.kind is Kind.CALL else event
            for other in ids(Kind.ITEM, own):
                if len(self._others) < _MOST:
                    self._others[other] = None
        if self._log.direction_of(index) is Direction.RECEIVED:
            cause = self._cause(index, event)
            if cause is not None:
                self.rows.add(self._log.row_of(cause))

    def _cause(self, index: int, event: Mapping[str, Any]) -> int | None:
        """The entry that was sent and led to this event; None when it does not begin anything."""
        kind = event.get("type")
        if kind == "response.created":
            wanted, said = "response.create", None
        elif kind in {"conversation.item.added", "conversation.item.created"}:
            wanted, said = "conversation.item.create", _said(event)
        else:
            return None
        for before in range(index - 1, max(-1, index - 1 - _LOOKED_BACK), -1):
            name = self._log.type_of(before)
            if name == wanted and self._log.direction_of(before) is Direction.SENT:
                if said is None or _said(wire.parse(self._log.data(before)) or {}) == said:
                    return before
            elif name == kind and said is None:
                return None
        return None


def things_at(log: EventLog, index: int) -> dict[Kind, str]:
    """What an entry offers to follow: of each kind the first id that it names.

    An event about an item that does not say to which response or function call it belongs: the nearest other event of
    the item may.
    """
    found = _things(wire.parse(log.data(index)))
    item = found.get(Kind.ITEM)
    if item is not None and len(found) < len(_OFFERED):
        quoted = f'"{item}"'.encode(errors="replace")
        for step in range(1, _LOOKED_BACK):
            for other in (index - step, index + step):
                data = log.data(other) if 0 <= other < len(log) else b""
                if quoted in data and (b'"response_id"' in data or b'"call_id"' in data):
                    others = _things(wire.parse(data))
                    if others.get(Kind.ITEM) == item:
                        found = {**others, **found}
            if len(found) == len(_OFFERED):
                break
    return found


def _things(event: Mapping[str, Any] | None) -> dict[Kind, str]:
    first = {kind: next(ids(kind, event or {}), "") for kind in _OFFERED}
    return {kind: each for kind, each in first.items() if each}


def _said(event: Mapping[str, Any]) -> tuple[object, ...]:
    """What makes two events about the same item, when one of them does not know its id."""
    item = event.get("item")
    if not isinstance(item, Mapping):
        return ("",)
    return (item.get("type"), item.get("role"), wire.content_text(item.get("content")), item.get("call_id"))
