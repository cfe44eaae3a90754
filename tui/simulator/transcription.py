"""Transcription of the user's audio: how long and how loud it was, for nothing here knows words."""

from __future__ import annotations

import math
import re
from typing import Protocol

from tui.simulator import events
from tui.simulator.conversation import INPUT_AUDIO_TOKENS_PER_S, Item, Sound, text_tokens
from tui.simulator.events import Event
from tui.simulator.faults.kinds import TranscriptionFault
from tui.simulator.response import Pacing
from tui.simulator.tutor import describe


class Host(Protocol):
    """What a transcription needs of its session."""

    pacing: Pacing

    def emit(self, event: Event) -> None:
        """Send a server event."""


async def transcribe(host: Host, item: Item, sound: Sound, model: str, fault: TranscriptionFault | None = None) -> None:
    """Send the transcript of `sound`, the audio of `item`, as deltas and as a whole; or that there is none, by `fault`.

    `model` is the session's transcription model; whisper is billed by the second, the others by token.
    """
    seconds, level = describe(sound)
    text = f"({seconds} s of speech, {level} dB)"
    about = {"item_id": item.id, "content_index": 0}
    kind = "conversation.item.input_audio_transcription"
    if fault is not None:
        await host.pacing.wait(host.pacing.word_s)
        host.emit(events.event(f"{kind}.failed", **about, error=fault.error(item.id)))
        return
    for word in re.findall(r"\s*\S+", text):
        await host.pacing.wait(host.pacing.word_s)
        host.emit(events.event(f"{kind}.delta", **about, delta=word))
    item.data["content"][0]["transcript"] = text
    if model.startswith("whisper"):
        usage: Event = {"type": "duration", "seconds": math.ceil(sound.ms / 1000)}
    else:
        heard, words = round(sound.ms / 1000 * INPUT_AUDIO_TOKENS_PER_S), text_tokens(text)
        usage = {
            "type": "tokens",
            "total_tokens": heard + words,
            "input_tokens": heard,
            "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
            "output_tokens": words,
        }
    host.emit(events.event(f"{kind}.completed", **about, transcript=text, usage=usage))
