"""The flags that several commands take."""

from collections.abc import Callable
from typing import TypeVar

import click

from tui.settings.model import MAX_FPS
from tui.settings.options import AUTHS, ECHOES, MODALITIES, TURN_DETECTIONS, WHILE_ANSWERING

Command = TypeVar("Command", bound=Callable[..., object])

CAPTURE_FILE = (
    "FILE is a capture, or any file of events: one a line, a JSON array, or HAR; the newest capture without one, - for "
    "stdin."
)
"""What `events` and `export` say of their FILE."""

_SERVICE_FLAGS = (
    click.option("--endpoint", metavar="URL", help="Azure endpoint, in any form. [AZURE_OPENAI_ENDPOINT]"),
    click.option("--deployment", metavar="NAME", help="Azure deployment or model. [AZURE_OPENAI_DEPLOYMENT]"),
    click.option("--url", metavar="URL", help="A whole WebSocket URL, used as given. [AZRT_URL]"),
    click.option("--insecure", is_flag=True, default=None, help="Allow ws:// to another machine."),
    click.option(
        "--auth", type=click.Choice(AUTHS), help="Sign in to Azure with a key, or with a token of Entra ID. [AZRT_AUTH]"
    ),
    click.option(
        "--header",
        "headers",
        metavar="NAME=VALUE",
        multiple=True,
        callback=lambda _context, _parameter, given: given or None,
        help="Header to add, for a gateway; repeatable. Other users of the machine can read a VALUE here: NAME=env:VAR "
        "and NAME=cmd:COMMAND keep it out. [AZRT_HEADERS]",
    ),
    click.option("--ca-file", metavar="FILE", help="Certificates to trust besides the system's. [AZRT_CA_FILE]"),
)

_CAPTURE_FLAG = click.option(
    "--capture/--no-capture", default=None, help="Keep every event in a file, or nothing on disk. [AZRT_CAPTURE]"
)

_CONNECTION_FLAGS = (
    *_SERVICE_FLAGS,
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
    _CAPTURE_FLAG,
)

_LOOK_FLAGS = (
    click.option("--theme", metavar="NAME", help="Theme of the screen. [AZRT_THEME]"),
    click.option(
        "--fps", type=click.IntRange(0, MAX_FPS), help="Most screen updates per second; 0: automatic. [AZRT_FPS]"
    ),
)

_SPEAKER_FLAG = click.option(
    "--output-device", metavar="NAME", help="Loudspeaker, or a part of its name. [AZRT_OUTPUT_DEVICE]"
)

_SCREEN_FLAGS = (
    *_LOOK_FLAGS,
    click.option(
        "--while-answering",
        type=click.Choice(WHILE_ANSWERING),
        help="What a message does that you send during an answer. [AZRT_WHILE_ANSWERING]",
    ),
    click.option("--input-device", metavar="NAME", help="Microphone, or a part of its name. [AZRT_INPUT_DEVICE]"),
    _SPEAKER_FLAG,
    click.option(
        "--echo",
        type=click.Choice(ECHOES),
        help="cancel: take the agent's voice out of the microphone's (needs azrt-tui[aec]). half-duplex: hold the "
        "microphone while the agent is heard. headset: neither. auto: cancel, else half-duplex. [AZRT_ECHO]",
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
replay_flags = _with(*_LOOK_FLAGS, _SPEAKER_FLAG)
watch_flags = _with(*_SERVICE_FLAGS, _CAPTURE_FLAG, *_LOOK_FLAGS)
