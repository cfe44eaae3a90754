"""The session worker with the real SDK: turns, interruptions, reconnecting, and ending at any moment."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import threading
from dataclasses import replace
from typing import Any

import pytest

from tests.support.servers import CREATED, Peer, http_server, websocket_server
from tests.support.sessions import Running, plan, session
from tests.unit.simulator.support import simulator
from tui.audio import SilentPlayback
from tui.capture import EventLog
from tui.conversation import AgentState, Link, Speaker, TurnState
from tui.session import Close, Interrupt, Reconnect, SendText, SessionWorker, UpdateSession
from tui.session.plan import Timeouts
from tui.simulator import script as answers
from tui.wire import Direction

SECOND = base64.b64encode(bytes(48_000)).decode()
"""A second of silence."""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def delta(kind: str, text: str, response: str = "resp_1", item: str = "item_1") -> dict[str, Any]:
    """A delta event."""
    ids = {"event_id": "e", "response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
    return {"type": f"response.{kind}.delta", **ids, "delta": text}


def created(response: str = "resp_1") -> dict[str, Any]:
    """A response.created event."""
    return {"type": "response.created", "event_id": "e", "response": {"id": response, "status": "in_progress"}}


def done(response: str = "resp_1", status: str = "completed") -> dict[str, Any]:
    """A response.done event."""
    return {"type": "response.done", "event_id": "e", "response": {"id": response, "status": status, "output": []}}


def sent(running: Running, event_type: str) -> list[dict[str, Any]]:
    """The events of one type that went out."""
    return [json.loads(entry.data) for entry in running.entries(Direction.SENT) if entry.type == event_type]


async def test_a_turn() -> None:
    async with simulator() as sim:
        async with session(sim.url()) as running:
            await running.connected()
            running.worker.submit(SendText("Which keys are there?"))
            await running.until(lambda: answers.KEYS.text in running.said)
            await running.idle()
            (log,) = sim.sessions
        assert [entry.data.decode() for entry in running.entries(Direction.RECEIVED)] == log.sent
        assert [entry.data.decode() for entry in running.entries(Direction.SENT)] == log.received
        await running.until(lambda: log.close_code == 1000, "the far end has heard the goodbye")
    assert [turn.state for turn in running.transcript] == [TurnState.DONE, TurnState.DONE]
    assert running.said[0] == "Which keys are there?"
    assert running.status.tokens_out > 0
    assert running.status.received == len(log.sent)


async def test_what_was_changed_about_the_endpoint_is_said_in_the_conversation() -> None:
    async with simulator() as sim:
        target = replace(plan(sim.url()).target, notes=("The Beta path was replaced.",))
        async with session(sim.url(), target=target) as running:
            await running.connected()
            await running.until(lambda: running.said)
    (turn,) = running.transcript
    assert (turn.speaker, turn.text, turn.time_s) == (Speaker.PROGRAM, "The Beta path was replaced.", 0.0)


async def test_what_is_typed_while_connecting_goes_out_after() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        running.worker.submit(SendText("one"))
        running.worker.submit(SendText("two"))
        await running.until(lambda: len(sent(running, "conversation.item.create")) == 2)
        texts = [event["item"]["content"][0]["text"] for event in sent(running, "conversation.item.create")]
        assert texts == ["one", "two"]
        await running.until(lambda: [turn.speaker for turn in running.transcript].count(Speaker.AGENT) > 0)
        await running.idle()


async def test_text_that_is_no_unicode() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        running.worker.submit(SendText("caf\udce9"))
        await running.until(lambda: sent(running, "response.create"))
        (event,) = sent(running, "conversation.item.create")
        assert event["item"]["content"][0]["text"] == "caf?"


# Interrupting


async def test_interrupting_audio_says_how_much_was_heard() -> None:
    clock = Clock()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_audio_transcript", "one two three four"))
        await peer.send(*[delta("output_audio", SECOND)] * 4)
        await peer.until("response.cancel")
        await peer.send(delta("output_audio_transcript", " five"), delta("output_audio", SECOND))
        await peer.send(done(status="cancelled"))
        await peer.drain()

    playback = SilentPlayback(clock)
    async with websocket_server(script) as server, session(server.url, playback=playback) as running:
        running.worker.submit(SendText("Count"))
        await running.until(lambda: running.types(Direction.RECEIVED).count("response.output_audio.delta") == 4)
        await running.until(lambda: running.status.agent is AgentState.SPEAKING)
        clock.now = 2.0
        running.worker.submit(Interrupt())
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        await running.idle()
        (truncate,) = sent(running, "conversation.item.truncate")
        (cancel,) = sent(running, "response.cancel")
        assert (truncate["item_id"], truncate["content_index"], truncate["audio_end_ms"]) == ("item_1", 0, 2000)
        assert cancel["response_id"] == "resp_1"
        assert playback.remaining_s() == 0, "late audio is not played"
        turn = running.transcript[-1]
        assert (turn.state, turn.note) == (TurnState.INTERRUPTED, "interrupted at 2.0 s")
        assert turn.text == "one two three four five"
        assert turn.text[: turn.heard] == "one two three", "2 of 5 seconds; a word that was begun counts"
        await running.assert_same_as(*server.peers)


async def test_interrupting_what_still_plays_after_the_response() -> None:
    clock = Clock()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), *[delta("output_audio", SECOND)] * 3, done())
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, playback=SilentPlayback(clock)) as running:
        running.worker.submit(SendText("Speak"))
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        await running.until(lambda: running.status.agent is AgentState.SPEAKING, "it still plays")
        clock.now = 0.5
        running.worker.submit(Interrupt())
        await running.until(lambda: sent(running, "conversation.item.truncate"))
        await running.idle()
        assert sent(running, "conversation.item.truncate")[0]["audio_end_ms"] == 500
        assert not sent(running, "response.cancel"), "there is nothing to cancel"


async def test_without_a_loudspeaker_an_answer_in_audio_is_read_at_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        for number in (1, 2):
            await peer.until("response.create")
            ids = f"resp_{number}", f"item_{number}"
            await peer.send(created(ids[0]), delta("output_audio_transcript", "one two three four", *ids))
            await peer.send(*[delta("output_audio", SECOND, *ids)] * 4, done(ids[0]))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("Count"))
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        await running.until(lambda: running.status.agent is AgentState.IDLE, "nobody speaks")
        running.worker.submit(SendText("Again"))
        await running.until(lambda: running.types(Direction.RECEIVED).count("response.done") == 2)
        await running.idle()
        assert not sent(running, "conversation.item.truncate") and not sent(running, "response.cancel")

        def heard() -> list[int]:
            return [turn.heard for turn in running.transcript if turn.speaker is Speaker.AGENT]

        await running.until(lambda: heard() == [len("one two three four")] * 2)


async def test_every_item_that_was_not_heard_is_truncated() -> None:
    clock = Clock()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_audio", SECOND), done())
        await peer.send(created("resp_2"), delta("output_audio", SECOND, "resp_2", "item_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, playback=SilentPlayback(clock)) as running:
        running.worker.submit(SendText("Speak"))
        await running.until(lambda: running.types(Direction.RECEIVED).count("response.output_audio.delta") == 2)
        clock.now = 0.25
        running.worker.submit(Interrupt())
        await running.until(lambda: sent(running, "response.cancel"))
        truncated = [(event["item_id"], event["audio_end_ms"]) for event in sent(running, "conversation.item.truncate")]
        assert truncated == [("item_1", 250), ("item_2", 0)]
        assert sent(running, "response.cancel")[0]["response_id"] == "resp_2"


async def test_interrupting_text() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "read"))
        await peer.until("response.cancel")
        await peer.send(delta("output_text", " unread"))
        assert (await peer.receive())["type"] == "conversation.item.create", "one cancel is enough"
        await peer.send(done(status="cancelled"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("Write"))
        await running.until(lambda: "read" in running.said)
        running.worker.submit(Interrupt())
        await running.until(lambda: "read unread" in running.said)
        assert running.status.agent is AgentState.IDLE, "late deltas are no speaking"
        running.worker.submit(Interrupt())
        running.worker.submit(SendText("More"))
        await running.until(lambda: "response.done" in running.types(Direction.RECEIVED))
        turn = running.transcript[1]
        assert (turn.heard, turn.state, turn.note) == (4, TurnState.INTERRUPTED, "interrupted")
        assert not sent(running, "conversation.item.truncate")


async def test_interrupting_an_answer_without_an_id() -> None:
    def anonymous(event: dict[str, Any]) -> dict[str, Any]:
        return {**{name: value for name, value in event.items() if name != "response_id"}, "response": {}}

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(anonymous(created()), anonymous(delta("output_text", "read")))
        assert "response_id" not in await peer.until("response.cancel")
        await peer.send(anonymous(delta("output_text", " unread")), anonymous(delta("output_audio", SECOND)))
        await peer.until("conversation.item.create")
        await peer.send({**done(), "response": {"status": "cancelled"}})
        await peer.until("response.create")
        await peer.send(anonymous(created()), anonymous(delta("output_audio", SECOND, item="item_2")))
        await peer.drain()

    playback = SilentPlayback(Clock())
    async with websocket_server(script) as server, session(server.url, playback=playback) as running:
        running.worker.submit(SendText("Write"))
        await running.until(lambda: "read" in running.said)
        running.worker.submit(Interrupt())
        await running.until(lambda: "response.output_audio.delta" in running.types(Direction.RECEIVED))
        await running.until(lambda: "read unread" in running.said)
        assert running.status.agent is AgentState.IDLE, "late deltas are no speaking"
        assert playback.remaining_s() == 0, "late audio is not played"
        turn = running.transcript[1]
        assert (turn.heard, turn.state, turn.note) == (4, TurnState.INTERRUPTED, "interrupted")
        running.worker.submit(SendText("More"))
        await running.until(lambda: playback.remaining_s() == 1, "the next answer is heard")
        assert len(sent(running, "response.cancel")) == 1


async def test_interrupting_an_answer_without_an_id_before_it_began() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        asked.set()
        await go_on.wait()
        await peer.send({**created(), "response": {}})
        assert "response_id" not in await peer.until("response.cancel")
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("Oops"))
        await asked.wait()
        await running.until(lambda: running.status.agent is AgentState.THINKING)
        running.worker.submit(Interrupt())
        await running.until(lambda: running.status.agent is AgentState.IDLE)
        go_on.set()
        await running.until(lambda: sent(running, "response.cancel"))


async def test_interrupting_silence() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(Interrupt())
        await running.until(lambda: running.notices)
        assert running.notices[-1].text == "Nothing to interrupt: the agent is silent."
        assert running.types(Direction.SENT) == ["session.update"]


async def test_interrupting_before_the_response_began() -> None:
    asked = asyncio.Event()
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        asked.set()
        await go_on.wait()
        await peer.send(created(), delta("output_text", "nobody wants it"))
        assert (await peer.until("response.cancel"))["response_id"] == "resp_1"
        await peer.send(done(status="cancelled"))
        await peer.until("response.create")
        await peer.send(created("resp_2"), delta("output_text", "wanted", "resp_2", "item_2"), done("resp_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("Oops"))
        await asked.wait()
        await running.until(lambda: running.status.agent is AgentState.THINKING)
        running.worker.submit(Interrupt())
        await running.until(lambda: running.status.agent is AgentState.IDLE)
        go_on.set()
        await running.until(lambda: "nobody wants it" in running.said)
        await running.idle()
        assert running.transcript[-1].heard == 0
        running.worker.submit(SendText("Now"))
        await running.until(lambda: "wanted" in running.said)
        await running.idle()
        turn = running.transcript[-1]
        assert (turn.heard, turn.state) == (len("wanted"), TurnState.DONE)


async def test_a_second_message_at_once_interrupts_the_first_answer_before_it_began() -> None:
    both = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.until("conversation.item.create")
        await both.wait()
        await peer.send(created())
        await peer.until("response.cancel")
        await peer.send(done(status="cancelled"))
        await peer.until("response.create")
        await peer.send(created("resp_2"), delta("output_text", "to both", "resp_2", "item_2"), done("resp_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("one"))
        await running.until(lambda: sent(running, "response.create"))
        running.worker.submit(SendText("two"))
        await running.until(lambda: len(sent(running, "conversation.item.create")) == 2)
        both.set()
        await running.until(lambda: "to both" in running.said)
        await running.idle()
        assert len(sent(running, "response.cancel")) == 1
        assert running.transcript[-1].state is TurnState.DONE


async def test_a_refused_response_leaves_nothing_to_cancel() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        request = await peer.until("response.create")
        error = {"type": "invalid_request_error", "code": "no", "message": "No.", "event_id": request["event_id"]}
        await peer.send({"type": "error", "event_id": "e", "error": error})
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "yes"), done())
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("one"))
        await running.until(lambda: "The server reports an error: no · No." in running.said)
        await running.idle()
        running.worker.submit(Interrupt())
        running.worker.submit(SendText("two"))
        await running.until(lambda: "yes" in running.said)
        await running.idle()
        assert not sent(running, "response.cancel")


@pytest.mark.parametrize("while_answering", ["interrupt", "queue"])
async def test_a_message_during_an_answer(while_answering: str) -> None:
    finish = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "first"))
        if while_answering == "interrupt":
            await peer.until("response.cancel")
            await peer.send(done(status="cancelled"))
        else:
            await finish.wait()
            await peer.send(done())
        await peer.until("response.create")
        await peer.send(created("resp_2"), delta("output_text", "second", "resp_2", "item_2"), done("resp_2"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, while_answering=while_answering) as running:
        running.worker.submit(SendText("one"))
        await running.until(lambda: "first" in running.said)
        running.worker.submit(SendText("two"))
        if while_answering == "queue":
            await running.until(lambda: running.status.queued == 1)
            assert running.transcript[-1].state is TurnState.QUEUED
            finish.set()
        await running.until(lambda: "second" in running.said)
        await running.idle()
        assert running.said == ["one", "first", "two", "second"]
        interrupted = TurnState.INTERRUPTED if while_answering == "interrupt" else TurnState.DONE
        assert running.transcript[1].state is interrupted
        await running.assert_same_as(*server.peers)


# Connecting, again and again, and ending


async def test_reconnecting() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(SendText("Which keys are there?"))
        await running.until(lambda: answers.KEYS.text in running.said)
        await running.idle()
        first = running.status.session_id
        running.worker.submit(Reconnect())
        await running.until(lambda: running.status.link is Link.CONNECTED and running.status.session_id != first)
        await running.until(lambda: sim.sessions[0].close_code == 1000)
        assert running.said[-1] == "New session. The agent has the conversation so far: 2 items."
        running.worker.submit(SendText("Which keys are there?"))
        await running.until(lambda: running.said.count(answers.KEYS.text) == 2)
        await running.idle()
        assert running.types(Direction.LOCAL) == ["websocket.connect", "websocket.close", "websocket.connect"]


async def test_reconnecting_after_a_failure_sends_what_waited() -> None:
    attempts = 0

    async def script(peer: Peer) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await peer.connection.close(1011)
            return
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "hello"), done())
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.cause()
        running.worker.submit(SendText("still there?"))
        await running.until(lambda: running.status.queued == 1)
        running.worker.submit(Reconnect())
        await running.until(lambda: "hello" in running.said)
        assert running.status.cause is None


async def test_the_seam_cuts_off_what_was_on_its_way() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("output_text", "half a"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("Speak"))
        await running.until(lambda: "half a" in running.said)
        running.worker.submit(Reconnect())
        await running.until(lambda: len(server.peers) == 2)
        await running.connected()
        await running.until(lambda: len(running.said) == 3)
        turn = running.transcript[1]
        assert (turn.state, turn.note) == (TurnState.FAILED, "cut off: the connection ended")
        assert running.status.response_id == ""


async def test_reconnecting_at_any_moment() -> None:
    moments = random.Random(7)
    async with simulator() as sim, session(sim.url()) as running:
        for _ in range(40):
            running.worker.submit(SendText("Which keys are there?") if moments.random() < 0.3 else Reconnect())
            await asyncio.sleep(moments.choice((0, 0.0005, 0.001, 0.002, 0.004, 0.008)))
        running.worker.submit(Reconnect())
        running.worker.submit(SendText("Which keys are there?"))
        await running.connected()
        await running.until(lambda: answers.KEYS.text in running.said)
        await running.idle()
        await running.until(lambda: [log.close_code for log in sim.sessions].count(None) == 1)


@pytest.mark.parametrize("after_s", [0, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02])
async def test_closing_at_any_moment(after_s: float) -> None:
    async with simulator() as sim, session(sim.url()) as running:
        running.worker.submit(SendText("Which keys are there?"))
        await asyncio.sleep(after_s)


async def test_closing_during_a_handshake_that_hangs() -> None:
    async with http_server(None) as server, session(server.url, timeouts=Timeouts(open_s=600)) as running:
        await running.until(lambda: server.requests)


async def test_closing_while_the_server_ignores_the_goodbye() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()


async def test_closing_while_a_command_hangs_because_the_server_does_not_read() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        running.worker.submit(SendText("x" * 15_000_000))
        await running.until(lambda: sent(running, "conversation.item.create"))
        running.worker.submit(SendText("behind it"))
        running.worker.submit(Close())
        await running.until(lambda: running.status.link is Link.CLOSED)
        states = [turn.state for turn in running.transcript if turn.speaker is Speaker.USER]
        assert states == [TurnState.QUEUED, TurnState.QUEUED], "nobody has confirmed either"


async def test_a_message_that_is_too_large_is_not_sent() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(SendText("x" * (15 * 2**20 + 1)))
        running.worker.submit(SendText("after it"))
        await running.until(lambda: running.status.answers == 1)
        large, small = [turn for turn in running.transcript if turn.speaker is Speaker.USER]
        assert (large.state, large.note) == (TurnState.FAILED, "not sent: it is larger than 15 MiB")
        assert small.state is TurnState.DONE
        assert len(sent(running, "conversation.item.create")) == 1


async def test_closing_again_and_commands_after_the_end() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        assert await asyncio.to_thread(running.worker.stop, 10)
        delivered = len(running.batches)
        for command in (SendText("too late"), Interrupt(), UpdateSession({}), Reconnect(), Close()):
            running.worker.submit(command)
        assert await asyncio.to_thread(running.worker.stop, 10)
        assert len(running.batches) == delivered
        assert not [thread for thread in threading.enumerate() if thread is running.worker._thread]


def test_a_worker_that_was_never_started_leaves_nothing_behind() -> None:
    worker = SessionWorker(plan("ws://127.0.0.1:1/"), lambda _: None)
    worker.submit(SendText("nobody"))
    assert worker.stop()
    assert worker.stop()
    assert worker._loop.is_closed()


def test_an_empty_log_is_used() -> None:
    log = EventLog(7)
    worker = SessionWorker(plan("ws://127.0.0.1:1/"), lambda _: None, log=log)
    assert worker.log is log
    worker.stop()


async def test_an_idle_session_delivers_nothing() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        await running.until(lambda: running.status.rate > 0)
        await running.until(lambda: running.status.rate == 0)
        delivered = len(running.batches)
        await asyncio.sleep(0.3)
        assert len(running.batches) == delivered


async def test_a_worker_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    running = Running(plan("ws://127.0.0.1:1/"))

    def fail(**_: object) -> None:
        raise RuntimeError("a fault")

    running.worker._recorder.set_status = fail  # type: ignore[method-assign, assignment]
    running.worker.start()
    await running.until(lambda: running.status.link is Link.FAILED)
    assert running.status.cause is not None
    assert running.status.cause.name == "crash"
    assert await asyncio.to_thread(running.worker.stop, 10)
    assert "a fault" in caplog.text
