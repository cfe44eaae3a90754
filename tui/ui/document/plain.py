"""A frame that is not JSON: as text with everything unprintable escaped, or as a hex dump."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from tui.ui.document.base import (
    LARGE_TEXT,
    MAX_MATCHES,
    Document,
    Line,
    Match,
    Role,
    Search,
    marks_in,
    row_starts,
)
from tui.ui.text import printable

_ESCAPED_ASCII = {code: f"\\u{code:04x}" for code in (*range(0x20), 0x7F)}
_HEX_WIDTHS = (16, 8, 4, 2)
"""Bytes in a row of a hex dump: the first that fits."""


class TextDocument(Document):
    """Lines of text, wrapped."""

    def __init__(self, text: str, reason: str) -> None:
        self.reason = reason
        if len(text) <= LARGE_TEXT:
            self._text = "\n".join(printable(line) for line in text.split("\n"))
        else:
            self._text = text.encode("ascii", "backslashreplace").decode().translate(_ESCAPED_ASCII)
        self._rows: Sequence[int] = row_starts(self._text, 80)

    @property
    def height(self) -> int:
        return len(self._rows)

    def resize(self, width: int) -> None:
        self._rows = row_starts(self._text, width)

    def line(self, y: int, search: Search | None = None) -> Line:
        start = self._rows[y]
        end = self._rows[y + 1] if y + 1 < len(self._rows) else len(self._text)
        if end > start and self._text[end - 1] == "\n":
            end -= 1
        return Line(((self._text[start:end], Role.TEXT),), tuple(marks_in(self._text, start, end, search, ())))

    def search(self, search: Search) -> Iterator[Match | None]:
        return _matches(search.pattern.finditer(self._text))

    def reveal(self, match: Match) -> int:
        return self.find(match.start)

    def anchor(self, y: int) -> int:
        return self._rows[y]

    def find(self, anchor: object) -> int:
        assert isinstance(anchor, int)
        return bisect_right(self._rows, anchor) - 1

    def copy_text(self, limit: int) -> str | None:
        return self._text if len(self._text) <= limit else None


class HexDocument(Document):
    """Bytes as hexadecimal numbers, with what is printable ASCII beside them."""

    def __init__(self, data: bytes, reason: str) -> None:
        self.reason = reason
        self._data = data
        self._per_row = _HEX_WIDTHS[0]

    @property
    def height(self) -> int:
        return max(1, -(-len(self._data) // self._per_row))

    def resize(self, width: int) -> None:
        fits = (count for count in _HEX_WIDTHS if len("00000000  ") + 4 * count + 1 <= width)
        self._per_row = next(fits, _HEX_WIDTHS[-1])

    def line(self, y: int, search: Search | None = None) -> Line:
        start = y * self._per_row
        row = self._data[start : start + self._per_row]
        numbers = f"{row.hex(' '):<{3 * self._per_row - 1}}"
        seen = "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in row)
        before = len("00000000  ") + len(numbers) + 2
        marks = [(left + before, right + before, now) for left, right, now in self._marks(start, len(row), search)]
        return Line(
            ((f"{start:08x}  ", Role.GUIDE), (f"{numbers}  ", Role.NUMBER), (seen, Role.TEXT)),
            tuple(marks),
        )

    def search(self, search: Search) -> Iterator[Match | None]:
        return _matches(_bytes_pattern(search.query).finditer(self._data))

    def reveal(self, match: Match) -> int:
        return self.find(match.start)

    def anchor(self, y: int) -> int:
        return y * self._per_row

    def find(self, anchor: object) -> int:
        assert isinstance(anchor, int)
        return anchor // self._per_row

    def copy_text(self, limit: int) -> str | None:
        if 3 * len(self._data) > limit:
            return None
        return "\n".join(self._data[at : at + 16].hex(" ") for at in range(0, len(self._data), 16))

    def _marks(self, start: int, length: int, search: Search | None) -> Iterator[tuple[int, int, bool]]:
        if search is None:
            return
        pattern = _bytes_pattern(search.query)
        around = len(search.query.encode(errors="replace"))
        for found in pattern.finditer(self._data, max(0, start - around), start + length + around):
            left, right = max(found.start(), start), min(found.end(), start + length)
            if left < right:
                now = search.current == Match((), found.start(), found.end())
                yield left - start, right - start, now


def _matches(found: Iterable[re.Match[Any]]) -> Iterator[Match | None]:
    return (Match((), each.start(), each.end()) for each in islice(found, MAX_MATCHES))


def _bytes_pattern(query: str) -> re.Pattern[bytes]:
    """The query as UTF-8, or as hexadecimal numbers: ``1b 5b``."""
    forms = [re.escape(query.encode(errors="replace"))]
    try:
        forms.append(re.escape(bytes.fromhex(query)))
    except ValueError:
        pass  # most queries are words
    return re.compile(b"|".join(form for form in forms if form), re.IGNORECASE)
