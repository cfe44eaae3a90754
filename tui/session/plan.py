"""What to connect to and what to ask for: the settings, turned into what the SDK takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tui.endpoint import Target
from tui.settings import Secret

Modality = Literal["text", "audio"]


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One session's worth of decisions. The key never shows in its repr."""

    target: Target
    key: Secret
    instructions: str
    voice: str
    modality: Modality
    turn_detection: str
    """``semantic_vad``, ``server_vad`` or ``none``."""
    transcription_model: str
    """The model, on Azure the deployment, that transcribes the person; "" for none."""
    while_answering: Literal["interrupt", "queue"] = "interrupt"
    simulator: bool = False
    """True when the target is the embedded simulator."""
    created_timeout_s: float = 10.0
    """How long to wait for session.created after the handshake."""
    overrides: Mapping[str, Any] = field(default_factory=dict)

    def model_settings(self) -> dict[str, Any]:
        """The SDK's initial model settings.

        The SDK would otherwise send its own model name whatever the URL says, a transcription model that Azure has
        not deployed, and ``tracing: "auto"``, which Azure may refuse.
        """
        detection = None
        if self.turn_detection != "none":
            detection = {"type": self.turn_detection, "interrupt_response": True, "create_response": True}
        settings: dict[str, Any] = {
            "instructions": self.instructions,
            "modalities": [self.modality],
            "tracing": None,
            "audio": {
                "input": {
                    "format": "pcm16",
                    "transcription": {"model": self.transcription_model} if self.transcription_model else None,
                    "turn_detection": detection,
                },
                "output": {"format": "pcm16", "voice": self.voice},
            },
        }
        if self.target.model:
            settings["model_name"] = self.target.model
        return settings
