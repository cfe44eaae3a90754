"""A turn is a snapshot: it crosses from one thread to another."""

from __future__ import annotations

import dataclasses

import pytest

from tui.conversation import Transcript


def test_a_turn_does_not_change_with_its_block() -> None:
    transcript = Transcript()
    event = {"type": "response.output_text.delta", "item_id": "a", "delta": "one"}
    transcript.received(event, 0.0)
    (turn,) = transcript.turns()
    transcript.received(event, 0.0)
    assert turn.text == "one"
    assert transcript.turns()[0].text == "oneone"
    with pytest.raises(dataclasses.FrozenInstanceError):
        turn.text = "two"  # type: ignore[misc]
