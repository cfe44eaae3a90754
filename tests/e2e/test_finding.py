"""Filtering, searching and following in a real terminal, with keys that come in one burst."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.terminal import Terminal

pytestmark = pytest.mark.e2e


def test_a_person_finds_what_went_over_the_wire(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("session.updated")
        terminal.type("hello\r")
        terminal.wait_for("completed")
        terminal.press("tab")
        terminal.type("ftype:response.*\r")
        screen = terminal.wait_for("Events · type:response.* · ")
        assert "output_text.delta" in screen and "session.updated" not in screen
        terminal.press("escape")
        terminal.wait_for("session.updated")
        terminal.type("/simulator\rN")
        terminal.wait_for("simulator: ")
        terminal.type("fdir:up")
        terminal.wait_for("character 5: dir: is in, out or local")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    assert b"Traceback" not in terminal.output


def test_a_filter_is_saved_and_offered_the_next_time(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path) as terminal:
        terminal.wait_for("session.updated")
        terminal.press("tab")
        terminal.type("fdir:out or error")
        terminal.press("ctrl+s")
        terminal.wait_for("save as")
        terminal.type("ours\r")
        terminal.wait_for("Saved: write @ours in a filter.")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
    with Terminal.azrt("demo", home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("Type a message")
        terminal.press("tab")
        terminal.type("f@")
        terminal.wait_for("@ours")
        terminal.press("tab")
        terminal.wait_for("Events · @ours · ")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0


def test_enter_leads_from_an_event_to_all_of_its_response(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path, size=(80, 24)) as terminal:
        terminal.wait_for("● connected")
        terminal.type("hello\r")
        terminal.wait_for("or Azure.")
        terminal.press("tab")
        terminal.wait_for("completed")
        terminal.press("enter")
        terminal.wait_for("r Response")
        terminal.press("r")
        screen = terminal.wait_for("times from row to row")
        assert "Events · response:resp_" in screen
        assert "response.create " in screen and "+0." in screen
        terminal.press("escape")
        terminal.wait_for(lambda screen: "times from row to row" not in screen and "Events ─" in screen)
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
