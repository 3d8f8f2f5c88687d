"""What the terminal shows, so that only what differs is sent to it.

Textual sends a line that has changed from the left edge of its widget on, each style in full and a reset after it.
Here cells that the terminal shows already are left out, and of a style what was in force before: as curses does.
Lines that it shows elsewhere it is told to move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby, repeat, zip_longest
from typing import Any, NamedTuple

from rich.cells import get_character_cell_size
from rich.color import Color, ColorSystem
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from netmon_tui.ui.moved_lines import find_move

_CHEAPER_THAN_MOVING = 6
"""Cells that are sent again between two that differ: to move over them takes as many bytes."""


class Pen(NamedTuple):
    """A style as parameters of SGR."""

    attributes: str = ""
    """Bold and the like; empty for none."""
    colour: str = "39"
    background: str = "49"


Cell = tuple[str, Pen] | None
"""A character one cell wide and how it is drawn; None for what is not known."""
Piece = tuple[int, int, Strip]
"""Line and column of its beginning, and what is drawn there."""
_PLAIN = Pen()


class SentScreen:
    """The cells of one terminal."""

    def __init__(self) -> None:
        self._lines: dict[int, list[Cell]] = {}

    def frugally(self, update: Any) -> Any:
        """Return an update that sends the same picture with fewer bytes; a whole screen is sent whole."""
        return _Frugal(self, update) if isinstance(update, LayoutUpdate | ChopsUpdate) else update

    def sequence(self, pieces: Iterable[Piece], system: ColorSystem) -> str:
        """Return what makes the terminal show the pieces, and remember that it does.

        Args:
            pieces: What is drawn where.
            system: The colours that the terminal has.
        """
        wanted: dict[int, list[Cell]] = {}
        spans: dict[int, list[_Span]] = {}
        for y, x, strip in pieces:
            line = wanted.get(y)
            if line is None:
                line = wanted[y] = self._lines.get(y, []).copy()
            spans.setdefault(y, []).append(_put(line, x, strip, system))
        sent = [self._move(wanted, spans)]
        held = _PLAIN
        for y, line in wanted.items():
            before = self._lines.get(y, ())
            for begin, cells in _changes(spans[y], before, line):
                sent.append(f"\x1b[{y + 1};{begin + 1}H")
                for pen, run in groupby(filter(None, cells), lambda cell: cell[1]):
                    sent += (_change(held, pen), *(text for text, _ in run))
                    held = pen
            self._lines[y] = line
        return "".join((*sent, _change(held, _PLAIN)))

    def _move(self, wanted: dict[int, list[Cell]], spans: dict[int, list[_Span]]) -> str:
        """Return what moves lines that are wanted elsewhere; all of these are compared then, not only spans."""
        move = find_move(self._lines, wanted)
        if move is None:
            return ""
        spans |= {y: [_Span(0, len(wanted[y]))] for y in move.lines}
        sources = {y: move.source(y) for y in move.lines}
        self._lines |= {
            y: [None] * len(wanted[y]) if source is None else self._lines[source]  # a new one is unknown
            for y, source in sources.items()
        }
        return move.sequence

    def forget(self) -> None:
        """Nothing is known any more of what it shows."""
        self._lines.clear()


class _Span(NamedTuple):
    """A part of a line that is drawn on.

    Attributes:
        begin, end: Columns.
        whole: What is to be sent of it, whatever is shown: its characters are not all one cell wide.
    """

    begin: int
    end: int
    whole: Sequence[Cell] | None = None


def _put(line: list[Cell], x: int, strip: Strip, system: ColorSystem) -> _Span:
    """Put what is drawn into a line; return where."""
    cells: list[tuple[str, Pen]] = []
    for text, style, _ in strip:
        cells += zip(text, repeat(_pen(style, system) if style else _PLAIN))
    end = x + strip.cell_length
    line += repeat(None, end - len(line))
    if all(text.isascii() or all(map(_is_single, text)) for text, _, _ in strip):
        line[x:end] = cells
        return _Span(x, end)
    line[x:end] = repeat(None, end - x)
    return _Span(x, end, cells)


def _changes(
    spans: Iterable[_Span], before: Sequence[Cell], line: Sequence[Cell]
) -> Iterator[tuple[int, Sequence[Cell]]]:
    """Yield where cells begin that the terminal does not show yet, and the cells, all of them known."""
    for x, end, whole in spans:
        if whole is not None:
            yield x, whole
            continue
        old, new = before[x:end], line[x:end]
        if old == new:
            continue
        begin, last = -1, -1
        for at, (is_, shall_be) in enumerate(zip_longest(old, new)):
            if is_ != shall_be:
                if begin < 0 or at - last > _CHEAPER_THAN_MOVING:
                    if begin >= 0:
                        yield x + begin, new[begin : last + 1]
                    begin = at
                last = at
        yield x + begin, new[begin : last + 1]


class _Frugal(CompositorUpdate):
    """An update of Textual's without what the terminal shows already."""

    def __init__(self, screen: SentScreen, update: LayoutUpdate | ChopsUpdate) -> None:
        self._screen = screen
        self._update = update

    def render_segments(self, console: Console) -> str:
        """Return the bytes, once they are about to be written."""
        update = self._update
        if isinstance(update, LayoutUpdate):
            self._screen.forget()
        pieces = _of_layout(update) if isinstance(update, LayoutUpdate) else _of_chops(update)
        return self._screen.sequence(pieces, console._color_system or ColorSystem.TRUECOLOR)


def _of_layout(update: LayoutUpdate) -> Iterator[Piece]:
    for y, line in enumerate(update.strips, update.region.y):
        x = update.region.x
        for strip in line:
            yield y, x, strip
            x += strip.cell_length


def _of_chops(update: ChopsUpdate) -> Iterator[Piece]:
    for y, first, last in update.spans:
        for (x, strip), end in zip(update.chops[y].items(), update.chop_ends[y], strict=True):
            if strip is not None and x < last and end > first:
                yield y, x, strip if end <= last else strip.crop(0, last - x)


@lru_cache(maxsize=4096)
def _is_single(character: str) -> bool:
    return get_character_cell_size(character) == 1


@lru_cache(maxsize=1024)
def _pen(style: Style, system: ColorSystem) -> Pen:
    attributes = Strip.render_ansi(style.without_color, system)
    return Pen(attributes, _code(style.color, system, "39"), _code(style.bgcolor, system, "49"))


def _code(colour: Color | None, system: ColorSystem, default: str) -> str:
    if colour is None:
        return default
    return ";".join(colour.downgrade(system).get_ansi_codes(foreground=default == "39"))


@lru_cache(maxsize=4096)
def _change(held: Pen, wanted: Pen) -> str:
    """Return what makes one style of the other."""
    if held == wanted:
        return ""
    if wanted == _PLAIN:
        return "\x1b[m"
    codes = []
    if held.attributes not in ("", wanted.attributes):
        codes.append("0")
        held = _PLAIN
    codes += [new for new, old in zip(wanted, held, strict=True) if new != old]
    return f"\x1b[{';'.join(codes)}m"
