"""The doctor inside the program: by itself when a connection fails in a way that leaves questions, and behind F6."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest

from tests.support.apps import fast, isolate, remap, running
from tests.support.certificates import Authority
from tests.support.servers import CREATED, Peer, http_server, websocket_server
from tui.conversation import Link
from tui.session import Wait
from tui.simulator import SimulatorThread
from tui.ui.screens.checkup import Checkup


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_f6_beside_a_session_opens_no_other_one(size: tuple[int, int]) -> None:
    async with running(fast(), size=size) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.pilot.press("f6")
        await shown.until(lambda: "Healthy." in shown.text)
        for title in ("Endpoint", "Handshake", "session.created", "Protocol"):
            assert f"✓ {title}" in shown.text
        assert "Not done" in shown.text
        assert "✓ SDK" not in shown.text
        assert "Audio" not in shown.text, "it has a screen of its own"
        await shown.pilot.press("y")
        await shown.until(lambda: any("Copied" in toast for toast in shown.toasts))
        copied = [json.loads(line) for line in shown.app.clipboard.splitlines()]
        assert copied[-1]["check"] == "models"
        await shown.pilot.press("r")
        await shown.until(lambda: "Healthy." in shown.text)
        await shown.pilot.press("escape")
        assert shown.app.screen is shown.main
        assert shown.app.connected, "the session has gone on"
    assert shown.simulator is not None
    assert len(shown.simulator.simulator.sessions) == 1


async def test_keys_scroll_what_was_found_and_can_be_mapped(tmp_path: Path) -> None:
    remap(tmp_path, '"checkup.bottom" = "b"\n')
    async with running(fast(), size=(60, 12)) as shown:
        await shown.connected()
        await shown.pilot.press("f6")
        await shown.until(lambda: shown.app._examiner._diagnosis.report is not None, "everything is checked")
        pane = shown.app.screen.query_one("#checkup")
        await shown.until(lambda: pane.max_scroll_y > pane.size.height, "there is more than one page")
        positions = []
        for key in ("down", "j", "space", "k", "pageup", "G", "b", "g"):
            await shown.pilot.press(key)
            scrolled = asyncio.Event()
            pane.call_after_refresh(scrolled.set)  # Textual scrolls behind the next refresh
            await scrolled.wait()
            await shown.pilot.pause()
            positions.append(pane.scroll_offset.y)
        page = positions[2] - 2
        assert page > 1
        assert positions == [1, 2, 2 + page, 1 + page, 1, 1, pane.max_scroll_y, 0]


async def test_the_palette_knows_it() -> None:
    async with running(fast()) as shown:
        commands = {command.title: command for command in shown.app.get_system_commands(shown.app.screen)}
        commands["Check the connection"].callback()
        await shown.until(lambda: isinstance(shown.app.screen, Checkup))


async def test_a_certificate_that_is_not_trusted_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with SimulatorThread(speed=math.inf, tls=Authority().good()) as simulator:
        monkeypatch.setenv("AZRT_URL", simulator.url())
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
        async with running(None, size=(120, 36)) as shown:
            await shown.until(lambda: "Checked step by step: TCP is fine, TLS is not." in unwrapped(shown.text))
            assert "trustme" in shown.text
            assert "$ export AZRT_CA_FILE=" in shown.text
            await shown.pilot.press("f6")
            await shown.until(lambda: "Not healthy: TLS failed." in shown.text)
            assert "✗ TLS" in shown.text
            assert "Not done" in shown.text
        assert simulator.simulator.sessions == []


async def test_no_second_session_is_opened_while_the_connection_is_to_be_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with http_server(b"") as server:
        monkeypatch.setenv("AZRT_URL", server.url)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
        async with running(None, size=(120, 36)) as shown:
            diagnosis = shown.app._examiner._diagnosis
            await shown.until(lambda: diagnosis.report is not None, "the way was looked at")
            assert diagnosis.report is not None
            assert [check.name for check in diagnosis.report.checks] == ["endpoint", "proxy", "dns", "tcp", "tls"]
            assert shown.main.status.link in (Link.WAITING, Link.CONNECTING)
            assert "Checked step by step" not in unwrapped(shown.text), "the way is open, and no more is known"
            shown.app.submit(Wait())
            await shown.until(lambda: "TCP is fine, Handshake is not." in unwrapped(shown.text))
            tries = shown.types().count("websocket.connect")
            assert len(server.requests) == tries + 1, "the doctor's own, when nobody else tried any more"


async def test_the_check_ends_when_the_person_connects_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(peer: Peer) -> None:
        number = len(server.peers)
        if number == 1:
            await peer.lose()
        elif number == 3:
            await server.peers[1].connection.wait_closed()
            await peer.send(CREATED)
        await peer.drain()

    async with websocket_server(script) as server:
        monkeypatch.setenv("AZRT_URL", server.url)
        monkeypatch.setenv("AZRT_RECONNECT", "ask")
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
        async with running(None, size=(120, 36)) as shown:
            diagnosis = shown.app._examiner._diagnosis
            await shown.until(lambda: diagnosis.under_way == "session.created", "the doctor has a session of its own")
            await shown.pilot.press("ctrl+r")
            await shown.until(lambda: shown.app.connected)
            assert not diagnosis.running
            assert len(server.peers) == 3
            assert "Checked step by step" not in unwrapped(shown.text)


async def test_what_is_certain_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with fast(faults=["http-401"]) as simulator:
        monkeypatch.setenv("AZRT_URL", simulator.url())
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "k")
        async with running(None, size=(120, 36)) as shown:
            await shown.until(lambda: "refused the key" in shown.text)
            assert not shown.app._examiner._diagnosis.running
            assert shown.app._examiner._diagnosis.report is None


def unwrapped(screen: str) -> str:
    """The conversation on the right of a wide screen, as one line."""
    return " ".join(" ".join(line.rpartition("││")[2].strip(" │") for line in screen.splitlines()).split())
