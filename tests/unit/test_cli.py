"""The command line as a user meets it: what goes to stdout, what to stderr, and the exit code."""

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tui import __version__
from tui.commands import cli, run

REPOSITORY = Path(__file__).parents[2]
ACME = "wss://acme.openai.azure.com/openai/v1/realtime?model=rt"
AZURE = {"AZURE_OPENAI_ENDPOINT": "acme", "AZURE_OPENAI_DEPLOYMENT": "rt"}


def environment(home: Path, **variables: str) -> dict[str, str]:
    """An environment with nothing of this machine's user in it."""
    return {
        "PATH": os.defpath,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(REPOSITORY),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        **variables,
    }


def azrt(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the program in an empty home and working directory."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        cwd=home,
        env=environment(home, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """For commands run in this process: nothing configured, an empty working directory."""
    for name in [name for name in os.environ if name.startswith(("AZURE_", "AZRT_", "OPENAI_"))]:
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_url_prints_the_url_and_nothing_else(tmp_path: Path) -> None:
    done = azrt(tmp_path, "url", **AZURE)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{ACME}\n", "")
    assert list(tmp_path.iterdir()) == [], "printing a URL leaves no files"


def test_url_says_in_one_line_on_stderr_what_was_changed_and_why(tmp_path: Path) -> None:
    beta = "https://acme.openai.azure.com/openai/realtime?api-version=2024-10-01-preview&deployment=rt&api-key=hunter2"
    done = azrt(tmp_path, "url", AZURE_OPENAI_ENDPOINT=beta, AZURE_OPENAI_API_VERSION="2024-10-01-preview")
    assert (done.returncode, done.stdout) == (0, f"{ACME}\n")
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("azrt-tui: ")
    for cause in (
        "Beta path",
        "api-version was dropped",
        "AZURE_OPENAI_API_VERSION is not used",
        '"rt" was taken',
        "key",
    ):
        assert cause in warning
    assert "hunter2" not in warning


def test_url_reads_env_in_the_working_directory_and_config_toml(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AZURE_OPENAI_ENDPOINT=acme\nAZURE_OPENAI_DEPLOYMENT=from-env\nAZRT_OOPS=1\n")
    (tmp_path / "config" / "azrt-tui").mkdir(parents=True)
    (tmp_path / "config" / "azrt-tui" / "config.toml").write_text('deployment = "from-config"\nvoice = marin\n')
    done = azrt(tmp_path, "url")
    assert done.stdout == f"{ACME.removesuffix('rt')}from-env\n"
    assert [line.partition(" (")[0] for line in done.stderr.splitlines()] == [
        "azrt-tui: .env: there is no setting AZRT_OOPS",
        "azrt-tui: ~/config/azrt-tui/config.toml: Invalid value",
    ]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "nothing to connect to: set AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "acme"}, "no deployment: set AZURE_OPENAI_DEPLOYMENT"),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": "a b"}, 'environment AZURE_OPENAI_ENDPOINT: "a b" has a space'),
        (AZURE | {"AZURE_OPENAI_ENDPOINT": "\x1b]0;owned\x07"}, r'"\x1b]0;owned\x07" has a space'),
        (AZURE | {"AZRT_FPS": "fast"}, "AZRT_FPS must be a whole number"),
    ],
)
def test_what_cannot_be_used_is_one_line_on_stderr_and_exit_2(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    done = azrt(tmp_path, "url", **variables)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("azrt-tui: ")
    assert line.isprintable()
    assert message in line


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["url", "--nonsense"], "azrt-tui: No such option '--nonsense'."),
        (["--fps", "99", "demo"], "azrt-tui: Invalid value for '--fps'"),
        (["nonsense"], "azrt-tui: No such command 'nonsense'. See: azrt-tui --help\n"),
        (["url", "--turn-detection", "x"], "azrt-tui: Invalid value for '--turn-detection'"),
        (["url", "--api-key", "x"], "azrt-tui: No such option '--api-key'"),
        (["say"], "azrt-tui: Missing argument 'TEXT...'. See: azrt-tui say --help\n"),
        (["say", "--demo", " "], "azrt-tui: there is no text to say. See: azrt-tui say --help\n"),
        (["\x1b[31m"], r"azrt-tui: No such command '\x1b[31m'"),
        (["simulator", "--dialect", "gamma"], "azrt-tui: Invalid value for '--dialect'"),
        (["simulator", "--speed", "0"], "azrt-tui: Invalid value for '--speed'"),
        (["replay", "--speed", "nan"], "azrt-tui: Invalid value for '--speed': nan is no number."),
        (["replay"], "azrt-tui: the screen needs a terminal; in a script or a pipe, use: azrt-tui events FILE."),
    ],
)
@pytest.mark.usefixtures("alone")
def test_a_wrong_command_line_is_one_line_and_exit_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(message)


CONNECTION_FLAGS = {
    "--endpoint": "acme",
    "--deployment": "rt",
    "--url": "wss://gw.example/",
    "--insecure": None,
    "--voice": "marin",
    "--instructions": "Be brief.",
    "--turn-detection": "none",
    "--transcription-model": "none",
    "--modality": "text",
    "--no-capture": None,
}


def test_every_connecting_command_has_the_same_flags() -> None:
    for command in (cli, *(cli.commands[name] for name in ("demo", "url", "say"))):
        names = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert names >= CONNECTION_FLAGS.keys()
        assert ({"--theme", "--fps", "--while-answering"} <= names) == (command.name in ("azrt-tui", "demo"))


@pytest.mark.usefixtures("alone")
def test_flags_work_before_and_after_the_command_and_the_later_one_wins(capsys: pytest.CaptureFixture[str]) -> None:
    flags = [part for flag, value in CONNECTION_FLAGS.items() for part in (flag, value) if part is not None]
    for arguments in ([*flags, "url"], ["url", *flags]):
        assert run(arguments) == 0
        assert capsys.readouterr().out == "wss://gw.example/?model=rt\n"
    assert run(["--endpoint", "acme", "--deployment", "one", "url", "--deployment", "two"]) == 0
    assert capsys.readouterr().out == f"{ACME.removesuffix('rt')}two\n"
    assert run(["--url", "ws://gw.example/x", "url"]) == 2
    assert run(["--insecure", "url", "--url", "ws://gw.example/x"]) == 0


@pytest.mark.usefixtures("alone")
def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "other")
    assert run(["url", "--endpoint", "acme", "--deployment", "rt"]) == 0
    assert capsys.readouterr() == (f"{ACME}\n", "")


@pytest.mark.usefixtures("alone")
def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"azrt-tui {__version__}\n"
    for arguments in (["-h"], ["--help"], *([name, "-h"] for name in cli.commands)):
        assert run(arguments) == 0
        out, err = capsys.readouterr()
        assert out.startswith("Usage: azrt-tui")
        assert err == ""


@pytest.mark.parametrize("arguments", [[], ["demo"]])
@pytest.mark.usefixtures("alone")
def test_without_a_terminal_the_screen_points_to_say(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("azrt-tui: the screen needs a terminal; in a script or a pipe, use: azrt-tui say TEXT")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (AZURE | {"AZURE_OPENAI_ENDPOINT": "https://your-resource.openai.azure.com"}, "placeholder"),
        (AZURE, "no key for acme.openai.azure.com: set AZURE_OPENAI_API_KEY"),
        ({"AZRT_URL": "wss://acme.openai.azure.com/openai/v1/live/sessions"}, "is Live, not Realtime"),
    ],
)
def test_the_screen_does_not_open_on_what_cannot_connect(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    master, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tui"],
            cwd=tmp_path,
            env=environment(tmp_path, TERM="xterm-256color", **variables),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            timeout=60,
        )
        drawn = os.read(master, 4096).decode()
    finally:
        os.close(master)
        os.close(terminal)
    assert done.returncode == 2
    assert drawn.startswith("azrt-tui: ")
    assert message in drawn
    assert "\x1b" not in drawn, "nothing was drawn"


def test_a_colour_system_that_there_is_not(tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path, environment={"TEXTUAL_COLOR_SYSTEM": "bogus"}) as terminal:
        assert terminal.wait_until_ended() == 2
    assert "TEXTUAL_COLOR_SYSTEM must be one of auto, standard, 256, truecolor," in terminal.text


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_only_prints_is_told_what_works_there(term: str, tmp_path: Path) -> None:
    with Terminal.azrt("demo", home=tmp_path, environment={"TERM": term}) as terminal:
        assert terminal.wait_until_ended() == 2
    assert f'TERM is "{term}"; use: azrt-tui say TEXT.' in " ".join(terminal.text.split())
    assert "\x1b" not in terminal.text


def test_too_few_files_are_said_and_more_are_taken_where_that_is_allowed(tmp_path: Path) -> None:
    def limited(limit: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", f'ulimit {limit}; exec "$@"', "sh", sys.executable, "-m", "tui", "say", "--demo", "hi"],
            cwd=tmp_path,
            env=environment(tmp_path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    few = limited("-n 12")
    assert few.returncode == 1
    assert few.stderr == (
        "azrt-tui: this shell lets a program open 12 files, and a session needs 32; "
        "in another shell, raise it first: ulimit -n 1024\n"
    )
    assert limited("-S -n 12").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["say", "hello"], 2, "nothing to connect to"),
        (["say", "--endpoint", "acme", "--deployment", "rt", "hello"], 2, "set AZURE_OPENAI_API_KEY"),
        (["say", "--endpoint", "a b", "hello"], 2, 'flag --endpoint: "a b" has a space'),
        (
            ["say", "--url", "wss://api.openai.com/v1/realtime?call_id=rtc_1", "hello"],
            2,
            "would change somebody's call",
        ),
    ],
)
def test_say_checks_the_settings_before_anything_else(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = azrt(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_say_hints_at_how_a_text_begins_with_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["say", "--demo", "-1 + 2?"]) == 2
    assert "To say a text that begins with a dash: say -- TEXT" in capsys.readouterr().err
    assert run(["say", "--demoo", "hello"]) == 2
    err = capsys.readouterr().err
    assert "Did you mean '--demo'?" in err and "begins with a dash" not in err


def test_say_refuses_bytes_that_are_no_text(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "say", "--demo", "-"],
        cwd=tmp_path,
        env=environment(tmp_path),
        input=b"\xff\xfe",
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == b"azrt-tui: the text on stdin is not UTF-8\n"


def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "url"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with (tmp_path / ".env").open("w"):  # opens when the program reads its settings, and keeps it there
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "")


def test_the_end_waits_for_no_thread_and_unloads_nothing_under_it(tmp_path: Path) -> None:
    script = """
import atexit, threading
from tui.__main__ import leave
atexit.register(print, "unloaded")
print("said")
if {daemon}:
    threading.Thread(target=threading.Event().wait, daemon=True).start()
leave(3)
"""
    for daemon, said in ((False, "said\nunloaded\n"), (True, "said\n")):
        done = subprocess.run(
            [sys.executable, "-c", script.format(daemon=daemon)],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout, done.stderr) == (3, said, ""), f"{daemon=}"


def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        done = subprocess.run(
            [sys.executable, "-m", "tui", "url"],
            cwd=tmp_path,
            env=environment(tmp_path, **AZURE),
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    assert done.returncode == 141
    assert not re.search("Traceback|BrokenPipe", done.stderr)
