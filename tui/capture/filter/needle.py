"""A text or an id, as it may stand in a frame of JSON: in UTF-8, with JSON's escapes, in any case of its letters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Final

from tui import wire
from tui.capture.filter.identity import ids
from tui.capture.filter.syntax import Id, Text

Buffer = bytes | bytearray

FOLD: Final = 0x20
"""This bit set in every byte makes ASCII letters small; it also makes one of a few signs, such as ``[`` and ``{``."""

_QUOTED_KEYS: Final = {event_type: f'"{key}"'.encode() for event_type, key in wire.AUDIO_KEYS.items()}


class TextNeedle:
    """Finds a text, ignoring case."""

    def __init__(self, term: Text) -> None:
        self._note = term.text.lower()
        written = {term.text, json.dumps(term.text)[1:-1], json.dumps(term.text, ensure_ascii=False)[1:-1]}
        self._forms = tuple(sorted({each.encode("utf-8", "surrogatepass").lower() for each in written}))
        self._folded = tuple(bytes(each | FOLD for each in form) for form in self._forms)
        # A folded letter is a letter, and a folded digit or blank a control character otherwise, which JSON escapes.
        self._plain = all(form.replace(b" ", b"").isalnum() for form in self._forms)
        other = {each for each in term.text if not each.isascii() and each.lower() != each.upper()}
        # bytes know small and capital letters of ASCII only; a pattern that knows others is several times slower.
        self._pattern = _pattern(term.text) if other else None

    def in_note(self, note: str) -> bool:
        """Whether a note holds it."""
        return self._note in note.lower()

    def in_frame(self, event_type: str, data: bytes) -> bool:
        """Whether a frame holds it, outside its audio."""
        return any(self._in_piece(piece) for piece in _readable(event_type, data))

    def candidates(self, block: bytes, folded: Buffer) -> Iterator[Callable[[int, int], int]]:
        """Ways to find it in a block of frames: each takes where to begin and end, and gives where it is, or -1.

        ``folded`` is the block with :data:`FOLD` in every byte. What is found is still to be confirmed.
        """
        if self._pattern is not None:
            search = self._pattern.search

            def find(start: int, end: int) -> int:
                found = search(block, start, end)
                return found.start() if found is not None else -1

            yield find
            return
        for form in self._folded:
            yield partial(folded.find, form)

    def confirm(self, event_type: str, data: bytes) -> bool:
        """Whether a frame in which a candidate stood really has it."""
        return (self._plain and event_type not in wire.AUDIO_KEYS) or self.in_frame(event_type, data)

    def _in_piece(self, piece: bytes) -> bool:
        if self._pattern is not None:
            return self._pattern.search(piece) is not None
        lowered = piece.lower()
        return any(form in lowered for form in self._forms)


class IdNeedle:
    """Finds events that belong to what has this id."""

    def __init__(self, term: Id) -> None:
        self._kind = term.kind
        literal, star, _ = term.pattern.partition("*")
        end = "" if star else '"'
        written = {literal, json.dumps(literal)[1:-1], json.dumps(literal, ensure_ascii=False)[1:-1]}
        self._forms = tuple(f'"{each}{end}'.encode("utf-8", "surrogatepass") for each in sorted(written))
        self._pattern = glob(term.pattern)

    def in_note(self, note: str) -> bool:
        """A note names no ids."""
        return False

    def in_frame(self, event_type: str, data: bytes) -> bool:
        """Whether the event belongs to it."""
        return any(form in data for form in self._forms) and self.confirm(event_type, data)

    def candidates(self, block: bytes, folded: Buffer) -> Iterator[Callable[[int, int], int]]:
        """As :meth:`TextNeedle.candidates`."""
        for form in self._forms:
            yield partial(block.find, form)

    def confirm(self, event_type: str, data: bytes) -> bool:
        """As :meth:`TextNeedle.confirm`."""
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
    key = _QUOTED_KEYS.get(event_type)
    if key is None:
        return (data,)
    _, start, end = wire.find_string(data, key)
    return (data[:start], data[end:]) if end > start else (data,)


def _pattern(text: str) -> re.Pattern[bytes]:
    parts = []
    for each in text:
        variants = {each, each.lower(), each.upper()}
        written = {form for v in variants for form in (v, json.dumps(v)[1:-1], json.dumps(v, ensure_ascii=False)[1:-1])}
        encoded = sorted(re.escape(form.encode("utf-8", "surrogatepass")) for form in written)
        parts.append(b"(?:" + b"|".join(encoded) + b")")
    return re.compile(b"".join(parts), re.IGNORECASE)
