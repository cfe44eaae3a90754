"""A pasted URL, host or name, taken apart without trust, and how to show one in a message.

Pure: no I/O. Nothing here knows which hosts and paths Azure has: see ``tui.endpoint.target``.
"""

import ipaddress
import re
import string
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote_plus

from tui import models
from tui.secrets import KEY as KEY
from tui.secrets import KNOWN_NAMES as KNOWN_NAMES
from tui.secrets import is_secret

Subject = Literal["endpoint", "deployment", "url"]

WRAPPING = string.whitespace + "\"'`<>,;“”‘’«»\u00a0\u200b\u2060\ufeff"
"""What surrounds a value copied from a web page, a mail or a JSON file."""

URL_SAFE = "%!$'()*+,;=:~"
"""What ``quote`` leaves alone in a path segment, besides letters, digits and ``_.-``: already valid there."""

WORKS: dict[Subject, str] = {
    "endpoint": "use https://NAME.openai.azure.com",
    "deployment": f"use the name of your realtime deployment, such as {models.REALTIME}",
    "url": "use wss://HOST/openai/v1/realtime?model=DEPLOYMENT",
}
"""For each subject, the end of every error: the form that would work."""

PLACEHOLDER = re.compile(r"(?:^|/)your(?:[-_]|resource)|[<>{}$]", re.IGNORECASE)
"""What documentation writes where a name belongs: ``your-resource``, ``<name>``, ``{name}``, ``$NAME``."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u2028\u2029\u202a-\u202e\u2066-\u2069"  # line ends, bidirectional embeddings, overrides and isolates
    "\ud800-\udfff]"  # halves of surrogate pairs, which no encoding can write
)


class EndpointError(ValueError):
    """A value that cannot become a URL. The text names it, with secrets removed, and the form that would work.

    ``subject`` says which of the person's values is meant, so that a form can point at it.
    """

    def __init__(self, message: str, subject: Subject = "endpoint") -> None:
        super().__init__(message)
        self.subject: Subject = subject


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` (no port, no brackets) is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def escape_controls(text: str, *, keep: str = "") -> str:
    r"""Return ``text`` with everything that a terminal could obey, or that turns a line around, as ``\x1b`` escapes.

    That is: control characters, line separators, bidirectional embeddings, overrides and isolates, and surrogates.
    Everything else is somebody's writing and stays: spaces of every width, joiners and non-joiners, marks of direction,
    soft hyphens. ``str.isprintable`` is no test for it: it is false for every space but U+0020, and for all of Cf.

    Args:
        text: anything.
        keep: controls to leave as they are, such as line breaks.
    """
    if text.isascii() and text.isprintable():
        return text
    return _OBEYED.sub(
        lambda found: found[0] if found[0] in keep else found[0].encode("unicode_escape").decode("ascii"), text
    )


def shown(value: str, limit: int = 100) -> str:
    """Return ``value`` fit for a message: no user-info, no key, no fragment, no control character, not endless."""
    text = value.strip(WRAPPING)
    if "@" in text:
        scheme, separator, _ = text.partition("://")
        text = (scheme + separator if separator and "@" not in scheme else "") + text.rpartition("@")[2]
    text = text.partition("#")[0]
    base, mark, query = text.partition("?")
    if mark:
        text = f"{base}?{'&'.join(_shown_piece(piece) for piece in re.split(r'[&;?]', query))}"
    # In an address or a name, a space of another width or a joiner is a slip that the user has to see.
    text = "".join(map(_visible, KEY.sub("***", text)))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _visible(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _shown_piece(raw: str) -> str:
    piece = _piece(raw)
    return raw if piece.name in KNOWN_NAMES and not piece.secret else "***"


@dataclass(frozen=True, slots=True)
class Piece:
    """One ``name=value`` of a query."""

    raw: str
    """As written, fit for a URL."""
    name: str
    """Decoded, lowercase."""
    value: str
    """Decoded."""

    @property
    def secret(self) -> bool:
        """Whether it is, or may hide, a key."""
        return is_secret(self.name, self.value)


@dataclass(frozen=True, slots=True)
class Pasted:
    """The parts of what a person pasted, without user-info and fragment."""

    shown: str
    """The whole, fit for a message."""
    scheme: str
    """``http``, ``https``, ``ws``, ``wss``, or empty."""
    host: str
    """Lowercase ASCII, without brackets."""
    port: int | None
    path: str
    """As written, with its leading slash; may be empty."""
    query: tuple[Piece, ...]
    notes: tuple[str, ...]
    """What was dropped, and why."""

    @property
    def segments(self) -> list[str]:
        """The path's parts without empty ones, as written."""
        return [part for part in self.path.split("/") if part not in ("", ".")]


def parse(value: str, subject: Subject) -> Pasted:
    """Take a pasted URL, host or name apart; raise EndpointError about ``subject`` if it is none.

    By hand, because urlsplit drops control characters silently and takes ``localhost:80`` for a scheme.
    """
    text = value.strip(WRAPPING)
    name = shown(text)
    works = WORKS[subject]
    if not text:
        raise EndpointError(f"the {subject} is empty; {works}", subject)
    if KEY.fullmatch(text):
        raise EndpointError(
            f"the {subject} looks like an API key; {works}, and keep the key in AZURE_OPENAI_API_KEY", subject
        )
    if any(not c.isprintable() or c.isspace() or c == "\\" for c in text):
        raise EndpointError(f'"{name}" has a space, a backslash or a control character inside; {works}', subject)
    if PLACEHOLDER.search(text.partition("?")[0].rpartition("@")[2]):
        raise EndpointError(f'"{name}" still holds a placeholder; {works} with the name of your resource', subject)

    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    elif scheme.lower() not in ("http", "https", "ws", "wss"):
        raise EndpointError(f'"{name}" is not an address of an Azure OpenAI resource; {works}', subject)
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    before_path, slash, path = rest.partition("/")
    _, at, host_and_port = before_path.rpartition("@")
    if "@" in path + query + fragment:
        raise EndpointError(f'"{name}" has an @ after the host; {works}, without user name and password', subject)
    host, port = _host_and_port(host_and_port, name, subject)

    notes = []
    if at:
        notes.append("user name and password were dropped, because the key goes in a header and never in a URL")
    if fragment:
        notes.append("the fragment after # was dropped, because a WebSocket URL has none")
    pieces = tuple(_piece(raw) for raw in re.split(r"[&;?]", query) if raw)
    return Pasted(name, scheme.lower(), host, port, slash + path, pieces, tuple(notes))


def _piece(raw: str) -> Piece:
    name, _, value = raw.partition("=")
    return Piece(quote(raw, safe="/" + URL_SAFE), unquote_plus(name).lower(), unquote_plus(value))


def _host_and_port(text: str, name: str, subject: Subject) -> tuple[str, int | None]:
    problem = EndpointError(f'"{name}" has no usable host; {WORKS[subject]}', subject)
    if text.startswith("["):
        literal, bracket, after = text[1:].partition("]")
        if not bracket or "%" in literal or (after and not after.startswith(":")):
            raise problem
        try:
            host = ipaddress.IPv6Address(literal).compressed
        except ValueError:
            raise problem from None
        port = after[1:]
    else:
        host, _, port = text.partition(":")
        try:
            host = host.encode("idna").decode("ascii").lower().removesuffix(".")
        except UnicodeError:
            raise problem from None
        if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
            raise problem
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise EndpointError(f'"{name}" has no usable port after its host; ports are 1 to 65535', subject)
    return host, int(port)


def authority(host: str, port: int | None) -> str:
    """Return ``host:port`` as a URL has it: IPv6 in brackets, no colon without a port."""
    literal = f"[{host}]" if ":" in host else host
    return literal if port is None else f"{literal}:{port}"
