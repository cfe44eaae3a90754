"""What transcribes the user where no model is set: the usual models, until one works. Real sockets, the real SDK."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import CREATED, SESSION, Peer, websocket_server
from tests.support.sessions import Running, session
from tests.support.virtual_device import VirtualInput
from tests.unit.simulator.support import simulator, speech
from tui import models
from tui.audio.microphone import Microphone
from tui.conversation import MicrophoneState, Speaker, Turn
from tui.session import Reconnect, SendText, SessionPlan, ToggleMicrophone
from tui.session.transcribing import Change, Step, Transcribing
from tui.settings import Secret, Settings, load_settings
from tui.settings.state import remember, remember_transcription, remembered, transcribed
from tui.simulator import Simulator

FIRST, LAST = models.TRANSCRIPTIONS
USUAL = {"transcription_model": FIRST, "transcription_fallbacks": (LAST,), "turn_detection": "none"}
SETTING = "AZRT_TRANSCRIPTION_MODEL (or --transcription-model)"


class Talk:
    """A session in which the user speaks, turn by turn."""

    def __init__(self, running: Running, device: VirtualInput, sim: Simulator) -> None:
        self.running = running
        self._device = device
        self._sim = sim

    async def speak(self) -> Turn:
        """Say something, and wait until it has words or a reason why not."""
        running, before = self.running, len(self.spoken)
        running.worker.submit(ToggleMicrophone())
        await running.until(lambda: running.status.microphone is MicrophoneState.ON)
        self._device.say(speech(400))
        running.worker.submit(ToggleMicrophone())
        await running.until(
            lambda: len(self.spoken) > before and (self.spoken[before].text or self.spoken[before].note), "a turn"
        )
        await running.idle()
        return self.spoken[before]

    @property
    def spoken(self) -> list[Turn]:
        """What the user said."""
        return [turn for turn in self.running.transcript if turn.speaker is Speaker.USER]

    @property
    def updates(self) -> list[dict[str, Any]]:
        """The session of each session.update, as the server got it."""
        events = [json.loads(frame) for log in self._sim.sessions for frame in log.received]
        return [event["session"] for event in events if event["type"] == "session.update"]

    def reports(self) -> list[Turn]:
        """What the program itself said of it."""
        return [turn for turn in self.running.transcript if turn.speaker is Speaker.PROGRAM and turn.cause]


@asynccontextmanager
async def talk(*faults: str, **changes: Any) -> AsyncIterator[Talk]:
    """A session with a server that has these faults."""
    device = VirtualInput()
    async with (
        simulator(faults=faults) as sim,
        session(
            sim.url(), **{**USUAL, "microphone": Microphone(open_input=device.connect), "attended": True, **changes}
        ) as running,
    ):
        await running.connected()
        yield Talk(running, device, sim)


def transcription(update: dict[str, Any]) -> dict[str, Any]:
    """The update that changes the transcription to this, and nothing else."""
    return {"type": "realtime", "audio": {"input": {"transcription": update}}}


async def test_the_first_that_works_is_kept_and_remembered() -> None:
    worked: list[str] = []
    async with talk(transcribed=worked.append) as found:
        assert "s of speech" in (await found.speak()).text
        assert "s of speech" in (await found.speak()).text
        assert [update["audio"]["input"]["transcription"] for update in found.updates] == [{"model": FIRST}]
        assert (worked, found.reports()) == ([FIRST], [])


@pytest.mark.parametrize("fault", ["whisper-only", "transcription-missing@1"])
async def test_the_next_is_tried_when_the_first_is_not_deployed(fault: str) -> None:
    worked: list[str] = []
    async with talk(fault, transcribed=worked.append) as found:
        first = await found.speak()
        assert first.text == "" and first.note.startswith("Not transcribed: ")
        assert first.note.endswith(f"The next model is tried: {LAST}.")
        await found.running.until(lambda: len(found.updates) == 2, "the change")
        assert found.updates[1] == transcription({"model": LAST}), "nothing but the transcription"
        second = await found.speak()
        assert "s of speech" in second.text and not second.note
        assert [turn.key for turn in found.spoken] == [first.key, second.key], "each in its place"
        assert (worked, found.reports()) == ([LAST], [])


async def test_a_new_session_begins_with_what_worked() -> None:
    async with talk("whisper-only") as found:
        await found.speak()
        await found.speak()
        found.running.worker.submit(Reconnect())
        await found.running.until(lambda: len(found.updates) == 3, "the settings of the next session")
        assert found.updates[2]["audio"]["input"]["transcription"] == {"model": LAST}


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        pytest.param("openai/v1/realtime", f"Deploy {FIRST} on this resource. Set {SETTING}", id="azure"),
        pytest.param("v1/realtime", f"Set {SETTING} to a model that this server has", id="compatible"),
    ],
)
async def test_when_none_works_it_is_told_once_what_to_do(path: str, fix: str) -> None:
    device = VirtualInput()
    microphone = Microphone(open_input=device.connect)
    async with simulator(faults=["no-transcriber"]) as sim:
        url = f"ws://127.0.0.1:{sim.port}/{path}?model=m"
        async with session(url, **USUAL, microphone=microphone) as running:
            await running.connected()
            found = Talk(running, device, sim)
            turns = [await found.speak() for _ in range(3)]
            assert all(turn.text == "" and turn.note.startswith("Not transcribed: ") for turn in turns)
            (report,) = found.reports()
            assert report.cause == "no-transcriber"
            assert f"{FIRST} and {LAST} cannot be used here" in report.text
            assert "does not exist" in report.text, "the server's own words"
            assert report.note.startswith(fix)
            assert len(found.updates) == 2, "nothing else is tried"


async def test_settings_that_were_refused_for_the_transcription_are_sent_again_with_the_next() -> None:
    async with talk("transcriber-refused") as found:
        assert "s of speech" in (await found.speak()).text
        first, second = found.updates
        assert second["audio"]["input"].pop("transcription") == {"model": LAST}
        assert first["audio"]["input"].pop("transcription") == {"model": FIRST}
        assert first == second, "they were refused as a whole"
        assert found.running.status.turn_detection == "none", "the settings hold"
        assert found.reports() == []


async def test_settings_go_out_without_a_transcription_where_it_is_refused_altogether() -> None:
    async with talk("update-refused") as found:
        await found.running.until(lambda: found.running.status.turn_detection == "none", "the rest of them holds")
        assert [update["audio"]["input"].get("transcription") for update in found.updates] == [
            {"model": FIRST},
            {"model": LAST},
            None,
        ]
        assert "transcription" not in found.updates[-1]["audio"]["input"], "not even as null"
        (report,) = found.reports()
        assert (report.cause, "Unknown parameter" in report.text) == ("no-transcriber", True)
        turn = await found.speak()
        assert (turn.text, turn.note) == ("", "Not transcribed: no transcription model can be used here.")


@pytest.mark.parametrize("fault", ["whisper-only", "transcription-missing"])
async def test_a_model_that_was_set_is_never_changed(fault: str) -> None:
    async with talk(fault, transcription_model="my-transcriber", transcription_fallbacks=()) as found:
        for _ in range(2):
            turn = await found.speak()
            assert turn.note.startswith("Not transcribed: ") and SETTING in turn.note
        assert len(found.updates) == 1


async def test_a_refused_model_that_was_set_is_told_with_the_fix() -> None:
    async with talk("transcriber-refused", transcription_model="mine", transcription_fallbacks=()) as found:
        await found.running.until(found.reports)
        (report,) = found.reports()
        assert "'mine'" in report.text and SETTING in report.note
        assert len(found.updates) == 1


async def test_words_that_cannot_be_made_out_are_no_reason_for_another_model() -> None:
    async with talk("transcription-failed@1") as found:
        assert (await found.speak()).note == "Not transcribed: The audio could not be transcribed."
        assert "s of speech" in (await found.speak()).text
        assert len(found.updates) == 1


ERRORS: Sequence[object] = (
    {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."},
    {"type": "server_error", "code": None, "message": "Input transcription failed for item 'u'."},
    {"type": "invalid_request_error", "code": "model_not_found", "message": "no"},
    {"error": {"code": 404, "message": ["x"]}},
    {"code": "whatever"},
    "a string",
    None,
    7,
)


@pytest.mark.parametrize("error", ERRORS, ids=[str(number) for number in range(len(ERRORS))])
async def test_any_shape_of_error_moves_on(error: object) -> None:
    changes: list[dict[str, Any]] = []

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.send({"type": "session.updated", "session": SESSION})
        item = {"id": "u", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]}
        await peer.send({"type": "input_audio_buffer.committed", "item_id": "u", "previous_item_id": None})
        await peer.send({"type": "conversation.item.added", "item": item, "previous_item_id": None})
        kind = "conversation.item.input_audio_transcription.failed"
        await peer.send({"type": kind, "item_id": "u", "content_index": 0, "error": error})
        changes.append(await peer.until("session.update"))
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, **USUAL) as running:
        await running.connected()
        await running.until(lambda: changes, "the next model is asked for")
        (turn,) = [turn for turn in running.transcript if turn.item_id == "u"]
        assert turn.note.startswith("Not transcribed: ")
    assert changes[0]["session"] == transcription({"model": LAST})


async def test_what_was_said_before_the_change_says_nothing_about_the_next_model() -> None:
    """Two turns were on their way with the first model; both fail, and one change is made."""
    worked: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.send(CREATED)
        await peer.until("session.update")
        await peer.send({"type": "session.updated", "session": SESSION})
        kind = "conversation.item.input_audio_transcription"
        for item in ("a", "b"):
            await peer.send({"type": "input_audio_buffer.committed", "item_id": item})
        await peer.send({"type": f"{kind}.failed", "item_id": "a", "error": {"code": "DeploymentNotFound"}})
        await peer.until("session.update")
        await peer.send({"type": "input_audio_buffer.committed", "item_id": "c"})
        confirmed = {**SESSION, "audio": {"input": {"transcription": {"model": LAST}}}}
        await peer.send({"type": "session.updated", "session": confirmed})
        await peer.send({"type": f"{kind}.failed", "item_id": "b", "error": {"code": "DeploymentNotFound"}})
        await peer.send({"type": f"{kind}.failed", "item_id": "c", "error": {"code": "DeploymentNotFound"}})
        await peer.send({"type": "input_audio_buffer.committed", "item_id": "d"})
        await peer.send({"type": f"{kind}.completed", "item_id": "d", "content_index": 0, "transcript": "Hello"})
        await peer.drain()

    async with websocket_server(script) as server, session(server.url, **USUAL, transcribed=worked.append) as running:
        await running.until(lambda: worked, "the second works")
        assert worked == [LAST]
        await running.until(lambda: len(running.said) == 4, "each keeps its place")
        assert not [turn for turn in running.transcript if turn.cause == "no-transcriber"]


async def test_a_message_in_writing_is_answered_while_the_settings_are_sent_again() -> None:
    async with talk("transcriber-refused") as found:
        found.running.worker.submit(SendText("hello"))
        await found.running.until(lambda: len(found.running.said) == 2)
        await found.running.idle()
        assert len(found.updates) == 2


# The parts


def chooser(**changes: Any) -> Transcribing:
    """The parts' own state, without a session."""
    settings = Settings(url="ws://127.0.0.1:1/v1/realtime?model=m", **changes)
    return Transcribing(SessionPlan.from_settings(settings))


def test_one_that_has_worked_is_kept_whatever_fails_later() -> None:
    found = chooser()
    assert found.completed("a") and not found.completed("b")
    assert found.failed("c", there=False) is Step.STAY
    assert (found.model, found.take_due()) == (FIRST, None)


def test_a_model_that_has_too_much_to_do_is_there() -> None:
    found = chooser()
    assert found.failed("a", there=True) is Step.STAY
    assert found.failed("b", there=False) is Step.NEXT


def test_after_the_settings_hold_a_refusal_costs_the_transcription_only() -> None:
    found = chooser()
    found.updated({})
    assert (found.refused(), found.take_due(), found.take_due()) == (Step.NEXT, Change.TRANSCRIPTION, None)
    assert (found.refused(), found.refused(), found.take_due()) == (Step.NONE_LEFT, Step.STAY, None)


def test_what_worked_at_a_host_is_tried_first_there(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    environ = {"AZRT_URL": "ws://127.0.0.1:9/v1/realtime?model=m"}

    def plan(**more: str) -> SessionPlan:
        config = tmp_path / "config.toml"
        loaded = load_settings({}, environ=environ | more, cwd=tmp_path, config_file=config, state_file=state)
        return SessionPlan.from_settings(loaded.settings)

    assert plan().transcription_model == FIRST
    assert remember("theme", "dusk", state)
    assert remember_transcription("127.0.0.1:9", LAST, state)
    assert (plan().transcription_model, plan().transcription_fallbacks) == (LAST, (FIRST,))
    assert plan(AZRT_URL="ws://127.0.0.1:8/?model=m").transcription_model == FIRST, "another host"
    set_by_user = plan(AZRT_TRANSCRIPTION_MODEL="mine")
    assert (set_by_user.transcription_model, set_by_user.transcription_fallbacks) == ("mine", ())
    assert remember_transcription("127.0.0.1:9", "a-model-of-old", state)
    assert plan().transcription_model == FIRST, "what is not tried any more is not tried first either"
    assert remembered(state) == {"theme": "dusk"}


def test_the_hosts_that_are_remembered_are_few(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    for number in range(60):
        assert remember_transcription(f"host-{number}", LAST, state)
    before = state.stat().st_mtime_ns, state.stat().st_ino
    assert remember_transcription("host-59", LAST, state)
    assert (state.stat().st_mtime_ns, state.stat().st_ino) == before, "known already: nothing is written"
    assert len(transcribed(state)) == 50 and "host-59" in transcribed(state) and "host-9" not in transcribed(state)
    state.write_text('{"transcription": [1]}')
    assert transcribed(state) == {}


def test_the_plan_remembers_by_host_and_the_simulator_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    settings = Settings(endpoint="https://me.openai.azure.com", deployment="chat", azure_api_key=Secret("k"))
    SessionPlan.from_settings(settings, simulator_url="ws://127.0.0.1:1/?model=m").transcribed(LAST)
    assert transcribed() == {}
    SessionPlan.from_settings(settings).transcribed(LAST)
    assert transcribed() == {"me.openai.azure.com": LAST}
