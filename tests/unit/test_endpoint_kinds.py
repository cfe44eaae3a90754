"""Every kind of voice URL is recognised, and what azrt-tui cannot speak is refused by its name with what to do."""

from pathlib import Path

import pytest

from tests.unit.test_cli import alone  # noqa: F401 - a fixture
from tui.commands import run
from tui.endpoint import KINDS, EndpointError, azure_target, explicit_target, kind_of

OPENAI = "wss://api.openai.com"
AZURE = "wss://acme.openai.azure.com"
FOUNDRY = "wss://acme.services.ai.azure.com"
GATEWAY = "wss://gw.contoso.com/team/llm"
AGENT = f"{FOUNDRY}/api/projects/p/agents/a/endpoint/protocols/voice"
HTTP = "is the HTTP call that makes a session; give the wss:// URL"

OWN = [
    (f"{OPENAI}/v1/realtime?model=m", "Realtime", ""),
    (f"{AZURE}/openai/v1/realtime?model=m", "Realtime", ""),
    (f"{AZURE}/openai/realtime?api-version=2025-04-01-preview&deployment=m", "Realtime Beta", "Beta"),
    (f"{GATEWAY}/v1/realtime?model=m", "Realtime", ""),
    (f"{GATEWAY}/openai/v1/realtime?model=m", "Realtime", ""),
    (f"{GATEWAY}/talk?model=m", "unknown", "/team/llm/talk is not a path that azrt-tui knows; it is used as given"),
]
"""What a session of our own goes to: URL, kind, what the note says."""

REFUSED = [
    (f"{OPENAI}/v1/realtime?call_id=rtc_1", "call of another client", "would change somebody's call"),
    (f"{AZURE}/openai/v1/realtime?call_id=rtc_1", "call of another client", "would change somebody's call"),
    (f"{GATEWAY}/talk?model=m&CALL_ID=rtc_1", "call of another client", "would change somebody's call"),
    (f"{OPENAI}/v1/realtime?intent=transcription", "transcription", "only transcribes"),
    (f"{AZURE}/openai/v1/realtime?intent=transcription", "transcription", "only transcribes"),
    (f"{AZURE}/openai/realtime?api-version=1&intent=transcription", "transcription", "only transcribes"),
    (f"{OPENAI}/v1/realtime/translations?model=m", "translation", "is a translation session"),
    (f"{AZURE}/openai/v1/realtime/translations?model=m", "translation", "is a translation session"),
    (f"{OPENAI}/v1/live/sessions", "Live", "is Live, not Realtime"),
    (f"{AZURE}/openai/v1/live/sessions", "Live", "is Live, not Realtime"),
    (f"{FOUNDRY}/openai/v1/live/sessions?model=gpt-live-1", "Live", "is Live, not Realtime"),
    (f"{GATEWAY}/v1/live/sessions", "Live", "is Live, not Realtime"),
    (f"{AZURE}/openai/v1/live", "Live", "is Live, not Realtime"),
    (f"{OPENAI}/v1/live?model=gpt-live-1", "Live", "is Live, not Realtime"),
    (f"{OPENAI}/v1//Live/%73essions/", "Live", "is Live, not Realtime"),
    (f"{OPENAI}/v1/live/sessions/live_1/attach?graceful_close=true", "Live, attached", "attaches to a Live session"),
    (f"{OPENAI}/v1/live/sessions/live_1/fork", "Live, continued", "continues a Live session"),
    (f"{FOUNDRY}/voice-live/realtime?api-version=2026-07-15&model=m", "Voice Live", "is Voice Live, not Realtime"),
    (f"{FOUNDRY}/voice-live/realtime?agent-name=a&agent-project-name=p", "Voice Live", "is Voice Live, not Realtime"),
    (f"{FOUNDRY}/voice-live", "Voice Live", "is Voice Live, not Realtime"),
    (AGENT, "Foundry voice agent", "is a Foundry voice agent"),
    (f"{AGENT}?agent_version_override=2", "Foundry voice agent", "is a Foundry voice agent"),
    (f"{AGENT}/live/sessions", "Foundry voice agent, Live", "is a Foundry voice agent"),
]
"""What only other clients can use: URL, kind, what the refusal says."""

NO_SOCKET = [
    ("https://api.openai.com/v1/realtime/calls", HTTP),
    ("https://api.openai.com/v1/realtime/calls/rtc_1/hangup", HTTP),
    ("https://api.openai.com/v1/realtime/client_secrets", HTTP),
    ("https://api.openai.com/v1/realtime/sessions", HTTP),
    ("https://api.openai.com/v1/realtime/transcription_sessions", HTTP),
    ("https://api.openai.com/v1/realtime/translations/client_secrets", HTTP),
    ("https://acme.openai.azure.com/openai/v1/realtime/calls?webrtcfilter=on", HTTP),
    ("https://acme.openai.azure.com/openai/realtimeapi/sessions?api-version=1", HTTP),
    ("https://api.openai.com/v1/live/sessions", HTTP),
    ("https://acme.openai.azure.com/openai/v1/live/sessions", HTTP),
    ("https://api.openai.com/v1/live/sessions/live_1/accept", HTTP),
    ("wss://api.openai.com/v1/realtime/calls", HTTP),
    ("https://api.openai.com/v1/live/sessions/live_1/content", "a WAV to download and not a session"),
    ("wss://api.openai.com/v1/live/sessions/live_1/content", "a WAV to download and not a session"),
]
"""What is no WebSocket at all."""


def test_every_row_has_what_it_needs() -> None:
    for kind in KINDS:
        assert bool(kind.refusal) == (not kind.own), kind
        assert kind.socket or not kind.own
    assert KINDS[-1].matches("wss", "", "", ())


@pytest.mark.parametrize(("url", "name", "note"), OWN)
def test_what_a_session_of_our_own_goes_to(
    url: str,
    name: str,
    note: str,
    alone: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["url", "--url", url]) == 0
    out, err = capsys.readouterr()
    assert out == f"{url}\n"
    assert note in err
    assert bool(note) == bool(err)
    assert explicit_target(url, None).kind.name == name


@pytest.mark.parametrize("given", ["--url", "--endpoint"])
@pytest.mark.parametrize(("url", "says"), [(url, says) for url, _, says in REFUSED] + NO_SOCKET)
def test_what_is_no_session_of_our_own_is_refused_by_name(
    given: str,
    url: str,
    says: str,
    alone: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["url", given, url, "--deployment", "m"]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == ""
    assert says in line
    assert line.startswith(f'azrt-tui: flag {given}: "{url.partition("?")[0][:43]}')
    assert "/realtime?model=" in line.partition(says)[2]
    assert ("azrt-tui watch" in line) == (says not in [text for _, text in NO_SOCKET])


def test_a_refusal_names_a_url_at_the_same_host_that_talks() -> None:
    for url, talk in (
        (f"{OPENAI}/v1/live/sessions", f"{OPENAI}/v1/realtime?model=NAME"),
        (f"{AZURE}/openai/v1/live/sessions", f"{AZURE}/openai/v1/realtime?model=NAME"),
        (f"{FOUNDRY}/voice-live/realtime", f"{FOUNDRY}/openai/v1/realtime?model=NAME"),
        ("ws://localhost:9/v1/live/sessions", "ws://localhost:9/v1/realtime?model=NAME"),
        (f"{GATEWAY}/v1/live/sessions", f"{GATEWAY}/v1/realtime?model=NAME"),
    ):
        with pytest.raises(EndpointError) as caught:
            explicit_target(url, None)
        path = "/" + talk.split("/", 3)[3]
        assert str(caught.value).endswith(f"use {path}")
        assert explicit_target(talk, None).kind.own


def test_an_http_call_is_answered_with_a_url_that_talks() -> None:
    with pytest.raises(EndpointError, match=f"such as {OPENAI}/v1/realtime.model=NAME$"):
        explicit_target("https://api.openai.com/v1/realtime/calls", None)


@pytest.mark.parametrize(("url", "name"), [(url, name) for url, name, _ in OWN + REFUSED])
def test_watch_takes_any_socket_as_it_is(url: str, name: str) -> None:
    target = explicit_target(url, "mine", watched=True)
    assert target.url == url
    assert target.kind.name == name


@pytest.mark.parametrize(("url", "name"), [(url, name) for url, name, _ in REFUSED])
def test_watch_takes_what_only_other_clients_use_from_the_endpoint_too(url: str, name: str) -> None:
    target = (
        azure_target(url, "mine", watched=True) if "api.openai" not in url else explicit_target(url, "", watched=True)
    )
    assert target.url == url
    assert target.kind.name == name


@pytest.mark.parametrize(("url", "says"), NO_SOCKET)
def test_watch_takes_nothing_that_is_no_socket(url: str, says: str) -> None:
    for make in (azure_target, explicit_target):
        with pytest.raises(EndpointError, match=says.partition(";")[0]):
            make(url, "mine", watched=True)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/openai", "/openai/v1", "/openai/v1/realtime", "/team/live", "/voice-live/openai/v1", "/call_id/openai"],
)
def test_a_gateways_own_prefix_is_no_kind(path: str) -> None:
    assert azure_target(f"https://gw.contoso.com{path}", "m").kind.name == "Realtime"


def test_ids_in_a_query_that_look_like_keys_are_kept_for_watch() -> None:
    url = (
        f"{FOUNDRY}/voice-live/realtime?agent-name=a&agent-authentication-identity-client-id="
        "0f8fad5b-d9cb-469f-a165-70867728950e"
    )
    assert explicit_target(url, None, watched=True).url == url
    call = f"{OPENAI}/v1/realtime?call_id=rtc_0123456789abcdef0123456789abcdef"
    assert explicit_target(call, None, watched=True).url == call


def test_ga_on_azure_takes_no_api_version() -> None:
    target = explicit_target(f"{AZURE}/openai/v1/realtime?api-version=2025-04-01-preview&model=m", None)
    assert target.url == f"{AZURE}/openai/v1/realtime?model=m"
    (note,) = target.notes
    assert note.startswith("api-version was dropped")


@pytest.mark.parametrize(
    ("url", "noted"),
    [
        ("wss://gw.contoso.com/talk?model=m", True),
        ("wss://gw.contoso.com/?model=m", False),
        ("wss://gw.contoso.com?model=m", False),
        ("ws://127.0.0.1:9/x?model=m", False),
        ("wss://acme.azure-api.net/rt?model=m", False),
    ],
)
def test_where_a_path_that_is_not_known_is_worth_a_note(url: str, noted: bool) -> None:
    target = explicit_target(url, None)
    assert target.url == url
    assert any("is not a path that azrt-tui knows" in note for note in target.notes) == noted


@pytest.mark.parametrize("text", ["//openai/realtime", "//openai/v1/realtime?model=m", "wss:////openai/realtime"])
def test_a_path_alone_is_no_host(text: str) -> None:
    for make in (azure_target, explicit_target):
        with pytest.raises(EndpointError, match="no usable host"):
            make(text, "m")


def test_slashes_in_a_row_are_one_to_tell_the_kind() -> None:
    assert kind_of("//openai/realtime").name == "Realtime Beta"
    assert azure_target("https://acme.openai.azure.com//openai/v1//realtime/", "m").url == (
        f"{AZURE}/openai/v1/realtime?model=m"
    )


def test_a_gateways_key_in_the_query_is_dropped_and_the_note_names_the_flag() -> None:
    for make in (azure_target, explicit_target):
        target = make("wss://acme.azure-api.net/x/openai/v1/realtime?model=m&subscription-key=feedface", "m")
        (note,) = target.notes
        assert note.endswith("--header Ocp-Apim-Subscription-Key=env:VAR")
        assert "feedface" not in repr(target)
