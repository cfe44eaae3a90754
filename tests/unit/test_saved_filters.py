"""Filters saved by name in config.toml, with everything else in the file left as it is."""

from __future__ import annotations

import stat
import tempfile
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.properties import PROPERTY
from tui.settings import load_settings, save_filter


def saved(path: Path) -> dict[str, str]:
    loaded = load_settings({}, environ={}, cwd=path.parent, config_file=path, state_file=path.parent / "state")
    assert loaded.problems == ()
    return dict(loaded.settings.filters)


def test_a_filter_is_saved_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    save_filter("quiet", '-delta "a \\"b\\" é \\\\"', path)
    assert saved(path) == {"quiet": '-delta "a \\"b\\" é \\\\"'}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_other_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    before = '# mine\nvoice = "ash"\n\n[filters] # these\nold = "error"\n\n[keys]\n"app.help" = "f5"\n'
    path.write_text(before)
    save_filter("new", "audio", path)
    assert path.read_text() == before.replace("# these\n", '# these\nnew = "audio"\n')
    save_filter("old", "-error", path)
    assert path.read_text() == before.replace("# these\n", '# these\nnew = "audio"\n').replace('"error"', '"-error"')
    assert saved(path) == {"new": "audio", "old": "-error"}


def test_a_table_is_added_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('voice = "ash"\n[keys]\n"app.help" = "f5"')
    save_filter("a-b_1", "x", path)
    assert path.read_text() == 'voice = "ash"\n[keys]\n"app.help" = "f5"\n\n[filters]\na-b_1 = "x"\n'


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ('filters = { old = "x" }\n', "another form"),
        ('[filters]\nold = """\n[filters]\n"""\nnew.sub = 1\n', "another form"),
        ('filters = "x"\n', "another form"),
        ("voice = \n", "has a mistake"),
        ('[filters]\nnew = """a\nb"""\n', "another form"),
    ],
)
def test_a_file_that_cannot_be_changed_safely_is_left_alone(tmp_path: Path, config: str, says: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config)
    with pytest.raises(ValueError, match=says) as caught:
        save_filter("new", "error", path)
    assert 'new = "error"' in str(caught.value)
    assert path.read_text() == config


def test_names_are_plain_words(tmp_path: Path) -> None:
    for name in ("", "a b", "a.b", "é", 'x"', "x" * 41):
        with pytest.raises(ValueError, match="letters, digits"):
            save_filter(name, "error", tmp_path / "config.toml")


def test_wrong_entries_are_reported_and_the_rest_counts(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[filters]\ngood = " error "\n"a b" = "x"\nnumber = 7\nempty = " "\n')
    loaded = load_settings({}, environ={}, cwd=tmp_path, config_file=path, state_file=tmp_path / "state")
    assert dict(loaded.settings.filters) == {"good": "error"}
    assert [problem.partition("[filters] ")[2].split(" must")[0] for problem in loaded.problems] == [
        "a b",
        "number",
        "empty",
    ]
    path.write_text('filters = "error"\n')
    loaded = load_settings({}, environ={}, cwd=tmp_path, config_file=path, state_file=tmp_path / "state")
    assert loaded.problems == ('config.toml: filters must be a table, such as [filters] with quiet = "-delta"',)


@PROPERTY
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_any_text_that_can_be_written_survives(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        save_filter("x", text, path)
        assert tomllib.loads(path.read_text())["filters"]["x"] == text
