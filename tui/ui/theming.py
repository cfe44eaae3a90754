"""Themes from TOML files: ours in ``themes/``, a person's own in their configuration folder.

A file holds the fields of :class:`textual.theme.Theme`, with the style sheet's variables in a ``[variables]`` table.
Beside Textual's own variables there are those of :data:`SEMANTIC_VARIABLES`. A file that is wrong is left out and
reported; it never stops the program.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.color import BLACK, WHITE, Color, ColorParseError
from textual.css.errors import StylesheetError
from textual.css.stylesheet import Stylesheet, StylesheetParseError
from textual.css.tokenizer import TokenError
from textual.theme import Theme

from tui.ui.text import clip, printable
from tui.wire import Family

DEFAULT_THEME = "azrt-dark"

SEMANTIC_VARIABLES = (*(f"family-{family}" for family in Family), "speaker-user", "speaker-agent", "unheard")
"""What our style sheets use beside Textual's variables: plain colours, each legible on the background."""

MIN_CONTRAST = 4.5
"""The contrast that WCAG 2 asks of text (level AA)."""

MAX_THEME_BYTES = 64 * 1024

_COLOR_FIELDS = (
    *("primary", "secondary", "warning", "error", "success", "accent"),
    *("foreground", "background", "surface", "panel", "boost"),
)
_FLAG_FIELDS = ("dark", "ansi")
_SHARE_FIELDS = ("luminosity_spread", "text_alpha")
_FIELDS = ("name", *_COLOR_FIELDS, *_FLAG_FIELDS, *_SHARE_FIELDS, "variables")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")  # Textual makes a CSS class of it
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}")
_COLOR_EXAMPLE = 'a colour such as "#7aa2f7"'


@dataclass(frozen=True, slots=True)
class ThemeReport:
    """What came of reading the theme files."""

    loaded: tuple[Theme, ...]
    """By name; a person's theme stands in place of ours of the same name."""

    failures: tuple[str, ...]
    """One line each: the file, the field and its value, and what would work."""


def bundled_themes() -> Path:
    """The folder of our own themes: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def load_themes(user_dir: Path | None = None) -> ThemeReport:
    """Read our themes and then those in ``user_dir``, which may not exist. Never raises."""
    themes: dict[str, Theme] = {}
    failures: list[str] = []
    for folder in (bundled_themes(), user_dir):
        if folder is None:
            continue
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
        except FileNotFoundError:
            if folder != user_dir:
                failures.append("the themes that come with azrt-tui are missing; install it again")
            continue
        except OSError as error:
            failures.append(f"{_quoted(str(folder))}: {error.strerror}; themes in this folder are left out")
            continue
        for path in paths:
            theme, wrong = _read(path)
            failures += (f"{_quoted(path.name)}: {what}" for what in wrong)
            if theme is not None:
                themes[theme.name] = theme
    return ThemeReport(tuple(themes[name] for name in sorted(themes)), tuple(failures))


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours as WCAG 2 defines it, from 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def variable_defaults(theme: Theme) -> dict[str, str]:
    """Values of :data:`SEMANTIC_VARIABLES` for a theme that does not set them, made of its own colours.

    Textual's built-in themes do not. Return this from ``App.get_theme_variable_defaults``.
    """
    made = theme.to_color_system().generate()
    sources = {
        "family-session": "primary",
        "family-input": "success",
        "family-conversation": "secondary",
        "family-response": "accent",
        "family-tool": "warning",
        "family-limits": "foreground",
        "family-error": "error",
        "family-unknown": "foreground",
        "speaker-user": "success",
        "speaker-agent": "accent",
        "unheard": "foreground",
    }
    background, surface = Color.parse(made["background"]), Color.parse(made["surface"])
    defaults = {}
    for variable, source in sources.items():
        color = Color.parse(made[source])
        if background.ansi is not None or color.ansi is not None:
            # The terminal chooses what these look like, so there is nothing to measure.
            defaults[variable] = color.hex
            continue
        if variable in {"family-limits", "unheard"}:
            color = color.blend(background, 0.35)
        defaults[variable] = _legible(color, (background, background + surface)).hex
    return defaults


def _luminance(color: Color) -> float:
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _legible(color: Color, backgrounds: Iterable[Color]) -> Color:
    """The colour, moved towards black or white until it has enough contrast on each background."""
    backgrounds = tuple(backgrounds)
    ends = (WHITE, BLACK) if _luminance(backgrounds[0]) < 0.18 else (BLACK, WHITE)
    candidates = (color.blend(end, step / 20, alpha=1.0) for end in ends for step in range(21))
    for candidate in candidates:
        if all(contrast(candidate, background) >= MIN_CONTRAST for background in backgrounds):
            return candidate
    return ends[0]  # the backgrounds are so far apart that no colour suits both


def _read(path: Path) -> tuple[Theme | None, list[str]]:
    """The theme in a file, or what is wrong with it: one line each, without the file's name."""
    try:
        if not path.is_file():
            return None, ["not a file; move it out of the themes folder"]
        with path.open("rb") as file:
            data = file.read(MAX_THEME_BYTES + 1)
    except OSError as error:
        return None, [f"{error.strerror}; make it readable or move it out of the themes folder"]
    if len(data) > MAX_THEME_BYTES:
        return None, [f"larger than {MAX_THEME_BYTES // 1024} KiB; a theme holds only colours"]
    try:
        fields = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, [f"not UTF-8 at byte {error.start}; save it as UTF-8"]
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, [f"not TOML: {_short(str(error))}"]
    problems = list(_problems(fields))
    return (None, problems) if problems else (Theme(**fields), [])


def _problems(fields: Mapping[str, Any]) -> Iterator[str]:
    for field in fields:
        if field not in _FIELDS:
            yield f"{_quoted(field)} is not a field of a theme{_nearest(field, _FIELDS)}"
    for field in ("name", "primary"):
        if field not in fields:
            example = '"my-theme"' if field == "name" else '"#7aa2f7"'
            yield f"{field} is missing; add {field} = {example}"
    name = fields.get("name", "a")
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        yield _wrong("name", name, 'letters, digits, "-" and "_", a letter first, at most 40')
    for field in _COLOR_FIELDS:
        if field in fields:
            yield from _color_problems(field, fields[field])
    for field in _FLAG_FIELDS:
        if not isinstance(fields.get(field, True), bool):
            yield _wrong(field, fields[field], "true or false")
    for field in _SHARE_FIELDS:
        share = fields.get(field, 0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            yield _wrong(field, share, "a number from 0 to 1")
    variables = fields.get("variables", {})
    if not isinstance(variables, dict):
        yield _wrong("variables", variables, "a table: [variables]")
        return
    for variable, value in variables.items():
        yield from _variable_problems(variable, value)


def _color_problems(field: str, value: object) -> Iterator[str]:
    try:
        if isinstance(value, str):
            Color.parse(value)
            return
    except ColorParseError as error:
        if error.suggested_color:
            yield _wrong(field, value, f'"{error.suggested_color}" or {_COLOR_EXAMPLE}')
            return
    yield _wrong(field, value, _COLOR_EXAMPLE)


def _variable_problems(variable: str, value: object) -> Iterator[str]:
    if not _VARIABLE.fullmatch(variable):
        yield f"variables: {_quoted(variable)} cannot be a variable's name; letters, digits and - work"
        return
    field = f"variables.{variable}"
    if variable in SEMANTIC_VARIABLES:
        yield from _color_problems(field, value)
    elif variable.startswith(("family-", "speaker-")):
        yield f"{field} is not a variable{_nearest(variable, SEMANTIC_VARIABLES)}"
    elif "style" in variable.split("-"):
        if not _suits("text-style", variable, value):
            yield _wrong(field, value, 'a text style such as "bold underline" or "none"')
    elif not _suits("color", variable, value) or ("border" in variable and not _suits("border", variable, value)):
        yield _wrong(field, value, f'{_COLOR_EXAMPLE}, or one with a share: "#7aa2f7 30%"')


def _suits(rule: str, variable: str, value: object) -> bool:
    """Whether Textual's own parser takes the value for this rule: one that it refuses would end the program later."""
    if not isinstance(value, str) or not value.strip():
        return False
    sheet = Stylesheet(variables={variable: value})
    # A border takes fewer colours than text does: not "auto 50%".
    before = "round " if rule == "border" else ""
    sheet.add_source(f"Probe {{ {rule}: {before}${variable}; }}")
    try:
        sheet.parse()
    except (StylesheetError, StylesheetParseError, TokenError):
        return False
    return True


def _wrong(field: str, value: object, works: str) -> str:
    shown = _quoted(value) if isinstance(value, str) else _short(str(value))
    return f"{field} = {shown} will not do; use {works}"


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, tuple(known), n=1)
    return f"; did you mean {close[0]}?" if close else "; remove it"


def _short(text: str) -> str:
    return clip(printable(text), 80)


def _quoted(text: str) -> str:
    return f'"{_short(text)}"'
