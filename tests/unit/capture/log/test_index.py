"""The event log: order, folding, marks, and two threads."""

from __future__ import annotations

import base64
import json
import random
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.unit.test_wire import hostile_events
from tui import wire
from tui.capture import EventLog
from tui.wire import Direction

RECEIVED, SENT, LOCAL = Direction.RECEIVED, Direction.SENT, Direction.LOCAL


def frame(event_type: str, **fields: Any) -> bytes:
    """A frame as the services write it."""
    return json.dumps({"type": event_type, **fields}, separators=(",", ":")).encode()


def text_delta(item: str, text: str = "x") -> bytes:
    """A piece of text of an item."""
    return frame("response.output_text.delta", event_id="e", item_id=item, delta=text)


def audio_delta(item: str, size: int = 300) -> bytes:
    """A piece of audio of an item."""
    delta = base64.b64encode(bytes(size)).decode()
    return frame("response.output_audio.delta", event_id="e", response_id="r", item_id=item, delta=delta)


def append_audio(size: int = 480) -> bytes:
    """A piece of the microphone's audio."""
    return frame("input_audio_buffer.append", audio=base64.b64encode(bytes(size)).decode())


def log_of(*entries: bytes | tuple[Direction, bytes], **options: Any) -> EventLog:
    """A log with these entries, received unless said otherwise."""
    log = EventLog(**options)
    for at, entry in enumerate(entries):
        direction, data = entry if isinstance(entry, tuple) else (RECEIVED, entry)
        assert log.append(direction, data, at * 1000) == at
    return log


def rows(log: EventLog) -> list[list[int]]:
    """The members of every row."""
    return [log.members(row) for row in range(log.rows)]


def frames() -> st.SearchStrategy[bytes]:
    """Frames of all sorts, deltas of a few items above all."""
    return st.one_of(
        st.builds(text_delta, st.sampled_from(["a", "b", "item_long"]), st.text(max_size=5)),
        st.builds(audio_delta, st.sampled_from(["a", "b"]), st.integers(0, 10)),
        st.builds(append_audio, st.integers(0, 10)),
        st.sampled_from([frame("response.created"), frame("input_audio_buffer.speech_started"), frame("websocket.x")]),
        hostile_events().map(lambda event: json.dumps(event).encode()),
        st.binary(max_size=40),
    )


@settings(PROPERTY, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(Direction), frames(), st.booleans()), max_size=40), st.integers(0, 1000))
def test_any_interleaving(entries: list[tuple[Direction, bytes, bool]], window: int) -> None:
    log = EventLog(1000, window_bytes=window)
    told = 0
    for at, (direction, data, binary) in enumerate(entries):
        assert log.append(direction, data, 1000 + at, binary=binary, note="n" * (at % 2)) == at
        changed = log.take_changed()
        assert all(row < log.rows for row in changed)
        told = log.rows
    for at, (direction, data, binary) in enumerate(entries):
        entry = log.entry(at)
        assert (entry.index, entry.t_ns, entry.direction, entry.data) == (at, at, direction, data)
        assert (entry.binary, entry.alarm, entry.note) == (binary, False, "n" * (at % 2))
        assert entry.type == (wire.BINARY_TYPE if binary else wire.sniff_type(data))
        assert at in log.members(log.row_of(at))
    assert log.rows == told
    assert sorted(member for row in rows(log) for member in row) == list(range(len(entries)))
    assert [log.row(row).first for row in range(log.rows)] == sorted(log.row(row).first for row in range(log.rows))
    for row, members in enumerate(rows(log)):
        found = log.row(row)
        assert (found.first, found.count, found.alarm) == (members[0], len(members), False)
        assert found.size == sum(len(entries[member][1]) for member in members)
        assert len({(log.entry(member).type, log.entry(member).direction) for member in members}) == 1
        assert log.members(row, 2) == members[:2]
    assert [log.count(direction) for direction in Direction] == [
        sum(entry[0] is direction for entry in entries) for direction in Direction
    ]
    log.close()


def test_deltas_of_one_item_make_one_row_each_type() -> None:
    log = log_of(text_delta("a"), audio_delta("a"), text_delta("a"), audio_delta("a"), text_delta("a"))
    assert rows(log) == [[0, 2, 4], [1, 3]]
    assert log.row(1).audio == 600
    assert log.row(0).audio == 0


def test_deltas_of_two_items_do_not_mix() -> None:
    log = log_of(text_delta("a"), text_delta("b"), text_delta("a"), text_delta("b"), text_delta("ab"), text_delta("a"))
    assert rows(log) == [[0, 2, 5], [1, 3], [4]]


def test_other_events_between_deltas_do_not_end_a_run() -> None:
    log = log_of(text_delta("a"), frame("rate_limits.updated"), text_delta("a"))
    assert rows(log) == [[0, 2], [1]]


def test_the_microphone_makes_a_new_row_after_what_happens_in_between() -> None:
    append = (SENT, append_audio())
    log = log_of(append, append, frame("input_audio_buffer.speech_started"), append, frame("response.created"), append)
    assert rows(log) == [[0, 1], [2], [3], [4], [5]]
    assert log.row(0).audio == 960


def test_what_a_server_appends_does_not_mix_with_what_we_append() -> None:
    log = log_of((SENT, append_audio()), (RECEIVED, append_audio()), (SENT, append_audio()), (LOCAL, append_audio()))
    assert rows(log) == [[0, 2], [1], [3]]


def test_a_new_connection_ends_every_run() -> None:
    log = log_of(text_delta("a"), (SENT, append_audio()), (LOCAL, frame("websocket.connect")), text_delta("a"))
    assert rows(log) == [[0], [1], [2], [3]]


def test_a_server_that_writes_with_spaces() -> None:
    data = json.dumps({"type": "response.output_audio.delta", "item_id": "a", "delta": "AAAA"}).encode()
    log = log_of(data, data, data)
    assert rows(log) == [[0, 1, 2]]
    assert log.row(0).audio == 9


def test_a_type_in_another_place_or_spelling_is_the_same_type() -> None:
    spellings = [
        b'{"type":"response.output_text.delta","item_id":"a","delta":"x"}',
        b'{"event_id":"e","type":"response.output_text.delta","item_id":"a","delta":"x"}',
        b'{"item_id":"a","delta":"x","type":"response.output_text.delta"}',
        b'{"type":"response.output\\u005ftext.delta","item_id":"a","delta":"x"}',
    ]
    assert rows(log_of(*spellings)) == [[0, 1, 2, 3]]


def test_ids_at_another_place_than_in_the_last_frame() -> None:
    log = log_of(
        b'{"type":"response.output_text.delta","item_id":"a","delta":"x"}',
        b'{"type":"response.output_text.delta","event_id":"longer","item_id":"a","delta":"x"}',
        b'{"type":"response.output_text.delta","item_id":"ab","delta":"x"}',
        b'{"type":"response.output_text.delta","delta":"\\"item_id\\":\\"b\\"","item_id":"a"}',
        b'{"type":"response.output_text.delta","delta":"no item"}',
        b'{"type":"response.output_text.delta","item_id":"a","delta":"x"}',
        b'{"type":"response.output_text.delta","delta":"no item"}',
    )
    assert rows(log) == [[0, 1, 3, 5], [2], [4, 6]]


def test_a_run_that_was_left_for_many_others_is_not_taken_up_again() -> None:
    log = log_of(*(text_delta(f"item_{at}") for at in range(65)), text_delta("item_0"), text_delta("item_64"))
    assert rows(log)[0] == [0]
    assert rows(log)[64:] == [[64, 66], [65]]


def test_changed_rows_are_those_that_grew_or_were_marked() -> None:
    log = log_of(text_delta("a"), frame("error"), text_delta("b"))
    log.take_changed()
    log.append(RECEIVED, text_delta("a"), 0)
    assert log.take_changed() == (0,)
    log.mark_alarm(1)
    assert log.take_changed() == (1,)
    log.add_note(2, "odd")
    assert log.take_changed() == (2,)
    assert log.take_changed() == ()
    assert (log.entry(1).alarm, log.entry(2).note) == (True, "odd")


def test_an_alarm_in_the_middle_of_a_run_is_the_rows() -> None:
    log = log_of(audio_delta("a"), audio_delta("a"), audio_delta("a"))
    assert not log.is_alarm(0)
    log.mark_alarm(1)
    assert log.is_alarm(0)
    assert log.row(0).alarm
    assert [log.entry(at).alarm for at in range(3)] == [False, True, False]


def test_beyond_the_end() -> None:
    log = log_of(frame("error"))
    for beyond in (1, -1):
        with pytest.raises(IndexError):
            log.entry(beyond)
    with pytest.raises(IndexError):
        log.row(1)


def test_types_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.capture.log import index as module

    monkeypatch.setattr(module, "_MAX_TYPES", 5)
    log = log_of(*(frame(f"t{at}.delta", item_id="a") for at in range(20)), b'{"x":1,"type":"' + b"y" * 5000 + b'"}')
    assert [log.entry(at).type for at in range(20)] == [f"t{at}.delta" for at in range(20)]
    assert log.entry(20).type == "y" * 5000
    assert len(log._type_names) == 6


def test_a_reader_in_another_thread() -> None:
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    log = EventLog(window_bytes=20_000)
    entries = [
        [text_delta("a", str(at)), audio_delta("a", at % 50), frame("rate_limits.updated", n=at)][at % 3]
        for at in range(4_000)
    ]
    failures: list[BaseException] = []
    finished = threading.Event()

    def read() -> None:
        choose = random.Random(3)
        try:
            while not finished.is_set():
                count, length = log.rows, len(log)
                if not length:
                    continue
                at = choose.randrange(length)
                assert log.entry(at).data == entries[at]
                row = choose.randrange(max(1, count - 1))
                members = log.members(row, 50)
                assert members[0] == log.row(row).first
                log.members(min(row, 1))
                log.is_alarm(row)
        except BaseException as failure:
            failures.append(failure)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for at, data in enumerate(entries):
            log.append(RECEIVED, data, at)
            if at % 7 == 0:
                log.mark_alarm(at)
                log.add_note(at, "odd")
    finally:
        finished.set()
        reader.join()
        sys.setswitchinterval(switch)
    assert not failures
    log.close()
