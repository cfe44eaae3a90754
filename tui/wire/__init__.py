"""What a Realtime event is: its type, family, payload, and one line that says what it holds. No I/O.

Frames come from the network, so nothing here trusts their shape: every function takes any input and never raises.
"""

from tui.wire.direction import Direction
from tui.wire.errors import error_of
from tui.wire.frames import (
    BINARY_TYPE,
    BROKEN_TYPE,
    decoded_size,
    find_string,
    inner,
    parse,
    sniff_type,
    starts_event,
    type_of,
    why_not_event,
)
from tui.wire.table import Ends, EventType, Family, Side, audio_of, delta_text, event_type, is_alarm, label, summary
from tui.wire.text import (
    PCM16_BYTES_PER_SECOND,
    PCM16_RATE,
    audio_duration,
    content_text,
    joined,
    size,
    text,
)

__all__ = [
    "BINARY_TYPE",
    "BROKEN_TYPE",
    "PCM16_BYTES_PER_SECOND",
    "PCM16_RATE",
    "Direction",
    "Ends",
    "EventType",
    "Family",
    "Side",
    "audio_duration",
    "audio_of",
    "content_text",
    "decoded_size",
    "delta_text",
    "error_of",
    "event_type",
    "find_string",
    "inner",
    "is_alarm",
    "joined",
    "label",
    "parse",
    "size",
    "sniff_type",
    "starts_event",
    "summary",
    "text",
    "type_of",
    "why_not_event",
]
