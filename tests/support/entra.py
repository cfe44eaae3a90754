"""Entra ID on loopback, behind a proxy that looks into TLS: azure-identity speaks to it as to the real one."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import trustme

from tests.support.proxies import Proxy

HOST = "login.microsoftonline.com"
SECRET = "canary~of.the-client-secret_0123456789"

APPLICATION = "11111111-1111-1111-1111-111111111111"

KINDS = {
    "7000215": "invalid_client",
    "7000222": "invalid_client",
    "700016": "unauthorized_client",
    "50034": "invalid_grant",
    "65001": "invalid_grant",
    "53003": "invalid_grant",
    "500011": "invalid_resource",
    "90002": "invalid_tenant",
}
"""Code -> ``error``."""

SAID = {
    "7000215": "Invalid client secret provided. Ensure the secret being sent is the client secret value, "
    f"not the client secret ID, for a secret added to app '{APPLICATION}'.",
    "7000222": f"The provided client secret keys for app '{APPLICATION}' are expired.",
    "700016": f"Application with identifier '{APPLICATION}' was not found in the directory 'Contoso'.",
    "50034": "The user account {EUII Hidden} does not exist in the contoso.example directory.",
    "65001": f"The user or administrator has not consented to use the application with ID '{APPLICATION}'.",
    "53003": "Access has been blocked by Conditional Access policies.",
    "500011": "The resource principal named https://cognitiveservices.azure.com was not found in the tenant Contoso.",
    "90002": "Tenant 'contoso.example' not found. Check to make sure you have the correct tenant ID.",
}
"""Code -> what Entra ID says about it."""

_TRACE = "Trace ID: 0e0e0e0e Correlation ID: 1f1f1f1f Timestamp: 2026-11-22 10:00:00Z"


class Tenant:
    """What the authority answers: ``code`` is that of the error, "" for a token. ``asked`` holds the forms so far."""

    def __init__(self, ca_file: Path, code: str, token: str) -> None:
        self.ca_file = ca_file
        self.asked: list[dict[str, list[str]]] = []
        self._code = code
        self._token = token

    def configuration(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body for a GET: the endpoints of a tenant, or the names of the authority."""
        if "discovery/instance" in path:
            names = {"preferred_network": HOST, "preferred_cache": HOST, "aliases": [HOST]}
            return 200, {"tenant_discovery_endpoint": f"https://{HOST}/common/v2.0", "metadata": [names]}
        if self._code == "90002":
            return 400, self._error()
        base = f"https://{HOST}/{path.split('/')[1]}"
        endpoints = {"token_endpoint": "/oauth2/v2.0/token", "authorization_endpoint": "/oauth2/v2.0/authorize"}
        return 200, {"issuer": f"{base}/v2.0", **{name: base + end for name, end in endpoints.items()}}

    def token(self, form: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Status and body for a request of a token."""
        self.asked.append(form)
        if self._code:
            return 401 if self._code.startswith("7000") else 400, self._error()
        return 200, {"token_type": "Bearer", "expires_in": 3600, "access_token": self._token}

    def _error(self) -> dict[str, Any]:
        return {
            "error": KINDS[self._code],
            "error_description": f"AADSTS{self._code}: {SAID[self._code]} {_TRACE}",
            "error_codes": [int(self._code)],
            "error_uri": f"https://{HOST}/error?code={self._code}",
        }


@contextmanager
def service_principal(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *, code: str = "", token: str = "a-token-of-entra-id"
) -> Iterator[Tenant]:
    """A machine whose variables name an application and its secret. Call ``bare_machine`` first."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "company-ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    tenant = Tenant(folder / "company-ca.pem", code, token)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def do_GET(self) -> None:
            self._reply(*tenant.configuration(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._reply(*tenant.token(parse_qs(body)))

        def _reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust us: the test sees it at the other end."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with Proxy(server.server_address[1]) as proxy:
            for name, value in {
                "HTTPS_PROXY": proxy.url,
                "NO_PROXY": "127.0.0.1,localhost",
                "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
                "AZURE_TENANT_ID": "contoso.example",
                "AZURE_CLIENT_ID": APPLICATION,
                "AZURE_CLIENT_SECRET": SECRET,
            }.items():
                monkeypatch.setenv(name, value)
            yield tenant
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
