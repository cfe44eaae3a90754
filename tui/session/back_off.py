"""How long to wait before a connection is tried again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from tui.conversation import Cause
from tui.failures.table import Retry

LONGEST_S: Final = 30.0
MAX_TRIES: Final = 12
"""About four minutes in all. After that only the person knows whether it makes sense."""


class BackOff:
    """Each wait is about twice as long as the one before, with jitter: a server that restarts is not met by everybody
    at once."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        """``chance`` gives numbers from 0 to 1."""
        self._chance = chance
        self.tries = 0
        """Tries since it went well last."""

    def reset(self) -> None:
        """It went well."""
        self.tries = 0

    def next_s(self, cause: Cause, first_s: float) -> float | None:
        """Seconds until the next try after a connection ended for this reason; None when it is not worth another.

        Args:
            cause: why it ended. A time that the service named is kept, and a little more.
            first_s: the longest that the first wait may be.
        """
        if cause.retry is Retry.NEVER or self.tries >= MAX_TRIES:
            return None
        self.tries += 1
        if cause.retry is Retry.AT_ONCE and self.tries == 1:
            return 0.0
        wait_s = min(LONGEST_S, first_s * 2.0 ** (self.tries - 1)) * (0.5 + self._chance() / 2)
        return wait_s + (cause.wait_s or 0.0)
