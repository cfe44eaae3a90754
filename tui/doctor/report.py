"""What the doctor reports: one check after the other, and what they come to."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tui.conversation import Cause


class Outcome(enum.StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something about it is worth a word."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It makes no sense: what it needs has failed, or the settings do without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out."""

    says: str
    """The result in one line; for a failure the cause's sentence says it."""
    outcome: Outcome = Outcome.OK
    cause: Cause | None = None
    """Why it failed, or what the warning is about."""
    details: tuple[str, ...] = ()
    """Lines for those who want to know more: where settings come from, what was changed about the endpoint."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Request ids, addresses, versions: what a support person asks for."""
    in_vain: bool = False
    """Skipped because of another check's failure, not because the settings do without it."""


def failed(cause: Cause, *, details: tuple[str, ...] = ()) -> Finding:
    """A check that failed."""
    return Finding(cause.sentence, Outcome.FAILED, cause, details, cause.facts)


def warning(cause: Cause, *, details: tuple[str, ...] = ()) -> Finding:
    """A check that did not find all well, with which the program still works."""
    return Finding(cause.sentence, Outcome.WARNING, cause, details, cause.facts)


def skipped(why: str, *, in_vain: bool = False) -> Finding:
    """A check that was not done; ``in_vain``: because another one failed."""
    return Finding(why, Outcome.SKIPPED, in_vain=in_vain)


@dataclass(frozen=True, slots=True)
class Check:
    """One check that was done."""

    name: str
    """Short and stable: ``dns``, ``handshake``."""
    title: str
    """What is checked, for people."""
    finding: Finding
    seconds: float
    """How long it took."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.finding.outcome

    @property
    def in_vain(self) -> bool:
        """Whether it was not done because another one failed."""
        return self.outcome is Outcome.SKIPPED and self.finding.in_vain

    @property
    def cause(self) -> Cause | None:
        """Why, when not well."""
        return self.finding.cause

    def mapped(self, change: Callable[[str], str]) -> Check:
        """The same check with every text changed."""
        found = self.finding
        return replace(
            self,
            finding=Finding(
                change(found.says),
                found.outcome,
                found.cause.mapped(change) if found.cause is not None else None,
                tuple(change(line) for line in found.details),
                {change(name): change(value) for name, value in found.facts.items()},
                found.in_vain,
            ),
        )

    def as_json(self) -> dict[str, Any]:
        """For ``--json``: one object a check. ``cause`` is there where something is wrong."""
        found = self.finding
        made: dict[str, Any] = {
            "check": self.name,
            "outcome": str(found.outcome),
            "seconds": round(self.seconds, 4),
            "says": found.says,
        }
        if found.cause is not None:
            cause = found.cause
            made["cause"] = {"name": cause.name, "sentence": cause.sentence, "fix": cause.fix, "type": cause.line}
        if found.details:
            made["details"] = list(found.details)
        if found.facts:
            made["facts"] = dict(found.facts)
        return made


@dataclass(slots=True)
class Report:
    """What the checks come to."""

    checks: list[Check] = field(default_factory=list)
    seconds: float = 0.0
    """How long the whole run took."""

    def of(self, outcome: Outcome) -> list[Check]:
        """The checks that ended so, in order."""
        return [check for check in self.checks if check.outcome is outcome]

    @property
    def healthy(self) -> bool:
        """Whether no check failed."""
        return not self.of(Outcome.FAILED)

    @property
    def unusable(self) -> bool:
        """Whether already the configuration cannot be used."""
        return any(check.name in ("settings", "endpoint") for check in self.of(Outcome.FAILED))

    def as_json(self) -> dict[str, Any]:
        """For ``--json``: the last object."""
        return {
            "healthy": self.healthy,
            "failed": [check.name for check in self.of(Outcome.FAILED)],
            "warnings": [check.name for check in self.of(Outcome.WARNING)],
            "skipped": [check.name for check in self.of(Outcome.SKIPPED)],
            "seconds": round(self.seconds, 3),
        }
