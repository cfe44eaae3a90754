"""What events say about failures, in plain words, under a stable name."""

from __future__ import annotations

from string import Formatter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui import wire
from tui.failures import events as failures
from tui.failures.table import KINDS, Retry, cause


@pytest.mark.parametrize("name", KINDS)
def test_every_row_makes_sense(name: str) -> None:
    row = KINDS[name]
    texts = (row.sentence, row.fix, row.line)
    fields = {field for text in texts for _, field, _, _ in Formatter().parse(text) if field}
    said = [text.format(**dict.fromkeys(fields, "X")) for text in texts]
    assert said[0] and not any("{" in text for text in said)
    assert not any(key in text for text in said for key in ("ctrl+", "F1", "F2", "press ")), "keys can be mapped"


def test_what_is_tried_again_may_pass() -> None:
    assert cause("closed-1006").passes and cause("closed-1006").retry is Retry.BACK_OFF
    assert not cause("closed-1000").passes


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 7.2s.", 7.2),
        ("Please try again in 1m2.5s. Visit", 62.5),
        ("Please try again in 340ms.", 0.34),
        ("Please try again in 6m0s.", 360.0),
        ("Try again in 1h2m3s", 3723.0),
        ("Please retry after 9 seconds.", 9.0),
        ("Please try again in a while.", None),
        ("try again in 99999999999s", None),
        ("", None),
    ],
)
def test_the_seconds_to_wait(message: str, seconds: float | None) -> None:
    assert failures.seconds_to_wait(message) == seconds


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        ([{"remaining": 0, "reset_seconds": 3}, {"remaining": 0, "reset_seconds": 5.5}], 5.5),
        ([{"remaining": 1, "reset_seconds": 3}], None),
        ([{"remaining": 0, "reset_seconds": "soon"}, 7], None),
        ([{"remaining": 0, "reset_seconds": -1}], None),
        ("none", None),
    ],
)
def test_when_a_limit_is_reset(limits: object, seconds: float | None) -> None:
    assert failures.reset_after(limits) == seconds


@pytest.mark.parametrize(
    ("details", "name", "words"),
    [
        ({"error": {"code": "rate_limit_exceeded", "message": "Try again in 7.2s."}}, "rate-limit", "Wait 8 s."),
        ({"error": {"code": "rate_limit_exceeded"}}, "rate-limit", "Wait 3 s."),
        ({"error": {"type": "insufficient_quota", "message": "Used up."}}, "response-quota", "Used up."),
        ({"error": {"code": "content_filter"}}, "prompt-filtered", "refused what was asked"),
        ({"error": {"type": "server_error", "message": "Sorry."}}, "response-failed", "failed: Sorry."),
        ({"error": "No memory is left."}, "response-failed", "failed: No memory is left."),
        ({}, "response-failed", "gave no reason"),
    ],
)
def test_responses_that_failed(details: dict[str, Any], name: str, words: str) -> None:
    found = failures.of_response({"status": "failed", "status_details": details}, 2.5)
    assert found is not None
    assert found.name == name and words in found.sentence


AGAIN = "Send it again"
"""What helps where the server has failed, or is to be asked less often; nowhere else."""


@pytest.mark.parametrize(
    ("kind", "code", "message", "fix"),
    [
        ("server_error", None, "Sorry.", AGAIN),
        ("rate_limit_error", "rate_limit_exceeded", "", "Then send it again"),
        ("tokens", None, "Rate limit reached for gpt-realtime.", "Then send it again"),
        ("invalid_request_error", "inference_not_allowed", "Inference is not allowed.", "what the account and the key"),
        ("invalid_request_error", "invalid_value", "Invalid value.", "objects to what was sent: unchanged"),
        ("invalid_request_error", None, "Invalid value.", "objects to what was sent: unchanged"),
        ("invalid_request_error", "context_length_exceeded", "Too long.", "unchanged, it is refused again"),
        ("invalid_request_error", "model_not_found", "No such model.", "name of the model"),
        ("invalid_request_error", "content_filter", "Filtered.", "other words"),
        ("invalid_request_error", "invalid_api_key", "No.", "Check the key"),
        ("insufficient_quota", "insufficient_quota", "Used up.", "billing"),
        ("billing_error", "billing_hard_limit_reached", "Used up.", "billing"),
    ],
)
def test_the_advice_fits_the_type_of_the_error(kind: str, code: str | None, message: str, fix: str) -> None:
    error = {"type": kind, "code": code, "message": message}
    failed = failures.of_response({"status": "failed", "status_details": {"type": "failed", "error": error}})
    assert failed is not None
    told = failures.of_error(error)
    for found in (failed, told):
        again = "send it again" in found.fix.lower()
        assert again is ("again" in fix and "refused" not in fix and kind != "invalid_request_error")
        if kind == "invalid_request_error":
            assert found.name not in ("response-failed", "error") and not found.passes
    if fix != AGAIN:
        assert fix in failed.fix


def test_what_the_server_objects_to_is_named() -> None:
    error = {"type": "invalid_request_error", "code": "invalid_value", "message": "No.", "param": "item.content"}
    assert failures.of_error(error).fix == "It objects to item.content: unchanged, it is refused again."
    assert failures.of_error(error).facts["param"] == "item.content"
    details = {"type": "failed", "error": error}
    found = failures.of_response({"status": "failed", "status_details": details})
    assert found is not None and found.fix == "The server objects to item.content: unchanged, it is refused again."


def test_responses_that_were_cut_short_or_went_well() -> None:
    for reason, name in (("content_filter", "content-filter"), ("max_output_tokens", "max-output-tokens")):
        found = failures.of_response({"status": "incomplete", "status_details": {"reason": reason}})
        assert found is not None and found.name == name
    for status in ("completed", "cancelled", None):
        assert failures.of_response({"status": status}) is None


@pytest.mark.parametrize(
    ("error", "name"),
    [
        ({"code": "conversation_already_has_active_response", "message": "Wait."}, "active-response"),
        ({"code": "input_audio_buffer_commit_empty"}, "audio-too-short"),
        ({"code": "unknown_parameter", "param": "session.tracing", "message": "Unknown."}, "update-refused"),
        ({"type": "server_error", "message": "Sorry."}, "error"),
        ({"type": "invalid_request_error", "code": "no", "message": "No."}, "error-refused"),
        ({"type": "invalid_request_error", "code": "session_expired"}, "expired"),
        ({"code": None, "message": "Your session hit the maximum duration of 60 minutes."}, "expired"),
        ({"code": 429, "message": "Slow down."}, "error-rate-limit"),
        ({"code": "invalid_api_key", "param": "session.model"}, "error-key"),
        ({"code": "beta_api_shape_disabled"}, "error-beta"),
        ({}, "error"),
    ],
)
def test_errors(error: dict[str, Any], name: str) -> None:
    found = failures.of_error(error)
    assert found.name == name and "None" not in found.sentence


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"error": {"type": "invalid_request_error", "code": None, "message": "No."}}, "invalid_request_error · No."),
        ({"error": {"type": "server_error"}}, "server_error"),
        ({"error": {"code": 503, "detail": "Busy."}}, "503 · Busy."),
        ({"error": "No memory is left."}, "No memory is left."),
        ({"error": '{"error": {"code": "x", "message": "In JSON."}}'}, "x · In JSON."),
        ({"error": {"error": {"error": {"code": "x", "message": "Deep."}}}}, "x · Deep."),
        ({"error": {"message": {"error": {"code": "x", "message": "Deep."}}}}, "x · Deep."),
        ({"error": {"error": "Inside.", "code": "x"}}, "x · Inside."),
        ({"error": [{"code": "x", "message": "In a list."}]}, "x · In a list."),
        ({"errors": [{"code": "x", "message": "In a list."}]}, "x · In a list."),
        ({"message": "Beside.", "code": "x"}, "x · Beside."),
        ({"detail": "Beside."}, "Beside."),
        ({"error": []}, "the server gave no reason"),
        ({"error": None}, "the server gave no reason"),
        ({}, "the server gave no reason"),
    ],
)
def test_an_error_of_any_shape_has_words_and_advice(event: dict[str, Any], said: str) -> None:
    found = failures.of_error(wire.error_of({"type": "error", **event}))
    assert found.sentence.endswith(said)
    assert found.fix and "None" not in found.sentence + found.fix


def test_a_transcription_model_that_is_not_deployed() -> None:
    azure = {"type": "server_error", "code": None, "message": "Input transcription failed for item 'i'."}
    found = failures.of_transcription(azure)
    assert found.name == "transcription-missing" and "AZRT_TRANSCRIPTION_MODEL" in found.fix
    assert failures.of_transcription({"code": "audio_unintelligible"}).name == "transcription-failed"
    assert failures.of_transcription({}).name == "transcription-failed"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
_STATUSES = st.sampled_from(["failed", "incomplete", "completed", None, 7])


@PROPERTY
@given(_STATUSES, _JSON, _JSON)
def test_nothing_is_too_odd(status: object, details: object, error: object) -> None:
    response = {"status": status, "status_details": details if details is None else {"error": error, "reason": details}}
    failures.of_response(response, failures.reset_after(details))
    failures.of_transcription(wire.error_of({"error": error, "message": details}))
    failures.of_error(wire.error_of({"error": error, "code": details, "param": error}))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"param": "session.audio.input.transcription"}, True),
        ({"param": "session.audio.input.transcription.model"}, True),
        ({"param": "audio.input.transcription.model"}, True),
        ({"param": "session.input_audio_transcription"}, True),
        ({"param": "session.audio.output.voice", "message": "not with whisper-1"}, False),
        ({"param": "session.model", "code": "model_not_found"}, False),
        ({"message": "Unknown parameter: 'session.audio.input.transcription'."}, True),
        ({"message": "The model `whisper-1` does not exist."}, True),
        ({"message": "The model `whisper-1-large` does not exist."}, False),
        ({"message": "Use my-whisper-1."}, False),
        ({"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}, True),
        ({"code": "model_not_found", "message": "No such model."}, False),
        ({"type": "server_error", "message": "Input transcription failed for item 'i'."}, False),
        ({"param": 7, "message": ["whisper-1"]}, True),
        ({}, False),
    ],
)
def test_whether_an_error_refuses_the_transcription(error: dict[str, object], expected: bool) -> None:
    assert failures.is_about_transcription(error, "whisper-1") is expected
    if not expected:
        assert failures.is_about_transcription(error, "") is False, "none is asked for"


@pytest.mark.parametrize(
    ("error", "missing"),
    [
        ({"code": "DeploymentNotFound"}, True),
        ({"code": "model_not_found"}, True),
        ({"code": "404", "message": "The API deployment for this resource does not exist."}, True),
        ({"message": "The model `gpt-live-transcribe` does not exist or you do not have access to it."}, True),
        ({"type": "invalid_request_error", "message": "Unsupported model."}, True),
        ({"code": "audio_unintelligible", "message": "The audio could not be transcribed."}, False),
        ({"code": "rate_limit_exceeded", "message": "Too many requests to the model."}, False),
    ],
)
def test_whether_the_transcription_model_is_missing(error: dict[str, object], missing: bool) -> None:
    found = failures.of_transcription(error)
    assert found.name == ("transcription-missing" if missing else "transcription-failed")


def test_short_words_fit_beside_others() -> None:
    short = {name: row.short for name, row in KINDS.items() if row.short}
    assert len(short) > 40
    assert not {name: words for name, words in short.items() if len(words) > 55 or words[-1] not in ".?"}
