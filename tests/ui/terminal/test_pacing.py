"""How much is written at once follows from how long the terminal takes to reply."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from textual import events
from textual.drivers.headless_driver import HeadlessDriver

from tests.support.drawing import until
from tui.ui.terminal.pacing import Pace, PacedApp, PacedDriver

FRAME = 5_000


@dataclass
class Line:
    """A line of so many characters a second to a terminal that replies, and the program's pace on it."""

    per_s: float
    way_s: float = 0.05
    now: float = 100.0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: self.now)

    def asks_after(self, characters: int) -> bool:
        self.pace.wrote(characters)
        return self.pace.ask()

    def replies(self, characters: int) -> None:
        self.now += self.way_s + characters / self.per_s
        self.pace.heard()

    def draws(self, characters: int) -> None:
        """Write as much of this as is allowed, and wait for the reply; then nothing for a while."""
        at_once = min(characters, self.pace.allowance or characters)
        if self.asks_after(at_once):
            self.replies(at_once)
        self.now += 0.2


def begun(per_s: float) -> Line:
    line = Line(per_s)
    line.draws(0)
    return line


def test_the_first_question_needs_nothing_written_and_the_next_ones_do() -> None:
    line = Line(1e9)
    assert line.asks_after(0)
    assert not line.asks_after(FRAME), "a reply is due"
    line.replies(0)
    line.now += 0.2
    assert line.asks_after(0), "what was written meanwhile counts"
    line.replies(0)
    line.now += 0.2
    assert not line.asks_after(100)


def test_a_fast_line_is_not_asked_for_every_frame() -> None:
    line = begun(1e9)
    asked = 0
    for _ in range(30):
        line.now += 1 / 30
        if line.asks_after(FRAME):
            line.pace.heard()
            asked += 1
    assert 8 <= asked <= 10


def test_a_fast_line_has_no_limit_however_far_the_terminal_is() -> None:
    line = begun(1e9)
    for _ in range(20):
        line.draws(FRAME)
        assert line.pace.allowance is None
    assert line.asks_after(FRAME)
    line.now += line.way_s
    assert not line.pace.busy, "the reply cannot be there before"
    line.now += 1.0
    assert line.pace.busy


def test_over_a_slow_line_goes_at_once_what_it_takes_in_a_tenth_of_a_second() -> None:
    line = begun(16_000)
    for _ in range(20):
        line.draws(FRAME)
        assert line.pace.allowance is not None
        assert 800 <= line.pace.allowance <= 1_600


def test_on_a_slow_line_a_reply_that_is_due_keeps_the_terminal_busy() -> None:
    line = begun(16_000)
    line.draws(FRAME)
    assert not line.pace.busy
    assert line.asks_after(FRAME)
    assert line.pace.busy
    line.replies(FRAME)
    assert not line.pace.busy


def test_even_the_slowest_line_gets_a_few_rows() -> None:
    line = begun(10)
    line.draws(FRAME)
    assert line.pace.allowance == 400


def test_a_line_that_recovers_has_no_limit_again() -> None:
    line = begun(16_000)
    line.draws(FRAME)
    line.per_s = 1e9
    for _ in range(20):
        line.draws(FRAME)
    assert line.pace.allowance is None


def test_a_terminal_that_moves_away_is_not_taken_for_a_slow_line_for_long() -> None:
    line = begun(1e9)
    line.way_s = 0.4
    limited = False
    for _ in range(20):
        line.draws(FRAME)
        limited |= line.pace.allowance is not None
    assert limited
    for _ in range(20):
        line.draws(FRAME)
    assert line.pace.allowance is None


def test_a_slow_line_stays_one_however_long_it_is_full() -> None:
    line = begun(16_000)
    for _ in range(2_000):
        line.draws(FRAME)
        assert line.pace.allowance is not None
        assert line.pace.allowance <= 2 * 1_600


def test_a_terminal_that_never_replies_is_not_waited_for() -> None:
    line = Line(1e9)
    assert line.asks_after(0)
    for _ in range(100):
        line.now += 0.03
        assert not line.asks_after(100)
        assert not line.pace.busy
        assert line.pace.allowance is None
    line.pace.wait_for_reply()  # which returns at once: its second is long over


def test_a_reply_that_is_lost_holds_nothing_up_for_long() -> None:
    line = begun(16_000)
    line.draws(FRAME)
    assert line.asks_after(FRAME)
    line.now += 3.0
    assert not line.pace.busy
    assert not line.asks_after(FRAME), "a late reply would be taken for that of another question"
    line.now += 30.0
    assert line.asks_after(FRAME)


def test_a_reply_that_nobody_asked_for_says_nothing() -> None:
    line = begun(16_000)
    line.draws(FRAME)
    allowed = line.pace.allowance
    line.pace.heard()
    assert line.pace.allowance == allowed


def test_a_reply_that_was_given_up_at_the_end_is_not_waited_for_again() -> None:
    line = Line(1e9)
    assert line.asks_after(0)
    line.now += 0.99
    line.pace.wait_for_reply()
    line.now -= 0.99  # else the second time would be over in any case
    began = time.monotonic()
    line.pace.wait_for_reply()
    assert time.monotonic() - began < 0.9


class _Keys(PacedApp[None]):
    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    def on_key(self, event: events.Key) -> None:
        self.keys.append(event.key)


class _Terminal(PacedDriver, HeadlessDriver):
    pass


async def test_f3_with_a_modifier_which_looks_like_a_reply_is_a_key() -> None:
    app = _Keys()
    async with app.run_test() as pilot:
        driver = _Terminal(app)
        assert driver.pace.ask()
        driver.process_message(events.CursorPosition(1, 0))
        driver.process_message(events.CursorPosition(4, 0))
        await until(pilot, lambda: app.keys == ["shift+f3", "ctrl+f3"])
        driver.process_message(events.CursorPosition(0, 0))
        await pilot.pause()
        assert app.keys == ["shift+f3", "ctrl+f3"], "the reply from the corner, where the cursor is when it is asked"
