"""The plan: what the settings come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.sessions import KEY, plan
from tui.session import SessionPlan
from tui.settings import NotConfigured, Secret, Settings, SettingsError

AZURE = Settings(endpoint="https://me.openai.azure.com", deployment="chat", azure_api_key=Secret(KEY))


def test_azure() -> None:
    made = SessionPlan.from_settings(AZURE)
    assert made.target.url == "wss://me.openai.azure.com/openai/v1/realtime?model=chat"
    assert made.target.headers(made.key.reveal()) == {"api-key": KEY}
    assert (made.transcription_model, made.simulator) == ("gpt-live-transcribe", False)
    assert made.transcription_fallbacks == ("whisper-1",)
    assert made.model_settings()["model_name"] == "chat"
    assert KEY not in repr(made)


def test_the_simulator_gets_no_key() -> None:
    made = SessionPlan.from_settings(AZURE, simulator_url="ws://127.0.0.1:1/v1/realtime?model=m")
    assert (made.key, made.simulator, made.target.model) == (Secret(), True, "m")


@pytest.mark.parametrize(
    ("modality", "can_play", "expected"),
    [("auto", False, "text"), ("auto", True, "audio"), ("text", True, "text"), ("audio", False, "audio")],
)
def test_modality(modality: str, can_play: bool, expected: str) -> None:
    settings = Settings(url="ws://127.0.0.1:1/", modality=modality)  # type: ignore[arg-type]
    assert SessionPlan.from_settings(settings).model_settings(can_play=can_play)["modalities"] == [expected]


def test_what_is_done_about_the_echo() -> None:
    settings = Settings(url="ws://127.0.0.1:1/")
    assert SessionPlan.from_settings(settings).echo == "auto"
    assert SessionPlan.from_settings(replace(settings, echo="headset")).echo == "headset"


def test_what_does_not_come_to_a_connection() -> None:
    with pytest.raises(NotConfigured):
        SessionPlan.from_settings(Settings())
    with pytest.raises(SettingsError):
        SessionPlan.from_settings(Settings(endpoint="https://me.openai.azure.com", deployment="chat"))


def test_model_settings_replace_every_default_of_the_sdk_that_azure_may_refuse() -> None:
    made = plan("ws://127.0.0.1:1/", transcription_model="", turn_detection="none").model_settings()
    assert made["tracing"] is None
    assert made["audio"]["input"] == {"format": "pcm16", "transcription": None, "turn_detection": None}
    assert "model_name" not in made, "a URL that names no model leaves it to the server"
