"""The parts of the measurements that measure nothing: numbers, the table, the streams of events."""

from __future__ import annotations

import itertools
import json
from array import array

import pytest

from tests.bench import workload
from tests.bench.figures import Figure, NotMeasuredError, number, percentile, table
from tests.bench.monitor import gaps, position, sounding
from tui import wire
from tui.capture import EventLog
from tui.wire import Direction


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0, "B/s", "0 B/s"),
        (0.4071, "s", "0.407 s"),
        (14.04, "ms", "14.0 ms"),
        (1234.56, "ms", "1,235 ms"),
        (1_000_000, "", "1,000,000"),
        (0.00123, "", "0.00123"),
    ],
)
def test_numbers_have_three_digits(value: float, unit: str, shown: str) -> None:
    assert number(value, unit) == shown


def test_percentile_is_one_of_the_values() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, percent) for percent in (0, 20, 21, 50, 95, 100)] == [1.0, 1.0, 2.0, 3.0, 5.0, 5.0]
    assert percentile([7.0], 50) == 7.0
    with pytest.raises(NotMeasuredError):
        percentile([], 50)


def test_a_target_is_the_most_that_a_figure_should_be() -> None:
    assert Figure("a", "a", 2.0, "ms", 2.0).met is True
    assert Figure("a", "a", 2.1, "ms", 2.0).met is False
    assert Figure("a", "a", 2.1, "ms").met is None


def test_the_table_tells_met_from_missed_from_not_measured() -> None:
    figures = [
        Figure("frame", "a frame", 1.5, "ms", 2.0, "64 x 32 cells"),
        Figure("key", "a key", 50.0, "ms", 40.0),
        Figure("size", "the wheel", 722.0, "kB"),
    ]
    lines = table(figures, {"stall": "the server did not start"}).splitlines()
    assert [line.split() for line in lines[2:]] == [
        ["a", "frame", "1.50", "ms", "2", "ms", "met", "64", "x", "32", "cells"],
        ["a", "key", "50", "ms", "40", "ms", "missed"],
        ["the", "wheel", "722", "kB"],
        ["stall", "not", "measured", "the", "server", "did", "not", "start"],
    ]


@pytest.mark.parametrize(
    ("stream", "mean"), [(workload.spoken, (4_000, 6_000)), (workload.typed, (200, 400))], ids=["spoken", "typed"]
)
def test_streams_hold_events_that_the_program_knows(stream: object, mean: tuple[int, int]) -> None:
    assert callable(stream)
    frames = list(itertools.islice(stream(workload.event_ids()), 2_000))
    events = [json.loads(frame) for frame in frames]
    assert len({event["event_id"] for event in events}) == len(events)
    assert all(wire.event_type(event["type"]).family is not wire.Family.UNKNOWN for event in events)
    assert all(wire.sniff_type(frame) == event["type"] for frame, event in zip(frames, events, strict=True))
    assert mean[0] < sum(map(len, frames)) / len(frames) < mean[1]


def test_one_stream_is_all_rows_and_the_other_two() -> None:
    unfolded, folded = EventLog(), EventLog()
    for frame in itertools.islice(workload.unfolded(workload.event_ids()), 500):
        unfolded.append(Direction.RECEIVED, frame, 0)
    beginning = len(list(workload.Turn(workload.event_ids(), 0).begin()))
    for frame in itertools.islice(workload.folded(workload.event_ids()), 500):
        folded.append(Direction.RECEIVED, frame, 0)
    assert unfolded.rows == 500
    assert folded.rows == beginning + 2
    unfolded.close()
    folded.close()


def ramp(start: int, count: int) -> list[int]:
    """The samples of the measurements' ramp, from one on."""
    return array("h", workload.ramp(start, count)).tolist()


@pytest.mark.parametrize(
    ("played", "found"),
    [
        (ramp(29_990, 20), []),
        (ramp(0, 10) + [0] * 7 + ramp(10, 5), [7]),
        (ramp(0, 10) + ramp(11, 5), [0]),
        (ramp(0, 10) + ramp(9, 5), [0]),
        (ramp(0, 10) + [0] * 3 + ramp(12, 5) + [0] * 4, [3]),
    ],
    ids=["none", "silence", "left out", "repeated", "both, and the end"],
)
def test_a_gap_is_where_a_sample_is_not_followed_by_the_next(played: list[int], found: list[int]) -> None:
    assert gaps(array("h", played)) == found


def test_a_ramp_tells_how_far_it_has_come() -> None:
    assert position(array("h", ramp(0, 70_000))) == 70_000
    assert position(array("h", ramp(0, 40_000) + [0] * 2_000 + ramp(40_000, 10))) == 40_010
    assert sounding(array("h", [0, 0, *ramp(0, 5), 0, *ramp(5, 2), 0])) == (2, 10)
    with pytest.raises(NotMeasuredError):
        sounding(array("h", [0] * 10))
