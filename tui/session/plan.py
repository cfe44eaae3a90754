"""What to connect to and what to ask for: the settings, turned into what the SDK takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tui.endpoint import Target, explicit_target
from tui.session.entra import entra_token
from tui.session.handshake import AddedHeaders, Handshake
from tui.session.key_command import key_from_command
from tui.session.sign_in import FixedKey, SignIn
from tui.settings import Secret, Settings
from tui.settings.model import Echo, Modality, TurnDetection, WhileAnswering
from tui.settings.state import remember_transcription


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds."""

    open_s: float = 10.0
    """From the first packet to the end of the handshake."""
    created_s: float = 10.0
    """From the handshake to session.created."""
    answer_s: float = 15.0
    """From the request for an answer to its beginning, before the person is asked."""
    response_s: float = 30.0
    """Between two events of an answer, before the person is asked."""
    ping_s: float = 20.0
    """Between two pings. So long after ``pong_s`` the connection is given up."""
    pong_s: float = 10.0
    """From a ping to its answer, or any other sign of the server, before the person is asked."""
    back_off_s: float = 0.5
    """The longest that the first wait before connecting again may be."""
    close_s: float = 1.0
    """For the server's goodbye. The library's 10 s would make quitting wait."""


def _forgotten(model: str) -> None:
    """Remember nothing."""


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """One session's worth of decisions. The key never shows in its repr."""

    target: Target
    key: Secret
    """The key of the settings; empty when ``sign_in`` gives one."""
    instructions: str
    voice: str
    modality: Modality
    """The form of the answers; ``auto`` is decided when connecting: audio where it can be played."""
    turn_detection: TurnDetection
    """``semantic_vad``, ``server_vad`` or ``none``."""
    transcription_model: str
    """The model, on Azure the deployment, that transcribes the person; "" for none."""
    transcription_fallbacks: tuple[str, ...] = ()
    """The models to try after it, in order. None where the user has set one, which is never changed."""
    transcribed: Callable[[str], object] = field(default=_forgotten, repr=False)
    """Called with the one of them that works, so that it is the first to be tried the next time."""
    while_answering: WhileAnswering = "interrupt"
    echo: Echo = "half-duplex"
    """What is done about the loudspeaker, which the microphone hears too."""
    sign_in: SignIn | None = field(default=None, repr=False)
    """What gives a key or a token for each connection, in place of ``key``."""
    headers: AddedHeaders = field(default_factory=AddedHeaders)
    """Sent with each handshake, beside the key or in its place."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust besides the system's."""
    simulator: bool = False
    """True when the target is the embedded simulator."""
    timeouts: Timeouts = Timeouts()
    attended: bool = False
    """Whether a person is there to decide. Without one, a session that has ended has ended."""
    reconnects: bool = True
    """Whether what may pass is tried again without being asked."""
    hands_over: bool = True
    """Whether a new session takes over before the old one reaches its time limit, without being asked."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    names_transcription: bool = True
    """False where the server refuses the very field, also to say that there shall be none."""

    @classmethod
    def from_settings(cls, settings: Settings, *, simulator_url: str = "", attended: bool = False) -> SessionPlan:
        """What the settings come to.

        Args:
            settings: what the user has chosen.
            simulator_url: connect to the embedded simulator at this URL instead of the configured service.
            attended: whether a person is there to decide what to do when something does not go on.

        Raises EndpointError, NotConfigured or SettingsError when the settings do not come to a connection.
        """
        target = explicit_target(simulator_url, None) if simulator_url else settings.target()
        transcription, *fallbacks = settings.transcription(target) or ("",)
        return cls(
            target=target,
            key=Secret() if simulator_url else settings.key_for(target),
            instructions=settings.instructions,
            voice=settings.voice,
            modality=settings.modality,
            turn_detection=settings.turn_detection,
            transcription_model=transcription,
            transcription_fallbacks=tuple(fallbacks),
            transcribed=_forgotten if simulator_url else partial(remember_transcription, target.host),
            sign_in=None if simulator_url else _fetching(settings, target),
            headers=AddedHeaders(() if simulator_url else settings.headers),
            ca_file=settings.ca_file,
            while_answering=settings.while_answering,
            echo=settings.echo,
            simulator=bool(simulator_url),
            timeouts=Timeouts(
                created_s=settings.session_wait_s,
                answer_s=settings.answer_wait_s,
                response_s=settings.response_wait_s,
                pong_s=settings.pong_wait_s,
            ),
            attended=attended,
            reconnects=settings.reconnect == "auto",
            hands_over=settings.handover == "auto",
        )

    @property
    def credentials(self) -> Handshake:
        """What gives the headers of a handshake, and masks every secret in them."""
        return Handshake(self.sign_in or FixedKey(self.key), self.headers)

    def updated(self, session: Mapping[str, Any]) -> SessionPlan:
        """The same, with more fields of the ``session`` object to send after each connection."""
        return replace(self, overrides=_merged(self.overrides, session))

    def model_settings(self, *, can_play: bool = False) -> dict[str, Any]:
        """The SDK's initial model settings; ``can_play`` is whether answers can be heard.

        The SDK would otherwise send its own model name whatever the URL says, a transcription model that Azure has
        not deployed, and ``tracing: "auto"``, which Azure may refuse.
        """
        settings: dict[str, Any] = {
            "instructions": self.instructions,
            "modalities": ["audio" if self.modality == "audio" or (self.modality == "auto" and can_play) else "text"],
            "tracing": None,
            "audio": {
                "input": {
                    "format": "pcm16",
                    "transcription": {"model": self.transcription_model} if self.transcription_model else None,
                    "turn_detection": turn_detection(self.turn_detection),
                },
                "output": {"format": "pcm16", "voice": self.voice},
            },
        }
        if not self.names_transcription:
            del settings["audio"]["input"]["transcription"]
        if self.target.model:
            settings["model_name"] = self.target.model
        return settings


def turn_detection(kind: TurnDetection) -> dict[str, Any] | None:
    """What the ``session`` object has for ``turn_detection``."""
    return None if kind == "none" else {"type": kind, "interrupt_response": True, "create_response": True}


def _merged(session: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """One ``session`` object with the fields of both, at every depth."""
    merged = dict(session)
    for name, value in changes.items():
        before = merged.get(name)
        nested = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(before, value) if nested else value  # type: ignore[arg-type]
    return merged


def sign_in(settings: Settings, target: Target) -> SignIn:
    """Return what signs in at ``target``; SettingsError when its key is missing."""
    key = settings.key_for(target)
    return _fetching(settings, target) or FixedKey(key)


def _fetching(settings: Settings, target: Target) -> SignIn | None:
    """What takes the place of a key in the settings; None for such a key, or for none at all."""
    if settings.uses_entra(target):
        return entra_token(settings.entra_scope, settings.ca_file)
    if settings.signs_in_by_header:
        return None
    if settings.api_key_command and not settings.key_for(target):
        return key_from_command(settings.api_key_command)
    return None
