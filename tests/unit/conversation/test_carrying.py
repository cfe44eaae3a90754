"""What of a conversation goes into a new session, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from tui.conversation import Transcript, TurnState, carrying
from tui.conversation.carrying import Carried


def item(item_id: str, role: str, text: str) -> dict[str, Any]:
    """A message as a server confirms it."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"id": item_id, "type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def transcript(*items: dict[str, Any]) -> Transcript:
    """A transcript of a session that is over."""
    found = Transcript()
    for each in items:
        found.received({"type": "conversation.item.done", "item": each}, 0.0)
    return found


def carry(found: Transcript) -> Carried:
    """End the session, and take what goes into the next one."""
    found.end_session()
    return found.carry(2)


def texts(carried: Carried) -> list[str]:
    """What the items say."""
    return [each["content"][0]["text"] for each in carried.items]


def test_both_sides_and_the_system_each_in_its_own_form() -> None:
    carried = carry(
        transcript(item("a", "system", "Be brief."), item("b", "user", "Hello"), item("c", "assistant", "Hi"))
    )
    assert [(each["role"], each["content"][0]["type"]) for each in carried.items] == [
        ("system", "input_text"),
        ("user", "input_text"),
        ("assistant", "output_text"),
    ]
    assert [each["id"] for each in carried.items] == ["carried_2_1", "carried_2_2", "carried_2_3"]
    assert (carried.left_out, carried.unspoken, carried.ends_with_question) == (0, 0, False)


def test_the_words_of_the_program_and_what_was_never_taken_stay_out() -> None:
    found = transcript(item("a", "user", "taken"))
    found.say("A word of the program's own.", 0.0)
    found.queue("typed", 0.0)
    found.mark_sent(found.queue("sent, and not confirmed", 0.0))
    given_up = found.queue("too large", 0.0)
    found.mark_sent(given_up)
    again = found.end_session()
    found.fail(given_up, "not sent")
    assert len(again) == 2
    assert texts(found.carry(2)) == ["taken"]


def test_a_deleted_item_stays_deleted() -> None:
    found = transcript(item("a", "user", "one"), item("b", "user", "two"))
    found.received({"type": "conversation.item.deleted", "item_id": "a"}, 0.0)
    assert texts(carry(found)) == ["two"]


def test_a_spoken_turn_goes_as_its_transcript_and_one_without_is_counted() -> None:
    spoken = {"type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
    found = transcript({**spoken, "id": "a"}, {**spoken, "id": "b"})
    found.received(
        {"type": "conversation.item.input_audio_transcription.completed", "item_id": "a", "transcript": "Hello"}, 0.0
    )
    found.received({"type": "conversation.item.input_audio_transcription.failed", "item_id": "b", "error": {}}, 0.0)
    carried = carry(found)
    assert texts(carried) == ["Hello"]
    assert carried.unspoken == 1


def test_the_newest_are_kept_when_there_is_no_room_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "MAX_CHARS", 10)
    carried = carry(transcript(item("a", "user", "12345"), item("b", "assistant", "123456"), item("c", "user", "1234")))
    assert texts(carried) == ["123456", "1234"]
    assert carried.left_out == 1
    assert carried.ends_with_question


def test_the_newest_is_kept_however_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "MAX_CHARS", 10)
    assert texts(carry(transcript(item("a", "user", "1"), item("b", "user", "x" * 100)))) == ["x" * 100]


def test_no_more_items_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "MAX_ITEMS", 2)
    carried = carry(transcript(*(item(str(number), "user", str(number)) for number in range(5))))
    assert (texts(carried), carried.left_out) == (["3", "4"], 3)


def test_an_output_whose_call_had_no_room_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrying, "MAX_ITEMS", 2)
    call = {"id": "f", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"id": "o", "type": "function_call_output", "call_id": "c", "output": "out"}
    assert texts(carry(transcript(call, output, item("a", "user", "after")))) == ["after"]


def mcp_call(item_id: str, name: str = "weather.now", **fields: Any) -> dict[str, Any]:
    """A call that the service made itself."""
    return {"id": item_id, "type": "mcp_call", "server_label": "s", "name": name, "arguments": '{"a":1}', **fields}


@pytest.mark.parametrize(
    ("ended", "output"),
    [
        ({"output": "18 degrees"}, "18 degrees"),
        ({"output": ""}, ""),
        (
            {"output": None, "error": {"type": "http_error", "code": 502, "message": "Bad gateway"}},
            "failed: Bad gateway",
        ),
        ({"output": None, "error": {"type": "protocol_error"}}, "failed: protocol_error"),
        ({"output": None, "error": {}}, "failed"),
    ],
)
def test_a_call_of_the_service_goes_as_a_call_of_a_function_with_what_came_of_it(
    ended: dict[str, Any], output: str
) -> None:
    carried = carry(transcript(mcp_call("m", **ended)))
    call, result = carried.items
    assert (call["type"], call["name"], call["arguments"]) == ("function_call", "weather_now", '{"a":1}')
    assert (result["type"], result["output"]) == ("function_call_output", output)
    assert call["call_id"] == result["call_id"] != ""
    assert carried.unfinished == 0


def test_calls_without_a_result_are_counted() -> None:
    call = {"id": "f", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    asks = {"id": "a", "type": "mcp_approval_request", "server_label": "s", "name": "pay", "arguments": "{}"}
    answered = {**asks, "id": "b"}
    response = {"id": "r", "type": "mcp_approval_response", "approval_request_id": "b", "approve": False}
    carried = carry(transcript(call, mcp_call("m", output=None), asks, answered, response))
    assert (carried.items, carried.unfinished) == ((), 3)


@pytest.mark.parametrize("own_ids", [True, False], ids=["our ids", "ids of the server's own"])
def test_the_confirmations_of_the_next_session_add_no_turn(own_ids: bool) -> None:
    call = {"id": "f", "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"id": "o", "type": "function_call_output", "call_id": "c", "output": "out"}
    found = transcript(
        item("a", "user", "same"),
        item("b", "user", "same"),
        call,
        output,
        mcp_call("m", output="18"),
        item("d", "assistant", "Hi"),
    )
    found.say("between", 0.0)
    before = [(turn.key, turn.text) for turn in found.turns()]
    carried = carry(found)
    previous = None
    for number, each in enumerate(carried.items):
        confirmed = each if own_ids else {**each, "id": f"server_{number}"}
        for kind in ("added", "done"):
            event = {"type": f"conversation.item.{kind}", "item": confirmed, "previous_item_id": previous}
            found.received(event, 1.0)
        previous = confirmed["id"]
    assert [(turn.key, turn.text) for turn in found.turns()] == before
    assert {turn.state for turn in found.turns()} == {TurnState.DONE}


def test_what_is_not_carried_over_keeps_its_place() -> None:
    spoken = {"id": "x", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
    found = transcript(item("a", "user", "one"), spoken, item("b", "assistant", "two"))
    carried = carry(found)
    previous = None
    for each in carried.items:
        found.received({"type": "conversation.item.added", "item": each, "previous_item_id": previous}, 1.0)
        previous = each["id"]
    assert [turn.text for turn in found.turns()] == ["one", "", "two"]
