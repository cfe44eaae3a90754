"""What the session does about an event that it receives, beyond recording it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from tui import wire
from tui.audio_format import PCM16_24K, InForce
from tui.conversation import Cause
from tui.conversation.items import has_audio, mapping, string
from tui.failures import events as failures
from tui.failures.table import SET_TRANSCRIPTION
from tui.session.batch import Severity
from tui.session.causes import OPENINGS, opened
from tui.session.commands import Cancel, SendQueued, Transcribe, Truncate, TurnsByHand
from tui.session.shared import Shared
from tui.session.transcribing import Step

_TRANSCRIPTION: Final = "conversation.item.input_audio_transcription"

_TURNS: Final = {
    "none": "Push-to-talk: the key of the microphone begins your turn, and ends it.",
    "server_vad": "Server VAD: the server answers when it hears you fall silent.",
    "semantic_vad": "Semantic VAD: the server answers when what you said is complete.",
}


class Reactions:
    """Called in the session thread with each parsed event, before the SDK sees it. Sends nothing itself.

    ``created`` is called with the ``session`` object of a session.created, or of a session.updated: some servers only
    ever send the second.
    """

    def __init__(self, shared: Shared, created: Callable[[object], None]) -> None:
        self._shared = shared
        self._created = created
        self._detection = ""
        """Who decides that the person has finished, as the session said last."""
        self._formats = InForce()
        """The formats of audio that were looked at last."""

    def on_event(self, event: Mapping[str, Any]) -> None:
        """React to one event."""
        shared = self._shared
        event_type = event.get("type")
        if isinstance(event_type, str) and event_type.startswith("response."):
            shared.response_event_at = time.monotonic()
        if event_type in OPENINGS:
            if event_type == "session.updated":
                shared.transcribing.updated(event.get("session"))
            self._created(opened(event))
            self._detects(shared.recorder.status.turn_detection)
            if event_type == "session.updated":
                self._insists()
        elif event_type == "response.created":
            if shared.to_cancel:
                shared.to_cancel -= 1
                response_id = shared.recorder.status.response_id
                shared.recorder.interrupted(response_id, {})
                shared.work.put_nowait(Cancel(response_id))
        elif event_type == "response.done":
            shared.speaking.keep_speaking()
            if shared.recorder.status.queued:
                shared.work.put_nowait(SendQueued())
        elif event_type == "input_audio_buffer.speech_started":
            shared.voice.speech(True)
            if shared.connection is not None and shared.answering:
                waiting = shared.speaking.barge_in(shared.connection)
                shared.work.put_nowait(Truncate(tuple(waiting)))
        elif event_type in ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"):
            shared.voice.speech(False)
            if event_type == "input_audio_buffer.committed":
                shared.transcribing.committed(string(event.get("item_id")))
        elif event_type == "conversation.item.added":
            self._without_words(mapping(event.get("item")))
        elif event_type == f"{_TRANSCRIPTION}.completed":
            if shared.transcribing.completed(string(event.get("item_id"))) and shared.transcribing.by_itself:
                shared.plan.transcribed(shared.transcribing.model)
        elif event_type == f"{_TRANSCRIPTION}.failed":
            self._not_transcribed(string(event.get("item_id")), failures.of_transcription(wire.error_of(event)))
        elif event_type == "error" and failures.of_error(wire.error_of(event)).name == "expired":
            shared.expired_at = time.monotonic()  # the session ends now, whoever closes it

    def _detects(self, kind: str) -> None:
        """The session says who decides that the person has finished."""
        shared = self._shared
        before, self._detection = self._detection, kind
        if kind == "none" and kind != before:
            shared.work.put_nowait(TurnsByHand())
        if kind and shared.asked_detection:
            shared.asked_detection = False
            shared.recorder.notify(_TURNS.get(kind, f"The server detects turns: {kind}."))

    def _without_words(self, item: Mapping[str, Any]) -> None:
        """Speech for which no transcription could be asked says so in its place: no event will."""
        transcribing = self._shared.transcribing
        if transcribing.ended and not transcribing.model and has_audio(item):
            note = "Not transcribed: no transcription model can be used here."
            self._shared.recorder.transcript.note_speech(string(item.get("id")), note)

    def _not_transcribed(self, item_id: str, cause: Cause) -> None:
        """The item stays where it is, and says why it has no words; another model may be tried."""
        transcribing, transcript = self._shared.transcribing, self._shared.recorder.transcript
        there = failures.has_transcriber(cause)
        step = transcribing.failed(item_id, there=there)
        self._tell_step(step, cause)
        if step is Step.NEXT:
            transcript.note_speech(item_id, f"{cause.sentence} The next model is tried: {transcribing.model}.")
        elif transcribing.by_itself and not transcribing.ended:
            transcript.note_speech(item_id, cause.sentence)
        elif not there and not transcribing.works:
            transcript.note_speech(item_id, f"{cause.sentence} {cause.fix or SET_TRANSCRIPTION}")

    def _tell_step(self, step: Step, cause: Cause) -> None:
        """Have another model tried, or say that there is none left."""
        shared, transcribing = self._shared, self._shared.transcribing
        if step is not Step.STAY:
            names = bool(transcribing.model)
            shared.plan = replace(shared.plan, transcription_model=transcribing.model, names_transcription=names)
            shared.work.put_nowait(Transcribe())
        if step is Step.NONE_LEFT:
            azure = shared.plan.target.provider == "azure"
            found = failures.no_transcriber(transcribing.tried, cause.sentence, azure=azure)
            recorder = shared.recorder
            recorder.transcript.say(found.sentence, recorder.now_s(), found.fix, cause=found.name)

    def judge(self, error: Mapping[str, Any], cause: Cause) -> Cause | None:
        """Return what to tell of an error event; None where another transcription model is tried instead."""
        if not failures.is_about_transcription(error, self._shared.transcribing.model):
            return cause
        step = self._shared.transcribing.refused()
        self._tell_step(step, cause)
        if step is not Step.STAY:
            return None
        return replace(cause, fix=f"Nothing that was sent with it holds. {SET_TRANSCRIPTION}")

    def _insists(self) -> None:
        """Tell once where the server has chosen formats of audio that azrt-tui did not ask for, and cannot use."""
        formats = self._shared.recorder.log.formats
        if formats == self._formats:
            return
        self._formats = formats
        notify = self._shared.recorder.notify
        if formats.sent != PCM16_24K:
            name = wire.text(str(formats.sent))
            notify(f"The server wants your voice as {name}, and azrt-tui sends PCM16 at 24 kHz.", Severity.WARNING)
        if not formats.received.known:
            name = wire.text(str(formats.received))
            notify(f"The agent's voice comes as {name}, which azrt-tui cannot play.", Severity.WARNING)
