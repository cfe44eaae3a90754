"""Playing the agent's voice, and knowing what of it was heard."""

from tui.audio.microphone import MicrophoneCheck, check_microphone
from tui.audio.playback import Playback, Position, SilentPlayback

__all__ = ["MicrophoneCheck", "Playback", "Position", "SilentPlayback", "check_microphone"]
