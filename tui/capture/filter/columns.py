"""Many rows decided at once, from the columns of the log's index."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from tui.capture.filter import syntax
from tui.capture.filter.evaluation import holds, name_test, type_test, way
from tui.capture.filter.scan import KnownRow, Scan
from tui.capture.filter.syntax import DIRECTIONS
from tui.capture.log.index import EventLog
from tui.wire import Direction

_Mask: TypeAlias = NDArray[np.bool_]
_Any = TypeVar("_Any", bound=np.generic)

_COMPARISONS: Final[Mapping[str, Callable[[NDArray[np.int64], int], _Mask]]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "=": np.equal,
}


class Columns:
    """Decides ranges of rows of one log."""

    def __init__(self, log: EventLog, scans: Mapping[syntax.Text | syntax.Id, Scan]) -> None:
        self._log = log
        self._scans = scans
        self._tables: dict[syntax.Type | syntax.Name, bytearray] = {}
        """For each term about types: a byte a type of the log, 1 when it matches."""

    def matching(self, expression: syntax.Expression, start: int, stop: int) -> array[int]:
        """Those of the rows from ``start`` up to ``stop`` that match, rising."""
        if start == stop:
            return array("I")
        found = np.flatnonzero(_Range(self, self._log, start, stop).decide(expression))
        matching = array("I", bytes(4 * len(found)))
        np.add(found, start, out=np.frombuffer(matching, np.uint32), casting="unsafe")
        return matching

    def table(self, term: syntax.Type | syntax.Name, test: Callable[[str], bool]) -> NDArray[np.uint8]:
        """For each type of the log, whether it matches."""
        table, names = self._tables.setdefault(term, bytearray()), self._log.type_names
        if len(table) < len(names):
            # A copy: numpy may still look at the old one, which may then not grow.
            table = self._tables[term] = table + bytes(map(test, names[len(table) :]))
        return np.frombuffer(table, np.uint8)

    def scan(self, term: syntax.Text | syntax.Id) -> Scan:
        """What has been read for a term."""
        return self._scans[term]


class _Range:
    """A range of rows, with the columns that were asked for."""

    def __init__(self, columns: Columns, log: EventLog, start: int, stop: int) -> None:
        self._columns = columns
        self._log = log
        self._start = start
        self._stop = stop
        self._first = log.first(start)
        self._last = log.first(stop - 1) + 1
        # Where no run goes on between the rows, their entries are one behind the other, and need not be picked.
        self._dense = self._last - self._first == stop - start
        self._ids: NDArray[np.uint16] | None = None

    def decide(self, expression: syntax.Expression) -> _Mask:
        """Which of the rows match."""
        decided = self._decide(expression)
        names = self._log.type_names
        if "" in names:
            # Types that the log does not keep are read from their frames; only a hostile server sends so many.
            for number in np.flatnonzero(self._type_ids() == names.index("")):
                decided[number] = holds(expression, KnownRow(self._log, self._start + int(number), self._columns.scan))
        return decided

    def _decide(self, expression: syntax.Expression) -> _Mask:
        match expression:
            case syntax.All(parts):
                decided = np.ones(self._stop - self._start, np.bool_)
                for part in parts:
                    decided &= self._decide(part)
                return decided
            case syntax.Any(parts):
                decided = np.zeros(self._stop - self._start, np.bool_)
                for part in parts:
                    decided |= self._decide(part)
                return decided
            case syntax.Not(part):
                return ~self._decide(part)
            case syntax.Text() | syntax.Id():
                scan = self._columns.scan(expression)
                return np.frombuffer(scan.flags(self._start, self._stop), np.bool_).copy()
            case syntax.Size(comparison, count):
                return _COMPARISONS[comparison](self._sizes(), count)
            case syntax.Way(name):
                return self._direction(DIRECTIONS[name])
            case syntax.Type(pattern):
                return self._types(expression, type_test(pattern))
            case syntax.Name():
                return self._named(expression)

    def _named(self, term: syntax.Name) -> _Mask:
        direction = way(term.name)
        if direction is not None:
            return self._direction(direction)
        decided = self._types(term, name_test(term.name))
        return decided | self._alarms() if term.name == "error" else decided

    def _types(self, term: syntax.Type | syntax.Name, test: Callable[[str], bool]) -> _Mask:
        matching: _Mask = self._columns.table(term, test)[self._type_ids()].view(np.bool_)
        return matching

    def _type_ids(self) -> NDArray[np.uint16]:
        if self._ids is None:
            ids = np.frombuffer(self._log.type_ids(self._first, self._last), np.uint16)
            self._ids = self._picked(ids)
        return self._ids

    def _direction(self, direction: Direction) -> _Mask:
        directions = np.frombuffer(self._log.directions(self._first, self._last), np.uint8)
        matching: _Mask = self._picked(directions) == int(direction)
        return matching

    def _alarms(self) -> _Mask:
        every = np.frombuffer(self._log.alarms(self._first, self._last), np.bool_)
        alarms = self._picked(every).copy()
        for row, _, alarm in self._log.runs(self._start, self._stop):
            alarms[row - self._start] = alarm
        return alarms

    def _sizes(self) -> NDArray[np.int64]:
        every = np.frombuffer(self._log.sizes(self._first, self._last), np.uint32)
        sizes = self._picked(every).astype(np.int64)
        for row, size, _ in self._log.runs(self._start, self._stop):
            sizes[row - self._start] = size
        return sizes

    @cached_property
    def _at(self) -> NDArray[np.uint32]:
        """Where the first entry of each row stands among the entries."""
        return np.frombuffer(self._log.firsts(self._start, self._stop), np.uint32) - np.uint32(self._first)

    def _picked(self, column: NDArray[_Any]) -> NDArray[_Any]:
        """Of a column of the entries, what it says of the first entry of each row."""
        return column if self._dense else column[self._at]
