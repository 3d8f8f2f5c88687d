"""What the command line prints: data to stdout, messages to stderr, foreign text only through the gate.

Rich is imported when a table is drawn and not before; every cell reaches it as literal text.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any, TextIO

from netmon_tui.errors import NetmonError
from netmon_tui.security.hostile_text import clean, clean_block

PROGRAM = "netmon-tui"
_UNBOUNDED = 100_000
"""Columns of a table that goes into a file: nothing is cut."""

MEASURED_ROWS = 2_000
"""Rows of a table that are measured before one is printed."""


def print_json(document: object) -> None:
    """Print one JSON document. It is ASCII, so that no terminal can be ruled by what a host called itself."""
    print(json.dumps(document, indent=2))


def print_json_line(document: object) -> None:
    """Print one JSON object as a line of its own, at once."""
    print(json.dumps(document), flush=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns: cut to the width of a terminal, whole into a file.

    Many rows are printed as they come, aligned to the first of them: measuring all takes minutes and memory.
    """
    coming = iter(rows)
    first = list(islice(coming, MEASURED_ROWS + 1))
    if len(first) > MEASURED_ROWS:
        _print_stream(columns, first, coming)
    else:
        _print_drawn(columns, first)


def _print_drawn(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    is_terminal = sys.stdout.isatty()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(column), no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(clean(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=None if is_terminal else _UNBOUNDED)
    with console.capture() as drawn:
        console.print(table)
    for line in drawn.get().splitlines():
        print(line.rstrip())


def _print_stream(
    columns: Sequence[str], first: Sequence[Sequence[object]], rest: Iterable[Sequence[object]]
) -> None:
    from rich.cells import cell_len, set_cell_size

    widths = [max(cell_len(clean(cell)) for cell in column) for column in zip(columns, *first, strict=True)]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for row in chain((columns,), first, rest):
        texts = [clean(cell) for cell in row]
        padded = (t + " " * (width - cell_len(t)) for t, width in zip(texts, widths, strict=True))
        line = "  ".join(padded).rstrip()
        print(set_cell_size(line, room).rstrip() if room else line)


def print_pairs(pairs: Iterable[tuple[str, object]]) -> None:
    """Print one ``name value`` a line; pairs without a value are left out."""
    shown = [(name, clean(value)) for name, value in pairs if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        print(f"{name:<{width}}  {value}")


def print_line(text: object = "") -> None:
    """Print one line."""
    print(clean(text, _UNBOUNDED))


def print_block(text: object, indent: str = "") -> None:
    """Print several lines, each behind ``indent``."""
    for line in clean_block(text).splitlines():
        print(f"{indent}{line}")


def say(text: object) -> None:
    """Print a message for a person to stderr."""
    print(clean(text, _UNBOUNDED), file=sys.stderr)


def say_error(error: NetmonError) -> None:
    """Print what went wrong and why, and on a second line what helps."""
    why = f": {error.why}" if error.why else ""
    say(f"{PROGRAM}: {error.what}{why}")
    if error.fix:
        say(f"  {error.fix}")


def moment(time: datetime | None, *, parts: bool = False) -> str:
    """Return an instant as RFC 3339 in the local zone, with ``parts`` to the microsecond; empty for none."""
    spec = "microseconds" if parts else "seconds"
    return "" if time is None else time.astimezone().isoformat(timespec=spec)


def yes_no(value: bool) -> str:
    """Return a truth as a word."""
    return "yes" if value else "no"


class Progress:
    """One line on stderr that is written over; nothing at all when stderr is no terminal."""

    def __init__(self) -> None:
        self._stream: Any = sys.stderr
        self._shown = ""
        self.enabled = bool(self._stream and self._stream.isatty())
        """Whether anybody can see it."""

    def show(self, text: str) -> None:
        """Replace the line."""
        line = clean(text, max(20, shutil.get_terminal_size().columns - 1))
        if self.enabled and line != self._shown:
            self._stream.write(f"\r\x1b[K{line}")
            self._stream.flush()
            self._shown = line

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = ""


def write_export(chunks: Iterable[bytes], stream: TextIO) -> None:
    """Write an export to a stream: byte for byte into a pipe or file, through the gate onto a terminal."""
    if not stream.isatty():
        stream.flush()
        stream.buffer.writelines(chunks)
        stream.buffer.flush()
        return
    text = b"".join(chunks).decode("utf-8", "backslashreplace")
    for line in text.splitlines():
        print(clean(line, _UNBOUNDED), file=stream)
