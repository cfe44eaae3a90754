"""`sessions`, `events` and `export` as they are typed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from tests.support.terminal import clean_environment
from tests.unit.export.support import LOCAL, RECEIVED, SENT, audio, capture, typed
from tui import paths
from tui.capture import CaptureWriter, EventLog
from tui.capture.file.folder import NewCapture
from tui.capture.file.records import Header
from tui.clock import clock
from tui.commands import run
from tui.export.sessions import sessions

Text = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home and a folder of the test's own."""
    for name, value in clean_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(tmp_path)


def recorded(host: str = "acme.example") -> Path:
    """A capture where captures are."""
    return capture(
        paths.captures_dir(),
        (0, LOCAL, {"type": "websocket.connect", "text": "wss://acme.example"}),
        (500, SENT, typed("Hello [red]you[/] \x1b[2J")),
        (62_250, RECEIVED, {"type": "error", "error": {"code": "bad", "message": "No."}}),
        (63_000, RECEIVED, audio("item_1", 100, 7)),
        host=host,
    )


def test_sessions_lists_them_with_length_events_and_size(capsys: Text) -> None:
    assert run(["sessions"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.startswith("azrt-tui: there is no capture in ~/state/azrt-tui/captures")) == ("", True)
    first, second = recorded(), recorded("x\x1b[31m.example")
    (paths.captures_dir() / "mine.jsonl").write_bytes(first.read_bytes())
    (paths.captures_dir() / "no.jsonl").write_text("no capture")
    assert run(["sessions"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["started", "length", "events", "size", "name", "with"]
    assert len(lines) == 3
    line = next(line for line in lines if first.stem in line)
    assert line.split()[2:4] == ["1:03", "4"]
    assert line.endswith("acme.example gpt-realtime")
    assert not [letter for line in lines for letter in line if not letter.isprintable()]
    assert run(["sessions", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["name"] for one in listed} == {first.stem, second.stem, "mine"}
    one = next(one for one in listed if one["name"] == first.stem)
    assert (one["length_s"], one["events"], one["running"], one["deployment"]) == (63.0, 4, False, "gpt-realtime")
    assert one["bytes"] == first.stat().st_size + first.with_name(f"{first.stem}.received.wav").stat().st_size


@pytest.mark.parametrize(
    ("version", "listed", "said"),
    [
        ("2", "(format 2)", "it was written by a newer azrt-tui 1 (format 2); this one knows format 1"),
        ("0", "(format 0)", "its header names format 0, which there is not"),
        ('"new"', '(format "new")', 'its header names format "new", which there is not'),
    ],
)
def test_every_command_shows_what_it_can_of_another_version(version: str, listed: str, said: str, capsys: Text) -> None:
    path = recorded()
    path.write_bytes(path.read_bytes().replace(b'"version":1,', f'"version":{version},'.encode()))
    assert run(["sessions"]) == 0
    assert capsys.readouterr().out.rstrip().endswith(listed)
    for command, shown in ((["events"], "Hello [red]you[/]"), (["export", "--format", "txt"], "Hello [red]you[/]")):
        assert run([command[0], str(path), *command[1:]]) == 0
        printed = capsys.readouterr()
        assert shown in printed.out
        assert said in printed.err


def test_a_session_that_still_runs_is_marked(capsys: Text) -> None:
    writing = CaptureWriter(NewCapture(paths.captures_dir()), Header())
    log = EventLog(capture=writing)
    log.append(RECEIVED, b'{"time_ns":1,"x":"\\n{\\"time_ns\\":2"}', 3 * 10**9)
    while not len(writing.frames):
        pass
    (session,) = sessions(paths.captures_dir())
    assert (session.running, session.events, session.length_s) == (True, 1, 3.0)
    assert run(["sessions"]) == 0
    assert " 0:03+ " in capsys.readouterr().out
    log.close()


def test_lengths() -> None:
    assert [clock(seconds) for seconds in (0.9, 7, 750, 11_100)] == ["0:00", "0:07", "12:30", "3:05:00"]


def test_events_prints_a_line_each(capsys: Text) -> None:
    path = recorded()
    for named in ([], [path.stem], [path.name], [str(path)]):
        assert run(["events", *named]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["0.000", "·"],
            ["0.500", "→"],
            ["62.250", "←"],
            ["63.000", "←"],
        ]
        assert [line[19] for line in lines] == [" ", " ", "!", " "]
        assert "Hello [red]you[/]" in lines[1]
        assert lines[2].endswith("bad: No.")
        assert lines[3].endswith("100 ms of audio")
        assert not [letter for line in lines for letter in line if not letter.isprintable()]


def test_events_takes_a_filter(capsys: Text) -> None:
    recorded()
    assert run(["events", "--filter", "dir:out or error"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run(["events", "--filter", "(dir:out"]) == 2
    assert capsys.readouterr().err.startswith("azrt-tui: Invalid value for --filter: at character ")


def test_events_as_json_are_what_say_prints_and_can_be_read_again(tmp_path: Path, capsys: Text) -> None:
    path = recorded()
    assert run(["events", "--json", str(path)]) == 0
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [(line["time"], line["direction"]) for line in lines] == [
        (0.0, "local"),
        (0.5, "sent"),
        (62.25, "received"),
        (63.0, "received"),
    ]
    assert lines[3]["event"] == audio("item_1", 100, 7)
    again = tmp_path / "again.jsonl"
    again.write_text(printed)
    assert run(["events", "--json", str(again)]) == 0
    assert capsys.readouterr().out == printed


def program(*arguments: str, home: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The program, with pipes."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *arguments],
        input=given,
        capture_output=True,
        env={**clean_environment(home), "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=home,
    )


def test_from_a_pipe_and_into_a_pipe(tmp_path: Path) -> None:
    path = recorded()
    given = path.read_bytes() + b'{"time_ns":7,"dire'
    done = program("events", "-", "--filter", "-audio", home=tmp_path, given=given)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 3)
    assert b"stdin: the last line is cut off, and left out" in done.stderr
    assert b"Traceback" not in done.stderr
    shell = f"'{sys.executable}' -m tui events '{path}' | head -1"
    piped = subprocess.run(
        shell,
        shell=True,
        capture_output=True,
        env={**clean_environment(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (len(piped.stdout.splitlines()), piped.stderr) == (1, b"")
    sound = program("export", str(path), "--format", "wav", home=tmp_path)
    with wave.open(io.BytesIO(sound.stdout)) as both:
        assert both.getnframes() == 63_100 * 24
    assert sound.stderr == b"azrt-tui: 1:03 of audio: you on the left, the agent on the right\n"


def test_export_writes_a_file_for_this_user_only(tmp_path: Path, capsys: Text) -> None:
    path = recorded()
    for kind in ("markdown", "txt", "json", "wav"):
        out = tmp_path / f"out.{kind}"
        assert run(["export", "--format", kind, "-o", str(out), str(path)]) == 0
        assert out.stat().st_mode & 0o777 == 0o600
        assert out.stat().st_size > 100
    before = path.read_bytes()
    assert run(["export", "-o", str(path), str(path)]) == 2
    assert "is a file of the capture itself; name another one with -o" in capsys.readouterr().err
    audio = next(path.parent.glob(f"{path.stem}*.wav"))
    heard = audio.read_bytes()
    assert run(["export", "--format", "wav", "-o", str(audio), str(path)]) == 2
    assert audio.read_bytes() == heard
    capsys.readouterr()

    assert path.read_bytes() == before
    assert run(["export", "-o", str(tmp_path / "none" / "x"), str(path)]) == 1
    assert capsys.readouterr().err == f"azrt-tui: {tmp_path / 'none' / 'x'}: No such file or directory\n"


def test_export_without_audio_leaves_the_file_that_is_there(tmp_path: Path) -> None:
    silent = tmp_path / "silent.jsonl"
    silent.write_text('{"type": "session.created"}\n')
    out = tmp_path / "out.wav"
    out.write_bytes(b"something else")
    assert run(["export", "--format", "wav", "-o", str(out), str(silent)]) == 1
    assert out.read_bytes() == b"something else"


@pytest.mark.parametrize("command", ["events", "export"])
def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path, command: str, capsys: Text) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("Dear diary\n")
    for name, said in (
        ("", "there is no capture in ~/state/azrt-tui/captures; name a FILE"),
        ("none", "none: No such file or directory"),
        (str(tmp_path), f"{tmp_path} is a folder; name a file in it"),
        (str(diary), f"{diary} is no capture: it has no event in it"),
    ):
        assert run([command, name]) == 1
        assert capsys.readouterr() == ("", f"azrt-tui: {said}\n")
