"""Every fault of the simulator, and what ``doctor --json`` says of it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.doctoring import PATIENT, diagnose
from tests.support.faults import ELSEWHERE, SILENT, UNREADABLE
from tui.simulator import SimulatorThread
from tui.simulator.faults import FAULTS

NAMED: dict[str, dict[str, str]] = {
    "dns": {"dns": "dns"},
    "refused": {"tcp": "refused"},
    "tls-missing": {"tls": "tls"},
    "tls-silent": {"tls": "timeout"},
    "tls-hang-up": {"tls": "tls-cut"},
    "tls-expired": {"tls": "tls-expired"},
    "tls-not-yet": {"tls": "tls-not-yet"},
    "tls-name": {"tls": "tls-name"},
    "tls-untrusted": {"tls": "tls-untrusted"},
    "tls-self-signed": {"tls": "tls-untrusted"},
    "http-400": {"handshake": "http-400"},
    "http-400-tls": {"handshake": "tls-wanted"},
    "http-401": {"handshake": "http-401"},
    "http-401-role": {"handshake": "http-401-role"},
    "http-403": {"handshake": "http-403"},
    "http-404": {"handshake": "http-404"},
    "http-404-path": {"handshake": "http-404-path"},
    "http-429": {"handshake": "http-429"},
    "http-429-date": {"handshake": "http-429"},
    "http-429-quota": {"handshake": "quota"},
    "http-500": {"handshake": "http-500"},
    "http-502": {"handshake": "http-502"},
    "http-503": {"handshake": "http-503"},
    "not-websocket": {"handshake": "http-200"},
    "no-http": {"handshake": "timeout"},
    "hang-up": {"handshake": "handshake-cut"},
    "not-http": {"handshake": "handshake"},
    "bad-accept": {"handshake": "handshake"},
    "redirect": {"handshake": "redirect"},
    "redirect-loop": {"handshake": "handshake"},
    "beta-session": {"protocol": "beta-session"},
    "no-session-created": {"session": "no-session-created"},
    "beta-disabled": {"session": "beta-api"},
    "update-refused": {"update": "update-fields-refused"},
    "no-answer": {"answer": "no-answer"},
    "unnamed-error": {"answer": "error"},
    "no-response-done": {"answer": "no-response-done"},
    "response-failed": {"answer": "response-failed"},
    "rate-limit": {"answer": "rate-limit"},
    "quota": {"answer": "response-quota"},
    "prompt-filtered": {"answer": "prompt-filtered"},
    "content-filter": {"answer": "content-filter"},
    "incomplete": {"answer": "max-output-tokens"},
    "cancelled": {"answer": "response-failed"},
    "error": {"answer": "error"},
    "lost": {"answer": "closed-1006"},
    "dead": {"answer": "no-response-done", "transcription": "no-transcription", "round-trip": "no-pong"},
    **{f"close-{code}": {"answer": f"closed-{code}"} for code in (1000, 1001, 1007, 1008, 1009, 1011, 1012, 1013)},
    "close-3000": {"answer": "closed-3000"},
    "close-4000": {"answer": "closed-4000"},
    "expired": {"answer": "expired"},
    "protocol-error": {"answer": "not-websocket"},
    "slow-reader": {"transcription": "no-transcription"},
    "too-big": {"answer": "too-big"},
    **{fault: {"answer": "unreadable-frames"} for fault in UNREADABLE},
    "transcription-failed": {"transcription": "transcription-failed"},
    "transcription-missing": {"transcription": "no-transcriber"},
    "no-transcriber": {"transcription": "no-transcriber"},
}
"""Fault -> check -> the name of its cause."""

HARMLESS = (SILENT | ELSEWHERE) - UNREADABLE - {"slow-reader"}
"""Faults with which an answer comes all the same, and nothing has to be told."""

WAITED_FOR = {
    "tls-silent": replace(PATIENT, connect_s=1.0),
    "no-http": replace(PATIENT, connect_s=1.0, models_s=0.3),
    "no-session-created": replace(PATIENT, created_s=0.3),
    "no-answer": replace(PATIENT, answer_s=0.3),
    "no-response-done": replace(PATIENT, answer_s=1.0),
    "unnamed-error": replace(PATIENT, after_error_s=0.2),
    "dead": replace(PATIENT, answer_s=1.0, transcription_s=0.2, reply_s=1.0),
    "slow-reader": replace(PATIENT, transcription_s=0.2),
}
"""Faults that only a time limit finds, and how long is waited."""

WARNINGS = {"max-output-tokens", "unreadable-frames", "no-transcription", "transcription-failed", "error"}


def test_every_fault_is_here() -> None:
    assert NAMED.keys() | HARMLESS == FAULTS.keys()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=[fault]) as simulator:
        trusted = str(simulator.simulator.ca_file or "")
        environ = {"AZRT_CA_FILE": trusted, "AZURE_OPENAI_API_KEY": "a-key-that-the-simulator-does-not-ask-for"}
        found = diagnose(simulator.url(), tmp_path, limits=WAITED_FOR.get(fault, PATIENT), **environ)
    expected = NAMED.get(fault, {})
    assert found.causes() == expected
    failed = {check for check, cause in expected.items() if cause not in WARNINGS or fault == "unnamed-error"}
    assert {check for check, outcome in found.outcomes().items() if outcome == "failed"} == failed
    assert found.code == (1 if failed else 0)
    for check in failed:
        cause = found.checks[check]["cause"]
        assert cause["sentence"], "what happened"
        assert "ctrl+r" not in cause["fix"], "there is no screen to press that on"


def test_what_depends_on_a_failure_is_not_done(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=["http-404"]) as simulator:
        found = diagnose(simulator.url(), tmp_path)
    assert found.checks["handshake"]["facts"]["code"] == "DeploymentNotFound"
    assert found.checks["handshake"]["facts"]["apim-request-id"]
    assert found.checks["session"]["says"] == "not after Handshake"
    assert found.checks["sdk"]["outcome"] == "skipped"
    assert "audio" in found.summary["warnings"] or found.checks["audio"]["outcome"] in ("ok", "warning")
    assert found.summary["failed"] == ["handshake"]


def test_the_refused_field_is_named_with_the_line_that_changes_it(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=["update-refused"]) as simulator:
        found = diagnose(simulator.url(), tmp_path)
    update = found.checks["update"]
    assert update["facts"]["refused"] == "audio.input.transcription"
    assert update["cause"]["type"] == "export AZRT_TRANSCRIPTION_MODEL=none"
    assert found.checks["transcription"]["outcome"] == "skipped", "it is refused, so nothing would come"
    assert found.checks["answer"]["outcome"] == "ok", "the rest of the settings was accepted"


def test_a_redirect_is_not_followed_and_the_line_to_type_holds_nothing_of_the_servers(tmp_path: Path) -> None:
    with SimulatorThread(speed=math.inf, faults=["redirect"]) as simulator:
        found = diagnose(simulator.url(), tmp_path, OPENAI_API_KEY="canary-of-the-redirect")
        sessions = simulator.simulator.sessions
    assert not sessions
    assert found.checks["handshake"]["cause"]["type"] == "azrt-tui doctor --endpoint https://THE-OTHER-SERVER"
    assert "canary-of-the-redirect" not in found.text
