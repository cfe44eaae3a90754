"""How long Textual's Pilot waits after a key: turns of the event loop instead of an idle processor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_TURNS = 30
"""More than a key needs on its way from the driver to the app, the screen and the widget, and its action on its way."""


async def _wait_some_turns(*durations: float) -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)


@contextmanager
def turns_of_the_loop() -> Iterator[None]:
    """Replace Pilot's way of waiting.

    Its own takes 40 ms a key on an idle machine, and up to two seconds while a server streams in another thread, since
    it waits until the whole process uses no processor time. Turns of the loop are the same on every machine.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in ("textual.app", "textual.pilot"):
            patch.setattr(f"{module}.wait_for_idle", _wait_some_turns)
        yield
