"""What azure-identity asks on a machine, all of it on loopback: a managed identity's endpoint and an Azure CLI."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


class TokenEndpoint:
    """The endpoint of a managed identity, as App Service has it; each token is a new one."""

    def __init__(self, token: str, *, lives_s: int, status: int) -> None:
        self.url = ""
        self.asked: list[dict[str, list[str]]] = []
        self.token = token
        self.lives_s = lives_s
        self.status = status

    @property
    def given(self) -> list[str]:
        """The tokens so far."""
        return [self._numbered(number) for number in range(1, len(self.asked) + 1)]

    def answer(self, query: dict[str, list[str]]) -> tuple[int, dict[str, Any]]:
        """Status and body for a request."""
        self.asked.append(query)
        if self.status != 200:
            return self.status, {"error": "invalid_scope", "error_description": "The scope is not known here."}
        now = int(time.time())
        return 200, {
            "access_token": self._numbered(len(self.asked)),
            "expires_on": str(now + self.lives_s),
            "resource": query.get("resource", [""])[0],
            "token_type": "Bearer",
        }

    def _numbered(self, number: int) -> str:
        return f"{self.token}-{number}"


@contextmanager
def managed_identity(
    monkeypatch: pytest.MonkeyPatch, token: str, *, lives_s: int = 86_400, status: int = 200
) -> Iterator[TokenEndpoint]:
    """A machine with a managed identity whose endpoint is on loopback."""
    endpoint = TokenEndpoint(token, lives_s=lives_s, status=status)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = endpoint.answer(parse_qs(urlsplit(self.path).query))
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/token"
    monkeypatch.delenv("AZURE_TOKEN_CREDENTIALS", raising=False)
    monkeypatch.setenv("IDENTITY_ENDPOINT", endpoint.url)
    monkeypatch.setenv("IDENTITY_HEADER", "identity-header-of-the-test")
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def bare_machine(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Nobody is signed in: no variables, no tools, a home without anything, and no network for an identity."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_", "IMDS_")):
            monkeypatch.delenv(name)
    tools = folder / "bin"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("HOME", str(folder))
    # The tools of a developer's machine only: the others would ask 169.254.169.254.
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")


def azure_cli(folder: Path, *, token: str = "", error: str = "") -> None:
    """Install an ``az`` that gives a token, or fails with an error."""
    program = folder / "bin" / "az"
    answer = {"accessToken": token, "expires_on": int(time.time()) + 3600, "expiresOn": "2099-01-01 00:00:00.000000"}
    program.write_text(
        f"#!{sys.executable}\nimport sys\n"
        f"error = {error!r}\n"
        f"sys.exit(error) if error else print({json.dumps(answer)!r})\n"
    )
    program.chmod(0o700)
