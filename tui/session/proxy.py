"""The proxy that the environment or the system names for a URL."""

from __future__ import annotations

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from websockets.exceptions import WebSocketException
from websockets.proxy import get_proxy
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
        proxy = get_proxy(uri)
        if not proxy and not proxy_bypass(f"{uri.host}:{uri.port}"):
            proxy = getproxies().get("all")  # websockets does not look there
    except (ValueError, WebSocketException):
        return None
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"  # as curl takes it


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
