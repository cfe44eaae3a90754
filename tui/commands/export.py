"""`azrt-tui export`: write a conversation as text, JSON or sound."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from tui.clock import clock
from tui.commands.common import complain
from tui.commands.flags import CAPTURE_FILE

if TYPE_CHECKING:
    from tui.capture import CaptureReader


@click.command(epilog=CAPTURE_FILE)
@click.option(
    "--format",
    "kind",
    type=click.Choice(("markdown", "txt", "json", "wav")),
    default="markdown",
    show_default=True,
    help="The conversation as text, or both voices in time: you on the left, the agent on the right.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.argument("file", required=False, default="")
def export(file: str, kind: str, output: Path | None) -> int:
    """Write what was said in a recorded session, with what nobody heard marked."""
    from tui.capture import CaptureError
    from tui.export.opening import opened
    from tui.export.sound import write_wav
    from tui.export.transcript import FORMATS
    from tui.printing import BROKEN_PIPE, drop_rest

    if kind == "wav" and output is None and sys.stdout.isatty():
        raise click.UsageError("a WAV file is nothing for a terminal; name a file with -o.")
    try:
        with opened(file) as reader:
            if kind == "wav":
                length_s = write_wav(reader, lambda: _target(output, reader))
                complain(f"{clock(length_s)} of audio: you on the left, the agent on the right")
            else:
                text = FORMATS[kind](reader)
                with _target(output, reader) as out:
                    out.write(text.encode(errors="replace"))
                    out.flush()
    except CaptureError as error:
        raise click.ClickException(str(error)) from error
    except BrokenPipeError:
        drop_rest(sys.stdout)
        return BROKEN_PIPE
    return 0


def _target(output: Path | None, reader: "CaptureReader") -> AbstractContextManager[IO[bytes]]:
    """Where to write: stdout, or a file that only this user can read, as what is in it is private.

    ``reader`` has read the whole capture. A file of the capture itself is refused.
    """
    if output is None:
        return nullcontext(sys.stdout.buffer)
    if reader.path is not None:
        audio = (reader.header.received_audio, reader.header.sent_audio) if reader.header is not None else ()
        if output.resolve() in {reader.path.with_name(name).resolve() for name in (reader.path.name, *audio) if name}:
            raise click.UsageError(f"{output} is a file of the capture itself; name another one with -o.")
    try:
        return os.fdopen(os.open(output, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        raise click.ClickException(f"{output}: {error.strerror}") from error
