"""The checks one by one: settings, endpoint, sign-in, the way to the server, the session."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.certificates import Authority
from tests.support.doctoring import PATIENT, Diagnosis, diagnose
from tests.support.proxies import OneSlot, Proxy
from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.sessions import plan, session
from tui.audio.devices import Device
from tui.doctor import Case
from tui.doctor.conversation import check_lifetime, wire_session
from tui.doctor.report import Outcome
from tui.simulator import SimulatorThread
from tui.wire import Direction

KEY = "canary-5b1f0c8d2e"
AZURE = {"AZURE_OPENAI_DEPLOYMENT": "rt", "AZURE_OPENAI_API_KEY": KEY}


@pytest.fixture
def simulator() -> Iterator[SimulatorThread]:
    """A healthy server without delays."""
    with SimulatorThread(speed=math.inf) as running:
        yield running


def assert_first_failure(found: Diagnosis, check: str, cause: str) -> None:
    """The check fails for this cause, and nothing that needs it was done."""
    assert found.summary["failed"] == [check]
    assert found.checks[check]["cause"]["name"] == cause
    assert found.checks["session"]["outcome"] == "skipped"
    assert found.code == 1


# A healthy server


def test_a_server_with_room_for_one_session_is_healthy(simulator: SimulatorThread, tmp_path: Path) -> None:
    port = urlsplit(simulator.url()).port
    assert port is not None
    with OneSlot(port) as server:
        found = diagnose(simulator.url().replace(str(port), str(server.port)), tmp_path, OPENAI_API_KEY=KEY)
    assert (found.code, found.causes()) == (0, {})
    assert (server.most, server.asked) == (1, 2), "its own connection, and then the SDK's"


def test_a_slot_that_is_freed_late_is_asked_for_again(simulator: SimulatorThread, tmp_path: Path) -> None:
    port = urlsplit(simulator.url()).port
    assert port is not None
    with OneSlot(port, slow_s=0.3) as server:
        found = diagnose(simulator.url().replace(str(port), str(server.port)), tmp_path, OPENAI_API_KEY=KEY)
    assert (found.code, found.causes()) == (0, {})
    assert server.asked == 3


def test_a_healthy_server(simulator: SimulatorThread, tmp_path: Path) -> None:
    found = diagnose(simulator.url(), tmp_path, OPENAI_API_KEY=KEY)
    assert found.code == 0
    assert found.summary["healthy"] is True
    assert found.causes() == {}
    assert {name for name, outcome in found.outcomes().items() if outcome == "skipped"} == {"dns", "tls"}
    assert found.checks["answer"]["says"].startswith("“")
    assert found.checks["handshake"]["facts"]["apim-request-id"]
    assert found.checks["lifetime"]["says"] == "60 minutes"
    assert found.checks["transcription"]["says"] == "gpt-live-transcribe answers"
    assert "reads this server's session" in found.checks["sdk"]["says"]
    assert all(check["seconds"] >= 0 for check in found.checks.values())
    assert KEY not in found.text


def test_both_connections_are_closed(simulator: SimulatorThread, tmp_path: Path) -> None:
    diagnose(simulator.url(), tmp_path)
    sessions = simulator.simulator.sessions
    deadline = time.monotonic() + 10
    while any(each.close_code is None for each in sessions) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [each.close_code for each in sessions] == [1000, 1000]


@pytest.mark.parametrize("fault", ["whisper-only", "transcriber-refused"])
def test_the_transcription_models_are_tried_as_in_a_session(fault: str, tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=[fault]) as simulator:
        found = diagnose(simulator.url(), tmp_path)
        set_by_user = diagnose(simulator.url(), tmp_path, AZRT_TRANSCRIPTION_MODEL="mine")
    assert (found.code, found.causes()) == (0, {})
    assert found.checks["transcription"]["says"] == "whisper-1 answers, gpt-live-transcribe does not"
    assert set_by_user.code == 1, "no other one is tried"
    check = "transcription" if fault == "whisper-only" else "update"
    assert set_by_user.checks[check]["cause"]["type"] == "export AZRT_TRANSCRIPTION_MODEL=none"


def test_where_no_transcription_model_is_deployed_the_one_to_deploy_is_named(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=["no-transcriber"]) as simulator:
        cause = diagnose(simulator.url(), tmp_path).checks["transcription"]["cause"]
    assert "gpt-live-transcribe and whisper-1 cannot be used here" in cause["sentence"]
    assert cause["fix"].startswith("Deploy gpt-live-transcribe on this resource. Set AZRT_TRANSCRIPTION_MODEL")


def test_no_transcription_is_asked_for_where_it_is_off(simulator: SimulatorThread, tmp_path: Path) -> None:
    found = diagnose(simulator.url(), tmp_path, AZRT_TRANSCRIPTION_MODEL="none")
    assert found.checks["transcription"]["outcome"] == "skipped"
    sent = [json.loads(frame)["type"] for frame in simulator.simulator.sessions[0].received]
    assert "input_audio_buffer.append" not in sent


async def test_the_settings_that_are_tried_are_those_that_the_sdk_sends() -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": "session.created", "session": {"type": "realtime"}})
        await peer.drain()

    changes = {"transcription_model": "whisper-1", "turn_detection": "server_vad", "voice": "marin"}
    async with websocket_server(script) as server, session(server.url, **changes) as running:
        await running.connected()
        await running.until(lambda: "session.update" in running.types(Direction.SENT))
        sent = json.loads(running.entries(Direction.SENT)[0].data)["session"]
        ours = wire_session(Case(None, plan(server.url, **changes)))
    assert {name: value for name, value in sent.items() if name not in ("tools", "tool_choice")} == ours


# Settings and endpoint


def test_where_each_setting_comes_from(simulator: SimulatorThread, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"AZRT_VOICE=marin\nOPENAI_API_KEY={KEY}\n")
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "config.toml").write_text('instructions = "Be brief."\n')
    found = diagnose(simulator.url(), tmp_path, flags={"turn_detection": "none"})
    facts = found.checks["settings"]["facts"]
    assert facts["voice"] == "marin (.env)"
    assert facts["instructions"] == "Be brief. (config.toml)"
    assert facts["turn_detection"] == "none (flag --turn-detection)"
    assert facts["openai_api_key"] == f"*** ({len(KEY)} characters) (.env)"
    assert facts["deployment"] == "- (default)"
    assert found.checks["settings"]["outcome"] == "ok"
    assert KEY not in found.text


def test_a_key_that_others_may_read(simulator: SimulatorThread, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(f"OPENAI_API_KEY={KEY}\n")
    dotenv.chmod(0o644)
    found = diagnose(simulator.url(), tmp_path)
    settings = found.checks["settings"]
    assert (settings["outcome"], settings["cause"]["name"]) == ("warning", "readable-by-others")
    assert settings["cause"]["type"] == f"chmod 600 {dotenv}"
    assert found.code == 0
    assert stat.S_IMODE(dotenv.stat().st_mode) == 0o644, "it is the person's file"


def test_a_file_without_a_key_may_be_read(simulator: SimulatorThread, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AZRT_VOICE=ash\n")
    (tmp_path / ".env").chmod(0o644)
    assert diagnose(simulator.url(), tmp_path).causes() == {}


def test_a_bad_line_in_a_file(simulator: SimulatorThread, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('voise = "ash"\n')
    settings = diagnose(simulator.url(), tmp_path).checks["settings"]
    assert (settings["outcome"], settings["cause"]["name"]) == ("warning", "settings-problem")
    assert "did you mean voice?" in settings["cause"]["sentence"]


@pytest.mark.parametrize(
    ("environ", "check", "cause"),
    [
        ({}, "settings", "not-configured"),
        ({"AZRT_FPS": "many"}, "settings", "settings-unusable"),
        ({"AZURE_OPENAI_ENDPOINT": "acme", "AZURE_OPENAI_DEPLOYMENT": "rt"}, "settings", "settings-unusable"),
        ({"AZURE_OPENAI_ENDPOINT": "https://portal.azure.com", **AZURE}, "endpoint", "endpoint-unusable"),
        ({"AZURE_OPENAI_ENDPOINT": "ftp://acme.openai.azure.com", **AZURE}, "endpoint", "endpoint-unusable"),
        ({"AZRT_URL": "https://acme.openai.azure.com/openai/v1/realtime"}, "endpoint", "endpoint-unusable"),
        ({"AZRT_URL": "ws://far.example/v1/realtime"}, "endpoint", "endpoint-unusable"),
        ({"AZRT_URL": "wss://api.openai.com/v1/live/sessions"}, "endpoint", "endpoint-unusable"),
        ({"AZURE_OPENAI_ENDPOINT": "acme", "AZURE_OPENAI_API_KEY": KEY}, "endpoint", "endpoint-unusable"),
    ],
)
def test_what_cannot_be_used_is_exit_code_2(environ: dict[str, str], check: str, cause: str, tmp_path: Path) -> None:
    found = diagnose("", tmp_path, **environ)
    assert found.code == 2
    assert found.summary["failed"] == [check]
    assert found.checks[check]["cause"]["name"] == cause
    assert found.checks["tcp"]["outcome"] == "skipped"
    assert KEY not in found.text


def test_a_beta_endpoint_is_rewritten_and_that_is_said(tmp_path: Path) -> None:
    beta = "https://no-such-host.invalid/openai/realtime?api-version=2024-10-01-preview&deployment=rt"
    found = diagnose("", tmp_path, AZURE_OPENAI_ENDPOINT=beta, AZURE_OPENAI_API_KEY=KEY)
    endpoint = found.checks["endpoint"]
    assert endpoint["facts"]["url"] == "wss://no-such-host.invalid/openai/v1/realtime?model=rt"
    assert any("api-version was dropped" in line for line in endpoint["details"])
    assert_first_failure(found, "dns", "dns")


def test_a_beta_url_is_used_and_warned_of(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, dialect="beta") as beta:
        found = diagnose(beta.url(), tmp_path)
    assert found.causes() == {"endpoint": "beta-url", "protocol": "beta-session"}
    assert found.code == 1


# Sign-in


def test_without_a_sign_in_the_way_to_the_server_is_still_checked(simulator: SimulatorThread, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('api_key_command = ["false"]\n')
    found = diagnose(simulator.url(), tmp_path)
    assert found.checks["sign-in"]["cause"]["name"] == "key-command"
    assert found.checks["sign-in"]["cause"]["type"] == "false"
    assert found.checks["tcp"]["outcome"] == "ok"
    assert found.checks["handshake"]["says"] == "not after Sign-in"
    assert found.summary["failed"] == ["sign-in"]


def test_a_key_from_a_command(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'api_key_command = "printf {KEY}"\n')
    with SimulatorThread(speed=math.inf, require_key=KEY) as simulator:
        found = diagnose(simulator.url(), tmp_path)
    assert found.causes() == {}
    assert found.checks["sign-in"]["says"] == f"a key of {len(KEY)} characters, from api_key_command"
    assert found.checks["settings"]["facts"]["api_key_command"] == "printf … (config.toml)"
    assert KEY not in found.text


# The way to the server


def test_nothing_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert_first_failure(diagnose(f"ws://127.0.0.1:{port}/v1/realtime", tmp_path), "tcp", "refused")


def test_a_port_that_never_says_anything(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"wss://127.0.0.1:{silent.getsockname()[1]}/v1/realtime"
        found = diagnose(url, tmp_path, limits=replace(PATIENT, connect_s=0.3))
    assert_first_failure(found, "tls", "timeout")


def test_tls_with_a_private_authority(tmp_path: Path) -> None:
    authority = Authority()
    file = authority.write(tmp_path)
    with SimulatorThread(speed=math.inf, tls=authority.good()) as simulator:
        unknown = diagnose(simulator.url(), tmp_path)
        found = diagnose(simulator.url(), tmp_path, AZRT_CA_FILE=str(file))
    assert_first_failure(unknown, "tls", "tls-untrusted")
    assert "trustme" in unknown.checks["tls"]["facts"]["signed by"]
    assert unknown.checks["tls"]["cause"]["type"] == "export AZRT_CA_FILE=/PATH/TO/CA.pem"
    assert found.causes() == {}
    assert "signed by trustme" in found.checks["tls"]["says"]
    assert len(simulator.simulator.sessions) == 2, "only the trusted run got as far as a session"


@pytest.mark.parametrize(("kind", "cause"), [("expired", "tls-expired"), ("wrong_name", "tls-name")])
def test_a_certificate_that_must_not_be_trusted(kind: str, cause: str, tmp_path: Path) -> None:
    authority = Authority()
    file = authority.write(tmp_path)
    with SimulatorThread(speed=math.inf, tls=getattr(authority, kind)()) as simulator:
        found = diagnose(simulator.url(), tmp_path, AZRT_CA_FILE=str(file), OPENAI_API_KEY=KEY)
    assert_first_failure(found, "tls", cause)
    if kind == "wrong_name":
        assert found.checks["tls"]["facts"]["for"] == "other.example"
    assert simulator.simulator.sessions == []


def test_a_server_without_tls_behind_wss(simulator: SimulatorThread, tmp_path: Path) -> None:
    assert_first_failure(diagnose(simulator.url().replace("ws://", "wss://"), tmp_path), "tls", "tls-cut")


def test_a_file_of_certificates_that_holds_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate\n")
    authority = Authority()
    with SimulatorThread(speed=math.inf, tls=authority.good()) as simulator:
        found = diagnose(simulator.url(), tmp_path, AZRT_CA_FILE=str(file))
    assert_first_failure(found, "tls", "ca-file")
    assert str(file) in found.checks["tls"]["cause"]["sentence"]


def test_a_file_of_certificates_that_is_not_there(tmp_path: Path) -> None:
    found = diagnose("ws://127.0.0.1:9/", tmp_path, AZRT_CA_FILE=str(tmp_path / "gone.pem"))
    assert found.code == 2
    assert "AZRT_CA_FILE must be a file that exists" in found.checks["settings"]["says"]


def test_a_proxy_and_the_authority_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    file = authority.write(tmp_path)
    with SimulatorThread(speed=math.inf, tls=authority.wrong_name()) as simulator:  # its name is other.example
        port = urlsplit(simulator.url()).port
        assert port is not None
        with Proxy(port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://person:secret-of-the-proxy@"))
            url = simulator.url().replace(f"127.0.0.1:{port}", "other.example")
            found = diagnose(url, tmp_path, AZRT_CA_FILE=str(file), AZURE_OPENAI_API_KEY=KEY)
    assert found.causes() == {}
    assert found.checks["proxy"]["facts"] == {"proxy": urlsplit(proxy.url).netloc, "from": "HTTPS_PROXY"}
    assert set(proxy.asked) == {"CONNECT other.example:443 HTTP/1.1"}
    assert "secret-of-the-proxy" not in found.text


def test_a_proxy_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(9, refusal=b"407 Proxy Authentication Required") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        found = diagnose("wss://other.example/v1/realtime", tmp_path)
    assert_first_failure(found, "tls", "proxy-password")
    assert found.checks["tls"]["cause"]["type"].startswith("export HTTPS_PROXY=http://USER:PASSWORD@127.0.0.1:")


def test_a_proxy_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
    found = diagnose("wss://other.example/v1/realtime", tmp_path)
    assert_first_failure(found, "tcp", "proxy")
    assert found.checks["proxy"]["facts"]["from"] == "https_proxy"


def test_a_proxy_of_a_kind_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "gopher://person:secret-of-the-proxy@127.0.0.1:1")
    found = diagnose("wss://other.example/v1/realtime", tmp_path)
    assert_first_failure(found, "proxy", "proxy-unusable")
    assert "secret-of-the-proxy" not in found.text


# The session


@pytest.mark.parametrize(
    ("expires_at", "outcome"),
    [
        pytest.param(time.time() + 1800, Outcome.OK, id="half an hour"),
        pytest.param(time.time() - 60, Outcome.WARNING, id="over"),
        (4_000_000_000, Outcome.WARNING),
        (None, Outcome.SKIPPED),
        ("soon", Outcome.SKIPPED),
        (True, Outcome.SKIPPED),
        (math.inf, Outcome.SKIPPED),
        pytest.param((time.time() + 1800) * 1000, Outcome.SKIPPED, id="in milliseconds"),
    ],
)
def test_the_lifetime_of_a_session(expires_at: object, outcome: Outcome) -> None:
    case = Case(None, plan("ws://127.0.0.1:9/"))
    case.session = {"expires_at": expires_at}
    assert asyncio.run(check_lifetime(case)).outcome is outcome


@pytest.mark.parametrize(
    ("events", "outcome", "says"),
    [
        (
            [{"type": "response.done", "response": {"id": "r", "output": [{"content": [{"text": "OK"}]}, None]}}],
            "ok",
            "“OK”, in one piece",
        ),
        ([{"type": "response.done", "response": {"output": 7}}], "ok", "came, without a word"),
        ([{"type": "error", "error": "The model is gone.", "code": "gone"}], "failed", "gone · The model is gone."),
        (
            [
                {"type": "error", "error": {"code": "odd", "message": "Never mind."}},
                {"type": "response.created", "response": {"id": "r"}},
                {"type": "response.output_text.delta", "response_id": "r", "delta": "OK"},
                {"type": "response.done", "response": {"id": "r", "status": "completed"}},
            ],
            "warning",
            "odd · Never mind.",
        ),
        (
            [
                {"type": "error", "error": {"code": "no", "message": "Not you.", "event_id": "doctor_answer"}},
                {"type": "response.done", "response": {"id": "somebody else's", "status": "completed"}},
            ],
            "failed",
            "no · Not you.",
        ),
    ],
)
async def test_answers_as_other_servers_give_them(
    events: list[object], outcome: str, says: str, tmp_path: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.send({**CREATED, "type": "session.updated"})
        await peer.until("response.create")
        await peer.send(*events)
        await peer.drain()

    async with websocket_server(script) as server:
        url = server.url
        settings = {"OPENAI_API_KEY": KEY, "AZRT_TRANSCRIPTION_MODEL": "none"}
        limits = replace(PATIENT, reply_s=0.5, after_error_s=0.5)
        found = await asyncio.to_thread(diagnose, url, tmp_path, limits=limits, **settings)
    assert (found.checks["answer"]["outcome"], says in found.checks["answer"]["says"]) == (outcome, True)


def test_a_server_that_echoes_the_key_does_not_get_it_shown(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf) as simulator:
        url = simulator.url(model=f"gpt-{KEY}")  # what it is asked for comes back in session.created
        found = diagnose(url, tmp_path, OPENAI_API_KEY=KEY)
    assert found.checks["session"]["facts"]["model"] == f"gpt-{'*' * len(KEY)}"
    assert KEY not in found.text


def test_sound_that_hangs_holds_nothing_up(
    simulator: SimulatorThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    sessions_before: list[int] = []

    def hang() -> list[Device]:
        sessions_before.append(len(simulator.simulator.sessions))
        released.wait()
        return []

    monkeypatch.setattr("tui.doctor.machine.list_devices", hang)
    try:
        found = diagnose(simulator.url(), tmp_path, limits=replace(PATIENT, devices_s=0.05))
    finally:
        released.set()
    assert found.checks["audio"]["outcome"] == "warning"
    assert "does not answer within 0.05 s" in found.checks["audio"]["says"]
    assert found.code == 0
    assert sessions_before[0] < 2, "it began beside the other checks"


# Sessions that are over, or of another kind


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 3000])
async def test_a_session_that_expires_is_told_whether_the_server_closes_or_not(
    code: int | None, tmp_path: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.send({"type": "error", "error": {"type": "invalid_request_error", "code": "session_expired"}})
        if code is None:
            await peer.drain()
        await peer.connection.close(code or 1000)

    async with websocket_server(script) as server:
        found = await asyncio.to_thread(diagnose, server.url, tmp_path, OPENAI_API_KEY=KEY)
    assert found.checks["update"]["cause"]["name"] == "expired"
    assert found.checks["answer"]["outcome"] == "skipped"


@pytest.mark.parametrize(
    ("event_type", "fields", "sentence"),
    [
        ("transcription_session.created", {"input_audio_format": "pcm16"}, "This is a transcription session: it gives"),
        ("session.created", {"type": "transcription", "audio": {}}, "This is a transcription session: it gives"),
        ("session.created", {"object": "realtime.transcription_session"}, "This is a transcription session: it gives"),
        ("session.created", {"type": "translation"}, "This is a translation session: it gives no answers."),
        ("session.started", {"id": "live_1"}, "This is a Live session, which speaks a protocol of its own."),
    ],
)
async def test_a_session_that_gives_no_answers_is_the_one_failure(
    event_type: str, fields: dict[str, object], sentence: str, tmp_path: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"type": event_type, "event_id": "e", "session": fields})
        await peer.drain()

    async with websocket_server(script) as server:
        found = await asyncio.to_thread(diagnose, server.url, tmp_path, OPENAI_API_KEY=KEY)
    assert found.causes() == {"protocol": "other-session"}
    assert sentence in found.checks["protocol"]["cause"]["sentence"]
    assert "model" in found.checks["protocol"]["cause"]["fix"]
