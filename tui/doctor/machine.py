"""The check of this machine: a microphone and a loudspeaker."""

from __future__ import annotations

import asyncio
import os

from tui import paths
from tui.audio import AudioUnavailable
from tui.audio.devices import Device, Kind, choose, list_devices
from tui.doctor.case import Case
from tui.doctor.report import Finding, failed, skipped, warning
from tui.endpoint import escape_controls
from tui.failures.table import cause
from tui.logs import native_stderr_to
from tui.session.loop import in_daemon_thread


def begin_listing() -> asyncio.Future[list[Device]]:
    """Begin to look for sound devices, while other checks wait for the network: a sound server may take its time."""
    return in_daemon_thread("azrt-devices", _devices)


async def check_devices(case: Case) -> Finding:
    """The devices that would be used. Without them the program works, with answers as text."""
    if case.loaded is None:
        return skipped("the settings are not known")
    settings = case.loaded.settings
    try:
        async with asyncio.timeout(case.limits.devices_s):
            found = await (case.listing or begin_listing())
    except TimeoutError:
        lack = AudioUnavailable(f"The sound system does not answer within {case.limits.devices_s:g} s.", "")
        return _lacking([lack], needed=settings.modality == "audio")
    except AudioUnavailable as unavailable:
        return _lacking([unavailable], needed=settings.modality == "audio")
    chosen: list[str] = []
    missing: list[AudioUnavailable] = []
    for kind, name in ((Kind.MICROPHONE, settings.input_device), (Kind.LOUDSPEAKER, settings.output_device)):
        try:
            chosen.append(f"{kind.noun} {escape_controls(choose(found, kind, name, os.environ).name)}")
        except AudioUnavailable as unavailable:
            missing.append(unavailable)
    if missing:
        return _lacking(missing, needed=settings.modality == "audio", chosen=chosen)
    return Finding(", ".join(chosen), facts={"devices": str(len(found))})


def _devices() -> list[Device]:
    # ALSA looks for a dozen devices that most machines do not have, and complains about each.
    with native_stderr_to(paths.log_file()):
        return list_devices()


def _lacking(missing: list[AudioUnavailable], *, needed: bool, chosen: list[str] | None = None) -> Finding:
    """A failure only where answers are to be heard in any case."""
    first = missing[0]
    found = cause("no-devices", why=first.problem, fix=first.fix)
    more = tuple(f"{lack.problem} {lack.fix}" for lack in missing[1:])
    finding = failed(found) if needed else warning(found)
    return Finding(finding.says, finding.outcome, found, (*more, *(chosen or ())), found.facts)
