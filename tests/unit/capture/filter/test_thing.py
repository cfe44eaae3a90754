"""Following one thing: what belongs to an item, a response, a function call, and what led to it."""

from __future__ import annotations

import pytest

from tests.unit.capture.log.test_index import frame, log_of, text_delta
from tui.capture import EventLog
from tui.capture.filter.syntax import Kind
from tui.capture.filter.thing import Thing, things_at
from tui.capture.log.view import EventView
from tui.wire import Direction

SENT = Direction.SENT

SAID = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
CALL = {"id": "item_call", "type": "function_call", "call_id": "call_1", "name": "f"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "7"}


def conversation() -> EventLog:
    """A question, an answer with a function call and a message, and a truncation; the comments are the rows."""
    return log_of(
        frame("session.created"),  # 0
        (SENT, frame("conversation.item.create", item={**SAID, "content": []})),  # 1: another one
        (SENT, frame("conversation.item.create", item=SAID)),  # 2
        (SENT, frame("response.create")),  # 3
        frame("conversation.item.added", item={**SAID, "id": "item_user"}),  # 4
        frame("response.created", response={"id": "resp_1"}),  # 5
        frame("response.output_item.added", response_id="resp_1", item=CALL),  # 6
        frame("conversation.item.added", item=CALL),  # 7
        frame(
            "response.function_call_arguments.done", response_id="resp_1", item_id="item_call", call_id="call_1"
        ),  # 8
        frame("response.output_item.added", response_id="resp_1", item={"id": "item_text", "type": "message"}),  # 9
        frame("conversation.item.added", previous_item_id="item_call", item={"id": "item_text"}),  # 10
        text_delta("item_text", "seven"),  # 11
        text_delta("item_text", " it is"),  # 11
        (SENT, frame("conversation.item.create", item=OUTPUT)),  # 12
        frame("conversation.item.added", item={**OUTPUT, "id": "item_output"}),  # 13
        frame("response.done", response={"id": "resp_1", "output": [CALL, {"id": "item_text"}]}),  # 14
        (SENT, frame("conversation.item.truncate", item_id="item_text", audio_end_ms=7)),  # 15
        frame("conversation.item.truncated", item_id="item_text"),  # 16
        frame("response.created", response={"id": "resp_2"}),  # 17: nobody asked
    )


def followed(log: EventLog, kind: Kind, name: str) -> list[int]:
    view = EventView(log)
    view.update(log.rows, ())
    view.follow(Thing(kind, name))
    while not view.work(1.0):
        pass
    return [view.row(position) for position in range(len(view))]


@pytest.mark.parametrize(
    ("kind", "name", "rows"),
    [
        (Kind.ITEM, "item_user", [2, 4]),
        (Kind.ITEM, "item_text", [9, 10, 11, 14, 15, 16]),
        (Kind.RESPONSE, "resp_1", [3, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16]),
        (Kind.RESPONSE, "resp_2", [17]),
        (Kind.CALL, "call_1", [6, 7, 8, 12, 13, 14]),
    ],
)
def test_all_that_belongs_to_it_is_shown_both_ways(kind: Kind, name: str, rows: list[int]) -> None:
    log = conversation()
    assert followed(log, kind, name) == rows
    log.close()


def test_what_comes_later_belongs_to_it_too() -> None:
    log = log_of((SENT, frame("response.create")), frame("response.created", response={"id": "resp_1"}))
    view = EventView(log)
    view.update(log.rows, ())
    view.follow(Thing(Kind.RESPONSE, "resp_1"))
    assert view.work(1.0)
    assert len(view) == 2
    assert str(view.thing) == "response:resp_1"
    log.append(Direction.RECEIVED, frame("response.output_item.added", response_id="resp_1", item={"id": "i"}), 0)
    log.append(Direction.RECEIVED, frame("conversation.item.added", item={"id": "i"}), 0)
    view.update(log.rows, log.take_changed())
    assert view.work(1.0)
    assert [view.row(position) for position in range(len(view))] == [0, 1, 2, 3]
    assert view.filter is not None and view.filter.source == "response:resp_1"
    log.close()


def test_an_event_offers_what_it_names_and_what_its_item_belongs_to() -> None:
    log = conversation()
    assert things_at(log, 0) == {}
    assert things_at(log, 5) == {Kind.RESPONSE: "resp_1"}
    assert things_at(log, 4) == {Kind.ITEM: "item_user"}
    assert things_at(log, 8) == {Kind.ITEM: "item_call", Kind.RESPONSE: "resp_1", Kind.CALL: "call_1"}
    assert things_at(log, 7) == {Kind.ITEM: "item_call", Kind.RESPONSE: "resp_1", Kind.CALL: "call_1"}
    assert things_at(log, 16) == {Kind.ITEM: "item_text", Kind.RESPONSE: "resp_1"}
    log.close()


@pytest.mark.parametrize("data", [b"null", b"\xff", b'{"item":7,"response":[],"error":"x"}', b'{"item":{"id":[]}}'])
def test_odd_frames_offer_nothing(data: bytes) -> None:
    log = log_of(data)
    assert things_at(log, 0) == {}
    assert followed(log, Kind.ITEM, "x") == []
    log.close()
