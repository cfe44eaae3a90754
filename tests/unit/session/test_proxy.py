"""Which proxy is used, and how its user name and password reach it."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.proxy import Proxy as Address

from tests.support.proxies import Proxy
from tui.session import proxy as proxies
from tui.session.proxy import parsed_proxy, proxy_for
from tui.session.transport import connecting

URL = "ws://other.example/v1/realtime"


def encoded(text: str) -> str:
    """Return the text as a URL has it."""
    return quote(text, safe="")


USERS = ("alice", "corp\\alice", "a@b.c", "ü")
PASSWORDS = ("p@ss:word", "100%", "a/b?c#d", "[x]", "%40", "ß€")
CREDENTIALS = [
    *((user, password, encoded(user), encoded(password)) for user in USERS for password in PASSWORDS),
    *((user, password, user, password) for user in ("alice", "ü") for password in ("p@ss:word", "ß€")),
]


@pytest.mark.parametrize(("user", "password", "in_url", "password_in_url"), CREDENTIALS)
async def test_a_proxy_gets_user_name_and_password_as_they_are(
    user: str, password: str, in_url: str, password_in_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(lambda connection: connection.wait_closed(), "127.0.0.1", 0) as server:
        with Proxy(server.sockets[0].getsockname()[1], wants=f"{user}:{password}") as proxy:
            monkeypatch.setenv("http_proxy", proxy.url.replace("://", f"://{in_url}:{password_in_url}@"))
            async with asyncio.timeout(10), connecting(URL, None):
                pass
    assert proxy.credentials == [f"{user}:{password}"]


def test_a_socks_proxy_gets_them_too() -> None:
    found = parsed_proxy("socks5h://al%40ice:p%2Fss@proxy.example:1080")
    assert (found.scheme, found.host, found.username, found.password) == ("socks5h", "proxy.example", "al@ice", "p/ss")


def test_what_the_library_has_decoded_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = Address("http", "proxy.example", 80, "al@ice", "100%25")
    monkeypatch.setattr(proxies, "parse_proxy", lambda url: decoded)
    assert parsed_proxy("http://al%40ice:100%2525@proxy.example") == decoded


def test_the_library_asks_for_the_address_where_ours_stands() -> None:
    assert connect.create_connection.__globals__["parse_proxy"] is parsed_proxy


@pytest.mark.parametrize(
    ("host", "entry", "direct"),
    [
        ("gw.corp.example", "*.corp.example", True),
        ("gw.corp.example", ".corp.example", True),
        ("gw.corp.example", "corp.example", True),
        ("gw.notcorp.example", "*.corp.example", False),
        ("corp.example.evil", "corp.example", False),
        ("gw.corp.example", "gw.corp.example:443", True),
        ("gw.corp.example", "gw.corp.example:8443", False),
        ("gw.corp.example", " other , GW.corp.example ", True),
        ("gw.corp.example", "*", True),
        ("gw.corp.example", "10.0.0.0/8", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("[fd00::7]", "fd00::/8", True),
        ("[fd00::7]", "[fd00::7]", True),
        ("gw.corp.example", ",,", False),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_hosts_that_need_no_proxy(
    host: str, entry: str, direct: bool, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv(variable, entry)
    assert proxy_for(f"wss://{host}/v1/realtime") == (None if direct else "http://proxy.example:3128")
