"""Packets that a user has marked in a capture, with a few words each."""

from __future__ import annotations

from dataclasses import dataclass

MOST_MARKS = 10_000
"""Of one user in one capture."""
LONGEST_COMMENT = 200
"""Characters."""


@dataclass(frozen=True, slots=True)
class PacketMark:
    """A marked packet."""

    number: int
    """In its file, from 1."""
    comment: str = ""
    """What the user says of it, on one line; mostly nothing."""
    file: int = 1
    """Number of its file among those of the capture."""
