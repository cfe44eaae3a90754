"""What a session's events mean: turns with their text, the agent's state, usage. Pure: no I/O, no clock of its own."""

from tui.conversation.status import AgentState, Cause, Link, MicrophoneState, Status
from tui.conversation.transcript import Transcript
from tui.conversation.turns import Speaker, Turn, TurnState

__all__ = ["AgentState", "Cause", "Link", "MicrophoneState", "Speaker", "Status", "Transcript", "Turn", "TurnState"]
