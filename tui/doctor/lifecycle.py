"""The check of the models' ends: by what the service says of them, else by the table of ``tui.models``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from tui import models, wire
from tui.conversation import Cause
from tui.doctor.asking import NotAsked, ask
from tui.doctor.case import Case
from tui.doctor.report import Finding, skipped, warning
from tui.endpoint import Target
from tui.failures.table import cause

_AZURE_API_VERSION: Final = "2024-10-21"
"""The last one of the data plane that lists models. GA's own list has no dates."""

_LATEST_S: Final = 1e11
"""Unix time in seconds is less for three thousand years; in milliseconds it is more."""

_ENDING_STATUS: Final = ("deprecating", "deprecated", "legacy", "retired", "retiring")

_VERSION: Final = r"-(?:\d{4}-\d{2}-\d{2}|\d{3,4})"
"""What Azure puts behind a model's name: ``gpt-realtime-2025-08-28``, ``whisper-001``."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one model."""

    model: str
    """With its version, where the service names one."""
    ends: date | None
    status: str
    """The service's word for its state, where that means that it ends; else ""."""
    source: str
    """Who says so."""
    instead: str = ""

    def is_near(self, today: date) -> bool:
        """Return whether it is over, or nearly so."""
        near = self.ends is not None and (self.ends - today).days <= models.WITHIN_DAYS
        return near or (self.ends is None and bool(self.status))


async def check_models(case: Case) -> Finding:
    """Whether the model of the conversation, or that of the transcription, ends soon."""
    plan = case.the_plan
    if plan.simulator:
        return skipped("not needed: the built-in server has none")
    today = datetime.now(UTC).date()
    listed, why_not = await _listed(case)
    conversation = plan.target.model or wire.text(case.session.get("model"))
    near: list[Cause] = []
    said = []
    for name in dict.fromkeys(name for name in (conversation, case.transcriber) if name):
        known = _known(name, plan.target, listed)
        if known is not None and known.is_near(today):
            near.append(_warning(case, name, known, today, speaks=name == conversation))
        dated = f"no end within {models.WITHIN_DAYS} days, says {known.source}" if known else "no date is known"
        said.append(f"{name}: {dated}")
    details = (f"The service was not asked: {why_not}.",) if why_not else ()
    if near:
        return warning(near[0], details=(*(f"{each.sentence} {each.fix}" for each in near[1:]), *details))
    return Finding("; ".join(said), details=details) if said else skipped("no model is named")


async def _listed(case: Case) -> tuple[Sequence[Mapping[str, Any]], str]:
    """The service's list of its models, and, without one, why; "" where there is nobody to ask."""
    path = models_path(case.the_plan.target)
    if not path:
        return (), ""
    try:
        answer = await ask(case, path)
    except NotAsked as reason:
        return (), str(reason)
    data = answer.get("data") if isinstance(answer, Mapping) else None
    entries = [entry for entry in data if isinstance(entry, Mapping)] if isinstance(data, list) else []
    return entries, "" if entries else "the answer lists no models"


def models_path(target: Target) -> str:
    """Return path and query of the list of models at ``target``; "" for a server of neither vendor."""
    path = target.url.partition("://")[2].partition("?")[0].partition("/")[2]
    parts = path.split("/")
    if target.provider == "azure" and "openai" in parts:
        before = parts[: len(parts) - parts[::-1].index("openai")]
        return f"/{'/'.join(before)}/models?api-version={_AZURE_API_VERSION}"
    return "/v1/models" if target.provider == "openai" else ""


def _known(name: str, target: Target, listed: Iterable[Mapping[str, Any]]) -> Known | None:
    """What is known of the model of this name, from the service where it lists it, else from the table."""
    azure = target.provider == "azure"
    pattern = re.compile(re.escape(name) + (f"(?:{_VERSION})?" if azure else ""))
    of_service = [
        _of_service(entry) for entry in listed if isinstance(entry.get("id"), str) and pattern.fullmatch(entry["id"])
    ]
    if of_service:
        exact = [known for known in of_service if known.model == name]
        # Which version a deployment has is not known: the first to end is the one to know of.
        return min(exact or of_service, key=lambda known: known.ends or (date.min if known.status else date.max))
    row = models.ending(name, "azure" if azure else "openai")
    return Known(row.model, row.ends, "", f"the table of {row.source.isoformat()}", row.instead) if row else None


def _of_service(entry: Mapping[str, Any]) -> Known:
    deprecation = entry.get("deprecation")
    ends = _date(entry.get("shutdown_date"))
    if ends is None and isinstance(deprecation, Mapping):
        ends = _date(deprecation.get("inference"))
    status = wire.text(entry.get("lifecycle_status"))
    return Known(wire.text(entry["id"]), ends, status if status.lower() in _ENDING_STATUS else "", "the service")


def _date(value: object) -> date | None:
    """A date, from ``YYYY-MM-DD`` or Unix time in seconds; None for everything else."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _LATEST_S:
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _warning(case: Case, name: str, known: Known, today: date, *, speaks: bool) -> Cause:
    """What ends when, and what to use in its place. A deployment's name is not a model's: it may be."""
    target = case.the_plan.target
    azure = target.provider == "azure"
    what = f"If deployment {name} is model {known.model}, it" if azure else name
    if known.ends is None:
        ends = f"is {known.status}"
    elif known.ends < today:
        ends = f"ended on {known.ends.isoformat()}"
    else:
        ends = f"ends on {known.ends.isoformat()}, in {(known.ends - today).days} days"
    usual = models.REALTIME if speaks else models.TRANSCRIPTIONS[0]
    row = models.ending(known.model, "azure" if azure else "openai")
    instead = known.instead or (row.instead if row else usual)
    instead = "a newer model" if instead in (name, "a newer one") else instead
    facts = {"model": known.model, "ends": known.ends.isoformat() if known.ends else known.status}
    fix = _fix(case, instead, speaks=speaks)
    return cause("model-ends", facts, what=wire.text(what), ends=ends, source=known.source, fix=fix)


def _fix(case: Case, instead: str, *, speaks: bool) -> str:
    setting = (
        "AZURE_OPENAI_DEPLOYMENT (or --deployment)" if speaks else "AZRT_TRANSCRIPTION_MODEL (or --transcription-model)"
    )
    if speaks and case.loaded is not None and case.loaded.settings.url:
        setting = "the model in --url (or AZRT_URL)"
    if case.the_plan.target.provider == "azure":
        return f"Deploy {instead}, and set {setting} to the name of that deployment."
    return f"Set {setting} to {instead}."
