"""A screen that falls behind catches up in one step, and what repeats itself does not cover it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets._toast import Toast

from tests.support.apps import isolate, running
from tests.support.drawing import staged, turn
from tui.conversation import Link, Status
from tui.session import Batch, Notice
from tui.ui.messages import SessionBatch
from tui.ui.widgets.transcript_pane import TranscriptPane


def batch(events: int, **fields: Any) -> Batch:
    known = {"rows": events, "changed_rows": (), "turns": (), "order": None, "status": Status()}
    return Batch(**{"events": events, **known, **fields})


def test_a_batch_and_the_next_are_one() -> None:
    first = batch(
        3, changed_rows=(0, 2), turns=(turn("a", "o"), turn("b", "x")), order=("a", "b"), notices=(Notice("one"),)
    )
    second = batch(
        5, changed_rows=(2, 4), turns=(turn("a", "one"),), status=Status(link=Link.CONNECTED), notices=(Notice("two"),)
    )
    both = first.then(second)
    assert (both.events, both.rows) == (5, 5)
    assert sorted(both.changed_rows) == [0, 2, 4]
    assert [each.text for each in both.turns] == ["one", "x"]
    assert both.order == ("a", "b")
    assert both.then(batch(6, order=("b", "a"))).order == ("b", "a")
    assert both.status.link is Link.CONNECTED
    assert [notice.text for notice in both.notices] == ["one", "two"]


def test_what_the_screen_has_not_taken_grows() -> None:
    message = SessionBatch(batch(1))
    assert message.add(batch(2))
    assert message.add(batch(3))
    assert message.take().events == 3
    assert not message.add(batch(4)), "the screen has it: the next batch needs a message of its own"


async def test_a_pane_without_room_can_be_scrolled() -> None:
    async with staged(TranscriptPane(id="transcript"), size=(40, 5)) as stage:
        stage.widget.update_turns([turn("a", "one"), turn("b", "two")], ("a", "b"))
        stage.widget.display = False
        await stage.pilot.pause()
        assert stage.widget.size.height == 0
        for _ in range(2):
            stage.widget.action_follow()
            stage.widget.action_first()


async def test_the_same_toast_is_not_shown_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)
    async with running(demo=True) as shown:
        await shown.connected()
        for _ in range(5):
            shown.app.notify("Nothing to interrupt: the agent is silent.")
            await shown.pilot.pause()
        shown.app.notify("Something else.")
        await shown.pilot.pause()
        assert len(shown.app.screen.query(Toast)) == 2
