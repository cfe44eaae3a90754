"""A client that speaks another format than PCM16 at 24 kHz: what the capture, the rows, the export and replay have."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
import wave
from array import array
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.support.relays import relay, until
from tests.support.servers import CREATED, Peer, websocket_server
from tests.unit.simulator.support import Client, simulator
from tui.audio.conversion import Conversion
from tui.audio_format import CODINGS, AudioFormat, parse_format
from tui.capture import CaptureReader, RowReader
from tui.export.sound import write_wav
from tui.replay.position import Replayed, Sound
from tui.wire import Direction

TONE_HZ, PEAK = 440, 8_000
PIECES = 10


def tone(audio: AudioFormat) -> bytes:
    """One second of the tone in this format."""
    pcm = array("h", [round(PEAK * math.sin(2 * math.pi * TONE_HZ * at / audio.rate)) for at in range(audio.rate)])
    if not audio.coding:
        return pcm.tobytes()
    values = array("h", audio.decode(bytes(range(256))))
    return bytes(min(range(256), key=lambda code: abs(values[code] - value)) for value in pcm)


def assert_tone(samples: array[int], rate: int) -> None:
    """These samples are a second of the tone, with silence around it, at its level."""
    sounding = [at for at, sample in enumerate(samples) if abs(sample) > 500]
    first, last = sounding[0], sounding[-1]
    assert (last - first) / rate == pytest.approx(1.0, abs=0.01)
    crossings = sum((a < 0) != (b < 0) for a, b in zip(samples[first:last], samples[first + 1 : last], strict=False))
    assert crossings / 2 / ((last - first) / rate) == pytest.approx(TONE_HZ, abs=2)
    assert max(samples) == pytest.approx(PEAK, rel=0.04)
    assert min(samples) == pytest.approx(-PEAK, rel=0.04)


def capture_in(folder: Path) -> Path:
    """The one capture in a folder."""
    (path,) = folder.glob("*.jsonl")
    return path


def sounds(path: Path) -> list[Path]:
    """The WAV files beside a capture."""
    return [
        side for side in (path.with_name(f"{path.stem}.{name}.wav") for name in ("received", "sent")) if side.exists()
    ]


def append(sound: bytes) -> dict[str, Any]:
    """A piece of the microphone."""
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(sound).decode()}


def pieces(sound: bytes) -> list[bytes]:
    """Ten pieces of 100 ms."""
    size = len(sound) // PIECES
    return [sound[at : at + size] for at in range(0, len(sound), size)]


async def voice(peer: Peer) -> None:
    """A server that echoes the format, and says back what it hears."""
    await peer.send(CREATED)
    update = await peer.until("session.update")
    await peer.send({"type": "session.updated", "session": update["session"]})
    heard = [(await peer.until("input_audio_buffer.append"))["audio"] for _ in range(PIECES)]
    ids = {"response_id": "resp_1", "item_id": "item_1", "content_index": 0}
    await peer.send({"type": "response.created", "response": {"id": "resp_1"}})
    for piece in heard:
        await peer.send({"type": "response.output_audio.delta", **ids, "delta": piece})
    await peer.send({"type": "response.done", "response": {"id": "resp_1", "status": "completed"}})
    await peer.drain()


GA = [{"type": "audio/pcmu"}, {"type": "audio/pcma"}, {"type": "audio/pcm", "rate": 16_000}]
SESSIONS = [
    *({"type": "realtime", "audio": {"input": {"format": each}, "output": {"format": each}}} for each in GA),
    {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"},
]


@pytest.mark.parametrize("asked", SESSIONS, ids=["pcmu", "pcma", "pcm 16 kHz", "beta g711_ulaw"])
async def test_a_tone_is_a_tone_everywhere(tmp_path: Path, asked: dict[str, Any]) -> None:
    audio = parse_format(asked["audio"]["input"]["format"] if "audio" in asked else asked["input_audio_format"])
    assert audio is not None
    async with websocket_server(voice) as server, relay(server.url, captures=tmp_path) as watched:
        async with connect(watched.url()) as connection:
            await connection.recv()
            # The client does not wait for the echo.
            await connection.send(json.dumps({"type": "session.update", "session": asked}))
            for piece in pieces(tone(audio)):
                await connection.send(json.dumps(append(piece)))
            while json.loads(await connection.recv())["type"] != "response.done":
                pass
        (seen,) = watched.sessions
        await seen.cause()
        rows = RowReader(seen.session.log)
        summaries = [rows.view(row).summary for row in range(seen.session.log.rows)]
        assert summaries.count("1.0 s of audio") == 2
    path = capture_in(tmp_path)
    for side in ("received", "sent"):
        with wave.open(str(path.with_name(f"{path.stem}.{side}.wav"))) as wav:
            assert wav.getframerate() == audio.rate
            assert_tone(array("h", wav.readframes(wav.getnframes())), audio.rate)
    reader = CaptureReader(path)
    out = io.BytesIO()
    write_wav(reader, lambda: nullcontext(out))
    assert reader.problems == []
    out.seek(0)
    with wave.open(out) as wav:
        both = array("h", wav.readframes(wav.getnframes()))
        assert_tone(both[0::2], wav.getframerate())
        assert_tone(both[1::2], wav.getframerate())
    replayed = Replayed(reader.log, "", "")
    heard = [replayed.take() for _ in range(len(reader.log))]
    sounds_of_it = [one for one in heard if isinstance(one, Sound)]
    assert sum(one.length_ns for one in sounds_of_it) == 1_000_000_000
    conversion = Conversion()
    played = [conversion.feed(("item_1", 0), one.data, one.audio_format) for one in sounds_of_it]
    assert_tone(array("h", b"".join(played)), 24_000)
    half = sounds_of_it[0].from_ns(50_000_000)
    assert half.length_ns == 50_000_000
    reader.close()


async def test_the_simulator_in_g711_sounds_as_long_as_it_does_in_pcm16(tmp_path: Path) -> None:
    lengths = []
    for name in ("audio/pcm", "audio/pcmu", "audio/pcma"):
        async with simulator() as sim, relay(sim.url(), captures=tmp_path / name[6:]) as watched:
            async with connect(watched.url()) as connection:
                client = Client(connection)
                named = {"type": name, **({"rate": 24_000} if name == "audio/pcm" else {})}
                session = {"type": "realtime", "audio": {"output": {"format": named}}}
                await connection.send(json.dumps({"type": "session.update", "session": session}))
                response = await client.ask("hello")
                assert response["status"] == "completed"
            (seen,) = watched.sessions
            await seen.cause()
        path = capture_in(tmp_path / name[6:])
        with wave.open(str(path.with_name(f"{path.stem}.received.wav"))) as wav:
            assert wav.getframerate() == (24_000 if name == "audio/pcm" else 8_000)
            samples = array("h", wav.readframes(wav.getnframes()))
            lengths.append(wav.getnframes() / wav.getframerate())
        power = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
        assert 100 < power < 12_000, "speech, and no noise at full level"
    assert lengths == pytest.approx([lengths[0]] * 3, abs=0.05)


async def test_a_format_that_is_not_known_is_reported_and_kept(tmp_path: Path) -> None:
    opus = {"type": "audio/opus"}
    asked = {"type": "realtime", "audio": {"input": {"format": opus}, "output": {"format": opus}}}
    async with websocket_server(voice) as server, relay(server.url, captures=tmp_path) as watched:
        async with connect(watched.url()) as connection:
            await connection.recv()
            await connection.send(json.dumps({"type": "session.update", "session": asked}))
            for piece in pieces(bytes(range(250)) * 4):
                await connection.send(json.dumps(append(piece)))
            while json.loads(await connection.recv())["type"] != "response.done":
                pass
        (seen,) = watched.sessions
        await seen.cause()
        rows = RowReader(seen.session.log)
        summaries = [rows.view(row).summary for row in range(seen.session.log.rows)]
        assert summaries.count("1.0k bytes of audio/opus") == 2
        sent = seen.frames(Direction.SENT)
    path = capture_in(tmp_path)
    assert not sounds(path)
    reader = CaptureReader(path)
    with pytest.raises(Exception, match="its audio is audio/opus, which is not shown as sound"):
        write_wav(reader, lambda: nullcontext(io.BytesIO()))
    entries = map(reader.log.entry, range(len(reader.log)))
    assert [entry.data for entry in entries if entry.direction is Direction.SENT] == sent
    reader.close()


async def test_two_rates_of_one_session_are_in_time_in_the_export(tmp_path: Path) -> None:
    """The person speaks in G.711 at 8 kHz, the agent in PCM16 at 24 kHz."""
    audio = CODINGS["pcmu"]

    async def agent(peer: Peer) -> None:
        await peer.send(CREATED)
        update = await peer.until("session.update")
        await peer.send({"type": "session.updated", "session": update["session"]})
        for _ in range(PIECES):
            await peer.until("input_audio_buffer.append")
        for piece in pieces(tone(AudioFormat("audio/pcm", 24_000))):
            delta = base64.b64encode(piece).decode()
            await peer.send({"type": "response.output_audio.delta", "item_id": "i", "content_index": 0, "delta": delta})
        await peer.send({"type": "response.done", "response": {"id": "r", "status": "completed"}})
        await peer.drain()

    asked = {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}
    async with websocket_server(agent) as server, relay(server.url, captures=tmp_path) as watched:
        async with connect(watched.url()) as connection:
            await connection.send(json.dumps({"type": "session.update", "session": asked}))
            for piece in pieces(tone(audio)):
                await connection.send(json.dumps(append(piece)))
            while json.loads(await connection.recv())["type"] != "response.done":
                pass
        await until(lambda: watched.sessions)
        await watched.sessions[0].cause()
    reader = CaptureReader(capture_in(tmp_path))
    out = io.BytesIO()
    await asyncio.to_thread(write_wav, reader, lambda: nullcontext(out))
    reader.close()
    out.seek(0)
    with wave.open(out) as wav:
        assert wav.getframerate() == 24_000
        both = array("h", wav.readframes(wav.getnframes()))
        assert_tone(both[0::2], 24_000)
        assert_tone(both[1::2], 24_000)
