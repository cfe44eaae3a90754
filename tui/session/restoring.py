"""Giving a new session the conversation so far, and showing the seam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.session.shared import Shared

if TYPE_CHECKING:
    from tui.conversation.carrying import Carried
    from tui.session.sdk import Connection


@dataclass(frozen=True, slots=True)
class Seam:
    """Where one session ends and the next one begins."""

    session: int
    """The number of the session that begins."""
    lost_speech: bool
    """The user spoke when the one before ended."""
    owed: bool
    """He had asked something there, and waits for the answer."""
    repeats: bool
    """It is like the seam before, with nothing between the two."""


async def restore(shared: Shared, connection: Connection, seam: Seam) -> Carried:
    """Send the conversation so far to a new session, and say so in the transcript, where that is news.

    The settings went out before; what the person types meanwhile waits until the connection is handed over. Nothing is
    waited for: the server takes the items in the order in which they come.

    Raises ConnectionClosed.
    """
    recorder = shared.recorder
    carried = recorder.transcript.carry(seam.session)
    unanswered = seam.owed and not carried.ends_with_question
    if seam.lost_speech or unanswered or not seam.repeats:
        text, notes = _told(carried, lost_speech=seam.lost_speech, unanswered=unanswered)
        recorder.transcript.say(text, recorder.now_s(), notes)
    for item in carried.items:
        await connection.create(item)
    return carried


def _told(carried: Carried, *, lost_speech: bool, unanswered: bool) -> tuple[str, str]:
    """What the transcript says of a seam, and the notes beside it."""
    count = len(carried.items)
    text = f"New session. The agent has the conversation so far: {_items(count)}." if count else "New session."
    notes = []
    if carried.left_out:
        notes.append(f"For {_items(carried.left_out)} from the beginning there was no room.")
    if carried.unspoken:
        turns = "a turn of yours" if carried.unspoken == 1 else f"{carried.unspoken} turns of yours"
        notes.append(f"Without a transcript, {turns} could not be carried over.")
    if carried.unfinished:
        calls = "a tool call" if carried.unfinished == 1 else f"{carried.unfinished} tool calls"
        notes.append(f"Without a result, {calls} could not be carried over.")
    if lost_speech:
        notes.append("What you were saying is lost: say it again.")
    elif unanswered:
        notes.append("Your last question was not answered: ask it again.")
    return text, " ".join(notes)


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
