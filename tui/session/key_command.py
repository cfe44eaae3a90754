"""``api_key_command``: a program that prints the key, such as a password manager's. No shell ever sees it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from tui import wire
from tui.failures.table import cause
from tui.secrets import KEY
from tui.session.sign_in import PATIENCE_S, FetchedSecret, SignInError
from tui.settings import Secret
from tui.settings.options import key_from

_MOST_SHOWN: Final = 200
"""Characters of what the program said on stderr."""


def key_from_command(
    command: Sequence[str],
    *,
    patience_s: float = PATIENCE_S,
    parse: Callable[[str], Secret] = key_from,
    what: str = "api_key_command",
) -> FetchedSecret:
    """Return the sign-in with the first line that the command prints. Kept until a server refuses it.

    ``parse`` raises ValueError for what cannot be sent; ``what`` is the command's name for the user.
    """

    def fetch() -> Secret:
        try:
            return _run(command, patience_s, parse)
        except _CommandError as error:
            raise _failure(command, str(error), what) from None

    return FetchedSecret("azrt-key-command", fetch, keep=True, patience_s=patience_s + 1)


class _CommandError(Exception):
    """The text ends the sentence "The command ..."."""


def _run(command: Sequence[str], patience_s: float, parse: Callable[[str], Secret]) -> Secret:
    try:
        # In a session of its own, so that it can be ended together with what it started, and cannot write over the
        # screen by way of /dev/tty.
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise _CommandError(f"cannot be run: {why}") from None
    try:
        out, said = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        raise _CommandError(f"was not done within {patience_s:g} s") from None
    finally:
        _end(process)
    if process.returncode:
        how = f"exit code {process.returncode}" if process.returncode > 0 else f"signal {-process.returncode}"
        raise _CommandError(f"failed ({how}){_shown(said, out)}")
    # Password managers print the password first, and what else they know below it.
    first = out.decode(errors="replace").strip().partition("\n")[0]
    if not first:
        raise _CommandError(f"printed nothing{_shown(said, out)}")
    try:
        return parse(first)
    except ValueError as error:
        raise _CommandError(f"prints something that {error}") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what still runs of it, and its children."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _shown(said: bytes, printed: bytes) -> str:
    """The end of what it said on stderr, fit for a sentence; without what it printed, which may be the key."""
    for word in printed.split():
        said = Secret(word.decode(errors="replace")).masked(said)
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    text = wire.text(KEY.sub("***", " / ".join(lines[-3:])), _MOST_SHOWN)
    return f": {text}".rstrip(".") if text else ""


def _failure(command: Sequence[str], why: str, what: str) -> SignInError:
    program = wire.text(command[0])
    return SignInError(cause("key-command", what=what, program=program, why=why, command=shlex.join(command)))
