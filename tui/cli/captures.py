"""Commands for what was recorded: sessions, events, export."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from tui.cli.common import complain, complain_about, load
from tui.clock import clock

if TYPE_CHECKING:
    from tui.capture import CaptureReader

_NAMED = "FILE is a capture, or any file with an event a line; the newest capture without one, - for stdin."


@click.command()
@click.option("--json", "json_output", is_flag=True, help="Print each as a line of JSON instead.")
def sessions(json_output: bool) -> int:
    """List the recorded sessions, the newest first.

    A + behind the length: it is still running. Names can be given to replay, events and export.
    """
    from tui.offline.sessions import print_sessions

    return print_sessions(json_output=json_output)


@click.command(epilog=_NAMED)
@click.option("--filter", "filter_text", metavar="FILTER", default="", help='Only these, such as "type:response.*".')
@click.option("--json", "json_output", is_flag=True, help="Print each as a line of JSON instead.")
@click.argument("file", required=False, default="")
@click.pass_context
def events(context: click.Context, /, file: str, filter_text: str, json_output: bool) -> int:
    """Print the events of a recorded session, a line each.

    A filter takes each event by itself here; on the screen it takes a run of deltas as one, with the bytes of all.
    """
    loaded = load(context, {})
    from tui.capture import CaptureError
    from tui.capture.filter import FilterError, parse
    from tui.offline.events import print_events

    try:
        chosen = parse(filter_text, loaded.settings.filters)
    except FilterError as error:
        complain_about(loaded)
        raise click.BadParameter(str(error), param_hint="--filter") from None
    try:
        return print_events(file, chosen, json_output=json_output)
    except CaptureError as error:
        raise click.ClickException(str(error)) from error


@click.command(epilog=_NAMED)
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
    from tui.offline.opening import opened
    from tui.offline.sound import write_wav
    from tui.offline.transcript import FORMATS
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
