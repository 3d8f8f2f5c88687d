"""Events of the neighbour table as sentences: what happened, and what that may mean."""

from __future__ import annotations

from netmon_tui.domain.neighbour_event import NeighbourEvent, NeighbourEventKind

_HAPPENED = {
    NeighbourEventKind.NEW: "{lladdr} is new, at {address} on {interface}",
    NeighbourEventKind.NEW_ADDRESS: "{lladdr} has the new address {address} on {interface}",
    NeighbourEventKind.MOVED: "{address} on {interface} passed from {previous} to {lladdr}",
    NeighbourEventKind.CHANGED: "{address} on {interface} is at {lladdr} now, no longer at {previous}",
    NeighbourEventKind.FLIP_FLOP: "{address} on {interface} is back at {lladdr}, from {previous}",
    NeighbourEventKind.DUPLICATE: "{address} on {interface} goes to and fro between {previous} and {lladdr}",
    NeighbourEventKind.GATEWAY_CHANGED: (
        "gateway {address} on {interface} is at {lladdr} now, no longer at {previous}"
    ),
    NeighbourEventKind.GONE: "{address} on {interface} does not answer any more; it was at {lladdr}",
    NeighbourEventKind.BACK: "{address} on {interface} answers again, at {lladdr}",
    NeighbourEventKind.DOWN: "{lladdr} must be up and answers nowhere, last at {address} on {interface}",
}
_MEANINGS = {
    NeighbourEventKind.NEW: "Nobody has met this lladdr here before. A device that is marked as known is not told.",
    NeighbourEventKind.NEW_ADDRESS: "A device that was met before uses one address more.",
    NeighbourEventKind.MOVED: "An ordinary change of hands, of the kind that is named above.",
    NeighbourEventKind.CHANGED: (
        "No known reason: new hardware, a changed lladdr, or somebody who answers in another's place."
    ),
    NeighbourEventKind.FLIP_FLOP: (
        "Two devices that share an address, a host with two cards in one network, or somebody who answers in "
        "another's place for a while."
    ),
    NeighbourEventKind.DUPLICATE: "Two devices claim one address: a wrong setting, or ARP or NDP spoofing.",
    NeighbourEventKind.GATEWAY_CHANGED: (
        "What leaves the network goes to another device than before: a new router, or somebody who reads along."
    ),
    NeighbourEventKind.GONE: "It was asked and did not answer. What merely left the kernel's table is not told.",
    NeighbourEventKind.BACK: "It had been told to be gone or down.",
    NeighbourEventKind.DOWN: "Somebody has marked the device as one that must be up.",
}


def sentence(event: NeighbourEvent) -> str:
    """Return what happened in one sentence without a full stop, the detail and who did it included."""
    told = _HAPPENED[event.kind].format(
        lladdr=_named(event.name, event.lladdr),
        address=event.address,
        interface=event.interface,
        previous=_named(event.previous_name, event.previous_lladdr),
    )
    more = "; ".join(filter(None, [event.detail, set_by(event)]))
    return f"{told}: {more}" if more else told


def set_by(event: NeighbourEvent) -> str:
    """Return by whose edit it happened; empty when nobody did it."""
    return f"set by {event.editor}" if event.editor else ""


def _named(name: str, lladdr: str) -> str:
    return f"{name} ({lladdr})" if name else lladdr


def meaning(kind: NeighbourEventKind) -> str:
    """Return what an event of a kind may mean."""
    return _MEANINGS[kind]
