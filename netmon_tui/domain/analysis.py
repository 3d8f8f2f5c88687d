"""Questions about a whole capture, and what their answers look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from netmon_tui.domain.display_filter import check_text
from netmon_tui.errors import InvalidInput

MOST_SERIES = 6
"""Filters of one I/O graph."""
LEAST_INTERVAL = 1e-6
"""Seconds; tshark counts in microseconds."""
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
    "bluetooth": "Bluetooth",
    "mptcp": "MPTCP",
    "sll": "Linux cooked (SLL)",
    "rsvp": "RSVP",
    "ncp": "NCP",
    "jxta": "JXTA",
    "opensafety": "openSAFETY",
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
    "ip:directions": "IPv4 sources and destinations",
    "ipv6:directions": "IPv6 sources and destinations",
}
"""Counts whose lines have filters."""
MORE_TREES = {
    "ancp": "ANCP",
    "bacapp_instanceid": "BACnet by instance ID",
    "bacapp_ip": "BACnet by IP",
    "bacapp_objectid": "BACnet by object type",
    "bacapp_service": "BACnet by service",
    "collectd": "collectd",
    "f1ap": "F1AP",
    "f5_tmm_dist": "F5 tmm distribution",
    "f5_virt_dist": "F5 virtual servers",
    "hart_ip": "HART-IP",
    "hpfeeds": "HPFEEDS",
    "isup_msg": "ISUP messages",
    "lbmr_queue_ads_queue": "29West advertisements by queue",
    "lbmr_queue_ads_source": "29West queue advertisements by source",
    "lbmr_queue_queries_queue": "29West queries by queue",
    "lbmr_queue_queries_receiver": "29West queue queries by receiver",
    "lbmr_topic_ads_source": "29West topic advertisements by source",
    "lbmr_topic_ads_topic": "29West advertisements by topic",
    "lbmr_topic_ads_transport": "29West advertisements by transport",
    "lbmr_topic_queries_pattern": "29West queries by pattern",
    "lbmr_topic_queries_pattern_receiver": "29West queries by pattern, receiver",
    "lbmr_topic_queries_receiver": "29West topic queries by receiver",
    "lbmr_topic_queries_topic": "29West queries by topic",
    "ngap": "NGAP",
    "osmux": "Osmux",
    "rtsp": "RTSP",
    "sametime": "Sametime",
    "smpp_commands": "SMPP operations",
    "someip_messages": "SOME/IP messages",
    "someipsd_entries": "SOME/IP-SD entries",
    "ucp_messages": "UCP messages",
}
"""Counts by tshark's own names, whose lines have none."""
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
    "scsi": "SCSI",
    "camel": "CAMEL",
}
"""Protocols whose service response times tshark measures."""
TIMED = ("io", "flow", "conversations")
"""First words of the questions whose answers have times since the first packet."""
QUESTIONS: tuple[Question, ...] = (
    Question("hierarchy", "Protocol hierarchy", "Overview"),
    Question("expert", "Expert information", "Overview"),
    Question("io", "I/O graph", "Overview"),
    Question("flow", "Flow ladder", "Overview"),
    *(Question(f"conversations:{kind}", label, "Conversations") for kind, label in _KINDS.items()),
    *(Question(f"endpoints:{kind}", label, "Endpoints") for kind, label in _KINDS.items()),
    *(Question(name, label, "Counts") for name, label in (TREES | MORE_TREES).items()),
    *(Question(f"srt:{name}", label, "Response times") for name, label in SERVICES.items()),
)
"""All that are known. A tshark may lack some, and have others."""


def find_question(name: str, questions: Sequence[Question] = QUESTIONS) -> Question:
    """Return the question of that name; raises InvalidInput when there is none."""
    wanted = name.strip().lower()
    found = next((one for one in questions if one.name == wanted), None)
    if found is None:
        raise InvalidInput(
            f"there is no question {name!r}", fix="netmon-tui capture questions lists those there are"
        )
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


def check_asked(asked: Asked) -> None:
    """Raise InvalidInput for what cannot be asked."""
    for text in (asked.filter, *asked.series):
        check_text(text)
    if len(asked.series) > MOST_SERIES:
        raise InvalidInput(f"the graph takes at most {MOST_SERIES} filters of its own")
    if any("," in text for text in (*asked.series, asked.filter if asked.question.name == "io" else "")):
        raise InvalidInput(
            "a filter of the graph has a comma", why="it separates them", fix="write || instead"
        )
    if (asked.series or asked.interval) and asked.question.name != "io":
        raise InvalidInput("only the I/O graph takes an interval and filters of its own")
    if asked.interval and not LEAST_INTERVAL <= asked.interval <= 86_400:
        raise InvalidInput("the interval must be between a microsecond and a day")


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
    part_filter: str = ""
    """What holds in place of the filter where one of the capture's files is read; empty when nothing does."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The answer to a question: a table, or a tree when rows have depths."""

    columns: tuple[AnalysisColumn, ...]
    rows: tuple[AnalysisRow, ...]
    notes: tuple[str, ...] = ()
    """What the reader should know: a file that ends within a packet, rows that were left out."""
    since: str = ""
    """Name of the file from whose first packet streams are numbered."""
    begin: int | None = None
    """Its time, from which others count: POSIX, in nanoseconds; None without times, or where nobody can tell."""


def has_times(analysis: Analysis) -> bool:
    """Whether an answer has times that can be told as such."""
    return analysis.begin is not None and any(column.kind == "time" for column in analysis.columns)


def analysis_document(analysis: Analysis) -> dict[str, Any]:
    """Return an answer for JSON: the notes, and each row as an object with the columns' keys."""
    keys = [column.key for column in analysis.columns]
    return {"notes": list(analysis.notes), "rows": [_row_document(keys, row) for row in analysis.rows]}


def _row_document(keys: list[str], row: AnalysisRow) -> dict[str, Any]:
    document: dict[str, Any] = dict(zip(keys, row.cells, strict=True))
    if row.stream is not None:
        document["stream"] = row.stream
    if row.part_filter:
        document["part_filter"] = row.part_filter
    return {**document, "depth": row.depth, "filter": row.filter}
