"""The models that are meant when the user names none, and the dates on which models end.

Pure: no I/O, no clock. A service that is asked knows better than the table: see ``tui.doctor.lifecycle``.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

__all__ = ["REALTIME", "TRANSCRIPTIONS", "VOICE", "WITHIN_DAYS", "Ending", "ending", "endings"]

REALTIME: Final = "gpt-realtime-2.1"
"""The model of a conversation on OpenAI. On Azure the name is a deployment, which only the user knows."""

TRANSCRIPTIONS: Final = ("gpt-live-transcribe", "whisper-1")
"""What transcribes the user's speech, in the order in which it is tried. Azure's deployments are usually called after
their model; servers of neither vendor often know only the second."""

VOICE: Final = "marin"

WITHIN_DAYS: Final = 90
"""An end that is so near is worth a word."""

Vendor = Literal["azure", "openai"]


@dataclass(frozen=True, slots=True)
class Ending:
    """When one vendor ends one model."""

    model: str
    ends: date
    instead: str
    """The model to use from then on."""
    source: date
    """When the vendor's page was read."""

    def is_near(self, today: date) -> bool:
        """Return whether it is over, or will be within ``WITHIN_DAYS``."""
        return (self.ends - today).days <= WITHIN_DAYS


_OPENAI_PAGE: Final = "2026-10-27"
_AZURE_PAGE: Final = "2026-09-02"
_AZURE_PRICES: Final = "2026-12-01"

_OPENAI: Final = (
    ("gpt-realtime", "2027-01-20", REALTIME, _OPENAI_PAGE),
    ("gpt-realtime-2025-08-28", "2027-01-20", REALTIME, _OPENAI_PAGE),
    ("gpt-realtime-mini", "2027-01-20", "gpt-realtime-2.1-mini", _OPENAI_PAGE),
    ("gpt-realtime-mini-2025-12-15", "2027-01-20", "gpt-realtime-2.1-mini", _OPENAI_PAGE),
    ("gpt-audio", "2027-01-20", "gpt-audio-1.5", _OPENAI_PAGE),
    ("gpt-audio-mini", "2027-01-20", "gpt-audio-1.5", _OPENAI_PAGE),
    ("gpt-4o-realtime-preview", "2026-05-07", REALTIME, _OPENAI_PAGE),
    ("gpt-4o-realtime-preview-2024-10-01", "2026-05-07", REALTIME, _OPENAI_PAGE),
    ("gpt-4o-realtime-preview-2024-12-17", "2026-05-07", REALTIME, _OPENAI_PAGE),
    ("gpt-4o-realtime-preview-2025-06-03", "2026-05-07", REALTIME, _OPENAI_PAGE),
    ("whisper-1", "2027-02-26", "gpt-live-transcribe", _OPENAI_PAGE),
    ("gpt-4o-transcribe", "2027-02-26", "gpt-live-transcribe", _OPENAI_PAGE),
    ("gpt-4o-transcribe-diarize", "2027-02-26", "gpt-live-transcribe", _OPENAI_PAGE),
    ("gpt-4o-mini-transcribe", "2027-02-26", "gpt-live-transcribe", _OPENAI_PAGE),
    ("gpt-4o-mini-transcribe-2025-12-15", "2027-02-26", "gpt-live-transcribe", _OPENAI_PAGE),
    ("gpt-4o-mini-transcribe-2025-03-20", "2027-01-20", "gpt-live-transcribe", _OPENAI_PAGE),
)

_AZURE: Final = (
    ("gpt-realtime", "2027-03-02", REALTIME, _AZURE_PAGE),
    ("gpt-realtime-1.5", "2027-08-24", REALTIME, _AZURE_PAGE),
    ("gpt-realtime-2", "2027-01-20", REALTIME, _AZURE_PRICES),
    ("gpt-realtime-2.1", "2027-06-25", "a newer one", _AZURE_PAGE),
    ("gpt-realtime-2.1-mini", "2027-06-25", "a newer one", _AZURE_PAGE),
    ("gpt-realtime-mini-2025-12-15", "2027-06-15", "gpt-realtime-2.1-mini", _AZURE_PAGE),
    ("gpt-realtime-mini-2025-10-06", "2027-04-06", "gpt-realtime-2.1-mini", _AZURE_PAGE),
    ("gpt-realtime-whisper", "2027-05-06", "gpt-live-transcribe", _AZURE_PRICES),
    ("gpt-realtime-translate", "2027-11-09", "a newer one", _AZURE_PRICES),
    ("gpt-transcribe", "2028-02-01", "gpt-live-transcribe", _AZURE_PRICES),
    ("gpt-live-transcribe", "2028-02-01", "a newer one", _AZURE_PRICES),
    ("gpt-4o-transcribe", "2026-10-15", "gpt-live-transcribe", _AZURE_PRICES),
    ("gpt-4o-transcribe-diarize", "2027-04-15", "gpt-live-transcribe", _AZURE_PAGE),
    ("gpt-4o-mini-transcribe-2025-12-15", "2027-06-15", "gpt-live-transcribe", _AZURE_PAGE),
    ("whisper", "2026-12-15", "gpt-live-transcribe", _AZURE_PAGE),
)


def endings(vendor: Vendor) -> tuple[Ending, ...]:
    """Return every row that is known of a vendor."""
    return tuple(
        Ending(model, date.fromisoformat(ends), instead, date.fromisoformat(source))
        for model, ends, instead, source in (_AZURE if vendor == "azure" else _OPENAI)
    )


def ending(model: str, vendor: Vendor) -> Ending | None:
    """Return when ``vendor`` ends the model of exactly this name; None where no date is known."""
    return next((row for row in endings(vendor) if row.model == model), None)
