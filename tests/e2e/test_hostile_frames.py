"""Frames that are made to do harm, on the real screen: they stay visible, do none, and the conversation goes on."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tui.simulator import SimulatorThread

pytestmark = pytest.mark.e2e

HOSTILE = (
    "deep-nesting",
    "huge-numbers",
    "surrogate-halves",
    "long-string",
    "escapes",
    "escapes-in-type",
    "json-null",
    "binary",
)

COMMANDS = (b"\x1b]0;title", b"\x1b]52;c;Y29weQ", b"\x1bP+q", b"\xc2\x9b31m")
"""What a terminal would obey, as the simulator's fault has it. (Erasing and moving the program does itself.)"""


def test_hostile_frames_do_no_harm_and_stay_visible(tmp_path: Path) -> None:
    faults = [f"{fault}@{number}" for number, fault in enumerate(HOSTILE, 1)]
    with (
        SimulatorThread(speed=math.inf, engine="recordings", faults=faults) as simulator,
        Terminal.azrt("--url", simulator.url(), home=tmp_path, environment={"AZURE_OPENAI_API_KEY": "k"}) as terminal,
    ):
        terminal.wait_for("connected")
        for number in range(1, len(HOSTILE) + 2):  # and one answer in peace
            terminal.type(f"message{number}")
            terminal.press("enter")
            terminal.wait_for(lambda screen, n=number: f"message{n}" in screen and "agent idle" in screen)
            until_answered(simulator, terminal, number)
        assert len(simulator.simulator.sessions) == 1, "the connection held"
        terminal.press("tab")
        terminal.wait_for("⏎ Open")
        terminal.press("g")
        terminal.wait_for("paused at 1 of ")
        screens = terminal.text
        while (at := re.search(r"paused at (\d+) of (\d+)", terminal.text)) and at[1] != at[2]:
            terminal.type("j" * 10)
            terminal.wait_for(lambda screen, now=at[0]: now not in screen)
            terminal.read(0.05)
            screens += terminal.text
        terminal.press("tab", "tab", "ctrl+q")
        assert terminal.wait_until_ended() == 0
        output = bytes(terminal.output)
    for command in COMMANDS:
        assert command not in output, command
    for seen in (
        "nested too deeply",
        "a number of",
        "long long",
        "\\u001b[2J",
        "null instead",
        "(binary)",
        "the half",
    ):
        assert seen in screens, seen
    log = (tmp_path / "state" / "azrt-tui" / "azrt-tui.log").read_text()
    assert "Traceback" not in log


def until_answered(simulator: SimulatorThread, terminal: Terminal, answers: int) -> None:
    """Read until the server has ended so many answers."""
    for _ in range(600):
        (session,) = simulator.simulator.sessions
        if sum(isinstance(frame, str) and '"type":"response.done"' in frame for frame in list(session.sent)) >= answers:
            terminal.read(0.1)
            return
        terminal.read(0.05)
    raise AssertionError(f"no answer number {answers}:\n{terminal.text}")
