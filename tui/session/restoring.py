"""Giving a new session the conversation so far, and showing the seam."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.session.shared import Shared

if TYPE_CHECKING:
    from tui.conversation.carrying import Carried
    from tui.session.sdk import Connection


async def restore(shared: Shared, connection: Connection, session: int, *, lost_speech: bool, repeats: bool) -> Carried:
    """Send the conversation so far to the ``session``-th session, and say so in the transcript.

    That is not said where it ``repeats`` the seam before, with nothing between the two.

    The settings went out before; what the person types meanwhile waits until the connection is handed over. Nothing is
    waited for: the server takes the items in the order in which they come.

    Raises ConnectionClosed.
    """
    recorder = shared.recorder
    carried = recorder.transcript.carry(session)
    if lost_speech or not repeats:
        recorder.transcript.say(*_seam(carried, lost_speech=lost_speech, at_s=recorder.now_s()))
    for item in carried.items:
        await connection.create(item)
    return carried


def _seam(carried: Carried, *, lost_speech: bool, at_s: float) -> tuple[str, float, str]:
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
    return text, at_s, " ".join(notes)


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"
