"""Headers that the user adds reach every handshake, wherever their values come from, and are shown nowhere."""

from __future__ import annotations

import asyncio
import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.support.doctoring import diagnose
from tests.support.log_files import private_logging
from tests.support.relays import OUR_KEY, relay
from tests.support.servers import CREATED, Peer, websocket_server
from tests.unit.test_cli import azrt
from tests.unit.test_settings import Load, load  # noqa: F401 - a fixture
from tui.session.handshake import AddedHeaders, Handshake
from tui.session.plan import SessionPlan
from tui.session.sign_in import FixedKey, SignInError
from tui.settings import Secret, SettingsError
from tui.settings.headers import Header, headers_from
from tui.simulator.threaded import SimulatorThread
from tui.watch import Address, RelayPlan
from tui.wire import Direction

APIM = "Ocp-Apim-Subscription-Key"
VALUE = "gatewaySecret0123456789abcdef"
OTHER = "anotherSecret0123456789abcdef"
AZURE = {"AZURE_OPENAI_ENDPOINT": "https://gw.contoso.com/llm", "AZURE_OPENAI_DEPLOYMENT": "rt"}


async def handshake(load: Load, flags: Mapping[str, object] | None = None, **given: str) -> dict[str, str]:  # noqa: F811
    """The headers that a session of these settings connects with."""
    settings = load(flags, **given).settings
    plan = SessionPlan.from_settings(settings)
    return await plan.credentials.headers(plan.target)


# Where they come from


@pytest.mark.parametrize(
    "given",
    [
        {"flags": {"headers": (f"{APIM}={VALUE}",)}},
        {"flags": {"headers": (f"{APIM}=env:VAULT",)}, "VAULT": VALUE},
        {"flags": {"headers": (f"{APIM}=env:VAULT",)}, "env": f"VAULT={VALUE}\n"},
        {"flags": {"headers": (f"{APIM}=cmd:printf {VALUE}",)}},
        {"AZRT_HEADERS": f"{APIM}={VALUE}"},
        {"AZRT_HEADERS": f"{APIM}=env:VAULT", "VAULT": VALUE},
        {"env": f"AZRT_HEADERS={APIM}={VALUE}\n"},
        {"env": f"VAULT={VALUE}\nAZRT_HEADERS={APIM}=env:VAULT\n"},
        {"config": f'headers = {{ "{APIM}" = "{VALUE}" }}\n'},
        {"config": f'headers = {{ "{APIM}" = "env:VAULT" }}\n', "VAULT": VALUE},
        {"config": f'headers = {{ "{APIM}" = "cmd:printf \'%s\' {VALUE}" }}\n'},
        {"config": f'[headers]\n{APIM} = "{VALUE}"\n'},
    ],
)
async def test_a_header_from_anywhere_is_sent_and_stands_for_the_key(load: Load, given: dict[str, Any]) -> None:  # noqa: F811
    sent = await handshake(load, **{**AZURE, **given})
    assert sent == {APIM: VALUE}


async def test_each_place_may_name_other_headers_and_the_flag_wins(load: Load) -> None:  # noqa: F811
    loaded = load(
        {"headers": ("x-team=red", "X-More=1=2")},
        config=f'headers = {{ X-Team = "blue", "{APIM}" = "{VALUE}" }}\n',
        **AZURE,
    )
    plan = SessionPlan.from_settings(loaded.settings)
    assert await plan.credentials.headers(plan.target) == {APIM: VALUE, "x-team": "red", "X-More": "1=2"}
    assert loaded.settings.sources["headers"] == "flag --header"


async def test_beside_a_key_and_in_its_place(load: Load) -> None:  # noqa: F811
    both = await handshake(load, {"headers": (f"{APIM}={VALUE}",)}, AZURE_OPENAI_API_KEY="azure-key", **AZURE)
    assert both == {"api-key": "azure-key", APIM: VALUE}
    mine = await handshake(load, {"headers": (f"API-Key={VALUE}",)}, AZURE_OPENAI_API_KEY="azure-key", **AZURE)
    assert mine == {"API-Key": VALUE}
    config = 'api_key_command = "false"\nauth = "entra"\n'
    bearer = await handshake(load, {"headers": (f"Authorization=Bearer {VALUE}",)}, config=config, **AZURE)
    assert bearer == {"Authorization": f"Bearer {VALUE}"}


def test_a_header_that_carries_no_key_stands_for_none(load: Load) -> None:  # noqa: F811
    settings = load({"headers": ("X-Team=blue",)}, **AZURE).settings
    with pytest.raises(SettingsError, match="no key for gw"):
        settings.key_for(settings.target())


def test_somebodys_env_file_runs_nothing_and_reads_no_other_variable(load: Load) -> None:  # noqa: F811
    loaded = load(env="AZRT_HEADERS=X-A=cmd:touch owned\n", **AZURE)
    assert loaded.settings.headers == ()
    assert loaded.problems[0].startswith(".env: AZRT_HEADERS cannot run a program for X-A")
    loaded = load(env="AZRT_HEADERS=X-A=env:AWS_SECRET\n", AWS_SECRET=VALUE, **AZURE)
    assert loaded.settings.headers == ()
    assert loaded.problems[0] == ".env: AZRT_HEADERS wants AWS_SECRET for X-A, and that is not set"
    with pytest.raises(SettingsError, match="AZRT_HEADERS cannot run a program"):
        load(AZRT_HEADERS="X-A=cmd:touch owned")


# What is none


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (VALUE, "--header must be NAME=VALUE, such as Ocp-Apim-Subscription-Key=env:APIM_KEY"),
        (f"X-A: {VALUE}", "--header must be NAME=VALUE"),
        (f"={VALUE}", "--header must be NAME=VALUE"),
        (f"X A={VALUE}", "a name is letters, digits and hyphens"),
        (f"X-Ä={VALUE}", "a name is letters, digits and hyphens"),
        (f"X-A\n={VALUE}x", "a name is letters, digits and hyphens"),
        (f"0123456789abcdef0123456789abcdef={VALUE}", "a name is letters, digits and hyphens"),
        ("X-A=", "--header has no value for X-A"),
        ("X-A= ", "--header has no value for X-A"),
        (f"X-A={VALUE}\r\nX-B: 1", "has a value for X-A that no header can carry"),
        (f"X-A={VALUE}\0", "has a value for X-A that no header can carry"),
        (f"X-A={VALUE}é", "has a value for X-A that no header can carry"),
        (f"X-A={VALUE}日", "has a value for X-A that no header can carry"),
        (f"Host={VALUE}", "--header cannot set Host, which belongs to the connection itself"),
        (f"connection={VALUE}", "cannot set connection"),
        (f"Upgrade={VALUE}", "cannot set Upgrade"),
        (f"Sec-WebSocket-Protocol={VALUE}", "cannot set Sec-WebSocket-Protocol"),
        (f"Sec-WebSocket-Key={VALUE}", "cannot set Sec-WebSocket-Key"),
        (f"Transfer-Encoding={VALUE}", "cannot set Transfer-Encoding"),
        (f"Proxy-Authorization={VALUE}", "cannot set Proxy-Authorization"),
        ("X-A=env:", "must name a variable for X-A"),
        (f"X-A=env:{VALUE}-", "must name a variable for X-A"),
        ("X-A=env:NOT_THERE", "wants NOT_THERE for X-A, and that is not set"),
        ("X-A=cmd:", "must name a program and its arguments for X-A"),
        (f"X-A=cmd:echo '{VALUE}", "must name a program and its arguments for X-A"),
    ],
)
def test_what_is_no_header_is_said_without_its_value(load: Load, given: str, says: str) -> None:  # noqa: F811
    with pytest.raises(SettingsError) as caught:
        load({"headers": (given,)})
    assert says in str(caught.value)
    assert VALUE not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("given", ["7", '"X-A"', "[]", "{ X-A = 7 }", '{ "X A" = "1" }', '{ Host = "1" }'])
def test_a_wrong_table_is_a_problem_and_the_program_starts(load: Load, given: str) -> None:  # noqa: F811
    loaded = load(config=f"headers = {given}\n")
    assert loaded.settings.headers == ()
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith("config.toml: headers ")


# What is shown


def test_a_value_shows_itself_nowhere(load: Load) -> None:  # noqa: F811
    loaded = load({"headers": (f"{APIM}={VALUE}", f"Authorization=Bearer {OTHER}")}, **AZURE)
    plan = SessionPlan.from_settings(loaded.settings)
    assert VALUE not in repr(loaded) + repr(plan) + str(loaded.settings.headers[0])
    assert str(loaded.settings.headers[0]) == f"{APIM}=***"
    assert plan.credentials.masked(f"{VALUE} {OTHER}") == "*" * len(VALUE) + " " + "*" * len(OTHER)
    assert plan.credentials.masked(f"Bearer {OTHER}".encode()) == b"*" * (len(OTHER) + 7)


async def test_what_a_program_prints_is_masked_and_kept_until_it_is_refused(tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.write_text(VALUE)
    added = AddedHeaders(headers_from({APIM: f"cmd:cat {vault}"}))
    assert await added.values() == {APIM: VALUE}
    vault.write_text(f"Bearer {VALUE}-2")
    assert await added.values() == {APIM: VALUE}
    added.refused()
    assert await added.values() == {APIM: f"Bearer {VALUE}-2"}
    assert VALUE not in added.masked(f"{VALUE} Bearer {VALUE}-2")
    assert VALUE not in repr(added)


@pytest.mark.parametrize("command", ["false", "printf ''", "printf 'é'", "/no/such/program"])
async def test_a_program_that_gives_no_value_is_named(command: str) -> None:
    with pytest.raises(SignInError) as caught:
        await AddedHeaders(headers_from({APIM: f"cmd:{command}"})).values()
    assert f"The command for the header {APIM}, {command.split()[0]}" in caught.value.cause.sentence


def test_a_value_in_a_file_that_others_may_read_is_warned_of(load: Load, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "config.toml").write_text(f'headers = {{ "{APIM}" = "{VALUE}" }}\n')
    (tmp_path / "config.toml").chmod(0o644)
    assert "holds a key" in load().warnings[0]
    (tmp_path / "config.toml").write_text(f'headers = {{ "{APIM}" = "env:VAULT" }}\n')
    assert stat.S_IMODE((tmp_path / "config.toml").stat().st_mode) == 0o644
    assert load(VAULT=VALUE).warnings == ()


# The real thing


async def echo_header(peer: Peer) -> None:
    """A gateway that repeats the header it was given."""
    assert peer.connection.request is not None
    value = peer.connection.request.headers.get(APIM, "")
    await peer.send(CREATED, {"type": "error", "error": {"message": f"quota of {value}"}})
    await peer.connection.close(3000, f"bye {value}")


async def test_say_and_doctor_present_it_and_never_show_it(tmp_path: Path) -> None:
    async with websocket_server(echo_header) as server:
        for command in (["say", "--json", "hello"], ["say", "hello"], ["doctor"], ["doctor", "--json"], ["url"]):
            flags = ["--url", server.url, "--header", f"{APIM}={VALUE}", "--header", "X-Team=blue"]
            done = await asyncio.to_thread(azrt, tmp_path, *command, *flags)
            assert VALUE not in done.stdout + done.stderr
        assert len(server.headers) >= 4
        for headers in server.headers:
            assert (headers[APIM.lower()], headers["x-team"]) == (VALUE, "blue")
    assert_kept_nowhere(tmp_path)


def assert_kept_nowhere(home: Path) -> None:
    """There is a capture, and no file holds the value."""
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".jsonl" for path in kept)
    assert not any(VALUE.encode() in path.read_bytes() for path in kept)


def test_the_doctor_names_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with private_logging(tmp_path / "state", monkeypatch), SimulatorThread(speed=math.inf) as simulator:
        found = diagnose(simulator.url(), tmp_path, flags={"headers": (f"{APIM}={VALUE}",)})
    assert found.causes() == {}
    assert found.checks["sign-in"]["says"] == f"no key but what is in {APIM}"
    assert found.checks["settings"]["facts"]["headers"] == f"{APIM}=*** (flag --header)"
    assert VALUE not in found.text


def test_the_doctor_names_the_program_that_gives_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with private_logging(tmp_path / "state", monkeypatch):
        found = diagnose("ws://127.0.0.1:9/v1/realtime", tmp_path, flags={"headers": (f"{APIM}=cmd:false",)})
    assert found.checks["sign-in"]["cause"]["sentence"].startswith(f"The command for the header {APIM}, false failed")


@pytest.mark.parametrize("client", [{}, {APIM.lower(): "the-clients-own"}, {"Authorization": "Bearer theirs"}])
async def test_watch_adds_it_for_the_service_and_keeps_it_from_everybody(client: dict[str, str]) -> None:
    async with websocket_server(echo_header) as server:
        added = AddedHeaders(headers_from({APIM: VALUE}))
        plan = {"headers": added, "sign_in": Handshake(FixedKey(Secret(OUR_KEY)), added), "key": OUR_KEY}
        async with (
            relay(server.url, **plan) as watched,
            connect(watched.url(), additional_headers=client) as connection,
        ):
            heard = [await connection.recv(), await connection.recv()]
        (seen,) = watched.sessions
        assert server.headers[0][APIM.lower()] == VALUE
        frames = [*seen.frames(Direction.RECEIVED), *seen.frames(Direction.LOCAL)]
    assert VALUE not in str(heard)
    assert not any(VALUE.encode() in frame for frame in frames)
    assert VALUE not in repr(seen.batches)


def test_the_relays_plan_has_it_with_or_without_a_key(load: Load) -> None:  # noqa: F811
    listen = Address("127.0.0.1", 0)
    for environ in ({**AZURE}, {**AZURE, "AZURE_OPENAI_API_KEY": "azure-key"}):
        settings = load({"headers": (f"{APIM}={VALUE}",)}, **environ).settings
        for to in ("", "wss://api.openai.com/v1/live/sessions"):
            plan = RelayPlan.from_settings(settings, listen, to=to)
            assert plan.headers.names == (APIM,)
            assert VALUE not in plan.sign_in.masked(f"it is {VALUE}")


def test_a_header_is_what_was_given() -> None:
    assert headers_from(("A=env:X",)) == (Header("A", variable="X"),)
    assert headers_from("A=1\n\nB=2\na=3\n")[0].value.reveal() == "3"
