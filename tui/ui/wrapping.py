"""Wraps styled text from outside to lines of a given width in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, split_graphemes

from tui.ui.text import legible

_WORDS = re.compile(r"\s+|\S+")

_MARKS_PER_CHARACTER = 8
"""Code points of one character that are drawn: enough for any script, too few to flood the terminal in one cell."""

Span = tuple[str, str]
"""A text and the name of its style."""


def wrap(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """Break spans at spaces, and words that are longer than a line anywhere; newlines start a new line.

    The text may hold anything; what comes out is printable. Runs of spaces inside a line stay as they are, because
    they may mean something; a line never begins with the space that it was broken at. Of a pile of combining marks
    only the first are kept. ``width`` is at least 2, since a character can take two cells. Empty lines at the end are
    left out.
    """
    return _without_empty_end(_break(spans, width))


class GrowingText:
    """Wraps a text of one style that grows at its end: of a long one, only the last paragraph is wrapped each time."""

    def __init__(self, width: int, style: str) -> None:
        self._width = width
        self._style = style
        self._complete = ""
        """The paragraphs that are wrapped for good, each with its newline."""
        self._lines: list[list[Span]] = []

    def wrap(self, text: str) -> list[list[Span]]:
        """What ``wrap`` returns. Another text than a longer one is as good, and takes longer."""
        if not text.startswith(self._complete):
            self._complete, self._lines = "", []
        start = len(self._complete)
        end = text.rfind("\n", start) + 1
        if end:
            self._complete = text[:end]
            self._lines += _break([(text[start:end], self._style)], self._width)[:-1]  # what follows the last newline
        rest = _break([(text[max(start, end) :], self._style)], self._width)
        return _without_empty_end([*self._lines, *rest])


def _without_empty_end(lines: list[list[Span]]) -> list[list[Span]]:
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _break(spans: Iterable[Span], width: int) -> list[list[Span]]:
    lines: list[list[Span]] = [[]]
    used = 0

    def put(text: str, style: str, cells: int) -> None:
        nonlocal used
        line = lines[-1]
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))
        used += cells

    def end_line() -> None:
        nonlocal used
        _strip_end(lines[-1])
        lines.append([])
        used = 0

    for text, style in spans:
        for number, paragraph in enumerate(text.replace("\r\n", "\n").replace("\t", "    ").split("\n")):
            if number:
                end_line()
            for word in _WORDS.findall(paragraph):
                safe = _drawable(word)
                cells = cell_len(safe)
                if used + cells <= width:
                    put(safe, style, cells)
                elif word.isspace():
                    used = width if used else 0
                else:
                    for piece in [safe] if cells <= width else chop_cells(safe, width):
                        if used:
                            end_line()
                        put(piece, style, cell_len(piece))
    _strip_end(lines[-1])
    return lines


def _strip_end(line: list[Span]) -> None:
    """Remove the space at the end of a line: it would show where text is struck through."""
    while line:
        text, style = line[-1]
        if text.endswith(" "):
            line[-1] = (text.rstrip(" "), style)
        if line[-1][0]:
            return
        line.pop()


def _drawable(word: str) -> str:
    """Return a legible word without piles of marks."""
    safe = legible(word)
    if safe.isascii() or len(safe) <= _MARKS_PER_CHARACTER * cell_len(safe):
        return safe
    return "".join(safe[start : min(end, start + _MARKS_PER_CHARACTER)] for start, end, _ in split_graphemes(safe)[0])
