"""What the session does about an event that it receives, beyond recording it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from tui import wire
from tui.audio_format import PCM16_24K, InForce
from tui.conversation import failures
from tui.session.batch import Severity
from tui.session.causes import OPENINGS, opened
from tui.session.commands import Cancel, SendQueued, Truncate, TurnsByHand
from tui.session.shared import Shared

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
