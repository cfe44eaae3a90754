"""The transcript from scripted events: order, whose words they are, and what of them was heard."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tests.support.recordings import examples
from tests.unit.test_wire import hostile_events
from tui.conversation import Speaker, Transcript, Turn, TurnState
from tui.conversation.blocks import MAX_BLOCKS

SECOND = "A" * 64_000
"""Base64 of a second of audio."""


class Scene:
    """A transcript with words for what happens to it."""

    def __init__(self) -> None:
        self.transcript = Transcript()

    def receive(self, event_type: str, **fields: Any) -> None:
        """An event arrives."""
        self.transcript.received({"type": event_type, **fields}, 1.0)

    def item(self, item_id: str, role: str, previous: str | None = None, text: str = "", kind: str = "added") -> None:
        """A message item appears in the conversation."""
        parts = {"user": "input_text", "assistant": "output_text", "system": "input_text"}
        content = [{"type": parts[role], "text": text}] if text else []
        item = {"id": item_id, "type": "message", "role": role, "content": content}
        self.receive(f"conversation.item.{kind}", previous_item_id=previous, item=item)

    def spoken(self, item_id: str, previous: str | None = None) -> None:
        """The person's speech becomes an item."""
        content = [{"type": "input_audio", "transcript": None}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        self.receive("conversation.item.added", previous_item_id=previous, item=item)

    def delta(self, text: str, item: str = "a", response: str = "r", kind: str = "output_text", index: int = 0) -> None:
        """A piece of an answer arrives."""
        ids = {"response_id": response, "item_id": item, "content_index": index}
        self.receive(f"response.{kind}.delta", **ids, delta=text)

    def done(self, response: str = "r", status: str = "completed", **details: Any) -> None:
        """A response ends."""
        self.receive("response.done", response={"id": response, "status": status, "status_details": details or None})

    @property
    def turns(self) -> list[Turn]:
        """All turns."""
        return list(self.transcript.turns())

    @property
    def texts(self) -> list[str]:
        """The texts of all turns."""
        return [turn.text for turn in self.turns]

    @property
    def last(self) -> Turn:
        """The last turn."""
        return self.turns[-1]


@pytest.fixture
def scene() -> Scene:
    """An empty conversation."""
    return Scene()


def test_a_typed_message_and_its_answer(scene: Scene) -> None:
    key = scene.transcript.queue("hi", 0.5)
    assert (scene.last.state, scene.last.time_s, scene.last.speaker) == (TurnState.QUEUED, 0.5, Speaker.USER)
    scene.transcript.mark_sent(key)
    assert scene.last.state is TurnState.SENT
    scene.item("u", "user", text="hi")
    assert (len(scene.turns), scene.last.key, scene.last.item_id) == (1, key, "u")
    assert scene.last.state is TurnState.DONE
    scene.item("a", "assistant", previous="u")
    assert scene.last.state is TurnState.STREAMING
    scene.delta("Hel")
    scene.delta("lo")
    assert (scene.last.text, scene.last.heard) == ("Hello", 5)
    scene.receive("response.output_text.done", item_id="a", response_id="r", content_index=0, text="Hello!")
    scene.item("a", "assistant", previous="u", text="Hello!", kind="done")
    scene.done()
    assert scene.texts == ["hi", "Hello!"]
    assert (scene.last.state, scene.last.speaker, scene.last.note) == (TurnState.DONE, Speaker.AGENT, "")


def test_each_message_finds_its_own_confirmation(scene: Scene) -> None:
    keys = [scene.transcript.queue(text, 0) for text in ("refused", "taken", "same", "same")]
    for key in keys:
        scene.transcript.mark_sent(key)
    scene.item("u2", "user", text="taken")
    scene.item("u3", "user", text="same")
    by_key = {turn.key: turn for turn in scene.turns}
    assert [by_key[key].item_id for key in keys] == ["", "u2", "u3", ""]
    scene.item("u9", "user")
    by_key = {turn.key: turn for turn in scene.turns}
    assert by_key[keys[0]].item_id == "u9", "an item that says nothing is the oldest message that waits"


def test_a_message_that_could_not_be_sent_is_not_confirmed_by_the_next(scene: Scene) -> None:
    first = scene.transcript.queue("lost", 0)
    scene.transcript.mark_sent(first)
    scene.transcript.fail(first, "not sent")
    scene.transcript.mark_sent(scene.transcript.queue("next", 0))
    scene.item("u", "user", text="next")
    assert [(turn.state, turn.note) for turn in scene.turns] == [(TurnState.FAILED, "not sent"), (TurnState.DONE, "")]


def test_what_waits_stands_below_what_is_said_meanwhile_once_it_is_sent(scene: Scene) -> None:
    key = scene.transcript.queue("later", 0)
    scene.item("a", "assistant", text="still talking")
    scene.transcript.mark_sent(key)
    assert scene.texts == ["still talking", "later"]


def test_order_follows_previous_item_id(scene: Scene) -> None:
    scene.item("1", "user", text="one")
    scene.item("3", "assistant", previous="2", text="three")
    scene.item("2", "user", previous="1", text="two")
    assert scene.texts == ["one", "two", "three"]
    scene.item("4", "user", previous="3", text="four")
    scene.item("0", "system", previous="root", text="zero")
    assert scene.texts == ["one", "two", "three", "four", "zero"], "a place that is not known is the end"
    scene.item("x", "user", previous="x", text="after itself")
    assert scene.texts[-1] == "after itself"


def test_words_of_the_program_do_not_push_items_around(scene: Scene) -> None:
    scene.item("1", "user", text="one")
    scene.transcript.say("a note", 0)
    scene.item("2", "assistant", previous="1", text="two")
    scene.transcript.take_changes()
    scene.item("2", "assistant", previous="1", text="two", kind="done")
    assert scene.texts == ["one", "a note", "two"]
    assert scene.transcript.take_changes()[1] is None, "nothing moved"


def test_speech_is_transcribed_after_the_answer_began(scene: Scene) -> None:
    scene.spoken("u")
    scene.item("a", "assistant", previous="u")
    scene.delta("Sure", kind="output_audio_transcript")
    kind = "conversation.item.input_audio_transcription"
    scene.receive(f"{kind}.delta", item_id="u", content_index=0, delta="Can ")
    scene.receive(f"{kind}.delta", item_id="u", content_index=0, delta="you")
    assert scene.texts == ["Can you", "Sure"]
    scene.receive(f"{kind}.completed", item_id="u", content_index=0, transcript=" Can you? \n")
    assert scene.texts == ["Can you?", "Sure"]
    assert [turn.speaker for turn in scene.turns] == [Speaker.USER, Speaker.AGENT]
    assert scene.turns[0].state is TurnState.DONE


def test_speech_is_never_taken_for_a_typed_message(scene: Scene) -> None:
    scene.transcript.mark_sent(scene.transcript.queue("typed", 0))
    scene.spoken("u1")
    scene.item("u2", "user", text="typed")
    assert [(turn.item_id, turn.text) for turn in scene.turns] == [("u2", "typed"), ("u1", "")]


def test_a_transcription_of_an_item_that_never_came(scene: Scene) -> None:
    scene.receive("conversation.item.input_audio_transcription.completed", item_id="u", transcript="Hello")
    assert (scene.last.speaker, scene.last.text, scene.last.state) == (Speaker.USER, "Hello", TurnState.DONE)


def test_a_transcription_that_failed(scene: Scene) -> None:
    scene.spoken("u")
    error = {"message": "The audio could not be transcribed."}
    scene.receive("conversation.item.input_audio_transcription.failed", item_id="u", error=error)
    assert (scene.last.state, scene.last.note) == (
        TurnState.FAILED,
        "Not transcribed: The audio could not be transcribed.",
    )


def test_an_answer_interrupted_while_it_is_read(scene: Scene) -> None:
    scene.delta("I was say")
    scene.transcript.interrupt("r", {})
    scene.delta("ing something")
    scene.done(status="cancelled")
    assert (scene.last.text, scene.last.heard) == ("I was saying something", len("I was say"))
    assert (scene.last.state, scene.last.note) == (TurnState.INTERRUPTED, "interrupted")


def test_an_answer_interrupted_while_it_is_heard(scene: Scene) -> None:
    scene.delta("one two three four", kind="output_audio_transcript")
    for _ in range(4):
        scene.delta(SECOND, kind="output_audio")
    scene.transcript.interrupt("r", {"a": 2000})
    assert scene.last.text[: scene.last.heard] == "one two three", "half of it; a word that was begun counts"
    scene.delta(SECOND, kind="output_audio")
    scene.delta(" five", kind="output_audio_transcript")
    assert scene.last.text[: scene.last.heard] == "one two three"
    assert (scene.last.state, scene.last.note) == (TurnState.INTERRUPTED, "interrupted at 2.0 s")
    scene.receive("response.output_audio_transcript.done", item_id="a", response_id="r", transcript="one two")
    assert scene.last.heard <= len("one two")


@pytest.mark.parametrize(("ms", "heard"), [(0, ""), (10, ""), (999, "alone"), (1000, "alone"), (5000, "alone")])
def test_a_single_word(scene: Scene, ms: int, heard: str) -> None:
    scene.delta("alone", kind="output_audio_transcript")
    scene.delta(SECOND, kind="output_audio")
    scene.transcript.interrupt("r", {"a": ms})
    assert scene.last.text[: scene.last.heard] == heard


def test_an_interruption_after_the_response_while_it_still_plays(scene: Scene) -> None:
    scene.delta("one two", kind="output_audio_transcript")
    scene.delta(SECOND, kind="output_audio")
    scene.done()
    scene.transcript.interrupt("", {"a": 250, "unknown": 3})
    assert (scene.last.state, scene.last.text[: scene.last.heard]) == (TurnState.INTERRUPTED, "one")


def test_an_item_that_was_heard_whole_is_not_cut_but_what_comes_late_is(scene: Scene) -> None:
    scene.delta("one", kind="output_audio_transcript")
    scene.delta(SECOND, kind="output_audio")
    scene.transcript.interrupt("r", {})
    scene.delta(" two", kind="output_audio_transcript")
    assert (scene.last.text, scene.last.heard) == ("one two", 3)


def test_items_that_begin_after_the_interruption_reach_nobody(scene: Scene) -> None:
    scene.delta("first")
    scene.transcript.interrupt("r", {})
    scene.delta("second", item="b")
    item = {"id": "c", "type": "message", "role": "assistant", "content": []}
    scene.receive("response.output_item.added", response_id="r", item=item)
    scene.delta("third", item="c")
    assert [(turn.text, turn.heard) for turn in scene.turns] == [("first", 5), ("second", 0), ("third", 0)]
    assert {turn.state for turn in scene.turns} == {TurnState.INTERRUPTED}


def test_a_response_that_the_server_cancelled(scene: Scene) -> None:
    scene.delta("half")
    scene.done(status="cancelled", type="cancelled", reason="turn_detected")
    assert (scene.last.state, scene.last.heard) == (TurnState.INTERRUPTED, 4)


@pytest.mark.parametrize(
    ("status", "details", "cause", "said"),
    [
        (
            "failed",
            {"error": {"code": "rate_limit_exceeded", "message": "Please try again in 7.2s."}},
            "rate-limit",
            "The answer failed: too many requests or tokens in a minute. Wait 8 s. Then send it again.",
        ),
        ("failed", {"error": {}}, "response-failed", "The answer failed: the server gave no reason. Send it again."),
        ("failed", {}, "response-failed", "The answer failed: the server gave no reason. Send it again."),
        (
            "incomplete",
            {"reason": "content_filter"},
            "content-filter",
            "The answer was cut short: the content filter stopped it. Ask in other words.",
        ),
        ("incomplete", {"reason": "boredom"}, "response-incomplete", "The answer was cut short: boredom."),
    ],
)
def test_responses_that_end_badly(scene: Scene, status: str, details: dict[str, Any], cause: str, said: str) -> None:
    scene.done(status=status, **details)
    assert (scene.last.speaker, scene.last.cause) == (Speaker.PROGRAM, cause)
    assert f"{scene.last.text} {scene.last.note}".strip() == said
    scene.delta("half", response="r2")
    scene.done("r2", status, **details)
    turn = scene.last
    assert (turn.text, turn.state, turn.note, turn.cause) == ("half", TurnState.FAILED, said, cause)


def test_a_rate_limit_whose_end_only_the_limits_tell(scene: Scene) -> None:
    scene.receive("rate_limits.updated", rate_limits=[{"name": "tokens", "remaining": 0, "reset_seconds": 3.1}])
    scene.done(status="failed", error={"code": "rate_limit_exceeded", "message": "Slow down."})
    assert "Wait 4 s." in scene.last.text


def test_two_items_in_one_response(scene: Scene) -> None:
    for item_id, text in (("a", "thinking aloud"), ("b", "the answer")):
        item = {"id": item_id, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        scene.receive("response.output_item.added", response_id="r", item=item)
        scene.delta(text, item=item_id)
        scene.receive("response.output_item.done", response_id="r", item={**item, "status": "completed"})
    assert [(turn.text, turn.state) for turn in scene.turns] == [
        ("thinking aloud", TurnState.DONE),
        ("the answer", TurnState.DONE),
    ]


def test_two_parts_in_one_item(scene: Scene) -> None:
    scene.delta("second", index=1)
    scene.delta("first", index=0)
    assert scene.texts == ["first\nsecond"]


def test_a_function_call_and_its_output(scene: Scene) -> None:
    call = {"id": "f", "type": "function_call", "name": "get_weather", "call_id": "c", "arguments": ""}
    scene.receive("response.output_item.added", response_id="r", item=call)
    scene.receive("response.function_call_arguments.delta", response_id="r", item_id="f", delta='{"city":')
    assert (scene.last.speaker, scene.last.text) == (Speaker.TOOL, 'get_weather\n{"city":')
    scene.receive("response.function_call_arguments.done", response_id="r", item_id="f", arguments='{"city":"Paris"}')
    scene.receive("response.output_item.done", response_id="r", item={**call, "status": "completed"})
    assert (scene.last.text, scene.last.state) == ('get_weather\n{"city":"Paris"}', TurnState.DONE)
    output = {"id": "o", "type": "function_call_output", "call_id": "c", "output": "18 degrees"}
    scene.receive("conversation.item.added", previous_item_id="f", item=output)
    assert (scene.last.speaker, scene.last.text) == (Speaker.TOOL, "→ 18 degrees")


@pytest.mark.parametrize(
    ("ended", "item", "text"),
    [
        ("completed", {"output": "18 degrees"}, 'now\n{"city":"Paris"}\n→ 18 degrees'),
        ("completed", {"output": None}, 'now\n{"city":"Paris"}\n→ '),
        ("failed", {"error": {"message": "Bad gateway"}}, 'now\n{"city":"Paris"}\n→ failed: Bad gateway'),
        ("failed", {}, 'now\n{"city":"Paris"}\n→ failed'),
    ],
)
def test_a_call_that_the_service_makes_with_approval(scene: Scene, ended: str, item: dict[str, Any], text: str) -> None:
    asks = {"id": "a", "type": "mcp_approval_request", "server_label": "weather", "name": "now", "arguments": "{}"}
    scene.receive("conversation.item.done", item=asks)
    assert scene.turns[0].text == "now\n{}"
    call = {"id": "m", "type": "mcp_call", "name": "now", "arguments": "", "approval_request_id": "a"}
    scene.receive("response.output_item.added", response_id="r", item=call)
    assert scene.turns[0].text == "now\n{}\n→ approved"
    scene.receive("response.mcp_call_arguments.delta", response_id="r", item_id="m", delta='{"city":')
    scene.receive("response.mcp_call_arguments.done", response_id="r", item_id="m", arguments='{"city":"Paris"}')
    assert scene.last.state is TurnState.STREAMING
    scene.receive(f"response.mcp_call.{ended}", item_id="m")
    scene.receive("response.output_item.done", response_id="r", item={**call, **item})
    assert (scene.last.state, scene.last.text) == (TurnState.DONE, text)


def test_the_end_of_a_session(scene: Scene) -> None:
    scene.transcript.mark_sent(scene.transcript.queue("unconfirmed", 0))
    queued = scene.transcript.queue("waiting", 0)
    scene.delta("half an")
    again = scene.transcript.end_session()
    assert again == [scene.turns[0].key], "nobody confirmed it: it goes out once more"
    assert [(turn.text, turn.state, turn.note) for turn in scene.turns] == [
        ("unconfirmed", TurnState.QUEUED, ""),
        ("waiting", TurnState.QUEUED, ""),
        ("half an", TurnState.FAILED, "cut off: the connection ended"),
    ]
    scene.transcript.say("New session.", 2.0, "a note")
    # The same ids again mean other items.
    scene.delta("fresh")
    scene.transcript.mark_sent(queued)
    assert scene.texts == ["unconfirmed", "half an", "New session.", "fresh", "waiting"]


def test_a_deleted_item(scene: Scene) -> None:
    scene.item("1", "user", text="one")
    scene.receive("conversation.item.deleted", item_id="1")
    assert scene.last.note == "deleted from the conversation"
    scene.receive("conversation.item.deleted", item_id="1")


def test_events_without_item_ids_still_make_one_block(scene: Scene) -> None:
    for word in ("one", " two", " three"):
        scene.receive("response.output_text.delta", response_id="r", delta=word)
    scene.receive("response.output_text.delta", response_id="r2", delta="other")
    assert scene.texts == ["one two three", "other"]
    assert {turn.item_id for turn in scene.turns} == {""}


def test_an_answer_that_comes_in_one_piece_at_its_end(scene: Scene) -> None:
    item = {"id": "a", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "all"}]}
    end = {"id": "r", "status": "completed", "output": [item, None]}
    scene.receive("response.done", response=end)
    assert (scene.texts, scene.last.state, scene.last.speaker) == (["all"], TurnState.DONE, Speaker.AGENT)
    scene.receive("response.done", response=end)
    assert scene.texts == ["all"], "what is known already is not said twice"


def test_an_answer_that_was_streamed_is_not_said_again_at_its_end(scene: Scene) -> None:
    item = {"id": "another id", "type": "message", "role": "assistant", "content": [{"text": "all of it"}]}
    scene.delta("all ")
    scene.delta("of it")
    scene.receive("response.done", response={"id": "r", "status": "completed", "output": [item]})
    assert scene.texts == ["all of it"]


def test_an_answer_that_comes_in_parts(scene: Scene) -> None:
    ids = {"response_id": "r", "item_id": "a"}
    scene.receive("response.content_part.done", **ids, content_index=0, part={"type": "output_text", "text": "one"})
    scene.receive("response.content_part.done", **ids, content_index=1, part={"type": "audio", "transcript": "two"})
    scene.receive("response.content_part.done", **ids, content_index=1, part={"type": "audio", "transcript": "three"})
    assert scene.texts == ["one\ntwo"]


def exchange(scene: Scene, number: int, ids: dict[str, Any], response: dict[str, Any] | None) -> None:
    """A message and its answer, from a server with odd ids."""
    scene.transcript.mark_sent(scene.transcript.queue(f"question {number}", 0))
    scene.receive("conversation.item.added", item={"id": f"u{number}", "type": "message", "role": "user"})
    scene.receive("response.created", response=response)
    for piece in ("answer ", str(number)):
        scene.receive("response.output_text.delta", **ids, delta=piece)
    scene.receive("response.done", response=response)


@pytest.mark.parametrize(
    ("ids", "response"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"item_id": None, "response_id": None}, {"id": None}, id="null"),
        pytest.param({"item_id": 7, "response_id": 8}, {"id": 8}, id="numbers"),
        pytest.param({}, {"id": "r"}, id="only the response's, and always the same"),
        pytest.param({"response_id": "r"}, {"id": "r"}, id="of the response, always the same"),
        pytest.param({"item_id": "a", "response_id": "r"}, {"id": "r"}, id="always the same"),
    ],
)
def test_each_answer_stands_below_its_question_whatever_the_ids(
    scene: Scene, ids: dict[str, Any], response: dict[str, Any] | None
) -> None:
    for number in (1, 2, 3):
        exchange(scene, number, ids, response)
    assert scene.texts == ["question 1", "answer 1", "question 2", "answer 2", "question 3", "answer 3"]
    assert {turn.state for turn in scene.turns} == {TurnState.DONE}


def test_an_item_whose_id_is_used_again_is_another_one(scene: Scene) -> None:
    for number in (1, 2):
        exchange(scene, number, {"item_id": "a", "response_id": f"r{number}"}, {"id": f"r{number}"})
    assert scene.texts == ["question 1", "answer 1", "question 2", "answer 2"]


def test_items_without_ids_are_said_once(scene: Scene) -> None:
    scene.transcript.mark_sent(scene.transcript.queue("hi", 0))
    mine = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    answer = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}
    for kind in ("added", "done"):
        scene.receive(f"conversation.item.{kind}", item=mine)
    scene.receive("response.created", response={"id": "r"})
    scene.receive("response.output_item.added", response_id="r", item={**answer, "content": []})
    scene.receive("conversation.item.added", item={**answer, "content": []})
    scene.delta("hello", item="")
    scene.receive("response.output_item.done", response_id="r", item=answer)
    scene.receive("conversation.item.done", item=answer)
    scene.receive("response.done", response={"id": "r", "output": [answer]})
    assert scene.texts == ["hi", "hello"]
    assert scene.last.state is TurnState.DONE


def test_the_old_names(scene: Scene) -> None:
    scene.item("a", "assistant", kind="created")
    scene.delta("Hel", kind="text")
    scene.delta("lo", kind="audio_transcript")
    scene.delta(SECOND, kind="audio")
    scene.receive("response.text.done", item_id="a", text="Hello!")
    assert scene.texts == ["Hello!"]


def test_changes_are_told_once(scene: Scene) -> None:
    scene.delta("one")
    turns, order = scene.transcript.take_changes()
    assert order == tuple(turn.key for turn in turns)
    assert scene.transcript.take_changes() == ((), None)
    scene.delta(" two")
    turns, order = scene.transcript.take_changes()
    assert ([turn.text for turn in turns], order) == (["one two"], None)


def test_a_server_that_sends_items_without_end(scene: Scene) -> None:
    waiting = scene.transcript.queue("still here", 0)
    for at in range(MAX_BLOCKS * 2):
        scene.item(f"i{at}", "user", previous=f"i{at - 1}", text=str(at))
        if at % 3 == 0:
            scene.receive("response.output_text.delta", response_id=f"r{at}", delta="x")
    blocks = scene.transcript._blocks
    assert len(scene.turns) <= MAX_BLOCKS
    assert len(blocks._by_key) == len(blocks._order) == len(scene.turns)
    assert len(blocks._by_name) <= MAX_BLOCKS
    assert len(blocks._by_response) <= MAX_BLOCKS
    assert scene.texts[0] == "still here"
    assert scene.texts[-1] in {str(MAX_BLOCKS * 2 - 1), "x"}
    scene.transcript.mark_sent(waiting)
    scene.transcript.fail(waiting, "not sent")
    assert scene.last.text == "still here"


@settings(PROPERTY, max_examples=200)
@given(
    st.lists(
        hostile_events()
        | st.sampled_from(["interrupt", "end", "queue", "take"])
        | st.builds(
            lambda kind, item, response, delta: {
                "type": kind, "item_id": item, "response_id": response, "delta": delta,
                "item": {"id": item, "type": "message", "role": "user"}, "previous_item_id": response,
                "response": {"id": response, "status": delta},
            },
            st.sampled_from([
                "response.output_text.delta", "response.output_audio.delta", "conversation.item.added",
                "conversation.item.done", "response.done", "response.output_item.added",
                "conversation.item.input_audio_transcription.delta",
            ]),
            st.sampled_from(["a", "b", ""]),
            st.sampled_from(["a", "b", "r"]),
            st.sampled_from(["x y", "cancelled", "AAAA"]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_nothing_is_too_odd(events: list[Any]) -> None:
    scene = Scene()
    told: dict[str, Turn] = {}
    order: tuple[str, ...] = ()
    for event in events:
        if event == "interrupt":
            scene.transcript.interrupt("r", {"a": 100, "b": 0})
        elif event == "end":
            scene.transcript.end_session()
        elif event == "queue":
            scene.transcript.mark_sent(scene.transcript.queue("typed", 0))
        elif event != "take":
            scene.transcript.received(event, 0)
        turns, moved = scene.transcript.take_changes()
        told |= {turn.key: turn for turn in turns}
        order = order if moved is None else moved
    assert [told[key] for key in order] == scene.turns, "the changes add up to the whole"
    assert all(0 <= turn.heard <= len(turn.text) for turn in scene.turns)


@pytest.mark.parametrize("dialect", ["ga", "beta"])
def test_every_type_of_event(scene: Scene, dialect: str) -> None:
    for event in examples(dialect):
        scene.transcript.received(json.loads(json.dumps(event)), 0)
    assert any("When does" in turn.text for turn in scene.turns)
    assert "The museum opens at ten." in {turn.text for turn in scene.turns}


def test_a_delta_behind_the_end_of_its_response_completes_the_text(scene: Scene) -> None:
    scene.delta("Half a ")
    scene.done()
    scene.delta("sentence")
    assert (scene.last.text, scene.last.state) == ("Half a sentence", TurnState.DONE)
    scene.delta("More.", item="b")
    assert (scene.last.text, scene.last.state) == ("More.", TurnState.DONE)


def test_a_request_for_approval_does_not_look_like_a_call_that_was_made(scene: Scene) -> None:
    item = {"id": "q", "type": "mcp_approval_request", "name": "delete_order", "arguments": '{"id":7}'}
    scene.receive("response.output_item.done", response_id="r", item=item)
    scene.done()
    assert "asks for approval" in scene.last.note and "has not run" in scene.last.note
    answer = {"id": "a", "type": "mcp_approval_response", "approval_request_id": "q", "approve": True}
    scene.receive("conversation.item.added", item=answer)
    (request,) = scene.turns
    assert (request.note, request.text.splitlines()[-1]) == ("", "→ approved")


def test_tools_that_could_not_be_listed_are_reported_with_their_server(scene: Scene) -> None:
    item = {"id": "t", "type": "mcp_list_tools", "server_label": "shop"}
    scene.receive("conversation.item.added", item=item)
    scene.receive("mcp_list_tools.failed", item_id="t")
    assert scene.last.text == 'The tools of the MCP server "shop" could not be listed: the agent goes on without them.'


@pytest.mark.parametrize(
    ("reason", "note"),
    [
        ("client_cancelled", "interrupted"),
        ("turn_detected", "cut off: the server heard you speak"),
        ("", "cut off by the server"),
    ],
)
def test_who_cancelled_is_told(reason: str, note: str, scene: Scene) -> None:
    scene.delta("Half a ")
    scene.done(status="cancelled", reason=reason)
    assert (scene.last.state, scene.last.note) == (TurnState.INTERRUPTED, note)


def test_an_error_event_is_told_once_with_what_to_do(scene: Scene) -> None:
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "No such voice."}
    scene.receive("error", error=error)
    scene.receive("error", error=error)
    assert len(scene.turns) == 1
    assert scene.last.speaker is Speaker.PROGRAM
    assert "No such voice." in scene.last.text


def test_an_interruption_that_came_too_late_is_no_news(scene: Scene) -> None:
    scene.receive("error", error={"code": "response_cancel_not_active", "message": "No active response."})
    assert scene.turns == []


def test_times_count_from_the_connection_also_for_what_was_typed_before(scene: Scene) -> None:
    scene.transcript.queue("early", 5.0)
    scene.transcript.queue("late", 7.5)
    scene.transcript.rebase(6.0)
    assert [turn.time_s for turn in scene.turns] == [0.0, 1.5]
