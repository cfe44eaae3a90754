"""The table of event types: one row says what there is to know of a type. To read another API is to add rows.

Types are those of the GA reference (``openai.types.realtime``), the Beta names, which old servers still send, those of
GPT-Live (``openai.types.live``), and those of translation and transcription sessions. Their names clash nowhere.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from tui.audio_format import PCM16_24K, AudioFormat
from tui.wire import summaries as say
from tui.wire.frames import BINARY_TYPE, BROKEN_TYPE, NESTING_TYPE, inner, type_of
from tui.wire.text import audio_duration, text


class Family(enum.StrEnum):
    """What an event is about; decides its colour. The values name the theme variables ``family-<value>``."""

    SESSION = "session"
    INPUT = "input"
    CONVERSATION = "conversation"
    RESPONSE = "response"
    TOOL = "tool"
    LIMITS = "limits"
    ERROR = "error"
    UNKNOWN = "unknown"


class Side(enum.StrEnum):
    """Who speaks in an event, in whichever direction it goes: a sideband receives the user's voice too."""

    USER = "user"
    AGENT = "agent"


class Ends(enum.Enum):
    """Which runs of folded events an event ends."""

    NOTHING = enum.auto()
    SENT_AUDIO = enum.auto()
    """The run of sent audio: it goes on for minutes, and a new row behind this event keeps the order."""
    EVERYTHING = enum.auto()
    """Ids mean nothing in another connection."""


@dataclass(frozen=True, slots=True)
class EventType:
    """What is known of a type."""

    family: Family = Family.UNKNOWN
    summary: say.Summary = say.rest
    audio: str = ""
    """The key of the base64 audio; "" for none."""
    text: str = ""
    """The key of a piece of text that the next event of its kind continues; "" for none."""
    side: Side | None = None
    """Whose audio or text it is."""
    folds: bool = False
    """Events of the type come in runs, and are shown as one growing row."""
    ends: Ends = Ends.NOTHING
    alarm: Callable[[Mapping[str, Any]], bool] | bool = False
    """The event says that something failed."""
    omits: str = ""
    """The prefix that the rest of the type makes unmistakable."""


def _failed(event: Mapping[str, Any]) -> bool:
    response = event.get("response")
    return isinstance(response, Mapping) and response.get("status") in ("failed", "incomplete")


def _ended_early(event: Mapping[str, Any]) -> bool:
    return event.get("reason") not in (None, "close_requested")


_SESSION: Final = EventType(Family.SESSION, say.session)
_RESPONSE: Final = EventType(Family.RESPONSE, say.of("text", "transcript", "delta", "item_id"), omits="response.")
_INPUT: Final = EventType(Family.INPUT, say.of("item_id"), ends=Ends.SENT_AUDIO)
_ITEM: Final = EventType(Family.CONVERSATION, say.item, omits="conversation.")
_TOOL: Final = replace(_RESPONSE, family=Family.TOOL)
_FAILURE: Final = EventType(Family.ERROR, say.error, alarm=True)
_DELEGATED: Final = EventType(Family.TOOL, say.delegation, omits="session.")
_ACKNOWLEDGED: Final = EventType(Family.CONVERSATION, say.on_timeline, omits="session.")
_APPENDED: Final = EventType(Family.CONVERSATION, say.of("content"), omits="session.")
_SENT_AUDIO: Final = EventType(Family.INPUT, audio="audio", side=Side.USER, folds=True)
_VOICE: Final = EventType(Family.RESPONSE, audio="delta", side=Side.AGENT, folds=True, omits="response.")
_AGENT_TEXT: Final = replace(_RESPONSE, text="delta", side=Side.AGENT, folds=True)
_USER_TEXT: Final = EventType(
    Family.CONVERSATION,
    say.of("transcript", "delta", "text"),
    text="delta",
    side=Side.USER,
    folds=True,
    omits="conversation.item.input_audio_",
)
_TRANSCRIBED: Final = replace(_USER_TEXT, text="", folds=False)
_CALL_TEXT: Final = replace(_TOOL, summary=say.arguments, text="delta", folds=True)

_TYPES: Final[Mapping[str, EventType]] = {
    # The session
    "session.": _SESSION,
    "transcription_session.": _SESSION,
    "websocket.": EventType(Family.SESSION, say.of("text"), ends=Ends.EVERYTHING),
    "error": _FAILURE,
    "rate_limits.": EventType(Family.LIMITS, say.limits),
    BROKEN_TYPE: EventType(Family.ERROR, alarm=True),
    BINARY_TYPE: EventType(Family.ERROR, alarm=True),
    # What the user says
    "input_audio_buffer.": _INPUT,
    "input_audio_buffer.append": _SENT_AUDIO,
    "input_audio_buffer.speech_": replace(_INPUT, summary=say.moment, omits="input_audio_buffer."),
    "conversation.item.input_audio_transcription.": _TRANSCRIBED,
    "conversation.item.input_audio_transcription.delta": _USER_TEXT,
    "conversation.item.input_audio_transcription.failed": replace(_FAILURE, omits=_USER_TEXT.omits),
    # Items
    "conversation.": EventType(Family.CONVERSATION),
    "conversation.created": EventType(Family.CONVERSATION, say.conversation),
    "conversation.item.": _ITEM,
    "conversation.item.truncate": replace(_ITEM, summary=say.moment),
    # Responses
    "output_audio_buffer.": EventType(Family.RESPONSE),
    "response.": _RESPONSE,
    "response.create": replace(_RESPONSE, summary=say.response, omits=""),
    "response.created": replace(_RESPONSE, summary=say.response, omits="", ends=Ends.SENT_AUDIO),
    "response.done": replace(_RESPONSE, summary=say.response, omits="", alarm=_failed),
    "response.cancel": replace(_RESPONSE, summary=say.of("response_id"), omits=""),
    "response.output_item.": replace(_RESPONSE, summary=say.item),
    "response.content_part.": replace(_RESPONSE, summary=say.part),
    "response.output_audio.delta": _VOICE,
    "response.audio.delta": _VOICE,
    "response.output_audio_transcript.delta": _AGENT_TEXT,
    "response.audio_transcript.delta": _AGENT_TEXT,
    "response.output_text.delta": _AGENT_TEXT,
    "response.text.delta": _AGENT_TEXT,
    # Tools
    "response.function_call": _TOOL,
    "response.function_call_arguments.": replace(_TOOL, summary=say.arguments),
    "response.function_call_arguments.delta": _CALL_TEXT,
    "response.mcp_call": _TOOL,
    "response.mcp_call_arguments.delta": replace(_CALL_TEXT, summary=_RESPONSE.summary),
    "mcp_list_tools.": EventType(Family.TOOL),
    # GPT-Live, and translation sessions
    "session.input_audio.append": _SENT_AUDIO,
    "session.input_audio_buffer.append": _SENT_AUDIO,
    "session.input_audio.": EventType(Family.INPUT, say.nothing, omits="session."),
    "session.output_audio.delta": replace(_VOICE, omits="session."),
    "session.output_audio.fixture.": EventType(Family.RESPONSE, say.nothing, omits="session."),
    "session.output_audio.fixture.play": EventType(Family.RESPONSE, audio="audio", side=Side.AGENT, omits="session."),
    "session.input_transcript.delta": replace(_USER_TEXT, family=Family.INPUT, omits="session."),
    "session.output_transcript.delta": replace(_AGENT_TEXT, omits="session."),
    "session.instructions.append": _APPENDED,
    "session.thinking.append": _APPENDED,
    "session.commentary.append": _APPENDED,
    "session.instructions.appended": _ACKNOWLEDGED,
    "session.thinking.appended": _ACKNOWLEDGED,
    "session.commentary.appended": _ACKNOWLEDGED,
    "session.delegation.": _DELEGATED,
    "session.usage.": EventType(Family.LIMITS, say.usage),
    "session.closed": EventType(Family.SESSION, say.usage, alarm=_ended_early),
    "session.close": EventType(Family.SESSION, say.nothing),
    "response.item.create": EventType(Family.CONVERSATION, say.item),
    "decision.": EventType(Family.TOOL),
    "transport.": EventType(Family.SESSION, say.call),
    "transport.failed": EventType(Family.SESSION, say.call, alarm=True),
    "info": EventType(Family.SESSION, say.error),
    # Events of the Responses API, inside those of GPT-Live
    f"{NESTING_TYPE}/response.failed": replace(_RESPONSE, summary=say.response, alarm=True),
    f"{NESTING_TYPE}/response.incomplete": replace(_RESPONSE, summary=say.response, alarm=True),
    f"{NESTING_TYPE}/response.completed": replace(_RESPONSE, summary=say.response),
}
"""Type -> what is known of it. A name that ends in a dot or an underscore, and one of a tool's call, stands for every
type that begins with it; the longest one counts."""

_PREFIXES: Final = sorted(
    (name for name in _TYPES if name.endswith((".", "_")) or name in ("response.function_call", "response.mcp_call")),
    key=len,
    reverse=True,
)


@lru_cache(maxsize=4096)
def event_type(name: str) -> EventType:
    """Return what is known of a type, whatever its name."""
    known = _TYPES.get(name)
    if known is None and name.startswith(f"{NESTING_TYPE}/"):
        known = event_type(name.removeprefix(f"{NESTING_TYPE}/"))
    if known is None:
        known = next((_TYPES[prefix] for prefix in _PREFIXES if name.startswith(prefix)), EventType())
    # Types that are not known may come in runs, or tell a failure, by the same names as those that are.
    if name.endswith(".delta") and not known.folds:
        known = replace(known, folds=True)
    if name.endswith(".failed") and known.alarm is False:
        known = replace(known, alarm=True)
    return known


def label(name: str) -> str:
    """Return the type without the prefix that the rest makes unmistakable.

    ``response.output_text.delta`` -> ``output_text.delta``, ``conversation.item.added`` -> ``item.added``;
    ``response.done`` and ``input_audio_buffer.commit`` stay.
    """
    outer, _, nested = name.rpartition("/")
    if outer == NESTING_TYPE:
        return f"event/{nested.removeprefix('response.')}"
    rest = name.removeprefix(event_type(name).omits)
    return rest if rest and ("." in rest or name.startswith(("conversation.item.", "input_audio_buffer."))) else name


def summary(event: Mapping[str, Any], audio: AudioFormat = PCM16_24K) -> str:
    """Return one line that says what an event holds, without its type; "" when its type says it all.

    Args:
        event: the event.
        audio: the format of audio in it.
    """
    if not isinstance(event.get("type"), str):
        return text(event)
    row, said = event_type(type_of(event)), inner(event)
    if row.audio:
        payload = said.get(row.audio)
        return audio_duration(len(payload) * 3 // 4, audio) if isinstance(payload, str) else ""
    return row.summary(said)


def is_alarm(event: Mapping[str, Any]) -> bool:
    """Return whether an event says that something failed: errors, failed or cut-short responses, calls and sessions."""
    if not isinstance(event.get("type"), str):
        return False
    alarm = event_type(type_of(event)).alarm
    return alarm if isinstance(alarm, bool) else alarm(inner(event))


def audio_of(event: Mapping[str, Any]) -> str:
    """Return the base64 text of the audio in an event; "" for none."""
    payload = inner(event).get(event_type(type_of(event)).audio or "")
    return payload if isinstance(payload, str) else ""


def delta_text(event: Mapping[str, Any]) -> str:
    """Return the piece of text that an event adds; "" for none."""
    piece = inner(event).get(event_type(type_of(event)).text or "")
    return piece if isinstance(piece, str) else ""
