"""Commands of iproute2's ``ip neigh`` that do what an edit does, for people to read and to run elsewhere.

``ip`` counts an entry of every state but PERMANENT and NOARP to a flush without ``nud`` (ipneigh.c).
"""

from __future__ import annotations

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour_edit import EditPlan, FlushEntries, TableWrite, Verb

_FAMILY_OPTIONS = {Family.IPV4: "-4", Family.IPV6: "-6"}


def write_command(write: TableWrite) -> tuple[str, ...]:
    """Return the command that does one change."""
    verb, entry = write
    place = ("ip", "neigh", verb.value, entry.address)
    if verb is Verb.DELETE:
        return *place, "dev", entry.interface
    router = ("router",) if entry.router else ()
    return *place, "lladdr", entry.lladdr, "dev", entry.interface, "nud", entry.state.lower(), *router


def flush_command(request: FlushEntries) -> tuple[str, ...]:
    """Return the command that deletes all that a flush takes when it spares nothing."""
    family = (_FAMILY_OPTIONS[request.family],) if request.family else ()
    state = ("nud", request.state.lower()) if request.state else ()
    return "ip", *family, "neigh", "flush", "dev", request.interface, *state


def plan_commands(plan: EditPlan) -> tuple[tuple[str, ...], ...]:
    """Return the commands of a plan: one for each entry, or one flush when that would take the same."""
    if isinstance(plan.request, FlushEntries) and not plan.spared:
        return (flush_command(plan.request),)
    return tuple(map(write_command, plan.writes))
