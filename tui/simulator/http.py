"""The HTTP side: which requests become a session, and how Azure words its refusals."""

from __future__ import annotations

import hmac
import json
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

REGION = "Simulator"

PATHS = {"ga": ("/openai/v1/realtime", "/v1/realtime"), "beta": ("/openai/realtime",)}
"""Paths of each dialect: Azure's own first, then that of OpenAI."""

_MODEL_PARAMETER = {"ga": "model", "beta": "deployment"}


@dataclass(frozen=True)
class Refusal:
    """An HTTP answer in place of a session: Azure's JSON error body under `status`."""

    status: HTTPStatus
    code: str
    message: str

    def response(self) -> Response:
        """Return it for the websockets library to send."""
        body = json.dumps({"error": {"code": self.code, "message": self.message}}).encode()
        headers = Headers({"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"})
        headers.update(service_headers())
        return Response(self.status.value, self.status.phrase, headers, body)


BAD_KEY = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "401",
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource.",
)
NO_DEPLOYMENT = Refusal(
    HTTPStatus.NOT_FOUND,
    "DeploymentNotFound",
    "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
    "please wait a moment and try again.",
)
NO_RESOURCE = Refusal(HTTPStatus.NOT_FOUND, "404", "Resource not found")


def service_headers() -> dict[str, str]:
    """Return the headers that Azure's gateway adds to every answer, refusals included."""
    return {"apim-request-id": str(uuid.uuid4()), "x-ms-region": REGION}


def admit(request: Request, dialect: str, key: str | None) -> str | Refusal:
    """Return the model (deployment) a request opens a session with, or the refusal it gets.

    `key` is the API key to ask for, in `api-key` or as a bearer token; None accepts every request.
    """
    url = urlsplit(request.path)
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    path = url.path.rstrip("/")
    if path not in PATHS[dialect]:
        # The other dialect's path: that service knows no such deployment. Anything else is no resource at all.
        return NO_DEPLOYMENT if any(path in paths for paths in PATHS.values()) else NO_RESOURCE
    if key is not None and not _authorized(request.headers, key):
        return BAD_KEY
    if dialect == "ga" and "api-version" in query:
        return BAD_KEY
    if dialect == "beta" and "api-version" not in query:
        return _missing("api-version")
    parameter = _MODEL_PARAMETER[dialect]
    return query.get(parameter) or _missing(parameter)


def _authorized(headers: Headers, key: str) -> bool:
    given = headers.get("api-key")
    if given is None:
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
    return hmac.compare_digest(given.strip().encode(), key.encode())


def _missing(parameter: str) -> Refusal:
    return Refusal(
        HTTPStatus.BAD_REQUEST, "missing_required_parameter", f"Missing required query parameter: '{parameter}'."
    )
