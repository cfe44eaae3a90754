"""The proxy that the environment or the system names for a URL."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import replace
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from websockets.exceptions import WebSocketException
from websockets.proxy import Proxy, get_proxy, parse_proxy
from websockets.uri import parse_uri

from tui.endpoint import is_loopback

_SCHEMES = ("wss", "ws", "socks", "https", "http", "all")
"""What stands before ``_proxy`` in the variables, in the order in which websockets looks."""


def proxy_for(url: str) -> str | None:
    """The URL of the proxy, which can hold a password; None for none. Raises nothing.

    A proxy reaches its own loopback, not ours: few people list it in NO_PROXY.
    """
    if is_loopback(urlsplit(url).hostname or ""):
        return None
    try:
        uri = parse_uri(url)
        if _bypassed(uri.host, uri.port):
            return None
        proxy = get_proxy(uri)
        if not proxy and not proxy_bypass(f"{uri.host}:{uri.port}"):
            proxy = getproxies().get("all")  # websockets does not look there
    except (ValueError, WebSocketException):
        return None
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"  # as curl takes it


def parsed_proxy(url: str) -> Proxy:
    """Return the address of a proxy, with user name and password decoded, as curl and requests have them.

    websockets 16.1.1 sends them as they stand in the URL, and the proxy refuses ``p%40ss`` for ``p@ss``.

    Raises InvalidProxy or ValueError.
    """
    proxy, given = parse_proxy(url), urlsplit(url)
    if given.username is None or given.password is None:
        return proxy
    return replace(proxy, username=unquote(given.username), password=unquote(given.password))


def _bypassed(host: str, port: int) -> bool:
    """Return whether NO_PROXY names a host in a way that urllib does not know: ``*.corp``, ``10.0.0.0/8``, ``[::1]``.

    curl and Go take these. A port behind a name counts, as in Go.
    """
    entries = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return any(_names(entry.strip().lower(), host.lower(), port) for entry in entries.split(","))


def _names(entry: str, host: str, port: int) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:  # one of them is a name
        pass
    name, _, wanted = entry.rpartition(":") if entry.rpartition(":")[2].isdigit() else (entry, "", "")
    if wanted and int(wanted) != port:
        return False
    name = name.strip("[]").removeprefix("*").rstrip(".")
    return bool(name) and (host == name.lstrip(".") or host.endswith(f".{name.lstrip('.')}"))


def shown_proxy(proxy: str) -> str:
    """Host and port, without user name and password."""
    try:
        parts = urlsplit(proxy)
    except ValueError:
        return ""
    return (parts.netloc or parts.path).rpartition("@")[2]


def has_credentials(proxy: str) -> bool:
    """Whether the URL of a proxy gives it a user name; False for one without sense."""
    try:
        return bool(urlsplit(proxy).username)
    except ValueError:
        return False


def proxy_variable(proxy: str) -> str:
    """The environment variable that names this proxy; "" when it comes from the system's settings."""
    for scheme in _SCHEMES:
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if os.environ.get(name, "").rpartition("//")[2] == proxy.rpartition("//")[2]:
                return name
    return ""
