"""Canaries: keys and tokens are planted wherever they can come from, and every byte that is written is searched."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.identity import managed_identity
from tests.support.servers import SESSION, Peer, WebSocketServer, websocket_server
from tests.support.terminal import Terminal, clean_environment

pytestmark = pytest.mark.e2e

KEY = "canaryKey0123456789abcdef0123456"
URL_KEY = "canaryUrl0123456789abcdef012345"
PASSWORD = "canaryPassword0123456789"
COMMAND_KEY = "canaryCommand0123456789abcdef01"
TOKEN = "eyJcanaryToken.0123456789.abcdef"

CANARIES = (KEY, URL_KEY, PASSWORD, COMMAND_KEY, f"{TOKEN}-1", f"{TOKEN}-2")


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
        terminal.wait_for(lambda screen: "no longer accepts" in screen or "ended the session" in screen)
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
