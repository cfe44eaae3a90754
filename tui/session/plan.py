"""What to connect to and what to ask for: the settings, turned into what the SDK takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.endpoint import Target, explicit_target
from tui.settings import Secret, Settings
from tui.settings.model import Modality, WhileAnswering


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    open_s: float = 10.0
    """From the first packet to the end of the handshake."""
    created_s: float = 10.0
    """From the handshake to session.created."""
    ping_s: float = 20.0
    """Between two pings, and for the answer to one."""
    close_s: float = 1.0
    """For the server's goodbye. The library's 10 s would make quitting wait."""


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One session's worth of decisions. The key never shows in its repr."""

    target: Target
    key: Secret
    instructions: str
    voice: str
    modality: Modality
    """The form of the answers; ``auto`` is decided when connecting: audio where it can be played."""
    turn_detection: str
    """``semantic_vad``, ``server_vad`` or ``none``."""
    transcription_model: str
    """The model, on Azure the deployment, that transcribes the person; "" for none."""
    while_answering: WhileAnswering = "interrupt"
    half_duplex: bool = True
    """Whether the microphone is held while the agent is heard: it would hear the loudspeaker."""
    simulator: bool = False
    """True when the target is the embedded simulator."""
    timeouts: Timeouts = Timeouts()
    overrides: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: Settings, *, simulator_url: str = "") -> SessionPlan:
        """What the settings come to.

        Args:
            settings: what the user has chosen.
            simulator_url: connect to the embedded simulator at this URL instead of the configured service.

        Raises EndpointError, NotConfigured or SettingsError when the settings do not come to a connection.
        """
        target = explicit_target(simulator_url, None) if simulator_url else settings.target()
        return cls(
            target=target,
            key=Secret() if simulator_url else settings.key_for(target),
            instructions=settings.instructions,
            voice=settings.voice,
            modality=settings.modality,
            turn_detection=settings.turn_detection,
            transcription_model=settings.transcription(target) or "",
            while_answering=settings.while_answering,
            half_duplex=settings.echo == "half-duplex",
            simulator=bool(simulator_url),
        )

    def model_settings(self, *, can_play: bool = False) -> dict[str, Any]:
        """The SDK's initial model settings; ``can_play`` is whether answers can be heard.

        The SDK would otherwise send its own model name whatever the URL says, a transcription model that Azure has
        not deployed, and ``tracing: "auto"``, which Azure may refuse.
        """
        detection = None
        if self.turn_detection != "none":
            detection = {"type": self.turn_detection, "interrupt_response": True, "create_response": True}
        settings: dict[str, Any] = {
            "instructions": self.instructions,
            "modalities": ["audio" if self.modality == "audio" or (self.modality == "auto" and can_play) else "text"],
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
