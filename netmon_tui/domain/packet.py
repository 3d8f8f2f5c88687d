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
    """First byte in the packet; -1 when unknown."""
    size: int
    """Bytes covered."""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """One protocol of a dissected packet."""

    name: str
    fields: tuple[Field, ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class PacketDetail:
    """A whole packet."""

    summary: PacketSummary
    layers: tuple[Layer, ...]
    data: bytes
    """The captured bytes."""
    dissector: str
    """``tshark`` (through pyshark) or ``built-in``."""
