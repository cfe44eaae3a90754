"""Server events of every type, as the API has them, for tests that go through all of them.

They are made here. ``tests/unit/test_recordings.py`` holds them against the types of the ``openai`` package.
"""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]

_SAID = "Good morning. The museum opens at ten."
_PCM = {"type": "audio/pcm", "rate": 24000}

_MESSAGE: Event = {
    "id": "item_agent",
    "object": "realtime.item",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_audio", "transcript": _SAID}],
}
_QUESTION: Event = {
    "id": "item_user",
    "object": "realtime.item",
    "type": "message",
    "role": "user",
    "status": "completed",
    "content": [{"type": "input_text", "text": "When does the museum open?"}],
}
_CALL: Event = {
    "id": "item_call",
    "object": "realtime.item",
    "type": "function_call",
    "status": "completed",
    "name": "opening_hours",
    "call_id": "call_1",
    "arguments": '{"place":"museum"}',
}
_USAGE: Event = {
    "total_tokens": 94,
    "input_tokens": 60,
    "output_tokens": 34,
    "input_token_details": {"text_tokens": 40, "audio_tokens": 20, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 10, "audio_tokens": 24},
}
_RESPONSE: Event = {
    "id": "resp_1",
    "object": "realtime.response",
    "status": "completed",
    "status_details": None,
    "output": [_MESSAGE],
    "usage": _USAGE,
    "metadata": None,
}
_SESSION: Event = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime-2.1",
    "output_modalities": ["audio"],
    "instructions": "Answer briefly.",
    "tools": [],
    "tool_choice": "auto",
    "expires_at": 1_800_000_000,
    "audio": {
        "input": {
            "format": _PCM,
            "transcription": {"model": "gpt-live-transcribe"},
            "noise_reduction": None,
            "turn_detection": {"type": "semantic_vad", "create_response": True, "interrupt_response": True},
        },
        "output": {"format": _PCM, "voice": "marin", "speed": 1.0},
    },
}
_BETA_SESSION: Event = {
    "id": "sess_1",
    "object": "realtime.session",
    "model": "gpt-4o-realtime-preview",
    "modalities": ["audio", "text"],
    "instructions": "Answer briefly.",
    "voice": "alloy",
    "input_audio_format": "pcm16",
    "output_audio_format": "pcm16",
    "input_audio_transcription": None,
    "turn_detection": {"type": "server_vad", "threshold": 0.5, "silence_duration_ms": 200},
    "tools": [],
    "tool_choice": "auto",
    "temperature": 0.8,
    "max_response_output_tokens": "inf",
    "expires_at": 1_800_000_000,
}
_OF_PART: Event = {"response_id": "resp_1", "item_id": "item_agent", "output_index": 0, "content_index": 0}
_OF_CALL: Event = {"response_id": "resp_1", "item_id": "item_call", "output_index": 0}
_OF_AUDIO: Event = {"item_id": "item_user", "content_index": 0}

_COMMON: dict[str, Event] = {
    "conversation.item.created": {"previous_item_id": None, "item": _QUESTION},
    "conversation.item.deleted": {"item_id": "item_old"},
    "conversation.item.retrieved": {"item": _QUESTION},
    "conversation.item.truncated": {"item_id": "item_agent", "content_index": 0, "audio_end_ms": 1250},
    "conversation.item.input_audio_transcription.completed": {
        **_OF_AUDIO,
        "transcript": "When does it open?",
        "usage": {"type": "duration", "seconds": 2.0},
    },
    "conversation.item.input_audio_transcription.delta": {**_OF_AUDIO, "delta": "When "},
    "conversation.item.input_audio_transcription.failed": {
        **_OF_AUDIO,
        "error": {
            "type": "server_error",
            "code": "too_noisy",
            "message": "Nothing could be understood.",
            "param": None,
        },
    },
    "error": {
        "error": {
            "type": "invalid_request_error",
            "code": "invalid_value",
            "message": "There is no voice of this name.",
            "param": "session.audio.output.voice",
            "event_id": "mine_7",
        }
    },
    "input_audio_buffer.cleared": {},
    "input_audio_buffer.committed": {"previous_item_id": "item_old", "item_id": "item_user"},
    "input_audio_buffer.speech_started": {"audio_start_ms": 840, "item_id": "item_user"},
    "input_audio_buffer.speech_stopped": {"audio_end_ms": 2960, "item_id": "item_user"},
    "rate_limits.updated": {
        "rate_limits": [{"name": "tokens", "limit": 40_000, "remaining": 39_100, "reset_seconds": 1.4}]
    },
    "response.created": {"response": {**_RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    "response.done": {"response": _RESPONSE},
    "response.output_item.added": {"response_id": "resp_1", "output_index": 0, "item": {**_MESSAGE, "content": []}},
    "response.output_item.done": {"response_id": "resp_1", "output_index": 0, "item": _CALL},
    "response.content_part.added": {**_OF_PART, "part": {"type": "audio", "transcript": ""}},
    "response.content_part.done": {**_OF_PART, "part": {"type": "audio", "transcript": _SAID}},
    "response.function_call_arguments.delta": {**_OF_CALL, "call_id": "call_1", "delta": '{"place":'},
    "response.function_call_arguments.done": {
        **_OF_CALL,
        "call_id": "call_1",
        "arguments": '{"place":"museum"}',
    },
}
"""Type -> fields, for the types that GA and Beta share."""

_GA: dict[str, Event] = {
    "response.function_call_arguments.done": {
        **_COMMON["response.function_call_arguments.done"],
        "name": "opening_hours",
    },
    "session.created": {"session": _SESSION},
    "session.updated": {"session": {**_SESSION, "output_modalities": ["text"]}},
    "conversation.created": {"conversation": {"id": "conv_1", "object": "realtime.conversation"}},
    "conversation.item.added": {"previous_item_id": None, "item": _QUESTION},
    "conversation.item.done": {"previous_item_id": "item_user", "item": _MESSAGE},
    "conversation.item.input_audio_transcription.segment": {
        **_OF_AUDIO,
        "id": "seg_1",
        "speaker": "speaker_1",
        "text": "When does it open?",
        "start": 0.8,
        "end": 2.9,
    },
    "input_audio_buffer.timeout_triggered": {"audio_start_ms": 3000, "audio_end_ms": 9000, "item_id": "item_user"},
    "input_audio_buffer.dtmf_event_received": {"event": "5", "received_at": 1_800_000_000},
    "output_audio_buffer.started": {"response_id": "resp_1"},
    "output_audio_buffer.stopped": {"response_id": "resp_1"},
    "output_audio_buffer.cleared": {"response_id": "resp_1"},
    "response.output_audio.delta": {**_OF_PART, "delta": "AAAAAAAAAAA="},
    "response.output_audio.done": _OF_PART,
    "response.output_audio_transcript.delta": {**_OF_PART, "delta": "Good "},
    "response.output_audio_transcript.done": {**_OF_PART, "transcript": _SAID},
    "response.output_text.delta": {**_OF_PART, "delta": "The museum "},
    "response.output_text.done": {**_OF_PART, "text": "The museum opens at ten."},
    "response.mcp_call_arguments.delta": {**_OF_CALL, "delta": "{", "obfuscation": None},
    "response.mcp_call_arguments.done": {**_OF_CALL, "arguments": "{}"},
    "response.mcp_call.in_progress": {"item_id": "item_call", "output_index": 0},
    "response.mcp_call.completed": {"item_id": "item_call", "output_index": 0},
    "response.mcp_call.failed": {"item_id": "item_call", "output_index": 0},
    "mcp_list_tools.in_progress": {"item_id": "item_tools"},
    "mcp_list_tools.completed": {"item_id": "item_tools"},
    "mcp_list_tools.failed": {"item_id": "item_tools"},
}

_BETA_MESSAGE: Event = {**_MESSAGE, "content": [{"type": "audio", "transcript": _SAID}]}

_BETA: dict[str, Event] = {
    "response.done": {"response": {**_RESPONSE, "output": [_BETA_MESSAGE]}},
    "transcription_session.updated": {
        "session": {"client_secret": {"value": "", "expires_at": 1_800_000_000}, "input_audio_format": "pcm16"}
    },
    "session.created": {"session": _BETA_SESSION},
    "session.updated": {"session": {**_BETA_SESSION, "modalities": ["text"]}},
    "conversation.created": {"conversation": {"id": "conv_1", "object": "realtime.conversation"}},
    "response.audio.delta": {**_OF_PART, "delta": "AAAAAAAAAAA="},
    "response.audio.done": _OF_PART,
    "response.audio_transcript.delta": {**_OF_PART, "delta": "Good "},
    "response.audio_transcript.done": {**_OF_PART, "transcript": _SAID},
    "response.text.delta": {**_OF_PART, "delta": "The museum "},
    "response.text.done": {**_OF_PART, "text": "The museum opens at ten."},
}

BETA_CREATED: Event = {"type": "session.created", "event_id": "event_1", "session": _BETA_SESSION}
"""What a Beta server sends first: a flat session without a ``type``."""

BETA_OVER: Event = {
    "type": "error",
    "event_id": "event_1",
    "error": {
        "type": "invalid_request_error",
        "code": "beta_api_shape_disabled",
        "message": "The Beta shape of the Realtime API is no longer served. Use the GA shape.",
        "param": None,
        "event_id": None,
    },
}
"""What OpenAI answers since September 2026 to a client that asks for Beta, before it closes with 4000."""


def examples(dialect: str) -> list[Event]:
    """Return one server event of each type, for ``ga`` or ``beta``."""
    own = _GA if dialect == "ga" else _BETA
    return [
        {"type": event_type, "event_id": f"event_{number}", **fields}
        for number, (event_type, fields) in enumerate({**_COMMON, **own}.items(), 1)
    ]
