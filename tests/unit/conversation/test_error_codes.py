"""The sorts of errors: by code, by type, and by what their words say."""

from __future__ import annotations

import pytest

from tui.failures.error_codes import Sort, sort_of, sort_of_reason


@pytest.mark.parametrize(
    ("code", "kind", "message", "sort"),
    [
        ("session_expired", "invalid_request_error", "", Sort.EXPIRED),
        ("", "invalid_request_error", "Your session hit the maximum duration of 60 minutes.", Sort.EXPIRED),
        ("rate_limit_exceeded", "tokens", "", Sort.RATE_LIMIT),
        ("RateLimitReached", "", "", Sort.RATE_LIMIT),
        ("429", "", "", Sort.RATE_LIMIT),
        (
            "",
            "server_error",
            "Rate limit reached for gpt-realtime on tokens per min (TPM): Limit 40000",
            Sort.RATE_LIMIT,
        ),
        ("", "insufficient_quota", "", Sort.QUOTA),
        ("429", "", "", Sort.RATE_LIMIT),
        ("", "invalid_request_error", "You exceeded your current quota, please check your plan", Sort.QUOTA),
        ("invalid_request_error", "", "You have exceeded your quota.", Sort.QUOTA),
        ("invalid_api_key", "invalid_request_error", "", Sort.KEY),
        ("", "", "Incorrect API key provided: sk-***", Sort.KEY),
        ("DeploymentNotFound", "", "", Sort.MODEL),
        ("", "invalid_request_error", "The model `gpt-9` does not exist or you do not have access to it.", Sort.MODEL),
        ("content_filter", "invalid_request_error", "", Sort.FILTERED),
        ("inference_not_allowed", "invalid_request_error", "", Sort.FORBIDDEN),
        ("unknown_parameter", "invalid_request_error", "Unknown parameter: 'rate limit'.", Sort.REQUEST),
        ("no_such_code", "invalid_request_error", "No.", Sort.REQUEST),
        ("no_such_code", "server_error", "Sorry.", Sort.SERVER),
        ("", "server_error", "The server had an error while processing your request.", Sort.SERVER),
        ("", "", "No memory is left.", Sort.UNKNOWN),
    ],
)
def test_the_sort_of_an_error(code: str, kind: str, message: str, sort: Sort) -> None:
    assert sort_of(code, kind, message) is sort


@pytest.mark.parametrize(
    ("reason", "sort"),
    [
        ("invalid_request_error.session_expired", Sort.EXPIRED),
        ("session_expired", Sort.EXPIRED),
        ("Your session hit the maximum duration of 30 minutes.", Sort.EXPIRED),
        ("invalid_request_error.invalid_api_key", Sort.KEY),
        ("The token has expired.", Sort.KEY),
        ("Unauthorized", Sort.KEY),
        ("invalid_request_error.beta_api_shape_disabled", Sort.BETA),
        ("insufficient_quota", Sort.QUOTA),
        ("You have exceeded your quota", Sort.QUOTA),
        ("rate_limit_exceeded: try again in 3s", Sort.RATE_LIMIT),
        ("Too Many Requests", Sort.RATE_LIMIT),
        ("model_not_found", Sort.MODEL),
        ('{"error":{"code":"DeploymentNotFound"}}', Sort.MODEL),
        ("content_filter", Sort.FILTERED),
        ("server_error", Sort.SERVER),
        ("Server is shutting down", Sort.RESTARTS),
        ("idle timeout", Sort.IDLE),
        ("invalid_request_error.invalid_event", Sort.REQUEST),
        ("keepalive ping timeout", Sort.UNKNOWN),
        ("policy", Sort.UNKNOWN),
        ("", Sort.UNKNOWN),
    ],
)
def test_the_sort_of_a_reason(reason: str, sort: Sort) -> None:
    assert sort_of_reason(reason) is sort
