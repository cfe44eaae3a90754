"""Collecting the settings: flag > environment > ``.env`` > remembered > ``config.toml`` > default.

A wrong flag or variable is an error, because somebody just asked for it. A wrong line in a file is a problem to
report: the program starts, and every other line of the file counts.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tui import paths
from tui.endpoint import EndpointError, escape_controls
from tui.settings.dotenv_file import read_dotenv
from tui.settings.files import read_settings_text, readable_by_others
from tui.settings.headers import headers_from, joined
from tui.settings.model import NotConfigured, Settings, SettingsError
from tui.settings.options import OPTIONS, Option
from tui.settings.saved_filters import filters_of
from tui.settings.state import remembered, transcribed

_MOST_BAD_LINES = 20
_LIKE = {
    "endpoint": r"AZURE_(OPENAI_|AI_)?(\w+_)?(ENDPOINT|BASE|URL|RESOURCE)(_NAME|_URL)?",
    "deployment": r"AZURE_(OPENAI_|AI_)?(\w+_)?(DEPLOYMENT|MODEL)(_NAME|_ID)?",
    "azure_api_key": r"AZURE_(OPENAI_|AI_)?(\w+_)?KEY_?[12]?",
    "openai_api_key": r"OPEN_?AI_(API_?)?(KEY|TOKEN)",
}
"""Field -> names that other programs have for it."""
_LIKELY = 0.9
"""How alike two names are of which one is a slip of the other, by difflib's measure."""
_KEYS = ("azure_api_key", "openai_api_key")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and what there is to say about how they were given."""

    settings: Settings
    problems: tuple[str, ...] = ()
    """Lines of ``.env`` and ``config.toml`` that do not count, and why."""
    notes: tuple[str, ...] = ()
    """What was given and is not used, and why."""
    warnings: tuple[str, ...] = ()
    """What works and is not safe, with the line to type."""


@dataclass(frozen=True, slots=True)
class _Layer:
    values: Mapping[str, object]
    """Field -> value as given."""
    source: Callable[[Option], str]
    """Where the value comes from, for ``Settings.sources``."""
    name: Callable[[Option], str]
    """What the user knows the value as, for an error."""
    strict: bool
    """Whether a wrong value stops the program."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Where ``env:NAME`` is looked up."""


def load_settings(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    config_file: Path | None = None,
    state_file: Path | None = None,
) -> Loaded:
    """Collect the settings from ``flags`` (field -> value; None is not given) and everything below them.

    The process environment is read, never changed. An empty variable counts as not set. Raises SettingsError for a
    flag or variable with a value that is not allowed.
    """
    if unknown := flags.keys() - {option.name for option in OPTIONS if option.flag}:
        raise TypeError(f"no such flags: {sorted(unknown)}")
    variables = os.environ if environ is None else environ
    config_file = config_file or paths.config_file()
    dotenv_file = (cwd or Path()) / ".env"
    dotenv, dotenv_problems = read_dotenv(dotenv_file)
    config, config_problems = _read_config(config_file)
    table, keymap, table_problems = _settings_of(config)
    filters, filter_problems = filters_of(config)

    anywhere = dotenv | {name: value for name, value in variables.items() if value}
    layers = (
        _Layer(
            {name: value for name, value in flags.items() if value is not None},
            lambda option: f"flag {option.flag_name}",
            lambda option: option.flag_name,
            strict=True,
            variables=anywhere,
        ),
        _Layer(
            _by_field(variables),
            lambda option: f"environment {option.environment}",
            lambda option: option.environment,
            strict=True,
            variables=anywhere,
        ),
        _Layer(
            _by_field(dotenv),
            lambda _: ".env",
            lambda option: f".env: {option.environment}",
            strict=False,
            variables=dotenv,  # somebody's project must not send another variable to its server
        ),
        _Layer(
            remembered(state_file),
            lambda _: "remembered",
            lambda option: f"remembered {option.name.replace('_', ' ')}",
            strict=False,
        ),
        _Layer(
            table,
            lambda _: "config.toml",
            lambda option: f"config.toml: {option.name}",
            strict=False,
            variables=anywhere,
        ),
    )
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems = [*dotenv_problems, *_unknown_variables(dotenv), *config_problems, *table_problems, *filter_problems]
    for option in OPTIONS:
        for layer in layers:
            adds = option.name == "headers"  # each layer may name other ones
            if option.name not in layer.values or (layer.strict and option.name in values and not adds):
                continue
            try:
                value: Any = option.parse(layer.values[option.name])
                if adds:
                    value = tuple(header.found(layer.variables) for header in value)
            except ValueError as error:
                message = f"{layer.name(option)} {error}"
                if layer.strict:
                    raise SettingsError(message) from None
                problems.append(message)
                continue
            if option.name not in values:
                values[option.name], sources[option.name] = value, layer.source(option)
            elif adds:
                values[option.name] = joined((*value, *values[option.name]))

    settings = Settings(
        **values,
        keymap=MappingProxyType(keymap),
        filters=MappingProxyType(filters),
        themes_dir=config_file.parent / "themes",
        transcribed=MappingProxyType(dict(transcribed(state_file))),
        over_ssh=bool(variables.get("SSH_CONNECTION")),
        sources=MappingProxyType(
            {option.name: sources.get(option.name, "default") for option in OPTIONS}
            | {"keymap": "config.toml" if keymap else "default"}
        ),
    )
    problems += _misnamed(_missing(settings), {".env": dotenv, "environment": variables})
    notes = []
    api_version = variables.get("AZURE_OPENAI_API_VERSION") or dotenv.get("AZURE_OPENAI_API_VERSION")
    if api_version and settings.endpoint and not settings.url:
        notes.append("AZURE_OPENAI_API_VERSION is not used, because the GA protocol has no api-version")
    base_url = variables.get("OPENAI_BASE_URL") or dotenv.get("OPENAI_BASE_URL")
    to_openai = settings.openai_api_key and not settings.endpoint and not settings.url
    if to_openai and base_url and "//api.openai.com" not in base_url:
        notes.append("OPENAI_BASE_URL is not used; for that server: --url wss://HOST/v1/realtime?model=MODEL")
    if settings.api_key_command and settings.azure_api_key:
        notes.append(f"api_key_command is not used, because {settings.sources['azure_api_key']} has a key")
    warnings = [
        f"{path.name} holds a key, and other users of this machine may read it: chmod 600 {paths.for_display(path)}"
        for path, given in ((dotenv_file, _by_field(dotenv)), (config_file, table))
        if (any(given.get(name) for name in _KEYS) or _has_header_value(given)) and readable_by_others(path)
    ]
    return Loaded(settings, tuple(problems), tuple(notes), tuple(warnings))


def _has_header_value(given: Mapping[str, object]) -> bool:
    """Return whether the value of a header stands there itself."""
    try:
        return any(header.value for header in headers_from(given.get("headers", ())))
    except ValueError:
        return False


def _by_field(variables: Mapping[str, str]) -> dict[str, object]:
    """Return the variables that are set and not empty, by the field they set.

    Quotes round a whole value are taken off: ``docker --env-file`` and systemd's ``EnvironmentFile`` hand them on.
    """
    given = {o.name: _unquoted(variables.get(o.environment, "")) for o in OPTIONS if o.environment}
    return {name: value for name, value in given.items() if value}


def _unquoted(value: str) -> str:
    text = value.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else value


def _unknown_variables(dotenv: Mapping[str, str]) -> list[str]:
    """Report what looks meant for azrt-tui; other programs' variables share the file."""
    known = {option.environment for option in OPTIONS}
    return [f".env: {_no_setting(name, known)}" for name in dotenv if name.startswith("AZRT_") and name not in known]


def _missing(settings: Settings) -> tuple[str, ...]:
    """The settings without which there is nothing to connect to, or no way in."""
    try:
        target = settings.target()
        settings.key_for(target)
    except NotConfigured:
        return tuple(_LIKE)
    except EndpointError as error:
        return (error.subject,) if not getattr(settings, error.subject) else ()
    except SettingsError:
        return ("openai_api_key",) if target.provider == "openai" else ("azure_api_key",)
    return ()


def _misnamed(missing: Iterable[str], places: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Report variables that other programs, or a slip, call otherwise than the settings that are missing."""
    known = {option.environment for option in OPTIONS}
    problems = []
    for option in (option for option in OPTIONS if option.name in missing):
        for place, variables in places.items():
            for name in (name for name, value in variables.items() if value and name not in known):
                bare = name.upper().removeprefix("$ENV:")
                slip = get_close_matches(bare, (option.environment,), cutoff=_LIKELY)
                if slip or re.fullmatch(_LIKE[option.name], bare):
                    problems.append(f"{place}: {escape_controls(name)} is not read; it must be {option.environment}")
    return problems


def _read_config(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Parse config.toml without the lines that are no TOML, and report those."""
    where = paths.for_display(path)
    try:
        lines = read_settings_text(path).replace("\r\n", "\n").split("\n")
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [f"{where} cannot be read: {error.strerror or error}"]
    except UnicodeDecodeError:
        return {}, [f"{where} is not UTF-8 text; save it as UTF-8"]
    problems: list[str] = []
    while True:
        try:
            return tomllib.loads("\n".join(lines)), problems
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            found = re.search(r"at line (\d+)", str(error))
            line = int(found[1]) - 1 if found else len(lines)
            fix = _toml_fix(lines[line]) if line < len(lines) else ""
            problems.append(f"{where}: {escape_controls(str(error))}{fix}")
            # An open bracket or string makes the error wander to the end of the file: then only the first one is true.
            if len(problems) > _MOST_BAD_LINES or line >= len(lines) or not lines[line].strip():
                return {}, [f"{problems[0]}; nothing in the file is used"]
            lines[line] = ""


def _toml_fix(line: str) -> str:
    """Return what to do about a line that is no TOML, where that can be told; it ends a sentence."""
    if re.search(r'"[^"]*\\[^"]*', line):
        return "; text with backslashes goes in single quotes"
    if re.match(r"[\w.-]+\s*=\s*[A-Za-z~/.][^\"']*$", line):
        return "; text goes in quotes"
    return "; between name and value stands =" if re.match(r"[\w.-]+\s*:", line) else ""


def _settings_of(config: Mapping[str, Any]) -> tuple[dict[str, object], dict[str, str], list[str]]:
    """Split config.toml into its settings, its ``[keys]``, and a problem for each entry that is neither."""
    by_name = {option.name: option for option in OPTIONS}
    table: dict[str, object] = {}
    problems: list[str] = []
    for name, value in config.items():
        if name in by_name:
            table[name] = value
        elif isinstance(value, dict) and name not in {"keys", "filters"}:
            shown_name = escape_controls(name)
            problems.append(
                f"config.toml: there is no table [{shown_name}]; settings stand at the top, above all tables"
            )
        elif name not in {"keys", "filters"}:
            problems.append(f"config.toml: {_no_setting(name, by_name)}")
    keys = config.get("keys", {})
    if not isinstance(keys, dict):
        return table, {}, [*problems, 'config.toml: keys must be a table, such as [keys] with mic = "f2"']
    keymap = {}
    for binding, chord in keys.items():
        if isinstance(chord, str) and chord.strip():
            keymap[binding] = chord.strip()
        else:
            name = escape_controls(binding)
            problems.append(f'config.toml: [keys] {name} must be text that names keys, such as "f2" or "f2,ctrl+t"')
    return table, keymap, problems


def _no_setting(name: str, known: Iterable[str]) -> str:
    """Say that there is no such setting, and which one may be meant."""
    variables = {option.environment: option.name for option in OPTIONS if option.environment}
    # Without the common prefix, which makes any two names look alike.
    bare = {candidate.removeprefix("AZRT_"): candidate for candidate in known}
    close = get_close_matches(name.removeprefix("AZRT_"), bare, n=1)
    meant = variables.get(name) or (bare[close[0]] if close else "")
    return f"there is no setting {escape_controls(name)}" + (f"; did you mean {meant}?" if meant else "")
