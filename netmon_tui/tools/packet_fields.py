"""What the decoders of the field tree fill in, and how one says what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from netmon_tui.domain.packet import Field, Layer


class Tree:
    """Layers in the making; reading past the end raises and leaves the fields found so far."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._open: list[tuple[str, str, list[Field]]] = []

    def layer(self, name: str, label: str) -> None:
        """Begin a protocol."""
        self._open.append((name, label, []))

    def field(self, name: str, label: str, value: str, at: int, size: int) -> None:
        """Add a field to the protocol begun last."""
        self._open[-1][2].append(Field(name, f"{label}: {value}", value, at, size))

    def number(self, name: str, label: str, at: int, size: int, *, base: int = 10) -> int:
        """Add a number in network byte order as a field and return it."""
        if at + size > len(self.data):
            raise IndexError
        value = int.from_bytes(self.data[at : at + size], "big")
        self.field(name, label, f"0x{value:0{size * 2}x}" if base == 16 else str(value), at, size)
        return value

    def layers(self) -> tuple[Layer, ...]:
        """Return what has been found."""
        return tuple(Layer(name, tuple(fields), label) for name, label, fields in self._open)


class By(Enum):
    """What a number that leads to a decoder is."""

    ETHERTYPE = 0
    IP_PROTOCOL = 1
    UDP_PORT = 2
    NOTHING = 3
    """What is left are bytes."""


class Following(NamedTuple):
    """What comes after a header."""

    by: By
    number: int
    at: int
    """Offset in the packet."""


Decoder = Callable[[Tree, int], Following | None]
"""Adds the layer that begins at an offset; returns None where it is the last."""
Decoders = Mapping[tuple[By, int], Decoder]
