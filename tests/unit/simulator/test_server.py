"""HTTP, sessions as a whole, shutting down, the thread, and the command."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.http11 import Response
from websockets.sync.client import connect as connect_sync

from tests.unit.simulator.support import DEADLINE_S, client, simulator
from tui.simulator import Simulator, SimulatorThread, run, session_log
from tui.simulator.script import Answer
from tui.simulator.speech import Speaker


async def refused(sim: Simulator, path: str, **headers: str) -> tuple[int, dict[str, Any], Response]:
    """Return the status, the JSON error and the whole answer that a request for `path` gets."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(sim.endpoint.replace("http", "ws") + path, additional_headers=headers):
            pass
    response = caught.value.response
    assert response.headers["Content-Type"] == "application/json"
    assert len(response.headers["apim-request-id"]) == 36
    error: dict[str, Any] = json.loads(response.body)["error"]
    return response.status_code, error, response


@pytest.mark.parametrize(
    "path", ["/openai/v1/realtime?model=m", "/v1/realtime?model=m", "/openai/v1/realtime/?model=m"]
)
async def test_both_ga_paths_open_a_session_for_the_model_in_the_url(path: str) -> None:
    async with simulator() as sim, connect(sim.endpoint.replace("http", "ws") + path) as connection:
        session = json.loads(await connection.recv())["session"]
        assert (session["type"], session["model"]) == ("realtime", "m")
        assert 30 * 60 < session["expires_at"] - time.time() <= 60 * 60
        assert connection.response is not None
        assert connection.response.headers["x-ms-region"]


async def test_a_key_is_asked_for_only_when_one_is_set() -> None:
    path = "/openai/v1/realtime?model=m"
    async with simulator(require_key="s3cret") as sim:
        wrong: list[dict[str, str]] = [
            {},
            {"api-key": "other"},
            {"Authorization": "Bearer other"},
            {"Authorization": "Basic s3cret"},
            {"Authorization": "s3cret"},
        ]
        for headers in wrong:
            status, error, response = await refused(sim, path, **headers)
            assert (status, error["code"]) == (401, "401")
            assert error["message"].startswith("Access denied due to invalid subscription key")
            assert b"s3cret" not in response.body
        for headers in ({"api-key": "s3cret"}, {"Authorization": "Bearer s3cret"}):
            async with connect(sim.url(), additional_headers=headers) as connection:
                assert json.loads(await connection.recv())["type"] == "session.created"


@pytest.mark.parametrize(
    ("dialect", "path", "status", "code"),
    [
        ("ga", "/openai/v1/realtime", 400, "missing_required_parameter"),
        ("ga", "/openai/v1/realtime?model=", 400, "missing_required_parameter"),
        ("ga", "/openai/v1/realtime?model=m&api-version=2025-04-01-preview", 401, "401"),
        ("ga", "/openai/realtime?api-version=1&deployment=m", 404, "DeploymentNotFound"),
        ("ga", "/", 404, "404"),
        ("ga", "/openai/v1/chat/completions", 404, "404"),
        ("beta", "/openai/v1/realtime?model=m", 404, "DeploymentNotFound"),
        ("beta", "/openai/realtime?deployment=m", 400, "missing_required_parameter"),
        ("beta", "/openai/realtime?api-version=1", 400, "missing_required_parameter"),
    ],
)
async def test_other_requests_get_azures_json(dialect: str, path: str, status: int, code: str) -> None:
    async with simulator(dialect=dialect) as sim:
        answered, error, _ = await refused(sim, path)
        assert (answered, error["code"]) == (status, code)
        assert error["message"]


async def test_what_a_client_calls_its_model_reaches_the_terminal_escaped() -> None:
    told: list[str] = []
    async with simulator(narrate=told.append) as sim, connect(sim.url("\x1b[31mred\n")):
        pass
    assert told[0] == r"session opened for '\x1b[31mred\n'"
    assert all(line.isprintable() for line in told)


async def test_two_connections_do_not_know_each_other() -> None:
    async with simulator() as sim, client(sim) as one, client(sim) as two:
        await one.update(instructions="one", output_modalities=["text"])
        await one.say("hi", id="mine")
        await two.send("conversation.item.retrieve", item_id="mine")
        assert (await two.error())["code"] == "item_retrieve_invalid_item_id"
        assert (await two.update())["output_modalities"] == ["audio"]
        assert [log.model for log in sim.sessions] == ["gpt-realtime-2.1"] * 2


async def test_stopping_closes_with_1001_in_the_middle_of_an_answer() -> None:
    sim = simulator(speed=1, thinking_s=0, word_s=3600)
    async with sim, client(sim) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.until("response.output_text.delta")
        await sim.stop()
        with pytest.raises(ConnectionClosedOK):
            await talker.receive()
        assert talker.connection.close_code == 1001
    assert sim.sessions[0].close_code == 1001


async def test_nothing_is_left_running_when_a_client_vanishes() -> None:
    before = asyncio.all_tasks()
    ended = asyncio.Event()

    def narrate(line: str) -> None:
        if line.startswith("session ended"):
            ended.set()

    async with simulator(speed=1, thinking_s=0, word_s=3600, narrate=narrate) as sim:
        async with client(sim) as talker:
            await talker.say("hello")
            await talker.send("response.create", response={"output_modalities": ["text"]})
            await talker.until("response.output_text.delta")
            talker.connection.transport.abort()
            await talker.connection.wait_closed()
        async with asyncio.timeout(DEADLINE_S):
            await ended.wait()
        assert sim.sessions[0].close_code == 1006
    assert asyncio.all_tasks() == before


async def test_a_fault_of_its_own_closes_with_1011_and_the_server_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(self: Speaker, answer: Answer, voice: str, speed: float) -> bytes:
        raise RuntimeError("no voice")

    async with simulator() as sim:
        with monkeypatch.context() as patch:
            patch.setattr(Speaker, "say", broken)
            async with client(sim) as talker:
                await talker.send("response.create")
                with pytest.raises(ConnectionClosedError):
                    await talker.until("response.done")
                assert talker.connection.close_code == 1011
        async with client(sim) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"


async def test_the_log_drops_its_oldest_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_log, "MAX_LOG", 5_000)
    async with simulator() as sim, client(sim) as talker:
        for _ in range(50):
            await talker.connection.send("null")
            await talker.error()
        (log,) = sim.sessions
        assert log.dropped > 50
        assert sum(len(frame.data) for frame in log.frames) <= 5_000
        assert log.sent[-1].startswith('{"type":"error"')


async def test_a_session_ends_when_its_time_is_up() -> None:
    async with simulator(lifetime_s=0.05) as sim, client(sim) as talker:
        error = await talker.error()
        assert error["code"] == "session_expired"
        assert error["message"].startswith("Your session hit the maximum duration of ")
        with pytest.raises(ConnectionClosedOK):
            await talker.receive()
        assert talker.connection.close_code == 1001


@pytest.mark.parametrize(
    ("options", "named"), [({"dialect": "gamma"}, "gamma"), ({"speed": 0}, "0"), ({"speed": -1}, "-1")]
)
def test_bad_options_are_named(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Simulator(**options)


def test_the_thread_listens_when_start_returns_and_is_gone_when_stop_returns() -> None:
    with SimulatorThread(engine="recordings") as running:
        with connect_sync(running.url("mine"), compression=None) as connection:
            assert json.loads(connection.recv(timeout=DEADLINE_S))["session"]["model"] == "mine"
            running.stop()
            with pytest.raises(ConnectionClosedOK):
                connection.recv(timeout=DEADLINE_S)
        assert running.simulator.sessions[0].close_code == 1001
    running.stop()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_port_that_is_taken_is_told(taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match=str(taken_port)):
        SimulatorThread(port=taken_port).start()
    assert run(port=taken_port) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(taken_port) in captured.err


def test_a_dialect_that_does_not_exist_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(dialect="gamma") == 1
    assert capsys.readouterr().err == 'simulator: cannot start: dialect "gamma" is unknown; use "ga" or "beta"\n'


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_ends_cleanly(ending: signal.Signals) -> None:
    program = "import sys; from tui.simulator import run; sys.exit(run(0, 'ga', 5.0))"
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with connect_sync(url) as connection:
            assert json.loads(connection.recv(timeout=DEADLINE_S))["type"] == "session.created"
            process.send_signal(ending)
            with pytest.raises(ConnectionClosedOK):
                connection.recv(timeout=DEADLINE_S)
        out, err = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, "")
    lines = err.splitlines()
    assert lines[-1] == "simulator: stopped"
    assert any("session opened for 'gpt-realtime-2.1'" in line for line in lines)
    assert all(line.startswith("simulator: ") for line in lines)


def test_importing_the_simulator_is_light() -> None:
    program = (
        "import sys, tui.simulator; "
        "print(sorted({'numpy', 'openai', 'agents', 'textual', 'rich', 'sounddevice'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
