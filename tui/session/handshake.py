"""What a handshake carries: the key or token of the service, and the headers that the user adds for a gateway."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import AnyStr

from tui.endpoint import Target
from tui.session.key_command import key_from_command
from tui.session.sign_in import FixedKey, SignIn
from tui.settings import Secret
from tui.settings.headers import Header, header_value


class AddedHeaders:
    """Headers from the settings, and where their values come from. False when there are none."""

    def __init__(self, headers: Iterable[Header] = ()) -> None:
        self._sources = {header.name: _source(header) for header in headers}

    def __bool__(self) -> bool:
        return bool(self._sources)

    def __repr__(self) -> str:
        return f"AddedHeaders({', '.join(self._sources)})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names, as they were given."""
        return tuple(self._sources)

    async def values(self) -> dict[str, str]:
        """Return name and value of each. Raises SignInError where a program gives none."""
        return {name: (await source.secret()).reveal() for name, source in self._sources.items()}

    def refused(self) -> None:
        """See :class:`SignIn`."""
        for source in self._sources.values():
            source.refused()

    def masked(self, text: AnyStr) -> AnyStr:
        """Return the text with asterisks for every value that was given out, in the same length."""
        for source in self._sources.values():
            text = source.masked(text)
        return text


class Handshake:
    """A sign-in with the added headers beside it."""

    def __init__(self, sign_in: SignIn, added: AddedHeaders) -> None:
        self._sign_in = sign_in
        self._added = added

    async def secret(self) -> Secret:
        """See :class:`SignIn`."""
        return await self._sign_in.secret()

    async def headers(self, target: Target, secret: Secret | None = None) -> dict[str, str]:
        """Return the headers of a handshake with ``target``. An added one wins. Raises SignInError.

        ``secret`` is the key or token where it was asked for before.
        """
        own = target.headers((secret if secret is not None else await self.secret()).reveal())
        added = await self._added.values()
        taken = {name.lower() for name in added}
        return {name: value for name, value in own.items() if name.lower() not in taken} | added

    def refused(self) -> None:
        """See :class:`SignIn`."""
        self._sign_in.refused()
        self._added.refused()

    def masked(self, text: AnyStr) -> AnyStr:
        """See :class:`SignIn`."""
        return self._added.masked(self._sign_in.masked(text))


def _source(header: Header) -> SignIn:
    if not header.command:
        return FixedKey(header.value)
    parse = functools.partial(header_value, name=header.name)
    return key_from_command(header.command, parse=parse, what=f"command for the header {header.name},")
