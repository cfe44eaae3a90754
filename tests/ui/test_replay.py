"""The replay screen: a capture on the screen of the session that it is of, and the session that runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.support.apps import fast, isolate, running
from tests.support.drawing import screen_lines, until
from tui.capture.file.reader import CaptureReader
from tui.clock import clock
from tui.replay.recording import Recording
from tui.settings import load_settings
from tui.ui.app import AzrtApp
from tui.ui.screens.replay import ReplayScreen
from tui.ui.widgets.replay_bar import ReplayBar
from tui.ui.widgets.transcript_pane import TranscriptPane


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home."""
    isolate(tmp_path, monkeypatch)


class Shown:
    """A capture on the screen."""

    def __init__(self, app: AzrtApp, pilot: Pilot[int]) -> None:
        self.app, self.pilot = app, pilot

    @property
    def text(self) -> str:
        """Everything that the screen shows."""
        return "\n".join(screen_lines(self.app))

    @property
    def bar(self) -> str:
        """What the bar says."""
        return self.app.screen.query_one(ReplayBar).render().plain

    async def shows(self, *texts: str) -> None:
        """Wait until the screen shows them all."""
        await until(self.pilot, lambda: all(text in self.text for text in texts), f"the screen shows {texts}")


@asynccontextmanager
async def replayed(file: Path, *, size: tuple[int, int] = (120, 36), speed: float = 1.0) -> AsyncIterator[Shown]:
    """Play a file."""
    reader = CaptureReader(file)
    app = AzrtApp(load_settings({}), recording=Recording(reader, "host.example", "a-model", speed=speed))
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Shown(app, pilot)
    finally:
        await asyncio.to_thread(app.close_session)
        reader.close()


def events(tmp_path: Path, *lines: str) -> Path:
    """A file with an event a line."""
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def said(text: str) -> str:
    """An answer, as one event."""
    content = f'[{{"type": "output_text", "text": "{text}"}}]'
    item = f'{{"id": "item_{text}", "type": "message", "role": "assistant", "content": {content}}}'
    return f'{{"type": "conversation.item.done", "item": {item}}}'


async def test_a_capture_is_played_to_its_end(tmp_path: Path) -> None:
    async with replayed(events(tmp_path, said("one"), said("two"))) as shown:
        await shown.shows("▷ replay", "host.example", "a-model", "one", "two", "item.done", "■ 0:00 / 0:00")
        assert "event 2 of 2" in shown.bar
        assert "mic" not in shown.text.split("Events")[0], "there is nobody to speak to"


async def test_while_it_is_read_the_strip_says_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # so that nothing waits, and the file does not end
    try:
        async with replayed(pipe) as shown:
            os.write(writer, f"{said('one')}\n".encode())
            await shown.shows("▷ replay", "a-model", "reading the capture", "item.done")
            assert "mic" not in shown.text.split("Events")[0]
    finally:
        os.close(writer)


async def test_the_keys_step_through_it_and_back(tmp_path: Path) -> None:
    async with replayed(events(tmp_path, said("uno"), said("due"), said("tre"))) as shown:
        await shown.shows("event 3 of 3")
        for key, count, there, gone in (
            ("comma", 2, "due", "tre"),
            ("comma", 1, "uno", "due"),
            ("comma", 0, "▷ replay", "uno"),
            ("full_stop", 1, "uno", "due"),
        ):
            await shown.pilot.press(key)
            await shown.shows(f"event {count} of 3", there)
            await until(shown.pilot, lambda gone=gone: gone not in shown.text, f"no {gone}")


async def test_the_speed_is_chosen_by_key_and_said(tmp_path: Path) -> None:
    async with replayed(events(tmp_path, said("one")), speed=3) as shown:
        await shown.shows("×3, no sound")
        for key, sign in (("plus", "×4"), ("minus", "×2"), ("minus", "×1"), ("minus", "×0.5"), ("minus", "×0.25")):
            await shown.pilot.press(key)
            await until(shown.pilot, lambda sign=sign: sign in shown.bar, sign)


@pytest.mark.parametrize("size", [(80, 24), (60, 12), (40, 8), (20, 5)])
async def test_the_bar_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    async with replayed(events(tmp_path, said("one")), size=size) as shown:
        await shown.shows("0:00 / 0:00")
        assert max(map(len, screen_lines(shown.app))) <= size[0]


async def test_what_cannot_be_read_is_said_and_the_rest_is_shown(tmp_path: Path) -> None:
    file = events(tmp_path, said("one"), '{"no": "event', said("two"), '{"type": "torn')
    async with replayed(file) as shown:
        await shown.shows("one", "two", "a line is no event")


async def test_markup_and_control_characters_stay_text(tmp_path: Path) -> None:
    file = events(tmp_path, said("[red]\\\\u001b[31m[/red]").replace("\\\\\\\\", "\\\\"))
    async with replayed(file) as shown:
        await shown.shows("[red]")
        assert "\x1b" not in shown.text


async def test_a_session_that_runs_can_be_looked_back_at() -> None:
    async with running(fast()) as live:
        await live.connected()
        await live.answered("Which keys are there?", 1)
        turns = [turn.text for turn in live.transcript.turns]
        await live.pilot.press("f8")
        await live.until(lambda: isinstance(live.app.screen, ReplayScreen))
        screen = live.app.screen
        pane = screen.query_one(TranscriptPane)
        await live.until(lambda: [turn.text for turn in pane.turns] == turns, "the same conversation")
        await live.pilot.press("home")
        await live.until(lambda: not pane.turns, "before the first word")
        await live.pilot.press("escape")
        await live.until(lambda: live.app.screen is live.main)
        await live.answered("Which keys are there?", 2)
        assert len(live.transcript.turns) == 4, "the session went on"


async def test_without_a_session_there_is_nothing_to_look_back_at() -> None:
    async with running() as shown:
        await shown.pilot.press("f8")
        assert not isinstance(shown.app.screen, ReplayScreen)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "1:00:00")])
def test_a_position_is_written_as_players_write_it(seconds: float, text: str) -> None:
    assert clock(seconds) == text
