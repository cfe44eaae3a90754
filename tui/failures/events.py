"""The causes that events of the wire name themselves: responses and transcriptions that failed, errors, limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tui import models, wire
from tui.failures.error_codes import Sort, sort_of
from tui.failures.table import Cause, cause

_NO_REASON: Final = "the server gave no reason"

_MESSAGES: Final = ("message", "msg", "detail", "details", "reason", "description", "error_description", "title")
"""Where the error objects of servers of many makes have their words."""

_LONGEST_WAIT_S: Final = 86_400.0

_SETTING: Final = re.compile(r"'session\.[a-z_.]+'")
"""How a message names a setting, where the error has no ``param``."""

_WAIT: Final = re.compile(
    r"(?:try again in|retry after) (?=[0-9])(?:([0-9]{1,4})h)?(?:([0-9]{1,4})m(?!s))?"
    r"(?:([0-9]{1,6}(?:\.[0-9]{1,6})?) ?s)?(?:([0-9]{1,6}(?:\.[0-9]{1,6})?) ?ms)?",
    re.IGNORECASE,
)


_RESPONSE_ROWS: Final[Mapping[Sort, str]] = {
    Sort.EXPIRED: "response-expired",
    Sort.RATE_LIMIT: "rate-limit",
    Sort.QUOTA: "response-quota",
    Sort.FILTERED: "prompt-filtered",
    Sort.KEY: "response-key",
    Sort.FORBIDDEN: "response-forbidden",
    Sort.MODEL: "response-model",
    Sort.REQUEST: "response-refused",
}
"""What a failed response is called; what is not here may pass when it is sent again."""

_ERROR_ROWS: Final[Mapping[Sort, str]] = {
    Sort.EXPIRED: "expired",
    Sort.BETA: "error-beta",
    Sort.RATE_LIMIT: "error-rate-limit",
    Sort.QUOTA: "error-quota",
    Sort.FILTERED: "error-filtered",
    Sort.KEY: "error-key",
    Sort.FORBIDDEN: "error-forbidden",
    Sort.MODEL: "error-model",
    Sort.REQUEST: "error-refused",
}
"""What an ``error`` event is called."""

_OF_A_SETTING: Final = (Sort.REQUEST, Sort.MODEL, Sort.SERVER, Sort.UNKNOWN)
"""Sorts of errors that are about a setting where they name one."""

_TRANSCRIPTION_FIELDS: Final = ("audio.input.transcription", "input_audio_transcription")
"""The field of GA, and of Beta."""

_NO_MODEL: Final = re.compile(
    r"(?:deployment|model)[\w.` '\"-]{0,80}?(?:not_?found|not exist|not available|not supported|no access)"
    r"|(?:unknown|invalid|unsupported|no such)[ _]?(?:deployment|model)",
    re.IGNORECASE,
)
"""What errors say of a model that is not there: ``DeploymentNotFound``, ``model_not_found``."""


def of_response(response: Mapping[str, Any], reset_s: float | None = None) -> Cause | None:
    """Why a response that is done did not end well; None for one that did, or that was cancelled as asked.

    Args:
        response: the object of a ``response.done``.
        reset_s: seconds until a limit that is used up is reset, as the last ``rate_limits.updated`` said.
    """
    status = response.get("status")
    details = response.get("status_details")
    details = details if isinstance(details, Mapping) else {"error": details}
    error = wire.error_of(details)
    reason = _text(details.get("reason"))
    code, kind, message = _parts(error)
    shown = code or kind
    facts = {key: wire.text(value) for key, value in (("status", status), ("reason", reason), ("code", shown)) if value}
    said = ended(_joined(code, message) or wire.text(reason) or kind or _NO_REASON)
    if status == "incomplete":
        row = {"content_filter": "content-filter", "max_output_tokens": "max-output-tokens"}.get(reason)
        return cause(row or "response-incomplete", facts, said=said)
    if status != "failed":
        return None
    sort = sort_of(code, kind, message)
    if sort in (Sort.UNKNOWN, Sort.SERVER, Sort.REQUEST) and sort_of(reason) is Sort.FILTERED:
        sort = Sort.FILTERED
    row = _RESPONSE_ROWS.get(sort, "response-failed")
    if sort in (Sort.RATE_LIMIT, Sort.FILTERED):
        facts["message"] = message
    if sort is Sort.QUOTA:
        said = message or shown
    return cause(row, facts, said=said, **_waiting(sort, message, reset_s), what=_objected(error))


def of_cancellation(response: Mapping[str, Any]) -> str:
    """Return why a response was cancelled that nobody had interrupted before, in a few words."""
    details = response.get("status_details")
    reason = _text(details.get("reason")) if isinstance(details, Mapping) else ""
    if reason == "client_cancelled":
        return "interrupted"
    return "cut off: the server heard you speak" if reason == "turn_detected" else "cut off by the server"


def of_transcription(error: Mapping[str, Any]) -> Cause:
    """Why a transcription failed, from the ``error`` object of its event."""
    code, message = wire.text(error.get("code")), wire.text(error.get("message"))
    # A transcription model that is not deployed: DeploymentNotFound, or, as measured on Azure, a bare server_error.
    bare = not code and error.get("type") == "server_error"
    missing = bare or bool(_NO_MODEL.search(code) or _NO_MODEL.search(message))
    return cause(
        "transcription-missing" if missing else "transcription-failed",
        {"code": code} if code else {},
        said=message or code or _NO_REASON,
    )


def has_transcriber(failure: Cause) -> bool:
    """Return whether a failed transcription says that the model is there: it heard no words, or has too much to do."""
    return failure.facts.get("code") in ("audio_unintelligible", "rate_limit_exceeded", "429")


def no_transcriber(tried: Sequence[str], said: str, *, azure: bool) -> Cause:
    """None of the models that were tried transcribes here; ``said`` is the sentence of the last failure."""
    return cause(
        "no-transcriber",
        {"tried": ", ".join(tried)},
        tried=" and ".join(tried),
        said=ended(said.partition(": ")[2] or said),
        deploy=f"Deploy {models.TRANSCRIPTIONS[0]} on this resource. " if azure else "",
        what="the name of that deployment" if azure else "a model that this server has",
    )


def is_about_transcription(error: Mapping[str, Any], model: str) -> bool:
    """Return whether an error refuses a session.update for its transcription by ``model``, by field or by name.

    An error that names no field and says DeploymentNotFound is about it too: the deployment of the conversation has
    answered the handshake.
    """
    param, message = error.get("param"), wire.text(error.get("message"))
    if isinstance(param, str) and param:
        return param.removeprefix("session.").startswith(_TRANSCRIPTION_FIELDS)
    if error.get("code") == "DeploymentNotFound" or any(field in message for field in _TRANSCRIPTION_FIELDS):
        return True
    named = re.search(rf"(?<![\w.-]){re.escape(model)}(?![\w-]|\.\w)", message)
    return bool(model) and named is not None


def of_error(error: Mapping[str, Any]) -> Cause:
    """What an ``error`` event says, from its ``error`` object."""
    code, kind, message = _parts(error)
    shown = code or kind
    said = _joined(shown, message) or _NO_REASON
    facts = {"code": shown, "param": wire.text(error.get("param")), "event_id": wire.text(error.get("event_id"))}
    facts = {key: value for key, value in facts.items() if value}
    if code == "conversation_already_has_active_response":
        return cause("active-response", facts, said=message)
    if code == "input_audio_buffer_commit_empty":
        return cause("audio-too-short", facts)
    sort = sort_of(code, kind, message)
    of_a_setting = facts.get("param", "").startswith("session.") or _SETTING.search(message) is not None
    if of_a_setting and sort in _OF_A_SETTING:
        return cause("update-refused", facts, said=said)
    row = _ERROR_ROWS.get(sort, "error")
    return cause(row, facts, said=said, **_waiting(sort, message), what=_objected(error))


def _parts(error: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, type and message of an error object, each one short line."""
    message = next((error[name] for name in _MESSAGES if error.get(name)), None)
    return wire.text(error.get("code")), wire.text(error.get("type")), wire.text(message)


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _waiting(sort: Sort, message: str, reset_s: float | None = None) -> dict[str, Any]:
    """How long to wait, for the rows of limits that are used up."""
    if sort is not Sort.RATE_LIMIT:
        return {}
    wait_s = seconds_to_wait(message) or reset_s
    return {"wait": f" Wait {math.ceil(wait_s)} s." if wait_s else " Wait a while.", "wait_s": wait_s}


def _objected(error: Mapping[str, Any]) -> str:
    """What the server objected to: the parameter that the error names."""
    return wire.text(error.get("param")) or "what was sent"


def seconds_to_wait(message: str) -> float | None:
    """The seconds in "Please try again in 1m2.5s" or "retry after 7 seconds"; None when there are none."""
    found = _WAIT.search(message)
    if found is None:
        return None
    hours, minutes, seconds, ms = (float(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds + ms / 1000
    return total if 0 < total < _LONGEST_WAIT_S else None


def reset_after(limits: object) -> float | None:
    """Seconds until the limit that is used up is reset, from the ``rate_limits`` of an event; None when none is."""
    if not isinstance(limits, list):
        return None
    waits = [
        limit["reset_seconds"]
        for limit in limits
        if isinstance(limit, Mapping)
        and limit.get("remaining") == 0
        and isinstance(limit.get("reset_seconds"), int | float)
        and 0 < limit["reset_seconds"] < _LONGEST_WAIT_S
    ]
    return float(max(waits)) if waits else None


def ended(sentence: str) -> str:
    """With a full stop, unless it ends in its own way."""
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
