"""The command line: flags, dispatch and exit codes. What a command needs is imported by that command.

Exit codes: 0 done, 1 failed, 2 a wrong flag or setting, 130 interrupted, 141 the reader of stdout has gone. Errors are
one line on stderr.
"""

import sys
from collections.abc import Sequence

import click

from tui.commands.common import FAILED, INTERRUPTED, PROGRAM, USAGE_ERROR, fail
from tui.commands.demo import demo
from tui.commands.devices import devices
from tui.commands.doctor import doctor
from tui.commands.events import events
from tui.commands.export import export
from tui.commands.replay import replay
from tui.commands.root import cli
from tui.commands.say import say
from tui.commands.sessions import sessions
from tui.commands.simulator import simulator
from tui.commands.url import url
from tui.commands.watch import watch
from tui.endpoint import EndpointError
from tui.settings import SettingsError

__all__ = ["cli", "run"]

for command in (demo, url, say, devices, doctor, replay, sessions, events, export, watch, simulator):
    cli.add_command(command)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code. Nothing that a user can do wrong ends in a traceback."""
    try:
        code = cli.main(list(arguments), PROGRAM, standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else PROGRAM
        message = error.format_message()
        return fail(f"{message}{'' if message.endswith(('.', '?')) else '.'} See: {command} --help", USAGE_ERROR)
    except click.ClickException as error:
        return fail(error.format_message(), error.exit_code)
    except (EndpointError, SettingsError) as error:
        return fail(str(error), USAGE_ERROR)
    except click.Abort:  # ctrl+c, or the end of the input
        return INTERRUPTED
    except SystemExit:  # click ends so, with code 1, when nobody reads stdout any more, and in no other case
        from tui.printing import BROKEN_PIPE

        return BROKEN_PIPE
    except OSError as error:  # a full disk behind stdout, no room for another file
        from tui.printing import drop_rest

        drop_rest(sys.stdout)
        return fail(error.strerror or str(error), FAILED)
    return int(code)
