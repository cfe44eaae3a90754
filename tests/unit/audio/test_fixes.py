"""What a person is told to do about sound that does not work."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tui.audio import fixes
from tui.audio.fixes import device_fix, library_fix

NOBODY = "unix:/nonexistent/pulse"


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a machine's sound cards, with one card in it."""
    monkeypatch.setattr(fixes, "_CARDS", tmp_path)
    (tmp_path / "controlC0").touch()
    return tmp_path


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ALSA's plugin for sound servers, installed where Debian has it."""
    path = tmp_path / "lib" / "x86_64-linux-gnu" / "alsa-lib" / "libasound_module_pcm_pulse.so"
    path.parent.mkdir(parents=True)
    path.touch()
    monkeypatch.setattr(fixes, "_PLUGIN_FOLDERS", (str(tmp_path / "lib"),))
    return path


def test_on_macos_and_windows_the_settings_are_the_place() -> None:
    for platform in ("darwin", "win32"):
        assert "sound settings" in device_fix("microphone", {}, platform)
        assert "Over SSH" in device_fix("microphone", {"SSH_CONNECTION": "1"}, platform)


@pytest.mark.parametrize(("platform", "says"), [("linux", "libportaudio2"), ("darwin", "brew"), ("win32", "pip")])
def test_a_missing_library(platform: str, says: str) -> None:
    assert says in library_fix(platform)


def test_over_ssh_without_a_sound_server_nothing_is_to_be_installed() -> None:
    assert device_fix("microphone", {"SSH_CONNECTION": "1"}, "linux").startswith("Over SSH")


def test_a_sound_server_that_alsa_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes, "_PLUGIN_FOLDERS", ())
    assert "apt install libasound2-plugins" in device_fix("microphone", {"PULSE_SERVER": NOBODY}, "linux")


@pytest.mark.parametrize("server", [NOBODY, "/nonexistent/pulse", "{0123}unix:/nonexistent/pulse", "tcp:127.0.0.1:1"])
def test_a_dead_sound_server(plugin: Path, server: str) -> None:
    assert "PULSE_SERVER names does not answer" in device_fix("microphone", {"PULSE_SERVER": server}, "linux")


def test_a_dead_sound_server_of_the_desktop(plugin: Path, tmp_path: Path) -> None:
    (tmp_path / "pulse").mkdir()
    (tmp_path / "pulse" / "native").touch()
    fix = device_fix("loudspeaker", {"XDG_RUNTIME_DIR": str(tmp_path), "SSH_CONNECTION": "1"}, "linux")
    assert "systemctl --user restart pipewire-pulse" in fix


@pytest.mark.parametrize("form", ["tcp:127.0.0.1:{}", "tcp4:127.0.0.1:{}"])
def test_a_living_sound_server_without_the_device(plugin: Path, form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        environ = {"PULSE_SERVER": form.format(server.getsockname()[1])}
        assert device_fix("loudspeaker", environ, "linux").startswith("The sound server has no loudspeaker.")


def test_a_machine_without_a_sound_server(cards: Path) -> None:
    assert "libasound2-plugins" in device_fix("microphone", {}, "linux")
    (cards / "controlC0").unlink()
    assert "no sound card" in device_fix("microphone", {}, "linux")


def test_a_card_that_one_may_not_use(cards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fixes.os, "access", lambda path, mode: False)  # the tests may run as root, who may everything
    assert "usermod -aG audio" in device_fix("microphone", {}, "linux")
