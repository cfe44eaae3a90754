"""One turn without a screen: the answer on stdout, everything else on stderr."""

from __future__ import annotations

import queue
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

from tui import paths, wire
from tui.conversation import Cause, Link, Speaker
from tui.failures.events import ended, of_cancellation, of_error, of_response, reset_after
from tui.failures.table import cause
from tui.logs import log_to_file
from tui.printing import Output, json_line, narrate
from tui.session import MAX_TEXT_BYTES, Batch, SendText, SessionPlan, SessionWorker, capture_failed, event_log
from tui.settings import Loaded, Settings
from tui.wire import Direction


@dataclass(frozen=True, slots=True)
class Patience:
    """How long without anything of an answer until the turn has failed, in seconds."""

    silence_s: float = 60.0
    after_error_s: float = 5.0
    """After an error, while no response is running. Servers refuse a field of the settings, and still answer."""


INTERRUPTED: Final = 130
TOO_LARGE: Final = 2
_QUIT_TIMEOUT_S: Final = 2.0
_BATCHES_PER_SECOND: Final = 30

_BESIDE_THE_TURN: Final = (wire.Family.LIMITS, wire.Family.UNKNOWN)
"""What some servers send for ever, as a sign of life, says nothing of the answer."""

_CALLS: Final = {
    "function_call": "{} is called, and nothing here answers calls",
    "mcp_call": "{} is called by the service, which has said nothing of what came of it",
    "mcp_approval_request": "{} waits for an approval, which cannot be given here",
}
"""What an item asks for without whose end there is no answer, by its type."""

_NO_NEWS: Final = ("response_cancel_not_active",)
"""Codes of errors that follow from what was told already."""

_USELESS: Final = ("other-session", "beta-session", "beta-api")
"""Causes from which the errors beside them follow."""


def say(
    loaded: Loaded, text: str, *, json_output: bool = False, demo: bool = False, patience: Patience | None = None
) -> int:
    """Send one message and print the answer as it comes.

    Args:
        loaded: the settings.
        text: the message.
        json_output: print every event, both ways, as a line of JSON instead of the answer.
        demo: ask the embedded simulator.
        patience: how long to wait, when not as usual.

    Returns:
        0 after an answer, 1 after a failure or an answer that only calls tools, 2 for a text that is too large to be
        sent, 130 after ctrl+c, 141 when the reader of stdout has gone.

    Raises EndpointError or SettingsError for settings that cannot be used.
    """
    size = len(text.encode(errors="replace"))
    if size > MAX_TEXT_BYTES:
        narrate(f"not sent: the text has {size:,} bytes, and the API takes {MAX_TEXT_BYTES:,} at most")
        return TOO_LARGE
    trouble = log_to_file(paths.log_file())
    if trouble:
        narrate(trouble)
    patience = patience or Patience()
    if not demo:
        return _Turn(loaded.settings, SessionPlan.from_settings(loaded.settings), json_output, patience).run(text)
    from tui.simulator import SimulatorThread

    with SimulatorThread() as simulator:
        plan = SessionPlan.from_settings(loaded.settings, simulator_url=simulator.url())
        return _Turn(loaded.settings, plan, json_output, patience).run(text)


_LATE_S: Final = 0.5
"""Some servers send the last words of an answer behind its response.done."""

_TEXTS: Final = ("output_text", "output_audio_transcript", "text", "audio_transcript")
_TEXT_DELTAS: Final = frozenset(f"response.{text}.delta" for text in _TEXTS)
_TEXT_ENDS: Final = frozenset((*(f"response.{text}.done" for text in _TEXTS), "response.content_part.done"))


class _Turn:
    """A turn on its way."""

    def __init__(self, settings: Settings, plan: SessionPlan, json_output: bool, patience: Patience) -> None:
        self._batches: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self._log = event_log(settings, plan)
        self._worker = SessionWorker(plan, self._batches.put, fps=_BATCHES_PER_SECOND, log=self._log)
        self._json = json_output
        self._patience = patience
        self._error = False
        """True when the latest thing that the server said was an error."""
        self._host = plan.target.host
        self._moved_at = 0.0
        """When the turn went on, by ``time.monotonic()``."""
        self._asked = False
        """Whether the answer has been asked for: some servers speak first."""
        self._read = 0
        self._printed: dict[str, int] = {}
        self._open_parts: set[tuple[str, str]] = set()
        """Parts of the answer whose text may still go on."""
        self._said = False
        """Whether the agent has said anything."""
        self._calls: dict[str, dict[str, Any]] = {}
        """What the answer calls, or asks approval for, by the item's id."""
        self._arguments: dict[str, str] = {}
        self._held: list[Cause] = []
        """Errors that came before there was a session: where there is none, they may follow from why."""
        self._reset_s: float | None = None
        """Seconds until a limit of the service that is used up is reset, as it said last."""
        self._ends_line = True
        self._link = Link.IDLE
        self._told = False
        self._out = Output(sys.stdout)

    def run(self, text: str) -> int:
        """Start the session, send, and wait for the end of the answer."""
        self._worker.submit(SendText(text))
        self._worker.start()
        try:
            return self._wait()
        except KeyboardInterrupt:
            narrate("interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            return self._out.broken()
        finally:
            self._worker.stop(_QUIT_TIMEOUT_S)
            self._log.close()
            self._tell_of_capture()

    def _wait(self) -> int:
        patience_s = self._patience.silence_s
        self._moved_at = time.monotonic()
        while True:
            left_s = self._moved_at + patience_s - time.monotonic()
            try:
                if left_s <= 0:  # batches may come all the same
                    raise queue.Empty
                batch = self._batches.get(timeout=left_s)
            except queue.Empty:
                if patience_s < self._patience.silence_s:
                    return self._fail("no answer came after that error")
                return self._fail(f"nothing of an answer came for {patience_s:g} s")
            self._narrate_link(batch)
            self._tell_of_capture()
            if not self._json:
                self._print_answer(batch)
            self._said = self._said or any(turn.speaker is Speaker.AGENT and turn.text for turn in batch.turns)
            why = batch.status.cause if batch.status.link in {Link.FAILED, Link.CLOSED} else None
            code = self._read_events(batch.events)
            if code is not None:
                self._take_late_words()
                self._end_line()
                return code
            if batch.status.link in {Link.FAILED, Link.CLOSED}:
                if why is not None and why.name in _USELESS:
                    self._held.clear()
                return self._fail(_words(why) if why is not None else "the connection ended")
            waits = self._error and not batch.status.response_id
            patience_s = self._patience.after_error_s if waits else self._patience.silence_s

    def _take_late_words(self) -> None:
        """Print the rest of a sentence that comes behind the end of its response, where it is not complete yet."""
        until = time.monotonic() + _LATE_S
        while self._open_parts and (left_s := until - time.monotonic()) > 0:
            try:
                batch = self._batches.get(timeout=left_s)
            except queue.Empty:
                return
            if not self._json:
                self._print_answer(batch)
            self._read_events(batch.events)

    def _read_events(self, until: int) -> int | None:
        """Print and judge the new events; return the exit code when one of them ends the turn."""
        code = None
        for index in range(self._read, until):
            entry = self._log.entry(index)
            event = None if entry.binary else wire.parse(entry.data)
            if self._json:
                self._out.write(json_line(entry, event) + "\n")
            if wire.event_type(entry.type).family not in _BESIDE_THE_TURN:
                self._moved_at = time.monotonic()
            if entry.direction is Direction.SENT and entry.type == "response.create":
                self._asked = True
            if event is not None and entry.direction is Direction.RECEIVED and code is None:
                code = self._judge(event)
        self._read = until
        self._out.flush()
        return code

    def _judge(self, event: dict[str, Any]) -> int | None:
        event_type = event.get("type")
        part = (wire.text(event.get("item_id")), wire.text(event.get("content_index")))
        if event_type in _TEXT_DELTAS:
            self._open_parts.add(part)
        elif event_type in _TEXT_ENDS:
            self._open_parts.discard(part)
        self._error = event_type == "error"
        if event_type == "response.done" and self._asked:
            response = event.get("response")
            return self._done(response if isinstance(response, dict) else {})
        if event_type in ("response.output_item.added", "response.output_item.done"):
            self._note_call(event.get("item"))
        elif event_type in ("response.function_call_arguments.done", "response.mcp_call_arguments.done"):
            self._arguments[wire.text(event.get("item_id"))] = wire.text(event.get("arguments"))
        elif event_type == "response.created":
            self._calls.clear()
        elif event_type == "rate_limits.updated":
            self._reset_s = reset_after(event.get("rate_limits"))
        elif self._error:
            self._tell_error(of_error(wire.error_of(event)))
        return None

    def _done(self, response: dict[str, Any]) -> int:
        """Tell how the answer ended; return the exit code."""
        bad = of_response(response, self._reset_s)
        if response.get("status") == "cancelled":
            bad = cause("response-cancelled", said=of_cancellation(response))
        if bad is not None:
            return self._fail(_words(bad))
        output = response.get("output")
        for item in output if isinstance(output, list) else ():
            self._note_call(item)
        if self._calls:
            calls = "; ".join(self._shown_call(name, item) for name, item in self._calls.items())
            self._end_line()
            narrate(calls if self._said else f"the answer holds no text: {calls}")
            return 0 if self._said else 1
        if not self._said:
            narrate("the answer holds no text")
        return 0

    def _note_call(self, item: object) -> None:
        """Keep an item that calls a tool, until its output has come."""
        if not isinstance(item, dict) or item.get("type") not in _CALLS:
            return
        name = wire.text(item.get("id") or item.get("call_id"))
        if item.get("output") or item.get("error"):
            self._calls.pop(name, None)
        else:
            self._calls[name] = item

    def _shown_call(self, name: str, item: dict[str, Any]) -> str:
        arguments = wire.text(item.get("arguments")) or self._arguments.get(name, "")
        return _CALLS[item["type"]].format(f"{wire.text(item.get('name')) or 'a tool'}({arguments})")

    def _tell_error(self, error: Cause) -> None:
        """Tell an error, unless the end of the session tells it; hold it while there is no session yet."""
        if error.name == "expired" or error.facts.get("code") in _NO_NEWS:
            self._error = False
        elif self._link is Link.CONNECTED:
            self._end_line()
            narrate(_words(error))
        else:
            self._held.append(error)

    def _tell_held(self) -> None:
        held, self._held = self._held, []
        for error in held:
            narrate(_words(error))

    def _print_answer(self, batch: Batch) -> None:
        for turn in batch.turns:
            if turn.speaker is not Speaker.AGENT:
                continue
            if turn.key not in self._printed:
                self._end_line()
            new = turn.text[self._printed.get(turn.key, 0) :]
            self._printed[turn.key] = len(turn.text)
            if new:
                self._out.write(new)
                self._ends_line = new.endswith("\n")
        self._out.flush()

    def _narrate_link(self, batch: Batch) -> None:
        status = batch.status
        if status.link is not self._link:
            self._link = status.link
            where = "the simulator (scripted answers, no model)" if status.simulator else self._host
            if status.link is Link.CONNECTING:
                narrate(f"connecting to {where}")
            elif status.link is Link.CONNECTED:
                narrate(f"connected to {where}, model {status.model or 'not named'}")
                self._tell_held()

    def _tell_of_capture(self) -> None:
        """Say once that the capture failed, if it did."""
        capture = self._log.capture
        if capture is not None and capture.trouble and not self._told:
            self._told = True
            self._end_line()
            narrate(f"{capture_failed(capture.trouble)}.")

    def _fail(self, why: str) -> int:
        self._end_line()
        self._tell_held()
        narrate(why)
        return 1

    def _end_line(self) -> None:
        if not self._ends_line:
            self._out.write("\n")
            self._out.flush()
            self._ends_line = True


def _words(why: Cause) -> str:
    """Return what happened and what to do about it, in one line."""
    return f"{ended(why.sentence)} {why.fix}".strip()
