"""The counts that tshark prints as a tree for ``-q -z X,tree``, such as those of DNS and HTTP.

The columns stand below their titles, whose places are taken from the line of titles, in bytes (``printf`` pads so).
Format as of tshark 4.0 (``epan/stats_tree.c``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netmon_tui.domain.analysis import AnalysisColumn, AnalysisRow, Value
from netmon_tui.errors import ToolFailed
from netmon_tui.tools.tshark_lines import number_of, text_of
from netmon_tui.tools.tshark_tables import TableReader
from netmon_tui.tools.tshark_tree_filters import tree_filter

_FIRST = b"Topic / Item"
_TITLES = (b"Count", b"Average", b"Min Val", b"Max Val", b"Rate (ms)", b"Percent")
TREE_COLUMNS = (
    AnalysisColumn("item", "Item"),
    AnalysisColumn("count", "Count", "count"),
    AnalysisColumn("percent", "Part", "percent"),
    AnalysisColumn("average", "Mean", "number"),
    AnalysisColumn("least", "Least", "number"),
    AnalysisColumn("most", "Most", "number"),
    AnalysisColumn("per_second", "per s", "number"),
)


def tree_reader(question: str) -> TableReader:
    """Return a reader of a tree of counts; what was counted 0 times is left out."""
    return TableReader(_FIRST, TREE_COLUMNS, lambda lines: _rows(lines, question))


def _rows(lines: Sequence[bytes], question: str) -> Iterator[AnalysisRow]:
    head = next(index for index, line in enumerate(lines) if line.startswith(_FIRST))
    places = [lines[head].find(title) for title in _TITLES]
    if min(places) < 0:
        raise ToolFailed("tshark's tree cannot be read", why="it has other columns than those known")
    path: list[str] = []
    for line in lines[head + 2 :]:
        if line.startswith(b"-----"):
            return
        name = line[: places[0]]
        if not name.strip():
            continue
        path[len(name) - len(name.lstrip(b" ")) :] = [text_of(name)]
        if cells := _cells(line, places):
            yield AnalysisRow((path[-1], *cells), tree_filter(question, path), depth=len(path) - 1)


def _cells(line: bytes, places: Sequence[int]) -> tuple[Value, ...]:
    """Return what is counted of an item; nothing for one that never was."""
    ends = (*places[1:], line.find(b"%", places[-1]) if b"%" in line[places[-1] :] else places[-1])
    count, mean, least, most, rate, part = (
        number_of(line[start:end].strip()) for start, end in zip(places, ends, strict=True)
    )
    if not count:
        return ()
    per_second = None if rate is None else round(rate * 1000, 4)
    return int(count), part, mean, _whole(least), _whole(most), per_second


def _whole(value: float | None) -> Value:
    return int(value) if value is not None and value.is_integer() else value
