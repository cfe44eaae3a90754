"""Keys and pauses of Textual's Pilot take turns of the event loop, and not tenths of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pace import turns_of_the_loop


@pytest.fixture(autouse=True)
def _pace() -> Iterator[None]:
    with turns_of_the_loop():
        yield
