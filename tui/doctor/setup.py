"""The checks that need no network: where the settings come from, what becomes of the endpoint, who signs in."""

from __future__ import annotations

from pathlib import Path

from tui.doctor.case import Case
from tui.doctor.report import Finding, Outcome, failed
from tui.endpoint import EndpointError, escape_controls, shown
from tui.failures.table import cause
from tui.session.plan import SessionPlan
from tui.session.sign_in import SignInError
from tui.settings import Loaded, NotConfigured, Secret, Settings, SettingsError
from tui.settings.headers import Header
from tui.settings.options import OPTIONS

_MOST_SHOWN = 60
"""Characters of a setting's value."""


def case_of(loaded: Loaded, *, simulator_url: str = "") -> Case:
    """The case of these settings, also when they do not come to a connection."""
    try:
        return Case(loaded, SessionPlan.from_settings(loaded.settings, simulator_url=simulator_url))
    except EndpointError as error:
        return Case(loaded, None, cause("endpoint-unusable", why=str(error)), "endpoint")
    except NotConfigured as error:
        return Case(loaded, None, cause("not-configured", why=str(error)))
    except SettingsError as error:
        return Case(loaded, None, cause("settings-unusable", why=str(error)))


def unreadable(error: SettingsError) -> Case:
    """The case of settings that could not even be collected."""
    return Case(None, None, cause("settings-unusable", why=str(error)))


async def check_settings(case: Case) -> Finding:
    """Where every setting comes from, and what is wrong with how they are given."""
    if case.loaded is None:
        assert case.unusable is not None
        return failed(case.unusable)
    settings = case.loaded.settings
    facts = {name: f"{value} ({source})" for name, value, source in sources(settings)}
    given = tuple(
        f"{name} = {value}, from {source}" for name, value, source in sources(settings) if source != "default"
    )
    if case.unusable is not None and case.unusable_check == "settings":
        return Finding(case.unusable.sentence, Outcome.FAILED, case.unusable, given, facts)
    details = (*given, *case.loaded.problems, *case.loaded.notes)
    files = {source for _, _, source in sources(settings) if source in (".env", "config.toml")}
    says = f"{len(given)} given, {len(facts) - len(given)} left at their defaults"
    if files:
        says += f"; from {' and '.join(sorted(files))}"
    problems = case.loaded.problems
    if case.loaded.warnings:
        sentence, _, line = case.loaded.warnings[0].rpartition(": ")
        found = cause("readable-by-others", why=sentence, line=line)
        return Finding(found.sentence, Outcome.WARNING, found, (*details, *case.loaded.warnings[1:]), facts)
    if problems:
        found = cause("settings-problem", why=problems[0])
        return Finding(found.sentence, Outcome.WARNING, found, (*given, *problems[1:], *case.loaded.notes), facts)
    return Finding(says, details=details, facts=facts)


def sources(settings: Settings) -> list[tuple[str, str, str]]:
    """Name, value and source of every setting; keys as asterisks."""
    return [
        (option.name, _shown(getattr(settings, option.name)), settings.sources.get(option.name, "default"))
        for option in OPTIONS
    ]


def _shown(value: object) -> str:
    """The value of a setting, fit for a line."""
    if isinstance(value, Secret):
        return f"*** ({len(value.reveal())} characters)" if value else "-"
    if isinstance(value, tuple) and value and isinstance(value[0], Header):
        return escape_controls(", ".join(str(header) for header in value))
    if isinstance(value, tuple):  # a command: its arguments may be nobody's business
        return f"{escape_controls(str(value[0]))} …" if value else "-"
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value == "":
        return "-"
    return shown(" ".join(str(value).split()) if not isinstance(value, Path) else str(value), _MOST_SHOWN)


async def check_endpoint(case: Case) -> Finding:
    """What the endpoint came to, and what was changed about it."""
    if case.plan is None:
        assert case.unusable is not None
        return failed(case.unusable)
    target = case.plan.target
    facts = {"url": target.url, "provider": target.provider, "header": target.auth_header}
    if case.plan.simulator:
        return Finding("the built-in server, on this machine", facts=facts)
    says = _said_of(target.url, target.provider, changed=bool(target.notes))
    if any("Beta URL is used as given" in note for note in target.notes):
        found = cause("beta-url")
        return Finding(found.sentence, Outcome.WARNING, found, target.notes, facts)
    return Finding(says, details=(target.url, *target.notes), facts=facts)


def _said_of(url: str, provider: str, *, changed: bool) -> str:
    vendor = {"azure": "Azure", "openai": "OpenAI", "compatible": "an OpenAI-compatible server"}[provider]
    if url.startswith("ws://"):
        vendor += ", not encrypted"
    return f"{vendor}, GA form, made from what was given" if changed else f"{vendor}, GA form"


async def check_sign_in(case: Case) -> Finding:
    """Whether there is a key or a token to show."""
    plan = case.the_plan
    try:
        case.secret = await plan.credentials.secret()
        await plan.headers.values()  # a program may have to print one
    except SignInError as error:
        return failed(error.cause)
    added = ", ".join(plan.headers.names)
    facts = {"header": plan.target.auth_header, **({"added": added} if added else {})}
    beside = f"; and the header{'s' if len(plan.headers.names) > 1 else ''} {added}" if added else ""
    if not case.secret:
        says = f"no key but what is in {added}" if added else "no key: this server needs none, or refuses"
        return Finding(says, facts=facts)
    length = len(case.secret.reveal())
    if plan.sign_in is None:
        return Finding(f"a key of {length} characters, in the header {plan.target.auth_header}{beside}", facts=facts)
    settings = case.loaded.settings if case.loaded is not None else None
    if settings is not None and settings.uses_entra(plan.target):
        return Finding(f"a token of Entra ID{beside}", facts={**facts, "scope": settings.entra_scope})
    return Finding(f"a key of {length} characters, from api_key_command{beside}", facts=facts)
