"""Frames on the wire and in the log: every one, exactly, whatever it holds; and what the SDK sends in our name."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from tests.support.servers import CREATED, SESSION, Peer, websocket_server
from tests.support.sessions import KEY, Running, session
from tests.unit.simulator.support import simulator
from tui.conversation import TurnState
from tui.session import Reconnect, SendText, UpdateSession
from tui.wire import Direction

ODD_FRAMES: dict[str, object] = {
    "an unknown type": {"type": "galaxy.exploded", "event_id": "e"},
    "a missing field": {"type": "response.output_text.delta"},
    "a session without sense": {"type": "session.updated", "session": 7},
    "broken JSON": '{"type":"response.done"',
    "null": "null",
    "an array": '["type"]',
    "a number": "12",
    "an object without a type": "{}",
    "a type that is no string": '{"type":[]}',
    "an empty frame": "",
    "audio that is not base64": {"type": "response.output_audio.delta", "item_id": "i", "delta": "***"},
    "audio that is not ASCII": {"type": "response.output_audio.delta", "item_id": "i", "delta": "é"},
    "audio without ids": {"type": "response.output_audio.delta", "delta": "AAAA"},
    "audio with wrong ids": {"type": "response.output_audio.delta", "item_id": [], "response_id": {}, "delta": "AAAA"},
    "invalid UTF-8": b'{"type":"x","y":"\xff\xfe"}',
    "nested deeply": '{"type":"x","y":' + "[" * 5000 + "]" * 5000 + "}",
    "nested as deeply as JSON may be": '{"type":"x","y":' + "[" * 800 + "]" * 800 + "}",
    "a lone surrogate": '{"type":"response.output_text.delta","item_id":"i","delta":"\\ud800"}',
    "control characters": '{"type":"x\\u001b[31m","y":"\\u0000"}',
    "a number of too many digits": '{"type":"x","y":' + "1" * 5000 + "}",
    "response.done of nothing": {"type": "response.done", "response": {"id": "r", "status": [], "usage": "none"}},
    "response.created of nothing": {"type": "response.created"},
    "an error without an id": {"type": "error", "error": {"message": "no"}},
    "an error that is a string": {"type": "error", "error": "no"},
    "a second session.created": CREATED,
    "an item of no kind": {"type": "conversation.item.added", "item": {"id": 3, "type": {}, "role": []}},
}


async def alive(running: Running, peer: Peer, mark: str) -> None:
    """What comes after an odd frame is still read, by us and by the SDK."""
    await peer.send({"type": "conversation.item.added", "item": {"id": mark, "type": "message", "role": "system"}})
    await running.until(lambda: any(turn.item_id == mark for turn in running.transcript), f"{mark} is read")


@pytest.mark.parametrize("frame", ODD_FRAMES.values(), ids=ODD_FRAMES.keys())
async def test_an_odd_frame_is_kept_and_costs_nothing(frame: object) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        await peer.send(frame)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        (peer,) = server.peers
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 2)
        await alive(running, peer, "after")
        # The SDK is alive as long as it takes a message and asks for an answer.
        if frame not in (ODD_FRAMES["response.created of nothing"],):
            running.worker.submit(SendText("Still there?"))
            await running.until(lambda: running.types(Direction.SENT)[-1] == "response.create")
        await running.assert_same_as(peer)


async def test_a_binary_frame_is_kept_from_the_sdk() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(b"\x00\xff" * 100, text=False)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 2)
        await alive(running, server.peers[0], "after")
        entry = running.entries(Direction.RECEIVED)[1]
        assert (entry.binary, entry.alarm, entry.data) == (True, True, b"\x00\xff" * 100)
        assert "kept from the SDK" in entry.note


async def test_frames_that_the_sdk_cannot_read_say_so() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED, '{"type":', {"type": "galaxy.exploded"})
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 3)
        await running.until(lambda: running.log.entry(running.entries(Direction.RECEIVED)[2].index).note)
        _, broken, unknown = running.entries(Direction.RECEIVED)
        assert (broken.alarm, broken.note) == (True, "not JSON: expecting value at character 8; kept from the SDK")
        assert (unknown.alarm, unknown.note[:20]) == (False, "not known to the SDK")


async def test_a_message_larger_than_the_sdk_would_take() -> None:
    large = json.dumps({"type": "galaxy.exploded", "pieces": "x" * (9 * 1024 * 1024)})

    async def script(peer: Peer) -> None:
        await peer.send(CREATED, large)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 2)
        await alive(running, server.peers[0], "after")
        await running.assert_same_as(server.peers[0])


async def test_messages_in_pieces() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        whole = json.dumps({"type": "galaxy.exploded", "name": "Milchstraße"}).encode()
        peer.sent.append(whole)
        await peer.connection.send([whole[:7], whole[7:30], whole[30:]], text=True)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 2)
        await alive(running, server.peers[0], "after")
        await running.assert_same_as(server.peers[0])


async def test_nothing_is_lost_before_a_break() -> None:
    async def script(peer: Peer) -> None:
        await peer.receive()
        deltas = [
            {"type": "response.output_text.delta", "response_id": "r", "item_id": "i", "delta": f"{number} "}
            for number in range(2000)
        ]
        await peer.send(CREATED, {"type": "response.created", "response": {"id": "r"}}, *deltas)
        await peer.connection.close(1011)

    async with websocket_server(script) as server, session(server.url) as running:
        assert (await running.cause()).name == "closed-1011"
        await running.assert_same_as(*server.peers)
    (turn,) = [turn for turn in running.transcript if turn.item_id == "i"]
    assert turn.text.split() == [str(number) for number in range(2000)]
    assert (turn.state, turn.note) == (TurnState.FAILED, "cut off: the connection ended")


async def test_what_is_sent() -> None:
    async with simulator() as sim:
        async with session(sim.url("my-deployment"), transcription_model="whisper-1") as running:
            await running.connected()
            await running.until(lambda: "session.updated" in running.types(Direction.RECEIVED))
            running.worker.submit(SendText("Hello"))
            await running.until(lambda: len(running.said) == 2)
            await running.idle()
        (log,) = sim.sessions
        update, item, create = (json.loads(frame) for frame in log.received)
    assert (update["type"], item["type"], create["type"]) == (
        "session.update",
        "conversation.item.create",
        "response.create",
    )
    sent = update["session"]
    assert sent["type"] == "realtime"
    assert sent["model"] == "my-deployment", "not the SDK's own model"
    assert "tracing" not in sent
    assert sent["instructions"] == "Be brief."
    assert sent["output_modalities"] == ["text"]
    assert sent["audio"]["input"]["transcription"] == {"model": "whisper-1"}
    assert sent["audio"]["input"]["turn_detection"]["type"] == "semantic_vad"
    assert sent["audio"]["output"]["voice"] == "ash"
    assert item["item"]["content"] == [{"type": "input_text", "text": "Hello"}]


async def test_a_url_without_a_model_leaves_it_to_the_server() -> None:
    named = {**CREATED, "session": {**SESSION, "model": "local-voice-7b"}}
    updates: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.send(named)
        updates.append(await peer.until("session.update"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url.partition("?")[0]) as running:
        await running.connected()
        await running.until(lambda: updates, "the settings have come")
        assert running.status.model == "local-voice-7b", "the model that the server names is shown"
    assert "model" not in updates[0]["session"]
    assert updates[0]["session"]["instructions"] == "Be brief.", "the rest is there"


async def test_no_transcription_and_no_turn_detection() -> None:
    async with simulator() as sim:
        async with session(sim.url(), turn_detection="none", modality="audio") as running:
            await running.connected()
        sent = json.loads(sim.sessions[0].received[0])["session"]
    assert sent["audio"]["input"].get("transcription") is None
    assert sent["audio"]["input"]["turn_detection"] is None
    assert sent["output_modalities"] == ["audio"]


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [("/openai/v1/realtime", "api-key", KEY), ("/v1/realtime", "authorization", f"Bearer {KEY}")],
)
async def test_the_header_that_carries_the_key(path: str, header: str, value: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url.replace("/v1/realtime", path)) as running:
        await running.connected()
    (headers,) = server.headers
    assert headers[header] == value
    assert not {"api-key", "authorization"} - {header} & headers.keys()
    assert [name for name, given in headers.items() if KEY in given] == [header]
    assert headers["user-agent"].startswith("azrt-tui/")


async def test_a_change_of_the_session_is_sent_now_and_after_a_reconnect() -> None:
    async with simulator() as sim:
        async with session(sim.url()) as running:
            await running.connected()
            running.worker.submit(UpdateSession({"output_modalities": ["audio"]}))
            await running.until(lambda: running.status.modality == "audio")
            running.worker.submit(Reconnect())
            await running.until(lambda: len(sim.sessions) == 2 and len(sim.sessions[1].received) == 2)
            await running.until(lambda: running.status.modality == "audio")
        first, second = (json.loads(log.received[-1]) for log in sim.sessions)
    assert (
        first == second == {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["audio"]}}
    )


async def test_a_refused_change_is_visible() -> None:
    async with simulator() as sim, session(sim.url()) as running:
        await running.connected()
        running.worker.submit(UpdateSession({"output_modalities": ["smell"]}))
        await running.until(lambda: any(said.startswith("The server refused a setting: ") for said in running.said))
        assert any(entry.alarm and entry.type == "error" for entry in running.entries(Direction.RECEIVED))
        # ... and the session goes on.
        running.worker.submit(SendText("Which keys are there?"))
        await running.until(lambda: len(running.said) == 3 and running.transcript[-1].state is TurnState.DONE)


async def test_audio_of_a_response_is_counted_and_not_touched() -> None:
    pcm = bytes(range(256)) * 10
    delta = base64.b64encode(pcm).decode()
    ids = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}

    async def script(peer: Peer) -> None:
        await peer.send(CREATED, {"type": "response.created", "response": {"id": "r", "object": "realtime.response"}})
        await peer.send(*({"type": "response.output_audio.delta", **ids, "delta": delta} for _ in range(5)))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.until(lambda: len(running.entries(Direction.RECEIVED)) == 7)
        last = running.entries(Direction.RECEIVED)[-1]
        row = running.log.row(running.log.row_of(last.index))
        assert (row.count, row.audio, row.alarm) == (5, 5 * len(pcm), False)
        await running.assert_same_as(*server.peers)


async def test_a_frame_that_cannot_go_out_any_more_says_so() -> None:
    closed = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send({**CREATED, "session": {**SESSION}})
        await peer.receive()
        await closed.wait()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()
        connection = running.worker._shared.connection
        assert connection is not None
        websocket = connection._model.connection
        assert websocket is not None

        def end_and_send() -> None:
            # In one go, so that nothing notices in between.
            websocket.transport.abort()
            running.worker._commands.put_nowait(SendText("too late"))

        running.worker._loop.call_soon_threadsafe(end_and_send)
        assert (await running.cause()).name == "closed-1006"
        await running.until(lambda: any(entry.note.startswith("not sent") for entry in running.entries(Direction.SENT)))
        await running.until(lambda: running.status.queued == 1, "it waits for the next session")
        closed.set()
    (turn,) = [turn for turn in running.transcript if turn.text == "too late"]
    assert turn.state is TurnState.QUEUED
