"""How long a key takes: to show on the screen while events stream or the SDK is imported, to stop the agent."""

from __future__ import annotations

import itertools
import random
import re
import string
import time
from collections.abc import Callable

from tests.bench.far_end import FarEnd
from tests.bench.figures import Figure, NotMeasuredError, number, percentile
from tests.bench.terminal import Meter
from tests.support.terminal import PATIENCE_S

KEY = {"OPENAI_API_KEY": "sk-not-a-key"}
"""The program wants one for a URL of ours; the server does not look at it."""

_PRESSES = 100
_WARM_UP_S = 1.5
_ANSWERS = 12


def keys_at_1000() -> list[Figure]:
    """From a key press to its character on the screen while 1,000 events/s come in, through the real SDK.

    A server in a process of its own streams spoken turns of 5 kB an event. 100 printable keys are pressed in the
    prompt at random moments, 0.1 s apart on average, whether the one before has shown or not. A latency ends with the
    piece of output after which the prompt shows the character. Processor time is the program's, all threads.
    """
    return _keys_at(1000, targets=(15.0, 40.0, 30.0))


def keys_at_200() -> list[Figure]:
    """The same as :func:`keys_at_1000` with 200 events/s."""
    return _keys_at(200)


def keys_at_rest() -> list[Figure]:
    """The same as :func:`keys_at_1000` without events."""
    return _keys_at(0)


def keys_on_a_slow_line() -> list[Figure]:
    """The same as :func:`keys_at_1000` over a line of 16 kB/s, with 200 deltas/s of one answer and SSH_CONNECTION set.

    The terminal is read no faster than that, in pieces of 10 ms.
    """
    return _keys_at(200, targets=(None, 250.0, None), what="folded", bytes_per_s=16_000)


def keys_while_importing() -> list[Figure]:
    """From a key press to its character on the screen between the first frame and the open session.

    That is while the session thread imports the SDK. A key every 0.05 s on average, in three starts of the program.
    """
    latencies: list[float] = []
    durations: list[float] = []
    for seed in range(3):
        with FarEnd() as far_end, Meter.module("tui", "--url", far_end.url, environment=KEY) as terminal:
            terminal.read_until_written(b"Conversation")
            terminal.read(0.02)
            row = prompt_row(terminal)
            start = time.monotonic()
            presses = press_letters(terminal, seed, 0.05, lambda _: far_end.first("session.update") is None)
            durations.append(time.monotonic() - start)
            terminal.read(0.5)
            latencies += latencies_of(terminal, row, presses)
    detail = f"{len(latencies)} presses, {min(durations):.1f} s to {max(durations):.1f} s until connected"
    title = "key to screen during the SDK import"
    return [
        Figure("keys-importing.p50", f"{title}: median", percentile(latencies, 50), "ms", None, detail),
        Figure("keys-importing.p95", f"{title}: p95", percentile(latencies, 95), "ms", 40),
        Figure("keys-importing.max", f"{title}: longest", max(latencies), "ms"),
    ]


def interrupting() -> list[Figure]:
    """From the key to ``response.cancel`` at the server, while an answer streams with 50 events/s.

    Both times are monotonic ones of the same machine, taken by the process that presses and by the one that receives.
    12 answers each with F3 and with escape; a terminal program has to wait whether escape begins a longer sequence.
    """
    figures = []
    for key in ("f3", "escape"):
        latencies = _interrupt(key, _ANSWERS)
        detail = f"{len(latencies)} answers, longest {max(latencies):.0f} ms"
        for percent, name in ((50, "median"), (95, "p95")):
            title = f"{key} to response.cancel on the wire: {name}"
            value = percentile(latencies, percent)
            figures.append(Figure(f"interrupt-{key}.p{percent}", title, value, "ms", None, detail))
    return figures


def connect(terminal: Meter, far_end: FarEnd) -> None:
    """Read until the session is open and the screen at rest. Raises NotMeasuredError when that does not happen."""
    deadline = time.monotonic() + PATIENCE_S
    while far_end.first("session.update") is None:
        if time.monotonic() > deadline:
            raise NotMeasuredError(f"the program did not connect:\n{terminal.text}")
        terminal.read(0.1)
    terminal.wait_for("● connected")
    terminal.read(1.5)


def _keys_at(
    rate: int,
    *,
    targets: tuple[float | None, float | None, float | None] = (None, None, None),
    what: str = "spoken",
    bytes_per_s: float | None = None,
) -> list[Figure]:
    environment = {**KEY, "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"} if bytes_per_s else KEY
    with (
        FarEnd() as far_end,
        Meter.module("tui", "--url", far_end.url, environment=environment, bytes_per_s=bytes_per_s) as terminal,
    ):
        connect(terminal, far_end)
        row = prompt_row(terminal)
        far_end.stream(rate, what)
        terminal.read(_WARM_UP_S)
        start, cpu = time.monotonic(), terminal.cpu
        presses = press_letters(terminal, rate, 0.1, lambda pressed: pressed < _PRESSES)
        end, spent = time.monotonic(), terminal.cpu - cpu
        terminal.read(5.0 if bytes_per_s else 0.5)
        latencies = latencies_of(terminal, row, presses)
        _check_stream(terminal, rate * (_WARM_UP_S + end - start))
        written = terminal.bytes_between(start, end) / (end - start)
    name, title = f"keys-{rate}", f"key to screen at {rate:,} events/s"
    if bytes_per_s:
        name, title = f"{name}-slow", f"{title} over {number(bytes_per_s / 1000, 'kB/s')}"
    detail = f"{len(latencies)} presses, longest {max(latencies):.0f} ms"
    p50, p95, percent = targets
    return [
        Figure(f"{name}.p50", f"{title}: median", percentile(latencies, 50), "ms", p50, detail),
        Figure(f"{name}.p95", f"{title}: p95", percentile(latencies, 95), "ms", p95),
        Figure(f"{name}.cpu", f"{title}: processor", spent / (end - start) * 100, "%", percent),
        Figure(f"{name}.bytes", f"{title}: written", written / 1000, "kB/s"),
    ]


def _check_stream(terminal: Meter, due: float) -> None:
    """Raise NotMeasuredError when the program has not received about so many events: the load was not there."""
    found = re.search(r"↓ ([\d,]+)", terminal.line(0))
    if found is None or int(found[1].replace(",", "")) < 0.9 * due:
        raise NotMeasuredError(f"of {due:,.0f} events of the stream the screen counts {found[1] if found else 'none'}")


def prompt_row(terminal: Meter) -> int:
    """The line of the terminal in which the prompt stands."""
    _ = terminal.text  # draws what was read
    return terminal.row_with("Type a message")


def press_letters(terminal: Meter, seed: int, pause_s: float, go_on: Callable[[int], bool]) -> list[tuple[float, str]]:
    """Press letters at random moments while ``go_on`` of their count says so; return them with their times."""
    chance = random.Random(seed)
    presses: list[tuple[float, str]] = []
    for letter in itertools.cycle(string.ascii_lowercase):
        if not go_on(len(presses)) or len(presses) >= _PRESSES:  # more would not fit in a line of the prompt
            return presses
        terminal.read(chance.uniform(0.3, 1.7) * pause_s)
        presses.append((time.monotonic(), letter))
        terminal.type(letter)
    raise AssertionError("an endless cycle has ended")


def latencies_of(terminal: Meter, row: int, presses: list[tuple[float, str]]) -> list[float]:
    """Milliseconds from each press to the piece of output after which the row shows its letter."""
    typed = "".join(letter for _, letter in presses)
    latencies: list[float] = []
    for piece in terminal.moments():
        line = terminal.line(row)
        while len(latencies) < len(presses) and typed[: len(latencies) + 1] in line:
            latencies.append((piece.at - presses[len(latencies)][0]) * 1000)
    if len(latencies) < len(presses):
        raise NotMeasuredError(f"{len(presses) - len(latencies)} of {len(presses)} keys never showed:\n{terminal.text}")
    return latencies


def _interrupt(key: str, answers: int) -> list[float]:
    """Milliseconds from the key to the cancel, for each answer."""
    chance = random.Random(answers)
    latencies = []
    with FarEnd() as far_end, Meter.module("tui", "--url", far_end.url, environment=KEY) as terminal:
        connect(terminal, far_end)
        for _ in range(answers):
            terminal.type("go\r")
            terminal.wait_for("agent speaking")
            terminal.read(chance.uniform(0.1, 0.4))
            pressed = time.monotonic()
            terminal.press(key)
            while (cancel := far_end.first("response.cancel", pressed)) is None:
                if time.monotonic() > pressed + PATIENCE_S:
                    raise NotMeasuredError(f"{key} did not reach the server:\n{terminal.text}")
                terminal.read(0.02)
            latencies.append((cancel.at - pressed) * 1000)
            terminal.wait_for("agent idle")
    return latencies
