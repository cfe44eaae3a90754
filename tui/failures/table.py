"""Everything that can go wrong with a session, named once: what happened, what to do about it, whether to try again.

:data:`KINDS` is the one table. :mod:`tui.session.causes` finds the row for what the network and the SDK raise,
:mod:`tui.failures.events` for events that say themselves that something failed. How each looks on the wire was
measured against openai-agents 0.24 and websockets 16.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.failures.cause import Cause, Kind, Retry
from tui.failures.no_connection import BACK_OFF, BETA_FIX, GIVE_ENDPOINT, NO_CONNECTION

__all__ = ["KINDS", "SET_TRANSCRIPTION", "Cause", "Kind", "Retry", "cause"]

NO_REASON_GIVEN: Final = "It gave no reason."
"""The fix of closures that only a reason would explain."""

SET_TRANSCRIPTION: Final = (
    "Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) to a transcription model that this server has (on Azure: "
    "to the name of its deployment), or to none."
)

KINDS: Final[Mapping[str, Kind]] = {
    **NO_CONNECTION,
    # A connection without a session
    "beta-session": Kind(
        "The server speaks the Realtime Beta protocol, which the openai-agents SDK cannot read (it ends in a "
        "ValidationError on session.created); the URL was {url}",
        BETA_FIX,
        line=GIVE_ENDPOINT,
        short="The server speaks the Beta protocol, not GA.",
    ),
    "beta-api": Kind(
        "The server no longer speaks the Realtime Beta protocol.",
        BETA_FIX,
        line=GIVE_ENDPOINT,
    ),
    "other-session": Kind(
        "{sentence}",
        "{fix}",
        line="azrt-tui url",
    ),
    "no-session-created": Kind(
        "The server accepted the connection, but sent no session.created within {seconds}.",
        "Check that the URL is a Realtime endpoint.",
        BACK_OFF,
        line="azrt-tui url",
        short="No session.created came within {seconds}.",
    ),
    # How a session ends
    "closed-1000": Kind("The server ended the session."),
    "closed-1001": Kind(
        "The server ended the session: it is going away, or the session reached its time limit.",
        "",
        BACK_OFF,
        short="The server is going away, or the time is up.",
    ),
    "closed-1002": Kind(
        "The server ended the session: it takes what it was sent for no WebSocket.",
        short="The server takes this for no WebSocket.",
    ),
    "closed-1003": Kind("The server ended the session: it was sent a kind of data that it does not take."),
    "closed-1005": Kind("The server ended the session, and did not say why."),
    "closed-1006": Kind("The connection was lost without a goodbye.", "Check the network.", BACK_OFF),
    "closed-1007": Kind(
        "The server ended the session: it was sent what it cannot read.",
        NO_REASON_GIVEN,
        short="The server cannot read what it was sent.",
    ),
    "closed-1008": Kind(
        "The server ended the session for breaking a rule of its own.",
        NO_REASON_GIVEN,
        short="The server ended the session: a rule was broken.",
    ),
    "closed-1009": Kind("A message was larger than the server takes.", "Send less at once."),
    "closed-1011": Kind("The server ended the session after an error of its own.", "", BACK_OFF),
    "closed-1012": Kind("The server ended the session: it restarts.", "", BACK_OFF),
    "closed-1013": Kind("The server ended the session: it has too much to do.", "", BACK_OFF),
    "closed-1014": Kind(
        "A gateway ended the session: the server behind it failed.",
        "",
        BACK_OFF,
        short="A gateway ended the session: the server failed.",
    ),
    "closed-3000": Kind(
        "The server ended the session: it no longer accepts the key or token.",
        "Check the key.",
        short="The key or the token is no longer accepted.",
    ),
    "closed-4000": Kind(
        "The server ended the session because of something it was sent.",
        NO_REASON_GIVEN,
        short="The server objects to something it was sent.",
    ),
    "session-key": Kind(
        "The server ended the session: it does not accept the key or token.",
        "Check the key.",
        short="The key or the token is not accepted.",
    ),
    "session-forbidden": Kind(
        "The server ended the session: the key may not do this.",
        "Check what the account and the key may use.",
    ),
    "session-quota": Kind(
        "The server ended the session: the quota is used up.", "Check the plan, the budget and the billing."
    ),
    "session-rate-limit": Kind("The server ended the session: too many requests or tokens.", "{wait}", BACK_OFF),
    "session-model": Kind(
        "The server ended the session: it does not offer this model or deployment here.",
        "Check the name of the model or of the deployment.",
        short="The model or deployment is not offered here.",
    ),
    "session-filtered": Kind(
        "The server ended the session: its content filter refused what was said.",
        "Say it in other words.",
        short="The content filter ended the session.",
    ),
    "session-idle": Kind("The server ended the session: nothing was said for too long."),
    "closed": Kind("The server closed the connection with code {code}."),
    "expiring": Kind(
        "The session was close to its time limit: a new one takes over.",
        "",
        Retry.AT_ONCE,
        short="The session was close to its time limit.",
    ),
    "expired": Kind("The session reached its time limit.", "", Retry.AT_ONCE),
    "silent": Kind(
        "The server stopped answering, so the connection was closed.",
        "Check the network.",
        Retry.AT_ONCE,
        short="The server stopped answering.",
    ),
    "too-big": Kind("The server sent a message over the limit of 32 MiB.", "", BACK_OFF),
    "not-utf8": Kind(
        "The server sent text that is not UTF-8, which ends a connection.",
        "",
        BACK_OFF,
        short="The server sent text that is not UTF-8.",
    ),
    "not-websocket": Kind("The server broke the WebSocket protocol.", "A proxy may be in the way.", BACK_OFF),
    "sdk": Kind(
        "The openai-agents SDK gave the session up, although the connection was fine.",
        "The log file has the details.",
        BACK_OFF,
        short="The openai-agents SDK gave the session up.",
    ),
    # What fails while the session goes on
    "response-failed": Kind("The answer failed: {said}", "Send it again.", passes=True),
    "response-refused": Kind(
        "The answer failed: {said}", "The server objects to {what}: unchanged, it is refused again."
    ),
    "response-expired": Kind(
        "The answer failed: the session reached its time limit.", "Send it again in a new session.", passes=True
    ),
    "response-key": Kind("The answer failed: the key is not accepted. It said: {said}", "Check the key."),
    "response-forbidden": Kind("The answer failed: {said}", "Check what the account and the key may use."),
    "response-model": Kind("The answer failed: {said}", "Check the name of the model or of the deployment."),
    "rate-limit": Kind(
        "The answer failed: too many requests or tokens in a minute.{wait}", "Then send it again.", passes=True
    ),
    "response-quota": Kind(
        "The answer failed: the quota is used up. It said: {said}", "Check the plan, the budget and the billing."
    ),
    "prompt-filtered": Kind("The answer failed: the content filter refused what was asked.", "Say it in other words."),
    "content-filter": Kind("The answer was cut short: the content filter stopped it.", "Ask in other words."),
    "max-output-tokens": Kind(
        "The answer was cut short: it reached the limit of output tokens.", "Ask for less, or for the rest."
    ),
    "response-incomplete": Kind("The answer was cut short: {said}"),
    "response-cancelled": Kind("The answer was {said}.", "Send it again.", passes=True),
    "transcription-failed": Kind("Not transcribed: {said}", passes=True),
    "transcription-missing": Kind(
        "Not transcribed: {said}",
        SET_TRANSCRIPTION,
        line="export AZRT_TRANSCRIPTION_MODEL=none",
    ),
    "no-transcriber": Kind(
        "What you say gets no words: {tried} cannot be used here. The server said: {said}",
        "{deploy}Set AZRT_TRANSCRIPTION_MODEL (or --transcription-model) to {what}, or to none.",
        line="export AZRT_TRANSCRIPTION_MODEL=none",
        short="No transcription model can be used.",
    ),
    "error": Kind("The server reports an error: {said}", "Where no answer comes, send it again.", passes=True),
    "error-refused": Kind(
        "The server reports an error: {said}", "It objects to {what}: unchanged, it is refused again."
    ),
    "error-beta": Kind("The server reports an error: {said}", BETA_FIX, line=GIVE_ENDPOINT),
    "error-rate-limit": Kind(
        "The server reports an error: too many requests or tokens in a minute.{wait}",
        "Then send it again.",
        passes=True,
        short="Too many requests or tokens in a minute.",
    ),
    "error-quota": Kind("The server reports an error: {said}", "Check the plan, the budget and the billing."),
    "error-key": Kind("The server reports an error: {said}", "Check the key."),
    "error-forbidden": Kind("The server reports an error: {said}", "Check what the account and the key may use."),
    "error-model": Kind("The server reports an error: {said}", "Check the name of the model or of the deployment."),
    "error-filtered": Kind("The server reports an error: {said}", "Say it in other words."),
    "update-refused": Kind(
        "The server refused a setting: {said}", "Nothing that was sent with it holds: change that setting."
    ),
    "active-response": Kind("The server still answers, and takes no second request for an answer: {said}", passes=True),
    "audio-too-short": Kind("The server takes no turn of less than 100 ms of audio.", "Speak longer."),
    # What nothing announces
    "no-answer": Kind("No answer for {seconds}.", passes=True),
    "no-response-done": Kind("The answer stands still for {seconds}.", passes=True),
    "no-pong": Kind("No sign of the server for {seconds}.", passes=True),
    # What only the doctor looks for
    "not-updated": Kind("The server does not answer a session.update within {seconds}.", "Ask whoever runs it."),
    "update-fields-refused": Kind(
        "The server refuses {fields}. It said: {said}",
        "Change that setting; without it, the rest is accepted.",
        line="{line}",
    ),
    "no-transcription": Kind(
        "No transcript of a moment of silence came within {seconds}: speech may stay without one.",
        "Check that AZRT_TRANSCRIPTION_MODEL names a transcription model that is deployed, or set it to none.",
        line="export AZRT_TRANSCRIPTION_MODEL=none",
    ),
    "clock": Kind(
        "The session ends {when}, which no session does: this machine's clock is probably wrong.",
        "Set the clock.",
        line="date",
    ),
    "model-ends": Kind("{what} {ends}, says {source}.", "{fix}"),
    "sdk-missing": Kind(
        "The openai-agents SDK cannot be imported: {why}.",
        "Install azrt-tui anew.",
        line="pip install --upgrade azrt-tui",
    ),
    "sdk-unreadable": Kind(
        "The openai-agents SDK cannot read {count} of this server's events: {said}.",
        "They are shown as they came; the conversation goes on.",
        passes=True,
    ),
    "unreadable-frames": Kind(
        "The answer came, and with it a frame that is no event: {said}.",
        "Nothing is lost: such frames are shown, and kept from the SDK. A proxy may be in the way.",
        passes=True,
    ),
    "doctor": Kind("The check {name} failed ({why}): a fault of azrt-tui.", "The log file has the details."),
    "no-devices": Kind("{why}", "{fix}", line="azrt-tui devices"),
}
"""Every cause by its name. Where a status or close code has a row of its own class only (``http-5xx``, ``closed``), the
cause is called after the code: ``http-503``, ``closed-4321``."""


def cause(kind: str, facts: Mapping[str, str] | None = None, *, name: str = "", **fields: object) -> Cause:
    """The cause that a row of the table comes to; ``name`` when it is not the row's own.

    ``fields`` are for the row's texts; ``wait_s`` among them is kept too. What comes from the network must have been
    made one short line before.
    """
    row = KINDS[kind]
    wait_s = fields.get("wait_s")
    return Cause(
        name or kind,
        row.sentence.format(**fields),
        row.fix.format(**fields),
        facts or {},
        row.retry,
        row.passes or row.retry is not Retry.NEVER,
        wait_s if isinstance(wait_s, float) else None,
        row.line.format(**fields),
        (row.short or row.sentence).format(**fields),
    )
