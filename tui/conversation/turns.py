"""One block of the transcript, as it is shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Speaker(enum.StrEnum):
    """Whose block it is."""

    USER = "user"
    AGENT = "agent"
    TOOL = "tool"
    SYSTEM = "system"
    """An item with the role `system`."""
    PROGRAM = "program"
    """Said by azrt-tui: a seam between sessions, a failure, what to do about it."""


class TurnState(enum.StrEnum):
    """How far a block has come."""

    QUEUED = "queued"
    """Typed, not sent yet."""
    SENT = "sent"
    """Sent, not confirmed by the server."""
    STREAMING = "streaming"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """Failed or cut short by the server; the note says why."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A snapshot of one block. Text comes from the network: it must be made printable before it is drawn."""

    key: str
    """Stable for the life of the block, unlike the item id, which the server gives later."""
    item_id: str
    speaker: Speaker
    text: str
    heard: int
    """Characters of ``text`` that the person heard or read; the rest was generated, but never reached him."""
    state: TurnState
    time_s: float
    """Seconds since the log's origin."""
    note: str
    """A few words about how it went: ``interrupted at 4.2 s``, ``the answer failed``; "" when it just went well."""
    cause: str = ""
    """The name of the cause that ``text`` or ``note`` is about: a row of :data:`tui.failures.table.KINDS`."""
    command: str = ""
    """What may help, as the id of a binding (``session.reconnect``): the screen knows the key that is bound to it."""
