"""The columns of a packet list: those we decode, fields of Wireshark's as more of them, and their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import NamedTuple

from netmon_tui.domain.packet import PacketSummary
from netmon_tui.errors import InvalidInput


class PacketColumn(NamedTuple):
    """A column that we fill ourselves."""

    title: str
    meaning: str


OWN = {
    "number": PacketColumn("No.", "Number in the file, from 1"),
    "time": PacketColumn("Time", "Time of day, local"),
    "utc": PacketColumn("UTC", "Time of day, UTC"),
    "datetime": PacketColumn("Date and time", "Date and time, local"),
    "epoch": PacketColumn("Epoch", "Seconds since 1970"),
    "since": PacketColumn("Since first", "Seconds since the first packet"),
    "delta": PacketColumn("Delta", "Seconds since the packet before, shown or not"),
    "source": PacketColumn("Source", "Address it comes from"),
    "destination": PacketColumn("Destination", "Address it goes to"),
    "source_port": PacketColumn("Src port", "Source port of TCP, UDP, SCTP, UDP-Lite"),
    "destination_port": PacketColumn("Dst port", "Destination port of TCP, UDP, SCTP, UDP-Lite"),
    "source_mac": PacketColumn("Source MAC", "Hardware address it comes from"),
    "destination_mac": PacketColumn("Destination MAC", "Hardware address it goes to"),
    "vlan": PacketColumn("VLAN", "VLAN ids, the outer one first"),
    "ttl": PacketColumn("TTL", "TTL or hop limit"),
    "interface": PacketColumn("Interface", "Interface it came through, where the file tells: pcapng"),
    "protocol": PacketColumn("Protocol", "Highest protocol that is understood"),
    "length": PacketColumn("Length", "Bytes on the wire"),
    "captured": PacketColumn("Captured", "Bytes in the file"),
    "info": PacketColumn("Info", "Summary"),
}
"""What we decode ourselves, in the order in which it is offered."""
TIMES = ("time", "utc", "datetime", "since", "delta", "epoch")
"""Forms in which the time can be shown, in the order in which one key goes through them."""
MOST_FIELDS = 8
"""Fields beside our own columns: each is another question to the dissector."""
_FIELD = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)*")
_LONGEST_FIELD = 100


@dataclass(frozen=True, slots=True)
class PacketColumns:
    """Columns that somebody has chosen."""

    keys: tuple[str, ...] = ("number", "time", "source", "destination", "protocol", "length", "info")
    """Keys of :data:`OWN` and names of Wireshark's fields such as ``dns.qry.name``, in order."""
    by_tshark: bool = False
    """Protocol and info in Wireshark's words instead of ours, as soon as the dissector has given them."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Those that only a dissector can fill."""
        return tuple(key for key in self.keys if key not in OWN)

    def next_time(self) -> PacketColumns:
        """Return the same with the time in its next form; one that has another column already is left out."""
        shown = [key for key in self.keys if key in TIMES]
        if not shown:
            return PacketColumns((*self.keys[:1], TIMES[0], *self.keys[1:]), self.by_tshark)
        at = TIMES.index(shown[0])
        following = islice(cycle(TIMES), at + 1, at + len(TIMES))
        new = next((form for form in following if form not in shown), shown[0])
        return PacketColumns(tuple(new if key == shown[0] else key for key in self.keys), self.by_tshark)

    def with_field(self, name: str) -> PacketColumns:
        """Return the same with a field before the info, or at the end; InvalidInput as by :func:`check_columns`."""
        at = self.keys.index("info") if "info" in self.keys else len(self.keys)
        return check_columns([*self.keys[:at], name, *self.keys[at:]], by_tshark=self.by_tshark)


def title_of(key: str) -> str:
    """Return what stands over a column."""
    return OWN[key].title if key in OWN else key


def check_columns(keys: Sequence[str], *, by_tshark: bool = False) -> PacketColumns:
    """Return a choice of columns; which fields there are only a dissector knows.

    Raises:
        InvalidInput: There is none, one comes twice, one can be no field, or there are too many fields.
    """
    names = [key.strip() for key in keys]
    if not names:
        raise InvalidInput("no column is chosen", fix="name at least one, such as number")
    for at, name in enumerate(names):
        if name in names[:at]:
            raise InvalidInput(f"{name} is a column already")
        if len(name) > _LONGEST_FIELD or not _FIELD.fullmatch(name):
            fix = f"there are {', '.join(OWN)}; others are names of fields such as dns.qry.name"
            raise InvalidInput(f"{name[:40]!r} is no column", fix=fix)
    chosen = PacketColumns(tuple(names), by_tshark)
    if len(chosen.fields) > MOST_FIELDS:
        raise InvalidInput(f"{len(chosen.fields)} columns are fields", why=f"{MOST_FIELDS} are possible")
    return chosen


class PacketLine(NamedTuple):
    """A packet in a list with chosen columns."""

    summary: PacketSummary
    cells: tuple[str, ...]
    """One for each column; empty for the fields of a dissector."""
    is_sealed: bool = False
    """Our own words say little of it, so that those of the dissector stand in their place as soon as it has given
    them: its link type is none that we decode, or the keys are kept of what is encrypted in it."""


class Dissected(NamedTuple):
    """What the dissector says of a packet in a list."""

    protocol: str
    info: str
    fields: tuple[str, ...]
    """One value for each field that was asked for; several of one field have commas between."""
    source: str = ""
    destination: str = ""


def said_line(columns: PacketColumns, line: PacketLine, said: Dissected) -> PacketLine:
    """Return a line with what the dissector said of the packet; addresses only where we know none."""
    summary, values = line.summary, dict(zip(columns.fields, said.fields, strict=False))
    if columns.by_tshark or line.is_sealed:
        values |= {"protocol": said.protocol, "info": said.info}
        values |= {
            "source": summary.source or said.source,
            "destination": summary.destination or said.destination,
        }
    if line.is_sealed:
        summary = summary._replace(
            source=values["source"],
            destination=values["destination"],
            protocol=said.protocol,
            info=said.info,
        )
    cells = tuple(values.get(key, cell) for key, cell in zip(columns.keys, line.cells, strict=True))
    return PacketLine(summary, cells)
