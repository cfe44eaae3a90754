"""Sessions that start in another way than a client expects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tui.simulator import events
from tui.simulator.events import ClientError
from tui.simulator.faults.kinds import Dismissal, Terms

SOON_S = 150.0
"""How long a session lasts that expires soon: half a minute more than the two minutes at which clients warn."""

DEPLOYED = "whisper-1"
"""The transcription model of a server that has one only."""

_DOUBTFUL = (
    ("tracing",),
    ("audio", "input", "transcription"),
    ("audio", "input", "noise_reduction"),
    ("audio", "input", "turn_detection"),
    ("audio", "output", "voice"),
    ("audio", "output", "speed"),
    ("tools",),
    ("instructions",),
)
"""Settings that a deployment may not know, the likeliest first."""


def beta(terms: Terms) -> Terms:
    """Speak the Beta protocol, whatever the URL says."""
    return replace(terms, dialect="beta")


def silent(terms: Terms) -> Terms:
    """Send no session.created."""
    return replace(terms, speaks=False)


def short(terms: Terms) -> Terms:
    """Let the session expire soon."""
    return replace(terms, lifetime_s=SOON_S)


def dismissing(kind: str, code: str, message: str, close_code: int, reason: str) -> Callable[[Terms], Terms]:
    """Return a change after which an error and a close frame come in place of session.created."""

    def change(terms: Terms) -> Terms:
        problem = events.error(ClientError(message, code=code, kind=kind), None)
        return replace(terms, dismissal=Dismissal(problem, close_code, reason))

    return change


def picky(terms: Terms) -> Terms:
    """Refuse one field of the first session.update that has any, and that field from then on."""
    field: list[tuple[str, ...]] = []

    def refuse(session: dict[str, Any]) -> None:
        if not field:
            field.extend([path for path in _DOUBTFUL if _has(session, path)][:1])
        if field and _has(session, field[0]):
            name = ".".join(("session", *field[0]))
            raise ClientError(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)

    return replace(terms, refuse=refuse)


def choosy(terms: Terms) -> Terms:
    """Refuse each session.update that asks for a transcription model which is not deployed, by its name."""

    def refuse(session: dict[str, Any]) -> None:
        wanted = session.get("audio", {}).get("input", {}).get("transcription") or {}
        model = wanted.get("model", DEPLOYED)
        if model != DEPLOYED:
            raise ClientError(
                f"Invalid value: '{model}'. Supported values are: '{DEPLOYED}'.",
                code="invalid_value",
                param="session.audio.input.transcription.model",
            )

    return replace(terms, refuse=refuse)


def _has(session: dict[str, Any], path: tuple[str, ...]) -> bool:
    value: Any = session
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
