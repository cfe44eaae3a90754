"""What each entry imports, and that dependencies point one way. A heavy import here is paid before the first frame."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = {"agents", "openai", "numpy", "sounddevice"}
SCREEN = {"textual", "rich"}

REPORT = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def imported(code: str, home: Path) -> set[str]:
    """Run ``code`` in a new interpreter and return the top-level packages that it leaves imported."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{REPORT}"],
        cwd=home,
        env={
            "PATH": os.defpath,
            "HOME": str(home),
            "PYTHONPATH": str(REPOSITORY),
            "AZURE_OPENAI_ENDPOINT": "acme",
            "AZURE_OPENAI_DEPLOYMENT": "rt",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["url"], ["say", "--help"], ["demo", "--help"]])
def test_light_commands_import_nothing_heavy_and_no_screen(arguments: list[str], tmp_path: Path) -> None:
    modules = imported(f"from tui.commands import run\nassert run({arguments!r}) == 0", tmp_path)
    assert "click" in modules
    assert not modules & (HEAVY | SCREEN)


@pytest.mark.parametrize("module", ["endpoint", "settings", "paths", "failures", "commands"])
def test_the_ground_floor_imports_nothing_heavy_and_no_screen(module: str, tmp_path: Path) -> None:
    modules = imported(f"import tui.{module}", tmp_path)
    assert "tui" in modules
    assert not modules & (HEAVY | SCREEN)


def test_endpoint_needs_the_standard_library_only(tmp_path: Path) -> None:
    before = imported("pass", tmp_path)
    added = imported("import tui.endpoint", tmp_path) - before
    assert {name for name in added if name not in sys.stdlib_module_names} == {"tui"}


def test_the_screen_imports_nothing_heavy(tmp_path: Path) -> None:
    modules = imported("import tui.ui.app", tmp_path)
    assert "textual" in modules
    assert not modules & HEAVY


def test_dependencies_point_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
