"""Tells the sorts of errors apart, by the codes and types that services give them, or by what their words say.

OpenAI writes ``rate_limit_exceeded``, Azure ``RateLimitReached`` or ``429``, gateways something of their own. The same
codes stand in error events, in failed responses, in HTTP answers and in the reasons of close frames.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Final


class Sort(enum.Enum):
    """The sorts of errors that ask for different advice."""

    EXPIRED = enum.auto()
    """The session has reached its time limit."""
    BETA = enum.auto()
    KEY = enum.auto()
    """The key or the token is not accepted."""
    FORBIDDEN = enum.auto()
    """The key is known, and its owner may not do this."""
    QUOTA = enum.auto()
    """Nothing is left to be paid with: waiting does not help."""
    RATE_LIMIT = enum.auto()
    MODEL = enum.auto()
    """The model or the deployment is not there, or not for this."""
    FILTERED = enum.auto()
    OVERLOADED = enum.auto()
    RESTARTS = enum.auto()
    IDLE = enum.auto()
    """Nothing was said for too long."""
    SERVER = enum.auto()
    """The server failed by itself: the same request may do well next time."""
    REQUEST = enum.auto()
    """The server objects to what it was sent: the same request is refused again."""
    UNKNOWN = enum.auto()


_CODES: Final[Mapping[Sort, str]] = {
    Sort.EXPIRED: "session_expired session_duration_exceeded session_time_limit_exceeded max_session_duration_exceeded",
    Sort.BETA: "beta_api_shape_disabled",
    Sort.KEY: "invalid_api_key incorrect_api_key missing_api_key invalid_authentication invalid_authorization "
    "authentication_error authentication_failed authentication_required unauthenticated unauthorized token_expired "
    "expired_token invalid_token invalid_auth invalid_credentials",
    Sort.FORBIDDEN: "forbidden access_denied permission_denied permission_error insufficient_permissions "
    "inference_not_allowed account_deactivated account_disabled organization_deactivated organization_restricted "
    "unsupported_country_region_territory not_allowed",
    Sort.QUOTA: "insufficient_quota quota_exceeded exceeded_quota billing_hard_limit_reached billing_limit_reached "
    "billing_not_active credit_balance_exhausted insufficient_credits insufficient_balance payment_required",
    Sort.RATE_LIMIT: "rate_limit_exceeded rate_limit_error rate_limit_reached rate_limited rate_limit "
    "too_many_requests tokens_limit_reached concurrency_limit_exceeded",
    Sort.MODEL: "model_not_found deployment_not_found model_not_available model_not_supported unsupported_model "
    "invalid_model model_does_not_exist operation_not_supported",
    Sort.FILTERED: "content_filter content_filtered content_policy_violation responsible_ai_policy_violation "
    "moderation_blocked moderation_error",
    Sort.OVERLOADED: "overloaded overloaded_error engine_overloaded server_overloaded capacity_exceeded server_busy "
    "service_unavailable",
    Sort.RESTARTS: "server_shutdown shutting_down server_restart going_away",
    Sort.IDLE: "idle_timeout session_idle_timeout inactivity_timeout session_inactive",
    Sort.SERVER: "server_error internal_server_error internal_error internal_failure api_error inference_error "
    "bad_gateway gateway_timeout",
    Sort.REQUEST: "invalid_request_error invalid_request bad_request invalid_event invalid_value invalid_type "
    "invalid_parameter unknown_parameter missing_required_parameter unsupported_parameter unsupported_value "
    "string_above_max_length array_above_max_length integer_above_max_value integer_below_min_value "
    "context_length_exceeded item_not_found conversation_item_not_found",
}
"""Codes and types, as the services write them."""

_NUMBERS: Final[Mapping[str, Sort]] = {
    "400": Sort.REQUEST,
    "401": Sort.KEY,
    "402": Sort.QUOTA,
    "403": Sort.FORBIDDEN,
    "413": Sort.REQUEST,
    "422": Sort.REQUEST,
    "429": Sort.RATE_LIMIT,
    "500": Sort.SERVER,
    "502": Sort.SERVER,
    "503": Sort.OVERLOADED,
    "504": Sort.SERVER,
    "529": Sort.OVERLOADED,
}
"""HTTP statuses, which gateways give as codes."""


def _plain(code: str) -> str:
    """Return a code without its case and its separators: ``rate_limit`` and ``RateLimit`` are one."""
    return re.sub(r"[^a-z0-9]", "", code.lower())


_SORT_OF: Final[Mapping[str, Sort]] = {_plain(code): sort for sort, codes in _CODES.items() for code in codes.split()}

_WORDS: Final[tuple[tuple[Sort, re.Pattern[str]], ...]] = tuple(
    (sort, re.compile(pattern, re.IGNORECASE))
    for sort, pattern in (
        (
            Sort.EXPIRED,
            (
                r"maximum (?:session )?duration|maximum session (?:length|time)"
                r"|session (?:has |is |was )?expired|session(?:'s)? (?:duration|time) limit"
            ),
        ),
        (
            Sort.QUOTA,
            r"exceeded (?:your|the) (?:current |monthly )?quota|insufficient quota|plan and billing|out of credits?",
        ),
        (Sort.RATE_LIMIT, r"rate limit|too many requests|too many concurrent|per[- ]min(?:ute)?\b.*limit"),
        (
            Sort.KEY,
            (
                r"(?:incorrect|invalid|wrong|missing|expired) (?:api |subscription |access )?(?:key|token|credentials?)"
                r"|(?:token|key|credentials?|jwt) (?:(?:has|have|is|are|was) )?(?:expired|invalid|revoked|no longer)"
                r"|unauthori[sz]ed|not authenticated|authentication (?:failed|required|error)|no longer authori[sz]ed"
            ),
        ),
        (Sort.MODEL, r"(?:model|deployment)\b.{0,80}\b(?:does not exist|not found|not available|not supported)"),
        (Sort.FILTERED, r"content (?:management )?(?:policy|filter)|filtered due to"),
        (Sort.FORBIDDEN, r"access denied|permission denied|forbidden"),
        (Sort.OVERLOADED, r"overloaded|at capacity|too busy|no (?:free )?capacity|slots are in use"),
        (Sort.RESTARTS, r"shutting down|restarting|restarts\b|maintenance|redeploy"),
        (Sort.IDLE, r"\bidle\b|inactiv"),
        (Sort.SERVER, r"internal (?:server )?error|server had an error"),
    )
)
"""What messages say; the first that fits counts."""

_COARSE: Final = (Sort.REQUEST, Sort.SERVER, Sort.UNKNOWN)
"""Sorts that a message may tell more of than the type of the error does."""


def sort_of(code: str, kind: str = "", message: str = "") -> Sort:
    """Return the sort of an error from its code, else its words, else its type."""
    by_code, by_type = _by_code(code), _by_code(kind)
    if by_code not in _COARSE:
        return by_code
    if by_type not in _COARSE:
        return by_type
    if by_code is Sort.UNKNOWN or _plain(code).endswith("error"):  # else the code says more than its message
        by_words = _by_words(message)
        if by_words is not Sort.UNKNOWN:
            return by_words
    return by_code if by_code is not Sort.UNKNOWN else by_type


def sort_of_reason(reason: str) -> Sort:
    """Return the sort of an error from the reason of a close frame: codes in it, joined as they come, or words."""
    found = [
        _SORT_OF[plain] for plain in map(_plain, re.findall(r"[A-Za-z][A-Za-z0-9_-]*", reason)) if plain in _SORT_OF
    ]
    return _most_telling([*found, _by_words(reason)])


def _most_telling(sorts: Iterable[Sort]) -> Sort:
    """Return the first of the sorts that are not coarse, else the first that is known."""
    known = [sort for sort in sorts if sort is not Sort.UNKNOWN]
    fine = [sort for sort in known if sort not in _COARSE]
    return (fine or known or [Sort.UNKNOWN])[0]


def _by_code(code: str) -> Sort:
    plain = _plain(code)
    return _SORT_OF.get(plain) or _NUMBERS.get(plain) or Sort.UNKNOWN


def _by_words(message: str) -> Sort:
    return next((sort for sort, pattern in _WORDS if pattern.search(message)), Sort.UNKNOWN)
