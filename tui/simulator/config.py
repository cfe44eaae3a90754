"""The session object in its GA shape: defaults, and what a `session.update` does to it."""

from __future__ import annotations

import copy
import time
from typing import Any

from tui.simulator.audio import FORMATS, AudioFormat
from tui.simulator.events import ClientError, new_id

DEFAULT_MODEL, DEFAULT_VOICE = "gpt-realtime-2.1", "marin"
"""What the service has where nothing is asked for. Not the program's own constants: the far end is independent."""

DEFAULT_INSTRUCTIONS = (
    "You are the simulator inside azrt-tui: a small scripted tutor, not a model. "
    "Answer from the script, in a friendly, short and plain way."
)

_PCM = {"type": "audio/pcm", "rate": 24000}
_SERVER_VAD = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "idle_timeout_ms": None,
    "create_response": True,
    "interrupt_response": True,
}
_SEMANTIC_VAD = {"type": "semantic_vad", "eagerness": "auto", "create_response": True, "interrupt_response": True}


class SessionConfig:
    """The configuration of one session. `data` is what session.created and session.updated show."""

    def __init__(self, model: str, lifetime_s: float) -> None:
        self.data: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": new_id("sess"),
            "model": model,
            "output_modalities": ["audio"],
            "instructions": DEFAULT_INSTRUCTIONS,
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": int(time.time() + lifetime_s),
            "audio": {
                "input": {
                    "format": dict(_PCM),
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": dict(_SERVER_VAD),
                },
                "output": {"format": dict(_PCM), "voice": DEFAULT_VOICE, "speed": 1.0},
            },
            "include": None,
        }

    def snapshot(self) -> dict[str, Any]:
        """Return a copy of `data` for an event that may still wait to be sent when the session changes."""
        return copy.deepcopy(self.data)

    @property
    def input(self) -> dict[str, Any]:
        """`audio.input`."""
        found: dict[str, Any] = self.data["audio"]["input"]
        return found

    @property
    def output(self) -> dict[str, Any]:
        """`audio.output`."""
        found: dict[str, Any] = self.data["audio"]["output"]
        return found

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """The turn detection settings with every default filled in; None where the client takes the turns."""
        found: dict[str, Any] | None = self.input["turn_detection"]
        return found

    @property
    def input_format(self) -> AudioFormat:
        """The format of appended audio."""
        return FORMATS[self.input["format"]["type"]]

    def update(self, patch: dict[str, Any], *, voice_fixed: bool) -> None:
        """Merge a validated `session.update`; `voice_fixed` once audio was sent in this session.

        The model stays what the URL named: the service does not change it in a running session.
        Raises ClientError, with nothing changed, for a change of voice after audio.
        """
        voice = patch.get("audio", {}).get("output", {}).get("voice", self.output["voice"])
        if voice_fixed and voice != self.output["voice"]:
            raise ClientError(
                "Cannot update a conversation's voice if assistant audio is present.", code="cannot_update_voice"
            )
        _merge(self.data, {name: value for name, value in patch.items() if name != "model"})


def _merge(into: dict[str, Any], patch: dict[str, Any]) -> None:
    """Put `patch` into a session: `audio` and its two sides are merged, everything else is replaced as a whole."""
    for name, value in patch.items():
        if name in ("audio", "input", "output"):
            _merge(into[name], value)
        elif name == "turn_detection" and value is not None:
            into[name] = {**(_SERVER_VAD if value["type"] == "server_vad" else _SEMANTIC_VAD), **value}
        elif name == "format" and value["type"] == "audio/pcm":
            into[name] = dict(_PCM)
        else:
            into[name] = value
