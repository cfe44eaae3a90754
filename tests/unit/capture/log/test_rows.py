"""What a row says."""

from __future__ import annotations

import json

import pytest

from tests.support.recordings import examples
from tests.unit.capture.log.test_index import (
    LOCAL,
    RECEIVED,
    SENT,
    append_audio,
    audio_delta,
    frame,
    log_of,
    text_delta,
)
from tui import wire
from tui.capture import EventLog, RowReader
from tui.wire import Family


def test_a_run_of_text_says_how_it_begins() -> None:
    log = log_of(*(text_delta("a", word) for word in ("Hello", ",", " wor", "ld\n", "!")))
    view = RowReader(log).view(0)
    assert (view.summary, view.count, view.label) == ("Hello, world !", 5, "output_text.delta")
    assert view.size == sum(len(log.data(at)) for at in range(5))


def test_a_run_of_audio_says_how_long_it_is() -> None:
    log = log_of(*[audio_delta("a", 24_000)] * 3, (SENT, append_audio(4_800)))
    reader = RowReader(log)
    assert (reader.view(0).summary, reader.view(1).summary) == ("1.5 s of audio", "100 ms of audio")
    assert reader.view(1).direction is SENT


def test_a_row_that_grows_is_read_anew() -> None:
    log = log_of(text_delta("a", "one"))
    reader = RowReader(log)
    assert reader.view(0).summary == "one"
    assert reader.view(0) is reader.view(0)
    log.append(RECEIVED, text_delta("a", " two"), 0)
    assert (reader.view(0).summary, reader.view(0).count) == ("one two", 2)


def test_a_long_run_is_not_read_to_its_end() -> None:
    log = log_of(*(text_delta("a", "x" * 50) for _ in range(100)))
    reader = RowReader(log)
    assert reader.view(0).summary == "x" * 200
    log.append(RECEIVED, text_delta("a", "more"), 0)
    assert reader.view(0).summary == "x" * 200
    tiny = log_of(*(text_delta("a", "y") for _ in range(100)))
    assert RowReader(tiny).view(0).summary == "y" * 40


def test_marks_show_after_forgetting() -> None:
    log = log_of(frame("galaxy.exploded", name="M87"), audio_delta("a"), audio_delta("a"))
    reader = RowReader(log)
    before = reader.view(0)
    assert (before.alarm, before.family, before.summary) == (False, Family.UNKNOWN, '{"name": "M87"}')
    log.mark_alarm(0)
    log.add_note(0, "not known to the SDK")
    log.mark_alarm(2)
    for row in log.take_changed():
        reader.forget(row)
    after = reader.view(0)
    assert (after.alarm, after.family) == (True, Family.ERROR)
    assert after.summary == '{"name": "M87"} · not known to the SDK'
    assert reader.view(1).alarm, "an alarm in the middle of a run"
    assert reader.is_alarm(1)


@pytest.mark.parametrize("binary", [True, False])
def test_what_is_no_event_says_why(binary: bool) -> None:
    log = EventLog()
    log.append(RECEIVED, b"\x00", 0, binary=binary, note="why")
    assert RowReader(log).view(0).summary == "why"


def test_broken_json_that_begins_like_an_event_says_why() -> None:
    log = EventLog()
    log.append(RECEIVED, b'{"type":"response.done"', 0, note="why")
    view = RowReader(log).view(0)
    assert (view.label, view.summary) == ("response.done", "why")


def test_what_happened_to_the_connection() -> None:
    log = EventLog(1_000_000_000)
    log.append(LOCAL, frame("websocket.closed", text="The server ended the session."), 3_500_000_000)
    view = RowReader(log).view(0)
    assert (view.time_s, view.family, view.summary) == (2.5, Family.SESSION, "The server ended the session.")


def test_it_remembers_only_so_many() -> None:
    log = log_of(*(text_delta(f"i{at}", str(at)) for at in range(100)))
    reader = RowReader(log, capacity=10)
    assert [reader.view(at).summary for at in range(100)] == [str(at) for at in range(100)]
    assert len(reader._views) == len(reader._previews) == 10
    assert reader.view(0).summary == "0"


@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_every_type_of_event(dialect: str) -> None:
    events = examples(dialect)
    log = log_of(*(json.dumps(event).encode() for event in events))
    reader = RowReader(log)
    for at, event in enumerate(events):
        view = reader.view(log.row_of(at))
        assert event["type"].endswith(view.label)
        if view.count == 1 and not wire.event_type(event["type"]).audio:
            assert view.summary == wire.summary(event)
