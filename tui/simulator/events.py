"""Server events as plain dicts: the one place that knows what this server may send.

Names and fields follow the public description of the Realtime API (GA shape); `dialect.py` turns them into
the Beta shape where a client asked for that.
"""

from __future__ import annotations

import secrets
import string
from typing import Any

Event = dict[str, Any]

_ID_ALPHABET = string.ascii_letters + string.digits

ITEM_PREFIX = "item"

SERVER_EVENTS = frozenset(
    {
        "conversation.item.added",
        "conversation.item.deleted",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.failed",
        "conversation.item.retrieved",
        "conversation.item.truncated",
        "error",
        "input_audio_buffer.cleared",
        "input_audio_buffer.committed",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.timeout_triggered",
        "rate_limits.updated",
        "response.content_part.added",
        "response.content_part.done",
        "response.created",
        "response.done",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.delta",
        "response.output_audio_transcript.done",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.output_text.done",
        "session.created",
        "session.updated",
    }
)
"""Every event type this server sends, in the GA dialect."""


class ClientError(Exception):
    """A client event that the service refuses; becomes an `error` event.

    `code` and `param` are the fields of the same name in the error object; `kind` is its `type`.
    """

    def __init__(
        self, message: str, *, code: str | None, param: str | None = None, kind: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind


def new_id(prefix: str) -> str:
    """Return an id as the service forms them: the prefix, `_` and 21 letters or digits."""
    return f"{prefix}_{''.join(secrets.choice(_ID_ALPHABET) for _ in range(21))}"


def event(kind: str, **fields: Any) -> Event:
    """Return a server event of type `kind` with a new `event_id`.

    Raises ValueError for a type missing from `SERVER_EVENTS`, so that list stays true.
    """
    if kind not in SERVER_EVENTS:
        raise ValueError(f"{kind} is not one of the events this server sends")
    return {"type": kind, "event_id": new_id("event"), **fields}


def error(problem: ClientError, client_event_id: str | None) -> Event:
    """Return the `error` event for `problem`; `client_event_id` names the client event that caused it."""
    return event(
        "error",
        error={
            "type": problem.kind,
            "code": problem.code,
            "message": problem.message,
            "param": problem.param,
            "event_id": client_event_id,
        },
    )


def session_expired(minutes: int) -> Event:
    """Return the `error` event that ends a session which has lasted its `minutes`."""
    message = f"Your session hit the maximum duration of {minutes} minutes."
    return error(ClientError(message, code="session_expired"), None)


def cancelled(reason: str) -> Event:
    """Return `status_details` of a response that was cut off: `client_cancelled` or `turn_detected`."""
    return {"type": "cancelled", "reason": reason}


def max_output_tokens_reached() -> Event:
    """Return `status_details` of a response that ended at its `max_output_tokens`."""
    return {"type": "incomplete", "reason": "max_output_tokens"}
