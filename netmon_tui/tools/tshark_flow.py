"""The flow of packets between hosts as a ladder, from lines that tshark prints of packets.

``tshark -z flow`` writes a ladder that breaks off names and hosts; this one has a lane for each of the first hosts.
"""

from __future__ import annotations

from netmon_tui.domain.analysis import Analysis, AnalysisColumn, AnalysisRow
from netmon_tui.tools.tshark_lines import AnalysisReader, text_of

MOST_PACKETS = 5_000
"""Steps of a ladder; a filter narrows it."""
_LANES = 5
_RUNG = 7
"""Characters between two lanes."""
FLOW_COLUMNS = (
    AnalysisColumn("packet", "No.", "count"),
    AnalysisColumn("time", "Time", "time"),
    AnalysisColumn("source", "From"),
    AnalysisColumn("destination", "To"),
    AnalysisColumn("ladder", "Ladder"),
    AnalysisColumn("ports", "Ports"),
    AnalysisColumn("protocol", "Protocol"),
    AnalysisColumn("info", "Info"),
)
FLOW_FORMATS = ("%m", "%us", "%t", "%ud", "%uS", "%uD", "%p", "%Cus:frame.time_epoch:0:R", "%i")
"""tshark's column formats, in the order in which the reader takes them."""


class FlowReader(AnalysisReader):
    """Takes the first packets."""

    def __init__(self) -> None:
        super().__init__()
        self._packets: list[list[str]] = []
        self._lanes: dict[str, int] = {}

    def _line(self, line: bytes) -> None:
        cells = [text_of(cell) for cell in line.split(b"\t", len(FLOW_FORMATS) - 1)]
        if len(cells) != len(FLOW_FORMATS) or not cells[0].isdecimal():
            return
        self._packets.append(cells)
        for host in (cells[1], cells[3]):
            if len(self._lanes) < _LANES:
                self._lanes.setdefault(host, len(self._lanes))
        if len(self._packets) == MOST_PACKETS:
            self.enough = True
            self.notes.append(f"the first {MOST_PACKETS:,} packets; a filter narrows them")

    def answer(self) -> Analysis:
        """Return a row for each packet, with its arrow between the lanes."""
        if self._lanes:
            hosts = ", ".join(f"{number + 1} {host}" for host, number in self._lanes.items())
            self.notes.append(f"lanes: {hosts}; others have none")
        return Analysis(FLOW_COLUMNS, tuple(map(self._row, self._packets)), tuple(self.notes))

    def _row(self, cells: list[str]) -> AnalysisRow:
        number, source, time, destination, source_port, destination_port, protocol, moment, info = cells
        ports = f"{source_port} > {destination_port}" if source_port and destination_port else ""
        ladder = draw(self._lanes.get(source), self._lanes.get(destination), len(self._lanes))
        return AnalysisRow(
            (int(number), float(time), source, destination, ladder, ports, protocol, info),
            f"frame.number == {number}",
            part_filter=f"frame.time_epoch == {moment}" if moment else "",
        )


def draw(source: int | None, destination: int | None, lanes: int) -> str:
    """Return an arrow between two of so many lanes, in ASCII: ``|      |------>|``."""
    marks = ["|"] + ([" "] * (_RUNG - 1) + ["|"]) * max(0, lanes - 1)
    if source is None or destination is None or source == destination:
        if source is not None and source == destination:
            marks[source * _RUNG] = "o"
        return "".join(marks)
    first, last = sorted((source, destination))
    for place in range(first * _RUNG + 1, last * _RUNG):
        marks[place] = "-"
    if source < destination:
        marks[last * _RUNG - 1] = ">"
    else:
        marks[first * _RUNG + 1] = "<"
    return "".join(marks)
