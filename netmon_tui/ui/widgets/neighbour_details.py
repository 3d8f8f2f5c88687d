"""What the kernel says of a neighbour, as lines of words."""

from __future__ import annotations

from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.ui.rendering import age

_STATES = {
    "INCOMPLETE": "it is being asked for",
    "REACHABLE": "it answered lately",
    "STALE": "not asked for some time; asked again when it is next needed",
    "DELAY": "used again; asked in a moment unless it is heard from",
    "PROBE": "it is being asked again",
    "FAILED": "it does not answer",
    "PERMANENT": "set by hand: never asked, never dropped",
    "NONE": "not looked for yet",
}


def neighbour_text(record: NeighbourRecord | None) -> str:
    """Return the lines of an entry; one line that says so when it is not there."""
    if record is None:
        return "It is not in the kernel's table now."
    roles = (
        ("default gateway", record.gateway),
        ("router (it says so itself, IPv6)", record.router),
        ("the other end of an SSH session to here", record.own),
    )
    pairs = (
        ("State", f"{record.state}: {_STATES.get(record.state, 'as the kernel calls it')}"),
        ("lladdr", _lladdr(record)),
        ("Name", record.name),
        ("Host name", record.hostname or "none known"),
        ("Interface", record.interface),
        ("Role", ", ".join(word for word, is_so in roles if is_so)),
        ("Confirmed", f"{age(record.confirmed)} ago"),
        ("Used", f"{age(record.used)} ago"),
        ("Updated", f"{age(record.updated)} ago (state or lladdr)"),
        ("Probes", f"{record.probes} sent when it was last asked for" if record.probes else ""),
    )
    return "\n".join(f"{name:<10} {value}" for name, value in pairs if value)


def _lladdr(record: NeighbourRecord) -> str:
    if not record.lladdr:
        return "not resolved"
    private = "private: locally administered, randomised or virtual" if record.private else ""
    before = "; the one it had last" if record.lladdr_remembered else ""
    return f"{record.lladdr}  ({record.vendor or private or 'unknown vendor'}{before})"
