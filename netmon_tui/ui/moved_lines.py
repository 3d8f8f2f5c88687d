"""Lines that the terminal shows already, only higher or lower: it can move them itself, as curses has it do.

The next packet at the end of a list moves all others up by a line. To send them again costs a kilobyte or two, to
have them moved some twenty bytes (DECSTBM, IND and RI of the VT100, which every terminal since knows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import ne
from typing import NamedTuple, TypeVar

from netmon_tui.ui.line_compositor import runs_of

Cell = TypeVar("Cell")
Lines = Mapping[int, Sequence[Cell | None]]
_LEAST_LINES = 4
"""Fewer are sent again: that costs little more."""
_MOVE_CELLS = 24
"""What a move costs, in cells that could be sent instead."""


class Move(NamedTuple):
    """A move of all lines of a part of the screen.

    Attributes:
        top, bottom: Its first and its last line, from 0.
        up: By how many lines; less than 0 for down.
    """

    top: int
    bottom: int
    up: int

    @property
    def sequence(self) -> str:
        """What makes the terminal do it, in no style; the cursor is anywhere after it."""
        line, step = (self.bottom, "\n") if self.up > 0 else (self.top, "\x1bM")
        return f"\x1b[{self.top + 1};{self.bottom + 1}r\x1b[{line + 1};1H{step * abs(self.up)}\x1b[r"

    @property
    def lines(self) -> range:
        """Its lines."""
        return range(self.top, self.bottom + 1)

    def source(self, y: int) -> int | None:
        """Return the line that comes to be line ``y``; None for an empty one."""
        return y + self.up if y + self.up in self.lines else None


def find_move(shown: Lines[Cell], wanted: Lines[Cell]) -> Move | None:
    """Return a move after which much less has to be sent; None without any.

    Args:
        shown: Lines as the terminal shows them; None for cells that are not known.
        wanted: The lines that change, as they are to be.
    """
    whole = [y for y in sorted(wanted) if _is_known(shown.get(y, ()), wanted[y])]
    moves = (_move_of(run, shown, wanted) for run in runs_of(whole) if len(run) >= _LEAST_LINES)
    return next((move for move in moves if move is not None), None)


def _is_known(shown: Sequence[Cell | None], wanted: Sequence[Cell | None]) -> bool:
    return len(shown) == len(wanted) and None not in shown and None not in wanted


def _move_of(run: range, shown: Lines[Cell], wanted: Lines[Cell]) -> Move | None:
    """Look where some lines of a run come from; return the move that brings them, if it is worth it."""
    for quarter in (2, 1, 3):
        probe = run[len(run) * quarter // 4]
        source = next((y for y in run if y != probe and shown[y] == wanted[probe]), probe)
        up = source - probe
        brought = [y for y in run if up and y + up in run and shown[y + up] == wanted[y]]
        if brought:
            ends = (brought[0], brought[-1], brought[0] + up, brought[-1] + up)
            move = Move(min(ends), max(ends), up)
            saved = sum(
                _differing(shown[y], wanted[y]) - _differing(_moved(shown, move.source(y)), wanted[y])
                for y in move.lines
            )
            if saved > _MOVE_CELLS:
                return move
    return None


def _moved(shown: Lines[Cell], source: int | None) -> Sequence[Cell | None]:
    return () if source is None else shown[source]


def _differing(shown: Sequence[Cell | None], wanted: Sequence[Cell | None]) -> int:
    return sum(map(ne, shown, wanted)) if shown else len(wanted)
