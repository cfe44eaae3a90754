"""The checks of the session itself, on a connection of the doctor's own: from the handshake to its time limit."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final

from websockets.exceptions import InvalidStatus

from tui import wire
from tui.conversation import Cause
from tui.doctor.case import Case, Limits
from tui.doctor.probe import ConnectionEnded, Event, Probe, of_types
from tui.doctor.report import Finding, Outcome, failed, skipped, warning
from tui.failures.events import is_about_transcription, of_error, of_response, reset_after
from tui.failures.table import cause
from tui.session import causes

QUESTION: Final = "Reply with the single word OK."

_ASKING: Final = "doctor_answer"
"""The id of the event that asks for the answer."""

_MOST_QUOTED: Final = 24
"""Characters of the answer."""

_LONGEST_SESSION_S: Final = 24 * 3600.0

_LATEST_S: Final = 1e11
"""Unix time in seconds is less for three thousand years; in milliseconds it is more."""

_VAGUE: Final = ("error", "error-refused")
"""Causes of errors of which the end of the connection may say more."""

_TEXT_DELTAS: Final = ("response.output_text.delta", "response.text.delta", "response.output_audio_transcript.delta")


async def check_handshake(case: Case) -> Finding:
    """The HTTP answer: 101, or Azure's own status, code and request id."""
    plan, secret = case.the_plan, case.secret
    assert secret is not None
    timely = replace(plan, timeouts=replace(plan.timeouts, open_s=case.limits.connect_s))
    try:
        case.probe = await Probe.open(timely, secret)
    except Exception as error:
        if isinstance(error, InvalidStatus) and error.response.status_code == HTTPStatus.UNAUTHORIZED:
            plan.credentials.refused()
        return failed(causes.from_exception(error, plan.target))
    facts = {"status": "101"}
    for header in causes.SUPPORT_HEADERS:
        if value := case.probe.headers.get(header):
            facts[header] = wire.text(value)
    where = f", region {facts['x-ms-region']}" if "x-ms-region" in facts else ""
    return Finding(f"HTTP 101{where}", facts=facts)


async def check_session(case: Case) -> Finding:
    """Whether session.created comes, and in time."""
    limit = case.limits.created_s
    try:
        event = await case.the_probe.next(of_types(*causes.OPENINGS, "error"), limit)
    except TimeoutError:
        return failed(causes.no_session_created(limit))
    if event.get("type") == "error":
        return await _dismissed(case, event)
    case.session = causes.opened(event)
    model, session_id = wire.text(case.session.get("model")), wire.text(case.session.get("id"))
    facts = {key: value for key, value in (("model", model), ("session", session_id)) if value}
    return Finding(f"came, model {model}" if model else "came", facts=facts)


async def _dismissed(case: Case, event: Event) -> Finding:
    """An error came in place of a session: how the connection ends says more, when it does."""
    found = of_error(wire.error_of(event))
    try:
        await case.the_probe.next(lambda _: False, 1.0)
    except ConnectionEnded as ended:
        ending = causes.from_ending(ended.ending, expired=ended.expired)
        # A code that says nothing of its own is no news beside an error that does.
        telling = found.name in _VAGUE or not ending.name.startswith("closed-")
        return failed(ending if telling else found, details=(found.sentence if telling else ending.sentence,))
    except TimeoutError:
        pass  # it stays open, and there is only the error
    return failed(found)


async def check_protocol(case: Case) -> Finding:
    """GA or Beta, or none that answers, by the type and the shape of the session."""
    wrong = causes.of_session(case.session, case.the_plan.target)
    if wrong is not None:
        return failed(wrong)
    kind = case.session.get("type")
    if kind is None:
        return Finding("GA, although the session lacks its type")
    return Finding("GA" if kind == "realtime" else f"GA, a session of type {wire.text(kind)}")


def wire_session(case: Case) -> dict[str, Any]:
    """What the session.update of the program holds, for answers as text: the same that the SDK makes of the plan."""
    settings = case.the_plan.model_settings()
    audio = settings["audio"]
    pcm = {"type": "audio/pcm", "rate": wire.PCM16_RATE}
    session: dict[str, Any] = {
        "type": "realtime",
        "instructions": settings["instructions"],
        "output_modalities": ["text"],
        "audio": {
            "input": {**audio["input"], "format": pcm},
            "output": {**audio["output"], "format": pcm},
        },
    }
    if "model_name" in settings:
        session["model"] = settings["model_name"]
    return session


async def check_update(case: Case) -> Finding:
    """Whether the settings are accepted, and which fields of them are not."""
    session = wire_session(case)
    refused: dict[str, Cause] = {}
    while True:
        try:
            reply = await _update(case, session)
        except TimeoutError:
            return failed(cause("not-updated", seconds=f"{case.limits.reply_s:g} s"))
        if reply.get("type") == "session.updated":
            break
        error = wire.error_of(reply)
        param = error.get("param")
        path = param.removeprefix("session.") if isinstance(param, str) else ""
        found = of_error(error)
        if is_about_transcription(error, case.transcriber) and case.try_next_transcriber():
            session["audio"]["input"]["transcription"] = {"model": case.transcriber}
            continue
        if not path or path in refused or not _drop(session, path):
            return _refusal({**refused, path or "the session.update": found})
        refused[path] = found
    updated = reply.get("session")
    if isinstance(updated, Mapping):
        case.session = {**case.session, **updated}
    if refused:
        case.refused = frozenset(refused)
        return _refusal(refused)
    return Finding("accepted as it is", facts={"fields": ", ".join(_paths(session))})


async def _update(case: Case, session: Mapping[str, Any]) -> Event:
    await case.the_probe.send("session.update", event_id="doctor_update", session=session)
    return await case.the_probe.next(of_types("session.updated", "error"), case.limits.reply_s)


def _drop(session: dict[str, Any], path: str) -> bool:
    """Take a field out, as ``audio.output.voice``; False when it is not there, or must be."""
    *parents, name = path.split(".")
    inside: Any = session
    for parent in parents:
        inside = inside.get(parent) if isinstance(inside, dict) else None
    if not isinstance(inside, dict) or name not in inside or path == "type":
        return False
    del inside[name]
    return True


def _paths(session: Mapping[str, Any], before: str = "") -> list[str]:
    """The names of the fields, ``audio.output.voice``, without their values."""
    found = []
    for name, value in session.items():
        if name in ("audio", "input", "output") and isinstance(value, Mapping):
            found += _paths(value, f"{before}{name}.")
        else:
            found.append(before + name)
    return found


_LINES: Final[Mapping[str, str]] = {
    "model": "azrt-tui doctor --deployment NAME",
    "instructions": "azrt-tui doctor --instructions 'Be brief.'",
    "audio.input.transcription": "export AZRT_TRANSCRIPTION_MODEL=none",
    "audio.input.turn_detection": "export AZRT_TURN_DETECTION=server_vad",
    "audio.output.voice": "export AZRT_VOICE=alloy",
}
"""For a field that is refused, the line that changes it."""


def _refusal(refused: Mapping[str, Cause]) -> Finding:
    """The fields that were refused, with the server's words for the first of them."""
    path, first = next(iter(refused.items()))
    line = next((line for field, line in _LINES.items() if path.startswith(field)), "azrt-tui --help")
    found = cause(
        "update-fields-refused",
        {**first.facts, "refused": ", ".join(refused)},
        fields=", ".join(refused),
        said=first.sentence.partition(": ")[2] or first.sentence,
        line=line,
    )
    return failed(found, details=tuple(f"{name}: {each.sentence}" for name, each in list(refused.items())[1:]))


@dataclass(slots=True)
class _Answer:
    """What has come of the answer so far."""

    asked: float = field(default_factory=time.monotonic)
    first_s: float | None = None
    """From asking to the first word."""
    begun: bool = False
    text: str = ""
    reset_s: float | None = None
    """Seconds until a limit that is used up is reset."""
    error: Cause | None = None
    """An error before it or in the middle of it; the last one."""
    error_at: float = 0.0
    """When that came, by ``time.monotonic()``."""

    @property
    def refused(self) -> Cause | None:
        """The error in whose place an answer may still come."""
        return None if self.begun else self.error

    def left_s(self, limits: Limits) -> float:
        """Seconds to wait for the next event."""
        until = self.asked + limits.answer_s
        if self.refused is not None:
            until = min(until, self.error_at + limits.after_error_s)
        return max(0.0, until - time.monotonic())

    def take(self, event: Event) -> Finding | None:
        """Take an event; return what it was, when it ends the answer."""
        kind = event.get("type")
        if kind == "response.created":
            self.begun = True
        elif kind in _TEXT_DELTAS:
            self.begun = True
            if self.first_s is None:
                self.first_s = time.monotonic() - self.asked
            self.text += str(event.get("delta") or "")
        elif kind == "rate_limits.updated":
            self.reset_s = reset_after(event.get("rate_limits"))
        elif kind == "error":
            self.error, self.error_at = of_error(wire.error_of(event)), time.monotonic()
            if self.refused is not None and self.error.facts.get("event_id") == _ASKING:
                return failed(self.error)
        elif kind == "response.done":
            return self._done(event.get("response"))
        return None

    def _done(self, response: object) -> Finding:
        response = response if isinstance(response, Mapping) else {}
        bad = of_response(response, self.reset_s)
        if bad is not None:
            return warning(bad) if bad.name == "max-output-tokens" and self.text else failed(bad)
        if response.get("status") == "cancelled":
            return failed(cause("response-failed", said="the server cancelled it by itself."))
        if self.error is not None:
            return warning(self.error)
        output = response.get("output")
        items = [item for item in output if isinstance(item, Mapping)] if isinstance(output, list) else []
        said = wire.text(self.text or " ".join(wire.content_text(item.get("content")) for item in items), _MOST_QUOTED)
        if len(said) == _MOST_QUOTED:
            said = f"{said[:-1].rstrip()}…"
        facts = {"took": f"{time.monotonic() - self.asked:.2f} s"}
        if self.first_s is None:
            return Finding(f"“{said}”, in one piece" if said else "came, without a word", facts=facts)
        first = f"{self.first_s * 1000:.0f} ms"
        return Finding(f"“{said}”, first word after {first}", facts={"first word": first, **facts})


async def check_answer(case: Case) -> Finding:
    """A question, and the answer to it as text."""
    probe, limit = case.the_probe, case.limits.answer_s
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]}
    await probe.send("conversation.item.create", item=item)
    await probe.send("response.create", event_id=_ASKING, response={"output_modalities": ["text"]})
    answer = _Answer()
    finding = None
    while finding is None:
        try:
            event = await probe.next(lambda _: True, answer.left_s(case.limits))
        except (TimeoutError, ConnectionEnded) as end:
            if answer.refused is not None:
                return failed(answer.refused)
            if isinstance(end, ConnectionEnded):
                raise
            return failed(cause("no-response-done" if answer.begun else "no-answer", seconds=f"{limit:g} s"))
        finding = answer.take(event)
    unreadable = probe.unreadable
    if finding.outcome is Outcome.OK and unreadable:
        more = f" (and {len(unreadable) - 1} more)" if len(unreadable) > 1 else ""
        facts = {**finding.facts, "unreadable frames": str(len(unreadable))}
        return warning(cause("unreadable-frames", facts, said=unreadable[0].partition(";")[0] + more))
    return finding


async def check_round_trip(case: Case) -> Finding:
    """The time of a ping there and back: the best of three."""
    try:
        times = [await case.the_probe.round_trip(case.limits.reply_s) for _ in range(3)]
    except TimeoutError:
        return failed(cause("no-pong", seconds=f"{case.limits.reply_s:g} s"))
    best_ms = min(times) * 1000
    shown = f"{best_ms:.0f} ms" if best_ms >= 10 else f"{best_ms:.1f} ms"
    return Finding(shown, facts={"milliseconds": ", ".join(f"{each * 1000:.1f}" for each in times)})


async def check_lifetime(case: Case) -> Finding:
    """How long a session may last, by its ``expires_at``."""
    expires = case.session.get("expires_at")
    if not isinstance(expires, int | float) or isinstance(expires, bool) or not math.isfinite(expires):
        return skipped("the server does not say")
    if expires > _LATEST_S:
        return skipped("the server gives a time that is not in seconds")
    left_s = expires - time.time()
    facts = {"expires_at": json.dumps(expires)[:30]}
    if not 0 < left_s < _LONGEST_SESSION_S:
        when = f"{-left_s:.0f} s ago" if -_LONGEST_SESSION_S < left_s <= 0 else "in more than a day, or long ago"
        return warning(cause("clock", facts, when=when))
    return Finding(f"{left_s / 60:.0f} minutes" if left_s >= 120 else f"{left_s:.0f} seconds", facts=facts)


def while_connected(check: Callable[[Case], Awaitable[Finding]]) -> Callable[[Case], Awaitable[Finding]]:
    """The check, with the end of the connection as its failure."""

    async def guarded(case: Case) -> Finding:
        try:
            return await check(case)
        except ConnectionEnded as ended:
            return failed(causes.from_ending(ended.ending, expired=ended.expired))

    return guarded


def is_over(case: Case) -> bool:
    """Whether there is no connection, or none any more."""
    return case.probe is None or not case.probe.ending.open
