"""Where a relay listens, where it leads, and with whose key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tui.endpoint import Target, is_loopback, shown
from tui.session.handshake import AddedHeaders, Handshake
from tui.session.plan import Timeouts, sign_in
from tui.session.sign_in import FixedKey, SignIn
from tui.settings import Secret, Settings, SettingsError
from tui.watch.request import Credentials


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int
    """0 for any free one."""

    @classmethod
    def parse(cls, text: str, *, exposed: bool = False) -> Address:
        """Read ``HOST:PORT``, ``[::1]:PORT`` or ``PORT``, which is 127.0.0.1's.

        Raises ValueError, with a sentence for the person who typed it, for anything else, and for a host that other
        machines reach unless ``exposed``.
        """
        host, colon, port = text.rpartition(":")
        host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not colon:
            host = "127.0.0.1"
        if not host or ("[" in host) or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
            raise ValueError(f"{shown(text)} is not an address to listen on; it looks like 127.0.0.1:8765")
        if not exposed and not is_loopback(host):
            raise ValueError(
                f"{shown(host)} is not this machine's loopback: others on the network could talk with your key; "
                "with --expose it is used all the same"
            )
        return cls(host, int(port))


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """What a relay is made of."""

    listen: Address
    target: Target
    credentials: Credentials = "auto"
    sign_in: SignIn = field(default_factory=lambda: FixedKey(Secret()), repr=False)
    """What gives the key of the settings."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages of other machines that may use it."""
    ca_file: Path | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
    tls: bool = False
    """Whether it listens with TLS, for clients that insist on ``wss:``."""
    headers: AddedHeaders = field(default_factory=AddedHeaders)
    """Added to each handshake with the service, in place of the client's of the same name."""

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        listen: Address,
        *,
        to: str = "",
        credentials: Credentials = "auto",
        allowed_origins: tuple[str, ...] = (),
        tls: bool = False,
    ) -> RelayPlan:
        """What the settings come to, with ``to`` in place of their service where it is given.

        Without a key for that service in the settings, only what the clients bring is passed on. Raises EndpointError
        or SettingsError where there is nothing to lead to, and where the key of the settings is asked for and missing.
        """
        if to:
            whole = to.strip().lower().startswith(("ws://", "wss://"))
            settings = replace(settings, url=to if whole else "", endpoint="" if whole else to)
        target = settings.target(watched=True)
        added = AddedHeaders(settings.headers)
        try:
            ours: SignIn = sign_in(settings, target)
        except SettingsError:
            if credentials == "settings":
                raise
            credentials, ours = "client", FixedKey(Secret())
        return cls(
            listen,
            target,
            credentials,
            Handshake(ours, added),
            allowed_origins,
            settings.ca_file,
            tls=tls,
            headers=added,
        )
