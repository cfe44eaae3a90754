"""The check of the models' ends, against a real HTTP server on loopback, with TLS, and through a proxy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.doctoring import PATIENT
from tests.support.proxies import Proxy
from tests.support.sessions import plan
from tui import models
from tui.doctor import Case
from tui.doctor.asking import MOST_BYTES
from tui.doctor.lifecycle import check_models, models_path
from tui.doctor.report import Finding, Outcome
from tui.endpoint import Target, explicit_target, openai_target
from tui.failures.table import KINDS
from tui.session import SessionPlan
from tui.settings import Secret

KEY = "canary-0f1e2d3c4b5a"
TODAY = datetime.now(UTC).date()
SOON, LATE = TODAY + timedelta(days=30), TODAY + timedelta(days=500)


class Service:
    """An HTTP server with an answer for every request. ``requests`` holds path and headers of each."""

    def __init__(self, answer: bytes, status: int = 200, **headers: str) -> None:
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Service:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def listing(*entries: Mapping[str, Any]) -> bytes:
    """The service's answer with these models."""
    return json.dumps({"object": "list", "data": entries}).encode()


def unix(day: date) -> int:
    """Unix time of the noon of a day."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


def azure_entry(model: str, ends: date | None, status: str = "generally-available") -> dict[str, Any]:
    """A model as Azure's data plane lists it."""
    deprecation = {"fine_tune": None, "inference": unix(ends) if ends else None}
    return {"id": model, "object": "model", "lifecycle_status": status, "deprecation": deprecation}


def openai_entry(model: str, ends: date | None) -> dict[str, Any]:
    """A model as OpenAI lists it."""
    return {"id": model, "object": "model", "created": 1, "shutdown_date": ends.isoformat() if ends else None}


def azure(port: int, deployment: str, scheme: str = "ws") -> Target:
    """An Azure resource on this machine."""
    return explicit_target(f"{scheme}://localhost:{port}/openai/v1/realtime?model={deployment}", None)


def openai(port: int, model: str) -> Target:
    """OpenAI, which is on this machine here."""
    made = openai_target(model)
    return replace(made, url=f"ws://127.0.0.1:{port}/v1/realtime?model={model}", host=f"127.0.0.1:{port}")


async def check(target: Target, transcriber: str = "", **changes: Any) -> Finding:
    """What the check finds at a target."""
    made: SessionPlan = replace(plan("ws://127.0.0.1:1/"), target=target, transcription_model=transcriber, **changes)
    case = Case(None, made, limits=PATIENT, secret=Secret(KEY))
    return await check_models(case)


async def test_openai_is_asked_once_with_the_key_in_its_header() -> None:
    with Service(listing(openai_entry("m", SOON))) as service:
        found = await check(openai(service.port, "m"))
    ((path, headers),) = service.requests
    assert (path, headers["authorization"], headers["host"]) == (
        "/v1/models",
        f"Bearer {KEY}",
        f"127.0.0.1:{service.port}",
    )
    assert found.outcome is Outcome.WARNING and found.cause is not None
    assert found.says == f"m ends on {SOON.isoformat()}, in 30 days, says the service."
    assert found.cause.fix == "Set AZURE_OPENAI_DEPLOYMENT (or --deployment) to gpt-realtime-2.1."


async def test_azure_is_asked_for_models_and_a_deployment_is_only_perhaps_one_of_them() -> None:
    with Service(listing(azure_entry("gpt-x", SOON), azure_entry("other", SOON))) as service:
        found = await check(azure(service.port, "gpt-x"), "mine")
    ((path, headers),) = service.requests
    assert path == "/openai/models?api-version=2024-10-21"
    assert headers["api-key"] == KEY and "authorization" not in headers
    assert found.says.startswith(f"If deployment gpt-x is model gpt-x, it ends on {SOON.isoformat()}, in 30 days")
    assert found.cause is not None
    assert found.cause.fix.startswith("Deploy gpt-realtime-2.1, and set AZURE_OPENAI_DEPLOYMENT (or --deployment)")


async def test_the_version_that_ends_first_is_named() -> None:
    entries = (
        azure_entry("gpt-x-2026-02-03", LATE),
        azure_entry("gpt-x-2025-08-28", SOON),
        azure_entry("gpt-x-mini", TODAY),
    )
    with Service(listing(*entries)) as service:
        assert "is model gpt-x-2025-08-28, it ends" in (await check(azure(service.port, "gpt-x"))).says
        assert (await check(azure(service.port, "gpt"))).outcome is Outcome.OK, "the beginning of a name is no name"


@pytest.mark.parametrize("ends", [None, LATE])
async def test_the_word_of_the_service_wins_over_the_table(ends: date | None) -> None:
    with Service(listing(openai_entry("gpt-4o-realtime-preview", ends))) as service:
        found = await check(openai(service.port, "gpt-4o-realtime-preview"))
    assert models.ending("gpt-4o-realtime-preview", "openai") is not None
    assert found.says == "gpt-4o-realtime-preview: no end within 90 days, says the service"


async def test_the_transcription_model_is_looked_at_too() -> None:
    with Service(listing(openai_entry("m", LATE), openai_entry("t", TODAY - timedelta(days=1)))) as service:
        found = await check(openai(service.port, "m"), "t")
    assert found.says.startswith("t ended on ")
    assert found.cause is not None
    assert found.cause.fix == "Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) to gpt-live-transcribe."


async def test_both_are_told() -> None:
    with Service(listing(openai_entry("m", SOON), openai_entry("t", SOON))) as service:
        found = await check(openai(service.port, "m"), "t")
    assert found.says.startswith("m ends on ")
    assert found.details[0].startswith("t ends on ")


async def test_a_state_without_a_date() -> None:
    with Service(listing(azure_entry("x", None, "deprecated"), azure_entry("y", None, "preview"))) as service:
        assert (
            await check(azure(service.port, "x"))
        ).says == "If deployment x is model x, it is deprecated, says the service."
        assert (await check(azure(service.port, "y"))).outcome is Outcome.OK


BROKEN = [
    pytest.param(b"<html>", 200, {}, "no JSON", id="html"),
    pytest.param(b'{"data": 7}', 200, {}, "lists no models", id="no list"),
    pytest.param(b"[]", 200, {}, "lists no models", id="array"),
    pytest.param(b'{"data": [1, {"id": 2}, {}]}', 200, {}, "", id="odd entries"),
    pytest.param(b"[" * 100_000, 200, {}, "no JSON", id="deep"),
    pytest.param(b" " * (MOST_BYTES + 1), 200, {}, "no HTTP", id="huge"),
    pytest.param(b'{"error": {}}', 404, {}, "HTTP 404", id="404"),
    pytest.param(b"", 307, {"Location": "http://127.0.0.1:1/elsewhere"}, "HTTP 307", id="redirect"),
]


@pytest.mark.parametrize(("answer", "status", "headers", "why"), BROKEN)
async def test_without_the_service_the_table_says_it(
    answer: bytes, status: int, headers: dict[str, str], why: str
) -> None:
    with Service(answer, status, **headers) as service:
        found = await check(openai(service.port, "gpt-4o-realtime-preview"))
    assert len(service.requests) == 1, "one request, and no redirect is followed"
    assert found.outcome is Outcome.WARNING, "what cannot be asked is no failure"
    assert found.says.startswith("gpt-4o-realtime-preview ended on 2026-05-07, says the table of 2026-")
    assert why in " ".join(found.details)


@pytest.mark.parametrize("value", [True, -5, 1e300, float("inf"), "soon", "2027-13-01", [], {}, "2027-02-30T00:00:00Z"])
async def test_what_is_no_date_is_none(value: object) -> None:
    entry = {"id": "m", "shutdown_date": value, "deprecation": {"inference": value}, "lifecycle_status": 7}
    with Service(listing(entry)) as service:
        assert (await check(openai(service.port, "m"))).says == "m: no end within 90 days, says the service"


async def test_a_server_that_does_not_answer_costs_a_moment() -> None:
    with Service(b"") as service:
        port = service.port
    found = await check(openai(port, "m"))
    assert found.outcome is Outcome.OK
    assert found.says == "m: no date is known"
    assert found.details == ("The service was not asked: no answer: ConnectionRefusedError.",)


async def test_the_key_does_not_go_unencrypted_to_another_machine() -> None:
    target = explicit_target("ws://gateway.invalid/openai/v1/realtime?model=m", None, insecure=True)
    assert (await check(target)).details == ("The service was not asked: the connection is not encrypted.",)


async def test_a_server_of_neither_vendor_is_not_asked_and_only_the_exact_name_counts() -> None:
    with Service(listing(openai_entry("gpt-4o-realtime-preview", LATE))) as service:
        url = f"ws://127.0.0.1:{service.port}/v1/realtime?model="
        found = await check(explicit_target(f"{url}gpt-4o-realtime-preview", None))
        other = await check(explicit_target(f"{url}my-gpt-4o-realtime-preview", None))
    assert service.requests == []
    assert found.says.startswith("gpt-4o-realtime-preview ended on 2026-05-07, says the table")
    assert (other.outcome, other.says) == (Outcome.OK, "my-gpt-4o-realtime-preview: no date is known")


async def test_the_simulator_has_no_models() -> None:
    assert (await check(azure(1, "m"), simulator=True)).outcome is Outcome.SKIPPED


@pytest.fixture
def authority() -> Authority:
    """A CA that only the user's file names."""
    return Authority()


def secured(service: Service, authority: Authority) -> None:
    """Let the service speak TLS."""
    service.server.socket = authority.good().wrap_socket(service.server.socket, server_side=True)


async def test_tls_with_the_certificates_of_the_settings(authority: Authority, tmp_path: Path) -> None:
    service = Service(listing(azure_entry("m", SOON)))
    secured(service, authority)
    with service:
        trusted = await check(azure(service.port, "m", "wss"), ca_file=authority.write(tmp_path))
        untrusted = await check(azure(service.port, "m", "wss"))
    assert trusted.outcome is Outcome.WARNING
    assert untrusted.details == ("The service was not asked: no answer: SSLCertVerificationError.",)
    assert len(service.requests) == 1, "the key does not go to whom nobody vouches for"


async def test_through_the_proxy_of_the_settings(authority: Authority, tmp_path: Path) -> None:
    service = Service(listing(azure_entry("m", SOON)))
    secured(service, authority)
    with service, Proxy(service.port) as proxy:
        made = replace(
            plan("ws://127.0.0.1:1/"), target=azure(service.port, "m", "wss"), ca_file=authority.write(tmp_path)
        )
        case = Case(None, made, limits=PATIENT, secret=Secret(KEY), proxy=proxy.url)
        assert (await check_models(case)).outcome is Outcome.WARNING
    assert proxy.asked == [f"CONNECT localhost:{service.port} HTTP/1.1"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("wss://me.openai.azure.com/openai/v1/realtime?model=m", "/openai/models?api-version=2024-10-21"),
        ("wss://gate.example.com/team/openai/v1/realtime?model=m", "/team/openai/models?api-version=2024-10-21"),
        ("wss://api.openai.com/v1/realtime?model=m", "/v1/models"),
        ("wss://gate.example.com/v1/realtime?model=m", ""),
    ],
)
def test_where_the_list_is(url: str, path: str) -> None:
    assert models_path(explicit_target(url, None)) == path


def test_the_cause_is_in_the_table() -> None:
    assert KINDS["model-ends"].retry is KINDS["sdk-missing"].retry


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield
