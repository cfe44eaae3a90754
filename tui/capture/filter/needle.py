"""A text or an id, as it may stand in a frame of JSON: in UTF-8, with JSON's escapes, in any case of its letters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import ne
from typing import Final

from tui import wire
from tui.capture.filter.identity import ids
from tui.capture.filter.syntax import Id, Text

_LONG: Final = 3
"""Letters of ASCII beyond which a part of a text is rare enough to be looked for alone."""


@dataclass(frozen=True, slots=True)
class Form:
    """Bytes that may stand where a text or an id does."""

    letters: tuple[bytes, ...]
    """For each place, the bytes that may stand there."""
    sure: bool
    """True when nothing else can be meant; else the whole frame has to be looked at."""


def form(*written: bytes, sure: bool = True) -> Form:
    """What is written in one of these ways, of the same length, and with small or capital letters of ASCII."""
    both = [each for way in written for each in (way.lower(), way.upper())]
    return Form(tuple(bytes(sorted(set(column))) for column in zip(*both, strict=True)), sure)


class TextNeedle:
    """Finds a text, ignoring case."""

    def __init__(self, term: Text) -> None:
        text = term.text
        self._note = text.lower()
        written = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        spelled = sorted({_encoded(each).lower() for each in written})
        # bytes know small and capital letters of ASCII only; a pattern that knows others is several times slower.
        self._pattern = _pattern(text) if any(_has_case(each) for each in text if not each.isascii()) else None
        self._spelled = tuple(spelled)
        self.forms = tuple(map(form, spelled)) if self._pattern is None else tuple(_likely(text))
        """Where none of these stands, it is not; see :class:`Form`."""
        self.inside_strings = not set(text) & set('"}')
        """True when it has no sign that can follow on a string of JSON in a frame without its audio."""

    def in_note(self, note: str) -> bool:
        """Whether a note holds it."""
        return self._note in note.lower()

    def in_frame(self, event_type: str, data: bytes) -> bool:
        """Whether a frame holds it, outside its audio."""
        return any(self._in_piece(piece) for piece in _readable(event_type, data))

    def _in_piece(self, piece: bytes) -> bool:
        if self._pattern is not None:
            return self._pattern.search(piece) is not None
        lowered = piece.lower()
        return any(each in lowered for each in self._spelled)


class IdNeedle:
    """Finds events that belong to what has this id."""

    def __init__(self, term: Id) -> None:
        self._kind = term.kind
        literal, star, _ = term.pattern.partition("*")
        end = "" if star else '"'
        written = {literal, json.dumps(literal)[1:-1], json.dumps(literal, ensure_ascii=False)[1:-1]}
        self._spelled = tuple(_encoded(f'"{each}{end}') for each in sorted(written))
        self.forms = tuple(form(each, sure=False) for each in self._spelled)
        """As those of a text."""
        self.inside_strings = False
        self._pattern = glob(term.pattern)

    def in_note(self, note: str) -> bool:
        """A note names no ids."""
        return False

    def in_frame(self, event_type: str, data: bytes) -> bool:
        """Whether the event belongs to it."""
        if not any(each in data for each in self._spelled):
            return False
        event = wire.parse(data)
        return event is not None and any(self._pattern.fullmatch(each) for each in ids(self._kind, event))


Needle = TextNeedle | IdNeedle


@lru_cache(maxsize=64)
def needle(term: Text | Id) -> Needle:
    """What finds a term."""
    return TextNeedle(term) if isinstance(term, Text) else IdNeedle(term)


def glob(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """A pattern in which ``*`` stands for any characters. Atomic groups: many stars take no longer than one."""
    first, *others = map(re.escape, pattern.split("*"))
    if others:
        first += "".join(f"(?>.*?{each})" for each in others[:-1]) + f".*{others[-1]}"
    return re.compile(first, flags | re.DOTALL)


def _readable(event_type: str, data: bytes) -> tuple[bytes, ...]:
    """A frame without its audio: every short word stands somewhere in a few kilobytes of base64."""
    audio = wire.event_type(event_type).audio
    key = f'"{audio}"'.encode() if audio else None
    if key is None:
        return (data,)
    _, start, end = wire.find_string(data, key)
    return (data[:start], data[end:]) if end >= start > 0 else (data,)


def _pattern(text: str) -> re.Pattern[bytes]:
    parts = []
    for each in text:
        written = {form for v in _cases(each) for form in (v, _escaped(v), json.dumps(v, ensure_ascii=False)[1:-1])}
        parts.append(b"(?:" + b"|".join(sorted(re.escape(_encoded(each)) for each in written)) + b")")
    return re.compile(b"".join(parts), re.IGNORECASE)


def _likely(text: str) -> Iterator[Form]:
    """Forms of which one stands wherever the pattern of a text matches.

    They are of the longest part in which every letter is written alike in both cases but for one byte, as it is in most
    alphabets; some letters may be escaped, and then one of their escapes stands there. A text without such a part has
    letters of which one can be looked for in each way that it is written.
    """
    parts = _split(text, _is_simple)
    if not parts:
        letter = next(each for each in text if not each.isascii())
        yield from (form(_encoded(way), sure=False) for each in _cases(letter) for way in (each, _escaped(each)))
        return
    plain = max((each for part in parts for each in _split(part, str.isascii)), key=len, default="")
    if len(plain) > _LONG:
        yield form(plain.encode(), sure=False)
        return
    part = max(parts, key=lambda each: len(_encoded(each)))
    cases = [_cases(each) for each in part]
    yield form(*(_encoded("".join(each[way] for each in cases)) for way in (0, -1)), sure=part == text)
    for letter in sorted({each for each in part if not each.isascii()}):
        yield form(*(_encoded(_escaped(each)) for each in _cases(letter)), sure=False)


def _split(text: str, test: Callable[[str], bool]) -> list[str]:
    """The longest parts of a text whose letters all pass a test."""
    return ["".join(part) for passes, part in groupby(text, test) if passes]


def _is_simple(letter: str) -> bool:
    """True for one whose cases differ in one byte, and that JSON does not have to escape."""
    first, *others = {_encoded(each) for each in _cases(letter)}
    alike = all(len(each) == len(first) and sum(map(ne, each, first)) < 2 for each in others) and len(others) < 2
    return alike and json.dumps(letter, ensure_ascii=False)[1:-1] == letter


def _cases(letter: str) -> list[str]:
    return sorted({letter, letter.lower(), letter.upper()})


def _has_case(letter: str) -> bool:
    return letter.lower() != letter.upper()


def _escaped(text: str) -> str:
    """As JSON writes it in ASCII."""
    return json.dumps(text)[1:-1]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
