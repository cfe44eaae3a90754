"""Where each setting comes from, what is refused, and what ``.env`` looks like after a change."""

import copy
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui import models
from tui.endpoint import EndpointError
from tui.settings import (
    Loaded,
    NotConfigured,
    Secret,
    Settings,
    SettingsError,
    load_settings,
    remember,
    write_dotenv,
)
from tui.settings.options import OPTIONS

REPOSITORY = Path(__file__).parents[2]
AZURE = {
    "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com",
    "AZURE_OPENAI_DEPLOYMENT": "rt",
    "AZURE_OPENAI_API_KEY": "azure-secret",
}

Load = Callable[..., Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from a working directory, a config.toml and a state of their own."""

    def load(flags: Mapping[str, object] | None = None, *, env: str = "", config: str = "", **environ: str) -> Loaded:
        if env:
            (tmp_path / ".env").write_text(env)
        if config:
            (tmp_path / "config.toml").write_text(config)
        return load_settings(
            flags or {},
            environ=environ,
            cwd=tmp_path,
            config_file=tmp_path / "config.toml",
            state_file=tmp_path / "state.json",
        )

    return load


def test_defaults(load: Load, tmp_path: Path) -> None:
    loaded = load()
    assert (loaded.problems, loaded.notes) == ((), ())
    settings = loaded.settings
    assert (settings.voice, settings.turn_detection, settings.modality) == ("marin", "semantic_vad", "auto")
    assert (settings.while_answering, settings.insecure, settings.keymap) == ("interrupt", False, {})
    assert settings.themes_dir == tmp_path / "themes"
    assert set(settings.sources.values()) == {"default"}
    assert settings.sources.keys() == {option.name for option in OPTIONS} | {"keymap"}
    assert list(tmp_path.iterdir()) == []


def test_precedence(load: Load, tmp_path: Path) -> None:
    config = 'voice = "from-config"\n'
    assert load(config=config).settings.sources["voice"] == "config.toml"
    assert load(env="AZRT_VOICE=from-env-file\n").settings.voice == "from-env-file"
    assert load().settings.sources["voice"] == ".env"
    settings = load(AZRT_VOICE="from-environment").settings
    assert (settings.voice, settings.sources["voice"]) == ("from-environment", "environment AZRT_VOICE")
    settings = load({"voice": "from-flag"}, AZRT_VOICE="from-environment").settings
    assert (settings.voice, settings.sources["voice"]) == ("from-flag", "flag --voice")
    assert load({"voice": None}, AZRT_VOICE="from-environment").settings.voice == "from-environment"
    assert load(AZRT_VOICE="").settings.voice == "from-env-file", "an empty variable counts as not set"


def test_every_option_can_come_from_config_toml_and_every_variable_from_the_environment(
    load: Load, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    config = f"""
    endpoint = "acme"
    deployment = "rt"
    url = "wss://gw.example/"
    insecure = true
    azure_api_key = "a"
    openai_api_key = "o"
    transcription_model = "Off"
    voice = "marin"
    instructions = '''
    Two
    lines'''
    turn_detection = "Server_VAD"
    modality = "text"
    while_answering = "queue"
    echo = "Headset"
    api_key_command = "pass show 'azure key'"
    headers = {{ X-Team = "blue" }}
    auth = "Entra"
    entra_scope = "https://ai.azure.com/.default"
    ca_file = '{certificates}'
    input_device = "USB Headset #2"
    output_device = " Speakers (Realtek) "
    output_latency_ms = 200
    output_delay_ms = 150
    reconnect = "Ask"
    handover = "ask"
    session_wait_s = 1
    answer_wait_s = 2
    response_wait_s = 3
    pong_wait_s = 600
    capture = false
    captures_kept = 7
    captures_size = "500 MB"
    theme = "nord"
    fps = 15
    [keys]
    mic = "f4, ctrl+t"
    """
    loaded = load(config=config)
    assert loaded.problems == ()
    settings = loaded.settings
    assert set(settings.sources.values()) == {"config.toml"}
    assert settings.azure_api_key.reveal() == "a"
    assert settings.openai_api_key.reveal() == "o"
    assert settings.api_key_command == ("pass", "show", "azure key")
    assert (settings.auth, settings.entra_scope) == ("entra", "https://ai.azure.com/.default")
    assert settings.ca_file == certificates
    assert settings.transcription_model == "none"
    assert settings.instructions == "Two\n    lines"
    assert settings.turn_detection == "server_vad"
    assert (settings.echo, settings.input_device, settings.output_device) == (
        "headset",
        "USB Headset #2",
        "Speakers (Realtek)",
    )
    assert (settings.output_latency_ms, settings.output_delay_ms) == (200, 150)
    assert (settings.capture, settings.captures_kept, settings.captures_size) == (False, 7, 500_000_000)
    assert (settings.reconnect, settings.handover) == ("ask", "ask")
    assert (settings.session_wait_s, settings.answer_wait_s, settings.response_wait_s) == (1, 2, 3)
    assert settings.pong_wait_s == 600
    assert settings.frame_rate == settings.fps == 15
    assert settings.keymap == {"mic": "f4, ctrl+t"}

    variables = {option.environment: "text" for option in OPTIONS if option.environment}
    variables |= {
        "AZRT_FPS": "15",
        "AZRT_OUTPUT_LATENCY_MS": "20",
        "AZRT_OUTPUT_DELAY_MS": "2000",
        "AZRT_RECONNECT": "ask",
        "AZRT_HANDOVER": "auto",
        "AZRT_SESSION_WAIT_S": "5",
        "AZRT_ANSWER_WAIT_S": "5",
        "AZRT_RESPONSE_WAIT_S": "5",
        "AZRT_PONG_WAIT_S": "5",
        "AZRT_CAPTURE": "Off",
        "AZRT_CAPTURES_KEPT": "0",
        "AZRT_CAPTURES_SIZE": "1g",
        "AZRT_TURN_DETECTION": "none",
        "AZRT_WHILE_ANSWERING": "queue",
        "AZRT_ECHO": "headset",
        "AZRT_AUTH": "entra",
        "AZRT_HEADERS": "X-Team=blue",
        "AZRT_CA_FILE": str(certificates),
    }
    settings = load(**variables).settings
    assert {settings.sources[o.name] for o in OPTIONS if o.environment} == {f"environment {name}" for name in variables}


@pytest.mark.parametrize(
    ("flags", "environ", "message"),
    [
        ({"turn_detection": "vad"}, {}, '--turn-detection must be one of semantic_vad, server_vad, none, not "vad"'),
        ({}, {"AZRT_MODALITY": "video"}, 'AZRT_MODALITY must be one of auto, text, audio, not "video"'),
        ({}, {"AZRT_WHILE_ANSWERING": "x\x1b"}, r'AZRT_WHILE_ANSWERING must be one of interrupt, queue, not "x\x1b"'),
        ({}, {"AZRT_FPS": "61"}, 'AZRT_FPS must be a whole number from 0 (automatic) to 60, not "61"'),
        ({}, {"AZRT_FPS": "fast"}, 'AZRT_FPS must be a whole number from 0 (automatic) to 60, not "fast"'),
        ({"fps": -1}, {}, '--fps must be a whole number from 0 (automatic) to 60, not "-1"'),
        ({}, {"AZRT_OUTPUT_LATENCY_MS": "5"}, 'AZRT_OUTPUT_LATENCY_MS must be a whole number from 20 to 1000, not "5"'),
        ({}, {"AZRT_CAPTURE": "never"}, 'AZRT_CAPTURE must be true or false, not "never"'),
        ({}, {"AZRT_CAPTURES_KEPT": "-1"}, "AZRT_CAPTURES_KEPT must be a whole number from 0 (all) to 100000"),
        (
            {},
            {"AZRT_CAPTURES_SIZE": "much"},
            "AZRT_CAPTURES_SIZE must be a size such as 500MB or 2GB, or 0 for no limit",
        ),
        ({"voice": " "}, {}, '--voice must be a name, not ""'),
        ({}, {"AZURE_OPENAI_API_KEY": "your-azure-key-here"}, "AZURE_OPENAI_API_KEY still holds a placeholder"),
        ({}, {"OPENAI_API_KEY": "sk-hunter2\r\nX: y"}, "OPENAI_API_KEY holds a character that no key has"),
        ({}, {"OPENAI_API_KEY": "sk-hünter2"}, "OPENAI_API_KEY holds a character that no key has"),
    ],
)
def test_a_wrong_flag_or_variable_is_an_error_that_names_it(
    load: Load, flags: dict[str, object], environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(message)) as caught:
        load(flags, **environ)
    assert "nter2" not in str(caught.value)


def test_a_wrong_variable_does_not_matter_where_a_flag_wins(load: Load) -> None:
    assert load({"fps": 5}, AZRT_FPS="fast").settings.fps == 5


def test_a_flag_that_is_no_setting_is_a_mistake_of_the_caller(load: Load) -> None:
    with pytest.raises(TypeError, match="azure_api_key"):
        load({"azure_api_key": "k"})


def test_a_wrong_line_of_a_file_is_reported_and_the_rest_counts(load: Load) -> None:
    loaded = load(
        env="AZRT_VOISE=marin\nAZRT_FPS=fast\nOTHER=1\nAZURE_OPENAI_API_KEY=your-key\n\nbroken='\nAZRT_THEME=nord\n",
        config='colour = 1\nfps = 7\nvoice = 3\nAZURE_OPENAI_ENDPOINT = "x"\ninsecure = "yes"\nmodality = "text"\n'
        '[keys]\nmic = "f4"\nquit = 3\n',
    )
    assert loaded.problems == (
        ".env, line 6: not KEY=VALUE; check the quotes",
        ".env: there is no setting AZRT_VOISE; did you mean AZRT_VOICE?",
        "config.toml: there is no setting colour",
        "config.toml: there is no setting AZURE_OPENAI_ENDPOINT; did you mean endpoint?",
        'config.toml: [keys] quit must be text that names keys, such as "f2" or "f2,ctrl+t"',
        "config.toml: insecure must be true or false",
        ".env: AZURE_OPENAI_API_KEY still holds a placeholder; put your key there",
        'config.toml: voice must be text, not "3"',
        '.env: AZRT_FPS must be a whole number from 0 (automatic) to 60, not "fast"',
    )
    settings = loaded.settings
    assert (settings.theme, settings.fps, settings.modality, settings.voice) == ("nord", 7, "text", "marin")
    assert settings.keymap == {"mic": "f4"}


def test_lines_that_are_no_toml_are_reported_with_their_number_and_the_rest_counts(load: Load, tmp_path: Path) -> None:
    loaded = load(
        config='theme = nord\r\nvoice = "cedar"\r\nvoice = "ash"\r\nmodality = "text\r\n[keys]\r\nmic = "f4"\r\n'
    )
    assert len(loaded.problems) == 3
    for problem, line in zip(loaded.problems, (1, 3, 4), strict=True):
        assert problem.startswith(f"{tmp_path / 'config.toml'}: ")
        assert f"at line {line}," in problem
    assert (loaded.settings.voice, loaded.settings.keymap) == ("cedar", {"mic": "f4"})


@pytest.mark.parametrize(
    "config",
    [
        pytest.param('x = [\nvoice = "ash"\n', id="open bracket"),
        pytest.param('x = """\nvoice = "ash"\n', id="open string"),
        pytest.param("=\n" * 50, id="nothing but bad lines"),
        pytest.param(f"x = {'[' * 9999}", id="too deep"),
    ],
)
def test_toml_that_cannot_be_told_apart_is_reported_once(load: Load, config: str) -> None:
    loaded = load(config=config)
    (problem,) = loaded.problems
    assert problem.endswith("nothing in the file is used")
    assert problem.isprintable()
    assert loaded.settings.voice == "marin"


def test_files_that_cannot_be_read_are_reported(tmp_path: Path, load: Load) -> None:
    (tmp_path / ".env").write_bytes("AZRT_VOICE=marin".encode("utf-16"))
    (tmp_path / "config.toml").write_bytes(b'voice = "\xff"')
    problems = load().problems
    assert problems[0] == ".env is not UTF-8 text; save it as UTF-8"
    assert problems[1].endswith("config.toml is not UTF-8 text; save it as UTF-8")
    for name in (".env", "config.toml"):
        (tmp_path / name).unlink()
        (tmp_path / name).mkdir()
    assert [problem.partition(" cannot be read: ")[2] for problem in load().problems] == ["Is a directory"] * 2


def test_files_that_are_too_large_for_settings_are_not_read(tmp_path: Path, load: Load) -> None:
    for name in (".env", "config.toml"):
        (tmp_path / name).write_bytes(b"# a comment\n" * 90_000)
    problems = [problem.partition(" cannot be read: ")[2] for problem in load().problems]
    assert problems == ["it has more than 1 MiB, which settings never need"] * 2


def test_a_byte_order_mark_and_a_bare_key_do_no_harm(tmp_path: Path, load: Load) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfAZRT_VOICE=marin\nAZRT_THEME\n")
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbfmodality = "text"\n')
    loaded = load()
    assert loaded.problems == ()
    assert (loaded.settings.voice, loaded.settings.theme, loaded.settings.modality) == ("marin", "", "text")


def test_keys_table_must_be_a_table(load: Load) -> None:
    assert "keys must be a table" in load(config='keys = "f2"').problems[0]


def test_a_dollar_in_env_stays_and_the_process_environment_is_not_touched(load: Load) -> None:
    before = dict(os.environ)
    assert load(env="AZURE_OPENAI_API_KEY=a$HOME${HOME}b\n").settings.azure_api_key.reveal() == "a$HOME${HOME}b"
    assert dict(os.environ) == before


def test_the_real_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AZRT_VOICE", "marin")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("AZRT_THEME=nord\n")
    settings = load_settings({}, config_file=tmp_path / "none.toml", state_file=tmp_path / "none.json").settings
    assert (settings.voice, settings.theme) == ("marin", "nord")


def test_an_api_version_is_noted_where_it_could_be_thought_to_matter(load: Load) -> None:
    (note,) = load(AZURE_OPENAI_API_VERSION="2024-10-21", **AZURE).notes
    assert "AZURE_OPENAI_API_VERSION is not used" in note
    assert load(AZURE_OPENAI_API_VERSION="2024-10-21", OPENAI_API_KEY="k").notes == ()
    assert len(load(env="AZURE_OPENAI_API_VERSION=1\n", **AZURE).notes) == 1


# Where to connect, and with which key


def test_azure_wins_over_openai_and_a_url_over_both(load: Load) -> None:
    both = AZURE | {"OPENAI_API_KEY": "openai-secret"}
    settings = load(**both).settings
    target = settings.target()
    assert target.url == "wss://acme.openai.azure.com/openai/v1/realtime?model=rt"
    assert settings.key_for(target).reveal() == "azure-secret"
    settings = load({"url": "wss://api.openai.com/v1/realtime"}, **both).settings
    target = settings.target()
    assert target.url == "wss://api.openai.com/v1/realtime?model=rt"
    assert settings.key_for(target).reveal() == "openai-secret"


def test_an_openai_key_alone_means_openai(load: Load) -> None:
    settings = load(OPENAI_API_KEY="openai-secret").settings
    assert settings.target().url == "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"
    assert settings.key_for(settings.target()).reveal() == "openai-secret"
    assert load({"endpoint": ""}, **AZURE, OPENAI_API_KEY="k").settings.target().provider == "openai"


@pytest.mark.parametrize("environ", [{}, {"AZURE_OPENAI_API_KEY": "k"}, {"AZURE_OPENAI_DEPLOYMENT": "rt"}])
def test_nothing_to_connect_to(load: Load, environ: dict[str, str]) -> None:
    with pytest.raises(NotConfigured, match="AZURE_OPENAI_ENDPOINT"):
        load(**environ).settings.target()


def test_a_bad_endpoint_is_named_with_its_source(load: Load) -> None:
    with pytest.raises(EndpointError, match=r'^\.env: "a b" has a space'):
        load(env="AZURE_OPENAI_ENDPOINT='a b'\n").settings.target()
    with pytest.raises(EndpointError, match=r"^flag --url: "):
        load({"url": "http://gw.example"}).settings.target()
    with pytest.raises(EndpointError, match=r"^no deployment: set AZURE_OPENAI_DEPLOYMENT"):
        load(AZURE_OPENAI_ENDPOINT="acme").settings.target()


@pytest.mark.parametrize(
    ("url", "keys", "sent"),
    [
        ("wss://acme.openai.azure.com/x", {"OPENAI_API_KEY": "o"}, "AZURE_OPENAI_API_KEY"),
        ("wss://api.openai.com/x", {"AZURE_OPENAI_API_KEY": "a"}, " OPENAI_API_KEY"),
    ],
)
def test_no_vendor_gets_the_other_ones_key(load: Load, url: str, keys: dict[str, str], sent: str) -> None:
    settings = load({"url": url}, **keys).settings
    with pytest.raises(SettingsError, match=f"set {sent.strip()} "):
        settings.key_for(settings.target())


@pytest.mark.parametrize(
    ("url", "keys", "sent"),
    [
        ("wss://gw.example/v1", {"AZURE_OPENAI_API_KEY": "a"}, "a"),
        ("wss://gw.example/v1", {"AZURE_OPENAI_API_KEY": "a", "OPENAI_API_KEY": "o"}, "o"),
        ("wss://gw.example/v1", {}, ""),
        ("ws://127.0.0.1:9/openai/v1/realtime", {}, ""),
        ("ws://127.0.0.1:9/openai/v1/realtime", {"OPENAI_API_KEY": "o"}, "o"),
        ("wss://gw.example/openai/v1/realtime", {"AZURE_OPENAI_API_KEY": "a", "OPENAI_API_KEY": "o"}, "a"),
    ],
)
def test_other_servers_get_the_key_that_is_set(load: Load, url: str, keys: dict[str, str], sent: str) -> None:
    settings = load({"url": url}, **keys).settings
    assert settings.key_for(settings.target()).reveal() == sent


def test_transcription_follows_the_provider_unless_chosen(load: Load) -> None:
    azure = load(**AZURE).settings
    assert azure.transcription(azure.target()) == models.TRANSCRIPTIONS
    openai = load(OPENAI_API_KEY="k").settings
    assert openai.transcription(openai.target()) == models.TRANSCRIPTIONS
    for value, expected in (("my-whisper", ("my-whisper",)), ("none", ()), ("OFF", ())):
        chosen = load({"transcription_model": value}, **AZURE).settings
        assert chosen.transcription(chosen.target()) == expected


def test_frame_rate_over_ssh(load: Load) -> None:
    assert load().settings.frame_rate == 30
    assert load(SSH_CONNECTION="1.2.3.4 5 6.7.8.9 22").settings.frame_rate == 10
    assert load({"fps": 20}, SSH_CONNECTION="x").settings.frame_rate == 20


def test_no_secret_shows_itself(load: Load) -> None:
    settings = load(
        AZURE_OPENAI_ENDPOINT="https://me:hunter2@acme?key=hunter2",
        AZRT_URL="wss://me:hunter2@gw.example/",
        AZURE_OPENAI_API_KEY="hunter2",
        OPENAI_API_KEY="hunter2",
    ).settings
    for text in (repr(settings), str(settings), f"{settings.azure_api_key} {settings.azure_api_key!r}"):
        assert "hunter2" not in text
        assert "***" in text
    assert copy.deepcopy(settings.azure_api_key) == Secret("hunter2")
    assert Secret("a") != Secret("b")
    assert not Secret()
    assert not Settings().azure_api_key


# What the program remembers


def test_a_remembered_theme_wins_over_config_toml_and_not_over_what_is_asked_for(load: Load, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert remember("theme", "remembered", state)
    settings = load(config='theme = "from-config"\n').settings
    assert (settings.theme, settings.sources["theme"]) == ("remembered", "remembered")
    assert load(AZRT_THEME="nord").settings.theme == "nord"
    assert load({"theme": "gruvbox"}).settings.theme == "gruvbox"
    assert (tmp_path / "config.toml").read_text() == 'theme = "from-config"\n'


def test_a_device_that_was_chosen_is_remembered_and_so_is_the_default_one(load: Load, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    assert remember("input_device", "USB Headset", state) and remember("output_device", "", state)
    settings = load(config='input_device = "webcam"\noutput_device = "speakers"\n').settings
    assert (settings.input_device, settings.output_device) == ("USB Headset", "")
    assert (settings.sources["input_device"], settings.sources["output_device"]) == ("remembered", "remembered")
    assert load(AZRT_OUTPUT_DEVICE="speakers").settings.output_device == "speakers"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff", b'{"theme": 3}', b"[" * 99999])
def test_a_damaged_state_is_replaced(load: Load, tmp_path: Path, damage: bytes) -> None:
    state = tmp_path / "deep" / "state.json"
    state.parent.mkdir()
    state.write_bytes(damage)
    (tmp_path / "state.json").write_bytes(damage)
    assert load().settings.theme == ""
    assert remember("theme", "nord", state)
    assert json.loads(state.read_text())["theme"] == "nord"


def test_remembering_keeps_the_rest_and_makes_its_own_folder(tmp_path: Path) -> None:
    state = tmp_path / "azrt-tui" / "state.json"
    assert remember("theme", "nord", state)
    assert stat.S_IMODE(state.parent.stat().st_mode) == 0o700
    state.write_text('{"theme": "x", "other": 1}')
    assert remember("theme", "nord", state)
    assert json.loads(state.read_text()) == {"theme": "nord", "other": 1}


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not remember("theme", "nord", tmp_path / "file" / "state.json")


# Writing .env


def test_a_new_env_file_is_private_and_reads_back(tmp_path: Path, load: Load) -> None:
    path = tmp_path / ".env"
    write_dotenv(path, AZURE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == (
        "AZURE_OPENAI_ENDPOINT=https://acme.openai.azure.com\n"
        "AZURE_OPENAI_DEPLOYMENT=rt\n"
        "AZURE_OPENAI_API_KEY=azure-secret\n"
    )
    assert load().settings.azure_api_key.reveal() == "azure-secret"


def test_only_the_given_keys_change(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# my keys\n\n"
        "  export AZURE_OPENAI_API_KEY='old # one'   # from the portal\n"
        'OTHER = "two\nlines" # kept\n'
        "broken 'line\n"
        "\n"
        "AZURE_OPENAI_DEPLOYMENT=old#1 # comment\n"
        "AZRT_THEME= # none yet\n"
        "AZURE_OPENAI_DEPLOYMENT"
    )
    path.chmod(0o644)
    write_dotenv(
        path,
        {
            "AZURE_OPENAI_API_KEY": "it's new",
            "AZURE_OPENAI_DEPLOYMENT": "rt",
            "AZRT_VOICE": "marin",
            "AZRT_THEME": "a b",
        },
    )
    assert path.read_text() == (
        "# my keys\n\n"
        "  export AZURE_OPENAI_API_KEY='it\\'s new'   # from the portal\n"
        'OTHER = "two\nlines" # kept\n'
        "broken 'line\n"
        "\n"
        "AZURE_OPENAI_DEPLOYMENT=rt # comment\n"
        "AZRT_THEME='a b' # none yet\n"
        "AZURE_OPENAI_DEPLOYMENT=rt\n"
        "AZRT_VOICE=marin\n"
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\r\nAZRT_VOICE=ash\r\n")
    write_dotenv(path, {"AZRT_VOICE": "marin", "AZRT_THEME": "nord"})
    assert path.read_bytes() == b"A=1\r\nAZRT_VOICE=marin\r\nAZRT_THEME=nord\r\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.env", tmp_path / ".env"
    real.write_text("A=1\n")
    link.symlink_to(real)
    write_dotenv(link, {"B": "2"})
    assert link.is_symlink()
    assert real.read_text() == "A=1\nB=2\n"


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\ud800"])
def test_a_value_that_the_format_cannot_hold_is_refused_and_the_file_stays(tmp_path: Path, value: str) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    with pytest.raises(SettingsError, match="AZRT_VOICE cannot be written"):
        write_dotenv(path, {"AZRT_VOICE": value})
    assert path.read_text() == "A=1\n"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    with pytest.raises(SettingsError, match="is not the name of a variable"):
        write_dotenv(path, {"A=B": "x"})
    path.write_bytes(b"A=\xff\n")
    with pytest.raises(SettingsError, match="not UTF-8"):
        write_dotenv(path, {"A": "x"})
    assert path.read_bytes() == b"A=\xff\n"
    with pytest.raises(SettingsError, match="cannot be written: No such file or directory"):
        write_dotenv(tmp_path / "missing" / ".env", {"A": "x"})
    path.unlink()
    path.write_text("A='open\n")
    with pytest.raises(SettingsError, match="edit it by hand"):
        write_dotenv(path, {"AZRT_VOICE": "it's"})
    assert path.read_text() == "A='open\n"


LINES = st.sampled_from(
    ["", "# a comment", "A=1", "export B='x y' # c", 'C="two\nlines"', "K=old # c", "K", "bad 'line", " D = "]
)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), max_size=20) | st.text(
    "ab '\"\\#$=", max_size=8
)


@PROPERTY
@given(lines=st.lists(LINES, max_size=5), values=st.dictionaries(st.sampled_from(["K", "L", "A"]), VALUES))
def test_every_value_reads_back_exactly_and_nothing_else_changes(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], values: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("dotenv") / ".env"
    path.write_text("\n".join(lines))
    before = dotenv_values(path, interpolate=False)
    write_dotenv(path, values)
    assert dotenv_values(path, interpolate=False) == before | values


def test_the_example_file_names_every_variable_and_its_placeholders_are_refused(load: Load) -> None:
    text = (REPOSITORY / ".env.example").read_text()
    assert set(re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE)) == {
        o.environment for o in OPTIONS if o.environment
    }
    loaded = load(env=text)
    assert loaded.problems == (".env: AZURE_OPENAI_API_KEY still holds a placeholder; put your key there",)
    with pytest.raises(EndpointError, match="placeholder"):
        loaded.settings.target()
    uncommented = load(env=re.sub(r"^# (?=[A-Z_]+=)", "", text, flags=re.MULTILINE))
    assert all("placeholder" in problem for problem in uncommented.problems)


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ('["pass", "show", "azure key"]', ("pass", "show", "azure key")),
        ("\"op read 'op://vault/azure key'\"", ("op", "read", "op://vault/azure key")),
        ('"echo $HOME; id"', ("echo", "$HOME;", "id")),
    ],
)
def test_a_command_for_the_key_is_split_and_never_interpreted(load: Load, given: str, command: tuple[str, ...]) -> None:
    loaded = load(config=f"api_key_command = {given}\n")
    assert (loaded.problems, loaded.settings.api_key_command) == ((), command)


@pytest.mark.parametrize("given", ["7", '""', "[]", '["pass", 7]', '"pass \'show"', '["a\\u0000b"]', "true"])
def test_a_command_for_the_key_that_is_none(load: Load, given: str) -> None:
    loaded = load(config=f"api_key_command = {given}\n")
    assert loaded.settings.api_key_command == ()
    assert len(loaded.problems) == 1
    assert loaded.problems[0].startswith("config.toml: api_key_command ")


def test_a_command_for_the_key_comes_from_config_toml_only(load: Load) -> None:
    loaded = load(env="AZRT_API_KEY_COMMAND=touch owned\n", AZRT_API_KEY_COMMAND="touch owned")
    assert loaded.settings.api_key_command == ()


def test_a_key_wins_over_the_command_and_that_is_said(load: Load) -> None:
    loaded = load(config='api_key_command = "pass"\n', AZURE_OPENAI_API_KEY="k", AZURE_OPENAI_ENDPOINT="acme")
    assert loaded.notes == ("api_key_command is not used, because environment AZURE_OPENAI_API_KEY has a key",)


def test_a_token_of_entra_id_never_goes_to_openai_and_no_key_goes_with_it(load: Load) -> None:
    settings = load(
        {"auth": "entra", "deployment": "rt"}, AZURE_OPENAI_ENDPOINT="acme", AZURE_OPENAI_API_KEY="k"
    ).settings
    target = settings.target()
    assert (target.auth_header, settings.uses_entra(target), settings.key_for(target).reveal()) == (
        "Authorization",
        True,
        "",
    )
    openai = load({"auth": "entra"}, OPENAI_API_KEY="o").settings
    target = openai.target()
    assert (openai.uses_entra(target), openai.key_for(target).reveal()) == (False, "o")


def test_a_key_that_others_may_read_is_warned_of(load: Load, tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("AZURE_OPENAI_API_KEY=k\n")
    for mode, warned in ((0o600, False), (0o640, True), (0o604, True)):
        dotenv.chmod(mode)
        assert bool(load().warnings) == warned
    dotenv.write_text("AZRT_VOICE=ash\n")
    assert load().warnings == ()


@pytest.mark.parametrize(
    ("key", "text", "masked"),
    [
        ("0123456789ab", "x0123456789abx", "x************x"),
        (
            "abc123",
            "Bearer abc123, abc1234, xabc123 and QabC/abc123",
            "Bearer ******, abc1234, xabc123 and QabC/abc123",
        ),
        ("test", "Incorrect API key provided: test.", "Incorrect API key provided: ****."),
        ("test", "This is a test, and it has no tests.", "This is a test, and it has no tests."),
        ("test", "token test, and test once more", "token ****, and **** once more"),
        ("not-needed", "An answer is not-needed.", "An answer is not-needed."),
        ("EMPTY", "invalid_api_key: EMPTY", "invalid_api_key: *****"),
        ("1234", "password 1234", "password ****"),
        ("****", "key ****", "key ****"),
        ("k", "key k", "key k"),
        ("", "key ", "key "),
    ],
)
def test_a_key_is_masked_and_the_words_around_it_are_not(key: str, text: str, masked: str) -> None:
    assert Secret(key).masked(text) == masked
    assert Secret(key).masked(text.encode()) == masked.encode()


@pytest.mark.parametrize(
    ("key", "event", "masked"),
    [
        ("1234", {"total_tokens": 1234, "text": "1234"}, {"total_tokens": 1234, "text": "1234"}),
        ("error", {"type": "error", "code": "invalid_api_key"}, {"type": "error", "code": "invalid_api_key"}),
        ("test", {"message": 'Wrong key "test".'}, {"message": 'Wrong key "****".'}),
        ("test", {"message": "clé d'API « test »: bad key\ntest"}, {"message": "clé d'API « test »: bad key\n****"}),
        ("test", {"key": "test"}, {"key": "test"}),
    ],
)
def test_a_short_key_in_a_frame_leaves_its_json_whole(key: str, event: object, masked: object) -> None:
    for ascii_only in (True, False):
        frame = json.dumps(event, ensure_ascii=ascii_only).encode()
        assert json.loads(Secret(key).masked(frame)) == masked


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ("AZURE_OPENAI_ENDPIONT=acme", ".env: AZURE_OPENAI_ENDPIONT is not read; it must be AZURE_OPENAI_ENDPOINT"),
        ("azure_openai_endpoint=acme", ".env: azure_openai_endpoint is not read; it must be AZURE_OPENAI_ENDPOINT"),
        ('$env:AZURE_OPENAI_ENDPOINT="acme"', "$env:AZURE_OPENAI_ENDPOINT is not read"),
        ("AZURE_OPENAI_BASE_URL=acme", "it must be AZURE_OPENAI_ENDPOINT"),
        ("AZURE_OPENAI_ENDPOINT=acme\nAZURE_OPENAI_REALTIME_DEPLOYMENT_NAME=rt", "it must be AZURE_OPENAI_DEPLOYMENT"),
        ("AZURE_OPENAI_ENDPOINT=acme\nAZURE_OPENAI_DEPLOYMENT=rt\nAZURE_OPENAI_KEY=a", "must be AZURE_OPENAI_API_KEY"),
        ("OPENAI_KEY=sk-x", "it must be OPENAI_API_KEY"),
    ],
)
def test_a_setting_that_is_missing_and_has_another_name_somewhere(load: Load, env: str, problem: str) -> None:
    (found,) = load(env=env).problems
    assert problem in found


def test_names_of_other_programs_are_theirs_while_nothing_is_missing(load: Load) -> None:
    others = {"AZURE_OPENAI_DEPLOYMENT_NAME": "x", "AZURE_OPENAI_KEY": "x", "AZURE_AI_ENDPOINT": "x"}
    assert load(**AZURE, **others).problems == ()
    assert load(OPENAI_API_KEY="sk-x", **others).problems == ()
    assert load(**others).problems == (
        "environment: AZURE_AI_ENDPOINT is not read; it must be AZURE_OPENAI_ENDPOINT",
        "environment: AZURE_OPENAI_DEPLOYMENT_NAME is not read; it must be AZURE_OPENAI_DEPLOYMENT",
        "environment: AZURE_OPENAI_KEY is not read; it must be AZURE_OPENAI_API_KEY",
    )


def test_the_base_url_of_another_server_is_not_passed_over_in_silence(load: Load) -> None:
    (note,) = load(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL="https://gateway.example/v1").notes
    assert note.startswith("OPENAI_BASE_URL is not used; for that server: --url wss://")
    assert load(OPENAI_API_KEY="sk-x", OPENAI_BASE_URL="https://api.openai.com/v1/").notes == ()
    assert load(**AZURE, OPENAI_API_KEY="sk-x", OPENAI_BASE_URL="https://gateway.example/v1").notes == ()


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("AZURE_OPENAI_API_KEY=abc", "begins with the name of a variable"),
        ("https://acme.openai.azure.com", "is an address and not a key"),
    ],
)
def test_what_is_pasted_for_a_key_and_is_none(load: Load, key: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=f"^AZURE_OPENAI_API_KEY {problem}"):
        load(**AZURE | {"AZURE_OPENAI_API_KEY": key})


def test_quotes_around_a_key_are_not_sent(load: Load) -> None:
    assert load(AZURE_OPENAI_API_KEY='"abc"').settings.azure_api_key.reveal() == "abc"


def test_a_pipe_in_the_place_of_a_file(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / ".env")
    writer = threading.Thread(target=(tmp_path / ".env").write_text, args=("AZRT_VOICE=marin\n",))
    writer.start()
    assert load().settings.voice == "marin"
    writer.join()
    monkeypatch.setattr("tui.settings.files.PIPE_PATIENCE_S", 0.01)
    assert load().problems == (".env cannot be read: it is a pipe, and nobody writes into it",)


def test_zero_bytes_are_no_text(load: Load, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("AZRT_VOICE=marin".encode("utf-16-le"))
    assert load().problems == (".env is not UTF-8 text; save it as UTF-8",)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_of_other_formats_are_named_with_their_number_and_what_to_change(newline: str, load: Load) -> None:
    lines = (
        "set AZRT_VOICE=cedar",
        "",
        "AZRT_THEME: nord",
        '"AZRT_FPS": 7',
        'AZRT_MODALITY="text",',
        "AZRT_ECHO=headset",
        "say it",
        'AZRT_AUTH="key',
    )
    loaded = load(env=newline.join(lines) + newline)
    assert loaded.problems == (
        ".env, line 1: not KEY=VALUE; leave out the word before the name",
        ".env, line 3: not KEY=VALUE; between the two stands = and not :",
        ".env, line 4: not KEY=VALUE; between the two stands = and not :",
        ".env, line 5: not KEY=VALUE; leave out what stands behind the closing quote",
        ".env, line 7: not KEY=VALUE; check the quotes",
        ".env, line 8: not KEY=VALUE; check the quotes",
    )
    assert loaded.settings.echo == "headset"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_round_a_variable_are_taken_off_for_every_setting(quote: str, load: Load, tmp_path: Path) -> None:
    authority = tmp_path / "corp.pem"
    authority.write_text("")
    given = {
        "AZURE_OPENAI_ENDPOINT": "https://acme.openai.azure.com",
        "AZURE_OPENAI_DEPLOYMENT": "rt",
        "AZRT_MODALITY": "text",
        "AZRT_FPS": "7",
        "AZRT_CAPTURE": "false",
        "AZRT_CAPTURES_SIZE": "1GB",
        "AZRT_CA_FILE": str(authority),
        "AZRT_INSTRUCTIONS": "It's brief",
    }
    settings = load(**{name: f"{quote}{value}{quote}" for name, value in given.items()}).settings
    assert settings.target().url == "wss://acme.openai.azure.com/openai/v1/realtime?model=rt"
    assert (settings.modality, settings.fps, settings.capture) == ("text", 7, False)
    assert (settings.captures_size, settings.ca_file, settings.instructions) == (10**9, authority, "It's brief")


def test_an_empty_pair_of_quotes_is_not_set(load: Load) -> None:
    assert load(environ={"AZRT_MODALITY": '""'}).settings.modality == "auto"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ('[azure]\nendpoint = "x"\n', "there is no table [azure]; settings stand at the top, above all tables"),
        ('ca_file = "C:\\Users\\me\\corp.pem"\n', "text with backslashes goes in single quotes"),
        ("deployment = gpt-rt\n", "text goes in quotes"),
        ("fps: 10\n", "between name and value stands ="),
    ],
)
def test_a_slip_in_config_toml_is_told_with_what_to_change(config: str, problem: str, load: Load) -> None:
    (told,) = load(config=config).problems
    assert told.endswith(problem)
