"""A person's keys: what works is applied, what cannot work is one clear line, and quitting always works."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from tui.ui.keymap import KeymapReport, canonical_key, check_keymap

KNOWN = [
    Binding("ctrl+q", "quit", id="app.quit", priority=True),
    Binding("f1", "help", id="app.help"),
    Binding("f2,ctrl+t", "mic", id="app.mic", priority=True),
    Binding("j,down", "next", id="events.next"),
    Binding("k,up", "previous", id="events.previous"),
    Binding("/", "search", id="events.search"),
    Binding("f", "filter", id="events.filter"),
    Binding("y", "copy", id="events.copy"),
    Binding("y", "copy", id="transcript.copy"),
    Binding("x", "nameless"),
]


def check(**requested: object) -> KeymapReport:
    return check_keymap({name.replace("__", "."): keys for name, keys in requested.items()}, KNOWN)


def test_what_works_is_taken_in_the_names_that_textual_knows() -> None:
    report = check(events__search="?, ctrl+F", app__mic="F3,^r", events__next="n,pgdn", transcript__copy="shift+y")
    assert report == KeymapReport(
        {
            "events.search": "question_mark,ctrl+f",
            "app.mic": "f3,ctrl+r",
            "events.next": "n,pagedown",
            "transcript.copy": "Y",
        },
        (),
    )


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("/", "slash"),
        ("slash", "slash"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("comma", "comma"),
        ("G", "G"),
        ("shift+g", "G"),
        ("é", "é"),
        ("Ctrl+Shift+Up", "ctrl+shift+up"),
        ("shift+ctrl+a", "ctrl+shift+a"),
        ("option+x", "alt+x"),
        ("esc", "escape"),
        ("Return", "enter"),
        ("^q", "ctrl+q"),
        (" space ", "space"),
        ("f24", "f24"),
    ],
)
def test_keys_may_be_written_as_people_write_them(written: str, key: str) -> None:
    assert canonical_key(written) == key


@pytest.mark.parametrize(
    "written", ["", "ctrl+", "f25", "banana", "ctrl-t", "shift+1", "hold+x", "a+ctrl", "\x1b", "<any>"]
)
def test_what_no_key_is_called_is_none(written: str) -> None:
    assert canonical_key(written) is None


@pytest.mark.parametrize(
    ("name", "keys", "problem"),
    [
        ("events.serach", "s", '"events.serach" is no binding; did you mean events.search?'),
        ("search", "s", '"search" is no binding; did you mean events.search?'),
        ("zzz", "s", '"zzz" is no binding; the help shows what there is'),
        ("events.next", "ctrl-n", 'there is no key "ctrl-n"; did you mean ctrl+n?'),
        ("events.next", "pagedwn", "did you mean pagedown?"),
        ("events.next", "n,,m", 'there is no key ""'),
        ("events.next", "f99", 'there is no key "f99"'),
        ("events.next", "ctrl+m", "terminals send enter for ctrl+m"),
        ("events.next", "ctrl+[", "terminals send escape for ctrl+left_square_bracket"),
        ("events.next", 5, "events.next = 5: write the keys as one text"),
        ("events.next", ["n"], "write the keys as one text"),
        ("events.next", " ", "write the keys as one text"),
        ("events.next", "f", "f is events.filter; choose another or move events.filter too"),
        ("events.next", "f2", "f2 is app.mic"),
        ("events.next", "ctrl+q", "ctrl+q is app.quit"),
        ("app.mic", "m", "m is needed for typing; choose a function key, or ctrl and a letter"),
        ("app.mic", "space", "space is needed for typing"),
        ("app.quit", "q", "q is needed for typing"),
        ("app.quit", "_", "underscore is needed for typing"),
        ("app.quit", "-", "minus is needed for typing"),
        ("app.quit", "", "write the keys as one text"),
        ("events.next", "\x1b[2J", '"\\u001b[2J"'),
    ],
)
def test_what_cannot_work_is_one_line_and_the_default_stays(name: str, keys: object, problem: str) -> None:
    report = check_keymap({name: keys, "events.copy": "c"}, KNOWN)
    assert report.keymap == {"events.copy": "c"}
    (line,) = report.problems
    assert problem in line
    assert line.isprintable() and len(line) < 250


def test_a_refused_entry_names_the_key_that_stays() -> None:
    assert check(events__next="nope").problems[0].endswith("; events.next stays on j, down")


def test_two_panes_may_share_a_key_but_one_pane_may_not() -> None:
    assert check(transcript__copy="f").problems == ()
    report = check(events__copy="c", events__filter="c")
    assert report.keymap == {"events.copy": "c"}
    assert report.problems == ('events.filter = "c": c is events.copy; choose another or move events.copy too',)


def test_two_bindings_can_swap_keys() -> None:
    assert check(events__next="k", events__previous="j").problems == ()


def test_a_refused_entry_takes_its_default_key_back() -> None:
    report = check(events__next="k", events__previous="nope")
    assert report.keymap == {}
    assert [line.split(":")[0] for line in report.problems] == ['events.next = "k"', 'events.previous = "nope"']


def test_quit_can_move_and_then_its_key_is_free() -> None:
    report = check(app__quit="ctrl+x", events__next="ctrl+q")
    assert report == KeymapReport({"app.quit": "ctrl+x", "events.next": "ctrl+q"}, ())


KEYS = st.sampled_from(["f2", "ctrl+q", "j", "k", "/", "f", "y", "G", "ctrl+t", "enter", "esc", "shift+1", "x"])


@given(st.dictionaries(st.sampled_from([b.id for b in KNOWN if b.id]), st.lists(KEYS, min_size=1).map(",".join)))
def test_however_keys_are_mixed_every_binding_keeps_one_of_its_own(requested: dict[str, str]) -> None:
    report = check_keymap(requested, KNOWN)
    assert len(report.keymap) + len(report.problems) == len(requested)
    owners: dict[tuple[str, str], str] = {}
    for binding in KNOWN:
        for key in report.keymap.get(binding.id or "", binding.key).split(","):
            scope = (binding.id or "none.").split(".")[0]
            key = canonical_key(key) or key
            assert owners.setdefault((scope, key), binding.id or "") == (binding.id or "")
            if binding.priority:
                assert all(owner == binding.id for (_, taken), owner in owners.items() if taken == key)


class Keyed(App[str]):
    BINDINGS = [
        Binding("f", "pressed('filter')", id="events.filter"),
        Binding("/", "pressed('search')", id="events.search"),
        Binding("ctrl+q", "quit", id="app.quit", priority=True),
    ]

    def compose(self) -> ComposeResult:
        yield Static("")

    def action_pressed(self, name: str) -> None:
        self.query_one(Static).update(name)


@pytest.mark.parametrize("keys", ["?", "ctrl+f", "G", "comma", "space", "f5", "+"])
async def test_textual_obeys_the_checked_keymap(keys: str) -> None:
    app = Keyed()
    report = check_keymap({"events.search": keys, "app.quit": "ctrl+x"}, Keyed.BINDINGS)
    assert report.problems == ()
    async with app.run_test() as pilot:
        app.set_keymap(report.keymap)
        await pilot.press("/")
        assert str(app.query_one(Static).render()) == ""
        await pilot.press(report.keymap["events.search"])
        assert str(app.query_one(Static).render()) == "search"
        await pilot.press("ctrl+x")
    assert app.return_code == 0
