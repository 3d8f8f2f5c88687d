"""Questions about a whole capture, and what their answers look like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from netmon_tui.errors import InvalidInput

MOST_SERIES = 6
"""Filters of one I/O graph."""
MOST_ROWS = 100_000
"""Rows of an answer; a scan of ports makes as many conversations as it has probes."""

Value = str | int | float | None
"""What stands in a cell; None where it does not apply."""
ColumnKind = Literal["text", "count", "bytes", "seconds", "time", "percent", "number"]
"""What a cell counts; ``time`` is seconds since the first packet, ``seconds`` how long something took."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that can be asked of every capture."""

    name: str
    """As on the command line: ``conversations:tcp``."""
    label: str
    group: str
    """What it is listed under."""


_KINDS = {
    "tcp": "TCP",
    "udp": "UDP",
    "ip": "IPv4",
    "ipv6": "IPv6",
    "eth": "Ethernet",
    "wlan": "802.11",
    "sctp": "SCTP",
    "usb": "USB",
    "dccp": "DCCP",
    "ipx": "IPX",
    "fc": "Fibre Channel",
    "fddi": "FDDI",
    "tr": "Token Ring",
    "zbee_nwk": "ZigBee",
    "wpan": "802.15.4",
}
TREES = {
    "lengths": "Packet lengths",
    "dns": "DNS",
    "http": "HTTP packets",
    "http:requests": "HTTP requests",
    "http:servers": "HTTP load",
    "http:sequences": "HTTP sequences",
    "http2": "HTTP/2",
    "ip:hosts": "IPv4 addresses",
    "ip:protocols": "IPv4 protocols",
    "ip:destinations": "IPv4 destinations",
    "ipv6:hosts": "IPv6 addresses",
    "ipv6:protocols": "IPv6 protocols",
    "ipv6:destinations": "IPv6 destinations",
}
SERVICES = {
    "icmp": "ICMP",
    "icmpv6": "ICMPv6",
    "smb": "SMB",
    "smb2": "SMB2",
    "ldap": "LDAP",
    "snmp": "SNMP",
    "diameter": "Diameter",
    "gtp": "GTP",
    "afp": "AFP",
    "ncp": "NCP",
    "fc": "Fibre Channel",
    "rpc": "ONC RPC",
    "dcerpc": "DCE/RPC",
}
"""Protocols whose service response times tshark measures."""
QUESTIONS: tuple[Question, ...] = (
    Question("hierarchy", "Protocol hierarchy", "Overview"),
    Question("expert", "Expert information", "Overview"),
    Question("io", "I/O graph", "Overview"),
    Question("flow", "Flow ladder", "Overview"),
    *(Question(f"conversations:{kind}", label, "Conversations") for kind, label in _KINDS.items()),
    *(Question(f"endpoints:{kind}", label, "Endpoints") for kind, label in _KINDS.items()),
    *(Question(name, label, "Counts") for name, label in TREES.items()),
    *(Question(f"srt:{name}", label, "Response times") for name, label in SERVICES.items()),
)
_BY_NAME = {question.name: question for question in QUESTIONS}


def find_question(name: str) -> Question:
    """Return the question of that name; raises InvalidInput with what there is."""
    found = _BY_NAME.get(name.strip().lower())
    if found is None:
        raise InvalidInput(f"there is no question {name!r}", fix=f"one of {', '.join(_BY_NAME)}")
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what narrows it."""

    question: Question
    filter: str = ""
    """Display filter: only packets that meet it count."""
    interval: float = 0.0
    """Seconds of one step of the I/O graph; 0 for some sixty steps."""
    series: tuple[str, ...] = ()
    """Display filters, each of which the I/O graph counts for itself beside all packets."""
    keys: Path | None = None
    """File with TLS keys, in the format of SSLKEYLOGFILE, in place of those that are kept with the capture."""


@dataclass(frozen=True, slots=True)
class AnalysisColumn:
    """A column of an answer."""

    key: str
    """Also its name in JSON."""
    label: str
    kind: ColumnKind = "text"


@dataclass(frozen=True, slots=True)
class AnalysisRow:
    """A line of an answer."""

    cells: tuple[Value, ...]
    """One for each column; text may be foreign."""
    filter: str = ""
    """Display filter that leaves the packets this line is about; empty when none does."""
    depth: int = 0
    """How far it is indented, where the answer is a tree."""
    stream: int | None = None
    """Number of the TCP or UDP stream it is about, as in ``tcp.stream``."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer to a question: a table, or a tree when rows have depths."""

    columns: tuple[AnalysisColumn, ...]
    rows: tuple[AnalysisRow, ...]
    notes: tuple[str, ...] = ()
    """What the reader should know: a file that ends within a packet, rows that were left out."""


def analysis_document(analysis: Analysis) -> dict[str, Any]:
    """Return an answer for JSON: the notes, and each row as an object with the columns' keys."""
    keys = [column.key for column in analysis.columns]
    return {"notes": list(analysis.notes), "rows": [_row_document(keys, row) for row in analysis.rows]}


def _row_document(keys: list[str], row: AnalysisRow) -> dict[str, Any]:
    document: dict[str, Any] = dict(zip(keys, row.cells, strict=True))
    if row.stream is not None:
        document["stream"] = row.stream
    return {**document, "depth": row.depth, "filter": row.filter}
