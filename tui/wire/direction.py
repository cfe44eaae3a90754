"""Which way an entry of the event log went."""

from __future__ import annotations

import enum


class Direction(enum.IntEnum):
    """Where an entry of the event log comes from."""

    RECEIVED = 0
    SENT = 1
    LOCAL = 2
    """Said by azrt-tui itself about the connection: opened, closed, refused."""
