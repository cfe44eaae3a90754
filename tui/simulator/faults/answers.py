"""Answers that do not come, do not end, or end badly, and connections that break in the middle of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.simulator import events
from tui.simulator.events import ClientError
from tui.simulator.faults.kinds import Ended, Place, Turn

WAIT_S = 7.2
"""Seconds after which a rate-limited answer may be asked for again."""

_SERVER_ERROR = (
    "The server had an error while processing your request. Sorry about that! Please contact us through our help "
    "center if the error persists."
)

Act = Callable[[Turn], None]


def nothing(place: Place) -> None:
    """Do nothing: where this stands in place of an answer, none comes."""


def unnamed_error(place: Place) -> None:
    """Send an error that names neither the client event nor the response it belongs to."""
    place.emit(events.error(ClientError(_SERVER_ERROR, code=None, kind="server_error"), None))


def unfinished(turn: Turn) -> None:
    """Never finish: no further delta, no response.done."""
    raise Ended(None)


def failing(kind: str, code: str | None, message: str) -> Act:
    """Return an act that ends the response as failed."""

    def act(turn: Turn) -> None:
        raise Ended("failed", {"type": "failed", "error": {"type": kind, "code": code, "message": message}})

    return act


def incomplete(reason: str) -> Act:
    """Return an act that ends the response as incomplete."""

    def act(turn: Turn) -> None:
        raise Ended("incomplete", {"type": "incomplete", "reason": reason})

    return act


def cancelled(turn: Turn) -> None:
    """End the response as cancelled, though nobody asked for it."""
    raise Ended("cancelled", events.cancelled("turn_detected"))


def rate_limited(turn: Turn) -> None:
    """Show that no tokens are left, and end the response as failed."""
    used_up = {"name": "tokens", "limit": 40_000, "remaining": 0, "reset_seconds": WAIT_S}
    turn.emit(events.event("rate_limits.updated", rate_limits=[used_up]))
    message = (
        "Rate limit reached for gpt-realtime-2.1 on tokens per min (TPM): Limit 40000, Used 39200, Requested 5600. "
        f"Please try again in {WAIT_S}s."
    )
    failing("tokens", "rate_limit_exceeded", message)(turn)


def closing(code: int, reason: str = "") -> Act:
    """Return an act that closes the connection with this code and reason."""

    def act(turn: Turn) -> None:
        turn.line.close(code, reason)

    return act


def lost(turn: Turn) -> None:
    """Lose the connection: no close frame (which clients report as 1006)."""
    turn.line.lose()


def dead(turn: Turn) -> None:
    """Stop reading, sending and answering pings, with the connection up."""
    turn.line.die()


def slow_reader(turn: Turn) -> None:
    """Read slowly from now on."""
    turn.line.slow_down()


def protocol_error(turn: Turn) -> None:
    """Send a frame with reserved bits set, which ends a WebSocket connection with 1002."""
    turn.line.write(b"\xf1\x00")


def expiring(minutes: int) -> Act:
    """Return an act that ends the session as one that has lasted its `minutes`."""

    def act(turn: Turn) -> None:
        turn.emit(events.session_expired(minutes))
        turn.line.close(1001)

    return act


def transcription_error(kind: str, code: str | None, message: str) -> Callable[[str], dict[str, Any]]:
    """Return a maker of the error object of a failed transcription. `{item}` in `message` is the item's id."""

    def make(item_id: str) -> dict[str, Any]:
        return {"type": kind, "code": code, "message": message.format(item=item_id), "param": None}

    return make
