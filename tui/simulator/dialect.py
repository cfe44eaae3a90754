"""The two shapes of the API. The session speaks GA inside; a dialect translates at its edge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tui.simulator import client_events as ga
from tui.simulator.events import ClientError, Event
from tui.simulator.validation import (
    Check,
    array,
    choice,
    fields,
    nullable,
    number,
    string,
)

BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
_BETA_FORMAT_OF = {name: beta for beta, name in BETA_FORMATS.items()}

_BETA_CONTENT = {"text": "output_text", "audio": "output_audio"}
_BETA_CONTENT_OF = {name: beta for beta, name in _BETA_CONTENT.items()}

_BETA_TYPES = {
    "conversation.item.added": "conversation.item.created",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
}


class Dialect(Protocol):
    """How one connection speaks: what it may send, and the translation both ways."""

    client_events: Mapping[str, Check]
    """The check of each client event."""

    def incoming(self, event: Event) -> Event:
        """Return a checked client event in the GA shape."""

    def outgoing(self, event: Event) -> Event | None:
        """Return a GA server event in this dialect's shape, None where the dialect has no such event."""


class GA:
    """The GA shape: nothing to translate."""

    client_events = ga.GA_EVENTS

    def incoming(self, event: Event) -> Event:
        """Return `event` itself."""
        return event

    def outgoing(self, event: Event) -> Event | None:
        """Return `event` itself."""
        return event


def _beta_modalities(value: Any, path: str) -> None:
    array(choice("text", "audio"))(value, path)
    if sorted(value) not in (["text"], ["audio", "text"]):
        raise ClientError(
            f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio', 'text'].",
            code="invalid_value",
            param=path,
        )


_BETA_COMMON: Mapping[str, Check] = {
    "instructions": string,
    "max_response_output_tokens": ga.MAX_OUTPUT_TOKENS,
    "modalities": _beta_modalities,
    "output_audio_format": choice(*BETA_FORMATS),
    "temperature": number(0.6, 1.2),
    "tool_choice": ga.TOOL_CHOICE,
    "tools": ga.TOOLS,
    "voice": choice(*ga.VOICES),
}
_BETA_SESSION = fields(
    {
        **_BETA_COMMON,
        "input_audio_format": choice(*BETA_FORMATS),
        "input_audio_noise_reduction": ga.NOISE_REDUCTION,
        "input_audio_transcription": ga.TRANSCRIPTION,
        "model": string,
        "speed": number(0.25, 1.5),
        "tracing": ga.TRACING,
        "turn_detection": ga.TURN_DETECTION,
    }
)
_BETA_ITEM = ga.item_check(
    {
        "text": fields({"type": string, "text": string}, "text"),
        "audio": fields({"type": string, "text": string, "transcript": nullable(string)}, "text"),
    }
)
_BETA_RESPONSE: Mapping[str, Check] = {
    **_BETA_COMMON,
    "conversation": choice("auto", "none"),
    "input": array(ga.reference_or(_BETA_ITEM)),
    "metadata": ga.METADATA,
}


class Beta:
    """The Beta (preview) shape: flat session, `text` and `audio` content, the old event names."""

    client_events = ga.client_events(_BETA_SESSION, _BETA_ITEM, _BETA_RESPONSE)

    def __init__(self) -> None:
        # GA has no temperature: it is kept here only to be shown again.
        self._temperature = 0.8

    def incoming(self, event: Event) -> Event:
        """Return a checked Beta client event in the GA shape."""
        event = dict(event)
        if event["type"] == "session.update":
            self._temperature = event["session"].get("temperature", self._temperature)
            event["session"] = _ga_settings(event["session"])
        elif event["type"] == "response.create" and event.get("response"):
            event["response"] = _ga_settings(event["response"])
            if "input" in event["response"]:
                event["response"]["input"] = [_ga_item(item) for item in event["response"]["input"]]
        elif event["type"] == "conversation.item.create":
            event["item"] = _ga_item(event["item"])
        return event

    def outgoing(self, event: Event) -> Event | None:
        """Return a GA server event in the Beta shape; conversation.item.done has none."""
        if event["type"] == "conversation.item.done":
            return None
        event = {**event, "type": _BETA_TYPES.get(event["type"], event["type"])}
        if "session" in event:
            event["session"] = self._session(event["session"])
        if "item" in event:
            event["item"] = _beta_item(event["item"])
        if "response" in event:
            event["response"] = self._response(event["response"])
        return event

    def _session(self, session: dict[str, Any]) -> dict[str, Any]:
        heard, said = session["audio"]["input"], session["audio"]["output"]
        return {
            "object": session["object"],
            "id": session["id"],
            "model": session["model"],
            "modalities": _beta_modalities_of(session["output_modalities"]),
            "instructions": session["instructions"],
            "voice": said["voice"],
            "output_audio_format": _BETA_FORMAT_OF[said["format"]["type"]],
            "tools": session["tools"],
            "tool_choice": session["tool_choice"],
            "temperature": self._temperature,
            "max_response_output_tokens": session["max_output_tokens"],
            "turn_detection": heard["turn_detection"],
            "speed": said["speed"],
            "tracing": session["tracing"],
            "prompt": session["prompt"],
            "expires_at": session["expires_at"],
            "input_audio_noise_reduction": heard["noise_reduction"],
            "input_audio_format": _BETA_FORMAT_OF[heard["format"]["type"]],
            "input_audio_transcription": heard["transcription"],
            "client_secret": None,
            "include": session["include"],
        }

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        shown = {
            name: value for name, value in response.items() if name not in ("output_modalities", "audio", "output")
        }
        said = response["audio"]["output"]
        return {
            **shown,
            "output": [_beta_item(item) for item in response["output"]],
            "modalities": _beta_modalities_of(response["output_modalities"]),
            "voice": said["voice"],
            "output_audio_format": _BETA_FORMAT_OF[said["format"]["type"]],
            "temperature": self._temperature,
        }


def make_dialect(name: str) -> Dialect:
    """Return the dialect called "ga" or "beta". Raises ValueError for another name."""
    if name == "ga":
        return GA()
    if name == "beta":
        return Beta()
    raise ValueError(f'dialect "{name}" is unknown; use "ga" or "beta"')


def _beta_modalities_of(modalities: list[str]) -> list[str]:
    return ["audio", "text"] if "audio" in modalities else ["text"]


def _ga_settings(beta: dict[str, Any]) -> dict[str, Any]:
    """Return a Beta session or response as GA has it."""
    same = ("instructions", "tools", "tool_choice", "tracing", "conversation", "input", "metadata")
    result = {name: beta[name] for name in same if name in beta}
    if "modalities" in beta:
        result["output_modalities"] = ["audio"] if "audio" in beta["modalities"] else ["text"]
    if "max_response_output_tokens" in beta:
        result["max_output_tokens"] = beta["max_response_output_tokens"]
    places = {
        "input_audio_format": ("input", "format"),
        "input_audio_noise_reduction": ("input", "noise_reduction"),
        "input_audio_transcription": ("input", "transcription"),
        "turn_detection": ("input", "turn_detection"),
        "output_audio_format": ("output", "format"),
        "speed": ("output", "speed"),
        "voice": ("output", "voice"),
    }
    audio: dict[str, dict[str, Any]] = {}
    for name, (side, place) in places.items():
        if name in beta:
            value = {"type": BETA_FORMATS[beta[name]]} if place == "format" else beta[name]
            audio.setdefault(side, {})[place] = value
    return {**result, "audio": audio} if audio else result


def _ga_item(item: dict[str, Any]) -> dict[str, Any]:
    return _with_content(item, _BETA_CONTENT)


def _beta_item(item: dict[str, Any]) -> dict[str, Any]:
    return _with_content(item, _BETA_CONTENT_OF)


def _with_content(item: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if "content" not in item:
        return item
    content = [{**part, "type": names.get(part["type"], part["type"])} for part in item["content"]]
    return {**item, "content": content}
