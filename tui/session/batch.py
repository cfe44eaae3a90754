"""What the session worker tells the screen, at most 30 times a second."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tui.conversation import Status, Turn


class Severity(enum.StrEnum):
    """How loudly to say it."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell the person once, in passing."""

    text: str
    severity: Severity = Severity.INFORMATION
    command: str = ""
    """What may help, as the id of a binding: the screen knows its key."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that is new since the last batch. Immutable: it crosses from one thread to another."""

    events: int
    """Entries of the event log that may be read now."""
    rows: int
    """Rows of the event log that may be read now."""
    changed_rows: tuple[int, ...]
    """Rows below ``rows`` that grew or were marked."""
    turns: tuple[Turn, ...]
    """Blocks of the transcript that are new or changed."""
    order: tuple[str, ...] | None
    """Keys of all blocks in order, when that changed."""
    status: Status
    notices: tuple[Notice, ...] = ()

    def then(self, newer: Batch) -> Batch:
        """This batch and the next one in one."""
        return Batch(
            newer.events,
            newer.rows,
            tuple({*self.changed_rows, *newer.changed_rows}),
            tuple({turn.key: turn for turn in (*self.turns, *newer.turns)}.values()),
            self.order if newer.order is None else newer.order,
            newer.status,
            self.notices + newer.notices,
        )
