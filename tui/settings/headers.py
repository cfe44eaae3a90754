"""Headers that the user adds to the handshake, as API gateways want them. Their values are secrets."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import AnyStr, Final

from tui.endpoint.pasted import KEY
from tui.secrets import names_secret
from tui.settings.model import Secret

_LIKE: Final = "NAME=VALUE, such as Ocp-Apim-Subscription-Key=env:APIM_KEY"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_THE_CONNECTION: Final = re.compile(
    r"host|connection|upgrade|keep-alive|te|trailer|transfer-encoding|content-length|proxy-.*|sec-websocket-.*"
)


class HeaderValue(Secret):
    """The value of a header. What follows a scheme such as ``Bearer`` is masked by itself too."""

    __slots__ = ()

    def masked(self, text: AnyStr) -> AnyStr:
        """See :class:`Secret`."""
        text = super().masked(text)
        scheme, _, rest = self.reveal().rpartition(" ")
        return Secret(rest).masked(text) if scheme else text


@dataclass(frozen=True, slots=True)
class Header:
    """One header, and where its value comes from: itself, a variable, or what a program prints."""

    name: str
    value: HeaderValue = field(default_factory=HeaderValue)
    """Empty for a variable that is not looked up yet, and for a program."""
    variable: str = ""
    """The environment variable that has the value."""
    command: tuple[str, ...] = field(default=(), repr=False)
    """The program and arguments that print the value."""

    def __str__(self) -> str:
        where = f"cmd:{self.command[0]} …" if self.command else f"env:{self.variable}" if self.variable else "***"
        return f"{self.name}={where}"

    @property
    def credential(self) -> bool:
        """Whether a service that gets it may need no other key."""
        return names_secret(self.name)

    def found(self, variables: Mapping[str, str]) -> "Header":
        """Return the header with the value of its variable; ValueError ends the sentence ``NAME ...``."""
        if not self.variable:
            return self
        value = variables.get(self.variable, "")
        if not value:
            raise ValueError(f"wants {self.variable} for {self.name}, and that is not set")
        return replace(self, value=header_value(value, self.name))


def headers_from(raw: object) -> tuple[Header, ...]:
    """Read a table of config.toml, the values of a flag, or the lines of a variable; ValueError says what is wrong.

    A variable runs no program: a ``.env`` that came with somebody's project must not.
    """
    if isinstance(raw, Mapping):
        pairs = list(raw.items())
    elif isinstance(raw, str):
        pairs = [_split(line) for line in raw.splitlines() if line.strip()]
    elif isinstance(raw, tuple):
        pairs = [_split(text) for text in raw]
    else:
        raise ValueError('must be a table, such as { "Ocp-Apim-Subscription-Key" = "env:APIM_KEY" }')
    headers = [_header(name, value) for name, value in pairs]
    if isinstance(raw, str) and (found := next((each for each in headers if each.command), None)):
        raise ValueError(f"cannot run a program for {found.name}; cmd: is for --header and config.toml")
    return joined(headers)


def joined(headers: Iterable[Header]) -> tuple[Header, ...]:
    """Return one header of each name, the last one that was given."""
    return tuple({header.name.lower(): header for header in headers}.values())


def header_value(text: str, name: str = "the header") -> HeaderValue:
    """Accept what a header can carry, else raise ValueError, which never shows the value."""
    value = text.strip(" \t")
    if not value:
        raise ValueError(f"has no value for {name}")
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"has a value for {name} that no header can carry: it holds a line break, or no plain ASCII")
    return HeaderValue(value)


def _split(text: object) -> tuple[str, object]:
    name, equals, value = str(text).partition("=")
    if not equals:
        raise ValueError(f"must be {_LIKE}")
    return name.strip(" \t"), value


def _header(name: object, raw: object) -> Header:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or KEY.search(name):
        raise ValueError(f"must be {_LIKE}; a name is letters, digits and hyphens")  # which may be the key: not shown
    if _OF_THE_CONNECTION.fullmatch(name.lower()):
        raise ValueError(f"cannot set {name}, which belongs to the connection itself")
    if not isinstance(raw, str):
        raise ValueError(f"must have text for {name}")
    source, colon, rest = raw.strip(" \t").partition(":")
    if colon and source == "env":
        if not _VARIABLE.fullmatch(rest.strip()):
            raise ValueError(f"must name a variable for {name}, such as env:APIM_KEY")
        return Header(name, variable=rest.strip())
    if colon and source == "cmd":
        return Header(name, command=_command(name, rest))
    return Header(name, header_value(raw, name))


def _command(name: str, text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        words = ()
    if not words or not words[0] or "\0" in text:
        raise ValueError(f"must name a program and its arguments for {name}, such as cmd:pass show apim")
    return words
