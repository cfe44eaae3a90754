"""One function from frames to what they mean: transcript and status. Live session, replay, watch and export use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui import wire
from tui.conversation.status import Status, StatusReducer
from tui.conversation.transcript import Transcript


class Fold:
    """Takes the frames of a session in order, in both directions. Never raises, whatever they hold.

    In a session of ours the program reports beforehand what it sends (``ours``); elsewhere the wire alone tells it.
    """

    def __init__(self, status: Status | None = None, *, ours: bool = False) -> None:
        self.transcript = Transcript()
        self.reducer = StatusReducer(status or Status())
        self.transcript.advises = self._ours = ours

    @property
    def status(self) -> Status:
        """The status after the frames so far."""
        return self.reducer.status

    def received(self, event: Mapping[str, Any], t_ns: int) -> None:
        """Take an event from the server; ``t_ns`` is since the origin of the log."""
        self.transcript.received(event, t_ns / 1e9)
        self.reducer.received(event, t_ns)

    def sent(self, event: Mapping[str, Any], t_ns: int) -> None:
        """Take an event from the client."""
        self.reducer.sent(event, t_ns)
        if self._ours:
            return
        kind, item_id, ms = event.get("type"), event.get("item_id"), event.get("audio_end_ms")
        if kind == "conversation.item.create":
            self.transcript.sent(event, t_ns / 1e9)
        elif kind == "conversation.item.truncate" and isinstance(item_id, str) and isinstance(ms, int):
            self.transcript.interrupt("", {item_id: ms})
        elif kind == "response.cancel":
            response_id = wire.text(event.get("response_id")) or self.status.response_id
            if response_id or self.reducer.unnamed:
                self.interrupted(response_id, {})

    def interrupted(self, response_id: str, heard: Mapping[str, int]) -> None:
        """Take an interruption.

        Args:
            response_id: the response that was running, "" when it has no id, or only its audio was still playing.
            heard: item id -> milliseconds heard, for items whose audio was playing or waiting to.
        """
        self.transcript.interrupt(response_id, heard)
        self.reducer.interrupted(response_id)

    def new_connection(self) -> None:
        """Forget what belongs to the connection before."""
        self.transcript.muted = False
        self.reducer.new_connection()
