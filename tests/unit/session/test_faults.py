"""Every fault that the simulator can produce, through the real SDK: the name that it gets, and where it is said."""

from __future__ import annotations

import pytest

from tests.support.faults import ELSEWHERE, NAMES, NOTED, SAID, SILENT, cause_of, names, provoked
from tui.conversation import Link
from tui.simulator.faults import FAULTS
from tui.wire import Direction


@pytest.mark.parametrize("fault", SAID)
async def test_a_fault_has_its_name(fault: str) -> None:
    expected = cause_of(fault)
    async with provoked(fault) as running:
        await running.until(lambda: expected in names(running), f"{fault} is called {expected}")
        said = [f"{turn.text} {turn.note}" for turn in running.transcript if turn.cause == expected]
        assert not any(word in each for each in said for word in ("ctrl+", "Traceback", "Error("))


@pytest.mark.parametrize("fault", sorted(SILENT))
async def test_a_fault_of_one_frame_costs_nothing(fault: str) -> None:
    async with provoked(fault) as running:
        await running.until(lambda: running.status.answers == 1, "the answer comes to its end")
        assert running.status.link is Link.CONNECTED and running.status.failure is None
        assert not list(names(running))
        noted = [entry.note for entry in running.entries(Direction.RECEIVED) if entry.note]
        assert bool(noted) == (fault in NOTED), noted


def test_the_names_are_of_faults() -> None:
    assert set(FAULTS) >= SILENT | ELSEWHERE | set(NAMES)
