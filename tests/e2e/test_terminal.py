"""The program in a real terminal: start, type, read the answer, interrupt, quit, and leave the terminal as it was."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal

pytestmark = pytest.mark.e2e

LEAVES_ALTERNATE_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
STOPS_MOUSE = b"\x1b[?1000l"


def assert_restored(terminal: Terminal) -> None:
    """The terminal is as it was before."""
    assert terminal.modes_now() == terminal.modes_before
    for sequence in (LEAVES_ALTERNATE_SCREEN, SHOWS_CURSOR, STOPS_MOUSE):
        assert terminal.output.rfind(sequence) > terminal.output.rfind(sequence[:-1] + _opposite(sequence))


def _opposite(sequence: bytes) -> bytes:
    return b"h" if sequence.endswith(b"l") else b"l"


def test_a_whole_conversation(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        terminal.wait_for("session.updated")
        assert "simulator: scripted answers, no model" in terminal.text
        terminal.type("hello")
        terminal.press("enter")
        terminal.wait_for("Hello, I am the simulator")
        screen = terminal.wait_for("completed")
        assert "item.create" in screen and "you: hello" in screen and "output_text.delta" in screen
        terminal.type("tell me a long story")
        terminal.press("enter")
        terminal.wait_for("lighthouse keeper")
        terminal.type("\x1b")  # the bare byte that most terminals send for escape
        screen = terminal.wait_for("interrupted")
        terminal.wait_for("cancelled")
        assert "response.cancel" in terminal.text
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
        assert_restored(terminal)
    assert b"Traceback" not in terminal.output


def test_keys_typed_in_one_go_stay_in_order(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("session.updated")
        terminal.type("first\rsecond")
        terminal.wait_for("you: first")
        terminal.wait_for("│ second ")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signals_quit_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        terminal.kill(number)
        assert terminal.wait_until_ended() == 128 + number
        assert_restored(terminal)
    assert b"Traceback" not in terminal.output


def test_ctrl_c_quits_cleanly(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        terminal.press("ctrl+c")
        assert terminal.wait_until_ended() == 0
        assert_restored(terminal)
    assert b"Traceback" not in terminal.output


def test_quitting_while_it_starts(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("Type a message")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
        assert_restored(terminal)
    assert b"Traceback" not in terminal.output


def test_a_lost_terminal_ends_the_program(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        terminal.hang_up()
        assert terminal.wait_until_ended() == 128 + signal.SIGHUP


def test_another_locale_draws_as_well(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path, environment={"PYTHONIOENCODING": "latin-1"}) as terminal:
        terminal.wait_for("● connected")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


def test_a_key_of_another_encoding_and_coloured_text_in_a_paste(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        terminal.send(b"caf\xe9 ")
        terminal.wait_for("│ caf\ufffd ")
        terminal.send(b"\x1b[200~\x1b[31mred\x1b[0m\nnext line\n\x1b[201~")
        terminal.wait_for("│ next line")
        assert "│ caf\ufffd red" in terminal.text
        assert "you: " not in terminal.text
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert b"Traceback" not in terminal.output


CRASH = """
from tui.settings import load_settings
from tui.ui.app import AzrtApp, run
import tui.ui.app

class Crashing(AzrtApp):
    def action_help(self):
        canary = "sk-canary-in-a-local-variable"
        raise ZeroDivisionError("a fault of the program")

tui.ui.app.AzrtApp = Crashing
raise SystemExit(run(load_settings({}), demo=True))
"""


def test_a_crash_restores_the_terminal_and_keeps_secrets(tmp_path: Path) -> None:
    script = tmp_path / "crash.py"
    script.write_text(CRASH)
    with Terminal(
        [sys.executable, str(script)], home=tmp_path, environment={"PYTHONPATH": str(Path(__file__).parents[2])}
    ) as terminal:
        terminal.wait_for("● connected")
        terminal.press("f1")
        assert terminal.wait_until_ended() == 1
        assert_restored(terminal)
    assert b"ZeroDivisionError" in terminal.output
    assert b"sk-canary" not in terminal.output


NOISE = """
import os
from tui.settings import load_settings
from tui.ui.app import AzrtApp, run
import tui.ui.app

class Noisy(AzrtApp):
    def action_help(self):
        for line in range(50):
            os.write(2, b"ALSA lib pcm.c:8570:(snd_pcm_recover) underrun occurred\\n")
        self.notify("noise was made")

tui.ui.app.AzrtApp = Noisy
code = run(load_settings({}), demo=True)
os.write(2, b"the descriptor is back")
raise SystemExit(code)
"""


def test_what_libraries_print_goes_to_the_log_and_not_over_the_screen(tmp_path: Path) -> None:
    script = tmp_path / "noise.py"
    script.write_text(NOISE)
    with Terminal(
        [sys.executable, str(script)], home=tmp_path, environment={"PYTHONPATH": str(Path(__file__).parents[2])}
    ) as terminal:
        terminal.wait_for("● connected")
        terminal.press("f1")
        terminal.wait_for("noise was made")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
        assert_restored(terminal)
    assert b"underrun" not in terminal.output
    assert b"the descriptor is back" in terminal.output
    (log,) = (tmp_path / "state").rglob("*.log")
    assert log.read_text().count("underrun occurred") == 50
    assert log.stat().st_mode & 0o777 == 0o600


def test_resizing_down_to_forty_by_twelve_and_back(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("session.updated")
        for size in [(80, 24), (40, 12), (20, 5), (200, 60), (120, 36)]:
            terminal.resize(*size)
            terminal.read(0.3)
        terminal.wait_for("session.updated")
        terminal.type("hello")
        terminal.press("enter")
        terminal.wait_for("Hello, I am the simulator")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert b"Traceback" not in terminal.output


def test_keys_behind_a_dialog_reach_what_is_under_it(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("session.updated")
        for times, dialog in enumerate(("\x1bOP", "\x1b[15~", "\x1b[17~", "\x10"), start=1):  # F1, F5, F6, ctrl+p
            terminal.type(f"{dialog}\x1b[27uunder ")
            terminal.wait_for("│ " + "under " * times)
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


def test_first_run_takes_keys_in_order_and_writes_the_file(tmp_path: Path) -> None:
    key = "canary-key-0123456789"
    with Terminal.azrt(home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("Nothing is configured yet")
        # In one burst: a key that lands in the field before would be on the screen for all to see.
        terminal.type(f"http://127.0.0.1:9\tmini\t{key}\t \t\r")
        terminal.wait_for("Nothing listens at 127.0.0.1:9")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    written = tmp_path / ".env"
    assert written.stat().st_mode & 0o777 == 0o600
    assert f"AZURE_OPENAI_API_KEY={key}" in written.read_text()
    assert key.encode() not in terminal.output
    logs = (tmp_path / "state").rglob("*")
    assert not [path for path in logs if path.is_file() and key in path.read_text(errors="replace")]
