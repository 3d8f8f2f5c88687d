"""What tshark prints, cut into lines: bounded in everything, for readers that answer in the end."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from netmon_tui.domain.analysis import Analysis

_PLAIN = re.compile(
    r"0x[0-9a-fA-F]+|[0-9a-f]{2}(?:\.[0-9a-f]{2}){2}|\d+(?:\.\d+){3}|(?=.*:.*:)[0-9a-fA-F:.]+"
)
LONGEST_LINE = 65_536
"""Bytes of a line that count; the rest of a longer one is passed over."""
MOST_LINES = 400_000
"""Lines that a reader keeps until the end."""


class LineReader(ABC):
    """Takes the output of one tshark piece by piece."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self.enough = False
        """Set when nothing that may follow is of interest, so that tshark may be ended."""
        self.notes: list[str] = []
        """What the reader of the answer should know."""

    def take(self, piece: bytes) -> None:
        """Take the next piece of output, cut anywhere."""
        if b"\n" not in piece:
            self._rest += piece[: LONGEST_LINE - len(self._rest)]
            return
        first, *lines, rest = piece.split(b"\n")
        self._line(bytes(self._rest) + first[: LONGEST_LINE - len(self._rest)])
        for line in lines:
            if self.enough:
                return
            self._line(line[:LONGEST_LINE])
        self._rest = bytearray(rest[:LONGEST_LINE])

    @abstractmethod
    def _line(self, line: bytes) -> None:
        """Take a whole line."""


class AnalysisReader(LineReader):
    """A reader that answers a question."""

    @abstractmethod
    def answer(self) -> Analysis:
        """Return what the lines say; raises ToolFailed when they say nothing."""


class TextReader(AnalysisReader):
    """Keeps the lines of a table until the end."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[bytes] = []
        """All of them, so far."""

    def _line(self, line: bytes) -> None:
        self.lines.append(line)
        if len(self.lines) == MOST_LINES:
            self.enough = True
            self.notes.append(f"only the first {MOST_LINES:,} lines of the answer were read")


def text_of(data: bytes) -> str:
    """Return what a cell says, raw but for bytes that are not UTF-8."""
    return data.decode("utf-8", "backslashreplace").strip()


def quoted(text: str) -> str:
    """Return a value as a display filter takes it: numbers and addresses as they are, everything else in quotes."""
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number_of(data: bytes) -> float | None:
    """Return a decimal number; None for anything else."""
    try:
        return float(data)
    except ValueError:
        return None
