"""The simulator's faults as the program names them, and a session that meets one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from tests.support.sessions import Running, session
from tests.support.virtual_device import VirtualInput
from tests.unit.simulator.support import simulator, speech
from tui.audio.microphone import Microphone
from tui.conversation import MicrophoneState
from tui.session import SendText, ToggleMicrophone
from tui.session.plan import Timeouts
from tui.simulator.faults import FAULTS
from tui.simulator.faults.kinds import ALWAYS

NAMES: dict[str, str] = {
    # The connection is not made
    "tls-missing": "tls",
    "tls-silent": "timeout",
    "tls-hang-up": "tls-cut",
    "tls-self-signed": "tls-untrusted",
    "http-400-tls": "tls-wanted",
    "http-429-date": "http-429",
    "http-429-quota": "quota",
    "not-websocket": "http-200",
    "no-http": "timeout",
    "hang-up": "handshake-cut",
    "not-http": "handshake",
    "bad-accept": "handshake",
    "redirect-loop": "handshake",
    "beta-disabled": "beta-api",
    # An answer fails
    "unnamed-error": "error",
    "quota": "response-quota",
    "incomplete": "max-output-tokens",
    "no-transcriber": "transcription-missing",
    # The connection ends
    "lost": "closed-1006",
    "dead": "silent",
    "protocol-error": "not-websocket",
}
"""The cause of a fault, where it is not called the same."""

UNREADABLE = {
    "not-json",
    "cut-json",
    "json-null",
    "json-array",
    "empty",
    "binary",
    "binary-json",
    "not-utf8",
    "bad-base64",
    "deep-nesting",
    "huge-numbers",
}
"""Faults of single frames that are no events for anybody."""

NOTED = UNREADABLE | {"no-type", "unknown-event", "missing-fields", "wrong-types", "escapes-in-type"}
"""Faults of single frames: noted on the event where the SDK cannot read it; the answer goes on."""

HARMLESS = {"fragments", "odd-audio", "surrogate-halves", "long-string", "escapes", "slow-reader"}
"""Nothing fails."""


ELSEWHERE = {"expires-soon", "whisper-only", "transcriber-refused"}
"""The first takes minutes: the end of a session is announced in test_reconnect. The others are nothing to who asks for
whisper-1; see test_transcribing."""

UNNAMED = {"cancelled"}
"""No cause of failure, and told in the answer's own place."""

LIMITS = Timeouts(
    open_s=0.5, created_s=0.3, close_s=0.3, answer_s=0.3, response_s=0.4, ping_s=0.3, pong_s=0.2, back_off_s=0.05
)

LIMITED = {"tls-silent", "no-http", "no-session-created", "no-answer", "no-response-done", "dead"}
"""Faults that only a limit finds. The others get time, so that a slow machine meets no limit before the fault."""

PATIENT = Timeouts(open_s=60, created_s=60, close_s=0.3, answer_s=60, response_s=60, pong_s=60, back_off_s=0.05)

SILENT = NOTED | HARMLESS
"""Faults of which the person is told nothing."""

SAID = tuple(fault for fault in FAULTS if fault not in SILENT | ELSEWHERE | UNNAMED)
"""Faults of which the person is told by their name."""


def cause_of(fault: str) -> str:
    """The name of the cause that a fault should come to."""
    return NAMES.get(fault, fault).replace("close-", "closed-")


def once(fault: str) -> str:
    """What makes the simulator fail in this way at the first occasion, and, where that can be, not again."""
    return fault if fault == "redirect-loop" or FAULTS[fault].counted == ALWAYS else f"{fault}@1"


def names(running: Running) -> Iterator[str]:
    """Every cause that the person was told of."""
    if running.status.cause is not None:
        yield running.status.cause.name
    yield from (turn.cause for turn in running.transcript if turn.cause)
    yield from (batch.status.offer.name for batch in running.batches if batch.status.offer is not None)


@asynccontextmanager
async def provoked(fault: str) -> AsyncIterator[Running]:
    """A session that meets a fault at its first connection, answer or transcription."""
    device = VirtualInput()
    async with (
        simulator(faults=[once(fault)]) as sim,
        session(
            sim.url(),
            attended=True,
            hands_over=False,
            timeouts=LIMITS if fault in LIMITED else PATIENT,
            ca_file=sim.ca_file,
            microphone=Microphone(open_input=device.connect),
            turn_detection="none",
            transcription_model="whisper-1",
        ) as running,
    ):
        if FAULTS[fault].counted == "transcription":
            await running.connected()
            running.worker.submit(ToggleMicrophone())
            await running.until(lambda: running.status.microphone is MicrophoneState.ON)
            device.say(speech(400))
            running.worker.submit(ToggleMicrophone())
        else:
            running.worker.submit(SendText("Which keys are there?"))
        yield running
