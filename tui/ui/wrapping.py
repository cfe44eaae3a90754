"""Wraps styled text from outside to lines of a given width in cells."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rich.cells import cell_len, chop_cells

from tui.ui.text import printable

_WORDS = re.compile(r"\s+|\S+")

Span = tuple[str, str]
"""A text and the name of its style."""


def wrap(spans: Iterable[Span], width: int) -> list[list[Span]]:
    """Break spans at spaces, and words that are longer than a line anywhere; newlines start a new line.

    The text may hold anything; what comes out is printable. Runs of spaces inside a line stay as they are, because
    they may mean something; a line never begins with the space that it was broken at.
    """
    lines: list[list[Span]] = []
    line: list[Span] = []
    used = 0

    def put(text: str, style: str) -> None:
        if line and line[-1][1] == style:
            line[-1] = (line[-1][0] + text, style)
        else:
            line.append((text, style))

    for text, style in spans:
        for number, paragraph in enumerate(text.replace("\r\n", "\n").replace("\t", "    ").split("\n")):
            if number:
                lines.append(line)
                line, used = [], 0
            for word in _WORDS.findall(paragraph):
                safe = printable(word)
                cells = cell_len(safe)
                if used + cells <= width:
                    put(safe, style)
                    used += cells
                    continue
                if word.isspace():
                    if used:
                        lines.append(line)
                        line, used = [], 0
                    continue
                if used and cells <= width:
                    lines.append(line)
                    line, used = [], 0
                    put(safe, style)
                    used = cells
                    continue
                if used:
                    lines.append(line)
                    line, used = [], 0
                for piece in chop_cells(safe, width):
                    if used:
                        lines.append(line)
                        line, used = [], 0
                    put(piece, style)
                    used = cell_len(piece)
    if line or not lines:
        lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return lines
