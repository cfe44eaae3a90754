"""Every fault over a real socket, as a client meets it."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from openai.types.realtime import ConversationItemInputAudioTranscriptionFailedEvent
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)
from websockets.sync.client import connect as connect_sync

from tests.support.certificates import Authority
from tests.unit.simulator.support import DEADLINE_S, client, session, silence, simulator
from tui.simulator import FaultPlan, Simulator, line, run
from tui.simulator.faults import (
    FAULTS,
    AddressFault,
    AnswerFault,
    HandshakeFault,
    OpeningFault,
    TlsFault,
    TranscriptionFault,
    frames,
)
from tui.simulator.faults.kinds import Moment, NoAnswerFault

SOON_S = 0.3
"""How long a test waits for what must not come. Too short a time lets a broken server pass, never a good one fail."""

REFUSALS: dict[str, tuple[int, str, str]] = {
    "http-400": (400, "OperationNotSupported", ""),
    "http-401": (401, "401", ""),
    "http-401-role": (401, "PermissionDenied", ""),
    "http-403": (403, "403", ""),
    "http-404": (404, "DeploymentNotFound", ""),
    "http-404-path": (404, "404", ""),
    "http-429": (429, "429", "2"),
    "http-429-date": (429, "429", "date"),
    "http-429-quota": (429, "insufficient_quota", ""),
    "http-500": (500, "", ""),
    "http-503": (503, "ServiceUnavailable", "2"),
}
PAGES = {"http-400-tls": 400, "http-502": 502, "not-websocket": 200}

CERTIFICATES = {
    "tls-expired": "certificate has expired",
    "tls-not-yet": "certificate is not yet valid",
    "tls-name": "certificate is not valid for '127.0.0.1'",
    "tls-untrusted": "unable to get local issuer certificate",
    "tls-self-signed": "self-signed certificate",
}
NO_TLS: dict[str, tuple[type[Exception], str | None]] = {
    "tls-missing": (ssl.SSLError, "WRONG_VERSION_NUMBER"),
    "tls-silent": (TimeoutError, None),
    "tls-hang-up": (ConnectionError, None),
}
ADDRESSES: dict[str, type[Exception]] = {"dns": socket.gaierror, "refused": ConnectionRefusedError}

BROKEN_HANDSHAKES: dict[str, tuple[type[Exception], ...]] = {
    "no-http": (TimeoutError,),
    "hang-up": (InvalidMessage, ConnectionError),
    "not-http": (InvalidMessage,),
    "bad-accept": (InvalidHandshake,),
}

STATUSES: dict[str, tuple[str, str]] = {
    "response-failed": ("failed", "server_error"),
    "rate-limit": ("failed", "rate_limit_exceeded"),
    "quota": ("failed", "insufficient_quota"),
    "prompt-filtered": ("failed", "content_filter"),
    "content-filter": ("incomplete", "content_filter"),
    "incomplete": ("incomplete", "max_output_tokens"),
    "cancelled": ("cancelled", "turn_detected"),
}

CLOSES = {
    "close-1000": 1000,
    "close-1001": 1001,
    "close-1007": 1007,
    "close-1008": 1008,
    "close-1009": 1009,
    "close-1011": 1011,
    "close-1012": 1012,
    "close-1013": 1013,
    "close-3000": 3000,
    "close-4000": 4000,
    "expired": 1001,
    "lost": 1006,
}


def _depth(data: bytes) -> bool:
    with pytest.raises(RecursionError):
        json.loads(data)
    return data.count(b"[") == frames.DEPTH


def _not_json(data: bytes) -> bool:
    with pytest.raises(json.JSONDecodeError):
        json.loads(data)
    return True


def _huge(data: bytes) -> bool:
    with pytest.raises(ValueError, match="4300 digits"):
        json.loads(data)
    return b"1e999" in data


def _not_utf8(data: bytes) -> bool:
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    return True


def _delta(data: bytes) -> Any:
    return json.loads(data)["delta"]


MESSAGES: dict[str, Callable[[bytes], object]] = {
    "not-json": _not_json,
    "cut-json": lambda data: data.startswith(b'{"type":"response.output_text.delta"') and _not_json(data),
    "json-null": lambda data: json.loads(data) is None,
    "json-array": lambda data: isinstance(json.loads(data), list),
    "empty": lambda data: data == b"",
    "binary": lambda data: data == bytes(range(256)),
    "binary-json": lambda data: json.loads(data)["type"] == "response.telepathy.delta",
    "not-utf8": _not_utf8,
    "fragments": lambda data: json.loads(data)["type"] == "rate_limits.updated",
    "unknown-event": lambda data: json.loads(data)["type"] == "response.telepathy.delta",
    "no-type": lambda data: "type" not in json.loads(data),
    "missing-fields": lambda data: set(json.loads(data)) == {"type", "event_id"},
    "wrong-types": lambda data: isinstance(_delta(data), list),
    "bad-base64": lambda data: _delta(data).startswith("%%%"),
    "odd-audio": lambda data: _delta(data) == "AAAA",
    "deep-nesting": _depth,
    "huge-numbers": _huge,
    "surrogate-halves": lambda data: {"\ud83d"} <= set(_delta(data)),
    "long-string": lambda data: 8 * 1024 * 1024 < len(data) < 8 * 1024 * 1024 + 1024,
    "too-big": lambda data: len(data) > 40 * 1024 * 1024,
    "escapes": lambda data: _delta(data) == frames.ESCAPES,
    "escapes-in-type": lambda data: "\x1b[2J" in json.loads(data)["type"],
}
BINARY = {"binary", "binary-json"}


def test_every_fault_is_tested_here() -> None:
    by_itself = {
        *("redirect", "redirect-loop", "beta-session", "no-session-created", "beta-disabled", "update-refused"),
        *("expires-soon", "no-answer", "unnamed-error", "no-response-done", "error", "dead", "protocol-error"),
        *("slow-reader", "transcription-failed", "transcription-missing", "no-transcriber", "whisper-only"),
        "transcriber-refused",
    }
    tables = {*ADDRESSES, *NO_TLS, *CERTIFICATES, *REFUSALS, *PAGES, *BROKEN_HANDSHAKES, *STATUSES, *CLOSES, *MESSAGES}
    assert tables | by_itself == set(FAULTS)


def test_names_and_lines_fit_a_terminal() -> None:
    for fault in FAULTS.values():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.name)
        assert fault.what.endswith(".")
        assert len(fault.name) <= 22
        assert len(fault.what) <= 90, fault.what
        assert fault.what.isprintable()


def test_the_readme_counts_them() -> None:
    assert f"`--list-faults` names all {len(FAULTS)})" in (Path(__file__).parents[3] / "README.md").read_text()


async def turned_away(sim: Simulator) -> InvalidStatus:
    """Return how the next connection is refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(sim.url(), additional_headers={"api-key": "mine"}):
            pass
    return caught.value


@pytest.mark.parametrize("name", ADDRESSES)
async def test_nothing_is_where_the_url_leads(name: str) -> None:
    async with simulator(faults=[name]) as sim:
        with pytest.raises(ADDRESSES[name]):
            async with connect(sim.url()):
                pass
        with pytest.raises(OSError, match="in use"):
            async with simulator(port=sim.port):
                pass
    async with simulator(port=sim.port):
        pass  # the port is given back


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_fault_of_the_address_cannot_strike_once(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is there as long as the server runs: leave out @2"):
        FaultPlan([f"{name}@2"])


def trusting(sim: Simulator) -> ssl.SSLContext:
    """A client's context with the authority of this simulator, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as in Python's own default from 3.13 on
    context.load_verify_locations(sim.ca_file)
    return context


@pytest.mark.parametrize("name", CERTIFICATES)
async def test_a_certificate_that_must_not_be_trusted(name: str) -> None:
    async with simulator(faults=[f"{name}@1"]) as sim:
        with pytest.raises(ssl.SSLCertVerificationError, match=CERTIFICATES[name]):
            async with connect(sim.url(), ssl=trusting(sim)):
                pass
        async with client(sim, ssl=trusting(sim)) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"


@pytest.mark.parametrize("name", NO_TLS)
async def test_tls_that_does_not_come_about(name: str) -> None:
    kind, words = NO_TLS[name]
    async with simulator(faults=[f"{name}@1"]) as sim:
        with pytest.raises(kind, match=words):
            async with connect(
                sim.url(), ssl=trusting(sim), open_timeout=SOON_S if name == "tls-silent" else DEADLINE_S
            ):
                pass
        async with client(sim, ssl=trusting(sim)) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"


async def test_tls_counts_tcp_connections_and_tells_who_did_not_get_through() -> None:
    told: list[str] = []
    async with simulator(faults=["tls-hang-up@2", "http-503@1"], narrate=told.append) as sim:
        _, writer = await asyncio.open_connection("127.0.0.1", sim.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        while not told:
            await asyncio.sleep(0)
        writer.close()
        with pytest.raises(ConnectionError):
            async with connect(sim.url(), ssl=trusting(sim)):
                pass
        with pytest.raises(InvalidStatus, match="503"):
            async with connect(sim.url(), ssl=trusting(sim)):
                pass
    assert told[:2] == ["a client did not get through TLS: HTTP_REQUEST", "fault tls-hang-up at TCP connection 2"]


async def test_stopping_does_not_wait_for_tls_that_never_comes() -> None:
    async with asyncio.timeout(DEADLINE_S):
        async with simulator(faults=["tls-silent@1"]) as sim:
            connected = [await asyncio.open_connection("127.0.0.1", sim.port) for _ in range(2)]
            while len(sim._arriving) < 2:  # the second has TLS, and does not begin it
                await asyncio.sleep(0)
        for reader, writer in connected:
            try:
                assert await reader.read() == b""
            except ConnectionError:
                pass  # the end of the connection may be a reset
            writer.close()


async def test_the_file_of_the_authority_is_there_while_it_runs() -> None:
    async with simulator(tls=True) as sim:
        assert sim.endpoint.startswith("https://")
        assert sim.ca_file is not None
        assert "PRIVATE" not in sim.ca_file.read_text()
        async with client(sim, ssl=trusting(sim)) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"
        with pytest.raises(ssl.SSLCertVerificationError):
            async with connect(sim.url()):
                pass
    assert not sim.ca_file.exists()


@pytest.mark.parametrize("name", REFUSALS)
async def test_the_service_refuses_in_its_own_words(name: str) -> None:
    status, code, retry_after = REFUSALS[name]
    async with simulator(faults=[name]) as sim:
        response = (await turned_away(sim)).response
    assert response.status_code == status
    error = json.loads(response.body)["error"]
    assert (error["code"] or "") == code
    assert error["message"]
    assert len(response.headers["apim-request-id"]) == 36
    if retry_after == "date":
        assert parsedate_to_datetime(response.headers["Retry-After"]).timestamp() - time.time() + DEADLINE_S >= 0
    else:
        assert response.headers.get("Retry-After", "") == retry_after
    assert not sim.sessions


@pytest.mark.parametrize("name", PAGES)
async def test_a_web_page_comes_from_something_else_than_the_service(name: str) -> None:
    async with simulator(faults=[name]) as sim:
        response = (await turned_away(sim)).response
    assert response.status_code == PAGES[name]
    assert response.body.startswith(b"<html>")
    assert "apim-request-id" not in response.headers


@pytest.mark.parametrize("name", BROKEN_HANDSHAKES)
async def test_a_handshake_that_fails_without_a_status(name: str) -> None:
    async with simulator(faults=[f"{name}@1"]) as sim:
        with pytest.raises(BROKEN_HANDSHAKES[name]):
            async with connect(sim.url(), open_timeout=SOON_S if name == "no-http" else DEADLINE_S):
                pass
        async with client(sim) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"


async def test_stopping_does_not_wait_for_a_request_that_is_never_answered() -> None:
    async with asyncio.timeout(DEADLINE_S):
        async with simulator(faults=["no-http"]) as sim:
            reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
            writer.write(b"GET /v1/realtime?model=m HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n")
            writer.write(b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
            writer.write(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), SOON_S)
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass  # the end of the connection may be a reset
        writer.close()


@pytest.mark.parametrize("first", ["127.0.0.1", "localhost"])
async def test_a_key_that_follows_a_redirect_is_told(first: str) -> None:
    told: list[str] = []
    async with simulator(faults=["redirect"], narrate=told.append) as sim:
        url = sim.url().replace("127.0.0.1", first)
        async with connect(url, additional_headers={"api-key": "s3cret"}) as connection:  # follows, unlike azrt-tui
            assert json.loads(await connection.recv())["type"] == "session.created"
    assert "the client followed the redirect and sent api-key" in told
    assert "s3cret" not in str(told)


async def test_redirects_in_circles() -> None:
    async with simulator(faults=["redirect-loop"]) as sim:
        with pytest.raises(InvalidHandshake, match="redirects"):
            async with connect(sim.url()):
                pass


async def test_a_beta_session_at_a_ga_address() -> None:
    async with session(faults=["beta-session"]) as talker:
        (created,) = talker.of("session.created")
        assert "type" not in created["session"]
        assert created["session"]["modalities"]
        await talker.send("session.update", session={"type": "realtime"})
        assert (await talker.error())["param"] == "session.type"


async def test_a_session_that_says_nothing() -> None:
    async with simulator(faults=["no-session-created"]) as sim, connect(sim.url()) as connection:
        await connection.send('{"type":"session.update","session":{"type":"realtime"}}')
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), SOON_S)
        await (await connection.ping())  # the connection itself is well


async def test_the_end_of_the_beta_as_it_was_recorded() -> None:
    async with simulator(faults=["beta-disabled"]) as sim, connect(sim.url()) as connection:
        assert json.loads(await connection.recv())["error"]["code"] == "beta_api_shape_disabled"
        with pytest.raises(ConnectionClosedError):
            await connection.recv()
        assert connection.close_code == 4000
        assert connection.close_reason == "invalid_request_error.beta_api_shape_disabled"


async def test_one_field_is_refused_and_stays_refused() -> None:
    async with session(faults=["update-refused"]) as talker:
        loud = {"output": {"voice": "ash"}, "input": {"noise_reduction": {"type": "near_field"}}}
        for _ in range(2):
            await talker.send("session.update", session={"type": "realtime", "audio": loud})
            error = await talker.error()
            assert (error["code"], error["param"]) == ("unknown_parameter", "session.audio.input.noise_reduction")
        del loud["input"]
        assert (await talker.update(audio=loud))["audio"]["output"]["voice"] == "ash"


async def test_a_session_that_expires_soon_says_so() -> None:
    async with session(faults=["expires-soon"]) as talker:
        (created,) = talker.of("session.created")
        assert 120 < created["session"]["expires_at"] - time.time() <= 150


async def test_no_answer_leaves_the_session_as_it_was() -> None:
    async with session(faults=["no-answer@1"]) as talker:
        await talker.say("hello")
        await talker.send("response.create")
        assert (await talker.ask("hello"))["status"] == "completed"
        assert len(talker.of("response.created")) == 1


async def test_an_error_that_does_not_say_what_it_is_about() -> None:
    async with session(faults=["unnamed-error"]) as talker:
        await talker.send("response.create", event_id="mine")
        error = await talker.error()
        assert (error["type"], error["event_id"]) == ("server_error", None)
        assert "response.created" not in talker.types


async def test_an_answer_that_never_ends_can_be_cancelled() -> None:
    async with session(faults=["no-response-done@1"]) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.nth("response.output_text.delta", 3)
        await talker.send("response.create")
        assert (await talker.error())["code"] == "conversation_already_has_active_response"
        await talker.send("response.cancel")
        assert (await talker.until("response.done"))["response"]["status"] == "cancelled"
        assert len(talker.of("response.output_text.delta")) == 3
        assert (await talker.ask("hello"))["status"] == "completed"


@pytest.mark.parametrize("modality", ["text", "audio"])
@pytest.mark.parametrize("name", STATUSES)
async def test_an_answer_ends_badly_and_the_next_one_well(name: str, modality: str) -> None:
    status, why = STATUSES[name]
    fault = FAULTS[name]
    assert isinstance(fault, AnswerFault)
    async with session(faults=[f"{name}@1"]) as talker:
        response = await talker.ask("hello", output_modalities=[modality])
        details = response["status_details"]
        assert (response["status"], details["type"]) == (status, status)
        error = details.get("error", {})
        assert why in (details.get("reason"), error.get("code"), error.get("type"))
        if fault.moment is Moment.AT_ONCE:
            assert response["output"] == []
        else:
            assert response["output"][0]["status"] == "incomplete"
        if name == "rate-limit":
            (updated, *_) = [event for event in talker.of("rate_limits.updated") if len(event["rate_limits"]) == 1]
            wait = updated["rate_limits"][0]["reset_seconds"]
            assert f"Please try again in {wait}s." in error["message"]
        assert (await talker.ask("hello", output_modalities=[modality]))["status"] == "completed"


async def test_an_error_in_the_middle_of_an_answer() -> None:
    async with session(faults=["error"]) as talker:
        assert (await talker.ask("hello", output_modalities=["text"]))["status"] == "completed"
        assert talker.types.index("error") < len(talker.types) - 1
        assert len(talker.of("response.output_text.delta")) > 3


@pytest.mark.parametrize("name", CLOSES)
async def test_the_connection_ends_in_the_middle_of_an_answer(name: str) -> None:
    async with simulator(faults=[f"{name}@2"]) as sim:
        async with client(sim) as talker:
            assert (await talker.ask("hello", output_modalities=["text"]))["status"] == "completed"
            with pytest.raises((ConnectionClosedError, ConnectionClosedOK)) as caught:
                await talker.ask("hello", output_modalities=["text"])
            assert talker.connection.close_code == CLOSES[name]
            assert "response.output_text.delta" in talker.types[talker.types.index("response.done") + 1 :]
            if name in ("lost", "expired", "close-1000"):
                assert not talker.connection.close_reason
            else:
                assert talker.connection.close_reason
            assert (caught.value.rcvd is None) == (name == "lost")
            assert [event["error"]["code"] for event in talker.of("error")] == ["session_expired"] * (name == "expired")
        async with client(sim) as talker:  # it has struck once
            assert (await talker.ask("hello", output_modalities=["text"]))["status"] == "completed"


async def test_a_server_that_dies_silently() -> None:
    async with simulator(faults=["dead"]) as sim, client(sim, ping_interval=None) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.nth("response.output_text.delta", 3)
        pong = await talker.connection.ping()
        await talker.send("response.cancel")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talker.connection.recv(), SOON_S)
        assert not pong.done()
        async with asyncio.timeout(DEADLINE_S):
            await sim.stop()  # it does not wait for a goodbye that it cannot hear
        with pytest.raises(ConnectionClosedError):
            await talker.receive()
        assert talker.connection.close_code == 1006


async def test_a_keepalive_notices_a_dead_server() -> None:
    impatient = {"ping_interval": SOON_S, "ping_timeout": SOON_S, "close_timeout": SOON_S}
    async with simulator(faults=["dead"]) as sim, client(sim, **impatient) as talker:
        with pytest.raises(ConnectionClosedError) as caught:
            await talker.ask("hello")
        assert caught.value.sent is not None
        assert (caught.value.sent.code, caught.value.sent.reason) == (1011, "keepalive ping timeout")


async def test_a_frame_that_breaks_the_protocol() -> None:
    async with session(faults=["protocol-error"]) as talker:
        with pytest.raises(ConnectionClosedError) as caught:
            await talker.ask("hello")
        assert caught.value.sent is not None
        assert caught.value.sent.code == 1002


async def test_a_slow_reader_makes_the_client_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "SLOW_READ_S", 3600.0)
    async with session(faults=["slow-reader"]) as talker:
        assert (await talker.ask("hello", output_modalities=["text"]))["status"] == "completed"
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64:  # MiB: more than any kernel buffers
                await asyncio.wait_for(talker.connection.send("x" * 1024 * 1024), SOON_S)
                sent += 1
        assert sent < 64
        talker.connection.transport.abort()


@pytest.mark.parametrize("name", MESSAGES)
async def test_a_strange_message_comes_in_an_answer_that_goes_on(name: str) -> None:
    async with session(faults=[name]) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.nth("response.output_text.delta", 3)
        async with asyncio.timeout(DEADLINE_S):
            if name in BINARY:
                assert isinstance(data := await talker.connection.recv(), bytes)
            else:
                data = await talker.connection.recv(decode=False)
        assert MESSAGES[name](data)
        done = await talker.until("response.done")
        assert done["response"]["status"] == "completed"
        assert done["response"]["output"][0]["content"][0]["text"].startswith("Hello")


async def test_fragments_are_fragments() -> None:
    async with session(faults=["fragments"]) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.nth("response.output_text.delta", 3)
        parts = [part async for part in talker.connection.recv_streaming()]
        assert len(parts) > 5
        assert json.loads("".join(str(part) for part in parts))["type"] == "rate_limits.updated"


@pytest.mark.parametrize("name", ["transcription-failed", "transcription-missing"])
async def test_a_transcription_fails_and_the_next_does_not(name: str) -> None:
    async with session(faults=[f"{name}@1"]) as talker:
        await talker.update(audio={"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}})
        for _ in range(2):
            await talker.append(silence(200))
            await talker.send("input_audio_buffer.commit")
        failed = await talker.nth("conversation.item.input_audio_transcription.failed", 1)
        event = ConversationItemInputAudioTranscriptionFailedEvent.model_validate(failed, strict=True)
        first, second = (committed["item_id"] for committed in talker.of("input_audio_buffer.committed"))
        assert event.item_id == first
        if name == "transcription-failed":
            assert event.error.code == "audio_unintelligible"
        else:
            assert event.error.code is None
            assert first in str(event.error.message)
        completed = await talker.nth("conversation.item.input_audio_transcription.completed", 1)
        assert completed["item_id"] == second


@pytest.mark.parametrize(
    ("fault", "failing"),
    [("whisper-only", ["gpt-live-transcribe"]), ("no-transcriber", ["gpt-live-transcribe", "whisper-1"])],
)
async def test_a_resource_has_the_transcription_models_that_are_deployed(fault: str, failing: list[str]) -> None:
    kind = "conversation.item.input_audio_transcription"
    async with session(faults=[fault]) as talker:
        failed = []
        for number, model in enumerate(("gpt-live-transcribe", "whisper-1"), 1):
            await talker.update(audio={"input": {"transcription": {"model": model}, "turn_detection": None}})
            await talker.append(silence(200))
            await talker.send("input_audio_buffer.commit")
            while len(talker.of(f"{kind}.failed")) + len(talker.of(f"{kind}.completed")) < number:
                await talker.receive()
            failed += [model] if len(talker.of(f"{kind}.failed")) > len(failed) else []
        assert failed == failing
        assert {event["error"]["code"] for event in talker.of(f"{kind}.failed")} == {"DeploymentNotFound"}


async def test_a_server_may_refuse_a_transcription_model_by_its_name() -> None:
    async with session(faults=["transcriber-refused"]) as talker:
        wanted = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}}}
        await talker.send("session.update", session=wanted)
        (error,) = [await talker.nth("error", 1)]
        assert error["error"]["param"] == "session.audio.input.transcription.model"
        updated = await talker.update(audio={"input": {"transcription": {"model": "whisper-1"}}})
        assert updated["audio"]["input"]["transcription"] == {"model": "whisper-1"}


async def test_a_tool_call_is_struck_too() -> None:
    tool = {"type": "function", "name": "ping", "description": "", "parameters": {"type": "object", "properties": {}}}
    async with session(faults=["response-failed"]) as talker:
        await talker.update(tools=[tool], tool_choice="required")
        response = await talker.ask("ping")  # one delta only: "{}"
        assert (response["status"], response["output"][0]["type"]) == ("failed", "function_call")


async def test_a_number_is_that_of_a_connection_or_an_answer_of_the_whole_server() -> None:
    told: list[str] = []
    async with simulator(faults=["http-503@1", "http-429@2", "error@2"], narrate=told.append) as sim:
        assert [(await turned_away(sim)).response.status_code for _ in range(2)] == [503, 429]
        for _ in range(3):
            async with client(sim) as talker:
                await talker.ask("hello")
    faults = [line for line in told if line.startswith("fault")]
    assert faults == ["fault http-503 at connection 1", "fault http-429 at connection 2", "fault error at answer 2"]


async def test_several_faults_in_one_answer_strike_in_the_order_given() -> None:
    async with session(faults=["json-null", "empty", "close-1011"]) as talker:
        await talker.say("hello")
        await talker.send("response.create", response={"output_modalities": ["text"]})
        await talker.nth("response.output_text.delta", 3)
        assert [await talker.connection.recv() for _ in range(2)] == ["null", ""]
        with pytest.raises(ConnectionClosedError):
            await talker.receive()
        assert talker.connection.close_code == 1011


async def test_faults_can_be_planned_and_cleared_while_it_runs() -> None:
    async with simulator() as sim:
        sim.faults.add("http-401")
        assert (await turned_away(sim)).response.status_code == 401
        sim.faults.clear()
        async with client(sim) as talker:
            assert (await talker.ask("hello"))["status"] == "completed"


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("", "there is no fault ''"),
        ("nothing", "'nothing'"),
        ("\x1b[2J", r"'\x1b[2J'"),
        ("lost@", "'' after @ in 'lost@'"),
        ("lost@0", "'0'"),
        ("lost@-1", "'-1'"),
        ("lost@x", "'x'"),
        ("lost@1@2", "'1@2'"),
        ("lost@\u0663", r"'\u0663'"),
    ],
)
def test_what_is_no_fault_is_named(spec: str, named: str) -> None:
    with pytest.raises(ValueError, match=re.escape(named)) as caught:
        FaultPlan([spec])
    assert str(caught.value).isprintable()


def test_the_kinds_count_what_they_say() -> None:
    kinds = {type(fault): fault.counted for fault in FAULTS.values()}
    assert kinds == {
        AddressFault: "always",
        TlsFault: "TCP connection",
        HandshakeFault: "connection",
        OpeningFault: "connection",
        NoAnswerFault: "answer",
        AnswerFault: "answer",
        TranscriptionFault: "transcription",
    }


async def test_tls_with_a_private_authority() -> None:
    authority = Authority()
    async with simulator(tls=authority.good()) as sim:
        assert sim.endpoint.startswith("https://")
        async with connect(sim.url(), ssl=authority.trusting()) as connection:
            assert json.loads(await connection.recv())["type"] == "session.created"
        with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get local issuer"):
            async with connect(sim.url()):
                pass
    for bad, words in ((authority.expired(), "expired"), (authority.wrong_name(), "not valid for '127.0.0.1'")):
        async with simulator(tls=bad) as sim:
            with pytest.raises(ssl.SSLCertVerificationError, match=words):
                async with connect(sim.url(), ssl=authority.trusting()):
                    pass


def test_the_command_lists_the_faults(capsys: pytest.CaptureFixture[str]) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "tui", "simulator", "--list-faults"], capture_output=True, text=True, check=True
    )
    lines = found.stdout.splitlines()
    assert [re.split(r"\s{2,}", line) for line in lines] == [[f.name, f.counted, f.what] for f in FAULTS.values()]


def test_the_command_strikes_and_tells() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "simulator", "--fault", "http-403@1", "--fault", "not-json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with pytest.raises(InvalidStatus, match="403"):
            connect_sync(url)
        with connect_sync(url) as connection:
            assert json.loads(connection.recv(timeout=DEADLINE_S))["type"] == "session.created"
        process.terminate()
        _, err = process.communicate(timeout=DEADLINE_S)
    finally:
        process.kill()
        process.communicate()
    assert "simulator: fault http-403 at connection 1\n" in err


def test_the_command_serves_tls_and_says_what_to_type(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "simulator", "--tls", "--speed", "1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert url.startswith("wss://127.0.0.1:")
        listening, where, line = (process.stderr.readline().strip() for _ in range(3))
        assert "listening on 127.0.0.1" in listening
        assert "the authority in " in where
        assert line.endswith(f" azrt-tui --url '{url}'")
        typed = shlex.split(line.replace("azrt-tui", f"{sys.executable} -m tui") + " say hello")
        found = subprocess.run(
            ["env", f"HOME={tmp_path}", *typed], capture_output=True, text=True, timeout=60, cwd=tmp_path
        )
        assert found.stdout.startswith("Hello"), found.stderr
        file = Path(typed[0].partition("=")[2])
        assert file.exists()
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
        assert not file.exists()
    finally:
        process.kill()
        process.communicate()


def test_the_command_refuses_a_fault_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(faults=["nothing"]) == 1
    assert "there is no fault 'nothing'" in capsys.readouterr().err
    found = subprocess.run(
        [sys.executable, "-m", "tui", "simulator", "--fault", "lost@soon"], capture_output=True, text=True
    )
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.startswith("azrt-tui: 'soon' after @ in 'lost@soon' is not a number from 1 on.")
