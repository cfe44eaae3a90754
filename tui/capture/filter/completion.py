"""What may come next in a filter: keys, names, and the types and ids that the log has seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tui import wire
from tui.capture.filter.identity import ids
from tui.capture.filter.syntax import DIRECTIONS, KEYS, NAMES, Kind
from tui.capture.log.index import EventLog

_BEGUN = re.compile(r'(?:^|(?<=[\s(]))[-!(]*([^\s()"]*)$')
_RECENT: Final = 400
"""Entries that are read for ids, at most, and ids that are offered."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One way to go on."""

    text: str
    """What takes the place of the word that was begun."""
    start: int
    """Where that word begins; it ends at the cursor."""
    about: str = ""
    """What it means, in a few words."""


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to complete with."""

    types: Iterable[str] = ()
    ids: Mapping[Kind, Iterable[str]] = field(default_factory=dict)
    """For each kind, the newest first."""
    saved: Mapping[str, str] = field(default_factory=dict)
    """Name -> filter."""

    @classmethod
    def from_log(cls, log: EventLog, saved: Mapping[str, str], rows: int = 0) -> Known:
        """The types of a log, the latest ids in its first ``rows`` rows, and these saved filters."""
        types = sorted(name for name in list(log.type_names) if name)
        return cls(types, {kind: list(found) for kind, found in _recent_ids(log, rows).items()}, saved)


def complete(text: str, cursor: int, known: Known) -> list[Completion]:
    """Ways to go on at the cursor, the likeliest first; none inside quotation marks or behind a whole word."""
    before = text[:cursor]
    if before.replace('\\"', "").count('"') % 2:
        return []
    found = _BEGUN.search(before)
    if found is None:
        return []
    word, start = found[1], found.start(1)
    key, colon, value = word.partition(":")
    offers = _values(key.lower(), value, known) if colon else _words(word, known)
    return [Completion(offer, start, about) for offer, about in offers if offer != word]


def _words(word: str, known: Known) -> Iterator[tuple[str, str]]:
    begun = word.lower()
    for name, text in sorted(known.saved.items()):
        if f"@{name}".lower().startswith(begun):
            yield f"@{name}", text
    for key, about in KEYS.items():
        if key.startswith(begun):
            yield f"{key}:", about
    for name, about in NAMES.items():
        if name.startswith(begun):
            yield name, about
    if begun:
        yield from _types(word, known, "")


def _values(key: str, value: str, known: Known) -> Iterator[tuple[str, str]]:
    if key == "type":
        yield from _types(value, known, "type:")
    elif key == "dir":
        for name in DIRECTIONS:
            if name.startswith(value.lower()):
                yield f"dir:{name}", {"in": "from the server", "out": "to the server"}.get(name, "said by azrt-tui")
    elif key in set(Kind):
        for each in known.ids.get(Kind(key), ()):
            if each.startswith(value):
                yield f"{key}:{each}", ""


def _types(begun: str, known: Known, key: str) -> Iterator[tuple[str, str]]:
    """Whole types, and families of them: the next part with ``.*`` where several types go on behind it."""
    lowered = begun.lower()
    types = [name for name in known.types if not _odd(name)]
    matching = [name for name in types if name.lower().startswith(lowered)]
    stems = [name[: name.find(".", len(begun)) + 1] for name in matching]
    for stem in dict.fromkeys(stem for stem in stems if len(stem) > 1 and stems.count(stem) > 1):
        yield f"{key or 'type:'}{stem}*", f"{stems.count(stem)} types"
    for name in matching:
        yield f"{key or 'type:'}{name}", ""
    if len(begun) > 1:
        for name in types:
            if lowered in name.lower() and name not in matching:
                yield f"{key or 'type:'}{name}", ""


def _odd(name: str) -> bool:
    """Whether a type cannot stand in a filter without quotes."""
    return any(each.isspace() or each in '"()*' for each in name) or not name.isprintable()


def _recent_ids(log: EventLog, rows: int) -> dict[Kind, dict[str, None]]:
    found: dict[Kind, dict[str, None]] = {kind: {} for kind in Kind}
    for row in range(rows - 1, max(0, rows - _RECENT) - 1, -1):
        event = wire.parse(log.data(log.first(row)))
        if event is None:
            continue
        for kind in Kind:
            found[kind].update((each, None) for each in ids(kind, event) if not _odd(each))
    return found
