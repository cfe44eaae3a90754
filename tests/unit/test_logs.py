"""The log file: private, rotated, and nothing on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SPEAK = """
import logging, sys, warnings
from pathlib import Path
from tui import logs
trouble = logs.log_to_file(Path(sys.argv[1]))
logging.getLogger("openai.agents").error("from the %s", "SDK")
logging.getLogger("openai.agents").info("chatter")
logging.getLogger("tui.session").info("from us")
warnings.warn("a warning", DeprecationWarning)
logging.getLogger("x").error("caf\\udce9")
print(trouble)
"""

FILL = """
import logging, sys
from pathlib import Path
from tui import logs
logs.MAX_BYTES = 2_000
logs.log_to_file(Path(sys.argv[1]))
for at in range(100):
    logging.getLogger("tui").info("line %d %s", at, "x" * 50)
"""

FULL = """
import logging, resource, signal, sys
from pathlib import Path
from tui import logs
logs.log_to_file(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
for _ in range(10):
    logging.getLogger("tui").error("x" * 90)
"""


def run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run code with a log file in a process of its own: logging is the whole process's."""
    return subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)


def test_everything_goes_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state" / "azrt-tui.log"
    found = run(SPEAK, path)
    assert (found.stdout, found.stderr) == ("\n", "")
    text = path.read_text()
    for said in ("ERROR openai.agents: from the SDK", "INFO tui.session: from us", "a warning", "caf\\udce9"):
        assert said in text
    assert "chatter" not in text
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_new_file_is_private_too(tmp_path: Path) -> None:
    path = tmp_path / "azrt-tui.log"
    run(FILL, path)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["azrt-tui.log", "azrt-tui.log.1"]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert all(file.stat().st_size <= 2_000 for file in files)
    assert "line 99" in path.read_text()


def test_a_full_disk_is_no_reason_to_write_over_the_screen(tmp_path: Path) -> None:
    found = run(FULL, tmp_path / "azrt-tui.log")
    assert (found.stdout, found.stderr) == ("", "")


def test_no_place_for_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    found = run(SPEAK, tmp_path / "taken" / "azrt-tui.log")
    assert found.stdout.startswith("no log file at ")
    assert found.stderr == "", "without a file, everything is dropped"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    found = run(SPEAK, tmp_path / "azrt-tui.log")
    assert "Permission denied" in found.stdout
    assert found.stderr == ""


NATIVE = """
import os, sys
from pathlib import Path
from tui.logs import native_stderr_to

with native_stderr_to(Path(sys.argv[1])):
    os.write(2, b"from C\\n")
    print("from Python", file=sys.stderr)
    print("from the screen", file=sys.__stderr__)
os.write(2, b"afterwards\\n")
print("at the end", file=sys.stderr)
"""


@pytest.mark.parametrize("possible", [True, False])
def test_what_libraries_write_to_descriptor_two(tmp_path: Path, possible: bool) -> None:
    log = tmp_path / "log" if possible else tmp_path / "no such folder" / "log"
    done = subprocess.run([sys.executable, "-c", NATIVE, str(log)], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["from Python", "from the screen", "afterwards", "at the end"]
    assert (log.read_text() if possible else "from C\n") == "from C\n"
