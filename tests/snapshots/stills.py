"""The app with a session that stands still: the same events, turns and status every time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tui.capture import EventLog
from tui.conversation import Cause, Link, Status, Transcript
from tui.conversation.status import StatusReducer
from tui.session import Batch
from tui.settings import Loaded, Settings
from tui.ui.app import AzrtApp
from tui.ui.messages import SessionBatch
from tui.wire import Direction

SECOND = 1_000_000_000


class Recording:
    """A session, told event by event with the time of each."""

    def __init__(self, status: Status) -> None:
        self.log = EventLog()
        self.transcript = Transcript()
        self.reducer = StatusReducer(status)
        self.t_ns = 0

    def at(self, seconds: float) -> Recording:
        """The next events come at this time since connect."""
        self.t_ns = int(seconds * SECOND)
        return self

    def get(self, event_type: str, **fields: Any) -> Recording:
        """An event from the server."""
        event = {"type": event_type, "event_id": "event_1", **fields}
        self.log.append(Direction.RECEIVED, json.dumps(event).encode(), self.t_ns)
        self.transcript.received(event, self.t_ns / SECOND)
        self.reducer.received(event, self.t_ns)
        return self

    def send(self, event_type: str, **fields: Any) -> Recording:
        """An event to the server."""
        event = {"type": event_type, **fields}
        self.log.append(Direction.SENT, json.dumps(event).encode(), self.t_ns)
        self.reducer.sent(event, self.t_ns)
        return self

    def local(self, event_type: str, text: str) -> Recording:
        """Something about the connection."""
        self.log.append(Direction.LOCAL, json.dumps({"type": event_type, "text": text}).encode(), self.t_ns)
        return self

    def say(self, text: str) -> Recording:
        """The person sends a message."""
        key = self.transcript.queue(text, self.t_ns / SECOND)
        self.transcript.mark_sent(key)
        item = {"id": f"item_user_{len(self.log)}", "type": "message", "role": "user"}
        content = [{"type": "input_text", "text": text}]
        self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})
        self.send("response.create")
        return self.get("conversation.item.added", previous_item_id=None, item={**item, "content": content})

    def batch(self) -> Batch:
        """Everything so far."""
        turns, order = self.transcript.take_changes()
        self.reducer.set(received=self.log.count(Direction.RECEIVED), sent=self.log.count(Direction.SENT))
        return Batch(len(self.log), self.log.rows, self.log.take_changed(), turns, order, self.reducer.status)


def _answer(recording: Recording, response: str, text: str, *, audio: bool) -> None:
    ids = {"response_id": response, "item_id": f"item_{response}", "output_index": 0, "content_index": 0}
    item = {"id": f"item_{response}", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    recording.get("response.created", response={"id": response, "object": "realtime.response", "status": "in_progress"})
    recording.get("response.output_item.added", response_id=response, output_index=0, item=item)
    kind = "output_audio_transcript" if audio else "output_text"
    for word in text.split(" "):
        recording.get(f"response.{kind}.delta", **ids, delta=word + " ")
        if audio:
            recording.get("response.output_audio.delta", **ids, delta=base64.b64encode(bytes(12_000)).decode())


def _done(recording: Recording, response: str, status: str) -> None:
    details = {"type": "cancelled", "reason": "client_cancelled"} if status == "cancelled" else None
    usage = {"total_tokens": 120, "input_tokens": 80, "output_tokens": 40}
    fields = {"id": response, "status": status, "status_details": details, "output": [], "usage": usage}
    recording.get("response.done", response=fields)


def conversation() -> Recording:
    """Two answers: one read to its end, one interrupted while it was spoken; a broken frame between them."""
    status = Status(link=Link.CONNECTED, host="acme.openai.azure.com", model="gpt-realtime-mini")
    recording = Recording(status)
    recording.local("websocket.connect", "wss://acme.openai.azure.com/openai/v1/realtime?model=gpt-realtime-mini")
    session = {
        "type": "realtime",
        "object": "realtime.session",
        "id": "sess_C9CX1bhAMN8L5fL",
        "model": "gpt-realtime-mini",
        "output_modalities": ["audio"],
        "audio": {"input": {"turn_detection": {"type": "semantic_vad"}}, "output": {"voice": "ash"}},
    }
    recording.at(0.4).get("session.created", session=session)
    recording.at(0.41).send("session.update", session=session).at(0.45).get("session.updated", session=session)
    recording.at(7).say("What is the weather in Paris?")
    recording.at(7.8)
    _answer(
        recording, "resp_1", "It is eighteen degrees in Paris, and it is raining, so take an umbrella.", audio=False
    )
    _done(recording, "resp_1", "completed")
    index = recording.at(9).log.append(Direction.RECEIVED, b'{"type": "response.do', recording.t_ns)
    recording.log.add_note(index, "not JSON: unterminated string at character 9; kept from the SDK")
    recording.log.mark_alarm(index)
    recording.at(12).say("And tomorrow?\nIn the morning, I mean: \x1b[31mred\x1b[0m [b]bold[/b] 天気 🌧")
    recording.at(12.6)
    _answer(
        recording, "resp_2", "Tomorrow morning stays dry until eleven, then showers come in from the west.", audio=True
    )
    recording.at(14).send("conversation.item.truncate", item_id="item_resp_2", content_index=0, audio_end_ms=1400)
    recording.send("response.cancel", response_id="resp_2")
    recording.transcript.interrupt("resp_2", {"item_resp_2": 1400})
    _done(recording, "resp_2", "cancelled")
    return recording


def failed() -> Recording:
    """A connection that failed."""
    cause = Cause(
        "http-401",
        "acme.openai.azure.com refused the key (HTTP 401).",
        "Check AZURE_OPENAI_API_KEY: copy KEY 1 of this resource from the Azure portal (Keys and Endpoint).",
        {"status": "401"},
    )
    recording = Recording(Status(link=Link.FAILED, host="acme.openai.azure.com", model="mini", cause=cause))
    recording.local("websocket.connect", "wss://acme.openai.azure.com/openai/v1/realtime?model=mini")
    recording.at(0.3).local("websocket.failed", cause.sentence)
    recording.log.mark_alarm(1)
    recording.transcript.say(cause.sentence, 0.3, cause.fix)
    return recording


def empty() -> Recording:
    """Nothing has come yet."""
    return Recording(Status(link=Link.CONNECTING, host="acme.openai.azure.com", model="gpt-realtime-mini"))


class StillApp(AzrtApp):
    """Shows a recording instead of a session."""

    def __init__(self, recording: Callable[[], Recording], theme: str = "") -> None:
        super().__init__(Loaded(Settings(theme=theme)))
        self._still = recording
        self.begun = False

    def _begin(self) -> None:
        recording = self._still()
        self._main.show_session(recording.log, lambda: (0.0, 0.0), 1)
        self._main.post_message(SessionBatch(recording.batch()))
        self.begun = True
