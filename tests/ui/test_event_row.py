"""A row is exactly as wide as it is told to be, whatever it holds."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.style import Style

from tests.support.drawing import each_hostile, is_safe
from tui.capture import RowView
from tui.ui.widgets.event_pane import EventPane
from tui.ui.widgets.event_row import RowPainter
from tui.wire import Direction, Family

STYLES = {name: Style(color="red") for name in (*EventPane.COMPONENT_CLASSES, "base")}


def view(label: str = "item.added", summary: str = "you: hello", **changes: object) -> RowView:
    fields = {
        "index": 0,
        "time_s": 7.302,
        "direction": Direction.RECEIVED,
        "family": Family.CONVERSATION,
        "label": label,
        "count": 1,
        "summary": summary,
        "size": 182,
        "alarm": False,
    }
    return RowView(**{**fields, **changes})  # type: ignore[arg-type]


def text(row: RowView, width: int) -> str:
    return RowPainter(STYLES, width).draw(row).text


def test_columns_of_a_wide_row() -> None:
    row = view(direction=Direction.SENT, count=1_234, alarm=True)
    assert text(row, 64) == "  7.302 →! item.added              ×1,234  you: hello       182 "


def test_a_narrow_row_goes_without_time_and_size() -> None:
    assert text(view(), 40) == "←  item.added        you: hello         "


def test_what_is_too_long_is_cut_off_visibly() -> None:
    assert text(view(summary="x" * 500), 64).endswith(f" {'x' * 22}…  182 ")


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [(0.0, "  0.000"), (999.9994, "999.999"), (9_999.5, "9999.50"), (86_400.0, "86400.0"), (1e6, "1000000")],
)
def test_the_time_of_hours_and_days_keeps_its_column(time_s: float, shown: str) -> None:
    assert text(view(time_s=time_s), 64).startswith(f"{shown} ← ")


@each_hostile
@pytest.mark.parametrize("width", [1, 8, 11, 12, 20, 39, 46, 56, 64, 80, 90, 120, 250])
def test_the_width_holds_for_any_text(hostile: str, width: int) -> None:
    drawn = text(view(hostile, hostile), width)
    assert cell_len(drawn) == width
    assert is_safe(drawn)
