"""Where the key or token of a connection comes from: a command, or Entra ID by way of the real azure-identity."""

from __future__ import annotations

import asyncio
import logging
import math
import shlex
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.identity import azure_cli, bare_machine, managed_identity
from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.sessions import session
from tui.endpoint import explicit_target
from tui.session import Reconnect, key_command
from tui.session.entra import cause_of, entra_token
from tui.session.key_command import key_from_command
from tui.session.sign_in import FetchedSecret, FixedKey, SignInError
from tui.settings import Secret
from tui.settings.model import AZURE_SCOPE
from tui.simulator import SimulatorThread

KEY = "canary0123456789abcdef0123456789"
TOKEN = "eyJcanary-of-entra-0123456789"


def python(code: str) -> list[str]:
    """A command that runs this."""
    return [sys.executable, "-c", code]


async def failure(sign_in: FetchedSecret) -> SignInError:
    """Why there is no secret."""
    with pytest.raises(SignInError) as raised:
        await sign_in.secret()
    return raised.value


# A command


async def test_the_first_line_is_the_key() -> None:
    key = await key_from_command(python(f"print('{KEY}\\nurl: https://example.com')")).secret()
    assert key.reveal() == KEY


async def test_the_command_runs_once_until_the_key_is_refused(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    sign_in = key_from_command(python(f"open({str(runs)!r}, 'a').write('x'); print('{KEY}')"))
    assert [await sign_in.secret(), await sign_in.secret()] == [Secret(KEY)] * 2
    assert runs.read_text() == "x"
    sign_in.refused()
    await sign_in.secret()
    assert runs.read_text() == "xx"


async def test_no_shell_sees_the_command(tmp_path: Path) -> None:
    out = tmp_path / "out"
    word = f"$(touch>{out});`id`|{KEY}"
    assert (await key_from_command(["printf", "%s", word]).secret()).reveal() == word
    assert not out.exists()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('gpg: no secret key')", ["exit code 1", "gpg: no secret key"]),
        ("import os; os.kill(os.getpid(), 9)", ["signal 9"]),
        ("pass", ["printed nothing"]),
        ("import sys; print('locked', file=sys.stderr)", ["printed nothing", "locked"]),
        ("print('two words')", ["a character that no key has"]),
        ("import sys; sys.stdout.buffer.write(bytes([255, 10]))", ["a character that no key has"]),
    ],
)
async def test_a_command_that_gives_no_key(code: str, words: list[str]) -> None:
    error = await failure(key_from_command(python(code)))
    assert error.cause.name == "key-command"
    for word in words:
        assert word in error.cause.sentence
    assert error.cause.line == shlex.join(python(code))


async def test_a_program_that_does_not_exist() -> None:
    error = await failure(key_from_command(["no-such-program-anywhere", "show"]))
    assert error.cause.sentence == (
        "The api_key_command no-such-program-anywhere cannot be run: no such file or directory."
    )


async def test_the_key_is_not_shown_when_the_command_fails(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    code = f"import sys; key = open({str(file)!r}).read(); print(key); sys.exit(f'debug: key={{key}} short=abcd1234')"
    error = await failure(key_from_command(python(code)))
    assert KEY not in repr(error.cause)
    assert "short=abcd1234" in error.cause.sentence


async def test_control_characters_of_a_command_are_not_a_line_of_their_own() -> None:
    error = await failure(key_from_command(python("import sys; sys.exit('one\\ntwo\\x0bthree')")))
    assert "one / two / three" in error.cause.sentence


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    code = (
        "import subprocess, sys, time, pathlib;"
        f"p = subprocess.Popen([sys.executable, '-c', {child!r}]);"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(p.pid)); time.sleep(600)"
    )
    # Long enough for the interpreter to start: otherwise there is no child whose end could be seen.
    error = await failure(key_from_command(python(code), patience_s=3.0))
    assert "was not done within 3 s" in error.cause.sentence
    await asyncio.to_thread(until_ended, int((tmp_path / "pid").read_text()))


def until_ended(pid: int) -> None:
    """Wait until this process has ended."""
    status = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 10
    while status.exists() and status.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the child still runs"
        time.sleep(0.01)


async def test_nobody_can_be_asked_by_the_command() -> None:
    error = await failure(key_from_command(python("input('Password: ')")))
    assert "EOF" in error.cause.sentence


async def test_a_fetch_that_hangs_holds_nobody_up() -> None:
    done = threading.Event()

    def hang() -> Secret:
        done.wait()
        return Secret()

    error = await failure(FetchedSecret("azrt-test", hang, keep=False, patience_s=0.05))
    done.set()
    assert error.cause.name == "sign-in-timeout"


async def test_every_secret_that_was_given_stays_masked() -> None:
    secrets = iter([Secret("first-secret-of-two"), Secret("second-secret-of-two")])
    sign_in = FetchedSecret("azrt-test", lambda: next(secrets), keep=False)
    await sign_in.secret()
    await sign_in.secret()
    text = "first-secret-of-two and second-secret-of-two"
    assert sign_in.masked(text) == f"{'*' * 19} and {'*' * 20}"
    assert sign_in.masked(text.encode()) == sign_in.masked(text).encode()
    assert "secret-of-two" not in repr(sign_in)


async def test_a_fixed_key() -> None:
    sign_in = FixedKey(Secret(KEY))
    sign_in.refused()
    assert (await sign_in.secret()).reveal() == KEY
    assert sign_in.masked(f"<{KEY}>") == f"<{'*' * len(KEY)}>"


# Entra ID


@pytest.fixture(autouse=True)
def quiet_azure(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "azure")


async def test_a_token_of_a_managed_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)
    with managed_identity(monkeypatch, TOKEN) as endpoint:
        sign_in = entra_token(AZURE_SCOPE)
        first, second = await sign_in.secret(), await sign_in.secret()
    assert first.reveal() == second.reveal() == f"{TOKEN}-1"
    assert len(endpoint.asked) == 1, "azure-identity keeps it"
    assert endpoint.asked[0]["resource"] == ["https://cognitiveservices.azure.com"]
    assert TOKEN not in repr(sign_in)


async def test_a_token_that_is_about_to_expire_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)
    with managed_identity(monkeypatch, TOKEN, lives_s=60) as endpoint:
        sign_in = entra_token("https://ai.azure.com/.default")
        first, second = await sign_in.secret(), await sign_in.secret()
    assert (first.reveal(), second.reveal()) == (f"{TOKEN}-1", f"{TOKEN}-2")
    assert endpoint.asked[1]["resource"] == ["https://ai.azure.com"]
    assert sign_in.masked(f"{TOKEN}-1 {TOKEN}-2") == f"{'*' * len(first.reveal())} {'*' * len(second.reveal())}"


async def test_a_token_of_azure_cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)
    azure_cli(tmp_path, token=TOKEN)
    assert (await entra_token(AZURE_SCOPE).secret()).reveal() == TOKEN


async def test_nobody_is_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)
    error = await failure(entra_token(AZURE_SCOPE))
    assert error.cause.name == "entra-no-sign-in"
    assert error.cause.line == "az login"
    assert "AzureCliCredential" in error.cause.facts


@pytest.mark.parametrize(
    ("said", "name", "words"),
    [
        ("ERROR: Please run 'az login' to setup account.", "entra-signed-out", "Nobody is signed in"),
        ("ERROR: AADSTS700082: The refresh token has expired due to inactivity.", "entra-refused", "has expired"),
        ("ERROR: AADSTS500011: The resource principal was not found.", "entra-refused", "names no resource"),
        ("ERROR: AADSTS99999: Something else.", "entra-refused", "(AADSTS99999)"),
    ],
)
async def test_azure_cli_gives_no_token(
    said: str, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_machine(monkeypatch, tmp_path)
    azure_cli(tmp_path, error=said)
    error = await failure(entra_token(AZURE_SCOPE))
    assert error.cause.name == name
    assert words in error.cause.sentence
    assert error.cause.line


async def test_a_reconnect_gets_a_fresh_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.drain()

    with managed_identity(monkeypatch, TOKEN, lives_s=60):
        async with websocket_server(script) as server:
            target = replace(explicit_target(server.url, None), auth_header="Authorization")
            async with session(server.url, target=target, sign_in=entra_token(AZURE_SCOPE)) as running:
                await running.connected()
                running.worker.submit(Reconnect())
                await running.until(lambda: len(server.headers) == 2)
                await running.connected()
    assert [each["authorization"] for each in server.headers] == [f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-2"]


async def test_a_key_that_is_refused_is_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("the-old-key-of-the-person")
    with SimulatorThread(speed=math.inf, require_key=KEY) as simulator:
        sign_in = key_from_command(["cat", str(file)])
        async with session(simulator.url(), sign_in=sign_in) as running:
            assert (await running.cause()).name == "http-401"
            file.write_text(KEY)
            running.worker.submit(Reconnect())
            await running.connected()


async def test_a_sign_in_that_fails_is_a_cause_of_its_own() -> None:
    async with session("ws://127.0.0.1:9/", sign_in=key_from_command(["false"])) as running:
        cause = await running.cause()
    assert (cause.name, cause.line) == ("key-command", "false")


async def test_a_scope_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare_machine(monkeypatch, tmp_path)
    error = await failure(entra_token(""))
    assert error.cause.name.startswith("entra")
    assert error.cause.sentence


def test_no_network() -> None:
    said = (
        "DefaultAzureCredential failed to retrieve a token from the included credentials.\nAttempted credentials:\n"
        "\tEnvironmentCredential: Authentication failed: Max retries exceeded with url: /common"
    )
    assert cause_of(said).name == "entra-network"


def test_a_token_in_an_error_is_masked() -> None:
    error = cause_of(f"Failed with {TOKEN * 2}: no reason.")
    assert TOKEN not in repr(error)


async def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    error = await failure(entra_token(AZURE_SCOPE))
    assert error.cause.name == "entra-missing"
    assert error.cause.line == "pip install 'azrt-tui[entra]'"


def test_what_is_shown_of_stderr_is_short() -> None:
    shown = key_command._shown(b"x" * 10_000, b"")
    assert len(shown) < 250
