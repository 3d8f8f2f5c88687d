"""Field trees as ``tshark -V`` writes them: which packets have a pattern in theirs."""

from __future__ import annotations

import re

from netmon_tui.domain.packet_find import Batch, Match
from netmon_tui.tools.packet_pattern import PacketPattern
from netmon_tui.tools.tshark_lines import LineReader

_FRAME = re.compile(rb"^Frame (\d+): ", re.MULTILINE)
_INDENT = re.compile(rb"^ +", re.MULTILINE)


def tree_command(tshark: str) -> tuple[str, ...]:
    """Return the command that writes the field tree of every packet."""
    return (tshark, "-n", "-V", "-r", "-")


class TreeReader(LineReader):
    """Looks for a pattern in the lines of each packet, without their indentation.

    Many packets are looked through at once: their 80 lines each would take longer by themselves than tshark needs.

    Args:
        pattern: What is looked for.
    """

    def __init__(self, pattern: PacketPattern) -> None:
        super().__init__()
        self._pattern = pattern
        self._next = 1
        """Number of the first packet that has not been looked through."""
        self._batches: list[Batch] = []

    def take(self, piece: bytes) -> None:
        """Take the next piece of output, cut anywhere."""
        self._rest += piece
        # tshark escapes line ends of values, and numbers that do not follow one another are none of its own
        starts, number = [], self._next
        for found in _FRAME.finditer(self._rest):
            if int(found[1]) == number:
                starts.append(found.start())
                number += 1
        if len(starts) > 1:
            data = bytes(self._rest[: starts[-1]])
            del self._rest[: starts[-1]]
            self._look(data, starts)

    def take_batches(self) -> list[Batch]:
        """Return what was looked through since the last call."""
        taken, self._batches = self._batches, []
        return taken

    def end(self) -> None:
        """Look through what came last."""
        if self._rest:
            self._look(bytes(self._rest), [0, len(self._rest)])

    def _look(self, data: bytes, starts: list[int]) -> None:
        """Look through the packets that begin at some places; the last one is where there are no more."""
        first, matches = self._next, []
        self._next += len(starts) - 1
        if not self._pattern.is_free or self._pattern.find(data) is not None:
            for number, begin in enumerate(starts[:-1], first):
                if self._pattern.find(_INDENT.sub(b"", data[begin : starts[number - first + 1]])) is not None:
                    matches.append(Match(number))
        self._batches.append(Batch(first, self._next, matches))

    def _line(self, line: bytes) -> None:
        raise AssertionError("lines are not taken one by one")
