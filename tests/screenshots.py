"""Draws the pictures in docs/: the real program on the real simulator. Run as ``make screenshots``."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
import pty
import struct
import sys
import tempfile
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text
from textual.pilot import Pilot

from tests.support.virtual_audio import virtual_audio
from tui.settings import load_settings
from tui.simulator import SimulatorThread
from tui.ui.app import AzrtApp

DOCS = Path(__file__).parents[1] / "docs"
PATIENCE_S = 60.0

Scene = Callable[[Pilot[int]], Awaitable[None]]


async def until(pilot: Pilot[int], condition: Callable[[AzrtApp], bool]) -> None:
    """Wait until the app shows something."""
    app = pilot.app
    assert isinstance(app, AzrtApp)
    async with asyncio.timeout(PATIENCE_S):
        while not condition(app):
            await pilot.pause(0.05)
    await pilot.pause(0.2)


def _said(text: str) -> Callable[[AzrtApp], bool]:
    def condition(app: AzrtApp) -> bool:
        from tui.ui.widgets.transcript_pane import TranscriptPane

        pane = app.screen_stack[1].query_one(TranscriptPane)
        return any(text in turn.text or text in turn.note for turn in pane.turns)

    return condition


async def _say(pilot: Pilot[int], text: str) -> None:
    await pilot.press(*["space" if letter == " " else letter for letter in text], "enter")


async def conversation(pilot: Pilot[int]) -> None:
    """A written answer, and a spoken one that is interrupted."""
    await until(pilot, lambda app: app.connected)
    pilot.app.action_answer_in("text")  # type: ignore[attr-defined]
    await pilot.pause(0.5)
    await _say(pilot, "hello")
    await until(pilot, _said("errors or Azure."))
    pilot.app.action_answer_in("audio")  # type: ignore[attr-defined]
    await pilot.pause(0.5)
    await _say(pilot, "tell me a long story")
    await until(pilot, _said("lighthouse keeper"))
    await pilot.pause(5)
    await pilot.press("escape")
    await until(pilot, _said("interrupted at"))
    await pilot.pause(6)  # the toast goes


async def detail(pilot: Pilot[int]) -> None:
    """One event, whole."""
    await until(pilot, lambda app: app.connected)
    await pilot.press("tab")
    await pilot.pause(0.5)
    await pilot.press("g", "j", "j", "enter")
    await pilot.pause(1)


async def first_run(pilot: Pilot[int]) -> None:
    """Nothing is configured."""
    await pilot.pause(1)


async def help_screen(pilot: Pilot[int]) -> None:
    """The keys."""
    await until(pilot, lambda app: app.connected)
    await pilot.press("f1")
    await pilot.pause(1)


SCENES: tuple[tuple[str, Scene, bool, tuple[int, int], str], ...] = (
    ("main", conversation, True, (120, 34), ""),
    ("main-light", conversation, True, (120, 34), "azrt-light"),
    ("narrow", conversation, True, (80, 24), ""),
    ("detail", detail, True, (100, 30), ""),
    ("first-run", first_run, False, (100, 30), ""),
    ("help", help_screen, True, (100, 40), ""),
)


async def _draw(name: str, scene: Scene, demo: bool, size: tuple[int, int], theme: str) -> None:
    app = AzrtApp(load_settings({"theme": theme} if theme else {}, environ={}), demo=demo)
    async with app.run_test(size=size, notifications=True) as pilot:
        try:
            await scene(pilot)
            path = DOCS / f"{name}.svg"
            path.write_text(app.export_screenshot(title="azrt-tui"), encoding="utf-8")
            print(f"drew {path.relative_to(DOCS.parent)}")
        finally:
            app.close_session()


def _draw_doctor(home: str) -> None:
    """What the doctor says where the deployment has another name."""
    columns = 84
    with SimulatorThread(faults=["http-404"]) as simulator:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "AZRT_URL": simulator.url(),
            "AZURE_OPENAI_API_KEY": "not-a-key-of-anybody",
            "PYTHONPATH": str(DOCS.parent),
            "PULSE_SERVER": os.environ["PULSE_SERVER"],
        }
        said = bytearray()
        process, terminal = pty.fork()
        if not process:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
            os.execve(sys.executable, [sys.executable, "-m", "tui", "doctor"], environment)
        with contextlib.suppress(OSError):  # how the end of a pseudo-terminal is told
            while piece := os.read(terminal, 65536):
                said += piece
        os.close(terminal)
        os.waitpid(process, 0)
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(said.decode().replace("\r\n", "\n")))
    path = DOCS / "doctor.svg"
    console.save_svg(str(path), title="azrt-tui doctor")
    print(f"drew {path.relative_to(DOCS.parent)}")


def main() -> None:
    """Draw them all, in an empty home on a machine with a microphone and a loudspeaker."""
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, virtual_audio(Path(home) / "audio") as audio:
        os.environ.update(audio.environment, XDG_CONFIG_HOME=f"{home}/config", XDG_STATE_HOME=f"{home}/state")
        before = Path.cwd()
        os.chdir(home)
        try:
            _draw_doctor(home)
            for scene in SCENES:
                asyncio.run(_draw(*scene))
        finally:
            os.chdir(before)


if __name__ == "__main__":
    main()
