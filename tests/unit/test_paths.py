"""Where files go, and that asking creates nothing."""

import stat
from pathlib import Path

import platformdirs
import pytest

from tui import paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def test_everything_is_in_the_folders_of_the_system_and_nothing_is_created(home: Path) -> None:
    config, state = platformdirs.user_config_path("azrt-tui"), platformdirs.user_state_path("azrt-tui")
    assert paths.config_dir() == config
    assert paths.config_file() == config / "config.toml"
    assert paths.themes_dir() == config / "themes"
    assert paths.state_dir() == state
    assert paths.state_file() == state / "state.json"
    assert paths.log_file() == state / "azrt-tui.log"
    assert list(home.iterdir()) == []


def test_a_private_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = paths.private_dir(tmp_path / "a" / "b")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o750)
    assert stat.S_IMODE(paths.private_dir(folder).stat().st_mode) == 0o750


def test_paths_are_shown_as_a_person_writes_them(home: Path) -> None:
    assert paths.for_display(home / "x" / "config.toml") == "~/x/config.toml"
    assert paths.for_display(Path("/elsewhere/config.toml")) == "/elsewhere/config.toml"
