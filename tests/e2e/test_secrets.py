"""Canaries: keys and tokens are planted wherever they can come from, and every byte that is written is searched."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from tests.support.identity import managed_identity
from tests.support.servers import SESSION, Peer, WebSocketServer, websocket_server
from tests.support.terminal import Terminal, clean_environment

pytestmark = pytest.mark.e2e

KEY = "canaryKey0123456789abcdef0123456"
URL_KEY = "canaryUrl0123456789abcdef012345"
PASSWORD = "canaryPassword0123456789"
COMMAND_KEY = "canaryCommand0123456789abcdef01"
TOKEN = "eyJcanaryToken.0123456789.abcdef"

THEIRS = tuple(f"canaryClient{number}Key/0123+4567" for number in range(3))
"""What clients of `watch` sign in with."""

THEIR_TOKENS = tuple(f"ek_canaryClientToken{number}_0123456" for number in range(3))
"""The same where only the characters of a token may stand."""

CANARIES = (KEY, URL_KEY, PASSWORD, COMMAND_KEY, f"{TOKEN}-1", f"{TOKEN}-2", *THEIRS, *THEIR_TOKENS)


def forms(canary: str) -> list[bytes]:
    """How a secret may be written."""
    plain = canary.encode()
    return [plain, base64.b64encode(plain).rstrip(b"="), quote(canary, safe="").encode(), canary.lower().encode()]


def assert_no_canary(data: bytes, where: str) -> None:
    """None of the secrets is in these bytes."""
    for canary in CANARIES:
        for form in forms(canary):
            at = data.find(form)
            assert at < 0, f"{canary} in {where}: ...{data[max(0, at - 80) : at + 80]!r}"


async def echo(peer: Peer) -> None:
    """A server that repeats the secret it was given wherever it can, answers once, and closes with the secret."""
    assert peer.connection.request is not None
    headers = peer.connection.request.headers
    secret = headers.get("api-key") or headers.get("Authorization", "")
    said = {"type": "invalid_request_error", "code": "invalid_api_key", "message": f"Incorrect key: {secret}."}
    await peer.send({"type": "session.created", "event_id": secret, "session": {**SESSION, "instructions": secret}})
    await peer.send(f"not JSON: {secret}", {"type": secret, "key": secret}, {"type": "error", "error": said})
    await peer.until("response.create")
    ids = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    await peer.send(
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "delta": f"Your key is {secret}.", **ids},
        {"type": "response.done", "response": {"id": "r", "status": "completed"}},
    )
    await peer.connection.close(3000, f"expired: {secret}"[:120])


@asynccontextmanager
async def echoing() -> AsyncIterator[WebSocketServer]:
    """The server; its URL is that of an Azure resource, with secrets in it."""
    async with websocket_server(echo) as server:
        port = server.url.rpartition(":")[2].partition("/")[0]
        server.url = f"ws://person:{PASSWORD}@127.0.0.1:{port}/openai/v1/realtime?model=rt&api-key={URL_KEY}"
        yield server


def assert_nothing_written(home: Path, *planted: Path) -> None:
    """No file holds a secret but those that the test itself has written."""
    written = [path for path in home.rglob("*") if path.is_file() and path not in planted]
    assert any(path.suffix == ".log" for path in written), "there is a log file to search"
    for path in written:
        assert_no_canary(path.read_bytes(), str(path))
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"


def run(home: Path, environment: Mapping[str, str], *arguments: str) -> bytes:
    """Run a command and return everything it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        cwd=home,
        env=clean_environment(home, environment),
        capture_output=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def process_list() -> bytes:
    """The command lines of this process's descendants, as ``ps`` would show them."""
    found = b""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found += (folder / "cmdline").read_bytes() + b"\n"
            except OSError:
                continue  # it has just ended
    return found


def look_at_the_screen(home: Path, environment: Mapping[str, str]) -> None:
    """Use the program: an answer, an event's JSON, the help, the checkup; and search all that it writes."""
    with Terminal.azrt(home=home, environment=environment) as terminal:
        terminal.wait_for("connected")
        assert_no_canary(process_list(), "the process list")
        terminal.type("hello")
        terminal.press("enter")
        terminal.wait_for("Your key is")
        terminal.wait_for(lambda screen: "no longer accepts" in screen or "closed the connection" in screen)
        terminal.press("tab", "k", "k", "enter")
        terminal.read(1)
        terminal.press("escape", "f1")
        terminal.wait_for("─ Help ─")
        terminal.press("escape")
        terminal.wait_for(lambda screen: "─ Help ─" not in screen)
        terminal.type("\x1b[17~")  # F6
        terminal.wait_for("ealthy")
        terminal.type("y")
        terminal.read(0.5)
        terminal.press("escape", "ctrl+q")
        assert terminal.wait_until_ended() == 0
        assert_no_canary(bytes(terminal.output), "the terminal")


async def test_a_key_and_secrets_in_the_url(tmp_path: Path) -> None:
    async with echoing() as server:
        environment = {"AZRT_URL": server.url, "AZURE_OPENAI_API_KEY": KEY}
        for command in (("say", "--json", "hello"), ("doctor",), ("url",)):
            assert_no_canary(await asyncio.to_thread(run, tmp_path, environment, *command), " ".join(command))
        await asyncio.to_thread(look_at_the_screen, tmp_path, environment)
        assert all(headers["api-key"] == KEY for headers in server.headers), "it did go where it belongs"
    assert_nothing_written(tmp_path)


async def test_a_key_from_a_command(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.write_text(COMMAND_KEY)
    config = tmp_path / "config" / "azrt-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f"api_key_command = {json.dumps(['cat', str(vault)])}\n")
    async with echoing() as server:
        environment = {"AZRT_URL": server.url}
        for command in (("say", "hello"), ("doctor", "--json")):
            assert_no_canary(await asyncio.to_thread(run, tmp_path, environment, *command), shlex.join(command))
        assert {headers["api-key"] for headers in server.headers} == {COMMAND_KEY}
    assert_nothing_written(tmp_path, vault, config)


async def test_a_token_of_entra_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with managed_identity(monkeypatch, TOKEN) as endpoint:
        async with echoing() as server:
            identity = {name: os.environ[name] for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
            environment = {"AZRT_URL": server.url, "AZRT_AUTH": "entra", "AZURE_OPENAI_API_KEY": KEY, **identity}
            assert_no_canary(await asyncio.to_thread(run, tmp_path, environment, "say", "--json", "hi"), "say --json")
            await asyncio.to_thread(look_at_the_screen, tmp_path, environment)
            sent = {headers["authorization"] for headers in server.headers}
            assert all("api-key" not in headers for headers in server.headers), "the key is not for this"
        assert sent <= {f"Bearer {token}" for token in endpoint.given}
        assert sent
    assert_nothing_written(tmp_path)


async def repeat(peer: Peer) -> None:
    """A server that repeats the whole request of a client, decoded too, answers once, and closes with the key."""
    request = peer.connection.request
    assert request is not None
    said = request.path + " " + ", ".join(f"{name}: {value}" for name, value in request.headers.raw_items())
    error = {"type": "invalid_request_error", "message": f"Incorrect API key provided: {said} {unquote(said)}"}
    await peer.send({"type": "session.created", "event_id": said, "session": {**SESSION, "instructions": said}})
    await peer.send(f"not JSON: {said}", {"type": "error", "error": error})
    (key,) = (
        canary for canary in (*THEIRS, *THEIR_TOKENS, PASSWORD) if canary in f"{said} {unquote(said)} {basic(said)}"
    )
    ids = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    await peer.send(
        {"type": "response.created", "response": {"id": "r"}},
        {"type": "response.output_text.delta", "delta": f"Your key is {key}.", **ids},
        {"type": "response.done", "response": {"id": "r", "status": "completed"}},
    )
    await peer.receive()
    await peer.connection.close(3000, f"expired: {key}")


def basic(text: str) -> str:
    """What stands in ``Authorization: Basic``."""
    encoded = text.partition("Basic ")[2].partition(",")[0]
    return base64.b64decode(encoded).decode() if encoded else ""


async def talk(connection: ClientConnection, key: str) -> None:
    """Send the key in a frame, and read to the end."""
    await connection.send(json.dumps({"type": "session.update", "session": {"instructions": key}}))
    with suppress(ConnectionClosed):
        while True:
            await connection.recv()
    assert connection.close_reason == f"expired: {key}", "the client gets it as it was sent"


async def clients_of_every_kind(url: str) -> None:
    """Connect with clients that have their key in places of five kinds, one after another."""
    path = f"{url}/v1/realtime?model=rt"
    async with connect(f"{path}&subscription-key={quote(THEIRS[0], safe='')}") as connection:
        await talk(connection, THEIRS[0])
    headers = {"Ocp-Apim-Subscription-Key": THEIRS[1], "Cookie": f"session={THEIRS[1]}"}
    async with connect(path, additional_headers=headers) as connection:
        await talk(connection, THEIRS[1])
    protocols = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{THEIR_TOKENS[0]}")]
    async with connect(path, subprotocols=protocols, origin=Origin("http://localhost:3000")) as connection:
        await talk(connection, THEIR_TOKENS[0])
    async with connect(path.replace("ws://", f"ws://person:{PASSWORD}@")) as connection:
        await talk(connection, PASSWORD)
    azure = AsyncAzureOpenAI(
        api_key=THEIRS[2],
        azure_endpoint="https://acme.openai.azure.com",
        api_version="2025-04-01-preview",
        websocket_base_url=f"{url}/openai",
    )
    openai = AsyncOpenAI(api_key=THEIR_TOKENS[1], websocket_base_url=f"{url}/v1")
    for client, key in ((azure, THEIRS[2]), (openai, THEIR_TOKENS[1])):
        async with client, client.realtime.connect(model="rt") as session:
            await session.session.update(session={"type": "realtime", "instructions": key})
            with suppress(ConnectionClosed):
                while True:
                    await session.recv_bytes()


async def test_what_clients_of_watch_sign_in_with(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    async with websocket_server(repeat, subprotocols=[Subprotocol("realtime")], optional_subprotocols=True) as server:
        arguments = ("watch", "--listen", listen, "--to", server.url)
        with Terminal.azrt(*arguments, home=tmp_path, environment={"OPENAI_API_KEY": KEY}) as terminal:
            await asyncio.to_thread(terminal.wait_for, "◌ listening")
            await clients_of_every_kind(f"ws://{listen}")
            await asyncio.to_thread(look_at_every_session, terminal, 6)
        assert KEY not in json.dumps(server.headers), "each had a key of its own"
    assert_nothing_written(tmp_path)
    assert len(captures(tmp_path)) == 6


def captures(home: Path) -> list[Path]:
    """The captures below a folder."""
    return list(home.rglob("*.jsonl"))


def look_at_every_session(terminal: Terminal, sessions: int) -> None:
    """Look at each session, at its events and at one of them; and search all that was written."""
    terminal.wait_for(f"○ {sessions} rt")
    assert_no_canary(process_list(), "the process list")
    for _ in range(sessions):
        terminal.wait_for("Your key is ***")
        terminal.press("tab", "k", "k", "k", "k", "k", "enter")
        terminal.wait_for("╭─ Event")
        terminal.read(0.3)
        terminal.press("escape")
        terminal.wait_for("Your key is ***")
        terminal.send(b"\x1b[5;5~")  # ctrl+pageup
        terminal.read(0.3)
    terminal.press("ctrl+q")
    assert terminal.wait_until_ended() == 0
    assert_no_canary(bytes(terminal.output), "the terminal")
