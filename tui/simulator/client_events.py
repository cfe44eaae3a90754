"""What a GA client may send: one check per event type, field for field as the API description has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.simulator.events import ClientError
from tui.simulator.validation import (
    Check,
    anything,
    array,
    boolean,
    bounded_string,
    choice,
    fields,
    integer,
    listing,
    mapping,
    nullable,
    number,
    string,
    string_or,
    tagged,
)

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar")

MAX_APPEND = 15 * 1024 * 1024 * 4 // 3
"""Characters of base64 in one append: 15 MiB of audio."""

MAX_OUTPUT_TOKENS = string_or(integer(1, 4096), "inf")
METADATA = nullable(mapping(string))
PROMPT = nullable(fields({"id": string, "variables": nullable(anything), "version": nullable(string)}, "id"))
VOICE = string_or(fields({"id": string}, "id"), *VOICES)

SERVER_VAD: Mapping[str, Check] = {
    "type": string,
    "create_response": boolean,
    "idle_timeout_ms": nullable(integer(5000, 30000)),
    "interrupt_response": boolean,
    "prefix_padding_ms": integer(0),
    "silence_duration_ms": integer(0),
    "threshold": number(0, 1),
}
SEMANTIC_VAD: Mapping[str, Check] = {
    "type": string,
    "create_response": boolean,
    "eagerness": choice("low", "medium", "high", "auto"),
    "interrupt_response": boolean,
}
TURN_DETECTION = nullable(tagged({"server_vad": fields(SERVER_VAD), "semantic_vad": fields(SEMANTIC_VAD)}))

TRANSCRIPTION = nullable(
    fields(
        {
            "delay": choice("minimal", "low", "medium", "high", "xhigh"),
            "keywords": array(string),
            "language": nullable(string),
            "languages": array(string),
            "model": string,
            "prompt": nullable(string),
        }
    )
)
NOISE_REDUCTION = nullable(fields({"strength": number(0, 1), "type": choice("near_field", "far_field")}))

_AUDIO_FORMAT = tagged(
    {
        "audio/pcm": fields({"type": string, "rate": integer(24000, 24000)}),
        "audio/pcmu": fields({"type": string}),
        "audio/pcma": fields({"type": string}),
    }
)

_FUNCTION = fields(
    {"type": string, "name": string, "description": nullable(string), "parameters": nullable(anything)}, "name"
)
_MCP = fields(
    {
        "type": string,
        "server_label": string,
        "allowed_callers": nullable(array(string)),
        "allowed_tools": anything,
        "authorization": nullable(string),
        "connector_id": nullable(string),
        "defer_loading": boolean,
        "headers": nullable(mapping(string)),
        "require_approval": anything,
        "server_description": nullable(string),
        "server_url": nullable(string),
        "tunnel_id": nullable(string),
    },
    "server_label",
)
TOOLS = array(tagged({"function": _FUNCTION, "mcp": _MCP}), longest=128)
TOOL_CHOICE = string_or(
    tagged(
        {
            "function": fields({"type": string, "name": string}, "name"),
            "mcp": fields({"type": string, "server_label": string, "name": nullable(string)}, "server_label"),
        }
    ),
    "none",
    "auto",
    "required",
)

TRACING = nullable(
    string_or(
        fields({"group_id": nullable(string), "metadata": nullable(anything), "workflow_name": nullable(string)}),
        "auto",
    )
)
REASONING = nullable(fields({"effort": choice("minimal", "low", "medium", "high", "xhigh")}))


def _modalities(value: Any, path: str) -> None:
    array(choice("text", "audio"))(value, path)
    if value not in (["text"], ["audio"]):
        raise ClientError(
            f"Invalid modalities: {value}. Supported combinations are: ['text'] and ['audio'].",
            code="invalid_value",
            param=path,
        )


_SESSION = fields(
    {
        "type": string,
        "audio": fields(
            {
                "input": fields(
                    {
                        "format": _AUDIO_FORMAT,
                        "noise_reduction": NOISE_REDUCTION,
                        "transcription": TRANSCRIPTION,
                        "turn_detection": TURN_DETECTION,
                    }
                ),
                "output": fields({"format": _AUDIO_FORMAT, "speed": number(0.25, 1.5), "voice": VOICE}),
            }
        ),
        "include": nullable(array(choice("item.input_audio_transcription.logprobs"))),
        "instructions": string,
        "max_output_tokens": MAX_OUTPUT_TOKENS,
        "model": string,
        "output_modalities": _modalities,
        "parallel_tool_calls": nullable(boolean),
        "prompt": PROMPT,
        "reasoning": REASONING,
        "tool_choice": TOOL_CHOICE,
        "tools": TOOLS,
        "tracing": TRACING,
        "truncation": string_or(
            fields(
                {
                    "type": choice("retention_ratio"),
                    "retention_ratio": number(0, 1),
                    "token_limits": nullable(fields({"post_instructions": integer(0)})),
                },
                "type",
                "retention_ratio",
            ),
            "auto",
            "disabled",
        ),
    }
)


def _no_transcription_session(value: Any, path: str) -> None:
    raise ClientError(
        "Passing a transcription session update event to a realtime session is not allowed.",
        code="invalid_parameter",
        param=f"{path}.type",
    )


SESSION = tagged({"realtime": _SESSION, "transcription": _no_transcription_session})


def item_check(assistant_content: Mapping[str, Check]) -> Check:
    """Return the check of a conversation item; the dialects differ in what an assistant message holds."""
    common: Mapping[str, Check] = {"type": string, "id": string, "object": string, "status": string}
    text = fields({"type": string, "text": string}, "text")
    roles = {
        "system": array(tagged({"input_text": text})),
        "user": array(
            tagged(
                {
                    "input_text": text,
                    "input_audio": fields({"type": string, "audio": string, "transcript": nullable(string)}, "audio"),
                    "input_image": fields(
                        {"type": string, "image_url": string, "detail": choice("auto", "low", "high")}, "image_url"
                    ),
                }
            )
        ),
        "assistant": array(tagged(assistant_content)),
    }
    message = tagged(
        {role: fields({**common, "role": string, "content": content}, "content") for role, content in roles.items()},
        by="role",
    )
    call: Mapping[str, Check] = {"call_id": string, "name": string, "arguments": string}
    return tagged(
        {
            "message": message,
            "function_call": fields({**common, **call}, "name", "arguments"),
            "function_call_output": fields({**common, "call_id": string, "output": string}, "call_id", "output"),
            "mcp_approval_response": fields(
                {
                    "type": string,
                    "id": string,
                    "approval_request_id": string,
                    "approve": boolean,
                    "reason": nullable(string),
                },
                "approval_request_id",
                "approve",
            ),
        }
    )


def client_events(session: Check, item: Check, response: Mapping[str, Check]) -> Mapping[str, Check]:
    """Return the check of every client event, given those of the parts in which the dialects differ."""

    def described(known: Mapping[str, Check], *required: str) -> Check:
        return fields({"type": string, "event_id": nullable(string), **known}, *required)

    return {
        "session.update": described({"session": session}, "session"),
        "input_audio_buffer.append": described({"audio": bounded_string(MAX_APPEND)}, "audio"),
        "input_audio_buffer.commit": described({}),
        "input_audio_buffer.clear": described({}),
        "output_audio_buffer.clear": described({}),
        "conversation.item.create": described({"item": item, "previous_item_id": nullable(string)}, "item"),
        "conversation.item.truncate": described(
            {"item_id": string, "content_index": integer(0), "audio_end_ms": integer(0)},
            "item_id",
            "content_index",
            "audio_end_ms",
        ),
        "conversation.item.delete": described({"item_id": string}, "item_id"),
        "conversation.item.retrieve": described({"item_id": string}, "item_id"),
        "response.create": described({"response": nullable(fields(response))}),
        "response.cancel": described({"response_id": nullable(string)}),
    }


def check_event(event: Mapping[str, Any], known: Mapping[str, Check]) -> None:
    """Raise ClientError where `event` is not one of the `known` events."""
    if "type" not in event:
        raise ClientError("The 'type' field is missing.", code="invalid_event")
    string(event["type"], "type")
    check = known.get(event["type"])
    if check is None:
        raise ClientError(
            f"Invalid value: '{event['type']}'. Supported values are: {listing(tuple(known))}.",
            code="invalid_value",
            param="type",
        )
    check(event, "")


_NULL_MEANS_OFF = frozenset(
    {
        *("turn_detection", "transcription", "input_audio_transcription", "noise_reduction"),
        *("input_audio_noise_reduction", "idle_timeout_ms", "tracing", "prompt", "include"),
    }
)
"""Fields of a session that null turns off."""

_NULL_CLEARS: Mapping[str, Any] = {
    "instructions": "",
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "max_response_output_tokens": "inf",
}
"""Fields of a session, and what null makes of them."""

_OPAQUE = frozenset({"parameters", "arguments", "metadata", "variables", "allowed_tools", "require_approval"})
"""Fields whose content is the client's own: null means there what the client means by it."""


def without_nulls(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a checked event in which null stands only where it turns something off.

    Elsewhere a field that is null is one that is not given; in a session it clears what was set before.
    """
    known = {name: value for name, value in event.items() if value is not None}
    if event.get("type") == "session.update":
        session = {name: _NULL_CLEARS.get(name) if value is None else value for name, value in event["session"].items()}
        return {**known, "session": _given(session)}
    return _given(known)


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: each if name in _OPAQUE else _without(each)
        for name, each in fields.items()
        if each is not None or name in _NULL_MEANS_OFF or name in _OPAQUE
    }


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [_without(each) for each in value]
    return _given(value) if isinstance(value, dict) else value


ITEM = item_check(
    {
        "output_text": fields({"type": string, "text": string}, "text"),
        # The service cannot take assistant audio from a client; it asks for the text instead.
        "output_audio": fields(
            {"type": string, "text": string, "transcript": nullable(string), "audio": nullable(string)}, "text"
        ),
    }
)


def reference_or(item: Check) -> Check:
    """Accept, in the `input` of a response, an item or a reference to one by id."""
    reference = fields({"type": string, "id": string}, "id")

    def check(value: Any, path: str) -> None:
        is_reference = isinstance(value, dict) and value.get("type") == "item_reference"
        (reference if is_reference else item)(value, path)

    return check


RESPONSE: Mapping[str, Check] = {
    "audio": fields({"output": fields({"format": _AUDIO_FORMAT, "voice": VOICE})}),
    "conversation": choice("auto", "none"),
    "input": array(reference_or(ITEM)),
    "instructions": string,
    "max_output_tokens": MAX_OUTPUT_TOKENS,
    "metadata": METADATA,
    "output_modalities": _modalities,
    "parallel_tool_calls": nullable(boolean),
    "prompt": PROMPT,
    "reasoning": REASONING,
    "tool_choice": TOOL_CHOICE,
    "tools": TOOLS,
}

GA_EVENTS = client_events(SESSION, ITEM, RESPONSE)
