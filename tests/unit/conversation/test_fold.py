"""Live session, replay, watch and export of the same frames agree on what was said, heard and failed."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.recordings import examples
from tui.audio import NoPlayback, SilentPlayback
from tui.capture import EventLog, Interrupted
from tui.conversation import Status, Turn
from tui.conversation.heard import Heard
from tui.export.sound import _Timeline
from tui.replay.position import Replayed, Silence
from tui.session.recorder import Recorder
from tui.wire import PCM16_BYTES_PER_SECOND

Event = dict[str, Any]
MS = 1_000_000


@dataclass
class Scene:
    """A session of ours and one that is watched, fed with the same frames."""

    now_ns: int = 1
    log: EventLog = field(default_factory=EventLog)
    watched: EventLog = field(default_factory=EventLog)

    def __post_init__(self) -> None:
        self.playback = SilentPlayback(lambda: self.now_ns / 1e9)
        self.live = Recorder(self.log, self.playback, lambda _: None, fps=1, ours=True, clock_ns=lambda: self.now_ns)
        self.watch = Recorder(self.watched, NoPlayback(), lambda _: None, fps=1, clock_ns=lambda: self.now_ns)
        self.responses = 0

    def receive(self, kind: str, **fields: Any) -> None:
        self._both(lambda each, data: each.received(data, binary=False), {"type": kind, "event_id": "e", **fields})

    def send(self, kind: str, **fields: Any) -> None:
        self._both(lambda each, data: each.sent(data), {"type": kind, **fields})

    def _both(self, hand: Callable[[Recorder, bytes], object], event: Event) -> None:
        data = json.dumps(event).encode()
        for each in (self.live, self.watch):
            hand(each, data)

    # What happens in a session

    def ask(self, text: str) -> None:
        self.live.transcript.mark_sent(self.live.transcript.queue(text, self.live.now_s()))
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        self.send("conversation.item.create", item=item)
        self.receive("conversation.item.added", item={**item, "id": f"user_{self.responses}"}, previous_item_id=None)
        self.send("response.create")

    def begin(self) -> None:
        self.responses += 1
        self.receive("response.created", response={"id": self.response, "status": "in_progress"})
        self.receive("response.output_item.added", response_id=self.response, item=self._item())

    def speak(self, ms: int) -> None:
        pcm = base64.b64encode(b"\1\0" * (PCM16_BYTES_PER_SECOND * ms // 2000)).decode()
        of = {"response_id": self.response, "item_id": self._item()["id"], "content_index": 0}
        self.receive("response.output_audio_transcript.delta", **of, delta="word ")
        self.receive("response.output_audio.delta", **of, delta=pcm)

    def wait(self, ms: int) -> None:
        self.now_ns += ms * MS

    def interrupt(self) -> None:
        running = self.live.status.response_id
        heard = self.playback.flush()
        if running or heard:
            self.live.interrupted(running, heard)
            for item_id, ms in heard.items():
                self.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
            if running:
                self.send("response.cancel", response_id=running)

    def end(self, status: str) -> None:
        details = {"type": status, "reason": "client_cancelled"} if status == "cancelled" else None
        usage = {"input_tokens": 3, "output_tokens": 5}
        self.receive(
            "response.done",
            response={"id": self.response, "status": status, "status_details": details, "usage": usage, "output": []},
        )

    def fail(self) -> None:
        self.receive("error", error={"type": "invalid_request_error", "code": "bad", "message": "No."})

    @property
    def response(self) -> str:
        return f"resp_{self.responses}"

    def _item(self) -> Event:
        return {"id": f"item_{self.responses}", "type": "message", "role": "assistant", "content": []}


STEP = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from(["hello", "and now?"])),
    st.tuples(st.just("begin")),
    st.tuples(st.just("speak"), st.integers(20, 900)),
    st.tuples(st.just("wait"), st.integers(1, 1500)),
    st.tuples(st.just("interrupt")),
    st.tuples(st.just("end"), st.sampled_from(["completed", "cancelled", "failed", "incomplete"])),
    st.tuples(st.just("fail")),
)


def shown(turns: tuple[Turn, ...]) -> list[tuple[object, ...]]:
    """Return what a user sees of the conversation."""
    return [(turn.speaker, turn.text, turn.heard, turn.state, turn.note, turn.cause) for turn in turns]


def state(status: Status) -> tuple[object, ...]:
    """Return what a user sees of the status."""
    failure = status.failure.sentence if status.failure is not None else ""
    return (status.agent, status.response_id, failure, status.answers, status.tokens_out, status.waits_for)


def replayed(log: EventLog) -> tuple[Replayed, list[bytes]]:
    """Replay a whole log; return it, and the audio that is played of it."""
    replay, played = Replayed(log, "", ""), []
    while replay.count < len(log):
        heard = replay.take()
        if heard is not None and not isinstance(heard, Silence):
            played.append(heard.data)
    replay.finish()
    return replay, played


def heard_ms(heard: Heard[Any]) -> dict[str, int]:
    """Return the milliseconds that were heard of each item."""
    found: dict[str, int] = {}
    for piece in heard.pieces:
        found[piece.item[0]] = found.get(piece.item[0], 0) + piece.length_ns
    return {item: round(ns / MS) for item, ns in found.items()}


def exported(log: EventLog) -> _Timeline:
    """Return where an export puts the audio of a log."""
    timeline, marks = _Timeline(log), iter([*log.marks, (len(log) + 1, None)])
    before, mark = next(marks)
    for index in range(len(log) + 1):
        while mark is not None and before <= index:
            timeline.take(mark)
            before, mark = next(marks)
        if index < len(log):
            timeline.take(log.entry(index))
    return timeline


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_live_replay_watch_and_export_agree(steps: list[tuple[Any, ...]]) -> None:
    async def play() -> Scene:
        scene = Scene()
        scene.receive("session.created", session={"type": "realtime", "id": "s", "model": "m"})
        for name, *arguments in steps:
            if name in ("speak", "end") and not scene.responses:
                continue
            if name == "begin" and scene.live.status.response_id:
                continue
            getattr(scene, name)(*arguments)
        return scene

    scene = asyncio.run(play())
    replay, _ = replayed(scene.log)
    assert shown(replay.turns()) == shown(scene.live.transcript.turns())
    assert state(replay.batch(0).status)[1:] == state(scene.live.status)[1:]
    assert shown(scene.watch.transcript.turns()) == shown(scene.live.transcript.turns())
    assert state(scene.watch.status) == state(scene.live.status)
    again, _ = replayed(scene.watched)
    assert shown(again.turns()) == shown(scene.watch.transcript.turns())
    pieces = [(piece.start_ns, piece.length_ns, piece.item) for piece in replay.heard.pieces]
    heard = [(piece.start_ns, piece.length_ns, piece.item) for piece in exported(scene.log).heard]
    assert heard[len(heard) - len(pieces) :] == pieces, "a replay forgets what is long over"


def test_what_comes_behind_an_interruption_is_played_nowhere() -> None:
    async def play() -> Scene:
        scene = Scene()
        scene.begin()
        scene.speak(400)
        scene.wait(100)
        scene.interrupt()
        scene.speak(300)
        scene.end("cancelled")
        return scene

    scene = asyncio.run(play())
    assert scene.playback.remaining_s() == 0, "live"
    replay, played = replayed(scene.log)
    assert len(played) == 1, "replay"
    assert heard_ms(replay.heard) == {"item_1": 100}
    (piece,) = exported(scene.log).heard
    assert piece.length_ns == 100 * MS, "export"
    assert [mark.heard for _, mark in scene.log.marks if isinstance(mark, Interrupted)] == [{"item_1": 100}]
    again, _ = replayed(scene.watched)
    assert heard_ms(again.heard) == {"item_1": 100}, "watch"


def test_every_type_of_event_is_taken_alike() -> None:
    async def play(dialect: str) -> Scene:
        scene = Scene()
        for event in examples(dialect):
            fields = {name: value for name, value in event.items() if name not in ("type", "event_id")}
            scene.receive(event["type"], **fields)
        return scene

    for dialect in ("ga", "beta"):
        scene = asyncio.run(play(dialect))
        replay, _ = replayed(scene.log)
        watched = shown(scene.watch.transcript.turns())
        assert shown(scene.live.transcript.turns()) == shown(replay.turns()) == watched
        assert state(scene.live.status)[1:] == state(replay.batch(0).status)[1:] == state(scene.watch.status)[1:]
        assert any("There is no voice of this name." in text for _, text, *_ in watched)
