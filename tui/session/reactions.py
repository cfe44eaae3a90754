"""What the session does about an event that it receives, beyond recording it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tui import wire
from tui.session.commands import Cancel, SendQueued, Truncate
from tui.session.shared import Shared


class Reactions:
    """Called in the session thread with each parsed event, before the SDK sees it. Sends nothing itself.

    ``created`` is called with the ``session`` object of a session.created, or of a session.updated: some servers only
    ever send the second.
    """

    def __init__(self, shared: Shared, created: Callable[[object], None]) -> None:
        self._shared = shared
        self._created = created

    def on_event(self, event: Mapping[str, Any]) -> None:
        """React to one event."""
        shared = self._shared
        event_type = event.get("type")
        if event_type in ("session.created", "session.updated"):
            self._created(event.get("session"))
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
        elif event_type == "error":
            error = event.get("error")
            self._report(error if isinstance(error, Mapping) else {})

    def _report(self, error: Mapping[str, Any]) -> None:
        recorder = self._shared.recorder
        code, message = wire.text(error.get("code") or error.get("type")), wire.text(error.get("message"))
        if code == "response_cancel_not_active":
            return  # the answer ended while the interruption was on its way
        said = " · ".join(part for part in (code, message) if part) or "no reason given"
        recorder.transcript.say(f"The server reports an error: {said}", recorder.now_s())
