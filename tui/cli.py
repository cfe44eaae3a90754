"""The command line: flags, dispatch and exit codes. What a command needs is imported by that command.

Exit codes: 0 done, 1 failed, 2 a wrong flag or setting, 130 interrupted. Errors are one line on stderr.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import click

from tui import __version__
from tui.endpoint import EndpointError, escape_controls
from tui.settings import Loaded, NotConfigured, SettingsError, load_settings
from tui.settings.model import MAX_FPS
from tui.settings.options import ECHOES, MODALITIES, TURN_DETECTIONS, WHILE_ANSWERING

PROGRAM = "azrt-tui"

FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130

Command = TypeVar("Command", bound=Callable[..., object])

_CONNECTION_FLAGS = (
    click.option("--endpoint", metavar="URL", help="Azure endpoint, in any form. [AZURE_OPENAI_ENDPOINT]"),
    click.option("--deployment", metavar="NAME", help="Azure deployment or model. [AZURE_OPENAI_DEPLOYMENT]"),
    click.option("--url", metavar="URL", help="A whole WebSocket URL, used as given. [AZRT_URL]"),
    click.option("--insecure", is_flag=True, default=None, help="Allow ws:// to another machine."),
    click.option("--voice", metavar="NAME", help="Voice of the answers. [AZRT_VOICE]"),
    click.option("--instructions", metavar="TEXT", help="System prompt of the session. [AZRT_INSTRUCTIONS]"),
    click.option(
        "--turn-detection",
        type=click.Choice(TURN_DETECTIONS),
        help="Who decides that you have finished speaking. [AZRT_TURN_DETECTION]",
    ),
    click.option(
        "--transcription-model",
        metavar="NAME",
        help='Model (on Azure: deployment) for your speech, or "none". [AZRT_TRANSCRIPTION_MODEL]',
    ),
    click.option("--modality", type=click.Choice(MODALITIES), help="Form of the answers. [AZRT_MODALITY]"),
)

_SCREEN_FLAGS = (
    click.option("--theme", metavar="NAME", help="Theme of the screen. [AZRT_THEME]"),
    click.option(
        "--fps", type=click.IntRange(0, MAX_FPS), help="Most screen updates per second; 0: automatic. [AZRT_FPS]"
    ),
    click.option(
        "--while-answering",
        type=click.Choice(WHILE_ANSWERING),
        help="What a message does that you send during an answer. [AZRT_WHILE_ANSWERING]",
    ),
    click.option("--input-device", metavar="NAME", help="Microphone, or a part of its name. [AZRT_INPUT_DEVICE]"),
    click.option("--output-device", metavar="NAME", help="Loudspeaker, in the same way. [AZRT_OUTPUT_DEVICE]"),
    click.option(
        "--echo",
        type=click.Choice(ECHOES),
        help="half-duplex: hold the microphone while the agent is heard. headset: do not. [AZRT_ECHO]",
    ),
)


def _with(*flags: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for flag in reversed(flags):  # the last decorator applied is the first in --help
            command = flag(command)
        return command

    return decorate


connection_flags = _with(*_CONNECTION_FLAGS)
screen_flags = _with(*_SCREEN_FLAGS)


@click.group(
    PROGRAM,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="These flags also work after a command. They win over the environment, .env and config.toml.",
)
@connection_flags
@screen_flags
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, /, **flags: object) -> int:
    """Talk to the Azure OpenAI or OpenAI Realtime API in the terminal, and see every event.

    Without a command, the screen opens. The API key comes from AZURE_OPENAI_API_KEY or OPENAI_API_KEY, never from a
    flag, which other users of the machine could read.
    """
    context.obj = flags
    if context.invoked_subcommand is not None:
        return 0
    return _open_screen(_load(context, {}), demo=False)


@cli.command()
@connection_flags
@screen_flags
@click.pass_context
def demo(context: click.Context, /, **flags: object) -> int:
    """Open the screen on a built-in server: no key, no network."""
    return _open_screen(_load(context, flags), demo=True)


@cli.command()
@connection_flags
@click.pass_context
def url(context: click.Context, /, **flags: object) -> int:
    """Print the WebSocket URL that would be used, and nothing else."""
    loaded = _load(context, flags)
    _complain_about(loaded)
    target = loaded.settings.target()
    _note(loaded, target.notes)
    click.echo(target.url)
    return 0


@cli.command()
@connection_flags
@click.option("--json", "json_output", is_flag=True, help="Print every event as a line of JSON instead.")
@click.option("--demo", "demo_server", is_flag=True, help="Ask the built-in server: no key, no network.")
@click.argument("text", nargs=-1, required=True)
@click.pass_context
def say(context: click.Context, /, text: tuple[str, ...], json_output: bool, demo_server: bool, **flags: object) -> int:
    """Send TEXT, print the answer, and end. "-" reads the text from stdin."""
    loaded = _load(context, flags)
    _complain_about(loaded)
    notes: tuple[str, ...] = ()
    if not demo_server:
        target = loaded.settings.target()
        loaded.settings.key_for(target)
        notes = target.notes
    message = _stdin() if text == ("-",) else " ".join(text)
    if not message.strip():
        raise click.UsageError("there is no text to say")
    _note(loaded, notes)
    from tui.headless import say as say_headless

    return say_headless(loaded, message, json_output=json_output, demo=demo_server)


@cli.command()
@click.option("--json", "json_output", is_flag=True, help="Print each device as a line of JSON instead.")
@click.pass_context
def devices(context: click.Context, /, json_output: bool) -> int:
    """List the microphones and loudspeakers, and which of them would be used."""
    settings = _load(context, {}).settings
    from tui.sound_check import print_devices

    return print_devices(settings, json_output=json_output)


@cli.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default="any free one", help="Port to listen on."
)
@click.option(
    "--dialect", type=click.Choice(("ga", "beta")), default="ga", show_default=True, help="Protocol to speak."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than real time it answers.",
)
def simulator(port: int, dialect: str, speed: float) -> int:
    """Run the built-in Realtime server on 127.0.0.1, for trying other programs."""
    from tui.simulator import run as run_simulator

    return run_simulator(port=port, dialect=dialect, speed=speed)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code. Nothing that a user can do wrong ends in a traceback."""
    try:
        code = cli.main(list(arguments), PROGRAM, standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else PROGRAM
        return _fail(f"{error.format_message()} See: {command} --help", USAGE_ERROR)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (EndpointError, SettingsError) as error:
        return _fail(str(error), USAGE_ERROR)
    except click.Abort:  # ctrl+c, or the end of the input
        return INTERRUPTED
    except OSError as error:  # a full disk behind stdout, no room for another file
        # What is still buffered is flushed when the program ends, and must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _fail(error.strerror or str(error), FAILED)
    return int(code)


def _load(context: click.Context, flags: dict[str, object]) -> Loaded:
    """Load the settings with the flags before the command and, winning over those, the ones after it."""
    given = {name: value for name, value in flags.items() if value is not None}
    return load_settings({**context.find_root().obj, **given})


def _open_screen(loaded: Loaded, *, demo: bool) -> int:
    if not demo:
        try:
            target = loaded.settings.target()
            loaded.settings.key_for(target)
        except NotConfigured:
            pass  # the first-run screen asks for what is missing
        except (EndpointError, SettingsError):
            _complain_about(loaded)  # the screen would have; what is wrong in a file may be the reason
            raise
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(f"the screen needs a terminal; in a script or a pipe, use: {PROGRAM} say TEXT.")
    if not sys.stderr.isatty():
        raise click.UsageError("the screen is drawn on stderr, which goes elsewhere; start it without 2>.")
    from tui.ui.app import run as run_screen

    return run_screen(loaded, demo=demo)


def _complain_about(loaded: Loaded) -> None:
    """Say on stderr what in the files does not count, a line each."""
    for problem in loaded.problems:
        _complain(problem)


def _note(loaded: Loaded, notes: Sequence[str]) -> None:
    """Say on stderr what was changed, in one line."""
    if changed := (*loaded.notes, *notes):
        _complain("; ".join(changed))


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise click.ClickException("the text on stdin is not UTF-8") from error


def _complain(message: str) -> None:
    click.echo(f"{PROGRAM}: {escape_controls(message)}", err=True)


def _fail(message: str, code: int) -> int:
    _complain(message)
    return code
