"""Machines that are not as they should be: closed streams, full disks, proxies, terminals that stand still."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.servers import CREATED, Peer, websocket_server
from tests.support.terminal import PATIENCE_S, Terminal, clean_environment

pytestmark = pytest.mark.e2e

KEY = "canary-key-0123456789"


def azrt(
    home: Path, *arguments: str, redirect: str = "", environment: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run azrt-tui without a terminal, its streams redirected as the shell says; return code, stdout, stderr."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, "-m", "tui", *arguments],
        cwd=home,
        env=clean_environment(home, {"PYTHONPATH": str(Path(__file__).parents[2]), **(environment or {})}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def test_closed_streams(tmp_path: Path) -> None:
    assert azrt(tmp_path, "say", "--demo", "hello", redirect=">&-")[0] == 0
    assert azrt(tmp_path, "say", "--demo", "hello", redirect="2>&-")[0] == 0
    assert azrt(tmp_path, "url", "--endpoint", "acme", "--deployment", "mini", redirect="<&- >&-")[0] == 0
    code, _, said = azrt(tmp_path, "demo", redirect="<&-")
    assert code == 2
    assert "the screen needs a terminal" in said


def test_a_screen_that_nobody_would_see(tmp_path: Path) -> None:
    command = f"exec {sys.executable} -m tui demo 2>stderr.txt"
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    with Terminal(["/bin/sh", "-c", command], home=tmp_path, environment=path) as terminal:
        assert terminal.wait_until_ended() == 2
    assert "drawn on stderr" in (tmp_path / "stderr.txt").read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_stdout(tmp_path: Path) -> None:
    for arguments in (["say", "--demo", "hello"], ["url", "--endpoint", "acme", "--deployment", "mini"], ["--help"]):
        code, _, said = azrt(tmp_path, *arguments, redirect=">/dev/full")
        assert code == 1
        assert said.rstrip().endswith("azrt-tui: No space left on device")


def test_a_proxy_that_the_sdk_does_not_know_is_in_nobodys_way(tmp_path: Path) -> None:
    proxy = {"ALL_PROXY": "socks4://127.0.0.1:9", "HTTPS_PROXY": "nonsense://u:secret@127.0.0.1:9"}
    code, answer, _ = azrt(tmp_path, "say", "--demo", "hello", environment=proxy)
    assert code == 0
    assert answer.startswith("Hello")
    log = (tmp_path / "state" / "azrt-tui" / "azrt-tui.log").read_text()
    assert "secret" not in log


def test_a_dead_proxy_is_named_and_not_the_service(tmp_path: Path) -> None:
    environment = {"HTTPS_PROXY": "http://me:secret@127.0.0.1:9", "OPENAI_API_KEY": KEY}
    code, _, said = azrt(tmp_path, "--url", "wss://service.invalid/x", "say", "hello", environment=environment)
    assert code == 1
    assert "The proxy 127.0.0.1:9, through which service.invalid is to be reached, does not answer." in said
    assert "NO_PROXY" in said
    assert "secret" not in said


def test_a_file_that_cannot_be_read_is_said_before_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("AZURE_OPENAI_ENDPOINT=acme\n".encode("utf-16"))
    for command in (["url"], ["say", "hello"]):
        code, _, said = azrt(tmp_path, *command)
        assert code == 2
        assert said.index(".env is not UTF-8 text") < said.index("nothing to connect to")
    (tmp_path / ".env").write_text(
        "AZURE_OPENAI_ENDPOINT=acme\nAZURE_OPENAI_DEPLOYMENT=x\nAZURE_OPENAI_API_KEY=k\u00e4y\n"
    )
    for command in (["say", "hello"], []):
        code, _, said = azrt(tmp_path, *command)
        assert code == 2
        assert said.index("AZURE_OPENAI_API_KEY holds a character") < said.index("no key for")


async def flood(peer: Peer) -> None:
    """Rows without end, so that the whole event pane moves with each picture."""
    await peer.send(CREATED)
    reading = asyncio.create_task(peer.drain())
    number = 0
    while not reading.done():
        number += 1
        limits = [{"name": "tokens", "limit": number, "remaining": 5, "reset_seconds": 1}]
        await peer.send({"type": "rate_limits.updated", "event_id": f"event_{number}", "rate_limits": limits})
        await asyncio.sleep(0.005)


@asynccontextmanager
async def flooded(home: Path) -> AsyncIterator[Terminal]:
    """The program, connected to :func:`flood`."""
    async with websocket_server(flood) as server:
        with Terminal.azrt("--url", server.url, home=home, environment={"OPENAI_API_KEY": KEY}) as terminal:
            await asyncio.to_thread(terminal.wait_for, "rate_limits")
            yield terminal


async def test_a_terminal_that_stood_still_catches_up_in_one_step(tmp_path: Path) -> None:
    async with flooded(tmp_path) as terminal:
        await asyncio.sleep(3)  # nothing reads what is drawn
        before = len(terminal.output)
        terminal.type("hello")
        await asyncio.to_thread(terminal.wait_for, "│ hello")
        # What the system holds for the terminal, and a picture or two. A queue of pictures would be far longer.
        assert len(terminal.output) - before < 60_000
        terminal.press("ctrl+q")
        assert await asyncio.to_thread(terminal.wait_until_ended) == 0


async def test_sigterm_ends_a_program_whose_terminal_stands_still(tmp_path: Path) -> None:
    async with flooded(tmp_path) as terminal:
        await asyncio.sleep(3)
        terminal.kill(signal.SIGTERM)

        def ended() -> bool:
            terminal._reap(0)
            return True

        assert await asyncio.wait_for(asyncio.to_thread(ended), PATIENCE_S)
        assert terminal.status == 128 + signal.SIGTERM
