"""`azrt-tui watch` in a real terminal, between a client and a server in other threads."""

from __future__ import annotations

import json
import math
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import ClientConnection, connect

from tests.support.terminal import PATIENCE_S, Terminal
from tests.unit.test_cli import azrt
from tui.simulator import SimulatorThread

pytestmark = pytest.mark.e2e

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    with SimulatorThread(speed=math.inf, engine="recordings", require_key=KEY) as running:
        yield running


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


def ask(connection: ClientConnection, text: str) -> None:
    """Ask, and wait for the whole answer."""
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    connection.send(json.dumps({"type": "conversation.item.create", "item": item}))
    connection.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["text"]}}))
    while json.loads(connection.recv(timeout=PATIENCE_S))["type"] != "response.done":
        pass


def test_another_program_is_watched(tmp_path: Path, simulator: SimulatorThread, port: int) -> None:
    arguments = ("watch", "--listen", f"127.0.0.1:{port}", "--to", simulator.url())
    with Terminal.azrt(*arguments, home=tmp_path, environment={"OPENAI_API_KEY": KEY}) as terminal:
        terminal.wait_for("◌ listening")
        with connect(f"ws://127.0.0.1:{port}/v1/realtime?model=theirs") as connection:  # without any key
            ask(connection, "hello")
            terminal.wait_for("● 1 theirs")
            terminal.wait_for("Hello, I am the simulator")
            for _ in range(15):  # nobody reads the terminal meanwhile
                ask(connection, "tell me a long story")
            terminal.press("ctrl+q")
            assert terminal.wait_until_ended() == 0
            with pytest.raises(ConnectionClosedOK):
                connection.recv(timeout=PATIENCE_S)
            assert connection.protocol.close_code == 1001
        assert b"Traceback" not in terminal.output
    assert KEY.encode() not in terminal.output
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in written)
    for path in written:
        assert KEY.encode() not in path.read_bytes(), path


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        listen = f"127.0.0.1:{holder.getsockname()[1]}"
        with Terminal.azrt("watch", "--listen", listen, "--to", "ws://127.0.0.1:9/", home=tmp_path) as terminal:
            assert terminal.wait_until_ended() == 1
            assert f"cannot listen on {listen}" in terminal.text
            assert "Traceback" not in terminal.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--listen", "0.0.0.0:8765", "--to", "ws://127.0.0.1:9/"), "--expose"),
        (("--listen", "nowhere", "--to", "ws://127.0.0.1:9/"), "it looks like 127.0.0.1:8765"),
        (("--to", "ws://other.example/v1/realtime"), "--insecure"),
        ((), "nothing to connect to"),
        (("--to", "ws://127.0.0.1:9/"), "needs a terminal"),
    ],
)
def test_what_cannot_be_is_told_before_anything_listens(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = azrt(tmp_path, "watch", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
