"""The setting ``echo``: what it comes to with and without the extra, and what the person is told."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from tests.support.room import echo_of, need_echo_cancellation, pcm, voice
from tests.support.servers import websocket_server
from tests.support.sessions import session
from tests.support.virtual_device import TimedInput, VirtualInput
from tests.unit.session.test_voice import Listening, says
from tui.audio import SilentPlayback, echo
from tui.audio.microphone import Microphone, OpenTimed
from tui.conversation import MicrophoneState
from tui.session import ToggleMicrophone
from tui.session.echo import EchoGuard
from tui.settings.model import Echo


def guard(setting: Echo) -> tuple[EchoGuard, Microphone]:
    """What the setting comes to, and the microphone that it concerns."""
    microphone = Microphone()
    return EchoGuard(setting, SilentPlayback(), microphone, lambda _: None), microphone


@pytest.mark.parametrize("installed", [True, False])
def test_auto_cancels_where_it_can(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "installed", lambda: installed)
    made, microphone = guard("auto")
    assert made.half_duplex is not installed
    assert (microphone.through is not None) is installed
    assert made.problem is None, "nobody asked for more"


def test_the_other_settings_are_what_they_say() -> None:
    made, microphone = guard("half-duplex")
    assert made.half_duplex and microphone.through is None
    made, microphone = guard("headset")
    assert not made.half_duplex and microphone.through is not None, "it is watched"


async def test_without_the_extra_cancelling_is_half_duplex_and_says_how_to_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(echo, "installed", lambda: False)
    person = Listening()
    async with (
        websocket_server(says()) as server,
        session(server.url, microphone=person.microphone, echo="cancel") as running,
    ):
        await running.connected()
        assert not running.notices, "nobody has spoken yet"
        for _ in range(2):
            await person.toggle(running, MicrophoneState.ON)
            await person.toggle(running, MicrophoneState.OFF)
        (notice,) = running.notices
        assert notice.text == (
            "Echo cancellation is not installed.\npip install 'azrt-tui[aec]'\n"
            "Until then the microphone is held while the agent is heard."
        )
    assert guard("cancel")[0].half_duplex


@pytest.mark.parametrize("installed", [True, False])
async def test_a_headset_that_is_none_is_said_once(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "installed", lambda: installed)
    playback, device = SilentPlayback(), TimedInput()
    microphone = Microphone()
    agent = voice("agent")[: 4 * 24_000]
    played, captured = pcm(agent), pcm(echo_of(agent))

    def open_portaudio(take: object, finished: object) -> VirtualInput:
        assert microphone.through is not None
        opened: OpenTimed = device.open
        return microphone.through.open(take, finished, opened)  # type: ignore[arg-type, return-value]

    microphone._open_input = open_portaudio
    async with (
        websocket_server(says()) as server,
        session(server.url, playback=playback, microphone=microphone, echo="headset") as running,
    ):
        await running.connected()
        for _ in range(2):
            running.worker.submit(ToggleMicrophone())
            await running.until(lambda: running.status.microphone is MicrophoneState.ON)
            for at in range(0, len(agent), 480):
                ahead = at + 2_400  # what the loudspeaker's device holds
                playback.reference.played(
                    played[2 * ahead : 2 * ahead + 960].ljust(960, b"\0"), 10 + ahead / 24_000, 24_000, 1
                )
                device.timed(captured[2 * at : 2 * at + 960], 10 + at / 24_000)
                await asyncio.sleep(0.003)
            running.worker.submit(ToggleMicrophone())
            await running.until(lambda: running.status.microphone is MicrophoneState.OFF)
        (said,) = [notice.text for notice in running.notices if "hears the agent" in notice.text]
        assert said.startswith("The microphone hears the agent. Start with --echo ")
        assert "--echo cancel" in said
        assert ("azrt-tui[aec]" in said) is not installed


def test_the_extra_is_what_it_is_said_to_be() -> None:
    need_echo_cancellation()
    canceller = echo.webrtc()
    silence = np.zeros(480, np.int16)
    assert not canceller.process(silence, silence).any()
