"""The voice, in the whole program on virtual sound devices: every time and every gap is counted by samples.

The program runs in a pseudo-terminal against a server in a process of its own, through the real SDK and the real
PortAudio. A recorder at the sound server gets what leaves the virtual loudspeaker; the server's sound is a ramp, so
each sample says which one it is. Nothing relies on what PortAudio says of itself. Where a sample's time is known within
the few milliseconds of the sound server only, the end counts that makes the figure worse.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.bench import workload
from tests.bench.far_end import RAMP, ClientEvent, FarEnd
from tests.bench.figures import Figure, NotMeasuredError, percentile, spread
from tests.bench.keys import KEY, connect
from tests.bench.monitor import Monitor, devices, gaps, position, recording, sounding
from tests.bench.terminal import REPOSITORY, Meter
from tests.support.terminal import PATIENCE_S
from tests.support.virtual_audio import VirtualAudio
from tui.wire import PCM16_RATE

_ANSWERS = 24
_LONG_ANSWER_S = 20.0
_SHORT_ANSWER_S = 0.5
_SPOKEN_S = 10.0
_BUSY = 1000
_BUSY_S = 60.0
_SILENCE_S = 10.0
_NOISE = 20
"""The highest sample of a quiet room: -64 dB."""
_SETTLE_S = 1.5
_DUPLEX_S = 10.0
_BLOCK = PCM16_RATE // 50
_PAUSE_S = 0.3
_LATE_S = 0.1
_TRUNCATE = "conversation.item.truncate"
_APPEND = "input_audio_buffer.append"


def interrupting() -> list[Figure]:
    """Interrupts 24 answers with F3 at random moments: when silence comes, what was heard, how an answer begins.

    Silence is there at the first silent sample behind the ramp. It is timed from the key in the terminal, and from the
    command in the session. What was heard is what the ramp says; it is compared with the truncation on the wire. An
    answer begins with the first sample; it is timed from when the server sent it, in a delta that is long enough to
    begin at once.
    """
    chance = random.Random(24)
    keys, commands, errors, begins = [], [], [], []
    with devices() as audio, recording(audio) as monitor, _program(audio, probe=True) as (terminal, far_end):
        far_end.answer_with_ramps(_LONG_ANSWER_S)
        for _ in range(_ANSWERS):
            mark = len(monitor)
            sent = _ask(terminal, far_end, monitor)
            terminal.read(chance.uniform(0.2, 0.9))
            pressed = time.monotonic()
            terminal.press("f3")
            truncated = _wait_for(terminal, far_end, _TRUNCATE, pressed)
            terminal.read(_PAUSE_S)
            start, end = sounding(monitor.samples(mark))
            silent = monitor.arrival(mark + end)
            keys.append((silent - pressed) * 1000)
            commands.append((silent - _last_command(terminal)) * 1000)
            heard = position(monitor.samples(mark + start, mark + end))
            errors.append(truncated.detail - heard * 1000 / PCM16_RATE)
            begins.append((monitor.arrival(mark + start) - sent) * 1000)
            terminal.wait_for("agent idle")
    farthest = max(map(abs, errors))
    return [
        *_times("silence-key", "F3 to silence", keys, 10, 30),
        *_times("silence-command", "interrupt command to silence", commands, 10, 30),
        Figure("heard.p50", "heard, by the truncation: median error", percentile(map(abs, errors), 50), "ms"),
        Figure("heard.max", "heard, by the truncation: largest error", farthest, "ms", 20, spread(errors, "ms")),
        *_times("first-sample", "first delta to first sample", begins, 15, None),
    ]


def following() -> list[Figure]:
    """How an answer begins that follows another by less than a second: 24 short ones, as in :func:`interrupting`."""
    chance = random.Random(42)
    begins = []
    with devices() as audio, recording(audio) as monitor, _program(audio) as (terminal, far_end):
        far_end.answer_with_ramps(_SHORT_ANSWER_S)
        for number in range(_ANSWERS + 1):
            mark = len(monitor)
            sent = _ask(terminal, far_end, monitor)
            terminal.read(_SHORT_ANSWER_S)
            monitor.wait(_PAUSE_S)
            start, _ = sounding(monitor.samples(mark))
            if number:  # the first one wakes the sound server
                begins.append((monitor.arrival(mark + start) - sent) * 1000)
            terminal.wait_for("agent idle")
            terminal.read(chance.uniform(0.1, 0.6))
    return _times("next-sample", "first delta to first sample, soon after another answer", begins, 15, None)


def capturing() -> list[Figure]:
    """From a sample at the microphone to the server: 10 s of a ramp are spoken, in appends of 20 ms.

    For each append, from the time when its first sample was in the device to the time when the server has read it.
    """
    return _capture(0)


def capturing_busy() -> list[Figure]:
    """The same as :func:`capturing` while 1,000 events/s come in."""
    return _capture(_BUSY)


def gaps_busy() -> list[Figure]:
    """Gaps in 60 s of an answer, and of what the microphone hears meanwhile, while 1,000 events/s come in.

    What is said into the microphone is recorded there too. Gaps in it are the sound server's own, on a machine that is
    busy elsewhere, and do not count.
    """
    spoken = workload.ramp(0, int((_BUSY_S + 4) * PCM16_RATE))
    with (
        devices() as audio,
        recording(audio) as monitor,
        recording(audio, "micfeed") as said,
        _program(audio) as (terminal, far_end),
    ):
        _listen(terminal)
        far_end.answer_with_ramps(_BUSY_S)
        far_end.stream(_BUSY, "typed")
        terminal.read(1.0)
        mark = len(monitor)
        with _speaking(audio, spoken):
            start, cpu = time.monotonic(), terminal.cpu
            _ask(terminal, far_end, monitor)
            terminal.read(_BUSY_S)
            end, spent = time.monotonic(), terminal.cpu - cpu
            terminal.read(1.0)
        begin, _ = sounding(monitor.samples(mark))
        played = monitor.samples(mark + begin, mark + begin + int(_BUSY_S * PCM16_RATE))
        out, own = gaps(played), gaps(said.samples(*sounding(said.samples(0))))
        blocks = [append.detail for append in far_end.all(_APPEND, start) if start < append.at < end and append.detail]
    following = ((before - 1 + _BLOCK) % workload.RAMP_PERIOD + 1 for before in blocks)
    cut = sum(after != due for due, after in zip(following, blocks[1:], strict=False))
    detail = f"processor {spent / (end - start) * 100:.0f} %"
    return [
        Figure("gaps.out", f"gaps in {_BUSY_S:.0f} s at {_BUSY:,} events/s: played", len(out), "", 0, detail),
        Figure("gaps.out-ms", "their length in all", sum(out) * 1000 / PCM16_RATE, "ms"),
        Figure(
            "gaps.in",
            "gaps meanwhile: captured",
            max(0, cut - len(own)),
            "",
            0,
            f"{len(blocks):,} appends; {len(own)} gaps of the sound server's own",
        ),
    ]


def duplex() -> list[Figure]:
    """Processor time of playing and capturing at once, in a process that does nothing else, over 10 s."""
    return [duplex_cpu("duplex.cpu", "duplex audio: processor", 5)]


def duplex_cpu(name: str, title: str, target: float, *options: str) -> Figure:
    """The same with ``options`` of :mod:`tests.bench.inside.duplex`."""
    with devices() as audio:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.inside.duplex", str(_DUPLEX_S), *options],
            cwd=REPOSITORY,
            env={**os.environ, **audio.environment},
            capture_output=True,
            text=True,
            timeout=_DUPLEX_S + PATIENCE_S,
        )
    if done.returncode:
        raise NotMeasuredError(f"no duplex audio: {done.stderr.strip().rpartition(chr(10))[2]}")
    percent, blocks = map(float, done.stdout.split())
    return Figure(name, title, percent, "%", target, f"{blocks:.1f} blocks/s captured")


def open_microphone() -> list[Figure]:
    """What an open microphone costs while nobody speaks: processor time, and bytes to the terminal, over 10 s.

    50 appends go out in a second, of the noise that every microphone makes: zeros alone would be one that is muted.
    """
    noise = random.Random(1).choices(range(-_NOISE, _NOISE + 1), k=int((_SILENCE_S + 2 * _SETTLE_S) * PCM16_RATE))
    with (
        devices() as audio,
        _program(audio) as (terminal, far_end),
        _speaking(audio, array("h", noise).tobytes()),
    ):
        _listen(terminal)
        start, cpu = time.monotonic(), terminal.cpu
        terminal.read(_SILENCE_S)
        seconds, spent = time.monotonic() - start, terminal.cpu - cpu
        written = terminal.bytes_between(start, start + seconds)
        sent = len(far_end.all(_APPEND, start))
    title, detail = "microphone open in silence", f"{sent / seconds:.1f} appends/s"
    return [
        Figure("microphone.cpu", f"{title}: processor", spent / seconds * 100, "%", None, detail),
        Figure("microphone.bytes", f"{title}: written", written / seconds / 1000, "kB/s"),
    ]


def _capture(rate: int) -> list[Figure]:
    sound = workload.ramp(0, int(_SPOKEN_S * PCM16_RATE))
    with devices() as audio, recording(audio, "micfeed") as monitor, _program(audio) as (terminal, far_end):
        _listen(terminal)
        if rate:
            far_end.stream(rate, "typed")
            terminal.read(1.0)
        start = time.monotonic()
        with _speaking(audio, sound):
            terminal.read(_SPOKEN_S)
        appends = [append for append in far_end.all(_APPEND, start) if append.detail]
        latencies = _since_captured(appends, monitor)
    name, title = ("capture-busy", f"capture to send at {rate:,} events/s") if rate else ("capture", "capture to send")
    return _times(name, title, latencies, 45, 60)


def _since_captured(appends: Sequence[ClientEvent], monitor: Monitor) -> list[float]:
    """Milliseconds from each append's first sample, at the device, to its arrival at the server."""
    samples = monitor.samples(0)
    places: dict[int, list[int]] = {}
    for at, sample in enumerate(samples):
        places.setdefault(sample, []).append(at)
    latencies = []
    for append in appends:
        # Nothing takes longer than a period of the ramp: the latest sample that was there is the one. That the recorder
        # comes late on a busy machine must not make it the one before.
        moments = (monitor.earliest(at) for at in reversed(places.get(append.detail, ())))
        captured = next((moment for moment in moments if moment <= append.at + _LATE_S), None)
        if captured is not None:
            latencies.append((append.at - captured) * 1000)
    return latencies


@contextmanager
def _program(audio: VirtualAudio, *, probe: bool = False) -> Iterator[tuple[Meter, FarEnd]]:
    """The program with a voice, connected; ``probe``: it writes down its commands."""
    environment = {**KEY, **audio.environment, "AZRT_MODALITY": "audio", "AZRT_ECHO": "headset"}
    module = ("tests.bench.inside.commands", _COMMANDS) if probe else ("tui",)
    with FarEnd() as far_end, Meter.module(*module, "--url", far_end.url, environment=environment) as terminal:
        connect(terminal, far_end)
        yield terminal, far_end


_COMMANDS = "commands.txt"


def _last_command(terminal: Meter) -> float:
    """When the session was told to interrupt last, in monotonic seconds."""
    return int((terminal.home / _COMMANDS).read_text().split()[-1]) / 1e9


def _listen(terminal: Meter) -> None:
    terminal.press("f2")
    terminal.wait_for("mic on")
    terminal.read(_SETTLE_S)


@contextmanager
def _speaking(audio: VirtualAudio, pcm: bytes) -> Iterator[None]:
    """Say something into the microphone meanwhile; ends when it is said."""
    speaking = threading.Thread(target=audio.speak, args=(pcm,))
    speaking.start()
    try:
        yield
    finally:
        speaking.join()


def _ask(terminal: Meter, far_end: FarEnd, monitor: Monitor) -> float:
    """Ask for an answer, and read until it is heard; return when the server sent its first sample."""
    mark, asked = len(monitor), time.monotonic()
    terminal.type("go\r")
    sent = _wait_for(terminal, far_end, RAMP, asked).at
    while not any(monitor.samples(mark)):
        _check(terminal, asked, "the answer was not heard")
        terminal.read(0.02)
    return sent


def _wait_for(terminal: Meter, far_end: FarEnd, event_type: str, after: float) -> ClientEvent:
    """Read until the server has seen an event of this type."""
    while (event := far_end.first(event_type, after)) is None:
        _check(terminal, after, f"no {event_type} came")
        terminal.read(0.02)
    return event


def _check(terminal: Meter, since: float, failure: str) -> None:
    if time.monotonic() > since + PATIENCE_S:
        raise NotMeasuredError(f"{failure}:\n{terminal.text}")


def _times(name: str, title: str, values: list[float], p50: float, worst: float | None) -> list[Figure]:
    """Median, p99 and the longest of some times in milliseconds."""
    detail = spread(values, "ms")
    return [
        Figure(f"{name}.p50", f"{title}: median", percentile(values, 50), "ms", p50, detail),
        Figure(f"{name}.p99", f"{title}: p99", percentile(values, 99), "ms", worst),
    ]
