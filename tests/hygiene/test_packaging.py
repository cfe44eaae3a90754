"""The wheel, installed where the checkout is out of reach: everything the program needs is in it, and it runs."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, clean_environment

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from the tree."""
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)],
        check=True,
        capture_output=True,
        text=True,
    )
    (built,) = target.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed program, in an environment of its own.

    The dependencies are those of this environment, reached by path, so that nothing is downloaded. Path files of a
    folder reached like that are not read, so the editable checkout stays out of reach.
    """
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            str(home / "bin" / "python"),
            "install",
            "--no-deps",
            "-q",
            str(wheel),
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return home / "bin" / "azrt-tui"


def run(program: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the installed program in an empty home."""
    return subprocess.run(
        [str(program), *arguments],
        cwd=home,
        env=clean_environment(home),
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_themes_styles_and_voices(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    themes = {Path(name).name for name in names if name.startswith("tui/themes/")}
    styles = {Path(name).name for name in names if name.endswith(".tcss")}
    voices = [name for name in names if name.startswith("tui/simulator/voices/")]
    assert themes == {path.name for path in (ROOT / "themes").glob("*.toml")} and len(themes) >= 4
    assert styles == {path.name for path in (ROOT / "tui").rglob("*.tcss")} and styles
    assert voices
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


def test_it_is_the_wheel_that_runs(program: Path, tmp_path: Path) -> None:
    python = program.with_name("python")
    found = subprocess.run(
        [str(python), "-c", "import tui; print(tui.__file__)"],
        cwd=tmp_path,
        env=clean_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert Path(found.strip()).is_relative_to(program.parents[1])


def test_version_and_url(program: Path, tmp_path: Path) -> None:
    assert run(program, "--version", home=tmp_path).stdout.startswith("azrt-tui 0.")
    url = run(program, "url", "--endpoint", "https://acme.openai.azure.com", "--deployment", "d", home=tmp_path)
    assert url.stdout == "wss://acme.openai.azure.com/openai/v1/realtime?model=d\n"


def test_the_installed_screen_opens_talks_and_quits(program: Path, tmp_path: Path) -> None:
    with Terminal([str(program), "demo", "--theme", "azrt-light"], home=tmp_path) as terminal:
        terminal.wait_for("● connected")
        assert "does not exist" not in terminal.text
        terminal.type("hello")
        terminal.press("enter")
        terminal.wait_for("I am the simulator")
        terminal.press("ctrl+q")
        assert terminal.wait_until_ended() == 0
