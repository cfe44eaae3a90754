"""What a view of one frame needs to know: so many lines, what each says, where a search finds something."""

from __future__ import annotations

import enum
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import split_graphemes

LARGE_TEXT = 64 * 1024
"""Characters. A larger text that is not plain ASCII is shown with escapes, so that wrapping it is only arithmetic."""

MAX_MATCHES = 10_000
"""A search stops here: nobody steps through more."""


class Role(enum.StrEnum):
    """What a piece of a line is; the view gives each role a style."""

    KEY = "key"
    STRING = "string"
    NUMBER = "number"
    LITERAL = "literal"
    PUNCTUATION = "punctuation"
    TEXT = "text"
    NOTE = "note"
    """Said by us, not part of the frame."""
    GUIDE = "guide"


@dataclass(frozen=True, slots=True)
class Match:
    """Where a search found something. ``where`` means something to the document only."""

    where: tuple[int, ...]
    start: int
    """Offset in the text of the entry, in characters (bytes in a hex dump)."""
    end: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is drawn: printable, and no wider than the width that the document was given."""

    spans: tuple[tuple[str, Role], ...]
    marks: tuple[tuple[int, int, bool], ...] = ()
    """Matches in it: start and end in characters of the joined spans, and whether it is the current one."""

    @property
    def text(self) -> str:
        """The spans without their roles."""
        return "".join(text for text, _ in self.spans)


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, and the match that the person has stepped to."""

    query: str
    current: Match | None = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """The query as it is, or as JSON writes it; capitals and small letters are the same."""
        return _pattern(self.query)


@lru_cache(maxsize=8)
def _pattern(query: str) -> re.Pattern[str]:
    # The longest first: a search for a backslash finds the two that JSON writes for it as one.
    forms = dict.fromkeys((json.dumps(query)[1:-1], json.dumps(query, ensure_ascii=False)[1:-1], query))
    return re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)


class Document(ABC):
    """The lines of one frame. Lines are made when they are asked for; what is folded or out of sight costs nothing."""

    reason = ""
    """Why the frame is not shown as JSON; empty when it is."""

    @property
    @abstractmethod
    def height(self) -> int:
        """Lines there are at present; at least one."""

    @abstractmethod
    def resize(self, width: int) -> None:
        """Lay the lines out for so many cells. To be called before anything else."""

    @abstractmethod
    def line(self, y: int, search: Search | None = None) -> Line:
        """What line ``y`` says."""

    @abstractmethod
    def search(self, search: Search) -> Iterator[Match | None]:
        """Matches from the top, at most :data:`MAX_MATCHES`; None now and then, so that a caller can pause."""

    @abstractmethod
    def reveal(self, match: Match) -> int:
        """The line of a match, after unfolding what hides it."""

    @abstractmethod
    def anchor(self, y: int) -> object:
        """What line ``y`` shows: :meth:`find` finds it again after a resize or a fold."""

    @abstractmethod
    def find(self, anchor: object) -> int:
        """The line that shows what the anchor stands for, or what now hides it."""

    @abstractmethod
    def copy_text(self, limit: int) -> str | None:
        """The frame as readable text, or None if that is more than ``limit`` characters."""

    def toggle(self, y: int) -> int | None:
        """Fold or unfold what line ``y`` shows. Returns the line where it begins; None if there is nothing to fold."""
        return None

    def fold_all(self) -> bool:
        """Fold everything below the top level. Returns False if there is nothing that folds."""
        return False

    def unfold_all(self) -> bool:
        """Unfold every object and array. Returns False if there are too many and some stay folded."""
        return True


def row_starts(text: str, width: int) -> Sequence[int]:
    r"""Where each row begins when printable text is wrapped at ``width`` cells.

    Rows end behind a line end, real or escaped as in JSON, and rather behind a space than within a word. Beyond
    :data:`LARGE_TEXT` they have so many characters each: then the length of the text does not matter.
    """
    width = max(width, 2)  # a wide character must fit
    if len(text) > LARGE_TEXT:
        return range(0, len(text), width if text.isascii() else width // 2)
    starts = [0]
    for line_end in _LINE_END.finditer(text):
        _wrap(text, starts, line_end.end() - (line_end[0] == "\n"), width)
        starts.append(line_end.end())
    _wrap(text, starts, len(text), width)
    return starts


_LINE_END = re.compile(r'\n|(?<!\\)(?:\\\\)*\\n(?!"\Z)')
r"""A line end, or ``\n`` with no backslash of its own; not where only the quote of a JSON string is left."""


def _wrap(text: str, starts: list[int], stop: int, width: int) -> None:
    """Add the starts of the rows between the latest start and ``stop``."""
    start = starts[-1]
    if text.isascii():
        while stop - start > width:
            space = text.rfind(" ", start + width // 3, start + width)
            start = space + 1 if space >= 0 else start + width
            starts.append(start)
        return
    used, after_space, used_then = 0, 0, 0
    for left, right, cells in split_graphemes(text[start:stop])[0]:
        if used + cells > width:
            breaks_at, used = (after_space, used - used_then) if 3 * used_then > width else (start + left, 0)
            starts.append(breaks_at)
            used_then = 0
        used += cells
        if text[start + left] == " ":
            after_space, used_then = start + right, used


def marks_in(
    text: str, start: int, end: int, search: Search | None, where: tuple[int, ...]
) -> list[tuple[int, int, bool]]:
    """Marks for ``text[start:end]``, counted from ``start``; a match may begin before it or end behind it."""
    if search is None:
        return []
    around = 12 * len(search.query)  # JSON writes one character with at most twelve
    marks = []
    for found in search.pattern.finditer(text, max(0, start - around), min(len(text), end + around)):
        left, right = max(found.start(), start), min(found.end(), end)
        if left < right:
            marks.append((left - start, right - start, search.current == Match(where, found.start(), found.end())))
    return marks
