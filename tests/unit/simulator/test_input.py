"""The microphone's side: voice activity, committing by hand, barge-in, transcripts, the idle timeout."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.simulator.support import Client, client, session, silence, simulator, speech
from tui.simulator import script
from tui.simulator.audio import FORMATS
from tui.simulator.vad import VoiceActivity

SERVER_VAD: dict[str, Any] = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
}


def boundaries(pcm: bytes, **settings: Any) -> list[tuple[str, int]]:
    activity = VoiceActivity({**SERVER_VAD, **settings}, FORMATS["audio/pcm"])
    # Pieces of 70 ms: no multiple of the detector's frames.
    pieces = [pcm[at : at + 70 * 48] for at in range(0, len(pcm), 70 * 48)]
    return [(boundary.kind, boundary.at_ms) for piece in pieces for boundary in activity.feed(piece)]


def test_speech_starts_with_its_padding_and_stops_after_its_silence() -> None:
    (started, start), (stopped, stop) = boundaries(silence(1000) + speech(800) + silence(1000))
    assert (started, stopped) == ("started", "stopped")
    assert start == pytest.approx(1000 - 300, abs=60)
    assert stop == pytest.approx(1800 + 500, abs=80)


def test_a_pause_shorter_than_the_silence_does_not_end_the_turn() -> None:
    pcm = silence(500) + speech(500) + silence(400) + speech(500) + silence(1200)
    assert [kind for kind, _ in boundaries(pcm)] == ["started", "stopped"]
    assert [kind for kind, _ in boundaries(pcm, silence_duration_ms=200)] == ["started", "stopped"] * 2


def test_a_click_and_a_quiet_room_are_no_speech() -> None:
    assert boundaries(silence(500) + speech(20, db=-10) + silence(1000)) == []
    assert boundaries(speech(2000, db=-55)) == []


@pytest.mark.parametrize(("threshold", "heard"), [(0.2, True), (0.5, True), (0.9, False)])
def test_a_higher_threshold_wants_louder_speech(threshold: float, heard: bool) -> None:
    pcm = silence(300) + speech(600, db=-33) + silence(900)
    assert bool(boundaries(pcm, threshold=threshold)) is heard


def test_padding_never_reaches_into_the_turn_before() -> None:
    pcm = speech(400) + silence(600) + speech(400) + silence(600)
    (_, _), (_, first_stop), (_, second_start), _ = boundaries(pcm, prefix_padding_ms=5000)
    assert second_start == first_stop


@pytest.mark.parametrize(("eagerness", "pause"), [("high", 300), ("auto", 600), ("low", 1200)])
async def test_semantic_vad_waits_as_long_as_it_is_eager(eagerness: str, pause: int) -> None:
    async with session() as client:
        await client.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}})
        await client.append(speech(500) + silence(1500))
        stopped = await client.until("input_audio_buffer.speech_stopped")
        assert stopped["audio_end_ms"] == pytest.approx(500 + pause, abs=80)


async def test_a_spoken_turn_is_committed_transcribed_and_answered() -> None:
    async with session() as client:
        await client.update(audio={"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}})
        client.events.clear()
        await client.append(silence(500) + speech(1500, db=-23) + silence(800))
        completed = await client.until("conversation.item.input_audio_transcription.completed")
        started, stopped = (client.of(f"input_audio_buffer.speech_{kind}")[0] for kind in ("started", "stopped"))
        (committed,) = client.of("input_audio_buffer.committed")
        item_id = started["item_id"]
        assert item_id == stopped["item_id"] == committed["item_id"] == completed["item_id"]
        assert client.types[:5] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]
        deltas = client.of("conversation.item.input_audio_transcription.delta")
        assert "".join(event["delta"] for event in deltas) == completed["transcript"]
        # Half a second of padding and half a second of silence belong to the turn.
        seconds = (stopped["audio_end_ms"] - started["audio_start_ms"]) / 1000
        assert seconds == pytest.approx(1.5 + 0.3 + 0.5, abs=0.1)
        assert completed["transcript"].startswith(f"({seconds:.1f} s of speech, -2")
        assert completed["usage"]["input_tokens"] == round(seconds * 10)
        await client.send("conversation.item.retrieve", item_id=item_id)
        item = (await client.until("conversation.item.retrieved"))["item"]
        assert item["content"][0]["transcript"] == completed["transcript"]
        assert len(base64.b64decode(item["content"][0]["audio"])) == round(seconds * 48_000)
        answer = (await client.nth("response.done", 1))["response"]
        said = answer["output"][0]["content"][0]["transcript"]
        assert said.startswith("I heard you, but I do not recognise words.")
        assert script.LESSONS[0] in said


async def test_whisper_is_billed_by_the_second() -> None:
    async with session() as client:
        await client.update(audio={"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}})
        await client.append(speech(1200))
        await client.send("input_audio_buffer.commit")
        completed = await client.until("conversation.item.input_audio_transcription.completed")
        assert completed["usage"] == {"type": "duration", "seconds": 2}


async def test_without_create_response_a_turn_is_only_committed() -> None:
    async with session() as client:
        await client.update(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
        await client.append(speech(500) + silence(800))
        await client.until("input_audio_buffer.committed")
        await client.send("response.cancel")
        assert (await client.error())["code"] == "response_cancel_not_active"
        assert "response.created" not in client.types


async def test_barge_in_cancels_the_response() -> None:
    async with simulator(speed=20) as sim, client(sim) as talker:
        await talker.say("a long story, please")
        await talker.send("response.create")
        await talker.until("response.output_audio.delta")
        await talker.append(speech(300))
        started = await talker.until("input_audio_buffer.speech_started")
        response = (await talker.until("response.done"))["response"]
        assert talker.events.index(started) < len(talker.events) - 1
        assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}


async def test_without_interrupt_response_speech_is_refused_a_second_response() -> None:
    async with simulator(speed=1, thinking_s=3600) as sim, client(sim) as talker:
        await talker.update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
        await talker.send("response.create")
        await talker.until("response.created")
        await talker.append(speech(400) + silence(700))
        error = await talker.error()
        assert error["code"] == "conversation_already_has_active_response"
        assert error["event_id"] is None
        assert "response.done" not in talker.types


async def manual(client: Client) -> None:
    await client.update(output_modalities=["text"], audio={"input": {"turn_detection": None}})


async def test_a_client_may_take_the_turns_itself() -> None:
    async with session() as client:
        await manual(client)
        await client.append(speech(700) + silence(2000))
        await client.send("input_audio_buffer.commit")
        committed = await client.until("input_audio_buffer.committed")
        item = (await client.until("conversation.item.added"))["item"]
        assert item["id"] == committed["item_id"]
        assert item["content"] == [{"type": "input_audio", "transcript": None}]
        await client.send("response.create")
        answer = (await client.until("response.done"))["response"]
        assert "2.7 s of speech" in answer["output"][0]["content"][0]["text"]
        assert answer["usage"]["input_token_details"]["audio_tokens"] == 27
        assert "input_audio_buffer.speech_started" not in client.types


async def test_silence_is_told_from_speech() -> None:
    async with session() as client:
        await manual(client)
        await client.append(silence(1000))
        await client.send("input_audio_buffer.commit")
        await client.send("response.create")
        answer = (await client.until("response.done"))["response"]
        assert answer["output"][0]["content"][0]["text"].startswith("I heard only silence.")


async def test_lessons_follow_one_another() -> None:
    async with session() as client:
        await manual(client)
        for lesson in (*script.LESSONS, script.LESSONS[0]):
            await client.append(speech(200))
            await client.send("input_audio_buffer.commit")
            await client.send("response.create")
            answer = (await client.until("response.done"))["response"]
            assert answer["output"][0]["content"][0]["text"].endswith(lesson)


async def test_clearing_forgets_speech_that_has_started() -> None:
    async with session() as client:
        await client.append(speech(300))
        await client.until("input_audio_buffer.speech_started")
        await client.send("input_audio_buffer.clear")
        await client.until("input_audio_buffer.cleared")
        await client.append(silence(2000))
        await client.send("input_audio_buffer.commit")
        item_id = (await client.until("input_audio_buffer.committed"))["item_id"]
        assert item_id != client.of("input_audio_buffer.speech_started")[0]["item_id"]
        assert "input_audio_buffer.speech_stopped" not in client.types
        # The clock of the stream goes on: it counts all audio ever sent.
        await client.append(speech(300))
        assert (await client.until("input_audio_buffer.speech_started"))["audio_start_ms"] == 2300


async def test_a_commit_during_speech_takes_the_id_that_was_announced() -> None:
    async with session() as client:
        await client.append(speech(300))
        started = await client.until("input_audio_buffer.speech_started")
        await client.send("input_audio_buffer.commit")
        assert (await client.until("input_audio_buffer.committed"))["item_id"] == started["item_id"]


async def test_long_silence_is_dropped_from_the_buffer_but_counted_in_its_time() -> None:
    async with session() as client:
        await client.append(silence(70_000), ms=5000)
        await client.send("input_audio_buffer.commit")
        item = (await client.until("conversation.item.added"))["item"]
        await client.send("conversation.item.retrieve", item_id=item["id"])
        audio = (await client.until("conversation.item.retrieved"))["item"]["content"][0]["audio"]
        assert len(base64.b64decode(audio)) == 60_000 * 48


async def test_the_idle_timeout_answers_a_long_silence() -> None:
    async with session() as client:
        await client.update(
            output_modalities=["text"],
            audio={"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 6000}}},
        )
        await client.append(silence(1000))
        await client.ask("hello")
        await client.append(silence(5900))
        await client.append(silence(200))
        timeout = await client.until("input_audio_buffer.timeout_triggered")
        assert (timeout["audio_start_ms"], timeout["audio_end_ms"]) == (1000, 7000)
        assert (await client.until("input_audio_buffer.committed"))["item_id"] == timeout["item_id"]
        answer = (await client.until("response.done"))["response"]
        assert answer["output"][0]["content"][0]["text"].startswith("I heard only silence.")
