"""Whether the terminal keeps up with what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

RETRY_S = 0.03
"""How long to wait before asking again."""


def is_behind(app: App[object]) -> bool:
    """True while something that was drawn waits for the terminal to take what was drawn before.

    Textual writes in a thread, through a queue of 30 frames. On a slow line such a queue is many seconds long, and
    the answer to every key waits at its end. Only what the session reports can wait outside it, and shrinks there.
    """
    writer = getattr(app._driver, "_writer_thread", None)
    return writer is not None and not writer._queue.empty()
