"""A frame that is JSON: indented, foldable, its long strings cut off until they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from rich.cells import cell_len

from tui.audio_format import AudioFormat
from tui.ui.document.base import (
    MAX_MATCHES,
    Document,
    Line,
    Match,
    Role,
    Search,
    marks_in,
    row_starts,
)
from tui.ui.document.jsontext import (
    Container,
    Value,
    brackets,
    child,
    count,
    holds_audio,
    length_notes,
    pretty,
    preview,
    quoted,
    quoted_head,
    role,
    written,
)
from tui.ui.document.outline import Outline, Position, Wrapped
from tui.ui.text import clip

_UNFOLDED_AT_FIRST = 2_000
_UNFOLDED_AT_MOST = 250_000
"""Lines. More would take longer to unfold than a person likes to wait."""

_MIN_CONTENT = 30
"""Cells that the indent leaves for what a line says."""

_MIN_HEAD, _AUDIO_HEAD, _PREVIEW = 10, 10, 60
"""Cells for the beginning of a long string, of audio, and of a folded object."""

_PROSE_ROWS = 10
"""A string of so many rows is shown whole at first."""

_SEPARATOR = ": "

Spans = list[tuple[str, Role]]


class JsonDocument(Document):
    """The lines of a JSON value, which may have any size and shape that Python's parser takes."""

    def __init__(self, value: Value, audio: AudioFormat) -> None:
        """``audio`` is the format of audio in it."""
        self._value = value
        self._audio = audio
        self._width = 0
        self._outline = Outline(value)

    @property
    def height(self) -> int:
        return self._outline.height

    def resize(self, width: int) -> None:
        if self._width == 0:
            self._width = width
            self._outline.unfold_all(_UNFOLDED_AT_FIRST)
            self._unfold_prose()
        self._width = width
        for position, wrapped in self._outline.wrapped():
            rows = row_starts(wrapped.text, self._room(position))
            self._outline.wrap(position, Wrapped(wrapped.text, wrapped.key_length, rows))

    def line(self, y: int, search: Search | None = None) -> Line:
        position = self._outline.at(y)
        indent = self._indent(position)
        if position.closing:
            return self._fitted([(indent, Role.GUIDE), ("  " + brackets(position.branch.value)[1], Role.PUNCTUATION)])
        opened = position.opened
        if isinstance(opened, Wrapped):
            spans, text, start, end = self._wrapped_row(position, opened)
        else:
            spans, text = self._entry(position)
            start, end = 0, len(text)
        folds = "▾ " if opened is not None else "▸ " if self._opens(position) else "  "
        marker = folds if position.row == 0 else "  "
        before = len(indent) + len(marker)
        where = self._where(position) if search is not None else ()
        marks = [(left + before, right + before, now) for left, right, now in marks_in(text, start, end, search, where)]
        return self._fitted([(indent, Role.GUIDE), (marker, Role.PUNCTUATION), *spans], marks)

    def search(self, search: Search) -> Iterator[Match | None]:
        pattern = search.pattern
        found = 0
        where = [0]
        stack: list[Container] = [[self._value]]
        while stack:
            if where[-1] == len(stack[-1]):
                stack.pop()
                where.pop()
                if where:
                    where[-1] += 1
                continue
            key, value = child(stack[-1], where[-1])
            for match in pattern.finditer(_full_text(key, value)):
                yield Match(tuple(where), match.start(), match.end())
                found += 1
                if found == MAX_MATCHES:
                    return
            yield None
            if isinstance(value, list):
                stack.append(value)
                where.append(0)
            else:
                where[-1] += 1

    def reveal(self, match: Match) -> int:
        position = self._outline.position(match.where)
        hidden = position.opened is None and match.end > len(self._entry(position)[1])
        if hidden and not isinstance(position.child[1], list):
            self._wrap(position)
        opened = position.opened
        row = bisect_right(opened.rows, match.start) - 1 if isinstance(opened, Wrapped) else 0
        return self._outline.line_of(Position(position.branch, position.index, row))

    def anchor(self, y: int) -> Position:
        return self._outline.at(y)

    def find(self, anchor: object) -> int:
        assert isinstance(anchor, Position)
        return self._outline.line_of(anchor)

    def copy_text(self, limit: int) -> str | None:
        return pretty(self._value, limit)

    def toggle(self, y: int) -> int | None:
        position = self._outline.at(y)
        branch = position.branch
        if position.closing and branch.parent is not None:
            position = Position(branch.parent, branch.index)
        if position.opened is not None:
            self._outline.close(position)
        elif self._outline.open(position.branch, position.index) is None:
            if not self._opens(position):
                return None
            self._wrap(position)
        return self._outline.line_of(Position(position.branch, position.index))

    def fold_all(self) -> bool:
        self._outline.fold_all()
        return isinstance(self._value, list)

    def unfold_all(self) -> bool:
        return self._outline.unfold_all(_UNFOLDED_AT_MOST)

    def _unfold_prose(self) -> None:
        """Show strings of a few rows whole: what was said is what a person opens an event for."""
        for y in reversed(range(min(self.height, _UNFOLDED_AT_FIRST))):
            position = self._outline.at(y)
            if position.closing or not self._opens(position):
                continue
            key, value = position.child
            short = isinstance(value, str) and len(value) <= _PROSE_ROWS * self._room(position)
            if short and not holds_audio(value, key, position.branch.value):
                self._wrap(position)

    def _indent(self, position: Position) -> str:
        depth = position.branch.depth + (0 if position.closing else 1)
        most = max(1, (self._width - _MIN_CONTENT) // 2)
        return "│ " * depth if depth <= most else "⋯ " + "│ " * (most - 1)

    def _room(self, position: Position) -> int:
        """Cells for an entry's key and value."""
        return self._width - len(self._indent(position)) - 2

    def _opens(self, position: Position) -> bool:
        """Whether there is something to unfold: children, or the rest of a long string."""
        key, value = position.child
        if isinstance(value, list):
            return bool(value)
        return self._whole(position, key, value) is None

    def _whole(self, position: Position, key: str | None, value: Value) -> str | None:
        """The text of an entry without children, or None if it is not shown whole on one line."""
        room = self._room(position)
        if (isinstance(value, str) and len(value) > room) or holds_audio(value, key, position.branch.value):
            return None
        if key is not None and len(key) > room:
            return None
        text = _full_text(key, value)
        return text if cell_len(text) <= room else None

    def _entry(self, position: Position) -> tuple[Spans, str]:
        """The spans of an entry on one line, and the beginning of its text that they show as it is."""
        key, value = position.child
        if isinstance(value, list):
            return self._container(position, key, value)
        whole = self._whole(position, key, value)
        if whole is None:
            return self._cut(position, key, value)
        if key is None:
            return [(whole, role(value))], whole
        name = quoted(key)
        said = whole[len(name) + len(_SEPARATOR) :]
        return [(name, Role.KEY), (_SEPARATOR, Role.PUNCTUATION), (said, role(value))], whole

    def _container(self, position: Position, key: str | None, value: Container) -> tuple[Spans, str]:
        note = f" {count(value)}" if value and position.opened is None else ""
        spans, seen = self._key(position, key, len("{…}") + len(note))
        room = self._room(position) - sum(cell_len(text) for text, _ in spans)
        if position.opened is not None:
            return [*spans, (brackets(value)[0], Role.PUNCTUATION)], seen
        held = preview(value, min(_PREVIEW, room - len(note)))
        return [*spans, (held, Role.PUNCTUATION), (note, Role.NOTE)], seen

    def _cut(self, position: Position, key: str | None, value: Value) -> tuple[Spans, str]:
        """An entry that does not fit: the beginning of its value, and the longest note that fits behind."""
        spans, seen = self._key(position, key, _MIN_HEAD + len(" 16,384"))
        room = self._room(position) - sum(cell_len(text) for text, _ in spans)
        audio = holds_audio(value, key, position.branch.value)
        text = value if isinstance(value, str) else written(value)
        notes = length_notes(text, self._audio if audio else None)
        note = next((note for note in notes if room - len(note) - 1 >= _MIN_HEAD), notes[-1])
        room = max(_MIN_HEAD // 2, min(room - len(note) - 1, _AUDIO_HEAD if audio else room))
        if role(value) is Role.NUMBER:
            shown = clip(text, room)
            head = shown.removesuffix("…")
        else:
            shown, head = quoted_head(text, room)
        key_is_whole = key is None or seen.endswith(_SEPARATOR)
        return [*spans, (shown, role(value)), (f" {note}", Role.NOTE)], seen + head if key_is_whole else seen

    def _key(self, position: Position, key: str | None, reserve: int) -> tuple[Spans, str]:
        """The spans of a key, leaving so many cells for the value, and the beginning of its text."""
        if key is None:
            return [], ""
        shown, head = quoted_head(key, max(_MIN_HEAD, self._room(position) - reserve - len(_SEPARATOR)))
        seen = shown + _SEPARATOR if shown == head else head
        return [(shown, Role.KEY), (_SEPARATOR, Role.PUNCTUATION)], seen

    def _wrap(self, position: Position) -> None:
        key, value = position.child
        text = _full_text(key, value)
        key_length = len(quoted(key)) if key is not None else 0
        self._outline.wrap(position, Wrapped(text, key_length, row_starts(text, self._room(position))))

    def _wrapped_row(self, position: Position, wrapped: Wrapped) -> tuple[Spans, str, int, int]:
        start = wrapped.rows[position.row]
        end = wrapped.rows[position.row + 1] if position.row < wrapped.extra else len(wrapped.text)
        value_at = wrapped.key_length + (len(_SEPARATOR) if wrapped.key_length else 0)
        borders = [(0, wrapped.key_length, Role.KEY), (wrapped.key_length, value_at, Role.PUNCTUATION)]
        spans = [
            (wrapped.text[max(left, start) : min(right, end)], kind)
            for left, right, kind in [*borders, (value_at, len(wrapped.text), role(position.child[1]))]
            if max(left, start) < min(right, end)
        ]
        return spans, wrapped.text, start, end

    def _where(self, position: Position) -> tuple[int, ...]:
        where = [position.index]
        branch = position.branch
        while branch.parent is not None:
            where.append(branch.index)
            branch = branch.parent
        return tuple(reversed(where))

    def _fitted(self, spans: Spans, marks: list[tuple[int, int, bool]] | None = None) -> Line:
        """The line, cut at the width: what should fit already does, except on a very narrow screen."""
        left = self._width
        fitted = []
        for text, kind in spans:
            shown = clip(text, left)
            fitted.append((shown, kind))
            left -= cell_len(shown)
        return Line(tuple(fitted), tuple(marks or ()))


def _full_text(key: str | None, value: Value) -> str:
    """What an entry says on its line, were the line long enough; of an object or array, only the key."""
    said = "" if isinstance(value, list) else written(value)
    return f"{quoted(key)}{_SEPARATOR}{said}" if key is not None else said
