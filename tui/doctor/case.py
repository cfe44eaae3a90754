"""What is examined, and what the checks so far have found out about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui.audio.devices import Device
from tui.conversation import Cause, Link
from tui.doctor.probe import Probe
from tui.session.plan import SessionPlan
from tui.settings import Loaded, Secret


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the checks wait, in seconds."""

    connect_s: float = 10.0
    """For DNS, TCP, TLS and the handshake each."""
    created_s: float = 10.0
    """For session.created."""
    reply_s: float = 10.0
    """For the answer to a session.update, and for a pong."""
    answer_s: float = 20.0
    """For a text answer, from asking to its end."""
    after_error_s: float = 5.0
    """For it to begin all the same, after an error that does not name the request."""
    transcription_s: float = 10.0
    """For the transcription of a moment of silence."""
    models_s: float = 5.0
    """For the service's list of its models."""
    devices_s: float = 5.0
    """For the sound system to list its devices."""


@dataclass(slots=True)
class Case:
    """One run: the settings, and what the checks learn for the next ones."""

    loaded: Loaded | None
    """The settings; None when only the connection is examined."""
    plan: SessionPlan | None
    """None when the settings do not come to one: ``unusable`` says why."""
    unusable: Cause | None = None
    unusable_check: str = "settings"
    """The check that this is a failure of: ``settings`` or ``endpoint``."""
    limits: Limits = field(default_factory=Limits)
    beside: Link | None = None
    """The state of the program's own session while it connects or runs: no other one is opened then, because a server
    may have room for one."""
    # What the checks learn
    secret: Secret | None = None
    """The key or token; None when signing in failed."""
    proxy: str | None = None
    """The URL of the proxy, which can hold a password."""
    probe: Probe | None = None
    """The connection, once the handshake has succeeded."""
    importing: asyncio.Future[None] | None = None
    """The import of the SDK, under way."""
    listing: asyncio.Future[list[Device]] | None = None
    """The search for sound devices, under way."""
    transcribers: list[str] = field(default_factory=list)
    """The transcription models that were tried, the one to use last."""
    refused: frozenset[str] = frozenset()
    """Fields of the settings that the server does not take, as ``audio.output.voice``."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """The session as the server described it last."""

    @property
    def the_plan(self) -> SessionPlan:
        """The plan, for the checks that are only done when there is one."""
        assert self.plan is not None
        return self.plan

    @property
    def transcriber(self) -> str:
        """The transcription model to use, as far as is known; "" for none."""
        return self.transcribers[-1] if self.transcribers else self.the_plan.transcription_model

    @property
    def transcribers_failed(self) -> list[str]:
        """Those that were tried before it."""
        return self.transcribers[:-1]

    def try_next_transcriber(self) -> bool:
        """Take the next transcription model for the one to use; False when there is none, or the user has set one."""
        if not self.transcribers:
            self.transcribers.append(self.the_plan.transcription_model)
        left = self.the_plan.transcription_fallbacks[len(self.transcribers) - 1 :]
        self.transcribers += left[:1]
        return bool(left)

    @property
    def the_probe(self) -> Probe:
        """The connection, for the checks that are only done when there is one."""
        assert self.probe is not None
        return self.probe

    def masked(self, text: str) -> str:
        """The text without any secret of this case."""
        if self.plan is not None:
            text = self.plan.credentials.masked(text)
        if self.loaded is not None:
            settings = self.loaded.settings
            values = (header.value for header in settings.headers)
            for secret in (settings.azure_api_key, settings.openai_api_key, *values):
                text = secret.masked(text)
        return text
