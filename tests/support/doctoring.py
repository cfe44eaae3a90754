"""The doctor, run as ``azrt-tui doctor --json`` runs it, against a server on loopback."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui.doctor import Limits
from tui.doctor.command import doctor
from tui.settings import SettingsError, load_settings

PATIENT = Limits(
    connect_s=20, created_s=20, reply_s=20, answer_s=20, after_error_s=20, transcription_s=20, models_s=20, devices_s=20
)
"""Only a broken program lets these pass; a test that waits for what never comes shortens the one that it waits for."""


@dataclass
class Diagnosis:
    """What was written, a line of JSON each."""

    code: int
    checks: dict[str, dict[str, Any]]
    summary: dict[str, Any]
    text: str

    def causes(self) -> dict[str, str]:
        """Return check -> the name of its cause, for those that are not well.

        Left out is what depends on the machine and on the day: sound devices, and the ends of models.
        """
        by_chance = ("audio", "models")
        bad = {name: check["cause"]["name"] for name, check in self.checks.items() if "cause" in check}
        return {name: cause for name, cause in bad.items() if name not in by_chance}

    def outcomes(self) -> dict[str, str]:
        """Check -> how it ended."""
        return {name: check["outcome"] for name, check in self.checks.items()}


def diagnose(
    url: str, folder: Path, *, limits: Limits = PATIENT, flags: Mapping[str, object] | None = None, **environ: str
) -> Diagnosis:
    """Run the doctor on a URL (empty: on what the environment says). ``folder`` is the person's."""
    variables = {"AZRT_MODALITY": "text", **({"AZRT_URL": url} if url else {}), **environ}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            loaded = load_settings(
                flags or {},
                environ=variables,
                cwd=folder,
                config_file=folder / "config.toml",
                state_file=folder / "state.json",
            )
        except SettingsError as error:
            code = doctor(error, json_output=True, limits=limits)
        else:
            code = doctor(loaded, json_output=True, limits=limits)
    return read(out.getvalue(), code)


def read(text: str, code: int) -> Diagnosis:
    """Take apart what ``azrt-tui doctor --json`` wrote."""
    *checks, summary = [json.loads(line) for line in text.splitlines()]
    return Diagnosis(code, {check["check"]: check for check in checks}, summary, text)
