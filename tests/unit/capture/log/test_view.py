"""A person's view of a log: what is shown, hits, failures, marks, times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.capture.log.test_index import frame, text_delta
from tui.capture import EventLog
from tui.capture.filter import parse
from tui.capture.log.view import EventView
from tui.wire import Direction


@pytest.fixture
def log() -> Iterator[EventLog]:
    """Thirty rows, a second apart: every third is an error, row 10 is a run."""
    made = EventLog()
    for at in range(30):
        if at == 10:
            made.append(Direction.RECEIVED, text_delta("a", "It"), at * 10**9)
            made.append(Direction.RECEIVED, text_delta("a", " rains"), at * 10**9 + 5)
        else:
            data = frame(
                "error" if at % 3 == 0 else "session.updated", number=f"n{at}n", text="rain" if at > 20 else ""
            )
            index = made.append(Direction.RECEIVED, data, at * 10**9)
            if at % 3 == 0:
                made.mark_alarm(index)
    yield made
    made.close()


def view_of(log: EventLog, filter_text: str = "") -> EventView:
    view = EventView(log)
    view.update(log.rows, ())
    view.choose(parse(filter_text))
    assert view.work(10.0)
    return view


def shown(view: EventView) -> list[int]:
    return [view.row(position) for position in range(len(view))]


def test_everything_is_shown_until_a_filter_is_chosen(log: EventLog) -> None:
    view = view_of(log)
    assert view.filter is None and view.complete
    assert shown(view) == list(range(30))
    assert [view.position(row) for row in (0, 29, 40)] == [0, 29, 30]
    with pytest.raises(IndexError):
        view.row(30)


def test_positions_count_what_is_shown(log: EventLog) -> None:
    view = view_of(log, "error")
    assert shown(view) == list(range(0, 30, 3))
    assert [view.position(row) for row in (0, 1, 3, 28)] == [0, 1, 1, 10]
    assert view.shows(27) and not view.shows(28)
    view.choose(None)
    assert len(view) == 30


def test_new_rows_are_filtered_and_searched_as_they_come(log: EventLog) -> None:
    view = view_of(log, "-error")
    view.search_for("RAIN")
    assert view.work(10.0)
    assert list(view.hits) == [10, 22, 23, 25, 26, 28, 29]
    log.append(Direction.RECEIVED, frame("session.updated", text="more rain"), 0)
    log.append(Direction.RECEIVED, frame("error", text="rain"), 0)
    view.update(log.rows, log.take_changed())
    assert view.work(10.0)
    assert list(view.hits)[-1] == 30
    assert len(view) == 21


def test_hits_are_walked_around_both_ways(log: EventLog) -> None:
    view = view_of(log)
    assert view.next_hit(5, 1) is None
    view.search_for("rain")
    assert view.work(10.0)
    assert [view.next_hit(row, 1) for row in (0, 10, 28, 29)] == [10, 21, 29, 10]
    assert [view.next_hit(row, -1) for row in (0, 10, 11, 29)] == [29, 29, 10, 28]
    assert view.is_hit(10) and not view.is_hit(11)
    view.search_for("")
    assert not view.is_hit(10) and not view.hits


def test_a_search_stays_within_the_filter(log: EventLog) -> None:
    view = view_of(log)
    view.search_for("rain")
    view.choose(parse("error"))
    assert view.work(10.0)
    assert list(view.hits) == [21, 24, 27]


def test_failures_that_are_shown_are_walked_around(log: EventLog) -> None:
    view = view_of(log)
    assert [view.next_alarm(row) for row in (0, 1, 27, 29)] == [3, 3, 0, 0]
    assert view_of(log, "rain").next_alarm(0) == 21
    assert view_of(log, "-error").next_alarm(0) is None
    log.mark_alarm(log.members(10)[1])
    view.update(log.rows, log.take_changed())
    assert view.next_alarm(9) == 10


def test_marks_are_walked_where_they_are_shown(log: EventLog) -> None:
    view = view_of(log)
    assert view.next_mark(5, 1) is None
    assert [view.toggle_mark(row) for row in (20, 3, 6)] == [True] * 3
    assert view.marks == [3, 6, 20]
    assert [view.next_mark(row, 1) for row in (0, 3, 20)] == [3, 6, 3]
    assert [view.next_mark(row, -1) for row in (0, 6)] == [20, 3]
    view.choose(parse("error"))
    assert view.work(10.0)
    assert view.next_mark(6, 1) == 3
    assert view.toggle_mark(3) is False
    assert view.marks == [6, 20]


@pytest.mark.parametrize(("time_s", "row"), [(-5, 0), (0, 0), (4.2, 5), (5, 5), (28.9, 29), (1e9, 29)])
def test_a_time_leads_to_the_row_that_begins_then(log: EventLog, time_s: float, row: int) -> None:
    assert view_of(log).row_at(time_s) == row


def test_a_time_leads_to_a_row_that_is_shown(log: EventLog) -> None:
    assert view_of(log, "error").row_at(4.2) == 6
    assert view_of(log, "error").row_at(100) == 27
    assert view_of(log, "type:nothing").row_at(1) is None
    assert EventView().row_at(1) is None
    assert view_of(log).time_s(7) == 7.0


def test_a_log_that_is_played_again_from_earlier_forgets_what_is_not_there_yet(log: EventLog) -> None:
    view = view_of(log, "error")
    view.search_for("n2")
    view.toggle_mark(3)
    view.toggle_mark(27)
    assert view.next_alarm(20) == 21
    view.update(10, ())
    assert view.work(10.0)
    assert shown(view) == [0, 3, 6, 9]
    assert (view.marks, list(view.hits), view.next_alarm(7)) == ([3], [], 9)
    view.update(30, ())
    assert view.work(10.0)
    assert shown(view) == list(range(0, 30, 3))
    assert list(view.hits) == [21, 24, 27]


def test_without_a_log_there_is_nothing() -> None:
    view = EventView()
    view.choose(parse("error"))
    view.search_for("x")
    assert view.work(1.0) and len(view) == 0
    assert view.next_alarm(0) is None and not view.hits
