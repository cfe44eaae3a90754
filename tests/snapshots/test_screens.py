"""Every screen, as a picture, in a large and a small terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.snapshots import stills
from tests.snapshots.stills import Recording, StillApp
from tui.settings import Loaded, Settings
from tui.ui.app import AzrtApp
from tui.ui.screens.first_run import FirstRun

PATIENCE_S = 20.0
LARGE, SMALL, TINY = (120, 36), (80, 24), (40, 12)
SIZES = pytest.mark.parametrize("size", [LARGE, SMALL], ids=["large", "small"])

Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same paths on every machine, as far as a screen shows them."""
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/somebody/.config")
    monkeypatch.setenv("XDG_STATE_HOME", "/home/somebody/.local/state")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.chdir(tmp_path)


def keys(*names: str) -> Before:
    """Press these once the recording, or the first-run screen, is shown."""

    async def press(pilot: Pilot[Any]) -> None:
        app = pilot.app
        async with asyncio.timeout(PATIENCE_S):
            while not (isinstance(app.screen, FirstRun) or getattr(app, "begun", False)):
                await pilot.pause(0.02)
        await pilot.pause(0.1)
        await pilot.press(*names)
        await pilot.pause()

    return press


@SIZES
@pytest.mark.parametrize("recording", [stills.conversation, stills.failed, stills.empty])
def test_main(snap_compare: Compare, recording: Callable[[], Recording], size: tuple[int, int]) -> None:
    assert snap_compare(StillApp(recording), terminal_size=size, run_before=keys())


def test_main_tiny(snap_compare: Compare) -> None:
    assert snap_compare(StillApp(stills.conversation), terminal_size=TINY, run_before=keys("tab"))


@pytest.mark.parametrize("theme", ["azrt-light", "azrt-contrast", "azrt-dusk", "azrt-paper"])
def test_themes(snap_compare: Compare, theme: str) -> None:
    assert snap_compare(StillApp(stills.conversation, theme), terminal_size=LARGE, run_before=keys())


def test_no_color(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(StillApp(stills.conversation), terminal_size=SMALL, run_before=keys("tab", "k"))


@SIZES
def test_paused(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StillApp(stills.conversation), terminal_size=size, run_before=keys("tab", "k", "k", "k"))


@SIZES
def test_zoomed(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StillApp(stills.conversation), terminal_size=size, run_before=keys("tab", "f4"))


@SIZES
def test_event_detail(snap_compare: Compare, size: tuple[int, int]) -> None:
    before = keys("tab", "g", "j", "enter")
    assert snap_compare(StillApp(stills.conversation), terminal_size=size, run_before=before)


@SIZES
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StillApp(stills.conversation), terminal_size=size, run_before=keys("f1"))


@SIZES
def test_palette(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(StillApp(stills.conversation), terminal_size=size, run_before=keys("ctrl+p"))


@SIZES
def test_first_run(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(AzrtApp(Loaded(Settings())), terminal_size=size, run_before=keys())
