"""What a client signs in with, wherever it puts it: passed on as it came, in place of our key, and seen nowhere."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request
from websockets.typing import Origin, Subprotocol

from tests.support.relays import OUR_KEY, Running, relay
from tests.support.servers import CREATED, Peer, http, http_server, websocket_server
from tui.endpoint import explicit_target
from tui.watch.credentials import in_subprotocols
from tui.watch.request import Asked, translate
from tui.wire import Direction

THEIRS = "Canary+Theirs/0123456789=ab"

QUERIES = (
    "api-key api_key API-KEY apikey key access_token token Authorization subscription-key Ocp-Apim-Subscription-Key "
    "agent-access-token client_secret code sig sas jwt bearer password x-api-key api%2Dkey"
).split()
HEADERS = (
    "Authorization api-key Ocp-Apim-Subscription-Key x-api-key X-Goog-Api-Key Cookie Proxy-Authorization X-Auth-Token"
).split()


def asked(path: str = "/v1/realtime?model=m", headers: dict[str, str] | None = None, **options: Any) -> Asked:
    """What a request becomes."""
    target = explicit_target("ws://127.0.0.1:1/v1/realtime?model=dep", None)
    return translate(Request(path, Headers(headers or {})), target, options.get("credentials", "auto"))


@pytest.mark.parametrize("name", QUERIES)
def test_a_key_in_the_query(name: str) -> None:
    for value in (THEIRS, quote(THEIRS, safe=""), f"Bearer%20{quote(THEIRS, safe='')}", f"bearer+{THEIRS}"):
        for path in (f"/v1/realtime?model=m&{name}={value}", f"/v1/realtime?{name}={value}&model=m&x=1"):
            found = asked(path)
            assert found.url == f"ws://127.0.0.1:1{path}", "as it came"
            assert not found.needs_key
            assert "Canary" not in found.shown_url
            assert found.model == "m"
            assert THEIRS in found.presented or THEIRS.replace("+", " ") in found.presented
            assert "Canary" not in repr(found)
            ours = asked(path, credentials="settings")
            assert ours.needs_key
            assert "Canary" not in ours.url
            assert "model=m" in ours.url


@pytest.mark.parametrize("value", ["ek_abc123", "sk-abc", "Bearer%20abcdef", "0123456789abcdef0123456789abcdef"])
def test_a_value_that_is_a_key_under_any_name(value: str) -> None:
    found = asked(f"/v1/realtime?model=m&foo={value}")
    assert not found.needs_key
    assert found.shown_url == "ws://127.0.0.1:1/v1/realtime?model=m"


@pytest.mark.parametrize("query", ["", "model=m", "model=m&max_tokens=5", "api-key=", "token=&model=m", "auth=true"])
def test_a_query_without_a_key(query: str) -> None:
    assert asked(f"/v1/realtime?{query}").needs_key


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer ", "Token ", "Key "])
def test_a_key_in_a_header(name: str, scheme: str) -> None:
    for written in (name, name.upper(), name.lower()):
        found = asked(headers={written: scheme + THEIRS, "X-Mine": "1"})
        assert found.headers == ((written, scheme + THEIRS), ("X-Mine", "1"))
        assert not found.needs_key
        assert THEIRS in found.presented
        assert asked(headers={written: scheme + THEIRS, "X-Mine": "1"}, credentials="settings").headers == (
            ("X-Mine", "1"),
        )


def test_a_header_without_a_key() -> None:
    others = {"Accept": "text/html;q=0.9", "Referer": "http://localhost/?x=1", "Authorization": "Bearer"}
    found = asked(headers=others)
    assert found.needs_key
    assert "Authorization" not in dict(found.headers)


def test_cookies_that_a_browser_sends_by_itself_are_no_key_and_are_masked_all_the_same() -> None:
    found = asked(headers={"Cookie": f"a=1; session={THEIRS}", "Origin": "http://localhost:3000"})
    assert found.needs_key
    assert ("Cookie", f"a=1; session={THEIRS}") in found.headers
    assert THEIRS in found.presented


@pytest.mark.parametrize(
    ("offered", "keys"),
    [
        ("realtime, openai-insecure-api-key.THEIRS, openai-beta.realtime-v1", ["THEIRS"]),
        ("realtime, openai-insecure-api-key.ek_clientkey0123, openai-project.p", ["ek_clientkey0123"]),
        ("xai-client-secret.THEIRS", ["THEIRS"]),
        ("token, THEIRS", ["THEIRS"]),
        ("realtime, Bearer, THEIRS", ["THEIRS"]),
        ("Authorization, Bearer, THEIRS", ["THEIRS"]),
        ("access_token, my-secret-key", ["my-secret-key"]),
        ("bearer.THEIRS, realtime", ["THEIRS"]),
        ("apikey-THEIRS", ["THEIRS"]),
        ("API_KEY.THEIRS", ["THEIRS"]),
        ("base64url.bearer.authorization.k8s.io.VEhFSVJTLUtFWQ", ["VEhFSVJTLUtFWQ", "THEIRS-KEY"]),
        ("realtime, sk-abc123", ["sk-abc123"]),
        ("json, eyJhbGciOiJIUzI1NiJ9.eyJz.aBc", ["eyJhbGciOiJIUzI1NiJ9.eyJz.aBc"]),
        ("realtime", []),
        ("realtime, openai-beta.realtime-v1, openai-organization.o", []),
        ("graphql-ws, wamp.2.json, mqtt", []),
        ("auth.v1", []),
    ],
)
def test_a_key_in_a_subprotocol(offered: str, keys: list[str]) -> None:
    found = asked(headers={"Sec-WebSocket-Protocol": offered})
    assert ", ".join(found.subprotocols) == offered
    assert found.needs_key is not bool(keys)
    assert set(keys) <= set(found.presented)
    replaced = asked(headers={"Sec-WebSocket-Protocol": offered}, credentials="settings")
    assert not any(key in name for name in replaced.subprotocols for key in keys)
    assert not in_subprotocols(replaced.subprotocols)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//openai/realtime?deployment=d", "/openai/realtime?deployment=d"),
        ("///openai//v1/realtime?model=m", "/openai/v1/realtime?model=m"),
        ("//v1//realtime", "/v1/realtime?model=dep"),
        ("http://127.0.0.1:8765/openai/realtime?deployment=d", "/openai/realtime?deployment=d"),
        ("/openai/v1/realtime?model=m#api-key=x", "/openai/v1/realtime?model=m"),
    ],
)
def test_a_path_names_no_host(path: str, expected: str) -> None:
    assert asked(path).url == f"ws://127.0.0.1:1{expected}"


# Through a relay: a service that echoes


async def echo(peer: Peer) -> None:
    """Echo all that the client has presented: in an error, in other frames, and in the reason at the end."""
    request = peer.connection.request
    assert request is not None
    lines = [f"{name}: {value}" for name, value in request.headers.raw_items()]
    said = f"{request.path} " + " ".join(line for line in lines if not line.startswith("Sec-WebSocket-Key"))
    encoded = base64.b64encode(f"user:{THEIRS}".encode()).decode()
    await peer.send(CREATED, {"type": "error", "error": {"message": said, "code": "invalid_api_key", "param": encoded}})
    await peer.send(f"not JSON: {THEIRS}", {"type": "x", "text": quote(THEIRS, safe=""), "other": THEIRS.lower()})
    await peer.receive()
    await peer.connection.close(3000, f"expired: {THEIRS}")


PLACES: dict[str, tuple[str, dict[str, str], list[str]]] = {
    **{f"?{name}": (f"&{name}={quote(THEIRS, safe='')}", {}, []) for name in QUERIES},
    **{f"{name}:": ("", {name: THEIRS}, []) for name in HEADERS},
    "Basic": ("", {"Authorization": "Basic " + base64.b64encode(f"user:{THEIRS}".encode()).decode()}, []),
}


@pytest.mark.parametrize("place", PLACES)
async def test_what_a_service_echoes_is_seen_nowhere_and_reaches_the_client_whole(place: str) -> None:
    query, headers, _ = PLACES[place]
    async with websocket_server(echo) as server, relay(server.url, key=OUR_KEY) as watched:
        connection = await connect(watched.url(f"/v1/realtime?model=m{query}"), additional_headers=headers)
        received = [await connection.recv(decode=False) for _ in range(4)]
        await connection.send(json.dumps({"type": "session.update", "session": {"instructions": THEIRS}}))
        with pytest.raises(ConnectionClosed):
            await connection.recv()
        assert connection.close_reason == f"expired: {THEIRS}"
        (peer,) = server.peers
        assert received == peer.sent, "the client gets what the service has sent"
        assert OUR_KEY not in json.dumps(server.headers), "our key was not sent"
        for name, value in headers.items():
            assert server.headers[0][name.lower()] == value
        await watched.sessions[0].cause()
        assert_unseen(watched)
        recorded = watched.sessions[0].frames(Direction.RECEIVED)
        assert [len(frame) for frame in recorded] == [len(frame) for frame in peer.sent], "in the same length"


def assert_unseen(watched: Running, *more: str) -> None:
    """Nothing of what was recorded, shown or told holds the secret."""
    (seen,) = watched.sessions
    told = repr((seen.batches, seen.said, seen.session.model, seen.session.client, seen.status))
    frames = b"\n".join(frame for direction in Direction for frame in seen.frames(direction))
    inner = base64.b64encode(f"user:{THEIRS}".encode()).decode()[8:-4]
    for secret in ("Canary", "canary", "Theirs", "theirs", inner, *more):
        assert secret not in told
        assert secret.encode() not in frames


@pytest.mark.parametrize(
    "protocols",
    [["realtime", "openai-insecure-api-key.ek_CanaryTheirs01234"], ["realtime", "token", "CanaryTheirs01234"]],
)
async def test_a_subprotocol_that_is_echoed(protocols: list[str]) -> None:
    secret = protocols[-1].removeprefix("openai-insecure-api-key.")

    async def serve(peer: Peer) -> None:
        await peer.send({"type": "error", "error": {"message": f"Incorrect API key provided: {secret}."}})
        await peer.connection.close(3000, f"wrong: {secret[:17]}")

    async with websocket_server(serve, subprotocols=[Subprotocol("realtime")]) as server:
        async with relay(server.url, key=OUR_KEY) as watched:
            offered = [Subprotocol(name) for name in protocols]
            connection = await connect(watched.url(), subprotocols=offered, origin=Origin("http://localhost:3000"))
            assert secret.encode() in await connection.recv(decode=False)
            await connection.wait_closed()
            await watched.sessions[0].cause()
            assert_unseen(watched)
        assert server.headers[0]["sec-websocket-protocol"] == ", ".join(protocols)
        assert "authorization" not in server.headers[0]


async def test_a_refusal_that_quotes_the_clients_key_reaches_it_whole_and_is_seen_nowhere() -> None:
    message = f"Wrong key {THEIRS}. " + "It is long. " * 20 + THEIRS
    body = json.dumps({"error": {"code": "401", "message": message, "type": THEIRS}}).encode()
    answer = http("401 Unauthorized", body, f'WWW-Authenticate: Bearer error="{THEIRS}"', f"x-request-id: {THEIRS}")
    async with http_server(answer) as server, relay(server.url, key=OUR_KEY) as watched:
        with pytest.raises(InvalidStatus) as caught:
            await connect(watched.url(), additional_headers={"X-Api-Key": THEIRS})
        assert caught.value.response.body == body
        assert THEIRS in caught.value.response.headers["WWW-Authenticate"]
        await watched.sessions[0].cause()
        assert_unseen(watched)


async def test_a_redirect_that_quotes_the_clients_key() -> None:
    answer = http("302 Found", b"", f"Location: ws://{'canary-theirs-01234567'}.example/?key=canary-theirs-01234567")
    async with http_server(answer) as server, relay(server.url, key=OUR_KEY) as watched:
        with pytest.raises(InvalidStatus):
            await connect(watched.url("/v1/realtime?model=m&token=canary-theirs-01234567"))
        await watched.sessions[0].cause()
        assert_unseen(watched)


async def test_a_key_that_the_client_sends_in_a_frame() -> None:
    frame = json.dumps({"type": "auth", "token": THEIRS, "note": "x"}, separators=(",", ":"))

    async def serve(peer: Peer) -> None:
        await peer.receive()
        await peer.send({"type": "error", "error": {"message": f"Unknown token {THEIRS}"}})
        await peer.drain()

    async with websocket_server(serve) as server, relay(server.url, key=OUR_KEY) as watched:
        async with connect(watched.url()) as connection:
            await connection.send(frame)
            assert THEIRS.encode() in await connection.recv(decode=False)
        await watched.sessions[0].cause()
        assert server.peers[0].received == [frame.encode()]
        assert_unseen(watched)


async def test_a_goodbye_of_the_client_that_holds_its_key() -> None:
    async def serve(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(serve) as server, relay(server.url) as watched:
        connection = await connect(watched.url(), additional_headers={"Authorization": f"Bearer {THEIRS}"})
        await connection.recv()
        await connection.close(4000, THEIRS)
        await watched.sessions[0].cause()
        assert server.peers[0].connection.close_reason == THEIRS
        assert_unseen(watched)


async def test_a_key_that_comes_in_pieces_is_not_told() -> None:
    async def serve(peer: Peer) -> None:
        ids = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
        await peer.send(CREATED, {"type": "response.created", "response": {"id": "r"}})
        for at in range(0, len(THEIRS), 5):
            await peer.send({"type": "response.output_text.delta", "delta": THEIRS[at : at + 5], **ids})
        await peer.send({"type": "response.done", "response": {"id": "r", "status": "completed"}})
        await peer.drain()

    async with websocket_server(serve) as server, relay(server.url) as watched:
        async with connect(watched.url(), additional_headers={"Authorization": f"Bearer {THEIRS}"}) as connection:
            while b"response.done" not in await connection.recv(decode=False):
                pass
        await watched.sessions[0].cause()
        assert "*" * len(THEIRS) in watched.sessions[0].said
