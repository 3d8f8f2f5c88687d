"""Captures: what is asked and what is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from netmon_tui.domain.buffer import DEFAULT_BUFFER_KIB
from netmon_tui.domain.capture_files import CaptureFile, file_number
from netmon_tui.domain.capture_filter_library import FilterVerdict
from netmon_tui.domain.job import CaptureCounters, EndReason, JobState, Rotation
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.errors import InvalidInput, LimitRefused, NetmonError

DEFAULT_SNAPLEN = 262_144
"""tcpdump's own default, in bytes."""


_END_WORDS = {
    EndReason.FLOOR.value: "stopped before the disk was full: captures.free_space_floor_bytes",
    EndReason.QUOTA.value: "stopped at the quota of its owner: captures.quota_bytes",
}
"""Where a capture was stopped by what was not asked for with it."""


class Direction(StrEnum):
    """Which packets of an interface, seen from this machine."""

    BOTH = "both"
    IN = "in"
    OUT = "out"


class CaptureFormat(StrEnum):
    """How packets are written while they are captured."""

    PCAP = "pcap"
    PCAPNG = "pcapng"
    """By dumpcap: in nanoseconds, each packet with its interface, with what the kernel dropped at the end."""


@dataclass(frozen=True, slots=True)
class StartCapture:
    """A request to capture."""

    interface: str
    """Its name; of a pcapng capture the names of several too, with commas between."""
    filter: str = ""
    """BPF in tcpdump's language."""
    snaplen: int = DEFAULT_SNAPLEN
    packets: int = 0
    """Stop after so many packets; 0 for no limit."""
    seconds: float = 0.0
    """Stop after so long; 0 for the configured longest run."""
    size: int = 0
    """Stop when the file, or all files together, have so many bytes; 0 for the configured largest size."""
    rotation: Rotation = field(default_factory=Rotation)
    """When the next file begins, and how many are kept."""
    buffer_kib: int = DEFAULT_BUFFER_KIB
    promiscuous: bool = True
    direction: Direction = Direction.BOTH
    nanoseconds: bool = False
    """Keep times in nanoseconds; else in microseconds."""
    immediate: bool = False
    """Hand over each packet as it comes, not in blocks: costs about three times the processor time."""
    include_own_ssh: bool = False
    """Keep the packets of the SSH session the program is used through."""
    name: str = ""
    detached: bool = True
    format: CaptureFormat = CaptureFormat.PCAP

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces that are captured on together."""
        return tuple(self.interface.split(","))

    @property
    def is_pcapng(self) -> bool:
        """Whether it is written as pcapng."""
        return self.format is CaptureFormat.PCAPNG


class CaptureOrigin(StrEnum):
    """Where the packets of a capture come from."""

    LIVE = "live"
    """Captured here."""
    IMPORT = "import"
    SLICE = "slice"
    """Part of another capture."""
    MERGE = "merge"
    """Several captures in time order."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture's row."""

    id: int
    name: str
    interface: str
    filter: str
    snaplen: int
    linktype: str
    """``EN10MB`` and so on; empty until the file has its header."""
    state: JobState
    owner_id: int
    owner: str
    command: tuple[str, ...]
    created: datetime
    started: datetime | None = None
    finished: datetime | None = None
    counters: CaptureCounters = field(default_factory=CaptureCounters)
    files: tuple[CaptureFile, ...] = ()
    """Its packets in order, and after them what it was imported from; none while it runs."""
    rotation: Rotation = field(default_factory=Rotation)
    first_packet: datetime | None = None
    last_packet: datetime | None = None
    end_reason: str = ""
    """An EndReason, or why the capture ended in one word."""
    error: str = ""
    origin: CaptureOrigin = CaptureOrigin.LIVE
    parents: tuple[int, ...] = ()
    """The captures that it was made of, which may be deleted by now."""
    source: str = ""
    """What was imported, or which packets of its parent it has, in words."""
    note: str = ""
    tags: tuple[str, ...] = ()
    """In alphabetical order."""
    kept: bool = False
    """It is not deleted for its age."""
    format: CaptureFormat = CaptureFormat.PCAP
    """Of the files with its packets."""

    @property
    def end_words(self) -> str:
        """How it ended, in words that name the setting where one of the house stopped it; empty while it runs."""
        return _END_WORDS.get(self.end_reason) or self.end_reason.replace("_", " ")

    @property
    def packet_files(self) -> tuple[CaptureFile, ...]:
        """The files with its packets, in their order."""
        return tuple(file for file in self.files if file_number(file.name) is not None)

    @property
    def packets(self) -> int:
        """How many there are: in the files of one that has ended, captured so far by one that runs."""
        counters = self.counters
        # while it runs the kernel's count is the latest, and has what it drops, too
        return counters.captured if counters.dropped and not self.state.is_final else counters.packets

    @property
    def packets_on_disk(self) -> int:
        """How many packets its files have, without those that a ring has deleted."""
        # a capture that has ended counts what its files have
        return self.packets if self.state.is_final else max(0, self.packets - self.counters.overwritten)

    @property
    def packets_captured(self) -> int:
        """How many packets it has captured, with those that a ring has deleted."""
        return self.packets + (self.counters.overwritten if self.state.is_final else 0)

    @property
    def received(self) -> int:
        """How many the filter has let pass: what captures is asked once a second, the kernel more often."""
        counters = self.counters
        return counters.received if self.state.is_final else max(counters.received, counters.packets)

    @property
    def knows_drops(self) -> bool:
        """Whether the kernel was asked: of a file that came from elsewhere nobody knows what it lost."""
        return self.origin is CaptureOrigin.LIVE or self.counters.dropped > 0

    @property
    def packets_words(self) -> str:
        """How many packets there are, and of how many where that differs: ``9,120 on disk of 200,000 captured``."""
        if not self.counters.overwritten:
            return str(self.packets)
        return f"{self.packets_on_disk:,} on disk of {self.packets_captured:,} captured"

    @property
    def file_count(self) -> str:
        """How many files there are, and how many a ring may have: ``3/5``."""
        most = self.rotation.files
        return f"{self.counters.files}/{most}" if most else str(self.counters.files)

    @property
    def files_words(self) -> str:
        """The same in words, and when the next file begins."""
        return f"{self.file_count} {self.rotation.words()}" if self.rotation.is_on else ""

    @property
    def lineage(self) -> str:
        """Where it comes from in words; empty when it was captured here."""
        if self.origin is CaptureOrigin.IMPORT:
            return f"import of {self.source}"
        if self.origin is CaptureOrigin.SLICE:
            return f"{self.made_of}: {self.source}"
        return self.made_of

    @property
    def one_interface(self) -> str:
        """Where all of its packets were captured; empty where that is not known, or they are of several."""
        return "" if "," in self.interface else self.interface

    @property
    def made_of(self) -> str:
        """The same without what the name may tell: the file that was imported, the packets of a slice."""
        parents = " and ".join(map(str, self.parents))
        made = {
            CaptureOrigin.IMPORT: "import",
            CaptureOrigin.SLICE: f"slice of capture {parents}",
            CaptureOrigin.MERGE: f"merge of captures {parents}",
        }
        return made.get(self.origin, "")


@dataclass(frozen=True, slots=True)
class MadeCapture:
    """A capture that was not captured here, whole before it is stored."""

    directory: str
    """Absolute, with its files in it."""
    files: tuple[CaptureFile, ...]
    """Its pcap first."""
    origin: CaptureOrigin
    name: str
    source: str
    linktype: str
    snaplen: int
    interface: str = ""
    filter: str = ""
    parents: tuple[int, ...] = ()
    times: tuple[float, float] | None = None
    """POSIX times of the first and the last packet."""
    damage: str = ""
    """What was wrong with the file it was read from."""
    digest: str = ""
    """SHA-256 of what was imported, unpacked."""
    note: str = ""
    """What its owner is to know of how it was made."""
    marks: tuple[PacketMark, ...] = ()
    """Its owner's."""


@dataclass(frozen=True, slots=True)
class CaptureLabels:
    """What people say about a capture; None leaves what there is."""

    name: str | None = None
    note: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class CapturePreview:
    """What a request would run, or why it would not."""

    command: tuple[str, ...] = ()
    filter: str = ""
    """The whole filter: what was typed, and the exclusion of the own SSH session."""
    error: str = ""
    """Why it is refused, but for its limits; empty when nothing else is wrong."""
    limits_error: str = ""
    """Why a limit, or what is said of the files, is refused; the filter is judged nevertheless."""
    position: int | None = None
    """Where in the typed filter the trouble begins, when known."""
    verdict: FilterVerdict | None = None
    """Of the typed filter; None when it is refused."""

    @classmethod
    def refused(cls, error: NetmonError) -> CapturePreview:
        """Return what is said of a request that is refused."""
        if isinstance(error, LimitRefused):
            return cls(limits_error=str(error))
        return cls(error=str(error), position=error.position if isinstance(error, InvalidInput) else None)
