"""A row of the event log as the detail screen sees it: every frame as it was, and more as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tui.capture import EventLog
from tui.ui.sources import RowSource
from tui.wire import Direction

FRAME = b'{ "type":"response.done", "response":{"id":"resp_1"} }'


@pytest.fixture
def log() -> Iterator[EventLog]:
    made = EventLog()
    yield made
    made.close()


def delta(log: EventLog, text: str, at_ns: int = 0) -> bytes:
    data = json.dumps({"type": "response.output_text.delta", "item_id": "item_1", "delta": text}).encode()
    log.append(Direction.RECEIVED, data, at_ns)
    return data


def test_a_single_event_is_one_frame_exactly_as_it_was(log: EventLog) -> None:
    log.append(Direction.RECEIVED, FRAME, 7_480_000_000, note="not known to the SDK")
    source = RowSource(log, 0)
    frame = source.frame(0)
    assert len(source) == 1
    assert source.title == "response.done"
    assert frame.raw == FRAME
    assert frame.time_s == 7.48
    assert frame.type == "response.done"
    assert frame.note == "not known to the SDK"


@pytest.mark.parametrize(
    ("direction", "sent"), [(Direction.SENT, True), (Direction.RECEIVED, False), (Direction.LOCAL, None)]
)
def test_it_says_which_way_a_frame_went(log: EventLog, direction: Direction, sent: bool | None) -> None:
    log.append(direction, FRAME, 0)
    assert RowSource(log, 0).frame(0).sent is sent


def test_a_run_has_every_frame_in_order_and_grows(log: EventLog) -> None:
    first = delta(log, "one", 1)
    log.append(Direction.RECEIVED, FRAME, 2)
    second = delta(log, "two", 3)
    source = RowSource(log, 0)
    assert [source.frame(at).raw for at in range(len(source))] == [first, second]
    third = delta(log, "three", 4)
    assert len(source) == 3
    assert source.frame(2).raw == third
    assert source.title == "output_text.delta"


def test_what_is_no_event_can_be_looked_at_too(log: EventLog) -> None:
    log.append(Direction.RECEIVED, b"\xff\xfe", 0, binary=True)
    frame = RowSource(log, 0).frame(0)
    assert frame.raw == b"\xff\xfe"
    assert frame.type == "(binary)"
