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


def tree_reader() -> TableReader:
    """Return a reader of a tree of counts; what was counted 0 times is left out."""
    return TableReader(_FIRST, TREE_COLUMNS, _rows)


def _rows(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    head = next(index for index, line in enumerate(lines) if line.startswith(_FIRST))
    places = [lines[head].find(title) for title in _TITLES]
    if min(places) < 0:
        raise ToolFailed("tshark's tree cannot be read", why="it has other columns than those known")
    for line in lines[head + 2 :]:
        if line.startswith(b"-----"):
            return
        if row := _row(line, places):
            yield row


def _row(line: bytes, places: Sequence[int]) -> AnalysisRow | None:
    name = line[: places[0]]
    ends = (*places[1:], line.find(b"%", places[-1]) if b"%" in line[places[-1] :] else places[-1])
    count, mean, least, most, rate, part = (
        number_of(line[start:end].strip()) for start, end in zip(places, ends, strict=True)
    )
    if count is None or not name.strip() or not count:
        return None
    per_second = None if rate is None else round(rate * 1000, 4)
    cells: tuple[Value, ...] = (
        text_of(name),
        int(count),
        part,
        mean,
        _whole(least),
        _whole(most),
        per_second,
    )
    return AnalysisRow(cells, depth=len(name) - len(name.lstrip(b" ")))


def _whole(value: float | None) -> Value:
    return int(value) if value is not None and value.is_integer() else value
