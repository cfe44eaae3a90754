"""What the doctor writes for people: in 80 columns, plain in a pipe, and nothing that a terminal would obey."""

from __future__ import annotations

import io
import math
import shlex
from pathlib import Path

import pytest

from tests.support.terminal import Terminal
from tui.conversation import Cause
from tui.doctor import Check, Outcome, Report
from tui.doctor.printing import WIDTH, Lines, writer
from tui.doctor.report import Finding, failed, skipped
from tui.failures.table import KINDS
from tui.simulator import SimulatorThread

LONG = "https://a-rather-long-name-of-a-resource.openai.azure.com/openai/v1/realtime?model=gpt-realtime"


def check(finding: Finding, name: str = "dns", title: str = "DNS", seconds: float = 0.0123) -> Check:
    """A check with this finding."""
    return Check(name, title, finding, seconds)


def written(*checks: Check, encoding: str = "utf-8", seconds: float = 1.25) -> str:
    """What goes into a pipe."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    out = Lines(stream)
    for each in checks:
        out.begin(each.title)
        out.tell(each)
    out.end(Report(list(checks), seconds))
    return raw.getvalue().decode(encoding)


def test_a_healthy_run() -> None:
    text = written(check(Finding("10.0.0.1")), check(Finding("port 443 answers"), "tcp", "TCP", 1.5))
    lines = text.splitlines()
    assert lines[0].split() == ["✓", "DNS", "10.0.0.1", "12", "ms"]
    assert lines[1].split() == ["✓", "TCP", "port", "443", "answers", "1.5", "s"]
    assert lines[-1] == "Healthy. (1.2 s)"
    assert {len(line) for line in lines[:2]} == {WIDTH - 2 + 2}


def test_a_failure_says_what_to_type_and_what_was_not_done() -> None:
    cause = Cause("dns", "No address is known for it.", "Check the name.", {"host": "it"}, line="azrt-tui url")
    text = written(
        check(failed(cause)),
        check(skipped("not after DNS", in_vain=True), "tcp", "TCP"),
        check(skipped("not after DNS", in_vain=True), "tls", "TLS"),
    )
    assert "✗ DNS" in text
    assert "\n    $ azrt-tui url\n" in text
    assert "· Not done         TCP, TLS\n" in text
    assert "Not healthy: DNS failed." in text


def test_all_that_the_table_can_say_fits_80_columns() -> None:
    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"a {key} of some length, such as it is in practice"

    for name, kind in KINDS.items():
        fields = Anything(host="acme.openai.azure.com", line="az login")
        cause = Cause(
            name,
            kind.sentence.format_map(fields),
            kind.fix.format_map(fields),
            {"apim-request-id": "0" * 36},
            line=kind.line.format_map(fields),
        )
        text = written(check(failed(cause, details=(LONG,))))
        too_long = [line for line in text.splitlines() if len(line) > WIDTH and LONG not in line]
        assert not too_long, name


def test_a_long_line_to_type_is_still_one_line_for_the_shell() -> None:
    line = KINDS["http-401-role"].line
    text = written(check(failed(Cause("http-401-role", "No role.", "Give it one.", line=line))))
    at = text.index("$ ")
    typed = text[at + 2 : text.index("\n\n", at)].replace("\\\n", " ")
    assert shlex.split(typed) == shlex.split(line)


def test_what_comes_from_the_network_is_text() -> None:
    text = written(check(Finding("\x1b]0;title\x07 \ud83d \u202e", details=("a\nb\x9b31m",))))
    assert not any(ord(c) < 32 and c != "\n" for c in text)
    assert "\\x1b]0;title\\x07" in text
    assert "\x9b" not in text


def test_a_terminal_that_knows_only_ascii() -> None:
    text = written(check(Finding("“OK” — fine")), encoding="ascii")
    assert text.startswith("  + DNS")


def test_json_is_one_object_a_line_whatever_it_holds() -> None:
    stream = io.StringIO()
    out = writer(json_output=True, stream=stream)
    out.begin("DNS")
    out.tell(check(Finding("\ud83d\n\x1b")))
    out.end(Report([], 0.0))
    assert len(stream.getvalue().splitlines()) == 2
    assert stream.getvalue().isascii()


@pytest.mark.parametrize("outcome", list(Outcome))
def test_masking_reaches_every_text(outcome: Outcome) -> None:
    cause = Cause("n", "secret", "secret", {"name": "secret"}, line="secret")
    found = check(Finding("secret", outcome, cause, ("secret",), {"secret": "secret"}, in_vain=True))
    masked = found.mapped(lambda text: text.replace("secret", "***"))
    assert "secret" not in repr(masked)
    assert masked.outcome is outcome
    assert masked.in_vain == (outcome is Outcome.SKIPPED)


@pytest.mark.e2e
def test_in_a_terminal_it_is_coloured_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with (
        SimulatorThread(speed=math.inf, faults=["http-404"]) as simulator,
        Terminal.azrt("doctor", "--url", simulator.url("m"), home=tmp_path, size=(80, 40)) as terminal,
    ):
        assert terminal.wait_until_ended() == 1
        screen = terminal.text
        assert "✗ Handshake" in screen
        assert "$ az cognitiveservices account deployment list" in screen
        assert "Not healthy: Handshake failed." in screen
        assert "…" not in screen, "no check is under way any more"
        assert b"\x1b[31m" in terminal.output
        assert terminal.modes_now() == terminal.modes_before


@pytest.mark.e2e
def test_without_colour(tmp_path: Path) -> None:
    with Terminal.azrt("doctor", home=tmp_path, size=(80, 24), environment={"NO_COLOR": "1"}) as terminal:
        assert terminal.wait_until_ended() == 2
        assert "Not healthy: Settings failed." in terminal.text
        assert b"\x1b[3" not in terminal.output
