"""Any pasted endpoint -> the GA WebSocket URL and the header that fits it, or the reason why it cannot be one.

Pure: no I/O, no environment, standard library only. The GA form on Azure is
``wss://HOST/openai/v1/realtime?model=DEPLOYMENT`` with no api-version (with one, Azure answers 401).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from urllib.parse import quote, unquote

from tui import models
from tui.pasted import (
    KEY,
    KNOWN_NAMES,
    PLACEHOLDER,
    URL_SAFE,
    WORKS,
    WRAPPING,
    EndpointError,
    Pasted,
    Subject,
    authority,
    escape_controls,
    is_loopback,
    parse,
    shown,
)

__all__ = [
    "DEFAULT_OPENAI_MODEL",
    "WRAPPING",
    "EndpointError",
    "Target",
    "azure_target",
    "escape_controls",
    "explicit_target",
    "is_loopback",
    "openai_target",
    "shown",
]

DEFAULT_OPENAI_MODEL = models.REALTIME

Provider = Literal["azure", "openai", "compatible"]
AuthHeader = Literal["api-key", "Authorization"]

_DROPPED_KEY = "a key in the query was dropped, because keys go in a header and never in a URL"
_WORKS = WORKS["endpoint"]
_GA_PATH = ("openai", "v1", "realtime")

_RESOURCE_HOST = re.compile(r"(?:^|\.)(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$")
_REGIONAL_HOST = re.compile(r"(?:^|\.)api\.cognitive\.(?:microsoft\.com|microsoft\.us|azure\.us|azure\.cn)$")
_APIM_HOST = re.compile(r"\.azure-api\.(?:net|us|cn)$")
_OPENAI_HOST = re.compile(r"^(?:[a-z]+\.)?api\.openai\.com$")
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

    def headers(self, key: str | None) -> dict[str, str]:
        """Return the authentication header for ``key``; empty without one."""
        if not key:
            return {}
        return {self.auth_header: key if self.auth_header == "api-key" else f"Bearer {key}"}


def azure_target(endpoint: str, deployment: str | None) -> Target:
    """Return the GA target for whatever a person pasted as AZURE_OPENAI_ENDPOINT.

    Accepted: a resource name, a host, or a URL with any Azure path (also a whole Beta URL); sovereign clouds, gateways
    (their path prefix is kept) and loopback hosts (``http`` then means ``ws``). A deployment in the URL is used when
    ``deployment`` is empty. Regional hosts are turned into a URL too, with a note: keys work there for some
    services, but Azure documents a resource host of its own for Azure OpenAI.

    Raises EndpointError.
    """
    if _WEB_PAGE.match(endpoint.strip(WRAPPING)):
        endpoint = endpoint.partition("#")[0]  # the portal has an @ there, which is no password's
    pasted = parse(endpoint, "endpoint")
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


def explicit_target(url: str, deployment: str | None, *, insecure: bool = False) -> Target:
    """Return the target for ``--url``: the URL as given, without any secret in it, and with a model.

    ``deployment`` is added when the URL names none. ``ws://`` is accepted for loopback hosts, elsewhere only when
    ``insecure``. A Beta URL is kept, with a note. Raises EndpointError.
    """
    pasted = parse(url, "url")
    pieces = [piece for piece in pasted.query if not piece.secret]
    where = authority(pasted.host, pasted.port)
    path = quote(pasted.path, safe="/" + URL_SAFE)
    rest = "://" + where + path + _query(piece.raw for piece in pieces)
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

    notes = list(pasted.notes)
    if len(pieces) < len(pasted.query):
        notes.append(_DROPPED_KEY)
    segments = [part.lower() for part in pasted.segments]
    beta = any(piece.name == "api-version" for piece in pieces) or _is_beta_path(segments)
    wanted = _name(deployment or "", "deployment")
    model = _first(piece.value for name in ("model", "deployment") for piece in pieces if piece.name == name)
    query = [piece.raw for piece in pieces]
    if not model and wanted:
        model = wanted
        query.append(f"{'deployment' if beta else 'model'}={quote(wanted, safe='')}")
    elif wanted and wanted != model:
        notes.append(f'deployment "{shown(wanted)}" is not used, because the URL names "{shown(model)}"')
    if beta:
        notes.append(
            "this Beta URL is used as given, but only the GA protocol is understood here: for GA, use no --url and "
            f"set AZURE_OPENAI_ENDPOINT=https://{where} and AZURE_OPENAI_DEPLOYMENT={shown(model) or 'NAME'}"
        )

    provider: Provider = "compatible"
    if _OPENAI_HOST.match(pasted.host):
        provider = "openai"
    elif _is_azure_host(pasted.host) or "openai" in segments[:-1]:  # Azure's path, so a gateway before Azure
        provider = "azure"
    full = f"{pasted.scheme}://{where}{path}{_query(query)}"
    header: AuthHeader = "api-key" if provider == "azure" else "Authorization"
    return Target(full, where, model, provider, header, tuple(notes))


def _query(pieces: Iterable[str]) -> str:
    joined = "&".join(pieces)
    return f"?{joined}" if joined else ""


def _first(values: Iterable[str]) -> str:
    return next((value for value in values if value), "")


def _is_azure_host(host: str) -> bool:
    return any(pattern.search(host) for pattern in (_RESOURCE_HOST, _REGIONAL_HOST, _APIM_HOST))


def _is_beta_path(segments: list[str]) -> bool:
    """Tell a Beta path (lowercase segments): /openai/realtime or /openai/deployments/NAME/..."""
    return any(a == "openai" and b in ("realtime", "deployments") for a, b in pairwise(segments))


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
        notes.append(_DROPPED_KEY)
    if "api-version" in names:
        notes.append("api-version was dropped, because GA takes none: with one, Azure answers 401")
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
