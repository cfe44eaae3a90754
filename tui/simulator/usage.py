"""What the service meters: rate limits, and how much of a response's input was cached."""

from __future__ import annotations

from typing import Any

from tui.simulator.conversation import Tokens

REQUESTS_PER_MINUTE = 1_000
TOKENS_PER_MINUTE = 40_000

CACHE_STEP = 64
"""The service caches the prefix of a prompt in steps of this many tokens."""


class RateLimits:
    """Requests and tokens left, refilled evenly over a minute."""

    def __init__(self) -> None:
        self._left = {"requests": float(REQUESTS_PER_MINUTE), "tokens": float(TOKENS_PER_MINUTE)}
        self._at: float | None = None

    def take(self, tokens: int, now: float) -> list[dict[str, Any]]:
        """Count one request of `tokens` at `now` (seconds, monotonic) and return what `rate_limits.updated` shows."""
        elapsed = 0.0 if self._at is None else now - self._at
        self._at = now
        shown = []
        for name, limit, used in (("requests", REQUESTS_PER_MINUTE, 1), ("tokens", TOKENS_PER_MINUTE, tokens)):
            left = min(limit, self._left[name] + limit * elapsed / 60)
            left = self._left[name] = max(0.0, left - used)
            reset = round((limit - left) * 60 / limit, 3)
            shown.append({"name": name, "limit": limit, "remaining": int(left), "reset_seconds": reset})
        return shown


def cached_prefix(before: Tokens, now: Tokens) -> Tokens:
    """Return how much of the input `now` was the input `before`, in whole steps of the cache."""
    text = min(before.text, now.text) // CACHE_STEP * CACHE_STEP
    audio = min(before.audio, now.audio) // CACHE_STEP * CACHE_STEP
    return Tokens(text, audio)
