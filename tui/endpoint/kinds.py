"""The kinds of voice URLs, a row each: how one is recognised, and what azrt-tui can do with it. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, unquote_plus

_WATCH: Final = "azrt-tui watch --to URL shows such sessions of others; to talk, use {path}"
_HTTP: Final = "is the HTTP call that makes a session; give the wss:// URL, such as {talk}"

_RESOURCE: Final = r"(?:^|\.)(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)"
_AGENT: Final = "endpoint/protocols/voice"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of URL. Whatever condition a row leaves empty holds for any URL."""

    name: str
    """The name for the user."""
    path: str = ""
    """A regular expression for the end of the path: lowercase, whole segments. What is before it is a gateway's."""
    query: tuple[str, str] | None = None
    """A parameter that it has, and its value; "" for any value."""
    host: str = ""
    """A regular expression for the end of the host."""
    schemes: frozenset[str] = frozenset({"ws", "wss", "http", "https", ""})
    takes_model: bool = False
    """Whether the URL names a model."""
    own: bool = False
    """Whether a session of azrt-tui's own speaks it."""
    socket: bool = True
    """Whether it is a WebSocket at all."""
    refusal: str = ""
    """The rest of the sentence "URL ..." where it is not; ``{talk}`` is a URL that works, ``{path}`` its end."""

    @property
    def remark(self) -> str:
        """The name where it is worth a word: "" for plain Realtime, and for a path that is not known."""
        return "" if self in (REALTIME, UNKNOWN) else self.name

    def matches(self, scheme: str, host: str, path: str, query: tuple[tuple[str, str], ...]) -> bool:
        """Return whether a URL is of this kind; its parts are decoded and lowercase, the path without outer slashes."""
        return (
            scheme in self.schemes
            and (not self.host or bool(re.search(f"{self.host}$", host)))
            and (not self.path or bool(re.fullmatch(f"(?:.*/)?(?:{self.path})", path)))
            and (self.query is None or any(self._wants(name, value) for name, value in query))
        )

    def _wants(self, name: str, value: str) -> bool:
        return self.query is not None and name == self.query[0] and self.query[1] in ("", value)


REALTIME: Final = Kind("Realtime", "realtime", takes_model=True, own=True)

BETA: Final = Kind("Realtime Beta", r"openai/realtime|openai/deployments(?:/.*)?", takes_model=True, own=True)

UNKNOWN: Final = Kind("unknown", takes_model=True, own=True)

KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        "Foundry voice agent, Live",
        f"{_AGENT}/live/sessions",
        refusal=f"is a Foundry voice agent, not Realtime: {_WATCH}",
    ),
    Kind("Foundry voice agent", _AGENT, refusal=f"is a Foundry voice agent, not Realtime: {_WATCH}"),
    Kind("Voice Live", "voice-live/realtime", takes_model=True, refusal=f"is Voice Live, not Realtime: {_WATCH}"),
    Kind("Voice Live", "voice-live", host=_RESOURCE, refusal=f"is Voice Live, not Realtime: {_WATCH}"),
    Kind(
        "Live recording",
        r"live/sessions/[^/]+/content",
        socket=False,
        refusal="is a recording, a WAV to download and not a session; give the wss:// URL, such as {talk}",
    ),
    Kind("Live, attached", r"live/sessions/[^/]+/attach", refusal=f"attaches to a Live session: {_WATCH}"),
    Kind("Live, continued", r"live/sessions/[^/]+/fork", refusal=f"continues a Live session: {_WATCH}"),
    Kind("HTTP call", r"live/sessions/[^/]+(?:/(?:accept|hangup|refer|reject))?", socket=False, refusal=_HTTP),
    Kind("HTTP call", r"live/sessions|v1/live", schemes=frozenset({"http", "https"}), socket=False, refusal=_HTTP),
    Kind("Live", r"live/sessions|v1/live", refusal=f"is Live, not Realtime: {_WATCH}"),
    Kind(
        "HTTP call",
        r"realtime/(?:calls(?:/.*)?|sessions|client_secrets|transcription_sessions|translations/(?:client_secrets|calls))"
        r"|realtimeapi/sessions",
        socket=False,
        refusal=_HTTP,
    ),
    Kind("translation", "realtime/translations", takes_model=True, refusal=f"is a translation session: {_WATCH}"),
    Kind(
        "call of another client",
        query=("call_id", ""),
        refusal=f"would change somebody's call (call_id): {_WATCH}",
    ),
    Kind("transcription", query=("intent", "transcription"), refusal=f"only transcribes: {_WATCH}"),
    BETA,
    REALTIME,
    UNKNOWN,
)
"""The first row that matches counts. The last one always does."""


def kind_of(path: str, query: str = "", *, scheme: str = "wss", host: str = "") -> Kind:
    """Return the kind of a URL; path and query as written, the host lowercase."""
    parts = "/".join(unquote(part).lower() for part in path.split("/") if part not in ("", "."))
    pieces = tuple(
        (unquote_plus(name).lower(), unquote_plus(value).lower())
        for name, _, value in (piece.partition("=") for piece in re.split("[&;?]", query))
    )
    return next(kind for kind in KINDS if kind.matches(scheme, host, parts, pieces))
