"""What is remembered of one address of the neighbour table, for the rules of what matters there."""

from __future__ import annotations

from dataclasses import dataclass, field

Key = tuple[str, str]
"""(interface, address)."""


@dataclass(slots=True)
class KnownAddress:
    """What is known of one (interface, address). All moments are POSIX seconds."""

    lladdr: str
    first_seen: float
    since: float
    """When its lladdr was first seen there, or came back."""
    held: dict[str, float] = field(default_factory=dict)
    """Every lladdr it had -> when that one last gave a sign there."""
    changes: tuple[float, ...] = ()
    """When its lladdr changed, within the time for flapping."""
    gone: bool = False

    @property
    def last_seen(self) -> float:
        """When its lladdr last gave a sign."""
        return self.held[self.lladdr]


def are_alike(one: Key, other: Key) -> bool:
    """Whether two addresses are of one interface and family."""
    return one[0] == other[0] and (":" in one[1]) == (":" in other[1])
