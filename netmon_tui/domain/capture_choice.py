"""Which packets of a capture are meant, how they are written, and how both are said in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from netmon_tui.domain.packet_mark import PacketMark

CAPTURE_FORMATS = ("pcap", "pcapng", "pcap.gz", "pcapng.gz")
"""What packets can be written as; they are file extensions too."""
NOT_HIDDEN = (
    "Not hidden: times, sizes, protocols, ports, VLAN tags, hop limits, TCP options and sequence numbers, "
    "multicast groups, and which addresses share a prefix, and which are private: these stay so."
)
"""What an anonymised file still tells."""
PAYLOAD_NOT_HIDDEN = "The payload is kept: names, addresses and all else that packets say is in it."


@dataclass(frozen=True, slots=True)
class PacketChoice:
    """Packets of a capture: those that meet everything that is said; all of them when nothing is."""

    file: str = ""
    """Only packets of this file of the capture, and numbers are those in it; empty for all files as one.

    Its name, or its place in digits, from 1 for the oldest.
    """
    first: int = 0
    """Number of the first packet, from 1; 0 for the file's first."""
    last: int = 0
    """Number of the last packet; 0 for the file's last."""
    since: datetime | None = None
    until: datetime | None = None
    """Still included."""
    hosts: tuple[str, ...] = ()
    """IP or MAC addresses that a packet must have, as source or destination (or in ARP), all of them."""
    conversation: int = 0
    """A packet's number: only packets of its conversation, both directions."""
    filter: str = ""
    """A display filter in Wireshark's language."""
    marked: bool = False
    """Only packets that the user has marked."""
    numbers: Sequence[int] | None = None
    """Only these packets, ascending."""
    numbers_are: str = ""
    """What those are, such as ``shown by "dns"``."""
    marks: Sequence[PacketMark] | None = None
    """Only these, each of its file: what ``marked`` comes to."""

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self == PacketChoice()

    def words(self) -> str:
        """Return what is meant as people say it, such as ``packets 10 to 500, host 192.0.2.1``."""
        parts = [f"file {self.file}"] if self.file else []
        if self.first or self.last:
            first, last = self.first or 1, self.last
            up_to = f"packet {first:,}" if first == last else f"packets {first:,} to {last:,}"
            parts.append(up_to if last else f"packets from {first:,}")
        if self.since:
            parts.append(f"from {_moment(self.since)}")
        if self.until:
            parts.append(f"to {_moment(self.until)}")
        if self.hosts:
            parts.append(f"host {' and '.join(self.hosts)}")
        if self.conversation:
            parts.append(f"the conversation of packet {self.conversation:,}")
        if self.filter:
            parts.append(f"display filter {self.filter}")
        if self.marked or self.marks is not None:
            parts.append("marked packets")
        if self.numbers is not None:
            parts.append(self.numbers_are or f"{len(self.numbers):,} chosen packets")
        return ", ".join(parts) or "all packets"


@dataclass(frozen=True, slots=True)
class ExportForm:
    """How packets are written."""

    format: str = "pcap"
    """One of `CAPTURE_FORMATS`."""
    anonymise: bool = False
    """Replace addresses, the same by the same within one file, and cut the payload away."""
    keep_payload: bool = False
    """Keep the payload of an anonymised file."""

    @property
    def is_gzip(self) -> bool:
        """Whether the file is packed."""
        return self.format.endswith(".gz")

    @property
    def is_pcapng(self) -> bool:
        """Whether it is pcapng and not classic pcap."""
        return self.format.startswith("pcapng")

    def remarks(self) -> list[str]:
        """Return what whoever hands an anonymised file on must know; nothing of another file."""
        if not self.anonymise:
            return []
        return [PAYLOAD_NOT_HIDDEN, NOT_HIDDEN] if self.keep_payload else [NOT_HIDDEN]


def _moment(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ")
