"""The agent's voice out, the person's voice in."""

from tui.audio.devices import AudioUnavailable
from tui.audio.playback import NoPlayback, Playback, Position, SilentPlayback

__all__ = ["AudioUnavailable", "NoPlayback", "Playback", "Position", "SilentPlayback"]
