"""What Entra ID answers, through the real azure-identity, in the doctor and on the screen, with no secret in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apps import fast, isolate, running
from tests.support.doctoring import diagnose
from tests.support.drawing import lines
from tests.support.entra import APPLICATION, KINDS, SECRET, service_principal
from tests.support.identity import bare_machine, managed_identity
from tui.conversation import Cause
from tui.session.entra import entra_token
from tui.session.sign_in import SignInError
from tui.settings.model import AZURE_SCOPE
from tui.simulator import SimulatorThread

WORDS: dict[str, tuple[str, str]] = {
    "7000215": ("the client secret is wrong", "Set AZURE_CLIENT_SECRET to the secret's value, not to its id."),
    "7000222": ("the client secret has expired", "Make a new one, and set AZURE_CLIENT_SECRET to its value."),
    "700016": ("this tenant does not know the application", "Check AZURE_CLIENT_ID and AZURE_TENANT_ID."),
    "50034": ("this tenant does not know the account", "Sign in to the tenant of the resource."),
    "65001": ("the application lacks consent", "Ask the tenant's administrator for it."),
    "53003": ("a rule of the organisation (conditional access) forbids it", "Ask the tenant's administrator."),
    "500011": ("the scope names no resource", "Check AZRT_ENTRA_SCOPE."),
    "90002": ("there is no such tenant", "Check AZURE_TENANT_ID."),
}


@pytest.fixture(autouse=True)
def _bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.CRITICAL, "azure")
    folder = tmp_path / "machine"
    folder.mkdir()
    bare_machine(monkeypatch, folder)
    yield
    assert SECRET not in caplog.text


async def failure(ca_file: Path | None) -> Cause:
    """Why there is no token."""
    with pytest.raises(SignInError) as raised:
        await entra_token(AZURE_SCOPE, ca_file).secret()
    return raised.value.cause


async def test_the_ca_file_is_for_entra_id_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service_principal(monkeypatch, tmp_path, token="eyJ-the-token") as tenant:
        assert (await entra_token(AZURE_SCOPE, tenant.ca_file).secret()).reveal() == "eyJ-the-token"
    (form,) = tenant.asked
    assert form["client_id"] == [APPLICATION]
    assert form["client_secret"] == [SECRET]
    assert form["scope"] == [AZURE_SCOPE]


async def test_without_the_ca_file_the_certificate_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with service_principal(monkeypatch, tmp_path) as tenant:
        cause = await failure(None)
    assert not tenant.asked
    assert cause.name == "entra-certificate"
    assert cause.line == "export AZRT_CA_FILE=/PATH/TO/CA.pem"


async def test_a_ca_file_that_cannot_be_read(tmp_path: Path) -> None:
    cause = await failure(tmp_path / "nothing.pem")
    assert cause.name == "ca-file"
    assert "nothing.pem cannot be read" in cause.sentence


def test_every_code_is_told() -> None:
    assert WORDS.keys() == KINDS.keys()


@pytest.mark.parametrize("code", WORDS)
async def test_why_an_application_gets_no_token(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why, fix = WORDS[code]
    with service_principal(monkeypatch, tmp_path, code=code) as tenant:
        cause = await failure(tenant.ca_file)
    assert cause.sentence == f"Entra ID gives no token: {why} (AADSTS{code})."
    assert cause.fix == fix
    assert len(cause.short) < 58
    assert SECRET not in repr(cause)
    assert cause.facts["EnvironmentCredential"].startswith("Authentication failed: ")


async def test_a_managed_identity_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with managed_identity(monkeypatch, "token", status=400) as endpoint:
        cause = await failure(None)
    assert endpoint.asked
    assert cause.name == "entra-identity"
    assert cause.sentence.endswith("the managed identity of this machine was refused (invalid_scope).")
    assert "AZRT_ENTRA_SCOPE" in cause.fix


def test_the_doctor_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "person"
    folder.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with (
        service_principal(monkeypatch, tmp_path, code="7000215") as tenant,
        SimulatorThread(speed=1000) as simulator,
    ):
        found = diagnose(simulator.url(), folder, AZRT_AUTH="entra", AZRT_CA_FILE=str(tenant.ca_file))
    assert found.code == 1
    (failed,) = found.summary["failed"]
    assert found.causes()[failed] == "entra-refused"
    assert "the client secret is wrong (AADSTS7000215)" in found.checks[failed]["cause"]["sentence"]
    assert found.checks[failed]["cause"]["type"] == "az ad app credential reset --id CLIENT-ID"
    assert SECRET not in found.text


async def test_the_words_on_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch, {"AZRT_AUTH": "entra"})
    with service_principal(monkeypatch, tmp_path, code="7000215") as tenant:
        async with running(fast(), size=(80, 24), ca_file=str(tenant.ca_file)) as shown:
            await shown.shows("Entra ID gives no token (AADSTS7000215).")
            said = " ".join(" ".join(lines(shown.transcript)).split())
            assert (
                "Entra ID gives no token: the client secret is wrong (AADSTS7000215). Set AZURE_CLIENT_SECRET to the "
                "secret's value, not to its id. ctrl+r reconnects." in said
            )
            log = shown.main._log
            assert log is not None
            assert SECRET not in json.dumps([str(log.entry(index)) for index in range(len(log))]) + shown.text
