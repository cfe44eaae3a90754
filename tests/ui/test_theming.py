"""Themes: ours are legible, built-in ones get our colours, and a broken file is one clear line."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme
from textual.widgets import Button, Footer, Input, Link, Static

from tests.support.drawing import family_colors, semantic_colors
from tests.support.properties import PROPERTY
from tui.ui import theming
from tui.ui.theming import SEMANTIC_VARIABLES, contrast, load_themes, variable_defaults
from tui.wire import Family

OURS = {theme.name: theme for theme in load_themes().loaded}
USES = "\n".join(f".{variable} {{ color: ${variable}; }}" for variable in SEMANTIC_VARIABLES)


class Themed(App[None]):
    """Draws something in every variable of ours, and widgets that use Textual's."""

    CSS = USES

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        for variable in SEMANTIC_VARIABLES:
            yield Static(variable, classes=variable)
        yield Input()
        yield Button("button", variant="primary")
        yield Link("link")
        yield Footer()


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def opaque(theme: Theme, *names: str) -> list[Color]:
    made = theme.to_color_system().generate() | theme.variables
    return [Color.parse(made[name]) for name in names]


def test_the_themes_that_come_with_the_program_are_found_and_right() -> None:
    report = load_themes()
    assert report.failures == ()
    assert set(OURS) >= {theming.DEFAULT_THEME, "azrt-dark", "azrt-light", "azrt-contrast", "azrt-dusk", "azrt-paper"}
    assert {theme.dark for theme in report.loaded} == {True, False}


def test_they_are_found_inside_an_installed_package_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "tui"
    (installed / "themes").mkdir(parents=True)
    write(installed / "themes", "only.toml", 'name = "only"\nprimary = "red"\n')
    monkeypatch.setattr(theming, "__file__", str(installed / "ui" / "theming.py"))
    assert [theme.name for theme in load_themes().loaded] == ["only"]


def test_an_installation_without_themes_says_so_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theming, "__file__", str(tmp_path / "tui" / "ui" / "theming.py"))
    report = load_themes(tmp_path / "mine")
    assert report == theming.ThemeReport((), ("the themes that come with azrt-tui are missing; install it again",))


def test_contrast_is_that_of_wcag() -> None:
    # https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio; #767676 is the lightest grey that passes AA on white.
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#767676"), Color.parse("#fff")) == pytest.approx(4.54, abs=0.01)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", sorted(OURS))
def test_ours_name_every_colour_and_each_is_legible(name: str) -> None:
    theme = OURS[name]
    assert set(SEMANTIC_VARIABLES) <= set(theme.variables)
    for background in opaque(theme, "background", "surface"):
        assert contrast(opaque(theme, "foreground")[0], background) >= 7
        for variable, color in semantic_colors(theme).items():
            assert contrast(Color.parse(color), background) >= 4.5, variable
    cursor, cursor_text = opaque(theme, "block-cursor-background", "block-cursor-foreground")
    assert contrast(cursor_text, cursor) >= 7
    for family, color in family_colors(theme).items():
        assert contrast(color, cursor) >= 4.5, family


def test_the_contrast_theme_keeps_seven_to_one_everywhere() -> None:
    theme = OURS["azrt-contrast"]
    for background in opaque(theme, "background", "surface", "panel", "block-cursor-background"):
        for color in [*opaque(theme, "foreground"), *map(Color.parse, semantic_colors(theme).values())]:
            assert contrast(color, background) >= 7


@pytest.mark.parametrize("name", sorted(OURS))
def test_families_differ_from_each_other_in_colour(name: str) -> None:
    assert len(set(family_colors(OURS[name]).values())) == len(Family)


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_textuals_own_themes_get_legible_colours(name: str) -> None:
    theme = BUILTIN_THEMES[name]
    colors = semantic_colors(theme)
    assert set(colors) == set(SEMANTIC_VARIABLES)
    if not theme.ansi:
        background = opaque(theme, "background")[0]
        for variable, color in colors.items():
            assert contrast(Color.parse(color), background) >= theming.MIN_CONTRAST, variable


async def test_every_theme_can_be_put_on() -> None:
    app = Themed()
    async with app.run_test() as pilot:
        for theme in OURS.values():
            app.register_theme(theme)
        for name in app.available_themes:
            app.theme = name
            await pilot.pause()
            expected = semantic_colors(app.current_theme)["family-error"]
            assert app.query_one(".family-error").styles.color == Color.parse(expected), name


def test_a_persons_theme_is_added_and_may_replace_ours(tmp_path: Path) -> None:
    write(tmp_path, "mine.toml", 'name = "mine"\nprimary = "teal"\n[variables]\nborder = "red 50%"\n')
    write(tmp_path, "dark.toml", '\ufeffname = "azrt-dark"\nprimary = "#ff0000"\n')
    write(tmp_path, "notes.txt", "not a theme")
    report = load_themes(tmp_path)
    assert report.failures == ()
    loaded = {theme.name: theme for theme in report.loaded}
    assert loaded["mine"].variables == {"border": "red 50%"}
    assert loaded["azrt-dark"].primary == "#ff0000"
    assert set(loaded) == set(OURS) | {"mine"}


def test_no_folder_is_no_failure(tmp_path: Path) -> None:
    assert load_themes(tmp_path / "themes").failures == ()


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    report = load_themes(write(tmp_path, "themes", ""))
    assert len(report.failures) == 1 and "themes in this folder are left out" in report.failures[0]
    assert {theme.name for theme in report.loaded} == set(OURS)


GOOD = 'name = "x"\nprimary = "#7aa2f7"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name is missing"),
        ('name = "x"', 'primary is missing; add primary = "#7aa2f7"'),
        ('name = "x y"\nprimary = "red"', 'name = "x y" will not do'),
        ('name = 7\nprimary = "red"', "name = 7 will not do"),
        ('name = "x"\nprimary = "blu"', 'primary = "blu" will not do; use "blue" or'),
        ('name = "x"\nprimary = "#12"', 'primary = "#12" will not do; use a colour such as "#7aa2f7"'),
        ('name = "x"\nprimary = 12', "primary = 12 will not do"),
        (GOOD + 'backgroud = "red"', '"backgroud" is not a field of a theme; did you mean background?'),
        (GOOD + 'zzz = "red"', '"zzz" is not a field of a theme; remove it'),
        (GOOD + 'dark = "yes"', 'dark = "yes" will not do; use true or false'),
        (GOOD + "text_alpha = 2", "text_alpha = 2 will not do; use a number from 0 to 1"),
        (GOOD + "text_alpha = true", "text_alpha = True will not do; use a number from 0 to 1"),
        (GOOD + "text_alpha = nan", "text_alpha = nan will not do"),
        (GOOD + "variables = 3", "variables = 3 will not do; use a table: [variables]"),
        (GOOD + '[variables]\nborder = "banana"', 'variables.border = "banana" will not do'),
        (GOOD + "[variables]\nborder = 3", "variables.border = 3 will not do"),
        (GOOD + '[variables]\nborder = "red; } * { display: none"', "will not do"),
        (GOOD + '[variables]\nborder = "$primary"', "will not do"),
        (GOOD + '[variables]\nlink-style = "shiny"', 'use a text style such as "bold underline"'),
        (GOOD + '[variables]\nfamily-error = "red 50%"', 'variables.family-error = "red 50%" will not do; use "red"'),
        (GOOD + '[variables]\nfamily-eror = "red"', "did you mean family-error?"),
        (GOOD + '[variables]\n"a b" = "red"', "cannot be a variable's name"),
        (GOOD + "primary = ", "not TOML: "),
        (b'name = "x\xff"', "not UTF-8 at byte 9; save it as UTF-8"),
        (b"#" * (theming.MAX_THEME_BYTES + 1), "larger than 64 KiB"),
        ("x = " + "[" * 20_000, "not TOML: "),
    ],
)
def test_a_wrong_file_is_one_line_that_says_what_would_work(tmp_path: Path, text: str | bytes, said: str) -> None:
    write(tmp_path, "broken.toml", text)
    report = load_themes(tmp_path)
    assert {theme.name for theme in report.loaded} == set(OURS)
    assert any(line.startswith('"broken.toml": ') and said in line for line in report.failures), report.failures
    for line in report.failures:
        assert line.isprintable() and len(line) < 300


def test_several_mistakes_in_one_file_are_several_lines(tmp_path: Path) -> None:
    write(tmp_path, "broken.toml", 'name = "x"\nprimary = "nope"\ndark = 1\n[variables]\nborder = ""\n')
    failures = load_themes(tmp_path).failures
    assert [line.split(" = ")[0] for line in failures] == [
        '"broken.toml": primary',
        '"broken.toml": dark',
        '"broken.toml": variables.border',
    ]


def test_a_value_cannot_reach_the_terminal_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, "\x1b[31mred.toml", 'name = "x"\nprimary = "\\u001b[2J\\u202e"\n')
    (line,) = load_themes(tmp_path).failures
    assert line.startswith('"\\u001b[31mred.toml": primary = "\\u001b[2J\\u202e" will not do')


def test_links_are_followed_and_what_is_no_file_is_reported(tmp_path: Path) -> None:
    folder = tmp_path / "themes"
    folder.mkdir()
    (folder / "linked.toml").symlink_to(write(tmp_path, "elsewhere", 'name = "linked"\nprimary = "red"\n'))
    (folder / "dangling.toml").symlink_to(tmp_path / "gone")
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.toml")
    report = load_themes(folder)
    assert "linked" in {theme.name for theme in report.loaded}
    assert [line.split(":")[0] for line in report.failures] == ['"dangling.toml"', '"folder.toml"', '"pipe.toml"']


VALUES = st.sampled_from(
    [
        "red",
        "#123",
        "#12345678",
        "transparent",
        "ansi_red",
        "ansi_default",
        "hsl(1,2%,3%)",
        "auto 50%",
        "bold",
        "none",
        "",
    ]
) | st.text(max_size=12)


@PROPERTY
@example({"primary": "#123456"}, {"border": "auto 50%"})
@given(
    st.fixed_dictionaries({"primary": VALUES}, optional={"background": VALUES, "foreground": VALUES, "panel": VALUES}),
    st.dictionaries(st.sampled_from(["border", "text", "link-style", "family-error", "footer-background"]), VALUES),
)
def test_whatever_is_accepted_makes_a_style_sheet(fields: dict[str, str], variables: dict[str, str]) -> None:
    fields = {"name": "x", **fields, "variables": variables}
    if list(theming._problems(fields)):
        return
    app = Themed()
    theme = Theme(**fields)
    app.register_theme(theme)
    app.theme = "x"
    app.stylesheet.set_variables(app.get_css_variables())
    app.stylesheet.add_source(USES + "* { border: round $border; color: $text; link-style: $link-style; }")
    app.stylesheet.parse()
    assert set(family_colors(theme)) == set(Family)
