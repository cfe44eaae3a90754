"""``azrt-tui devices``: what there is to speak into and to listen to, and which of it would be used."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from tui import paths
from tui.audio import AudioUnavailable
from tui.audio.devices import Device, Kind, choose, list_devices
from tui.endpoint import escape_controls
from tui.logs import native_stderr_to
from tui.settings import Settings


def print_devices(settings: Settings, *, json_output: bool) -> int:
    """Print every device, with a sign beside the two that would be used.

    Returns:
        0 when there is a microphone and a loudspeaker, 1 when one of them is missing: stderr says why, and what to do.
    """
    # ALSA looks for a dozen devices that most machines do not have, and complains about each.
    with native_stderr_to(paths.log_file()):
        try:
            found = list_devices()
        except AudioUnavailable as unavailable:
            _complain(unavailable)
            return 1
    chosen: dict[Kind, Device] = {}
    missing = []
    for kind, name in ((Kind.MICROPHONE, settings.input_device), (Kind.LOUDSPEAKER, settings.output_device)):
        try:
            chosen[kind] = choose(found, kind, name, os.environ)
        except AudioUnavailable as unavailable:
            missing.append(unavailable)
    for device in found:
        used = [kind for kind in Kind if chosen.get(kind) == device]
        print(_as_json(device, used) if json_output else _as_text(device, used))  # noqa: T201
    for lack in missing:
        _complain(lack)
    return 1 if missing else 0


def _as_text(device: Device, used: list[Kind]) -> str:
    able = ", ".join(f"{'* ' if kind in used else ''}{kind.noun}" for kind in Kind if device.serves(kind))
    name = escape_controls(device.name)
    return f"{name:<40} {able:<28} {device.rate:>7,} Hz   {escape_controls(device.system)}"


def _as_json(device: Device, used: list[Kind]) -> str:
    line: dict[str, Any] = {**asdict(device), "used_for": [kind.noun for kind in used]}
    return json.dumps(line)


def _complain(unavailable: AudioUnavailable) -> None:
    print(f"azrt-tui: {unavailable.problem} {unavailable.fix}", file=sys.stderr)  # noqa: T201
