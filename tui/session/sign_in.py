"""Signing in: what gives the secret of the next connection, and what masks every secret that was given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import AnyStr, Final, Protocol

from tui.conversation import Cause
from tui.failures.table import cause
from tui.session.loop import in_daemon_thread
from tui.settings import Secret

PATIENCE_S: Final = 45.0
"""How long a sign-in may take: somebody may have to unlock a password manager."""


class SignInError(Exception):
    """There is no key or token to connect with; ``cause`` says why. Never holds a secret."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.sentence)
        self.cause = cause


class SignIn(Protocol):
    """Where the secret comes from."""

    async def secret(self) -> Secret:
        """The key or token for a connection that is made now. Raises SignInError."""

    def refused(self) -> None:
        """The server did not take the secret: ask for it anew next time."""

    def masked(self, text: AnyStr) -> AnyStr:
        """The text with asterisks for every secret that was given out, in the same length."""


class FixedKey:
    """A key that stands in the settings; it may be empty."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    async def secret(self) -> Secret:
        """The key."""
        return self._key

    def refused(self) -> None:
        """Nothing: there is no other."""

    def masked(self, text: AnyStr) -> AnyStr:
        """See :class:`SignIn`."""
        return self._key.masked(text)


class FetchedSecret:
    """A secret that a blocking function fetches, in a daemon thread: one that hangs holds nobody up.

    Every secret that it ever gave stays masked, because a server may echo an old one.
    """

    def __init__(self, name: str, fetch: Callable[[], Secret], *, keep: bool, patience_s: float = PATIENCE_S) -> None:
        """``name`` is of the thread; ``keep``: do not fetch again before a server has refused what there is."""
        self._name = name
        self._fetch = fetch
        self._keep = keep
        self._patience_s = patience_s
        self._kept: Secret | None = None
        self._given: list[Secret] = []

    async def secret(self) -> Secret:
        """See :class:`SignIn`."""
        if self._kept is not None:
            return self._kept
        try:
            async with asyncio.timeout(self._patience_s):
                secret = await in_daemon_thread(self._name, self._fetch)
        except TimeoutError:
            raise SignInError(cause("sign-in-timeout", seconds=f"{self._patience_s:g} s")) from None
        if secret not in self._given:
            self._given.append(secret)
        if self._keep:
            self._kept = secret
        return secret

    def refused(self) -> None:
        """See :class:`SignIn`."""
        self._kept = None

    def masked(self, text: AnyStr) -> AnyStr:
        """See :class:`SignIn`."""
        for secret in self._given:
            text = secret.masked(text)
        return text
