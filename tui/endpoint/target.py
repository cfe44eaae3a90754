"""Any pasted endpoint -> the GA WebSocket URL and the header that fits it, or the reason why it cannot be one.

The GA form on Azure is ``wss://HOST/openai/v1/realtime?model=DEPLOYMENT`` with no api-version (with one, Azure answers
401). What is no Realtime URL is refused here, in the words of its row in ``kinds``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from tui import models
from tui.endpoint.kinds import BETA, UNKNOWN, Kind, kind_of
from tui.endpoint.pasted import (
    KEY,
    KNOWN_NAMES,
    PLACEHOLDER,
    URL_SAFE,
    WORKS,
    WRAPPING,
    EndpointError,
    Pasted,
    Piece,
    Subject,
    authority,
    is_loopback,
    parse,
    shown,
)

DEFAULT_OPENAI_MODEL = models.REALTIME

Provider = Literal["azure", "openai", "compatible"]
AuthHeader = Literal["api-key", "Authorization"]

_DROPPED_KEY = "a key in the query was dropped, because keys go in a header and never in a URL"
_OF_A_GATEWAY = re.compile(r"subscription-?key")
"""Parameters that API Management takes its key in."""
_WORKS = WORKS["endpoint"]
_GA_PATH = ("openai", "v1", "realtime")
_MOST_SHOWN = 44
"""Characters of a URL in a refusal: the first-run form has three lines for all of it."""
_DROPPED_VERSION = "api-version was dropped, because GA takes none: with one, Azure answers 401"

_IDENTIFIERS = frozenset({"call_id", "agent-authentication-identity-client-id", "conversation-id"})
"""Parameters of voice URLs that can look like keys and are none."""

_RESOURCE_HOST = re.compile(r"(?:^|\.)(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$")
_REGIONAL_HOST = re.compile(r"(?:^|\.)api\.cognitive\.(?:microsoft\.com|microsoft\.us|azure\.us|azure\.cn)$")
_APIM_HOST = re.compile(r"\.azure-api\.(?:net|us|cn)$")
_OPENAI_HOST = re.compile(r"^(?:[a-z]+\.)?api\.openai\.com$")
_OWN_PATH = re.compile(r"(.*?)/(?:openai|v1|realtime|live|voice-live|api/projects)(?:/|$)", re.IGNORECASE)
"""What is before a service's own path, which only a gateway has."""
_WEB_PAGE = re.compile(
    r"(?:https?://)?(?:(?:portal|ai|oai|ml|management)\.azure\.(?:com|us|cn)|learn\.microsoft\.com"
    r"|login\.microsoftonline\.com)(?=[/?#]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect and how to present the key. It never holds the key itself."""

    url: str
    """The WebSocket URL."""
    host: str
    """``host`` or ``host:port``, to show."""
    model: str
    """The deployment (Azure) or model name; may be empty for a URL that names none."""
    provider: Provider
    auth_header: AuthHeader
    notes: tuple[str, ...]
    """One line for each thing that was changed, and why."""

    @property
    def kind(self) -> Kind:
        """The kind of the URL."""
        parts = urlsplit(self.url)
        return kind_of(parts.path, parts.query, scheme=parts.scheme, host=parts.hostname or "")

    def headers(self, key: str | None) -> dict[str, str]:
        """Return the authentication header for ``key``; empty without one."""
        if not key:
            return {}
        return {self.auth_header: key if self.auth_header == "api-key" else f"Bearer {key}"}


def azure_target(endpoint: str, deployment: str | None, *, watched: bool = False) -> Target:
    """Return the GA target for whatever a person pasted as AZURE_OPENAI_ENDPOINT.

    Accepted: a resource name, a host, or a URL with any Azure path (also a whole Beta URL); sovereign clouds, gateways
    (their path prefix is kept) and loopback hosts (``http`` then means ``ws``). A deployment in the URL is used when
    ``deployment`` is empty. Regional hosts are turned into a URL too, with a note: keys work there for some
    services, but Azure documents a resource host of its own for Azure OpenAI.

    With ``watched``, sessions of other clients go there: a URL that only they can use is kept as it is.

    Raises EndpointError.
    """
    if _WEB_PAGE.match(endpoint.strip(WRAPPING)):
        endpoint = endpoint.partition("#")[0]  # the portal has an @ there, which is no password's
    pasted = parse(endpoint, "endpoint")
    kind = _kind(pasted)
    _refuse(kind, pasted, "endpoint", watched=watched)
    host = _azure_host(pasted)
    notes = list(pasted.notes)
    loopback = is_loopback(host)
    plain = pasted.scheme in ("http", "ws")
    # A local server without a scheme is taken to be one without a certificate.
    scheme = "ws" if loopback and (plain or not pasted.scheme) else "wss"
    port = pasted.port
    if plain and not loopback:
        notes.append(f"{pasted.scheme}:// became wss://, because the key must not travel unencrypted")
        if port == 80:
            port = None
    if _REGIONAL_HOST.search(host):
        notes.append(
            f"{host} is a regional host, which may not serve Realtime: if it is refused, give the resource a custom "
            "subdomain and use https://NAME.openai.azure.com"
        )
    if not kind.own:
        return _as_given(replace(pasted, scheme=scheme, host=host, port=port, notes=tuple(notes)), kind, None)

    prefix, path_deployment = _azure_path(pasted, host, notes)
    model = _azure_model(pasted, deployment, path_deployment, notes)
    where = authority(host, port)
    path = "/".join((*(quote(part, safe=URL_SAFE) for part in prefix), *_GA_PATH))
    url = f"{scheme}://{where}/{path}?model={quote(model, safe='')}"
    return Target(url, where, model, "azure", "api-key", tuple(notes))


def openai_target(model: str | None) -> Target:
    """Return the target for OpenAI itself. Raises EndpointError for a model name that cannot be one."""
    name = _name(model or "", "model name") or DEFAULT_OPENAI_MODEL
    host = "api.openai.com"
    return Target(f"wss://{host}/v1/realtime?model={quote(name, safe='')}", host, name, "openai", "Authorization", ())


def explicit_target(url: str, deployment: str | None, *, insecure: bool = False, watched: bool = False) -> Target:
    """Return the target for ``--url``: the URL as given, without any secret in it, and with a model.

    ``deployment`` is added when the URL names none and takes one. ``ws://`` is accepted for loopback hosts, elsewhere
    only when ``insecure``. A Beta URL is kept, with a note. With ``watched``, sessions of other clients go there: any
    kind of WebSocket will do, and the query stays as it is. Raises EndpointError.
    """
    pasted = parse(url, "url")
    kind = _kind(pasted)
    _refuse(kind, pasted, "url", watched=watched)
    rest = "://" + authority(pasted.host, pasted.port) + _path(pasted) + _query(p.raw for p in _kept(pasted))
    if pasted.scheme not in ("ws", "wss"):
        given = f"{pasted.scheme}://" if pasted.scheme else "no scheme"
        # A local server is taken to be one without a certificate, unless it is said to have one.
        scheme = "ws" if pasted.scheme != "https" and is_loopback(pasted.host) else "wss"
        raise EndpointError(
            f'--url takes a WebSocket URL, but "{shown(url)}" has {given}; use {scheme}{rest} '
            "(or give an Azure endpoint with --endpoint)",
            "url",
        )
    if pasted.scheme == "ws" and not insecure and not is_loopback(pasted.host):
        raise EndpointError(
            f'"{shown(url)}" would send the key unencrypted; use wss{rest}, or add --insecure',
            "url",
        )
    return _as_given(pasted, kind, deployment, versioned=watched)


def _as_given(pasted: Pasted, kind: Kind, deployment: str | None, *, versioned: bool = True) -> Target:
    """Return the target with the path and the query that were pasted, but for secrets.

    ``deployment`` is added where it is missing and belongs; not ``versioned``: GA on Azure loses its api-version.
    """
    notes = list(pasted.notes)
    pieces = _kept(pasted)
    if len(pieces) < len(pasted.query):
        notes.append(_dropped_key(pasted))
    segments = [part.lower() for part in pasted.segments]
    names = {piece.name for piece in pieces}
    if not versioned and tuple(segments[-3:]) == _GA_PATH and "api-version" in names:
        pieces = [piece for piece in pieces if piece.name != "api-version"]
        notes.append(_DROPPED_VERSION)
    beta = kind is BETA or (kind.own and any(piece.name == "api-version" for piece in pieces))
    wanted = _name(deployment or "", "deployment") if kind.own else ""
    model = _first(piece.value for name in ("model", "deployment") for piece in pieces if piece.name == name)
    query = [piece.raw for piece in pieces]
    if not model and wanted:
        model = wanted
        query.append(f"{'deployment' if beta else 'model'}={quote(wanted, safe='')}")
    elif wanted and wanted != model:
        notes.append(f'deployment "{shown(wanted)}" is not used, because the URL names "{shown(model)}"')
    where = authority(pasted.host, pasted.port)
    if beta:
        notes.append(
            "this Beta URL is used as given, but only the GA protocol is understood here: for GA, use no --url and "
            f"set AZURE_OPENAI_ENDPOINT=https://{where} and AZURE_OPENAI_DEPLOYMENT={shown(model) or 'NAME'}"
        )
    elif kind is UNKNOWN and segments and not is_loopback(pasted.host) and not _APIM_HOST.search(pasted.host):
        # API Management names its paths as it likes, and so does whoever tests on his own machine.
        notes.append(f"{shown(pasted.path)} is not a path that azrt-tui knows; it is used as given")
    provider = _provider(pasted)
    header: AuthHeader = "api-key" if provider == "azure" else "Authorization"
    full = f"{pasted.scheme}://{where}{_path(pasted)}{_query(query)}"
    return Target(full, where, model, provider, header, tuple(notes))


def _kind(pasted: Pasted) -> Kind:
    query = "&".join(piece.raw for piece in pasted.query)
    return kind_of(pasted.path, query, scheme=pasted.scheme, host=pasted.host)


def _refuse(kind: Kind, pasted: Pasted, subject: Subject, *, watched: bool) -> None:
    """Raise EndpointError for what azrt-tui cannot use: in a session of its own, or ``watched``."""
    if kind.own or (watched and kind.socket):
        return
    scheme = "ws" if is_loopback(pasted.host) and pasted.scheme in ("ws", "http") else "wss"
    path = _talking(pasted)
    sentence = kind.refusal.format(talk=f"{scheme}://{authority(pasted.host, pasted.port)}{path}", path=path)
    raise EndpointError(f'"{shown(pasted.shown.partition("?")[0], _MOST_SHOWN)}" {sentence}', subject)


def _talking(pasted: Pasted) -> str:
    """Return path and query at the same host that would do for a session of our own."""
    before = _OWN_PATH.match(pasted.path)
    prefix = shown(before[1]) if before and not _RESOURCE_HOST.search(pasted.host) else ""
    path = "/openai/v1/realtime?model=NAME" if _provider(pasted) == "azure" else "/v1/realtime?model=NAME"
    return prefix + path


def _provider(pasted: Pasted) -> Provider:
    if _OPENAI_HOST.match(pasted.host):
        return "openai"
    segments = [part.lower() for part in pasted.segments]
    if _is_azure_host(pasted.host) or "openai" in segments[:-1]:  # Azure's path, so a gateway before Azure
        return "azure"
    return "compatible"


def _kept(pasted: Pasted) -> list[Piece]:
    """Return the query without what is, or may hide, a key."""
    return [piece for piece in pasted.query if not piece.secret or _identifies(piece)]


def _dropped_key(pasted: Pasted) -> str:
    if any(_OF_A_GATEWAY.search(piece.name) for piece in pasted.query):
        return f"{_DROPPED_KEY}: --header Ocp-Apim-Subscription-Key=env:VAR"
    return _DROPPED_KEY


def _identifies(piece: Piece) -> bool:
    return piece.name in _IDENTIFIERS and bool(re.fullmatch(r"[\w.-]*", piece.value))


def _path(pasted: Pasted) -> str:
    return quote(pasted.path, safe="/" + URL_SAFE)


def _query(pieces: Iterable[str]) -> str:
    joined = "&".join(pieces)
    return f"?{joined}" if joined else ""


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _is_azure_host(host: str) -> bool:
    return any(pattern.search(host) for pattern in (_RESOURCE_HOST, _REGIONAL_HOST, _APIM_HOST))


def _azure_host(pasted: Pasted) -> str:
    """Return the host that serves the resource; a bare resource name gets Azure's domain."""
    host, name = pasted.host, pasted.shown
    if not pasted.scheme and pasted.port is None and not {".", ":"} & set(host) and not is_loopback(host):
        if pasted.segments and pasted.segments[0].lower() != "openai":
            raise EndpointError(f'"{name}" is neither a host nor the name of a resource; {_WORKS}')
        return f"{host}.openai.azure.com"
    if _WEB_PAGE.match(host):
        raise EndpointError(
            f'"{name}" is a web page, not an endpoint; {_WORKS}, which the page "Keys and Endpoint" shows'
        )
    if _OPENAI_HOST.match(host):
        raise EndpointError(f'"{name}" is OpenAI, not Azure; leave AZURE_OPENAI_ENDPOINT empty and set OPENAI_API_KEY')
    if (match := _RESOURCE_HOST.search(host) or _REGIONAL_HOST.search(host)) and match.start() == 0:
        raise EndpointError(f'"{name}" lacks the name of the resource; use https://NAME.{host}')
    return host


def _azure_path(pasted: Pasted, host: str, notes: list[str]) -> tuple[list[str], str]:
    """Return the path before Azure's own, which only a gateway has, and the deployment that an old path names."""
    parts = pasted.segments
    lower = [part.lower() for part in parts]
    if ".." in parts:
        raise EndpointError(f'"{pasted.shown}" has .. in its path; {_WORKS}')
    # A gateway's own prefix may hold the word too, so prefer the one that is followed by what follows it on Azure.
    starts = [i for i, part in enumerate(lower) if part == "openai"]
    known = (i for i in starts if lower[i + 1 : i + 2] in ([], ["v1"], ["realtime"], ["deployments"]))
    start = next(known, starts[0] if starts else len(parts))
    prefix, rest = parts[:start], lower[start + 1 :]
    if not starts:
        tail = next((t for t in (["v1", "realtime"], ["realtime"], ["v1"]) if lower[-len(t) :] == t), [])
        prefix, rest = parts[: len(parts) - len(tail)], tail
        if tail:
            notes.append(f"/{'/'.join(tail)} became /openai/v1/realtime, Azure's path; to keep it, use --url")
    elif rest[:1] == ["realtime"]:
        notes.append(
            "the Beta path became /openai/v1/realtime, because Beta is deprecated and its sessions cannot be read here"
        )
    elif rest not in ([], ["v1"], ["v1", "realtime"]):
        notes.append(f"/openai/{shown('/'.join(rest))} became /openai/v1/realtime, because that serves Realtime")
    if prefix and (_RESOURCE_HOST.search(host) or _REGIONAL_HOST.search(host)):
        notes.append(
            f"the path /{shown('/'.join(prefix))} was dropped, because Realtime is served by the resource itself"
        )
        prefix = []
    return prefix, unquote(parts[start + 2]) if rest[:1] == ["deployments"] and len(rest) > 1 else ""


def _azure_model(pasted: Pasted, deployment: str | None, path_deployment: str, notes: list[str]) -> str:
    """Return the deployment to ask for, and note what else the query held."""
    pieces = [piece for piece in pasted.query if not piece.secret]
    names = {piece.name for piece in pieces}
    if len(pieces) < len(pasted.query):
        notes.append(_dropped_key(pasted))
    if "api-version" in names:
        notes.append(_DROPPED_VERSION)
    if names - KNOWN_NAMES:
        notes.append("the rest of the query was dropped, because the GA URL carries only the model")

    old = _first(piece.value for piece in pieces if piece.name == "deployment") or path_deployment
    in_url = (old or _first(piece.value for piece in pieces if piece.name == "model")).strip(WRAPPING)
    wanted = _name(deployment or "", "deployment")
    if wanted:
        if in_url not in ("", wanted):
            notes.append(f'deployment "{shown(in_url)}" of the URL is not used, because "{shown(wanted)}" is set')
        return wanted
    if not in_url:
        raise EndpointError(
            "no deployment: set AZURE_OPENAI_DEPLOYMENT (or --deployment) to the name of your realtime deployment",
            "deployment",
        )
    if set("?&=#;") & set(in_url):
        raise EndpointError(f'"{pasted.shown}" names no usable deployment; set AZURE_OPENAI_DEPLOYMENT')
    if old:
        notes.append(f'deployment "{shown(in_url)}" was taken from the URL, because none is set')
    return _name(in_url, "deployment in the endpoint", "endpoint")


def _name(value: str, what: str, subject: Subject = "deployment") -> str:
    """Return a deployment or model name without what surrounds a pasted one; raise EndpointError if it is none."""
    name = value.strip(WRAPPING)
    if KEY.fullmatch(name):
        raise EndpointError(f"the {what} looks like an API key; it is a name such as {models.REALTIME}", subject)
    if not name.isprintable() or PLACEHOLDER.search(name):
        raise EndpointError(f'the {what} "{shown(name)}" is not a name; it looks like {models.REALTIME}', subject)
    return name
