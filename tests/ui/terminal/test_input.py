"""What terminals send: keys, pastes in any pieces, bytes of other encodings, sequences that nobody should send."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

from tests.support.apps import running
from tui.ui.terminal.input import Keyboard
from tui.ui.widgets.prompt import Prompt

COLOURED = "\x1b[31mred\x1b[0m\nrm -rf x\n\x1b]0;title\x07end"


def keys(*pieces: bytes) -> list[str]:
    """The keys that these bytes are, and the pastes."""
    keyboard = Keyboard()
    messages = [message for piece in pieces for message in keyboard.feed(piece)]
    messages += keyboard.tick()
    return [
        message.key if isinstance(message, events.Key) else f"<{message.text}>"
        for message in messages
        if isinstance(message, events.Key | events.Paste)
    ]


def test_keys() -> None:
    assert keys(b"a\x1b[A\r") == ["a", "up", "enter"]
    assert keys("é日".encode()[:1], "é日".encode()[1:4], "é日".encode()[4:]) == ["é", "日"]


def test_bytes_of_another_encoding_are_a_sign_of_their_own_and_the_next_key_is_read() -> None:
    assert len(keys(b"\xe9", b"a")) == 2
    assert keys(b"\xe9", b"a")[-1] == "a"
    assert keys(b"\x1b[200~caf\xe9\x1b[201~") == ["<caf\ufffd>"]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 7, 1000])
def test_nothing_that_is_pasted_is_a_key(piece: int) -> None:
    sent = f"a\x1b[200~{COLOURED}\x1b[201~b".encode()
    assert keys(*(sent[at : at + piece] for at in range(0, len(sent), piece))) == ["a", f"<{COLOURED}>", "b"]


@pytest.mark.parametrize("sent", [(b"\x1b\x1b[200~x\x1b[201~",), (b"\x1b", b"\x1b[200~x\x1b[201~")])
def test_an_escape_right_before_a_paste_comes_first(sent: tuple[bytes, ...]) -> None:
    assert keys(*sent) == ["escape", "<x>"]


async def test_a_paste_behind_an_escape_lands_in_the_prompt() -> None:
    async with running(demo=True) as shown:
        await shown.until(lambda: shown.app.connected)
        await shown.pilot.press("f1")
        await shown.until(lambda: shown.app.screen is not shown.main)
        for message in (events.Key("escape", None), events.Paste("under "), events.Key("x", "x")):
            shown.app.post_message(message)
        await shown.until(lambda: shown.prompt.text == "under x")


@pytest.mark.parametrize("unknown", [b"\x1b[?12;40R", b"\x1b[0n", b"\x1b[?62;1c", b"\x1b[?997;1n"])
def test_control_sequences_that_are_no_keys_are_not_typed(unknown: bytes) -> None:
    assert keys(unknown + b"a") == ["a"]
    assert keys(*(bytes([byte]) for byte in unknown + b"a")) == ["a"]


def test_the_sequences_that_textual_knows_mean_the_same_in_pieces() -> None:
    for sequence in filter(lambda each: each.startswith("\x1b["), ANSI_SEQUENCES_KEYS):
        known = [each.key for each in XTermParser().feed(sequence) if isinstance(each, events.Key)]
        assert keys(sequence.encode()) == known
        assert keys(*(bytes([byte]) for byte in sequence.encode())) == known


def test_keys_that_begin_as_a_paste_does() -> None:
    assert keys(b"\x1b[2", b"4~") == ["f12"]
    assert keys(b"\x1b[2", b"4~\x1b[200~x\x1b[201~") == ["f12", "<x>"]


@given(st.lists(st.sampled_from([b"\x1b", b"[", b"<", b";", b"9" * 20, b"0", b"u", b"M", b"~", b":", b"t", b"\xff"])))
@example([b"\x1b[", b"9" * 20, b"u"])
@example([b"\x1b[48;0;0;0;0t", b"\x1b[<0;5;5M"])
@example([b"\x1b[:~"])
def test_whatever_a_terminal_sends_the_next_key_is_read(sent: list[bytes]) -> None:
    keyboard = Keyboard()
    for piece in sent:
        list(keyboard.feed(piece))
    list(keyboard.tick())
    heard = [message for _ in range(40) for message in keyboard.feed(b"z")]  # some end a sequence that was begun
    assert isinstance(heard[-1], events.Key)
    assert heard[-1].key == "z"


def test_a_paste_into_the_prompt_loses_its_colours_and_keeps_its_lines() -> None:
    pasted = events.Paste(COLOURED + "\x1b[200\x9b")
    Prompt().on_paste(pasted)
    assert re.sub(r"\[200", "", pasted.text) == "red\nrm -rf x\nend"
