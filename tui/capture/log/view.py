"""What a person sees of a log: the rows that a filter leaves, the hits of a search, failures, marks, and times.

Rows keep their numbers in the log; a position counts the rows that are shown. Everything here takes slices of time, so
that a screen can go on while a million events are looked through.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence

from tui.capture.filter import Filter, parse
from tui.capture.filter.matches import Matches
from tui.capture.filter.syntax import Text, all_of
from tui.capture.filter.thing import Following, Thing
from tui.capture.log.index import EventLog


class EventView:
    """The rows of one log, as one person looks at them. For one thread; another one may append meanwhile."""

    def __init__(self, log: EventLog | None = None) -> None:
        self.rows = 0
        """Rows of the log that may be read."""
        self.marks: list[int] = []
        """The marked rows, rising."""
        self.log = log if log is not None else EventLog()
        """The log; without one, a log that stays empty, so that a filter can be chosen before there is a session."""
        self._shown: Matches | None = None
        self._following: Following | None = None
        self._search = ""
        self._hits: Matches | None = None
        self._alarms: Matches | None = None

    # What is shown

    def __len__(self) -> int:
        """Rows that are shown, as far as is known."""
        return self.rows if self._shown is None else len(self._shown.rows)

    def row(self, position: int) -> int:
        """The row at a position. Raises IndexError beyond the end."""
        if self._shown is not None:
            return self._shown.rows[position]
        if not 0 <= position < self.rows:
            raise IndexError(position)
        return position

    def position(self, row: int) -> int:
        """Where a row is shown; for one that is not, where the next one is; the length when there is none."""
        return min(row, self.rows) if self._shown is None else bisect_left(self._shown.rows, row)

    def shows(self, row: int) -> bool:
        """Whether a row is shown."""
        return row < self.rows if self._shown is None else self._shown.holds(row)

    @property
    def filter(self) -> Filter | None:
        """What picks the rows; None when all are shown."""
        return self._shown.filter if self._shown is not None else None

    @property
    def complete(self) -> bool:
        """Whether everything has been looked through."""
        return all(each.complete for each in self._all())

    def choose(self, chosen: Filter | None) -> None:
        """Show the rows that match; all of them for None or an empty filter."""
        self._following = None
        self._choose(chosen)

    def follow(self, thing: Thing) -> None:
        """Show what belongs to one thing, and what led to it."""
        self._following = Following(self.log, thing)
        self._choose(self._following.filter)

    @property
    def thing(self) -> Thing | None:
        """What is followed; None while nothing is."""
        return self._following.thing if self._following is not None else None

    def update(self, rows: int, changed: Iterable[int]) -> None:
        """So many rows may be read now, and these among them changed. Fewer than before when a log is played again."""
        back = rows < self.rows
        self.rows = rows
        if back:
            self.marks = [mark for mark in self.marks if mark < rows]
            self._alarms = None
            self._choose(self.filter, self._shown.also if self._shown is not None else ())
            return
        changed = tuple(changed)
        for each in self._all():
            each.update(rows, changed)

    def look(self, seconds: float) -> None:
        """Look through frames for about so long; :meth:`work` takes what was found. For a thread that may wait."""
        for each in self._all():
            each.look(seconds)

    def work(self, seconds: float, *, look: bool = True) -> bool:
        """Look through more of the log for about so long; return whether there is nothing left.

        Args:
            seconds: for all that is looked for together.
            look: go on where :meth:`look` has not been yet; else nothing waits for the disk.
        """
        until = time.perf_counter() + seconds
        for each in self._all():
            each.work(until - time.perf_counter(), look=look)
        while self._following is not None and self._shown is not None and self._shown.complete:
            if not self._following.learn(self._shown.rows):
                break
            self._choose(self._following.filter, self._following.rows)
            self._shown.work(until - time.perf_counter(), look=look)
        return self.complete

    def _choose(self, chosen: Filter | None, also: Iterable[int] = ()) -> None:
        if chosen is None or chosen.everything:
            self._shown = None
        else:
            self._shown = Matches(self.log, chosen, set(also))
            self._shown.update(self.rows)
        self.search_for(self._search)

    def _all(self) -> Iterable[Matches]:
        return [each for each in (self._shown, self._hits, self._alarms) if each is not None]

    # Searching

    @property
    def search(self) -> str:
        """The text that is searched; "" for none."""
        return self._search

    def search_for(self, text: str) -> None:
        """Search the rows that are shown for a text; an empty one ends the search."""
        self._search = text
        self._hits = None
        if text:
            shown = self._shown
            expression = Text(text) if shown is None else all_of(shown.filter.expression, Text(text))
            self._hits = Matches(self.log, Filter(text, expression))
            self._hits.update(self.rows)

    @property
    def hits(self) -> Sequence[int]:
        """The rows that the search has found so far, rising."""
        return self._hits.rows if self._hits is not None else array("I")

    def is_hit(self, row: int) -> bool:
        """Whether the search has found this row."""
        return self._hits is not None and self._hits.holds(row)

    # Going somewhere

    def next_hit(self, row: int, step: int) -> int | None:
        """The hit behind a row (``step`` 1) or before it (-1), around the end; None when there is none."""
        return _next(self.hits, row, step)

    def next_mark(self, row: int, step: int) -> int | None:
        """The mark that is shown behind a row or before it, in the same way."""
        return _next([mark for mark in self.marks if self.shows(mark)], row, step)

    def next_alarm(self, row: int) -> int | None:
        """The row that is shown behind this one and says that something failed, in the same way."""
        if self._alarms is None:
            self._alarms = Matches(self.log, parse("error"))
            self._alarms.update(self.rows)
        while not self._alarms.work(1.0):
            pass
        rows = self._alarms.rows
        start = bisect_right(rows, row)
        return next((each for each in (*rows[start:], *rows[:start]) if self.shows(each)), None)

    def toggle_mark(self, row: int) -> bool:
        """Mark a row, or take the mark away; return whether it is marked now."""
        if row in self.marks:
            self.marks.remove(row)
            return False
        insort(self.marks, row)
        return True

    def row_at(self, time_s: float) -> int | None:
        """The first row that begins at this time after the log's origin, or later; else the last; None without any.

        Rows are in the order of their first entries, and so of their times, as long as the clock is monotonic.
        """
        if not len(self):
            return None
        log, t_ns = self.log, time_s * 1e9
        at = bisect_left(range(len(self)), t_ns, key=lambda position: log.time_of(log.first(self.row(position))))
        return self.row(min(at, len(self) - 1))

    def time_s(self, row: int) -> float:
        """When a row began, in seconds since the log's origin."""
        return self.log.time_of(self.log.first(row)) / 1e9


def _next(rows: Sequence[int], row: int, step: int) -> int | None:
    if not rows:
        return None
    return rows[bisect_right(rows, row) % len(rows)] if step > 0 else rows[bisect_left(rows, row) - 1]
