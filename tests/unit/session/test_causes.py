"""Every way in which a connection fails or ends, through real sockets and the real SDK, by the name it gets."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import connect
from websockets.datastructures import Headers
from websockets.exceptions import InvalidProxy, InvalidProxyStatus
from websockets.http11 import Response

from tests.support.recordings import BETA_CREATED, BETA_OVER
from tests.support.servers import CREATED, Peer, http, http_server, websocket_server
from tests.support.sessions import KEY, session
from tests.unit.simulator.support import simulator
from tui.conversation import Cause, Link
from tui.endpoint import explicit_target
from tui.failures.table import Retry
from tui.session import SendText, causes
from tui.session.plan import Timeouts
from tui.session.proxy import proxy_for, proxy_variable
from tui.wire import Direction

HTML = b"<!doctype html><title>Sign in</title>"
NOT_DEPLOYED = json.dumps({"error": {"code": "DeploymentNotFound", "message": "It does not exist."}}).encode()


async def cause_at(url: str, **changes: object) -> Cause:
    """Why connecting to a URL fails; the log and the transcript must say so too."""
    async with session(url, **changes) as running:
        cause = await running.cause()
        assert cause.sentence in running.said
        last = running.entries(Direction.LOCAL)[-1]
        assert cause.sentence.encode() in running.log.data(last.index) or last.type == "websocket.close"
        return cause


OVER_QUOTA = b'{"error": {"code": null, "message": "You exceeded your current quota."}}'
BAD_KEY = b'{"error": {"code": "invalid_api_key", "message": "No."}}'


@pytest.mark.parametrize(
    ("answer", "name", "sentence", "fix"),
    [
        (http("400 Bad Request"), "http-400", "refused the request (HTTP 400)", "path, and the model"),
        (http("401 Unauthorized"), "http-401", "refused the key (HTTP 401)", "key"),
        (http("403 Forbidden"), "http-403", "forbids access (HTTP 403)", "what the key may do"),
        (
            http("404 Not Found", NOT_DEPLOYED),
            "http-404",
            "path (HTTP 404, DeploymentNotFound). It said: It does not exist.",
            "path, and the model",
        ),
        (http("429 Too Many Requests", b"", "Retry-After: 17"), "http-429", "no room", "Wait 17 s"),
        (
            http("429 Too Many Requests", b"", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"),
            "http-429",
            "no room",
            "",
        ),
        (http("429 Too Many Requests", OVER_QUOTA), "quota", "It said: You exceeded your current quota.", "billing"),
        (http("402 Payment Required"), "quota", "quota of 127.0.0.1", "billing"),
        (http("400 Bad Request", BAD_KEY), "http-400", "refused the key (HTTP 400", "key that this server expects"),
        (http("500 Internal Server Error"), "http-500", "failed (HTTP 500)", ""),
        (http("503 Service Unavailable"), "http-503", "failed (HTTP 503)", ""),
        (http("418 I'm a teapot", b'{"error": "short and stout"}'), "http-418", "It said: short and stout", "URL"),
        (
            http("200 OK", HTML, "Content-Type: text/html"),
            "http-200",
            "answered with a web page, not with a WebSocket (HTTP 200). It said: Sign in.",
            "portal",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "handshake", "not as a WebSocket server: did not receive a", "URL"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "handshake", "SSH-2.0-OpenSSH_9.6", "URL"),
        (b"HTTP/1.0 403 Forbidden\r\n\r\n", "handshake", "HTTP/1.0 403 Forbidden", "URL"),
        (b"", "handshake-cut", "ended it without an answer", "no WebSocket server, or speak HTTP/2 or TLS only"),
    ],
)
async def test_http_answers(answer: bytes, name: str, sentence: str, fix: str) -> None:
    async with http_server(answer) as server:
        cause = await cause_at(server.url)
    assert cause.name == name
    assert sentence in cause.sentence
    assert fix in cause.fix
    assert "127.0.0.1" in cause.sentence


@pytest.mark.parametrize(
    ("answer", "open_s", "name", "sentence"),
    [
        (
            b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\n{"error": {"message": "No such key."}}',
            1.0,
            "http-401",
            "It said: No such key.",
        ),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Le", 0.3, "timeout", "did not answer in time"),
    ],
)
async def test_http_answers_without_an_end(answer: bytes, open_s: float, name: str, sentence: str) -> None:
    async with http_server(answer, ends=False) as server:
        cause = await cause_at(server.url, timeouts=Timeouts(open_s=open_s))
    assert cause.name == name
    assert sentence in cause.sentence


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        ("400 Bad Request", "realtime model"),
        ("401 Unauthorized", "AZURE_OPENAI_API_KEY"),
        ("403 Forbidden", "network rules"),
        ("404 Not Found", "AZURE_OPENAI_DEPLOYMENT"),
    ],
)
async def test_what_to_do_about_a_refusal_depends_on_whose_it_is(status: str, fix: str) -> None:
    async with http_server(http(status)) as server:
        elsewhere = await cause_at(server.url)
        azure = await cause_at(server.url.replace("/v1/", "/openai/v1/"))
    assert fix in azure.fix and azure.line.startswith("az ")
    assert "AZURE" not in elsewhere.fix and elsewhere.line == "azrt-tui url"


async def test_what_a_support_person_asks_for_is_kept() -> None:
    answer = http(
        "401 Unauthorized", b'{"error":{"code":"401"}}', "apim-request-id: abc-1", "x-ms-region: Sweden Central"
    )
    async with http_server(answer) as server:
        cause = await cause_at(server.url.replace("/v1/", "/openai/v1/"))
    assert cause.facts == {"status": "401", "apim-request-id": "abc-1", "x-ms-region": "Sweden Central"}
    assert "AZURE_OPENAI_API_KEY" in cause.fix
    assert "HTTP 401)" in cause.sentence, "a code that only repeats the status is left out"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
@pytest.mark.parametrize("form", ["ws", "http"])
async def test_the_key_never_goes_to_another_port(status: str, form: str) -> None:
    async with http_server(http("404 Not Found")) as other:
        target = other.url.replace("ws:", f"{form}:")
        async with http_server(http(status, b"", f"Location: {target}")) as server:
            cause = await cause_at(server.url)
        assert other.requests == []
    assert cause.name == "redirect"
    assert "does not send the key there" in cause.sentence
    assert cause.facts["location"] == target.partition("/v1")[0]
    (request,) = server.requests
    assert KEY in request, "the key goes where the person sent it"


@pytest.mark.parametrize(
    "location", ["//localhost.invalid/x", "http://[", "wss://127.0.0.1/x", "ws://user@evil.invalid/"]
)
async def test_other_redirects_are_not_followed(location: str) -> None:
    async with http_server(http("302 Found", b"", f"Location: {location}")) as server:
        cause = await cause_at(server.url)
    assert cause.name == "redirect"
    assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["/there?model=m", "http://{host}/there?model=m#part"])
async def test_a_redirect_within_the_origin_is_followed(form: str) -> None:
    def answer(head: str) -> bytes:
        if head.startswith("GET /there"):
            return http("403 Forbidden")
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        return http("307 Temporary Redirect", b"", f"Location: {form.format(host=host)}")

    async with http_server(answer) as server:
        cause = await cause_at(server.url)
    assert cause.name == "http-403"
    assert [KEY in request for request in server.requests] == [True, True]


async def test_a_server_that_redirects_for_ever() -> None:
    async with http_server(http("302 Found", b"", "Location: /again")) as server:
        cause = await cause_at(server.url)
    assert cause.name == "handshake"
    assert "redirects" in cause.sentence


async def test_no_http_answer() -> None:
    async with http_server(None) as server:
        cause = await cause_at(server.url, timeouts=Timeouts(open_s=0.2))
    assert (cause.name, cause.sentence.endswith("did not answer in time.")) == ("timeout", True)


async def test_nothing_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert (await cause_at(f"ws://127.0.0.1:{port}/")).name == "refused"
    assert (await cause_at(f"ws://localhost:{port}/")).name == "refused"


async def test_an_unknown_host() -> None:
    cause = await cause_at("wss://no-such-host.invalid/v1/realtime")
    assert (cause.name, cause.sentence) == ("dns", "No address is known for no-such-host.invalid.")
    assert "in the URL" in cause.fix
    cause = await cause_at("wss://no-such-host.invalid/openai/v1/realtime")
    assert "AZURE_OPENAI_ENDPOINT" in cause.fix


async def test_tls_against_a_port_that_answers_in_plain_http() -> None:
    async with http_server(http("400 Bad Request"), wait_for=b"") as server:
        cause = await cause_at(server.url.replace("ws:", "wss:"))
    assert cause.name == "tls"
    assert "does not speak TLS on this port" in cause.sentence


async def test_tls_against_a_port_that_hangs_up() -> None:
    async with http_server(b"", wait_for=b"") as server:
        cause = await cause_at(server.url.replace("ws:", "wss:"))
    assert cause.name == "tls-cut"
    assert cause.passes


async def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    async with websocket_server(Peer.drain, tls=self_signed(tmp_path)) as server:
        cause = await cause_at(server.url)
    assert cause.name == "tls-untrusted"
    assert "self-signed" in cause.sentence
    assert "AZRT_CA_FILE" in cause.fix


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server context with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


# After the handshake


@pytest.mark.parametrize(
    ("code", "reason", "name", "sentence"),
    [
        (1000, "", "closed-1000", "The server ended the session."),
        (1001, "", "closed-1001", "going away"),
        (1001, "Your session hit the maximum duration of 60 minutes.", "expired", "reached its time limit"),
        (1003, "", "closed-1003", "a kind of data that it does not take"),
        (1008, "policy", "closed-1008", "It said: policy."),
        (1009, "", "closed-1009", "larger than the server takes"),
        (1011, "keepalive ping timeout", "closed-1011", "after an error of its own. It said: keepalive ping timeout"),
        (3000, "", "closed-3000", "no longer accepts the key"),
        (3456, "", "closed-3456", "with code 3456"),
        (4000, "invalid_request_error.beta_api_shape_disabled", "beta-api", "no longer speaks the Realtime Beta"),
        (1008, "beta_api_shape_disabled", "beta-api", "no longer speaks the Realtime Beta"),
        (3000, "invalid_request_error.session_expired", "expired", "reached its time limit"),
        (1008, "session_expired", "expired", "reached its time limit"),
        (4000, "Your session hit the maximum duration of 60 minutes.", "expired", "reached its time limit"),
        (3000, "invalid_request_error.invalid_api_key", "closed-3000", "no longer accepts the key"),
        (3000, "Server is shutting down", "closed-3000", "it restarts. It said: Server is shutting down."),
        (3000, "See you.", "closed-3000", "closed the connection with code 3000. It said: See you."),
        (4000, "See you.", "closed-4000", "closed the connection with code 4000. It said: See you."),
        (4000, "invalid_request_error.invalid_event", "closed-4000", "because of something it was sent. It said: inv"),
        (1008, "invalid_request_error.invalid_event", "closed-1008", "because of something it was sent. It said: inv"),
        (1011, "Incorrect API key provided", "session-key", "does not accept the key"),
        (1008, "insufficient_quota", "session-quota", "the quota is used up"),
        (1011, "You have exceeded your quota", "session-quota", "the quota is used up"),
        (4029, "rate_limit_exceeded", "session-rate-limit", "too many requests or tokens"),
        (1000, "model_not_found", "session-model", "does not offer this model"),
        (4001, "content_filter", "session-filtered", "content filter refused"),
        (1008, "idle timeout", "session-idle", "nothing was said for too long"),
        (1008, "server_error", "closed-1008", "after an error of its own"),
    ],
)
@pytest.mark.parametrize("before", [[], [CREATED]], ids=["before session.created", "after it"])
async def test_close_codes(code: int, reason: str, name: str, sentence: str, before: list[object]) -> None:
    async def script(peer: Peer) -> None:
        await peer.receive()
        await peer.send(*before)
        await peer.connection.close(code, reason)

    async with websocket_server(script) as server, session(server.url) as running:
        cause = await running.cause()
        await running.assert_same_as(*server.peers)
        assert running.status.link is (Link.CLOSED if before else Link.FAILED)
    assert cause.name == name
    assert sentence in cause.sentence
    assert cause.facts["close code"] == str(code)
    assert cause.facts.get("reason", "") == reason


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 3000, 3456, 4000, 4999])
def test_a_known_reason_is_told_whatever_the_code(code: int) -> None:
    for reason, name, retry, fix in (
        ("invalid_request_error.session_expired", "expired", Retry.AT_ONCE, ""),
        ("insufficient_quota", "session-quota", Retry.NEVER, "billing"),
        ("Rate limit reached. Try again in 3s.", "session-rate-limit", Retry.BACK_OFF, "Wait 3 s."),
        ("model_not_found", "session-model", Retry.NEVER, "name of the model"),
    ):
        found = causes.from_ending(causes.Ending(received=code, reason=reason))
        assert (found.name, found.retry) == (name, retry)
        assert fix in found.fix and "Check the key" not in found.fix


@pytest.mark.parametrize("code", [1007, 1008, 4000])
def test_a_reason_that_is_shown_is_not_called_missing(code: int) -> None:
    assert causes.from_ending(causes.Ending(received=code)).fix == "It gave no reason."
    assert causes.from_ending(causes.Ending(received=code, reason="policy")).fix == ""


async def test_a_goodbye_without_a_code() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        peer.connection.transport.write(b"\x88\x00")
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        cause = await running.cause()
    assert cause.name == "closed-1005"
    assert "did not say why" in cause.sentence


async def test_a_lost_connection() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.receive()
        await peer.lose()

    async with websocket_server(script) as server:
        assert (await cause_at(server.url)).name == "closed-1006"


async def test_what_was_typed_while_connecting_is_not_lost_in_silence() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.connection.close(1011)

    async with websocket_server(script) as server, session(server.url) as running:
        running.worker.submit(SendText("hello"))
        assert (await running.cause()).name == "closed-1011"
        await running.until(lambda: "hello" in running.said)
        turn = next(turn for turn in running.transcript if turn.text == "hello")
        assert turn.state in {"queued", "failed"}
        assert turn.state == "queued" or "connection ended" in turn.note


async def test_silence_after_the_handshake() -> None:
    async with websocket_server(Peer.drain) as server:
        cause = await cause_at(server.url, timeouts=Timeouts(created_s=0.2))
    assert cause.name == "no-session-created"
    assert "no session.created within 0.2 s" in cause.sentence


async def test_a_server_that_stops_answering() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.pause_reading()
        await peer.connection.wait_closed()

    async with websocket_server(script) as server:
        cause = await cause_at(server.url, timeouts=Timeouts(ping_s=0.2, pong_s=0.1, close_s=0.2))
    assert (cause.name, cause.facts) == ("silent", {"seconds without a pong": "0"})


async def test_a_message_over_the_limit() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.connection.send('{"type":"x","y":"' + "z" * (33 * 1024 * 1024) + '"}')
        await peer.drain()

    async with websocket_server(script) as server:
        cause = await cause_at(server.url)
    assert (cause.name, cause.facts["close code sent"]) == ("too-big", "1009")


async def test_a_server_that_breaks_the_websocket_protocol() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        peer.connection.transport.write(b"\xff\xff\xff\xff")
        await peer.drain()

    async with websocket_server(script) as server:
        assert (await cause_at(server.url)).name == "not-websocket"


async def test_session_expired() -> None:
    said = "Your session hit the maximum duration of 60 minutes."

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.send({"type": "error", "error": {"type": "x", "code": "session_expired", "message": said}})
        await peer.connection.close(1001)

    async with websocket_server(script) as server, session(server.url) as running:
        assert (await running.cause()).name == "expired"
        assert running.said == ["The session reached its time limit."], "one end, one line"


async def test_the_beta_dialect_of_the_simulator() -> None:
    async with simulator(dialect="beta") as sim:
        cause = await cause_at(sim.url())
    assert cause.name == "beta-session"
    assert "Realtime Beta protocol" in cause.sentence
    assert "AZURE_OPENAI_ENDPOINT" in cause.fix


async def test_a_recorded_beta_session() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(BETA_CREATED)
        await peer.drain()

    async with websocket_server(script) as server:
        assert (await cause_at(server.url)).name == "beta-session"


async def test_the_recorded_end_of_beta() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(BETA_OVER)
        await peer.connection.close(4000, "invalid_request_error.beta_api_shape_disabled")

    async with websocket_server(script) as server, session(server.url) as running:
        assert (await running.cause()).name == "beta-api"
        assert any("beta_api_shape_disabled" in said for said in running.said)


@pytest.mark.parametrize(
    ("created", "sentence"),
    [
        (
            {"type": "transcription_session.created", "session": {"input_audio_format": "pcm16"}},
            "transcription session",
        ),
        ({"type": "session.created", "session": {"type": "transcription"}}, "transcription session"),
        ({"type": "session.created", "session": {"type": "translation"}}, "translation session"),
        ({"type": "session.started", "session": {"id": "live_1"}}, "Live session"),
    ],
)
async def test_a_session_that_gives_no_answers_is_the_one_cause(created: dict[str, object], sentence: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.send({"event_id": "e", **created})
        while True:
            await peer.receive()
            await peer.send({"type": "error", "error": {"type": "invalid_request_error", "message": "Not here."}})

    async with websocket_server(script) as server, session(server.url) as running:
        cause = await running.cause()
        assert cause.name == "other-session" and sentence in cause.sentence
        assert running.said == [cause.sentence], "the errors follow from it"


async def test_a_ga_server_that_names_no_session_type_is_no_beta_server() -> None:
    untyped = {**CREATED, "session": {"id": "sess_1", "model": "gpt-realtime", "audio": {}}}

    async def script(peer: Peer) -> None:
        await peer.send(untyped)
        await peer.drain()

    async with websocket_server(script) as server, session(server.url) as running:
        await running.connected()


# What no server here can bring about

TARGET = explicit_target("wss://api.example.com/v1/realtime?model=m", None)


def test_a_proxy_of_which_only_the_password_is_secret() -> None:
    cause = causes.from_exception(InvalidProxy("ftp://me:secret@proxy", "scheme ftp isn't supported"), TARGET)
    assert cause.name == "proxy-unusable"
    assert "scheme ftp isn't supported" in cause.sentence
    assert "secret" not in repr(cause)


@pytest.mark.parametrize(
    ("person", "status", "name", "said"),
    [
        ("", 407, "proxy-password", "127.0.0.1:3128 wants a user name and a password (HTTP 407)."),
        (
            "me:secret@",
            407,
            "proxy-password-refused",
            "127.0.0.1:3128 refused the user name and the password (HTTP 407).",
        ),
        ("me:secret@", 403, "proxy-refused", "proxy rejected connection: HTTP 403."),
    ],
)
def test_a_proxy_that_refuses(person: str, status: int, name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://{person}127.0.0.1:3128")
    cause = causes.from_exception(InvalidProxyStatus(Response(status, "", Headers())), TARGET)
    assert cause.name == name
    assert said in cause.sentence
    assert "ALL_PROXY" in cause.fix
    assert "secret" not in repr(cause)


@pytest.mark.parametrize("proxy", ["http://me:secret/x@127.0.0.1:3128", "http://127.0.0.1:99999"])
async def test_a_proxy_whose_port_is_none(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    cause = await cause_at("wss://service.invalid/v1/realtime")
    assert cause.name == "proxy-unusable"
    assert "secret" not in repr(cause)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "http://two:2"}, "http://one:1"),
        ({"ALL_PROXY": "socks5://two:2"}, "socks5://two:2"),
        ({"ALL_PROXY": "http://two:2", "NO_PROXY": "api.example.com"}, None),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"HTTPS_PROXY": "me:secret@proxy.example:3128"}, "http://me:secret@proxy.example:3128"),
        ({}, None),
    ],
)
def test_which_proxy_is_used(environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(TARGET.url) == proxy
    if proxy is not None:
        assert proxy_variable(proxy) == next(iter(environment))


async def test_a_socks_proxy_without_its_package() -> None:
    with pytest.raises(ImportError) as raised:  # what the library says
        await connect("ws://service.invalid", proxy="socks5://127.0.0.1:9")
    cause = causes.from_exception(raised.value, TARGET)
    assert (cause.name, cause.fix) == ("proxy-socks", "pip install python-socks")


def test_several_addresses_that_do_not_all_refuse() -> None:
    error = OSError("Multiple exceptions: [Errno 111] refused, [Errno 101] Network is unreachable")
    assert causes.from_exception(error, TARGET).name == "network"


def test_an_error_without_a_name_of_its_own_shows_no_text_of_unknown_origin() -> None:
    cause = causes.from_exception(RuntimeError(f"Bearer {KEY}"), TARGET)
    assert cause.name == "unexpected"
    assert KEY not in repr(cause)
