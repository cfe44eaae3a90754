"""What to do about sound that does not work: one line each, with the package, the command or the setting.

On Linux most of it hangs together: PortAudio reaches a sound server (PulseAudio, or PipeWire in its place) only through
ALSA's plugin for it, and without the plugin, the server, or a sound card, it finds no device at all and says no more.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PLUGIN: Final = "alsa-lib/libasound_module_pcm_pulse.so"

_PLUGIN_FOLDERS: Final = ("/usr/lib", "/usr/lib64")

_CARDS: Final = Path("/dev/snd")

_ANSWER_S: Final = 0.5
"""How long a sound server may take to accept a connection."""

_DEFAULT_PORT: Final = 4713
"""Of PulseAudio."""


SYSTEM_FIX: Final = "Check that the system's own sound settings show a device, then try again."


def library_fix(platform: str = sys.platform) -> str:
    """How to have the PortAudio library. The wheels for macOS and Windows bring it."""
    if platform == "darwin":
        return "brew install portaudio"
    if platform.startswith("linux"):
        return "sudo apt install libportaudio2   (Fedora, Arch, Alpine: the package is called portaudio)"
    return "pip install --force-reinstall sounddevice"


def device_fix(noun: str, environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """What to do about a ``microphone`` or a ``loudspeaker`` that is not there."""
    if platform.startswith("linux"):
        return _linux_fix(noun, environ)
    if environ.get("SSH_CONNECTION"):
        return _OVER_SSH
    return f"Connect a {noun}, or choose one in the system's sound settings, then try again."


_OVER_SSH: Final = "Over SSH there is no sound device: run azrt-tui on the machine you sit at, or go on in text."


def _linux_fix(noun: str, environ: Mapping[str, str]) -> str:
    server = _server(environ)
    if server and not _plugin_installed():
        return "sudo apt install libasound2-plugins   (PipeWire: pipewire-alsa), then start azrt-tui again."
    if server and not _answers(server):
        if environ.get("PULSE_SERVER"):
            return "The sound server that PULSE_SERVER names does not answer. Start it, or unset PULSE_SERVER."
        return "The sound server does not answer: systemctl --user restart pipewire-pulse   (or: pulseaudio --start)"
    if server:
        return f"The sound server has no {noun}. Connect one; pactl list short shows what there is."
    if environ.get("SSH_CONNECTION"):
        return _OVER_SSH
    cards = list(_CARDS.glob("controlC*"))
    if not cards:
        return "This machine has no sound card. In a container, set PULSE_SERVER to a sound server that it can reach."
    if not os.access(cards[0], os.R_OK | os.W_OK):
        return "You may not use the sound card: sudo usermod -aG audio $USER, then log in again."
    return f"Connect a {noun}. Where a desktop has a sound server: sudo apt install libasound2-plugins"


def _plugin_installed() -> bool:
    folders = [Path(folder) for folder in _PLUGIN_FOLDERS]
    return any(path.exists() for folder in folders for path in (folder / _PLUGIN, *folder.glob(f"*-linux-*/{_PLUGIN}")))


def _server(environ: Mapping[str, str]) -> str:
    """Where the sound server should be, as PULSE_SERVER says it; "" where none was ever started."""
    named = environ.get("PULSE_SERVER", "").split()
    if named:
        return named[0].rpartition("}")[2]  # {machine-id}unix:/path
    runtime = environ.get("PULSE_RUNTIME_PATH") or f"{environ.get('XDG_RUNTIME_DIR', '')}/pulse"
    path = Path(runtime, "native")
    return str(path) if path.is_absolute() and path.exists() else ""


def _answers(server: str) -> bool:
    """Whether anything accepts a connection there. True also where that cannot be told."""
    kind, _, rest = server.partition(":")
    try:
        if kind == "unix" or server.startswith("/"):
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(_ANSWER_S)
                client.connect(server.removeprefix("unix:"))
        elif kind in ("tcp", "tcp4", "tcp6"):
            host, _, port = rest.rpartition(":")
            address = (host, int(port)) if port.isdecimal() else (rest, _DEFAULT_PORT)
            socket.create_connection((address[0].strip("[]"), address[1]), _ANSWER_S).close()
    except OSError:
        return False
    return True
