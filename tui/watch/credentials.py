"""Find what a client signs in with: in its query, its headers, its subprotocols. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import AnyStr, Final, Protocol

from tui import wire
from tui.secrets import (
    KEY,
    KNOWN_NAMES,
    Mask,
    decoded,
    in_event,
    is_credential,
    is_credential_header,
    is_secret,
    is_secret_value,
    names_secret,
    parts,
    unquoted,
)

_HANDSHAKE: Final = "sec-websocket-"

_BESIDE_KEYS: Final = re.compile(r"realtime|graphql|mqtt|openai-(?:beta|organization|project)\.", re.IGNORECASE)
"""Beginnings of subprotocols that are offered beside a key, and hold none."""

_SEPARATED: Final = re.compile(r"[.~|!*'`:_-]+")
"""What stands between the name and the key in a subprotocol, as in ``openai-insecure-api-key.sk-...``."""

_BARE: Final = re.compile(
    r"(?:[a-z0-9]{1,12}[-_.]){0,4}"
    r"(?:(?:api|access|auth|id)?key|(?:access|auth|id)?token|secret|auth|authori[sz]ation|bearer|basic|jwt|password)",
    re.IGNORECASE,
)
"""The name of a key alone, as in ``token, KEY``."""

_LEAST: Final = 4
"""Characters of a key in a subprotocol: ``auth.v1`` holds none."""

_PIECES: Final = re.compile(r"([&;?]+)")

_TELLS: Final = re.compile(rb"key|token|secret|passw|pwd|auth|bearer|credential|cookie|signature|jwt", re.IGNORECASE)
"""What a frame holds that may hold a secret under its name."""

MOST_READ: Final = 256 * 1024
"""Bytes of a client's frame that is looked through for secrets: a larger one holds audio or images."""


class Masking(Protocol):
    """Something that knows secrets."""

    def masked(self, text: AnyStr) -> AnyStr:
        """Return the text with asterisks for each secret, in the same length."""


class SessionMask:
    """Masks what the client of one session presented, and what ``ours`` knows."""

    def __init__(self, presented: Iterable[str], ours: Masking) -> None:
        self._presented = Mask(presented)
        self._ours = ours

    def masked(self, text: AnyStr) -> AnyStr:
        """Return the text with asterisks for each secret, in the same length."""
        return self._ours.masked(self._presented.masked(text))

    def learn(self, data: bytes) -> None:
        """Mask from now on what this frame of the client holds under the name of a secret: some sign in with one."""
        if len(data) <= MOST_READ and b"input_audio_buffer.append" not in data and _TELLS.search(data):
            self._presented.add(in_event(wire.parse(data)))


# The query


def pieces(query: str) -> list[str]:
    """Split a query into its parameters and what separates them, which every second one is."""
    return _PIECES.split(query)


def secret_piece(piece: str) -> bool:
    """Return whether a parameter, as written, is or may hide a secret."""
    name, _, value = piece.partition("=")
    return is_secret(unquoted(name).lower(), unquoted(value))


def without_secrets(query: str) -> str:
    """Return the query without the parameters that are, or may hide, a secret."""
    split = pieces(query)
    kept = [
        (before, piece)
        for before, piece in zip(["", *split[1::2]], split[::2], strict=True)
        if piece and not secret_piece(piece)
    ]
    return "".join(piece if not number else before + piece for number, (before, piece) in enumerate(kept))


def in_query(query: str) -> Iterator[str]:
    """Yield the values of a query that a client signs in with."""
    for piece in pieces(query)[::2]:
        name, _, value = piece.partition("=")
        plain = unquoted(name).lower()
        if is_credential(plain, unquoted(value)):
            yield value
        elif plain not in KNOWN_NAMES and KEY.search(plain):
            yield name


def path_without_secrets(path: str) -> str:
    """Return the path with ``***`` for what looks like a key."""
    return "/".join("***" if _secret_part(part) else part for part in path.split("/"))


def _secret_part(part: str) -> bool:
    return bool(part) and is_secret("model", unquoted(part))


# Headers


def secret_header(name: str, value: str) -> bool:
    """Return whether a client signs in with this header."""
    return not name.lower().startswith(_HANDSHAKE) and is_credential_header(name, value)


# Subprotocols


def in_subprotocols(offered: Sequence[str]) -> dict[str, list[str]]:
    """Return those of the offered subprotocols that hold a key, or name one, and what they hold.

    Vendors' conventions differ: ``openai-insecure-api-key.KEY``, ``bearer-KEY``, or two in a row, ``token, KEY``.
    """
    found: dict[str, list[str]] = {}
    named = False
    for number, token in enumerate(offered):
        if _BARE.fullmatch(token) and number < len(offered) - 1:
            named, found[token] = True, []
        elif _BESIDE_KEYS.match(token):
            continue
        elif named or is_secret_value(token):
            found[token] = [*_values(token), token]
        elif values := _values(token):
            found[token] = values
    return found if any(found.values()) else {}


def _values(token: str) -> list[str]:
    """Return what may be the key in ``name.KEY``: all that follows the name, and each shorter end of it, dot by dot."""
    for match in _SEPARATED.finditer(token):
        before, after = token[: match.start()], token[match.end() :]
        if not names_secret(before) or len(after) < _LEAST or (_BARE.fullmatch(after) and "." not in match[0]):
            continue
        values = [after, *(after[dot.end() :] for dot in re.finditer(r"\.", after) if len(after) - dot.end() >= _LEAST)]
        # Kubernetes has base64url.bearer.authorization.k8s.io.TOKEN
        return values + ([text for value in values if (text := decoded(value))] if "base64" in before.lower() else [])
    return []


def presented(path: str, query: str, headers: Iterable[tuple[str, str]], offered: Sequence[str]) -> list[str]:
    """Return every spelling of what a client signs in with, to be masked."""
    values = [part for part in path.split("/") if _secret_part(part)] + list(in_query(query))
    values += [value for name, value in headers if secret_header(name, value)]
    values += [value for held in in_subprotocols(offered).values() for value in held]
    return list(dict.fromkeys(part for value in values for part in parts(value)))
