"""``azrt-tui devices``: what there is to speak into and to listen to, what of it would be used, and what cannot be."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tui import paths
from tui.audio import AudioUnavailable
from tui.audio.choosing import Choice, choices
from tui.audio.devices import Device, Kind, choose, list_devices
from tui.endpoint import escape_controls
from tui.logs import native_stderr_to
from tui.settings import Settings


def print_devices(settings: Settings, *, json_output: bool) -> int:
    """Print every device, with a sign beside the two that would be used, and why one would be refused.

    Returns:
        0 when there is a microphone and a loudspeaker, 1 when one of them is missing: stderr says why, and what to do.
    """
    used: dict[Kind, Device] = {}
    missing = []
    # ALSA looks for a dozen devices that most machines do not have, and complains about each.
    with native_stderr_to(paths.log_file()):
        try:
            found = list_devices()
            offered = {kind: {choice.device: choice for choice in choices(found, kind)} for kind in Kind}
        except AudioUnavailable as unavailable:
            _complain(unavailable)
            return 1
    for kind, name in ((Kind.MICROPHONE, settings.input_device), (Kind.LOUDSPEAKER, settings.output_device)):
        try:
            used[kind] = choose(found, kind, name, os.environ)
        except AudioUnavailable as unavailable:
            missing.append(unavailable)
    for device in found:
        serves = {kind: offered[kind][device] for kind in Kind if device.serves(kind)}
        uses = [kind for kind in Kind if used.get(kind) == device]
        print(_as_json(device, serves, uses) if json_output else _as_text(device, serves, uses))  # noqa: T201
    for lack in missing:
        _complain(lack)
    return 1 if missing else 0


def _as_text(device: Device, serves: Mapping[Kind, Choice], uses: list[Kind]) -> str:
    able = ", ".join(f"{'* ' if kind in uses else ''}{kind.noun}" for kind in serves)
    default = [kind.noun for kind, choice in serves.items() if choice.default]
    line = f"{escape_controls(device.name):<40} {able:<28} {device.rate:>7,} Hz   {escape_controls(device.system)}"
    if default:
        line += f"   the system's default {' and '.join(default)}"
    for kind, choice in serves.items():
        if choice.refused is not None:
            line += f"\n    no {kind.noun}: {choice.refused.problem} {' '.join(choice.refused.fix.split())}"
    return line


def _as_json(device: Device, serves: Mapping[Kind, Choice], uses: list[Kind]) -> str:
    refused = {
        kind.noun: {"problem": choice.refused.problem, "fix": choice.refused.fix}
        for kind, choice in serves.items()
        if choice.refused is not None
    }
    line: dict[str, Any] = {**asdict(device), "used_for": [kind.noun for kind in uses], "refused": refused}
    return json.dumps(line)


def _complain(unavailable: AudioUnavailable) -> None:
    print(f"azrt-tui: {unavailable.problem} {unavailable.fix}", file=sys.stderr)  # noqa: T201
