"""What a session's events mean: turns with their text, the agent's state, usage. Pure: no I/O, no clock of its own."""

from tui.conversation.status import AgentState, Choice, Link, MicrophoneState, Offer, Status
from tui.conversation.transcript import Transcript
from tui.conversation.turns import Speaker, Turn, TurnState
from tui.failures.table import Cause

__all__ = [
    "AgentState",
    "Cause",
    "Choice",
    "Link",
    "MicrophoneState",
    "Offer",
    "Speaker",
    "Status",
    "Transcript",
    "Turn",
    "TurnState",
]
