"""Packets: one line of the list, and the field tree of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class PacketSummary(NamedTuple):
    """One line of the packet list."""

    number: int
    """From 1, as Wireshark counts."""
    time: float
    """POSIX time of the capture."""
    source: str
    destination: str
    protocol: str
    length: int
    """Bytes on the wire (not the snapped ones)."""
    info: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a dissected packet."""

    name: str
    """Wireshark's filter name, such as ``ip.ttl``."""
    label: str
    """What Wireshark shows."""
    value: str
    offset: int
    """First byte in the packet, or in its ``source``; -1 when unknown."""
    size: int
    """Bytes covered."""
    fields: tuple[Field, ...] = ()
    filter: str = ""
    """The display filter for this field and its value, as the dissector gave it; empty when it gave none."""
    source: int = 0
    """Which bytes it is in: 0 for the packet's own, else the place in :attr:`PacketDetail.sources`, from 1."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One protocol of a dissected packet."""

    name: str
    fields: tuple[Field, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class ByteSource:
    """Bytes that are not in the packet as they are: what was decrypted, unpacked or put together of several."""

    name: str
    """In the dissector's words, such as ``Decrypted TLS (273 bytes)``."""
    data: bytes
    left_out: int = 0
    """Bytes after these that are not kept."""

    @property
    def title(self) -> str:
        """The name, and how many of the bytes these are when some are left out."""
        kept = f"{len(self.data):,}".replace(",", " ")
        return f"first {kept} of {self.name}" if self.left_out else self.name


@dataclass(frozen=True, slots=True)
class PacketDetail:
    """A whole packet."""

    summary: PacketSummary
    layers: tuple[Layer, ...]
    data: bytes
    """The captured bytes."""
    dissector: str
    """``sharkd``, ``tshark`` (through pyshark) or ``built-in``."""
    window: tuple[int, int] | None = None
    """First and last packet that the dissector knew, so that it counted streams and put together what is in
    several packets only within them; None when it knew the whole file."""
    sources: tuple[ByteSource, ...] = ()
    """Further bytes in which fields are, which only sharkd tells."""
