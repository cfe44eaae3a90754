"""The check of the transcription: by the models that a session tries, in the same order."""

from __future__ import annotations

import base64
from typing import Final

from tui import wire
from tui.conversation import Cause
from tui.doctor.case import Case
from tui.doctor.probe import of_types
from tui.doctor.report import Finding, failed, skipped, warning
from tui.failures.events import (
    has_transcriber,
    is_about_transcription,
    no_transcriber,
    of_error,
    of_transcription,
)
from tui.failures.table import cause

_SILENCE_S: Final = 0.3
"""A commit holds at least 100 ms."""

_PASSING: Final = ("no-transcription", "transcription-failed")
"""What may be different the next time, and is only warned of."""

_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"


async def check_transcription(case: Case) -> Finding:
    """Whether a transcription model answers: it gets a moment of silence."""
    if not case.the_plan.transcription_model:
        return skipped("off: what is spoken gets no transcript")
    if any(field.startswith("audio.input.transcription") for field in case.refused):
        return skipped("refused: what is spoken gets no transcript")
    # The server shall not detect turns in the silence, or answer it.
    change: dict[str, object] = {"turn_detection": None}
    while True:
        await case.the_probe.send("session.update", session={"type": "realtime", "audio": {"input": change}})
        bad, is_of_model = await _transcribe(case)
        if bad is None:
            before = case.transcribers_failed
            instead = f", {' and '.join(before)} {'does' if len(before) == 1 else 'do'} not" if before else ""
            return Finding(f"{case.transcriber} answers{instead}", facts={"model": case.transcriber})
        if not is_of_model or not case.the_plan.transcription_fallbacks:
            return warning(bad) if bad.name in _PASSING else failed(bad)
        if not case.try_next_transcriber():
            azure = case.the_plan.target.provider == "azure"
            return failed(no_transcriber(case.transcribers, bad.sentence, azure=azure))
        change = {"transcription": {"model": case.transcriber}}


async def _transcribe(case: Case) -> tuple[Cause | None, bool]:
    """Why a moment of silence was not transcribed, None when it was, and whether that may be for want of the model."""
    probe = case.the_probe
    silence = base64.b64encode(bytes(int(wire.PCM16_BYTES_PER_SECOND * _SILENCE_S))).decode()
    await probe.send("input_audio_buffer.append", audio=silence)
    await probe.send("input_audio_buffer.commit", event_id="doctor_commit")
    wanted = of_types(f"{_TRANSCRIPTION}.completed", f"{_TRANSCRIPTION}.failed", "error")
    try:
        event = await probe.next(wanted, case.limits.transcription_s)
    except TimeoutError:
        return cause("no-transcription", seconds=f"{case.limits.transcription_s:g} s"), False
    error = wire.error_of(event)
    if event.get("type") == "error":
        return of_error(error), is_about_transcription(error, case.transcriber)
    if event.get("type") == f"{_TRANSCRIPTION}.completed":
        return None, False
    # Silence may be no speech to the model: it is there then, and that is what was asked.
    bad = of_transcription(error)
    return bad, not has_transcriber(bad)
