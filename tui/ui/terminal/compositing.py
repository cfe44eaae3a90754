"""Draws what changed on a screen, and no more.

For each change Textual draws every widget of the screen, cuts each line at the edges of all of them, and moves the
cursor twice a line. Here a widget is asked for its lines only where it shows something that changed, and what is
written are the cells that changed. Over a slow line they are written bit by bit, so that a key need not wait for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rich.cells import cell_len
from rich.console import Console
from textual._compositor import Compositor, CompositorUpdate
from textual.app import App
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.terminal.pacing import RETRY_S, allowance, is_busy

_Span = tuple[int, int]
"""Columns of a line: the first, and one behind the last."""


class Piece(NamedTuple):
    """What one widget shows of one line."""

    late: bool
    """False for the widget that has the focus: it may be the answer to a key, and goes first."""
    y: int
    x: int
    end: int
    """The column behind it."""
    strip: Strip


class FrugalScreen(Screen[None]):
    """A screen that draws what changed, and over a slow line not all of that at once."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = _FrugalCompositor(self, self._draw_later)
        self._rest: list[Region] = []

    @property
    def unfinished(self) -> bool:
        """Whether some of what changed has still to be drawn."""
        return bool(self._rest)

    def _draw_later(self, rest: Sequence[Region]) -> None:
        if not self._rest:
            self.set_timer(RETRY_S, self._draw_rest)
        self._rest += rest

    def _draw_rest(self) -> None:
        if is_busy(self.app):
            self.set_timer(RETRY_S, self._draw_rest)
        else:
            rest, self._rest = self._rest, []
            self.refresh(*rest)


class PiecesUpdate(CompositorUpdate):
    """Pieces of the screen, written in this order up to an allowance."""

    def __init__(
        self, pieces: Sequence[Piece], limit: int | None, draw_later: Callable[[Sequence[Region]], None]
    ) -> None:
        """``limit`` is in characters, None for none; ``draw_later`` gets the regions for which there was no room."""
        self._pieces = pieces
        self._limit = limit
        self._draw_later = draw_later

    def render_segments(self, console: Console) -> str:
        """The escape sequences that draw the pieces."""
        parts: list[str] = []
        written = 0
        for at, (late, y, x, _, strip) in enumerate(self._pieces):
            if late and self._limit is not None and written > self._limit:
                self._draw_later([Region(piece.x, piece.y, piece.end - piece.x, 1) for piece in self._pieces[at:]])
                break
            text = strip.render(console)
            parts.append(f"\x1b[{y + 1};{x + 1}H{text}")
            written += len(parts[-1])
        return "".join(parts)


class _FrugalCompositor(Compositor):
    """Textual's, with partial updates of its own."""

    def __init__(self, screen: Screen[None], draw_later: Callable[[Sequence[Region]], None]) -> None:
        super().__init__()
        self._screen = screen
        self._draw_later = draw_later

    def render_partial_update(self) -> PiecesUpdate | None:  # type: ignore[override]  # any update can be displayed
        """What to write for the regions that changed; None when there are none."""
        screen = self.size.region
        regions = [region.intersection(screen) for region in self._dirty_regions]
        self._dirty_regions.clear()
        lines: dict[int, list[_Span]] = {}
        for y, start, end in self._regions_to_spans(region for region in regions if region):
            lines.setdefault(y, []).append((start, end))
        if not lines:
            return None
        return PiecesUpdate(sorted(self._pieces(lines)), allowance(self._screen.app), self._draw_later)

    def _pieces(self, lines: dict[int, list[_Span]]) -> Iterator[Piece]:
        """What the widgets show of these spans of lines, from the front to the back, until no span is left."""
        focused = self._screen.focused
        in_front: list[Region] = []
        for widget, (region, clip) in self.visible_widgets.items():
            visible = region.intersection(clip)
            left, right = visible.column_span
            touched = [
                y
                for y in lines
                if visible.y <= y < visible.bottom and any(start < right and left < end for start, end in lines[y])
            ]
            if not touched:
                in_front.append(visible)
                continue
            late = widget is not focused
            strips = _draw(widget, visible.translate(-region.offset), touched[0] - region.y, touched[-1] - region.y)
            for y in touched:
                strip = strips[y - touched[0]]
                open_spans: list[_Span] = []
                for start, end in lines[y]:
                    first, last = max(start, left), min(end, right)
                    if first < last:
                        # Half of a wide character would take the other half with it.
                        x, behind = first, last
                        if _cuts_a_character(strip, x - left) and not _covered(x - 1, y, in_front):
                            x -= 1
                        if _cuts_a_character(strip, behind - left) and not _covered(behind, y, in_front):
                            behind += 1
                        yield Piece(late, y, x, behind, strip.crop(x - left, behind - left))
                    else:
                        first = last = end
                    open_spans += [span for span in ((start, first), (last, end)) if span[0] < span[1]]
                if open_spans:
                    lines[y] = open_spans
                else:
                    del lines[y]
            if not lines:
                return
            in_front.append(visible)


def _draw(widget: Widget, visible: Region, first: int, last: int) -> list[Strip]:
    """The lines of a widget from first to last, as far as it is visible; in its own coordinates."""
    return widget.render_lines(Region(visible.x, first, visible.width, last - first + 1))


def _cuts_a_character(strip: Strip, column: int) -> bool:
    """Whether one character lies on both sides of a column."""
    if not 0 < column < strip.cell_length:
        return False
    at = 0
    for character in strip.text:
        at += cell_len(character)
        if at >= column:
            break
    return at > column


def _covered(x: int, y: int, in_front: Sequence[Region]) -> bool:
    return any(region.contains(x, y) for region in in_front)


def is_behind(app: App[Any]) -> bool:
    """True while what was drawn, or is still to be drawn of it, waits for the terminal."""
    return is_busy(app) or any(isinstance(screen, FrugalScreen) and screen.unfinished for screen in app.screen_stack)
