"""The relay between real clients and real servers, over real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from tests.support.certificates import Authority
from tests.support.relays import OUR_KEY, Running, relay, until
from tests.support.servers import CREATED, DEADLINE_S, Peer, http, http_server, websocket_server
from tests.support.sessions import KEY, session
from tests.unit.simulator.support import Client, simulator
from tui.session import SendText
from tui.session.plan import Timeouts
from tui.session.recorder import Recorder
from tui.settings import SettingsError, load_settings
from tui.watch import Address, RelayPlan
from tui.wire import Direction

SOON_S = 0.3
"""How long a test waits for what must not come."""


async def idle(peer: Peer) -> None:
    """A server that says hello and listens."""
    await peer.send(CREATED)
    await peer.drain()


# Clients


async def test_the_sdk_talks_through_it_and_every_frame_is_on_record_as_both_ends_have_it() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        async with session(watched.url()) as running:
            await running.connected()
            running.worker.submit(SendText("hello"))
            await running.until(lambda: any("I am the simulator" in text for text in running.said))
            await running.idle()
            (seen,) = watched.sessions
            (log,) = sim.sessions
            sent = [entry.data for entry in running.entries(Direction.SENT)]
            await until(lambda: len(seen.frames(Direction.SENT)) == len(sent) == len(log.received))
            assert seen.frames(Direction.SENT) == sent == [str(data).encode() for data in log.received]
            received = [entry.data for entry in running.entries(Direction.RECEIVED)]
            assert seen.frames(Direction.RECEIVED) == received == [str(data).encode() for data in log.sent]
            await until(lambda: "hello" in seen.said)
            assert any(text.startswith("Hello, I am the simulator") for text in seen.said)
            assert seen.status.watched
            assert seen.status.model == "gpt-realtime"
            assert seen.session.client.startswith("azrt-tui/")
        assert (await seen.cause()).name == "client-closed"


async def test_the_openai_client_talks_through_it() -> None:
    async with simulator(require_key="sk-mine") as sim, relay(sim.url()) as watched:
        async with (
            AsyncOpenAI(api_key="sk-mine", base_url=watched.url("/v1").replace("ws:", "http:")) as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            content: Any = [{"type": "input_text", "text": "hello"}]
            await connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    assert event.response.status == "completed"
                    break
        (seen,) = watched.sessions
        assert (await seen.cause()).name == "client-closed"
        assert "hello" in seen.said
        assert not any(b"sk-mine" in frame for direction in Direction for frame in seen.frames(direction))


async def test_many_sessions_at_once_are_kept_apart() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:

        async def talk(name: str) -> str:
            async with connect(watched.url(f"/v1/realtime?model={name}")) as connection:
                response = await Client(connection).ask(f"hello from {name}", output_modalities=["text"])
                return str(response["status"])

        names = [f"model-{number}" for number in range(8)]
        assert await asyncio.gather(*map(talk, names)) == ["completed"] * 8
        assert sorted(seen.session.model for seen in watched.sessions) == names
        assert sorted(seen.session.number for seen in watched.sessions) == list(range(1, 9))
        for seen in watched.sessions:
            await seen.cause()
            assert f"hello from {seen.session.model}" in seen.said
            assert sum(text.startswith("hello from") for text in seen.said) == 1


# Frames


FRAMES: list[tuple[bytes, bool]] = [
    (b'{"type":"x"}', True),
    (b"", True),
    (b"null", True),
    ('{"type":"\u00fc\u2713","text":"\x1b[31m"}'.encode(), True),
    (b'{"type":"\xff\xfe"}', True),
    (b"\x00\x01\xff", False),
    (b"", False),
    (b'{"type":"session.update","session":' + b"[" * 100_000 + b"]" * 100_000 + b"}", True),
    (b'{"type":"error","error":{"code":1e999,"param":%s}}' % (b"9" * 5_000), True),
    (b'{"type":"response.output_audio.delta","delta":"%%%"}', True),
    (b'{"type":"conversation.item.added","item":{"id":"\\ud800"},"item":7}', True),
    (b"x" * (8 * 1024 * 1024), True),
]


async def test_every_kind_of_frame_arrives_as_it_was_sent_both_ways() -> None:
    async def echo(peer: Peer) -> None:
        for _ in FRAMES:
            data = await peer.connection.recv(decode=False)
            peer.received.append(data)
        for data, text in FRAMES:
            await peer.send(data, text=text)
        await peer.drain()

    async with websocket_server(echo) as server, relay(server.url) as watched:
        async with connect(watched.url(), max_size=None, compression=None) as connection:
            for data, text in FRAMES:
                await connection.send(data, text=text)
            for data, text in FRAMES:
                async with asyncio.timeout(DEADLINE_S):
                    fragments = [part async for part in connection.recv_streaming(decode=False)]
                assert b"".join(fragments) == data, text
        assert server.peers[0].received == [data for data, _ in FRAMES]
        (seen,) = watched.sessions
        await seen.cause()
        assert seen.frames(Direction.SENT) == seen.frames(Direction.RECEIVED) == [data for data, _ in FRAMES]
        notes = {entry.note for entry in map(seen.session.log.entry, range(len(seen.session.log)))}
        assert "a binary frame, which the Realtime API does not use; passed on as it is" in notes


async def test_a_session_goes_on_when_it_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(Recorder, "received", broken)
    monkeypatch.setattr(Recorder, "sent", broken)
    async with simulator() as sim, relay(sim.url()) as watched, connect(watched.url()) as connection:
        assert (await Client(connection).ask("hello", output_modalities=["text"]))["status"] == "completed"


async def test_text_stays_text_binary_binary_and_fragments_fragments() -> None:
    parts = ['{"type":', '"some', 'thing"}']
    came: list[list[Any]] = []

    async def serve(peer: Peer) -> None:
        while len(came) < 3:
            came.append([part async for part in peer.connection.recv_streaming()])
        await peer.connection.send(parts)
        await peer.connection.send([b"\x00", b"\x01"])
        await peer.drain()

    async with websocket_server(serve) as server, relay(server.url) as watched, connect(watched.url()) as connection:
        await connection.send("text")
        await connection.send(b"binary")
        await connection.send(parts)
        # The library ends a message in fragments with an empty one.
        assert [part async for part in connection.recv_streaming()] == [*parts, ""]
        assert [part async for part in connection.recv_streaming()] == [b"\x00", b"\x01", b""]
        assert came == [["text"], [b"binary"], [*parts, ""]]
        (seen,) = watched.sessions
        await until(lambda: len(seen.frames(Direction.RECEIVED)) == 2)
        assert seen.frames(Direction.SENT) == [b"text", b"binary", "".join(parts).encode()]
        assert seen.frames(Direction.RECEIVED) == ["".join(parts).encode(), b"\x00\x01"]


MANY = 200
"""MiB, more than the kernel keeps of two connections: with the buffers that Linux allows, 72."""


async def test_a_service_that_does_not_read_holds_the_client_up_and_loses_nothing() -> None:
    reading = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await reading.wait()
        await peer.drain()

    async with websocket_server(serve) as server, relay(server.url) as watched, connect(watched.url()) as connection:
        begun = 0
        try:
            with pytest.raises(TimeoutError):
                while begun < MANY:
                    begun += 1
                    await asyncio.wait_for(connection.send(bytes([begun]) * (1 << 20)), SOON_S)
        finally:
            reading.set()
        await connection.close()
        await (await watched.session()).cause()
        # The message that was held up is on its way too: giving up waiting does not take it back.
        assert [(data[0], len(data)) for data in server.peers[0].received] == [
            (n, 1 << 20) for n in range(1, begun + 1)
        ]


async def test_a_client_that_does_not_read_holds_the_service_up_and_loses_nothing() -> None:
    stalled = asyncio.Event()
    sent: list[int] = []

    async def serve(peer: Peer) -> None:
        try:
            while len(sent) < MANY:
                await asyncio.wait_for(peer.connection.send(bytes([len(sent)]) * (1 << 20)), SOON_S)
                sent.append(1)
        except TimeoutError:
            stalled.set()
        await peer.connection.close(1000)

    async with websocket_server(serve) as server, relay(server.url) as watched:
        connection = await connect(watched.url(), max_queue=1, max_size=None)
        async with asyncio.timeout(DEADLINE_S):
            await stalled.wait()
        numbers: list[int] = []
        with pytest.raises(ConnectionClosed):
            while True:
                numbers.append((await connection.recv())[0])  # type: ignore[arg-type]
        assert numbers[: len(sent)] == list(range(len(sent)))


# How it begins


async def headers_at(server_path: str, client_path: str, **options: Any) -> tuple[str, dict[str, str], Running]:
    """What the service gets of a request: its path, and its headers."""
    paths: list[str] = []

    async def note(peer: Peer) -> None:
        assert peer.connection.request is not None
        paths.append(peer.connection.request.path)
        await idle(peer)

    headers = options.pop("headers", {})
    async with websocket_server(note) as server:
        async with (
            relay(server.url.partition("/v1")[0] + server_path, **options) as watched,
            connect(watched.url(client_path), additional_headers=headers) as connection,
        ):
            assert await connection.recv()
        return paths[0], server.headers[0], watched


@pytest.mark.parametrize(
    ("service", "client", "asked"),
    [
        (
            "/openai/v1/realtime?model=dep",
            "/openai/v1/realtime?model=mine&x=a%20b",
            "/openai/v1/realtime?model=mine&x=a%20b",
        ),
        ("/openai/v1/realtime?model=dep", "/v1/realtime?model=mine", "/openai/v1/realtime?model=mine"),
        ("/openai/v1/realtime?model=dep", "/", "/openai/v1/realtime?model=dep"),
        ("/openai/v1/realtime?model=dep", "/realtime", "/openai/v1/realtime?model=dep"),
        ("/v1/realtime?model=dep", "/v1/realtime?call_id=rtc_1", "/v1/realtime?call_id=rtc_1"),
        (
            "/openai/v1/realtime?model=dep",
            "/openai/realtime?api-version=2025-04-01-preview&deployment=d",
            "/openai/realtime?api-version=2025-04-01-preview&deployment=d",
        ),
        # Only Realtime gets a model, where the client names none.
        ("/openai/v1/realtime?model=dep", "/openai/v1/realtime", "/openai/v1/realtime?model=dep"),
        ("/openai/v1/realtime?model=a%20b", "/openai/v1/realtime?x=1", "/openai/v1/realtime?x=1&model=a%20b"),
        ("/v1/realtime?model=dep", "/openai/v1/realtime?MODEL=mine", "/openai/v1/realtime?MODEL=mine"),
        ("/openai/v1/realtime?model=dep", "/v1/realtime?call_id=rtc_1", "/openai/v1/realtime?call_id=rtc_1"),
        (
            "/openai/v1/realtime?model=dep",
            "/openai/v1/realtime?intent=transcription",
            "/openai/v1/realtime?intent=transcription",
        ),
        ("/openai/v1/realtime?model=dep", "/openai/realtime", "/openai/realtime"),
        ("/v1/realtime/translations?model=dep", "/v1/realtime/translations", "/v1/realtime/translations?model=dep"),
        # A target of another kind.
        ("/v1/live/sessions", "/", "/v1/live/sessions"),
        ("/v1/live/sessions?model=old", "/openai/v1/realtime?x=1", "/openai/v1/realtime?x=1"),
        ("/voice-live/realtime?api-version=1&model=dep", "/", "/voice-live/realtime?api-version=1&model=dep"),
    ],
)
async def test_path_and_query_are_the_clients(service: str, client: str, asked: str) -> None:
    assert (await headers_at(service, client))[0] == asked


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/openai/v1/live/sessions", "Live"),
        ("/v1/live/sessions", "Live"),
        ("/v1/live", "Live"),
        ("/v1/live/sessions/live_1/attach?graceful_close=true", "Live, attached"),
        ("/v1/live/sessions/live_1/fork", "Live, continued"),
        ("/openai/v1/realtime?call_id=rtc_1", "call of another client"),
        ("/openai/v1/realtime?intent=transcription", "transcription"),
        ("/openai/v1/realtime/translations", "translation"),
        ("/v1/realtime/translations?model=m", "translation"),
        ("/voice-live/realtime?api-version=1&agent-name=a&agent-project-name=p", "Voice Live"),
        ("/api/projects/p/agents/a/endpoint/protocols/voice?foundry_features=x", "Foundry voice agent"),
        ("/api/projects/p/agents/a/endpoint/protocols/voice/live/sessions", "Foundry voice agent, Live"),
        ("/team/v1/live/sessions", "Live"),
        ("/somewhere/else", ""),
    ],
)
async def test_every_kind_passes_unchanged_and_is_named(path: str, kind: str) -> None:
    asked, _, watched = await headers_at("/openai/v1/realtime?model=dep", path)
    assert asked == path
    (seen,) = watched.sessions
    assert seen.status.kind == kind
    model = "m" if "model=m" in path else ""
    assert seen.session.name == f"{kind} {model}".strip()


async def test_headers_are_the_clients_but_for_those_of_the_connection() -> None:
    mine = {"OpenAI-Beta": "realtime=v1", "OpenAI-Project": "p", "X-Mine": "1", "User-Agent": "mine/1"}
    _, headers, _ = await headers_at("/v1/realtime", "/v1/realtime?model=m", headers=mine)
    assert {name.lower(): value for name, value in mine.items()}.items() <= headers.items()
    assert "permessage-deflate" not in headers.get("sec-websocket-extensions", "")
    assert not {"authorization", "api-key"} & set(headers)


THEIRS = {"Authorization": "Bearer sk-theirs-0123456789"}


@pytest.mark.parametrize(
    ("credentials", "given", "expected"),
    [
        ("auto", THEIRS, THEIRS["Authorization"]),
        ("auto", {}, f"Bearer {OUR_KEY}"),
        ("client", THEIRS, THEIRS["Authorization"]),
        ("client", {}, None),
        ("settings", THEIRS, f"Bearer {OUR_KEY}"),
        ("settings", {"api-key": "theirs"}, f"Bearer {OUR_KEY}"),
    ],
)
async def test_whose_key_goes_to_the_service(credentials: Any, given: dict[str, str], expected: str | None) -> None:
    options = {"credentials": credentials, "key": OUR_KEY, "headers": given}
    _, headers, _ = await headers_at("/v1/realtime", "/v1/realtime?model=m", **options)
    assert headers.get("authorization") == expected
    assert headers.get("api-key") is None


async def test_a_key_in_the_query_goes_on_and_is_not_shown() -> None:
    path, _, watched = await headers_at("/v1/realtime", "/v1/realtime?model=m&api-key=s3cr3t-theirs", key=OUR_KEY)
    assert path == "/v1/realtime?model=m&api-key=s3cr3t-theirs"
    assert not any(b"s3cr3t" in frame for frame in watched.sessions[0].frames(Direction.LOCAL))
    path, headers, _ = await headers_at(
        "/v1/realtime", "/v1/realtime?model=m&api-key=s3cr3t-theirs", key=OUR_KEY, credentials="settings"
    )
    assert path == "/v1/realtime?model=m"
    assert headers["authorization"] == f"Bearer {OUR_KEY}"


@pytest.mark.parametrize("credentials", ["auto", "settings"])
async def test_a_browsers_subprotocols(credentials: Any) -> None:
    offered = [Subprotocol("realtime"), Subprotocol("openai-insecure-api-key.sk-theirs"), Subprotocol("openai-beta.v1")]
    seen: list[str] = []

    async def serve(peer: Peer) -> None:
        assert peer.connection.request is not None
        seen.append(peer.connection.request.headers["Sec-WebSocket-Protocol"])
        await idle(peer)

    async with websocket_server(serve, subprotocols=[Subprotocol("realtime")]) as server:
        async with (
            relay(server.url, key=OUR_KEY, credentials=credentials) as watched,
            connect(watched.url(), subprotocols=offered, origin=Origin("http://localhost:3000")) as connection,
        ):
            assert connection.subprotocol == "realtime"
        assert ("sk-theirs" in seen[0]) == (credentials == "auto")
        assert ("authorization" in server.headers[0]) == (credentials == "settings")
        assert not any(b"sk-theirs" in frame for d in Direction for frame in watched.sessions[0].frames(d))


async def test_a_web_page_from_elsewhere_is_refused() -> None:
    async with websocket_server(idle) as server, relay(server.url, key=OUR_KEY) as watched:
        for origin in ("https://evil.example", "null", "http://["):
            with pytest.raises(InvalidStatus) as caught:
                await connect(watched.url(), origin=Origin(origin))
            assert caught.value.response.status_code == 403
            assert json.loads(caught.value.response.body)["error"]["code"] == "origin"
        assert not server.peers
        assert not watched.sessions
    async with (
        websocket_server(idle) as server,
        relay(server.url, allowed_origins=("https://mine.example",)) as watched,
        connect(watched.url(), origin=Origin("https://mine.example")) as connection,
    ):
        assert await connection.recv()


async def test_what_the_service_says_in_its_answer_reaches_the_client() -> None:
    async with simulator() as sim, relay(sim.url()) as watched, connect(watched.url()) as connection:
        assert connection.response is not None
        assert len(connection.response.headers.get_all("apim-request-id")) == 1
        assert connection.response.headers["x-ms-region"] == "Simulator"
        assert len(connection.response.headers.get_all("Date")) == 1


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("http-401", 401),
        ("http-403", 403),
        ("http-404", 404),
        ("http-429", 429),
        ("http-502", 502),
        ("http-503", 503),
        ("not-websocket", 200),
    ],
)
async def test_a_refusal_is_passed_on_whole(fault: str, status: int) -> None:
    async with simulator(faults=[fault]) as sim:
        with pytest.raises(InvalidStatus) as direct:
            await connect(sim.url())
        async with relay(sim.url()) as watched:
            with pytest.raises(InvalidStatus) as through:
                await connect(watched.url())
            (seen,) = watched.sessions
            assert (await seen.cause()).facts["status"] == str(status)
        one, other = direct.value.response, through.value.response
        assert (other.status_code, other.reason_phrase, other.body) == (status, one.reason_phrase, one.body)
        for name in ("Content-Type", "Retry-After"):
            assert other.headers.get(name) == one.headers.get(name)
        assert ("apim-request-id" in other.headers) == ("apim-request-id" in one.headers)


async def test_a_refusal_that_quotes_our_key_does_not_give_it_away() -> None:
    body = f'{{"error":{{"code":"401","message":"wrong key {OUR_KEY}"}}}}'.encode()
    async with http_server(http("401 Unauthorized", body)) as server, relay(server.url, key=OUR_KEY) as watched:
        with pytest.raises(InvalidStatus) as caught:
            await connect(watched.url())
        assert caught.value.response.status_code == 401
        assert OUR_KEY.encode() not in caught.value.response.body
        assert len(caught.value.response.body) == len(body)


async def test_a_frame_that_quotes_our_key_does_not_give_it_away() -> None:
    async def quote(peer: Peer) -> None:
        await peer.send({"type": "error", "error": {"message": f"wrong key {OUR_KEY}"}})
        await peer.drain()

    async with (
        websocket_server(quote) as server,
        relay(server.url, key=OUR_KEY) as watched,
        connect(watched.url()) as connection,
    ):
        assert json.loads(await connection.recv())["error"]["message"] == "wrong key " + "*" * len(OUR_KEY)


async def test_a_service_that_cannot_be_reached_is_told_in_the_services_form() -> None:
    authority = Authority()
    async with simulator(tls=authority.expired()) as sim:
        for name, url in {"refused": "ws://127.0.0.1:1/v1/realtime", "tls-untrusted": sim.url()}.items():
            async with relay(url, key=OUR_KEY) as watched:
                with pytest.raises(InvalidStatus) as caught:
                    await connect(watched.url())
                assert caught.value.response.status_code == 502
                error = json.loads(caught.value.response.body)["error"]
                assert error["code"] == name
                assert error["message"].startswith("azrt-tui watch: ")
                assert (await watched.sessions[0].cause()).name == name


async def test_a_private_authority_is_trusted_by_its_file(tmp_path: Path) -> None:
    authority = Authority()
    async with (
        simulator(tls=authority.good()) as sim,
        relay(sim.url(), ca_file=authority.write(tmp_path)) as watched,
        connect(watched.url()) as connection,
    ):
        assert json.loads(await connection.recv())["type"] == "session.created"


async def test_no_key_follows_a_redirect_to_another_origin() -> None:
    told: list[str] = []
    async with simulator(faults=["redirect"], narrate=told.append) as sim, relay(sim.url(), key=OUR_KEY) as watched:
        with pytest.raises(InvalidStatus) as caught:
            await connect(watched.url())
        assert json.loads(caught.value.response.body)["error"]["code"] == "redirect"
        assert not any("followed" in line for line in told)


async def test_a_client_that_does_not_wait_leaves_nothing_behind() -> None:
    async with simulator(faults=["no-http"]) as sim, relay(sim.url()) as watched:
        with pytest.raises(TimeoutError):
            await connect(watched.url(), open_timeout=SOON_S)
        assert (await watched.sessions[0].cause()).name == "client-gone"


async def test_a_page_request_is_told_what_this_is() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        host, port = watched.relay.url.removeprefix("ws://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 426 Upgrade Required")
        writer.close()
        assert not watched.sessions


# How it ends


CLOSES = [(1000, ""), (1001, "going"), (1008, "a rule"), (1011, "\u00fc"), (3000, "x" * 123), (4000, "y")]


@pytest.mark.parametrize(("code", "reason"), CLOSES)
async def test_a_close_is_passed_on_both_ways(code: int, reason: str) -> None:
    async def close(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.connection.close(code, reason)

    async with websocket_server(close) as server, relay(server.url) as watched, connect(watched.url()) as connection:
        assert json.loads(await connection.recv()) == CREATED
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert (connection.close_code, connection.close_reason) == (code, reason)
        cause = await (await watched.session()).cause()
        assert cause.facts["close code"] == str(code)
    async with websocket_server(idle) as server, relay(server.url) as watched:
        async with connect(watched.url()) as connection:
            await connection.recv()
            await connection.close(code, reason)
        (seen,) = watched.sessions
        assert (await seen.cause()).name == "client-closed"
        (peer,) = server.peers
        assert (peer.connection.close_code, peer.connection.close_reason) == (code, reason)


async def test_a_close_without_a_code_is_passed_on_so() -> None:
    async def close(peer: Peer) -> None:
        peer.connection.protocol.send_close()
        peer.connection.send_data()
        await peer.connection.wait_closed()

    async with websocket_server(close) as server, relay(server.url) as watched, connect(watched.url()) as connection:
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 1005


async def test_a_loss_is_a_loss_on_the_other_side_too() -> None:
    async def lose(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        await peer.lose()

    async with websocket_server(lose) as server, relay(server.url) as watched, connect(watched.url()) as connection:
        await connection.recv()
        await connection.send('{"type":"x"}')
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv()
        assert caught.value.rcvd is None
        assert (await (await watched.session()).cause()).name == "closed-1006"
    async with websocket_server(idle) as server, relay(server.url) as watched:
        async with connect(watched.url()) as connection:
            await connection.recv()
            connection.transport.abort()
        await until(lambda: server.peers[0].connection.close_code == 1006)
        assert (await (await watched.session()).cause()).name == "client-lost"


async def test_a_service_that_ends_at_once_is_still_heard() -> None:
    async with simulator(faults=["beta-disabled"]) as sim, relay(sim.url()) as watched:
        async with connect(watched.url()) as connection:
            assert json.loads(await connection.recv())["error"]["code"] == "beta_api_shape_disabled"
            with pytest.raises(ConnectionClosed):
                await connection.recv()
            assert connection.close_code == 4000
        assert (await watched.sessions[0].cause()).name == "beta-api"


async def test_a_service_that_dies_silently_is_noticed() -> None:
    timeouts = Timeouts(ping_s=SOON_S, close_s=SOON_S)
    async with simulator(faults=["dead"]) as sim, relay(sim.url(), timeouts=timeouts) as watched:
        async with connect(watched.url()) as connection:
            with pytest.raises(ConnectionClosed):
                await Client(connection).ask("hello")
            assert (connection.close_code, connection.close_reason) == (1011, "keepalive ping timeout")
        assert (await watched.sessions[0].cause()).name == "silent"


async def test_a_service_that_breaks_the_protocol_ends_both() -> None:
    async with simulator(faults=["protocol-error"]) as sim, relay(sim.url()) as watched:
        async with connect(watched.url()) as connection:
            with pytest.raises(ConnectionClosed):
                await Client(connection).ask("hello")
            assert connection.close_code == 1002
        assert (await watched.sessions[0].cause()).name == "not-websocket"


async def test_stopping_says_goodbye_to_both_sides() -> None:
    async with websocket_server(idle) as server:
        async with relay(server.url) as watched:
            connection = await connect(watched.url())
            await connection.recv()
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_code == 1001
        await until(lambda: server.peers[0].connection.close_code == 1001)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("azrt-")]


async def test_stopping_does_not_wait_for_a_client_that_does_not_read() -> None:
    async def flood(peer: Peer) -> None:
        while True:
            await peer.connection.send(b"x" * (1 << 20))

    async with websocket_server(flood) as server, relay(server.url) as watched:
        connection = await connect(watched.url(), max_queue=1, max_size=None)
        seen = await watched.session()
        await until(lambda: len(seen.session.log) > 3)
    connection.transport.abort()


# What it is made of


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8765", "127.0.0.1", 8765),
        ("8765", "127.0.0.1", 8765),
        ("localhost:0", "localhost", 0),
        ("[::1]:80", "::1", 80),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize("text", ["", ":", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":80", "[::1]", "a:\u0664"])
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:8765"):
        Address.parse(text)


def test_other_machines_only_when_told() -> None:
    for host in ("0.0.0.0", "192.168.1.5", "[::]"):
        with pytest.raises(ValueError, match="--expose"):
            Address.parse(f"{host}:80")
        assert Address.parse(f"{host}:80", exposed=True).port == 80


def test_what_the_settings_come_to(tmp_path: Path) -> None:
    azure = load_settings(
        {},
        environ={
            "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com",
            "AZURE_OPENAI_DEPLOYMENT": "dep",
            "AZURE_OPENAI_API_KEY": KEY,
        },
        cwd=tmp_path,
        config_file=tmp_path / "config.toml",
        state_file=tmp_path / "state",
    ).settings
    listen = Address("127.0.0.1", 0)
    plan = RelayPlan.from_settings(azure, listen)
    assert plan.target.url == "wss://acme.openai.azure.com/openai/v1/realtime?model=dep"
    assert plan.credentials == "auto"
    assert plan.sign_in.masked(f"a {KEY}") == "a " + "*" * len(KEY)
    other = RelayPlan.from_settings(azure, listen, to="wss://api.openai.com/v1/realtime?model=m")
    assert other.target.host == "api.openai.com"
    assert other.credentials == "client"  # the key of one vendor is nothing for the other
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        RelayPlan.from_settings(azure, listen, to="wss://api.openai.com/v1/realtime", credentials="settings")
    assert KEY not in repr(plan)
    live = "wss://acme.services.ai.azure.com/openai/v1/live/sessions"
    for made in (
        RelayPlan.from_settings(azure, listen, to=live),
        RelayPlan.from_settings(replace(azure, endpoint=live), listen),
        RelayPlan.from_settings(replace(azure, url=live), listen),
    ):
        assert made.target.url == live
        assert made.credentials == "auto"
