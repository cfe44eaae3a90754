"""One turn without a screen."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.log_files import private_logging
from tests.support.servers import CREATED, DEADLINE_S, Peer, http, http_server, websocket_server
from tests.support.sessions import KEY
from tests.unit.simulator.support import simulator
from tui.headless import Patience, say
from tui.printing import Output
from tui.settings import Loaded, Secret, Settings
from tui.simulator import script as answers

SOON = Patience(silence_s=5, after_error_s=0.2)
ASK = "Which keys are there?"
IDS = {"event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}


@pytest.fixture(autouse=True)
def _log_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with private_logging(tmp_path / "state", monkeypatch):
        yield


def loaded(url: str = "", **changes: Any) -> Loaded:
    """Settings that name a URL."""
    return Loaded(replace(Settings(url=url, openai_api_key=Secret(KEY)), **changes), (), ())


async def turn(url: str, text: str = ASK, **options: Any) -> int:
    """Have a turn, in a thread, because it waits."""
    return await asyncio.to_thread(say, loaded(url), text, **{"patience": SOON, **options})


def created() -> dict[str, Any]:
    """The beginning of a response."""
    return {"type": "response.created", "event_id": "e", "response": {"id": "r", "status": "in_progress"}}


def done(status: str = "completed", **details: Any) -> dict[str, Any]:
    """The end of a response."""
    response = {"id": "r", "status": status, "output": [], "status_details": details or None}
    return {"type": "response.done", "event_id": "e", "response": response}


def delta(text: str, **ids: Any) -> dict[str, Any]:
    """A piece of an answer."""
    return {"type": "response.output_text.delta", **IDS, **ids, "delta": text}


def test_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert say(loaded(), ASK, demo=True) == 0
    out, err = capsys.readouterr()
    assert out == answers.KEYS.text + "\n"
    assert err.splitlines() == [
        "azrt-tui: connecting to the simulator (scripted answers, no model)",
        "azrt-tui: connected to the simulator (scripted answers, no model), model gpt-realtime-2.1",
    ]


async def test_every_event_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    async with simulator() as sim:
        assert await turn(sim.url(), json_output=True) == 0
        (log,) = sim.sessions
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["direction"] for line in lines} == {"sent", "received", "local"}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)
    sent = [line["event"] for line in lines if line["direction"] == "sent"]
    received = [line["event"] for line in lines if line["direction"] == "received"]
    assert sent == [json.loads(frame) for frame in log.received][: len(sent)]
    assert received == [json.loads(frame) for frame in log.sent][: len(received)]
    assert received[-1]["type"] == "response.done"


async def test_frames_that_are_no_events_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send(b"\x00\xff", text=False)
        await peer.until("response.create")
        await peer.send("{", '{"type":"x","y":"\\ud800"}', '{"type":"x","y":NaN}', created(), done())
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url, json_output=True) == 0
    lines = [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
    assert [line["base64"] for line in lines if "base64" in line] == ["AP8="]
    broken, halved, unreadable = [line for line in lines if "text" in line]
    assert (broken["text"], "not JSON" in broken["note"]) == ("{", True)
    assert (halved["text"], halved["event"]["y"]) == ('{"type":"x","y":"\\ud800"}', "?"), "jq stops at half a pair"
    assert (unreadable["text"], "event" in unreadable) == ('{"type":"x","y":NaN}', False)


async def test_an_answer_as_it_comes(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("one\x1b[31m "), delta("two \ud800"), delta("three", item_id="j"), done())
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    assert capsys.readouterr().out == "one\x1b[31m two ?\nthree\n", "to a pipe, the text goes as it is"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (
            done("failed", error={"code": "rate_limit_exceeded"}),
            "The answer failed: too many requests or tokens in a minute. Wait a while. Then send it again.",
        ),
        (
            done("failed", error={"type": "invalid_request_error", "code": "invalid_value", "message": "No."}),
            (
                "The answer failed: invalid_value · No. "
                "The server objects to what was sent: unchanged, it is refused again."
            ),
        ),
        (
            done("failed", error={"type": "server_error", "message": "Sorry."}),
            "The answer failed: Sorry. Send it again.",
        ),
        (done("failed"), "The answer failed: the server gave no reason. Send it again."),
        (
            done("incomplete", reason="content_filter"),
            "The answer was cut short: the content filter stopped it. Ask in other words.",
        ),
        (
            done("incomplete", reason="max_output_tokens"),
            "The answer was cut short: it reached the limit of output tokens. Ask for less, or for the rest.",
        ),
        (done("cancelled"), "The answer was cut off by the server. Send it again."),
        (
            done("cancelled", reason="turn_detected"),
            "The answer was cut off: the server heard you speak. Send it again.",
        ),
    ],
)
async def test_an_answer_that_ends_badly(capsys: pytest.CaptureFixture[str], end: object, said: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("half"), end)
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 1
    out, err = capsys.readouterr()
    assert out == "half\n"
    assert err.splitlines()[-1] == f"azrt-tui: {said}"


async def test_a_refused_field_is_told_and_the_turn_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    error = {"type": "invalid_request_error", "code": "unknown_parameter", "message": "Unknown: 'session.tracing'."}

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.send({"type": "error", "event_id": "e", "error": error})
        await peer.until("response.create")
        await asyncio.sleep(SOON.after_error_s / 2)
        await peer.send(created())
        await asyncio.sleep(SOON.after_error_s * 2)  # a response is running: it may take its time
        await peer.send(delta("still here"), done())
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    out, err = capsys.readouterr()
    assert out == "still here\n"
    assert "azrt-tui: The server refused a setting: unknown_parameter · Unknown: 'session.tracing'." in err


async def test_an_error_after_which_nothing_comes(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send({"type": "error", "event_id": "e", "error": {"message": "No.", "type": "x"}})
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "azrt-tui: The server reports an error: x · No. Where no answer comes, send it again.",
        "azrt-tui: no answer came after that error",
    ]


async def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url, patience=Patience(silence_s=1, after_error_s=1)) == 1
    assert "nothing of an answer came for 1 s" in capsys.readouterr().err


async def test_signs_of_life_are_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        while True:
            await peer.send({"type": "heartbeat"})
            await asyncio.sleep(0.02)

    async with websocket_server(script) as server:
        assert await turn(server.url, patience=Patience(silence_s=0.5, after_error_s=0.5)) == 1
    assert "nothing of an answer came for 0.5 s" in capsys.readouterr().err


@pytest.mark.parametrize("end", [{"id": "r"}, {"id": "r", "status": None}, None])
async def test_an_answer_whose_end_has_no_status_is_complete(
    capsys: pytest.CaptureFixture[str], end: dict[str, Any] | None
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("all of it"), {"type": "response.done", "response": end})
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    assert capsys.readouterr().out == "all of it\n"


async def test_what_the_server_says_first_is_not_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED, created(), delta("Welcome."), done("cancelled"))
        await peer.until("response.create")
        await peer.send(created(), delta("The answer.", item_id="j"), done())
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    assert capsys.readouterr().out == "Welcome.\nThe answer.\n"


async def test_an_answer_without_text_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), done())
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[-1] == "azrt-tui: the answer holds no text"


CALL = {"id": "i", "type": "function_call", "name": "get_weather", "arguments": '{"city":"Paris"}', "call_id": "c"}


@pytest.mark.parametrize("json_output", [False, True])
@pytest.mark.parametrize(
    ("item", "said"),
    [
        (CALL, 'get_weather({"city":"Paris"}) is called, and nothing here answers calls'),
        (
            {**CALL, "type": "mcp_approval_request"},
            'get_weather({"city":"Paris"}) waits for an approval, which cannot be given here',
        ),
        (
            {**CALL, "type": "mcp_call", "output": None},
            'get_weather({"city":"Paris"}) is called by the service, which has said nothing of what came of it',
        ),
    ],
)
@pytest.mark.parametrize("where", ["in the end", "as it comes"])
async def test_an_answer_that_only_calls_names_the_call(
    capsys: pytest.CaptureFixture[str], item: dict[str, Any], said: str, where: str, json_output: bool
) -> None:
    end = done()
    early = {"type": "response.output_item.added", **IDS, "item": {**item, "arguments": ""}}
    arguments = {"type": "response.function_call_arguments.done", **IDS, "arguments": item["arguments"]}
    if where == "in the end":
        end["response"]["output"] = [item]

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), *([early, arguments] if where == "as it comes" else []), end)
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url, json_output=json_output) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"azrt-tui: the answer holds no text: {said}"


async def test_an_answer_that_speaks_and_calls_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    end = done()
    end["response"]["output"] = [CALL, {**CALL, "id": "j", "type": "mcp_call", "output": "18 degrees"}]

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("I look."), end)
        await peer.drain()

    async with websocket_server(script) as server:
        assert await turn(server.url) == 0
    out, err = capsys.readouterr()
    assert out == "I look.\n"
    assert err.splitlines()[-1].endswith('get_weather({"city":"Paris"}) is called, and nothing here answers calls')


@pytest.mark.parametrize("code", [None, 1001, 3000])
async def test_a_session_that_expires_is_told_once(capsys: pytest.CaptureFixture[str], code: int | None) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send({"type": "error", "error": {"code": "session_expired", "message": "60 minutes."}})
        if code is None:
            await peer.drain()
        await peer.connection.close(code or 1000)

    async with websocket_server(script) as server:
        assert await turn(server.url) == 1
    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "connect" not in line] == ["azrt-tui: The session reached its time limit."]


async def test_a_transcription_session_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "session.created", "event_id": "e", "session": {"type": "transcription"}})
        while True:
            await peer.receive()
            await peer.send({"type": "error", "error": {"type": "invalid_request_error", "message": "Not here."}})

    async with websocket_server(script) as server:
        assert await turn(server.url) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        (
            "azrt-tui: This is a transcription session: it gives no answers. Use a URL without intent=transcription, "
            "with model= and the name of a realtime model."
        )
    ]


def test_a_text_that_is_too_large_is_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    assert say(loaded("ws://127.0.0.1:1/v1/realtime?model=m"), "a" * (15 * 2**20 + 1)) == 2
    assert capsys.readouterr().err == (
        "azrt-tui: not sent: the text has 15,728,641 bytes, and the API takes 15,728,640 at most\n"
    )


async def test_a_connection_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    async with http_server(http("401 Unauthorized")) as server:
        assert await turn(server.url) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "refused the key (HTTP 401). Check the key that this server expects." in err
    assert KEY not in err


async def test_a_connection_that_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        await peer.send(created(), delta("half"))
        await peer.connection.close(1011)

    async with websocket_server(script) as server:
        assert await turn(server.url) == 1
    out, err = capsys.readouterr()
    assert out == "half\n"
    assert err.splitlines()[-1] == "azrt-tui: The server ended the session after an error of its own."


async def test_no_place_for_the_log_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "taken"))
    async with simulator() as sim:
        assert await turn(sim.url()) == 0
    assert "no log file at " in capsys.readouterr().err


class Terminal:
    """A terminal that is not UTF-8."""

    encoding = "latin-1"

    def __init__(self) -> None:
        self.shown = ""

    def isatty(self) -> bool:
        """It is one."""
        return True

    def write(self, text: str) -> None:
        """Show text; it must fit the encoding."""
        self.shown += text.encode(self.encoding).decode(self.encoding)


def test_control_characters_do_not_reach_a_terminal() -> None:
    terminal = Terminal()
    Output(terminal).write("caf\u00e9 \x1b]0;title\x07\nnext \u4f60 \ud800")  # type: ignore[arg-type]
    assert "\x1b" not in terminal.shown
    assert "\x07" not in terminal.shown
    assert terminal.shown.startswith("caf\u00e9 ")
    assert terminal.shown.endswith("\nnext ? \\ud800")


# In a process of its own


def program(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start `azrt-tui say`."""
    command = [sys.executable, "-m", "tui", "say", *arguments]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, text=True, env={**os.environ, "PYTHONWARNINGS": "error"}, **{**pipes, **options})


@pytest.mark.e2e
def test_text_from_stdin() -> None:
    process = program("--demo", "-")
    out, err = process.communicate(ASK, timeout=60)
    assert (process.returncode, out) == (0, answers.KEYS.text + "\n")
    assert all(line.startswith("azrt-tui: ") for line in err.splitlines())


@pytest.mark.e2e
def test_a_reader_that_goes_away() -> None:
    process = program("--demo", "--json", ASK)
    assert process.stdout is not None
    assert process.stdout.read(1) == "{"
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 141, "as a shell has it for SIGPIPE, and no failure"
    assert all(line.startswith("azrt-tui: ") for line in err.splitlines()), err


@pytest.mark.e2e
async def test_ctrl_c() -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("response.create")
        asked.set()
        await peer.drain()

    async with websocket_server(script) as server:
        process = program("--url", server.url, ASK)
        try:
            async with asyncio.timeout(60):
                await asked.wait()
            process.send_signal(signal.SIGINT)
            out, err = await asyncio.to_thread(process.communicate, timeout=60)
        finally:
            process.kill()
        (peer,) = server.peers
        async with asyncio.timeout(DEADLINE_S):
            await peer.connection.wait_closed()
        assert peer.connection.close_code == 1000, "it said goodbye"
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "azrt-tui: interrupted"
