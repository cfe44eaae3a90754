"""From what a person types to a filter, or to the character that is wrong and what is possible there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from tui.capture.filter import syntax
from tui.capture.filter.evaluation import Filter
from tui.capture.filter.syntax import EVERYTHING, KEYS, NAMES, UNITS, Expression, Kind, Not, Size, Text, all_of, any_of

_DEEPEST: Final = 40
"""Parentheses, nots and saved filters inside one another."""

_EXAMPLES: Final[Mapping[str, str]] = {
    "type": "type:response.*",
    "dir": "dir:in, dir:out or dir:local",
    "text": "text:weather",
}

_WORD = re.compile(r'[^\s()"]+')
_KEY = re.compile(r"([A-Za-z_]+):")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_COMPARISON = re.compile(r"(>=|<=|>|<|=)\s*")
_NUMBER = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)(?:\s?((?:[kmg]i?)?b|[kmg])(?![^\s()\"]))?", re.IGNORECASE)
_SPACE = re.compile(r"\s*")
_OR = re.compile(r"(?:or(?=[\s()]|$)|\|+)", re.IGNORECASE)
_AND = re.compile(r"(?:and(?=[\s()]|$)|&+)", re.IGNORECASE)
_NOT = re.compile(r"(?:not(?=[\s()]|$)|[-!])", re.IGNORECASE)


class FilterError(ValueError):
    """A filter that means nothing: what is wrong, and at which character."""

    def __init__(self, problem: str, position: int, length: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        """What is wrong, and what is possible there; in words for a person. May hold a part of the filter."""
        self.position = position
        """Characters before the one that is wrong; as many as there are, when something is missing at the end."""
        self.length = length
        """Characters that are wrong."""

    def __str__(self) -> str:
        return f"at character {self.position + 1}: {self.problem}"


def parse(text: str, saved: Mapping[str, str] | None = None) -> Filter:
    """Return the filter that ``text`` stands for; an empty one matches everything.

    Args:
        text: the filter, as a person types it.
        saved: name -> filter, for ``@name``.

    Raises:
        FilterError: with the character that is wrong.
    """
    return Filter(text.strip(), _Parser(text, saved or {}, 0).parse())


class _Parser:
    def __init__(self, text: str, saved: Mapping[str, str], depth: int) -> None:
        self._text = text
        self._at = 0
        self._saved = saved
        self._depth = depth

    def parse(self) -> Expression:
        self._skip()
        if self._at == len(self._text):
            return EVERYTHING
        found = self._any()
        if self._at < len(self._text):  # only a parenthesis can end it early
            raise FilterError('nothing is open here; write ")" as text in quotes', self._at)
        return found

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _any(self) -> Expression:
        parts = [self._all()]
        while self._take(_OR):
            parts.append(self._all())
        return any_of(*parts)

    def _all(self) -> Expression:
        self._skip()
        parts = [self._unary()]
        self._skip()
        while self._at < len(self._text) and self._text[self._at] != ")" and not _OR.match(self._text, self._at):
            self._take(_AND)
            self._skip()
            parts.append(self._unary())
            self._skip()
        return all_of(*parts)

    def _unary(self) -> Expression:
        start = self._at
        if self._take(_NOT):
            self._skip()
            if self._at == len(self._text):
                raise FilterError("what is not wanted? Write it behind this sign", start, self._at - start)
            return Not(self._nested(self._unary, start))
        if self._text[self._at : self._at + 1] == "(":
            return self._nested(self._parenthesis, start)
        return self._term()

    def _nested(self, inside: Callable[[], Expression], start: int) -> Expression:
        if self._depth >= _DEEPEST:
            raise FilterError(f"more than {_DEEPEST} levels deep", start)
        self._depth += 1
        found = inside()
        self._depth -= 1
        return found

    def _parenthesis(self) -> Expression:
        start = self._at
        self._at += 1
        self._skip()
        if self._at == len(self._text):
            raise FilterError('this "(" is never closed', start)
        found = self._any()
        if self._text[self._at : self._at + 1] != ")":
            raise FilterError('this "(" is never closed', start)
        self._at += 1
        return found

    def _term(self) -> Expression:
        start = self._at
        if self._at == len(self._text) or self._text[self._at] == ")" or _OR.match(self._text, self._at):
            what = "something" if self._at == len(self._text) else f'something before "{self._text[self._at]}"'
            if start < len(self._text) and self._text[start] != ")":
                what = 'something before "or"'
            raise FilterError(f"{what} must stand here: a word, type:, item:, error, >1kB, …", start)
        if self._text[start] == '"':
            return self._searched(start, self._quoted())
        if _COMPARISON.match(self._text, start):
            return self._size()
        key = self._take(_KEY)
        if key is not None:
            return self._keyed(key[1], start)
        if self._text[start] == "@":
            return self._saved_one()
        word = self._take(_WORD)
        assert word is not None  # all that does not begin a word was looked at
        lowered = word[0].lower()
        if lowered in NAMES:
            return syntax.Name(lowered)
        return syntax.Type(word[0]) if "*" in word[0] else Text(word[0])

    def _quoted(self) -> str:
        start = self._at
        found = self._take(_QUOTED)
        if found is None:
            raise FilterError("this quotation mark is never closed", start)
        return _ESCAPED.sub(r"\1", found[1])

    def _searched(self, start: int, text: str) -> Expression:
        if not text:
            raise FilterError("there is nothing between the quotation marks", start, 2)
        return Text(text)

    def _keyed(self, written: str, start: int) -> Expression:
        key = written.lower()
        if key not in KEYS:
            close = difflib.get_close_matches(key, KEYS, n=1)
            hint = f"{close[0]}: is one" if close else f"there are {' '.join(f'{each}:' for each in KEYS)}"
            raise FilterError(f"not a key; {hint}. Text with a colon goes in quotes", start, len(written) + 1)
        if key == "size":
            return self._size()
        at = self._at
        value = self._value(key)
        if key == "type":
            return syntax.Type(value)
        if key == "text":
            return self._searched(at, value)
        if key == "dir":
            return self._direction(value, at)
        return syntax.Id(Kind(key), value)

    def _value(self, key: str) -> str:
        start = self._at
        if self._text[start : start + 1] == '"':
            value = self._quoted()
        else:
            found = self._take(_WORD)
            value = found[0] if found is not None else ""
        if not value:
            example = _EXAMPLES.get(key, f"{key}:*, or the id itself")
            raise FilterError(f"{key}: wants something right behind it: {example}", start)
        return value

    def _direction(self, value: str, at: int) -> Expression:
        name = value.lower()
        name = syntax.DIRECTION_ALIASES.get(name, name)
        if name not in syntax.DIRECTIONS:
            raise FilterError("dir: is in, out or local", at, len(value))
        return syntax.Way(name)

    def _size(self) -> Expression:
        comparison = self._take(_COMPARISON)
        if comparison is None:
            raise FilterError("a size begins with >, <, >=, <= or =: size:>1kB", self._at)
        at = self._at
        number = self._take(_NUMBER)
        if number is None:
            raise FilterError("a number of bytes must stand here: >200, >1.5kB", at)
        rest = _WORD.match(self._text, self._at)
        if rest is not None:
            raise FilterError("the units are B, kB, MB and GB, or KiB, MiB and GiB", self._at, len(rest[0]))
        return Size(comparison[1], int(Fraction(number[1]) * UNITS[(number[2] or "b").lower()]))

    def _saved_one(self) -> Expression:
        start = self._at
        word = self._take(_WORD)
        assert word is not None
        name = word[0][1:]
        if name not in self._saved:
            there_are = ", ".join(f"@{each}" for each in sorted(self._saved)) or "none yet"
            raise FilterError(f"there is no saved filter of this name; there are {there_are}", start, len(word[0]))
        if self._depth >= _DEEPEST:
            raise FilterError(f"more than {_DEEPEST} levels deep", start)
        # Without itself: a filter that names itself would never end.
        others = {each: text for each, text in self._saved.items() if each != name}
        try:
            return _Parser(self._saved[name], others, self._depth + 1).parse()
        except FilterError as error:
            raise FilterError(f"the saved filter is wrong, {error}", start, len(word[0])) from None
