"""How checks are written: lines for people, which fit 80 columns, or one JSON object a line."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from typing import IO, Final

import click

from tui.doctor.report import Check, Finding, Outcome, Report
from tui.endpoint import escape_controls

WIDTH: Final = 80
"""Columns of what goes into a pipe, and the least that is written for."""

_WIDEST: Final = 100
_TITLE: Final = 17
"""Columns of the titles, with the space after them."""
_INDENT: Final = 4
_DETAIL: Final = _INDENT + _TITLE
"""Where what is said begins."""

_WORDS: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)+""")
"""The words of a shell's line."""

_SIGNS: Final = {Outcome.OK: "✓", Outcome.WARNING: "!", Outcome.FAILED: "✗", Outcome.SKIPPED: "·"}
_PLAIN_SIGNS: Final = {Outcome.OK: "+", Outcome.WARNING: "!", Outcome.FAILED: "x", Outcome.SKIPPED: "."}
_COLOURS: Final = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.FAILED: "red"}


class JsonLines:
    """One object for each check, and one for what they come to."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def begin(self, title: str) -> None:
        """Nothing: a check is told of when it is done."""

    def tell(self, check: Check) -> None:
        """Write a check."""
        self._write(check.as_json())

    def end(self, report: Report) -> None:
        """Write what they come to."""
        self._write(report.as_json())

    def _write(self, value: object) -> None:
        self._stream.write(json.dumps(value) + "\n")
        self._stream.flush()


class Lines:
    """For people. In a terminal there are colours, and a line for the check that is under way."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self._terminal and "NO_COLOR" not in os.environ
        columns = shutil.get_terminal_size((WIDTH, 24)).columns if self._terminal else WIDTH
        self._width = max(40, min(columns, _WIDEST))
        self._signs = _SIGNS if self._can_write("".join(_SIGNS.values())) else _PLAIN_SIGNS
        self._not_done: list[Check] = []

    def begin(self, title: str) -> None:
        """Say that a check is under way, where it can be taken back."""
        if self._terminal:
            self._put(f"\r  {'…' if self._can_write('…') else '.'} {title}")

    def tell(self, check: Check) -> None:
        """Write a check. Those that make no sense any more share a line."""
        self._take_back()
        if check.in_vain:
            self._not_done.append(check)
            return
        self._write_not_done()
        self._write_check(check)
        self._stream.flush()

    def end(self, report: Report) -> None:
        """Write what the checks come to."""
        self._take_back()
        self._write_not_done()
        bad, doubtful = report.of(Outcome.FAILED), report.of(Outcome.WARNING)
        took = f" ({report.seconds:.1f} s)"
        self._put("\n")
        if bad:
            said = f"Not healthy: {_listed(bad)} failed."
        elif doubtful:
            said = f"Healthy, with a remark about {_listed(doubtful)}."
        else:
            said = "Healthy."
        self._put(self._styled(said, "red" if bad else "green", bold=True) + took + "\n")
        self._stream.flush()

    def _write_check(self, check: Check) -> None:
        found = check.finding
        sign = self._styled(self._signs[check.outcome], _COLOURS.get(check.outcome))
        head = f"  {sign} {self._styled(f'{check.title:<{_TITLE}}', bold=check.outcome is Outcome.FAILED)}"
        took = _duration(check.seconds) if check.outcome is not Outcome.SKIPPED else ""
        says = self._wrapped(found.says, self._width - _DETAIL - len(took) - 2)
        first, *more = says or [""]
        room = self._width - _DETAIL - len(first)
        self._put(f"{head}{first}{self._styled(took.rjust(room), dim=True)}".rstrip() + "\n")
        for line in more:
            self._put(f"{' ' * _DETAIL}{line}\n")
        if found.cause is not None:
            self._write_fix(found)
        for detail in found.details:
            self._write_block(detail, dim=True, indent=_INDENT if check.name == "settings" else _DETAIL)
        if found.cause is not None and found.facts and check.name != "settings":
            self._write_block(", ".join(f"{name} {value}" for name, value in found.facts.items()), dim=True)

    def _write_fix(self, found: Finding) -> None:
        assert found.cause is not None
        if found.cause.fix and found.cause.fix != found.cause.line:
            self._write_block(found.cause.fix)
        if found.cause.line:
            for line in self._as_typed(found.cause.line):
                self._put(f"{' ' * _INDENT}{self._styled(line, bold=True)}\n")

    def _as_typed(self, line: str) -> list[str]:
        """A line to copy into a shell, in pieces that the shell takes for one line where it is too long."""
        pieces = ["$"]
        room = self._width - _INDENT - 2
        for word in _WORDS.findall(self._clean(line)):
            if len(pieces[-1]) + 1 + len(word) > room and pieces != ["$"]:
                pieces[-1] += " \\"
                pieces.append(" ")
            pieces[-1] += f" {word}"
        return pieces

    def _write_block(self, text: str, *, dim: bool = False, indent: int = _DETAIL) -> None:
        """Lines below a check; further left for what must not be broken, such as a URL."""
        longest = max((len(word) for word in text.split()), default=0)
        indent = indent if longest <= self._width - indent else _INDENT
        for line in self._wrapped(text, self._width - indent):
            self._put(f"{' ' * indent}{self._styled(line, dim=dim)}\n")

    def _write_not_done(self) -> None:
        if self._not_done:
            names = ", ".join(check.title for check in self._not_done)
            self._not_done.clear()
            lines = self._wrapped(names, self._width - _DETAIL)
            head = f"  {self._signs[Outcome.SKIPPED]} {'Not done':<{_TITLE}}"
            for line in lines:
                self._put(self._styled(head + line, dim=True) + "\n")
                head = " " * _DETAIL

    def _take_back(self) -> None:
        if self._terminal:
            self._put("\r\x1b[K")

    def _wrapped(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(self._clean(text), width, break_on_hyphens=False, break_long_words=False)

    def _clean(self, text: str) -> str:
        """What comes from the network, without anything that a terminal could obey."""
        return escape_controls(" ".join(text.split()))

    def _styled(self, text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
        if not self._colours or not (colour or bold or dim):
            return text
        return click.style(text, fg=colour, bold=bold or None, dim=dim or None)

    def _can_write(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True

    def _put(self, text: str) -> None:
        # Lone surrogates, and whatever a terminal that is not UTF-8 cannot show.
        self._stream.write(text.encode(self._encoding, errors="replace").decode(self._encoding))


def writer(*, json_output: bool, stream: IO[str] | None = None) -> JsonLines | Lines:
    """What writes the checks to a stream, stdout unless told otherwise."""
    stream = stream if stream is not None else sys.stdout
    return JsonLines(stream) if json_output else Lines(stream)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def _listed(checks: list[Check]) -> str:
    *others, last = [check.title for check in checks]
    return f"{', '.join(others)} and {last}" if others else last
