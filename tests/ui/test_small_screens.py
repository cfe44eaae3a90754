"""Small terminals: the footer says how to get back and cuts no word, and what a screen is for can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.apps import fast, isolate, running


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty home."""
    isolate(tmp_path, monkeypatch)


WORDS = {
    "esc Back",
    "r Again",
    "y Copy",
    "tab Other list",
    "r Look again",
    "t Test",
    "space Page down",
    "space Play",
    "← -5 s",
    "→ +5 s",
    ". Step",
    "+ Faster",
    "^q Quit",
    "f1 Help",
    "^p Commands",
}
"""What the footers of these screens are made of."""


def assert_whole(footer: str) -> None:
    """No key of a footer is cut."""
    found = {words for words in WORDS if words in footer}
    assert "".join(footer.split()) == "".join("".join(words.split()) for words in sorted(found, key=footer.index))


@pytest.mark.parametrize(
    ("key", "size"),
    # The bar of a replay has the footer's row where there are but six.
    [
        (key, size)
        for key in ("f5", "f6", "f1", "f8")
        for size in ((24, 6), (40, 10), (60, 15))
        if (key, size[1]) != ("f8", 6)
    ],
)
async def test_the_way_back_is_in_the_footer_and_no_word_is_cut(key: str, size: tuple[int, int]) -> None:
    async with running(fast(), size=size) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.pilot.press(key)
        await shown.until(lambda: "esc Back" in shown.text.splitlines()[-1])
        assert_whole(shown.text.splitlines()[-1])


async def test_a_replay_shows_the_way_back_and_takes_it() -> None:
    async with running(fast(), size=(80, 24)) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.pilot.press("f8")
        await shown.until(lambda: "esc Back" in shown.text.splitlines()[-1])
        await shown.pilot.press("escape")
        await shown.until(lambda: shown.app.screen is shown.main)


async def test_what_the_doctor_found_in_forty_columns() -> None:
    async with running(fast(), size=(40, 60)) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.pilot.press("f6")
        await shown.until(lambda: "Healthy." in shown.text)
        assert "│ ✓ Settings " in shown.text
        assert "left at their defaults" in " ".join(line.strip("│ ") for line in shown.text.splitlines())


async def test_the_devices_have_the_room_that_there_is() -> None:
    async with running(fast(), size=(40, 10)) as shown:
        await shown.pilot.press("f5")
        await shown.until(lambda: "✗ The PortAudio" in shown.text)
        assert shown.app.screen.query_one("#input").size.height >= 2
        await shown.pilot.resize_terminal(80, 24)
        await shown.until(lambda: "● in use" in shown.text)
