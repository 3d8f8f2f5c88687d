"""The tables that tshark prints for ``-q -z``: protocol hierarchy, expert information, I/O graph, response times.

Formats as of tshark 4.0 (``ui/cli/tap-protohierstat.c``, ``tap-expert.c``, ``tap-iostat.c``, ``tap-srt.c``,
``tap-camelsrt.c``, ``tap-icmpstat.c``). Lines that are none of a table's are passed over:
what a host called itself may stand in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from netmon_tui.domain.analysis import MOST_ROWS, Analysis, AnalysisColumn, AnalysisRow, Value
from netmon_tui.errors import ToolFailed
from netmon_tui.tools.tshark_answers import procedure_filter
from netmon_tui.tools.tshark_lines import TextReader, number_of, text_of

_PROTOCOL = re.compile(rb"( *)(\S+) +frames:(\d+) bytes:(\d+)\s*")
_PROTOCOL_INDENT = 2
_SEVERITIES = {
    b"Errors": "error",
    b"Warns": "warning",
    b"Notes": "note",
    b"Chats": "chat",
    b"Comments": "comment",
}
_SEVERITY_NUMBERS = {
    "error": 8388608,
    "warning": 6291456,
    "note": 4194304,
    "chat": 2097152,
    "comment": 1048576,
}
"""Of ``_ws.expert.severity``, which takes no words before tshark 4.4."""
_SEVERITY = re.compile(rb"(\w+) \((\d+)\)\s*")
_EXPERT = re.compile(rb" *(\d+) +(\S+) +(\S+) {2}(.*)", re.DOTALL)
_STEP = re.compile(rb"\| *([\d.]+) *<> *([\d.]+|Dur) *\|(.*?)\|\s*(?:\|\s*)?")
_TIMES = re.compile(rb" *(\d+) +(.*?) +(\d+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+)\s*")
_TIMES_FIELD = re.compile(rb"Filter: ([\w.]*)\s*")
_TIMES_HEAD = re.compile(rb"Index +(.*?) +Calls +Min SRT.*")
_SESSIONS = re.compile(
    rb"\|\s*(\S+) \|\s*(\d+) \|\s*([\d.]+) (m?s) *\|\s*([\d.]+) m?s *\|\s*([\d.]+) m?s *\|.*"
)
_ECHO_COUNTS = re.compile(rb"(\d+) +(\d+) +(\d+) +([\d.]+)%\s*")
_ECHO_TIMES = re.compile(rb"([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +([\d.]+) +(\d+) +(\d+)\s*")


class TableReader(TextReader):
    """A table that is understood when all of it is there.

    Args:
        title: What the table is headed with; without it tshark has not answered.
        columns: Of the answer.
        rows: Makes the rows of the lines.
    """

    def __init__(
        self,
        title: bytes,
        columns: Sequence[AnalysisColumn],
        rows: Callable[[Sequence[bytes]], Iterator[AnalysisRow]],
    ) -> None:
        super().__init__()
        self._title, self._columns, self._rows = title, tuple(columns), rows

    def answer(self) -> Analysis:
        """Return the rows; ToolFailed when the table is not there."""
        if self._title and not any(self._title in line for line in self.lines):
            raise ToolFailed("tshark did not answer the question", why="its table is not there")
        rows = tuple(self._rows(self.lines))
        if len(rows) > MOST_ROWS:
            self.notes.append(f"the first {MOST_ROWS:,} of {len(rows):,}")
        return Analysis(self._columns, rows[:MOST_ROWS], tuple(self.notes))


HIERARCHY_COLUMNS = (
    AnalysisColumn("protocol", "Protocol"),
    AnalysisColumn("packets", "Packets", "count"),
    AnalysisColumn("percent", "Part", "percent"),
    AnalysisColumn("bytes", "Bytes", "bytes"),
)


def hierarchy_reader() -> TableReader:
    """Return a reader of ``io,phs``: protocols below those that carry them."""
    return TableReader(b"Protocol Hierarchy Statistics", HIERARCHY_COLUMNS, _protocols)


def _protocols(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    found = [match for line in lines if (match := _PROTOCOL.fullmatch(line))]
    total = sum(int(match[3]) for match in found if not match[1])
    carriers: list[str] = []
    for match in found:
        name, packets, depth = text_of(match[2]), int(match[3]), len(match[1]) // _PROTOCOL_INDENT
        carriers[depth:] = [name]
        part = 100 * packets / total if total else 0.0
        cells = (name, packets, round(part, 2), int(match[4]))
        yield AnalysisRow(cells, " && ".join(dict.fromkeys(carriers)), depth)


EXPERT_COLUMNS = (
    AnalysisColumn("severity", "Severity"),
    AnalysisColumn("count", "Count", "count"),
    AnalysisColumn("group", "Group"),
    AnalysisColumn("protocol", "Protocol"),
    AnalysisColumn("summary", "Summary"),
)


def expert_reader() -> TableReader:
    """Return a reader of ``expert``: what dissectors found worth a remark, the gravest first."""
    return TableReader(b"", EXPERT_COLUMNS, _remarks)


def _remarks(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    severity = ""
    for line in lines:
        if head := _SEVERITY.fullmatch(line):
            severity = _SEVERITIES.get(head[1], severity)
        elif severity and (match := _EXPERT.fullmatch(line)):
            count, group, protocol, summary = int(match[1]), *map(text_of, match.groups()[1:])
            yield AnalysisRow((severity, count, group, protocol, summary), _remark_filter(severity, summary))


def _remark_filter(severity: str, summary: str) -> str:
    """Return the filter for packets with a remark; what tshark wrote as escapes it has otherwise in the packet."""
    plain = re.split(r'[\\"]', summary)[0]
    how = "==" if plain == summary else "contains"
    words = f' && _ws.expert.message {how} "{plain}"' if plain.strip() else ""
    return f"_ws.expert.severity == {_SEVERITY_NUMBERS[severity]}{words}"


def graph_reader(series: Sequence[str]) -> TableReader:
    """Return a reader of ``io,stat``: packets and bytes of each step.

    Args:
        series: Further filters that were asked for beside all packets.
    """
    columns = [AnalysisColumn("start", "From", "time"), AnalysisColumn("end", "To", "time")]
    for number in range(len(series) + 1):
        mark = f"_{number}" if number else ""
        name = f" {number}" if number else ""
        columns.append(AnalysisColumn(f"packets{mark}", f"Packets{name}", "count"))
        columns.append(AnalysisColumn(f"bytes{mark}", f"Bytes{name}", "bytes"))
    return TableReader(b"IO Statistics", columns, lambda lines: _steps(lines, len(columns)))


def _steps(lines: Sequence[bytes], width: int) -> Iterator[AnalysisRow]:
    for line in lines:
        match = _STEP.fullmatch(line)
        counts = [number_of(cell) for cell in match[3].split(b"|")] if match else []
        if match is None or None in counts or len(counts) + 2 != width:
            continue
        start, end = float(match[1]), number_of(match[2])
        until = f" && frame.time_relative < {text_of(match[2])}" if end is not None else ""
        wanted = f"frame.time_relative >= {text_of(match[1])}{until}"
        yield AnalysisRow((start, end, *(int(count or 0) for count in counts)), wanted)


TIMES_COLUMNS = (
    AnalysisColumn("procedure", "Procedure"),
    AnalysisColumn("calls", "Calls", "count"),
    AnalysisColumn("least", "Least", "seconds"),
    AnalysisColumn("most", "Most", "seconds"),
    AnalysisColumn("mean", "Mean", "seconds"),
    AnalysisColumn("sum", "Sum", "seconds"),
)


def times_reader(protocol: str) -> TableReader:
    """Return a reader of ``X,srt``: procedures and how long their answers took."""
    return TableReader(b"SRT Statistics", TIMES_COLUMNS, lambda lines: _times(lines, protocol))


def _times(lines: Sequence[bytes], protocol: str) -> Iterator[AnalysisRow]:
    table, tables = "", sum(_TIMES_HEAD.fullmatch(line) is not None for line in lines)
    field = ""
    for line in lines:
        if named := _TIMES_FIELD.fullmatch(line):
            field = text_of(named[1])
        elif head := _TIMES_HEAD.fullmatch(line):
            table = text_of(head[1])
        elif table and (match := _TIMES.fullmatch(line)):
            procedure = text_of(match[2])
            if table == "Procedure" and tables > 1:  # one table for each program
                table = field.replace(".procedure_", " ").partition(".")[0]
            cells = (int(match[3]), *map(float, match.groups()[3:]))
            wanted = procedure_filter(protocol, field, int(match[1]), procedure)
            yield AnalysisRow((procedure if tables < 2 else f"{table}: {procedure}", *cells), wanted)


SESSIONS_COLUMNS = TIMES_COLUMNS[:-1]


def sessions_reader() -> TableReader:
    """Return a reader of ``camel,srt``, which looks otherwise and does not say which packets it counts."""
    return TableReader(b"Camel Service Response Time", SESSIONS_COLUMNS, _sessions)


def _sessions(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    for line in lines:
        match = _SESSIONS.fullmatch(line)
        if match is not None and int(match[2]):
            scale = 1e-3 if match[4] == b"ms" else 1.0
            seconds = [round(float(match[n]) * scale, 9) for n in (3, 5, 6)]
            yield AnalysisRow((text_of(match[1]), int(match[2]), *seconds))


ECHO_COLUMNS = (
    AnalysisColumn("requests", "Requests", "count"),
    AnalysisColumn("replies", "Replies", "count"),
    AnalysisColumn("lost", "Lost", "count"),
    AnalysisColumn("lost_percent", "Part", "percent"),
    AnalysisColumn("least", "Least", "seconds"),
    AnalysisColumn("most", "Most", "seconds"),
    AnalysisColumn("mean", "Mean", "seconds"),
    AnalysisColumn("median", "Median", "seconds"),
    AnalysisColumn("deviation", "Deviation", "seconds"),
)


def echo_reader(protocol: str) -> TableReader:
    """Return a reader of ``icmp,srt`` and ``icmpv6,srt``, which look otherwise and count in milliseconds."""
    return TableReader(b"Service Response Time", ECHO_COLUMNS, lambda lines: _echoes(lines, protocol))


def _echoes(lines: Sequence[bytes], protocol: str) -> Iterator[AnalysisRow]:
    counts = next((match for line in lines if (match := _ECHO_COUNTS.fullmatch(line))), None)
    times = next((match for line in lines if (match := _ECHO_TIMES.fullmatch(line))), None)
    if counts is None or times is None or not int(counts[1]):
        return
    kinds = "128 129" if protocol == "icmpv6" else "0 8"
    wanted = " || ".join(f"{protocol}.type == {kind}" for kind in kinds.split())
    figures: list[Value] = [int(counts[n]) for n in (1, 2, 3)]
    seconds = [round(float(times[n]) / 1000, 9) for n in range(1, 6)]
    yield AnalysisRow((*figures, float(counts[4]), *seconds), wanted)
