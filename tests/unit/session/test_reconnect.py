"""A session that outlives its socket: what a new one is given, what is sent again, and what is tried again when."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from agents.realtime import RealtimeSession
from agents.realtime.openai_realtime import OpenAIRealtimeWebSocketModel

from tests.support.killing import (
    QUICK,
    far_view,
    kill,
    lost_and_doubled,
    messages,
    near_view,
    survive_kills,
)
from tests.support.servers import CREATED, SESSION, Peer, http, http_server, websocket_server
from tests.support.sessions import Running, session
from tests.support.soaking import soak
from tests.unit.session.test_worker import Clock, created, delta, done, sent
from tests.unit.simulator.support import simulator
from tui.audio import SilentPlayback
from tui.conversation import AgentState, Choice, Link, Speaker, TurnState
from tui.session import Interrupt, Reconnect, Retry, SendText, UpdateSession, Wait
from tui.session.plan import Timeouts
from tui.session.sdk import Connection
from tui.session.transport import RecordedConnection
from tui.session.watchdog import Watch
from tui.wire import Direction

KILLS = 50

SLOW = Timeouts(open_s=5, created_s=5, close_s=0.3, back_off_s=600)
"""Whatever is not done at once is never done in a test."""


def carried(peer: Peer) -> list[dict[str, Any]]:
    """The items that a connection was given, without their ids."""
    events = [json.loads(data) for data in peer.received]
    items = [event["item"] for event in events if event["type"] == "conversation.item.create"]
    return [{key: value for key, value in item.items() if key != "id"} for item in items]


def says(role: str, text: str) -> dict[str, Any]:
    """An item of a message."""
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def confirmed(event: dict[str, Any], item_id: str) -> dict[str, Any]:
    """The server's confirmation of an item that was created."""
    return {"type": "conversation.item.added", "event_id": "e", "item": {**event["item"], "id": item_id}}


class Far:
    """A server that runs one script for its first connection, and another for the following ones."""

    def __init__(self, first: Callable[[Peer], Any], then: Callable[[Peer], Any] | None = None) -> None:
        self._scripts = [first, then or greet]
        self.count = 0

    async def __call__(self, peer: Peer) -> None:
        self.count += 1
        await self._scripts[min(self.count, 2) - 1](peer)


async def greet(peer: Peer) -> None:
    """A server that takes everything and says nothing."""
    await peer.send(CREATED)
    await peer.drain()


# Killed at any moment


async def test_kills_lose_and_double_nothing_and_leave_nothing() -> None:
    threads = set(threading.enumerate())
    async with (
        simulator(speed=60) as sim,
        session(sim.url(), attended=True, timeouts=QUICK, while_answering="queue") as running,
    ):
        typed = await survive_kills(running, sim, KILLS)
        await running.until(lambda: near_view(running) == far_view(sim.sessions[-1]), "both ends agree")
        assert lost_and_doubled(typed, messages(near_view(running))) == (0, 0)
        assert messages(near_view(running)) == typed, "in order"
        states = {turn.state for turn in running.transcript if turn.speaker is Speaker.USER}
        assert states == {TurnState.DONE}
        await asyncio.sleep(QUICK.close_s + 0.1)
        gc.collect()
        of_a_session = (RecordedConnection, OpenAIRealtimeWebSocketModel, RealtimeSession, Connection, Watch)
        alive = Counter(type(each) for each in gc.get_objects() if isinstance(each, of_a_session))
        assert max(alive.values()) <= 2, f"what belongs to sessions that are over is kept: {alive}"
        tasks = Counter(repr(task.get_coro()).partition(" at ")[0] for task in asyncio.all_tasks(running.worker._loop))
        assert max(tasks.values()) == 1, f"tasks that are over go on: {tasks}"
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.name.startswith("azrt")]


async def test_a_short_soak() -> None:
    report = await soak(seconds=5, rate=500, every_s=1)
    assert report.reconnects >= 3 and report.events > 500 and report.messages > 5
    assert (report.lost, report.doubled, report.strange) == (0, 0, 0)
    assert report.grown_mb < 20, "memory is flat"


async def test_typing_goes_on_while_there_is_no_server() -> None:
    async with simulator() as sim, session(sim.url(), attended=True, timeouts=QUICK) as running:
        await running.connected()
        await kill(sim)
        await running.until(lambda: running.status.link is Link.WAITING)
        for text in ("one", "two"):
            running.worker.submit(SendText(text))
        await running.until(lambda: running.status.queued == 2)
        await sim.start()
        await running.until(lambda: running.status.link is Link.CONNECTED and not running.status.queued)
        await running.idle()
        await running.until(lambda: near_view(running) == far_view(sim.sessions[-1]))
        assert messages(near_view(running)) == ["one", "two"]


# What the new session is given


async def test_a_message_that_nobody_confirmed_goes_out_once_more() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.lose()

    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("once"))
        await running.until(lambda: len(server.peers) == 2)
        await running.until(lambda: len(sent(running, "response.create")) == 2)
        await running.until(lambda: len(carried(server.peers[1])) == 1)
        assert carried(server.peers[1]) == [says("user", "once")]
        assert [turn.text for turn in running.transcript if turn.speaker is Speaker.USER] == ["once"]


async def test_a_message_that_was_confirmed_and_not_answered_is_carried_over_and_asked_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(confirmed(await peer.until("conversation.item.create"), "item_1"))
        await peer.until("response.create")
        await peer.lose()

    async def then(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(confirmed(await peer.until("conversation.item.create"), "of the server's own"))
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "answered"), done())
        await peer.drain()

    async with (
        websocket_server(Far(first, then)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("hello?"))
        await running.until(lambda: "answered" in running.said)
        assert carried(server.peers[1]) == [says("user", "hello?")]
        users = [turn for turn in running.transcript if turn.speaker is Speaker.USER]
        assert [(turn.text, turn.state) for turn in users] == [("hello?", TurnState.DONE)]
        assert users[0].item_id == "of the server's own"


EXPIRED = {"type": "invalid_request_error", "code": "session_expired", "message": "Your session hit the maximum."}
FAILED = {"type": "server_error", "code": None, "message": "The server had an error."}
REFUSED = {"type": "invalid_request_error", "code": "invalid_value", "message": "No."}
ELSEWHERE = {"type": "invalid_request_error", "code": "unknown_parameter", "message": "No.", "param": "session.tracing"}


async def end(peer: Peer, error: dict[str, Any] | None, code: int | None) -> None:
    """End a session: with an error event, with a close code, with 0 for a loss, with None for neither."""
    if error is not None:
        await peer.send({"type": "error", "event_id": "e", "error": error})
    if code is None:
        await peer.drain()
    elif code:
        await peer.connection.close(code)
    else:
        await peer.lose()


async def take(peer: Peer, number: int) -> None:
    """Confirm a message, and read the request for its answer."""
    await peer.send(confirmed(await peer.until("conversation.item.create"), f"item_{number}"))
    await peer.until("response.create")


async def answer_all(peer: Peer) -> None:
    """Answer every request of the second session, and confirm every item."""
    await peer.send(CREATED)
    number = 0
    while True:
        event = await peer.receive()
        if event["type"] == "conversation.item.create":
            number += 1
            await peer.send(confirmed(event, f"again_{number}"))
        elif event["type"] == "response.create":
            number += 1
            name, item = f"resp_again_{number}", f"answer_{number}"
            await peer.send(created(name), delta("output_text", "answered", name, item), done(name))


@pytest.mark.parametrize("before", [0, 1, 3], ids=["the first", "the second", "the fourth"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        *((EXPIRED, code) for code in (1000, 1001, 1006, 1011, 3000, 4000, None)),
        *((None, code) for code in (1001, 1006, 1011, 1012)),
        *((error, code) for error in (FAILED, ELSEWHERE) for code in (1001, 1006, 1011)),
    ],
)
async def test_a_question_in_flight_is_asked_again_once_however_the_session_ends(
    error: dict[str, Any] | None, code: int | None, before: int
) -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        for number in range(before):
            await take(peer, number)
            name = f"resp_{number}"
            await peer.send(created(name), delta("output_text", "fine", name, f"answer_{number}"), done(name))
        await take(peer, before)
        await end(peer, error, 0 if code == 1006 else code)

    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        for number in range(before):
            running.worker.submit(SendText(f"question {number}"))
            await running.until(lambda: running.status.answers == number + 1)  # noqa: B023
            await running.idle()
        running.worker.submit(SendText("the last one"))
        await running.until(lambda: "answered" in running.said)
        await running.idle()
        assert messages(near_view(running)).count("the last one") == 1
        assert [event["type"] for event in map(json.loads, server.peers[1].received)].count("response.create") == 1
        assert carried(server.peers[1])[-1] == says("user", "the last one")
        assert not any("not answered" in turn.note for turn in running.transcript)


async def test_an_expired_session_that_the_server_leaves_open_is_told_and_replaced() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await end(peer, EXPIRED, None)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=SLOW) as running:
        await running.until(lambda: running.said == ["The session reached its time limit.", "New session."])
        await running.connected()
        assert server.peers[0].connection.close_code == 1000, "we said goodbye"


async def test_an_expired_session_that_the_server_leaves_open_is_told_where_nobody_reconnects() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await end(peer, EXPIRED, None)

    async with (
        websocket_server(script) as server,
        session(server.url, attended=True, reconnects=False, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("hello?"))
        assert (await running.cause()).name == "expired"
        assert running.status.link is Link.CLOSED
        assert running.transcript[-1].note == "Your last question is not answered; a new session asks it again."


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (3000, "invalid_request_error.invalid_api_key")])
async def test_a_question_in_flight_is_told_where_it_is_not_tried_again_and_asked_when_the_user_reconnects(
    code: int, reason: str
) -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await peer.connection.close(code, reason)

    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("hello?"))
        await running.cause()
        assert running.transcript[-1].note.endswith("Your last question is not answered; a new session asks it again.")
        assert running.transcript[-1].command == Choice.RECONNECT
        running.worker.submit(Reconnect())
        await running.until(lambda: "answered" in running.said)
        assert len(sent(running, "response.create")) == 2


async def test_a_question_over_which_the_content_filter_ended_the_session_is_not_asked_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await peer.connection.close(1008, "content_filter")

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        running.worker.submit(SendText("hello?"))
        assert (await running.cause()).name == "session-filtered"
        assert running.transcript[-1].note == "Say it in other words."
        running.worker.submit(Reconnect())
        await running.connected()
        assert len(sent(running, "response.create")) == 1


async def test_a_question_that_the_server_refused_is_not_asked_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await end(peer, REFUSED, 1011)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        running.worker.submit(SendText("hello?"))
        await running.until(lambda: "New session. The agent has the conversation so far: 1 item." in running.said)
        await running.connected()
        assert len(sent(running, "response.create")) == 1
        assert any("invalid_value · No." in text for text in running.said), "it was told"


async def test_a_question_that_was_interrupted_is_not_asked_again() -> None:
    lose = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await lose.wait()
        await peer.lose()

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        running.worker.submit(SendText("hello?"))
        await running.until(lambda: sent(running, "response.create"))
        running.worker.submit(Interrupt())
        await running.until(lambda: running.status.agent is AgentState.IDLE)
        lose.set()
        await running.until(
            lambda: len(server.peers) == 2 and any(text.startswith("New session.") for text in running.said)
        )
        await running.connected()
        assert len(sent(running, "response.create")) == 1


@pytest.mark.parametrize("error", [None, EXPIRED])
async def test_several_questions_that_wait_are_each_answered_in_their_order(error: dict[str, Any] | None) -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await told.wait()
        await end(peer, error, 1001)

    told = asyncio.Event()
    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK, while_answering="queue") as running,
    ):
        for text in ("one", "two", "three"):
            running.worker.submit(SendText(text))
        await running.until(lambda: running.status.queued == 2 and sent(running, "response.create"))
        told.set()
        await running.until(lambda: running.status.answers == 3)
        await running.idle()
        assert messages(near_view(running)) == ["one", "two", "three"]
        assert carried(server.peers[1]) == [says("user", text) for text in ("one", "two", "three")]
        assert [speaker for speaker, _ in near_view(running)] == [Speaker.USER, Speaker.AGENT] * 3


async def test_a_message_behind_an_answer_that_is_cut_off_is_answered() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await peer.send(created(), delta("output_text", "half an", "resp_1", "answer_1"))
        await peer.send(confirmed(await peer.until("conversation.item.create"), "item_2"))
        await end(peer, EXPIRED, 1001)

    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("one"))
        await running.until(lambda: "half an" in running.said)
        running.worker.submit(SendText("two"))
        await running.until(lambda: "answered" in running.said)
        assert [item["content"][0]["text"] for item in carried(server.peers[1])] == ["one", "half an", "two"]
        assert [event["type"] for event in map(json.loads, server.peers[1].received)].count("response.create") == 1


async def test_the_output_of_a_tool_that_waits_for_an_answer_is_asked_about_again() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        await peer.send(created("resp_0"))
        call = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}
        output = {"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "18 degrees"}
        await peer.send(
            *({"type": "conversation.item.added", "event_id": "e", "item": item} for item in (call, output))
        )
        await end(peer, EXPIRED, 1001)

    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("the weather?"))
        await running.until(lambda: "answered" in running.said)
        assert [item["type"] for item in carried(server.peers[1])][1:] == ["function_call", "function_call_output"]


async def test_a_question_whose_answer_so_far_only_calls_is_asked_again_with_the_output() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        call = {"id": "f1", "type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": "{}"}
        output = {"id": "o1", "type": "function_call_output", "call_id": "c1", "output": "18 degrees"}
        await peer.send(created("resp_0"), {"type": "conversation.item.added", "event_id": "e", "item": call})
        end_of_it = {"id": "resp_0", "status": "completed", "output": [call]}
        await peer.send({"type": "response.done", "event_id": "e", "response": end_of_it})
        await peer.send({"type": "conversation.item.added", "event_id": "e", "item": output})
        await end(peer, EXPIRED, 1001)

    async with (
        websocket_server(Far(first, answer_all)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("the weather?"))
        await running.until(lambda: "answered" in running.said)
        assert [item["type"] for item in carried(server.peers[1])][1:] == ["function_call", "function_call_output"]


async def test_a_question_whose_tool_has_no_output_is_told() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await take(peer, 1)
        call = {"id": "m1", "type": "mcp_call", "server_label": "s", "name": "delete_order", "arguments": "{}"}
        await peer.send(created("resp_0"), {"type": "conversation.item.added", "event_id": "e", "item": call})
        await end(peer, EXPIRED, 1001)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        running.worker.submit(SendText("delete it"))
        await running.until(lambda: any(text.startswith("New session.") for text in running.said))
        await running.connected()
        assert running.transcript[-1].note == (
            "Without a result, a tool call could not be carried over. "
            "Your last question was not answered: ask it again."
        )
        assert len(sent(running, "response.create")) == 1, "it is not called twice"


async def test_an_answer_that_had_begun_is_carried_over_as_far_as_it_came() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(confirmed(await peer.until("conversation.item.create"), "item_0"))
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "half an"))
        await peer.lose()

    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        running.worker.submit(SendText("Speak"))
        await running.until(lambda: len(server.peers) == 2 and len(carried(server.peers[1])) == 2)
        assert carried(server.peers[1]) == [says("user", "Speak"), says("assistant", "half an")]
        assert len(sent(running, "response.create")) == 1, "the person decides whether it goes on"
        turn = next(turn for turn in running.transcript if turn.speaker is Speaker.AGENT)
        assert (turn.state, turn.note) == (TurnState.FAILED, "cut off: the connection ended")


async def test_what_was_not_heard_is_not_carried_over() -> None:
    clock = Clock()
    second = base64.b64encode(bytes(48_000)).decode()
    lose = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(confirmed(await peer.until("conversation.item.create"), "item_0"))
        await peer.until("response.create")
        await peer.send(created(), delta("output_audio_transcript", "one two three four"))
        await peer.send(*[delta("output_audio", second)] * 4, done())
        await lose.wait()
        await peer.lose()

    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=QUICK, playback=SilentPlayback(clock)) as running,
    ):
        running.worker.submit(SendText("Count"))
        await running.until(lambda: running.status.answers == 1)
        clock.now = 2.0
        lose.set()
        await running.until(lambda: len(server.peers) == 2 and len(carried(server.peers[1])) == 2)
        assert carried(server.peers[1])[1] == says("assistant", "one two three"), "2 of 4 seconds; a begun word counts"
        turn = next(turn for turn in running.transcript if turn.speaker is Speaker.AGENT)
        assert (turn.state, turn.note) == (TurnState.INTERRUPTED, "cut off at 2.0 s: the connection ended")
        assert turn.text[turn.heard :] == " four"


async def test_tool_calls_are_carried_over_with_their_results_and_others_are_not() -> None:
    def item(kind: str, item_id: str, **fields: Any) -> dict[str, Any]:
        return {"type": "conversation.item.added", "item": {"id": item_id, "type": kind, **fields}}

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(
            item("function_call", "f1", call_id="c1", name="get_weather", arguments='{"city":"Paris"}'),
            item("function_call_output", "o1", call_id="c1", output="18 degrees"),
            item("function_call", "f2", call_id="c2", name="unanswered", arguments="{}"),
            item("mcp_call", "m1", server_label="s", name="its own", arguments="{}", output="done"),
            item("mcp_call", "m2", server_label="s", name="under way", arguments="{}"),
        )
        await peer.drain()

    async with websocket_server(Far(first)) as server, session(server.url) as running:
        await running.until(lambda: len(running.transcript) == 5)
        running.worker.submit(Reconnect())
        await running.until(lambda: len(server.peers) == 2 and len(carried(server.peers[1])) == 4)
        call, output = carried(server.peers[1])[2:]
        assert carried(server.peers[1])[:2] == [
            {"type": "function_call", "call_id": "c1", "name": "get_weather", "arguments": '{"city":"Paris"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "18 degrees"},
        ]
        assert (call["name"], output["output"]) == ("its_own", "done")
        assert call["call_id"] == output["call_id"]
        await running.until(lambda: running.said[-1].startswith("New session."))
        seam = running.transcript[-1]
        assert seam.text == "New session. The agent has the conversation so far: 4 items."
        assert seam.note == "Without a result, 2 tool calls could not be carried over."


async def test_the_new_session_has_the_settings_and_the_sdk_each_item_once() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(UpdateSession({"instructions": "Rhyme."}))
        running.worker.submit(SendText("Which keys are there?"))
        await running.until(lambda: running.status.answers == 1)
        before = near_view(running)
        running.worker.submit(Reconnect())
        await running.until(lambda: len(sim.sessions) == 2 and far_view(sim.sessions[1]) == before, "carried over")
        updates = [event for event in map(json.loads, sim.sessions[1].received) if event["type"] == "session.update"]
        assert updates[-1]["session"]["instructions"] == "Rhyme."
        assert near_view(running) == before, "nothing is shown twice"
        connection = running.worker._shared.connection
        assert connection is not None and connection._session is not None
        sdk_session = connection._session  # which replaces its history with each item
        await running.until(lambda: len(sdk_session._history) == 2)
        assert len({item.item_id for item in sdk_session._history}) == 2


async def test_what_the_server_does_not_take_is_said_once() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        for number in range(3):
            item = {**says("user", f"{number}"), "id": f"item_{number}"}
            await peer.send({"type": "conversation.item.added", "item": item})
        await peer.drain()

    async def then(peer: Peer) -> None:
        await peer.send(CREATED)
        for _ in range(3):
            event = await peer.until("conversation.item.create")
            error = {"type": "invalid_request_error", "code": "no", "message": "No.", "event_id": event["event_id"]}
            await peer.send({"type": "error", "error": error})
        await peer.drain()

    async with websocket_server(Far(first, then)) as server, session(server.url) as running:
        await running.until(lambda: len(running.transcript) == 3)
        running.worker.submit(Reconnect())
        await running.until(lambda: running.types(Direction.RECEIVED).count("error") == 3)
        await running.until(lambda: running.status.rate == 0, "everything is told")
        said = [text for text in running.said if text.startswith("The server did not take all")]
        assert len(said) == 1


# What is tried again, and when


async def test_what_cannot_pass_is_not_tried_again() -> None:
    for answer, name in ((http("401 Unauthorized"), "http-401"), (http("404 Not Found"), "http-404")):
        async with http_server(answer) as server, session(server.url, attended=True, timeouts=QUICK) as running:
            assert (await running.cause()).name == name
            assert running.status.offer is None
            await asyncio.sleep(0.1)
            assert len(server.requests) == 1


async def test_a_beta_server_is_named_once_and_not_tried_again() -> None:
    async with simulator(dialect="beta") as sim, session(sim.url(), attended=True, timeouts=QUICK) as running:
        assert (await running.cause()).name == "beta-session"
        await asyncio.sleep(0.1)
        said = [text for text in running.said if "Beta protocol" in text or "error" in text]
        assert len(said) == 1, "the error about session.type follows from it"
        assert len(sim.sessions) == 1


async def test_the_time_that_the_service_names_is_kept() -> None:
    async with (
        http_server(http("429 Too Many Requests", b"", "Retry-After: 17")) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        await running.until(lambda: running.status.offer)
        offer = running.status.offer
        assert offer is not None and offer.due_s is not None
        assert 15 < offer.due_s - time.monotonic() < 18
        assert running.status.link is Link.WAITING
        assert dict(offer.choices) == {Choice.RECONNECT: "now", Choice.WAIT: "stop"}
        running.worker.submit(Reconnect())
        await running.until(lambda: len(server.requests) == 2, "now")
        await running.until(lambda: running.status.link is Link.WAITING)
        running.worker.submit(Wait())
        assert (await running.cause()).name == "http-429"
        assert running.status.offer is None


async def test_an_expired_session_is_followed_at_once() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        await peer.send({"type": "error", "error": {"type": "x", "code": "session_expired", "message": "60 minutes"}})
        await peer.connection.close(1001)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=SLOW) as running:
        await running.until(lambda: len(server.peers) == 2)
        await running.connected()
        await running.until(lambda: running.said == ["The session reached its time limit.", "New session."])


async def test_a_server_that_ends_each_session_at_once_is_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.session.back_off.MAX_TRIES", 3)

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.connection.close(1011)

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        assert (await running.cause()).name == "closed-1011"
        assert len(server.peers) == 4
        first, seam = running.said
        assert (first, seam) == ("The server ended the session after an error of its own.", "New session.")


async def test_the_same_cause_is_told_again_after_something_was_said() -> None:
    async def then(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.connection.close(1011)

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.connection.close(1011)

    async with (
        websocket_server(Far(first, then)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        await running.until(lambda: running.said[1:] == ["New session."] and running.status.link is Link.CONNECTED)
        running.worker.submit(SendText("Hello?"))
        await running.until(lambda: running.said.count(running.said[0]) == 2, "told below the message")


async def test_it_gives_up_in_the_end_and_says_the_same_thing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.session.back_off.MAX_TRIES", 3)
    async with (
        http_server(http("503 Service Unavailable")) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        assert (await running.cause()).name == "http-503"
        assert len(server.requests) == 4
        assert len(running.said) == 1


@pytest.mark.parametrize("greeting", [False, True], ids=["says nothing", "begins to say something"])
async def test_a_server_that_takes_a_session_and_ends_it_at_once_is_asked_less_and_less_often(greeting: bool) -> None:
    end: asyncio.Queue[None] = asyncio.Queue()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        told, gone = asyncio.create_task(end.get()), asyncio.create_task(peer.connection.wait_closed())
        await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if greeting:
            await peer.send(created(), delta("output_text", "Hello"))
        await peer.connection.close(1011)

    waits = Timeouts(open_s=5, created_s=5, close_s=0.3, back_off_s=0.2)
    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=waits) as running:
        for number in (1, 2):
            await running.until(lambda: len(server.peers) == number)  # noqa: B023
            await running.connected()
            end.put_nowait(None)
        await running.until(
            lambda: (
                "Connects again (try 2 of 12) in"
                in {batch.status.offer.text for batch in running.batches if batch.status.offer is not None}
            )
        )


async def test_connecting_again_three_times_at_once_leaves_one_session() -> None:
    async with simulator() as sim, session(sim.url(), attended=True, timeouts=QUICK) as running:
        await running.connected()
        running.worker.submit(SendText("before"))
        await running.until(lambda: running.status.answers == 1)
        for _ in range(3):
            running.worker.submit(Reconnect())
            running.worker.submit(SendText("meanwhile"))
        await running.until(lambda: messages(far_view(sim.sessions[-1])) == ["before", *["meanwhile"] * 3])
        await running.idle()
        await running.until(lambda: near_view(running) == far_view(sim.sessions[-1]))
        assert sim._server is not None
        await running.until(lambda: sim._server is not None and len(sim._server.connections) == 1)


async def test_only_by_the_key_when_that_is_the_setting() -> None:
    async with simulator() as sim, session(sim.url(), attended=True, reconnects=False, timeouts=QUICK) as running:
        await running.connected()
        await kill(sim)
        await running.cause()
        assert running.transcript[-1].command == Choice.RECONNECT
        await sim.start()
        running.worker.submit(Reconnect())
        await running.connected()


async def test_a_message_that_is_too_large_ends_one_session_only() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("conversation.item.create")
        await peer.connection.close(1009)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        running.worker.submit(SendText("huge"))
        assert (await running.cause()).name == "closed-1009"
        turn = next(turn for turn in running.transcript if turn.speaker is Speaker.USER)
        assert (turn.state, turn.note) == (TurnState.FAILED, "not sent: it is larger than the server takes")
        running.worker.submit(Reconnect())
        await running.connected()
        assert not carried(server.peers[1])


# Before a session ends


def expiring(seconds: float) -> dict[str, Any]:
    """session.created of a session that ends in so many seconds."""
    return {**CREATED, "session": {**SESSION, "expires_at": time.time() + seconds}}


async def test_a_new_session_takes_over_in_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.session.watchdog.PAUSE_S", 0.05)

    async def first(peer: Peer) -> None:
        await peer.send(expiring(2))
        await peer.drain()

    async def then(peer: Peer) -> None:
        await peer.send(expiring(3000))
        await peer.drain()

    quick = Timeouts(open_s=5, created_s=5, close_s=0.3, pong_s=0.4)
    async with (
        websocket_server(Far(first, then)) as server,
        session(server.url, attended=True, reconnects=False, timeouts=quick) as running,
    ):
        await running.until(lambda: len(server.peers) == 2)
        await running.until(lambda: running.status.link is Link.CONNECTED and running.status.offer is None)
        said = ["The session was close to its time limit: a new one takes over.", "New session."]
        await running.until(lambda: running.said == said)
        assert server.peers[0].connection.close_code == 1000, "the old one was still there"


async def test_a_new_session_does_not_take_over_while_the_agent_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.session.watchdog.PAUSE_S", 0.05)
    over = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.send(expiring(2.5))
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "a long answer"))
        await over.wait()
        await peer.send(done())
        await peer.drain()

    async def then(peer: Peer) -> None:
        await peer.send(expiring(3000))
        await peer.drain()

    quick = Timeouts(open_s=5, created_s=5, close_s=0.3, pong_s=0.1)
    async with (
        websocket_server(Far(first, then)) as server,
        session(server.url, attended=True, timeouts=quick) as running,
    ):
        running.worker.submit(SendText("Tell me"))
        await offered(running, "expiring")
        await asyncio.sleep(0.3)
        assert len(server.peers) == 1
        over.set()
        await running.until(lambda: len(server.peers) == 2 and len(carried(server.peers[1])) == 2)
        assert carried(server.peers[1])[1] == says("assistant", "a long answer")


async def test_the_end_of_a_session_is_only_announced_when_that_is_the_setting() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(expiring(2))
        await peer.drain()

    quick = Timeouts(open_s=5, created_s=5, close_s=0.3, pong_s=0.1)
    async with (
        websocket_server(script) as server,
        session(server.url, attended=True, hands_over=False, timeouts=quick) as running,
    ):
        await running.until(lambda: running.status.offer)
        offer = running.status.offer
        assert offer is not None
        assert (offer.name, offer.text) == ("expiring", "The session ends in")
        running.worker.submit(Wait())
        await running.until(lambda: running.status.offer is None)
        await asyncio.sleep(0.2)
        assert running.status.offer is None, "later is later"
        assert len(server.peers) == 1


# What nothing announces


async def offered(running: Running, name: str) -> dict[Choice, str]:
    """Wait for an offer; return its choices."""
    await running.until(lambda: running.status.offer is not None and running.status.offer.name == name, name)
    assert running.status.offer is not None
    return dict(running.status.offer.choices)


async def test_no_session_created() -> None:
    limits = Timeouts(open_s=5, created_s=0.2, close_s=0.3, back_off_s=0.01)
    async with (
        websocket_server(Far(Peer.drain)) as server,
        session(server.url, attended=True, timeouts=limits) as running,
    ):
        assert await offered(running, "no-session-created") == {Choice.RECONNECT: "now", Choice.WAIT: "wait"}
        running.worker.submit(Wait())
        await running.until(lambda: running.status.offer is None)
        assert len(server.peers) == 1
        await offered(running, "no-session-created")
        await running.connected()
        assert len(server.peers) == 2, "without a decision it connects again"
        assert "no session.created within 0.2 s" in running.said[0]


ALERT = Timeouts(open_s=5, created_s=5, close_s=0.3, answer_s=0.2, response_s=0.2)


async def test_an_answer_that_does_not_come_can_be_asked_for_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "at last"), done())
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        running.worker.submit(SendText("hello?"))
        choices = await offered(running, "no-answer")
        assert list(choices) == [Choice.RETRY, Choice.RECONNECT, Choice.WAIT]
        running.worker.submit(Retry())
        await running.until(lambda: "at last" in running.said)
        await running.idle()
        assert running.status.offer is None
        assert len(sent(running, "conversation.item.create")) == 1, "the message is not sent again"


async def test_an_answer_without_an_end_can_be_given_up_and_what_waits_goes_out() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "and then"))
        assert (await peer.until("response.cancel"))["response_id"] == "resp_1"
        await peer.until("response.create")
        await peer.send(created("resp_2"), delta("output_text", "to the second", "resp_2", "item_2"), done("resp_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        running.worker.submit(SendText("first"))
        await offered(running, "no-response-done")
        running.worker.submit(Interrupt())
        running.worker.submit(SendText("second"))
        await running.until(lambda: len(sent(running, "conversation.item.create")) == 2)
        await offered(running, "no-response-done")
        running.worker.submit(Retry())
        await running.until(lambda: "to the second" in running.said)
        await running.idle()
        assert len(sent(running, "response.create")) == 2
        assert running.transcript[1].state is TurnState.INTERRUPTED


def detecting(**detection: object) -> dict[str, Any]:
    """session.created of a session in which the server detects turns."""
    heard = {**SESSION["audio"]["input"], "turn_detection": {"type": "server_vad", **detection}}  # type: ignore[index]
    return {**CREATED, "session": {**SESSION, "audio": {"input": heard}}}


HEARD: tuple[dict[str, Any], ...] = (
    {"type": "input_audio_buffer.speech_started", "event_id": "e", "audio_start_ms": 0, "item_id": "u"},
    {"type": "input_audio_buffer.speech_stopped", "event_id": "e", "audio_end_ms": 900, "item_id": "u"},
    {"type": "input_audio_buffer.committed", "event_id": "e", "item_id": "u"},
)
"""A turn that the server has heard."""


async def test_an_answer_to_what_was_spoken_can_be_asked_for_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(detecting(), *HEARD)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "at last"), done())
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        assert Choice.RETRY in await offered(running, "no-answer")
        assert not sent(running, "response.create")
        running.worker.submit(Retry())
        await running.until(lambda: "at last" in running.said)
        await running.idle()
        assert running.status.offer is None
        assert len(sent(running, "response.create")) == 1


async def test_no_answer_is_missed_where_the_server_gives_none_by_itself() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(detecting(create_response=False), *HEARD)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        await running.connected()
        await asyncio.sleep(2 * ALERT.answer_s)
        assert all(batch.status.offer is None for batch in running.batches)


async def test_what_was_spoken_and_not_answered_is_asked_again() -> None:
    item = {"id": "u", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}

    async def first(peer: Peer) -> None:
        await peer.send(detecting(), *HEARD, {"type": "conversation.item.added", "event_id": "e", "item": item})
        transcribed = "conversation.item.input_audio_transcription.completed"
        await peer.send({"type": transcribed, "event_id": "e", "item_id": "u", "transcript": "Hello?"})
        await peer.lose()

    async def then(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.drain()

    async with (
        websocket_server(Far(first, then)) as server,
        session(server.url, attended=True, timeouts=QUICK) as running,
    ):
        await running.until(lambda: len(sent(running, "response.create")) == 1)
        await running.until(
            lambda: carried(server.peers[1]) == [says("user", "Hello?")], "the question is carried over"
        )


async def test_what_was_spoken_and_has_no_transcript_is_told() -> None:
    item = {"id": "u", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}

    async def first(peer: Peer) -> None:
        await peer.send(detecting(), *HEARD, {"type": "conversation.item.added", "event_id": "e", "item": item})
        await end(peer, EXPIRED, 1001)

    async with websocket_server(Far(first)) as server, session(server.url, attended=True, timeouts=QUICK) as running:
        await running.until(lambda: any(text.startswith("New session.") for text in running.said))
        await running.connected()
        assert running.transcript[-1].note == (
            "Without a transcript, a turn of yours could not be carried over. "
            "Your last question was not answered: ask it again."
        )
        assert not sent(running, "response.create")


async def test_an_answer_without_an_id_that_stands_still() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send({"type": "response.created", "response": {}}, delta("output_text", "and then"))
        assert "response_id" not in await peer.until("response.cancel")
        await peer.until("response.create")
        await peer.send(created("resp_2"), delta("output_text", "at last", "resp_2", "item_2"), done("resp_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        running.worker.submit(SendText("hello?"))
        assert Choice.RETRY in await offered(running, "no-response-done")
        running.worker.submit(Retry())
        await running.until(lambda: "at last" in running.said)
        await running.idle()


async def test_waiting_on_asks_again_later() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, attended=True, timeouts=ALERT) as running:
        running.worker.submit(SendText("hello?"))
        for _ in range(2):
            await offered(running, "no-answer")
            running.worker.submit(Wait())
            await running.until(lambda: running.status.offer is None)


async def test_there_is_nothing_to_ask_again_for_when_all_is_well() -> None:
    async with simulator() as sim, session(sim.url(), attended=True) as running:
        await running.connected()
        running.worker.submit(Retry())
        await running.until(lambda: running.notices)
        assert running.notices[-1].text == "There is nothing to ask for again."
        assert running.types(Direction.SENT) == ["session.update"]


async def test_a_socket_that_died_silently() -> None:
    deaf = asyncio.Event()

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.pause_reading()
        deaf.set()
        await peer.connection.wait_closed()

    limits = Timeouts(open_s=5, created_s=5, close_s=0.2, ping_s=0.3, pong_s=0.2, back_off_s=0.01)
    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=limits) as running,
    ):
        assert await offered(running, "no-pong") == {Choice.RECONNECT: "now", Choice.WAIT: "wait"}
        running.worker.submit(Wait())
        await running.until(lambda: running.status.offer is None)
        await offered(running, "no-pong")
        assert running.status.offer is not None and running.status.offer.due_s is None, "the person waits"
        assert len(server.peers) == 1
        running.worker.submit(Reconnect())
        await running.until(lambda: len(server.peers) == 2)
        await running.connected()


async def test_a_socket_that_died_silently_is_given_up_without_a_decision() -> None:
    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    limits = Timeouts(open_s=5, created_s=5, close_s=0.2, ping_s=0.2, pong_s=0.1, back_off_s=0.01)
    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=limits) as running,
    ):
        await running.until(lambda: len(server.peers) == 2)
        await running.connected()
        assert "The server stopped answering, so the connection was closed." in running.said


@pytest.mark.parametrize("there", [True, False], ids=["still there", "gone"])
async def test_after_the_machine_has_slept_the_connection_is_tried(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep_s = 0.0

    class Clocks:
        """The machine sleeps by the clock on the wall only, as on Linux."""

        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def time() -> float:
            return time.time() + asleep_s

    async def first(peer: Peer) -> None:
        await peer.send(CREATED)
        if not there:
            peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    found: list[bool] = []

    async def answers(connection: Connection, seconds: float) -> bool:
        found.append(await original(connection, seconds))
        return found[-1]

    original = Connection.answers
    monkeypatch.setattr(Connection, "answers", answers)
    monkeypatch.setattr("tui.session.watchdog.time", Clocks)
    limits = Timeouts(open_s=5, created_s=5, close_s=0.2, answer_s=0.4, pong_s=5 if there else 0.3, back_off_s=0.01)
    async with (
        websocket_server(Far(first)) as server,
        session(server.url, attended=True, timeouts=limits) as running,
    ):
        await running.connected()
        while not found:
            asleep_s += 7200
            await asyncio.sleep(limits.pong_s / 10)
        assert found[0] is there
        if there:
            assert running.status.link is Link.CONNECTED
            assert len(server.peers) == 1
        else:
            await running.until(lambda: len(server.peers) == 2)
            await running.connected()
            assert "The server stopped answering, so the connection was closed." in running.said


async def test_an_offer_that_has_not_changed_is_not_told_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(expiring(4))
        await peer.drain()

    quick = Timeouts(open_s=5, created_s=5, close_s=0.3, pong_s=0.04)
    async with (
        websocket_server(script) as server,
        session(server.url, attended=True, hands_over=False, timeouts=quick) as running,
    ):
        await offered(running, "expiring")
        await running.until(lambda: running.status.rate == 0)
        delivered = len(running.batches)
        await asyncio.sleep(0.2)
        assert len(running.batches) == delivered
        assert isinstance(running.worker._lifeline._watch, Watch)
