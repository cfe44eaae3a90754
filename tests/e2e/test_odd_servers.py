"""Servers that are nearly right: the conversation goes on, and the key that they echo is not shown."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.servers import CREATED, SESSION, Peer, http, http_server, websocket_server
from tests.support.sessions import KEY, Running, session
from tui.conversation import Link, TurnState
from tui.session import SendText
from tui.settings import Secret
from tui.wire import Direction

pytestmark = pytest.mark.e2e


def answer(number: int, *pieces: str, **fields: Any) -> list[dict[str, Any]]:
    """A response without item events, each event with these fields."""
    ids = {"response_id": f"resp_{number}", "item_id": f"item_{number}", "output_index": 0, "content_index": 0}
    return [
        {"type": "response.created", "response": {"id": f"resp_{number}"}, **fields},
        *({"type": "response.output_text.delta", "delta": piece, **ids, **fields} for piece in pieces),
        {"type": "response.done", "response": {"id": f"resp_{number}", "status": "completed"}, **fields},
    ]


async def say(running: Running, text: str) -> None:
    """Send a message and wait until it was answered or refused."""
    before = running.types(Direction.SENT).count("response.create")
    running.worker.submit(SendText(text))
    await running.until(lambda: running.types(Direction.SENT).count("response.create") > before, "a response asked for")
    await running.idle()


def answering(*answers: list[dict[str, Any]]) -> Callable[[Peer], Awaitable[None]]:
    """A server that answers each request with the next of these lists of events."""

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        for events in answers:
            await peer.until("response.create")
            await peer.send(*events)
        await peer.drain()

    return script


async def test_events_that_the_sdk_cannot_read_do_not_hold_up_the_next_message() -> None:
    # No event_id: the SDK validates none of them, and would wait for the end of the first response for ever.
    async with websocket_server(answering(answer(1, "one"), answer(2, "two"))) as server, session(server.url) as one:
        await one.connected()
        await say(one, "first")
        await say(one, "second")
        await one.until(lambda: one.said == ["first", "one", "second", "two"], "both answers")


@pytest.mark.parametrize(
    "error",
    [
        {"type": "server_error", "code": None, "message": "Try again.", "param": None, "event_id": None},
        {"message": "Try again."},
        {},
        None,
    ],
)
async def test_a_refusal_that_names_no_event_does_not_hold_up_the_next_message(error: object) -> None:
    refusal = {"type": "error", "event_id": "event_1", "error": error}
    async with websocket_server(answering([refusal], answer(2, "two"))) as server, session(server.url) as one:
        await one.connected()
        await say(one, "first")
        await one.until(lambda: any("reports an error" in said for said in one.said), "the refusal")
        await say(one, "second")
        await one.until(lambda: "two" in one.said, "the answer")


async def test_what_is_answered_was_taken_although_no_item_confirms_it() -> None:
    async with websocket_server(answering(answer(1, "one"))) as server, session(server.url) as one:
        await one.connected()
        await say(one, "first")
        await one.until(
            lambda: [turn.state for turn in one.transcript] == [TurnState.DONE] * 2, "nothing is on its way"
        )


async def test_a_late_confirmation_finds_its_message() -> None:
    message = {"id": "user_1", "type": "message", "role": "user", "content": [{"type": "input_text", "text": "first"}]}
    late = {"type": "conversation.item.added", "event_id": "event_9", "item": message}
    async with websocket_server(answering([*answer(1, "one"), late])) as server, session(server.url) as one:
        await one.connected()
        await say(one, "first")
        await one.until(lambda: "user_1" in [turn.item_id for turn in one.transcript], "the confirmation")
        assert one.said == ["first", "one"]


async def test_an_updated_session_is_a_session() -> None:
    async def script(peer: Peer) -> None:
        await peer.until("session.update")
        await peer.send({"type": "session.updated", "event_id": "event_1", "session": SESSION})
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as one:
        await one.connected()
        assert one.status.session_id == "sess_1"
        assert one.status.started_s is not None


async def test_an_emoji_cut_in_two_is_whole_again() -> None:
    halves = answer(1, "a \ud83d", "\ude00 b")
    async with websocket_server(answering(halves)) as server, session(server.url) as one:
        await one.connected()
        await say(one, "first")
        await one.until(lambda: "a 😀 b" in one.said, "the emoji")


async def test_a_key_that_the_server_echoes_is_not_shown() -> None:
    async def script(peer: Peer) -> None:
        error = {"type": "invalid_request_error", "code": "invalid_api_key", "message": f"Incorrect API key: {KEY}."}
        await peer.send(CREATED, {"type": "error", "event_id": "event_1", "error": error})
        await peer.connection.close(3000, f"invalid_api_key: {KEY}")

    async with websocket_server(script) as server, session(server.url) as one:
        cause = await one.cause()
        stars = "*" * len(KEY)
        assert cause.facts["reason"] == f"invalid_api_key: {stars}"
        assert any(f"Incorrect API key: {stars}." in said for said in one.said)
        echoed = one.entries(Direction.RECEIVED)[1].data
        assert json.loads(echoed)["error"]["message"] == f"Incorrect API key: {stars}."
    # session() has looked for the key in all that was delivered and logged


@pytest.mark.parametrize("key", ["EMPTY", "s3cret", "not-needed"])
async def test_a_short_key_that_the_server_echoes_is_not_shown_either(key: str) -> None:
    error = {"type": "invalid_request_error", "code": "invalid_api_key", "message": f"Incorrect API key: {key}."}

    async def script(peer: Peer) -> None:
        await peer.send(CREATED, {"type": "error", "event_id": "event_1", "error": error})
        await peer.connection.close(3000, f"invalid_api_key: {key}")

    async with websocket_server(script) as server, session(server.url, key=Secret(key)) as one:
        cause = await one.cause()
        assert cause.facts["reason"] == f"invalid_api_key: {'*' * len(key)}"
        await one.until(lambda: any("Incorrect API key" in said for said in one.said))
        assert key not in repr(one.batches) + repr(one.worker._shared.plan)
        assert all(key.encode() not in entry.data for entry in one.entries(Direction.RECEIVED))
    body = json.dumps({"error": error}).encode()
    async with http_server(http("401 Unauthorized", body)) as refusing, session(refusing.url, key=Secret(key)) as one:
        cause = await one.cause()
        assert "Incorrect API key" in cause.sentence
        assert key not in repr(one.batches)


async def test_a_refusal_that_echoes_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "tui")
    body = json.dumps({"error": {"code": "invalid_api_key", "message": f"bad {KEY}"}}).encode()
    for reply in (http("401 Unauthorized", body), f"HTTP/1.1 403 Forbidden\r\nx: {KEY}\x1b[31m\r\n\r\n".encode()):
        async with http_server(reply) as server, session(server.url) as one:
            await one.cause()
            assert one.status.link is Link.FAILED
    assert KEY not in caplog.text
