"""Requests that come to no session: each is answered, reported, and opens nothing at the service."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from tests.support.relays import Running, relay
from tests.support.servers import DEADLINE_S
from tests.unit.simulator.support import simulator
from tui.settings import load_settings
from tui.watch import Address, RelayPlan

KEY = "eZWkxxVlwvap82nkzsiNdg=="


def upgrade(*headers: str, version: int = 13, key: str = KEY) -> bytes:
    """A request for a WebSocket."""
    lines = [
        "GET /v1/realtime?model=m HTTP/1.1",
        *("Host: x", "Connection: Upgrade", "Upgrade: websocket"),
        f"Sec-WebSocket-Version: {version}",
        f"Sec-WebSocket-Key: {key}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


ODD: dict[str, tuple[bytes, int, str]] = {
    "get": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 426, "takes WebSockets only"),
    "post": (b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", 405, "POST"),
    "post, later": (b"POST / HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000, 405, "POST"),
    "options": (b"OPTIONS /v1/realtime HTTP/1.1\r\nHost: x\r\n\r\n", 405, "OPTIONS"),
    "unknown": (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501, "BREW"),
    "http/1.0": (b"GET / HTTP/1.0\r\n\r\n", 426, "HTTP/1.0"),
    "body": (b"GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 426, "has no body"),
    "no http": (b"hello\r\n\r\n", 400, "no HTTP request"),
    "no header": (b"GET / HTTP/1.1\r\nno header\r\n\r\n", 400, "malformed header"),
    "long header": (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, "8192"),
    "version 8": (upgrade(version=8), 426, "version 8"),
    "bad key": (upgrade(key="none"), 400, "Sec-WebSocket-Key"),
    "protocols": (upgrade("Sec-WebSocket-Protocol: realtime, key.canary a b"), 400, "Sec-WebSocket-Protocol"),
    "two upgrades": (upgrade("Upgrade: h2c"), 426, "takes WebSockets only"),
    "two origins": (upgrade("Origin: http://localhost", "Origin: http://evil.example"), 400, "Origin"),
}


async def ask(port: int, data: bytes) -> bytes:
    """Send these bytes and return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(DEADLINE_S):
            return await reader.read()
    finally:
        writer.close()


def port_of(url: str) -> int:
    """The port in a URL."""
    return int(url.rpartition(":")[2].partition("/")[0])


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_request_is_answered_and_opens_nothing(name: str) -> None:
    request, status, sentence = ODD[name]
    async with simulator() as sim, relay(sim.url()) as watched:
        head, _, body = (await ask(port_of(watched.relay.url), request)).decode().partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ")
        message = json.loads(body)["error"]["message"]
        assert sentence in message
        assert "azrt-tui watch" in message
        assert f"Content-Length: {len(body)}" in head
        assert watched.refusals == [message]
        assert "canary" not in message
        assert ("Upgrade: websocket" in head) == (status == 426)
        assert ("Allow: GET" in head) == (status == 405)
        assert ("Sec-WebSocket-Version: 13" in head) == (name == "version 8")
        assert not watched.sessions
        assert not sim.sessions


async def test_head_gets_an_answer_without_a_body() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        answer = await ask(port_of(watched.relay.url), b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 426 ")
        assert answer.endswith(b"\r\n\r\n")
        assert "HEAD" in watched.refusals[0]


async def test_tls_on_a_port_without_it_is_reported() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        with pytest.raises((ssl.SSLError, OSError)):
            await connect(watched.url().replace("ws:", "wss:"))
        assert ["--tls" in sentence for sentence in watched.refusals] == [True]
        assert not watched.sessions


async def test_a_probe_and_half_a_request_are_nothing_to_report() -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        for data in (b"", b"GET /v1/real", upgrade()[:-4]):
            _, writer = await asyncio.open_connection("127.0.0.1", port_of(watched.relay.url))
            writer.write(data)
            writer.close()
            await writer.wait_closed()
        await ask(port_of(watched.relay.url), ODD["get"][0])  # behind them
        assert len(watched.refusals) == 1


@pytest.mark.parametrize("name", ["post", "options", "unknown", "http/1.0", "no http"])
async def test_the_simulator_answers_too(name: str) -> None:
    request, status, sentence = ODD[name]
    told: list[str] = []
    async with simulator(narrate=told.append) as sim:
        answer = (await ask(sim.port, request)).decode()
        assert answer.startswith(f"HTTP/1.1 {status} ")
        assert sentence in answer
        assert any(f"HTTP {status}: azrt-tui simulator" in line for line in told)


@pytest.mark.parametrize("origin", ["file://", "null", "app://-", "vscode-webview://1abc", "https://evil.example"])
async def test_a_page_from_elsewhere_is_told_the_line_to_type(origin: str) -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        with pytest.raises(InvalidStatus) as caught:
            await connect(watched.url(), origin=Origin(origin))
        message = json.loads(caught.value.response.body)["error"]["message"]
        assert message.endswith(f"start it with: --allow-origin {origin}")
        assert watched.refusals == [message]
    for allowed in (origin, f"{origin}/", origin.upper()):
        async with (
            simulator() as sim,
            relay(sim.url(), allowed_origins=(allowed,)) as watched,
            connect(watched.url(), origin=Origin(origin)) as connection,
        ):
            assert await connection.recv()


@pytest.mark.parametrize("origin", ["https://x.example/?key=0123456789abcdef0123456789abcdef", "x\x1b[31m", "a b"])
async def test_an_origin_that_nobody_should_type_is_not_offered(origin: str) -> None:
    async with simulator() as sim, relay(sim.url()) as watched:
        answer = await ask(port_of(watched.relay.url), upgrade(f"Origin: {origin}"))
        assert b"403" in answer.partition(b"\r\n")[0] or b"400" in answer.partition(b"\r\n")[0]
        assert b"--allow-origin" not in answer
        assert b"0123456789abcdef" not in answer
        assert "\x1b" not in watched.refusals[0]


# TLS


@asynccontextmanager
async def secured(
    folder: Path, monkeypatch: pytest.MonkeyPatch, dialect: str = "ga"
) -> AsyncIterator[tuple[Running, Path]]:
    """A relay with TLS, and its certificate, which this process trusts as the hint says."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    async with simulator(dialect=dialect) as sim, relay(sim.url(), tls=True) as watched:
        assert watched.relay.ca_file is not None
        monkeypatch.setenv("SSL_CERT_FILE", str(watched.relay.ca_file))
        yield watched, watched.relay.ca_file
    assert not watched.relay.ca_file.exists(), "it goes with the relay"


async def test_it_listens_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with secured(tmp_path, monkeypatch) as (watched, file):
        assert watched.relay.url.startswith("wss://127.0.0.1:")
        port = port_of(watched.relay.url)
        for host in ("127.0.0.1", "localhost"):
            async with connect(f"wss://{host}:{port}/v1/realtime?model=m") as connection:
                assert json.loads(await connection.recv())["type"] == "session.created"
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(watched.url())
        assert b"PRIVATE" not in file.read_bytes()
        assert file.name == f"watch-{port}.pem"


async def test_clients_that_insist_on_tls_talk_through_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with secured(tmp_path, monkeypatch) as (watched, _):
        own = AsyncOpenAI(api_key="theirs-0123456789", base_url=f"{watched.relay.url.replace('wss:', 'https:')}/v1")
        async with own, own.realtime.connect(model="gpt-realtime") as connection:
            assert (await connection.recv()).type == "session.created"
    async with secured(tmp_path, monkeypatch, "beta") as (watched, _):
        endpoint = watched.relay.url.replace("wss:", "https:")
        azure = AsyncAzureOpenAI(api_key="theirs-0123456789", azure_endpoint=endpoint, api_version="2025-04-01-preview")
        async with azure, azure.realtime.connect(model="gpt-realtime") as connection:
            assert (await connection.recv()).type == "session.created"


async def test_azures_client_talks_through_its_websocket_base_url() -> None:
    async with simulator(dialect="beta") as sim, relay(sim.url()) as watched:
        client = AsyncAzureOpenAI(
            api_key="theirs-0123456789",
            azure_endpoint="https://acme.openai.azure.com",
            api_version="2025-04-01-preview",
            websocket_base_url=watched.url("/openai"),
        )
        async with client, client.realtime.connect(model="gpt-realtime") as connection:
            assert (await connection.recv()).type == "session.created"


def test_the_plan_says_whether(tmp_path: Path) -> None:
    loaded = load_settings({"url": "ws://127.0.0.1:1/v1/realtime"}, environ={}, cwd=tmp_path)
    for tls in (False, True):
        assert RelayPlan.from_settings(loaded.settings, Address("127.0.0.1", 0), tls=tls).tls is tls
