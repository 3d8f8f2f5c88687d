"""What happens in the neighbour table that somebody may want to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from netmon_tui.domain.comparison import Severity


class NeighbourEventKind(StrEnum):
    """What happened; the names are arpwatch's where it has one."""

    NEW = "new"
    """A lladdr that was never seen before."""
    NEW_ADDRESS = "new_address"
    """A known lladdr has an address that nobody had before."""
    MOVED = "moved"
    """An address passed to another lladdr in an ordinary way, which the event's detail names."""
    CHANGED = "changed"
    """An address answers with another lladdr, for no known reason."""
    FLIP_FLOP = "flip_flop"
    """An address went back to a lladdr that it had not long ago."""
    DUPLICATE = "duplicate"
    """An address changes to and fro between lladdrs: two machines claim it."""
    GATEWAY_CHANGED = "gateway_changed"
    """The default gateway answers with another lladdr."""
    GONE = "gone"
    """An address does not answer any more."""
    BACK = "back"
    """An address, or a device that was down, answers again."""
    DOWN = "down"
    """A device that must be up answers at none of its addresses."""

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return _SEVERITIES[self]

    @property
    def words(self) -> str:
        """As it is read, such as ``gateway changed``."""
        return self.value.replace("_", " ")

    @property
    def turns(self) -> bool:
        """Whether it is told anew after its opposite, however soon; it happens too seldom to be a storm."""
        return self in _TURNING


_SEVERITIES = {
    NeighbourEventKind.NEW: Severity.LOW,
    NeighbourEventKind.NEW_ADDRESS: Severity.INFO,
    NeighbourEventKind.MOVED: Severity.INFO,
    NeighbourEventKind.CHANGED: Severity.MEDIUM,
    NeighbourEventKind.FLIP_FLOP: Severity.MEDIUM,
    NeighbourEventKind.DUPLICATE: Severity.HIGH,
    NeighbourEventKind.GATEWAY_CHANGED: Severity.HIGH,
    NeighbourEventKind.GONE: Severity.INFO,
    NeighbourEventKind.BACK: Severity.INFO,
    NeighbourEventKind.DOWN: Severity.HIGH,
}
_TURNING = frozenset(
    {
        NeighbourEventKind.DOWN,
        NeighbourEventKind.GONE,
        NeighbourEventKind.BACK,
        NeighbourEventKind.GATEWAY_CHANGED,
    }
)


@dataclass(frozen=True, slots=True)
class NeighbourEvent:
    """Something that happened, once or again and again."""

    time: datetime
    """UTC; of the first time."""
    kind: NeighbourEventKind
    address: str
    interface: str
    lladdr: str
    previous_lladdr: str = ""
    detail: str = ""
    """Why it is told, or why it is harmless, in words of ours."""
    id: int = 0
    """0 while it is not stored."""
    last: datetime | None = None
    """UTC; of the last time, when it happened again."""
    count: int = 1
    acknowledged_by: str = ""
    """Name of the user who has seen to it; empty for nobody yet."""
    acknowledged: datetime | None = None
    muted: bool = False
    """A rule said that nobody wants to be told."""
    editor: str = ""
    """Name of the user who made it happen by an edit of the table."""
    name: str = ""
    """What people call the device with the lladdr."""
    previous_name: str = ""
    """What people call the device with the lladdr before."""

    @property
    def severity(self) -> Severity:
        """How much it matters; what a user did on purpose alarms nobody."""
        return Severity.INFO if self.editor else self.kind.severity

    @property
    def subject(self) -> tuple[str, str, str, str, str, str]:
        """What makes the next event the same one again."""
        pair = self.lladdr, self.previous_lladdr
        return self.kind.value, self.interface, self.address, *pair, self.editor

    @property
    def tells(self) -> dict[tuple[str, ...], str]:
        """How things are after it: of whom -> what. One that told otherwise makes the next one news again."""
        device, place = ("device", self.lladdr), (self.interface, self.address)
        match self.kind:
            case NeighbourEventKind.DOWN:
                return {device: "down"}
            case NeighbourEventKind.GONE:
                return {("address", *place): "gone"}
            case NeighbourEventKind.BACK:
                return {device: "up", ("address", *place): "there"}
        return {("holder", *place): self.lladdr} if self.previous_lladdr else {}


class Tally(NamedTuple):
    """How things stand among all events."""

    open: dict[Severity, int]
    """How many are neither acknowledged nor muted, by severity."""
    newest: int
    """The greatest id; 0 without any."""


class EventFilter(NamedTuple):
    """Which events are asked for; what is empty does not matter."""

    unacknowledged: bool = False
    muted: bool = False
    """The muted ones too."""
    least: Severity = Severity.INFO
    """The least severity."""
    kind: str = ""
    address: str = ""
    lladdr: str = ""
    """Also as the former holder."""
    after: datetime | None = None
    """UTC; happened then or later, for the last time."""
    newer_than: int = 0
    """Only those with a greater id."""
    up_to: int | None = None
    """Only those with this id or a smaller one."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Which events are kept but not told; what is empty does not matter."""

    kind: str = ""
    interface: str = ""
    address: str = ""
    lladdr: str = ""
    """Also as the former holder of an address."""
    until: datetime | None = None
    """UTC; None for always."""
    id: int = 0
    created_by: str = ""
    created: datetime | None = None

    @classmethod
    def offered_for(cls, event: NeighbourEvent) -> list[Mute]:
        """Return what rules could mute an event, the narrowest first."""
        lladdrs = dict.fromkeys((event.lladdr, event.previous_lladdr))
        return [
            cls(event.kind.value, event.interface, event.address),
            cls(interface=event.interface, address=event.address),
            *(cls(lladdr=lladdr) for lladdr in lladdrs if lladdr),
            cls(event.kind.value, event.interface),
            cls(event.kind.value),
        ]

    def covers(self, event: NeighbourEvent) -> bool:
        """Whether an event is to be muted."""
        return (
            (not self.until or event.time < self.until)
            and (not self.kind or self.kind == event.kind.value)
            and (not self.interface or self.interface == event.interface)
            and (not self.address or self.address == event.address)
            and (not self.lladdr or self.lladdr in (event.lladdr, event.previous_lladdr))
        )

    def __str__(self) -> str:
        """What it says, such as ``changed of 192.0.2.7 on eth0``."""
        words = [self.kind.replace("_", " ") or "every event"]
        words += [f"of {self.address}"] * bool(self.address)
        words += [f"of {self.lladdr}"] * bool(self.lladdr)
        words += [f"on {self.interface}"] * bool(self.interface)
        return " ".join(words)
