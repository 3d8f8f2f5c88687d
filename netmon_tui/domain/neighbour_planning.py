"""From what somebody wants of the neighbour table to what is written into it, or to the reason why not."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netmon_tui.domain.address import IPAddress, address_sort_key, normalise_lladdr, parse_ip
from netmon_tui.domain.neighbour import NOT_MISSED, Interface, NudState
from netmon_tui.domain.neighbour_edit import (
    LASTING,
    SETTABLE,
    DeleteEntry,
    EditKind,
    EditPlan,
    FlushEntries,
    KeptEdit,
    Key,
    SetEntry,
    TableEntry,
    TableWrite,
    UndoEdit,
    Verb,
)
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound

_MOST_CONFLICTS = 5
"""How many are told one by one."""
_SPELLINGS = "as b8:27:eb:12:34:56, b8-27-eb-12-34-56, b827.eb12.3456 or b827eb123456"


@dataclass(frozen=True, slots=True)
class Situation:
    """What an edit meets."""

    entries: Mapping[Key, TableEntry]
    """The kernel's table."""
    interfaces: Mapping[str, Interface]
    carriers: frozenset[Key] = frozenset()
    """Entries that carry the SSH session that the environment names; an empty interface stands for any."""
    connected: frozenset[Key] = frozenset()
    """Entries that carry other connections to sshd, which anybody can open; as ``carriers``."""
    watched: frozenset[str] = frozenset()
    """lladdrs of devices that must be up."""

    def carries_session(self, key: Key) -> bool:
        """Whether the entry may not be touched."""
        return not self.carriers.isdisjoint((key, ("", key[1])))

    def carries_connection(self, key: Key) -> bool:
        """Whether the entry may be touched by somebody who agreed to it."""
        return not self.connected.isdisjoint((key, ("", key[1])))


def plan_set(situation: Situation, request: SetEntry) -> EditPlan:
    """Return how an entry is added or changed.

    Raises:
        InvalidInput: An address, lladdr or interface that has no neighbour entries, or an entry that is there.
        NotAllowed: It carries the SSH session that the environment names.
    """
    interface, address = _place(situation, request.interface, request.address)
    key = (interface.name, str(address))
    _refuse_carrier(situation, key)
    there = situation.entries.get(key)
    if there is not None and there.lladdr and not request.replace:
        raise InvalidInput(
            f"{address} on {interface.name} has an entry already: {there}",
            fix=f"netmon-tui neighbour replace {address} LLADDR --interface {interface.name} changes it",
        )
    lladdr = _station(request.lladdr, there)
    entry = TableEntry(*key, lladdr, _state(request, there), there is not None and there.router)
    verb = Verb.REPLACE if there is not None or request.replace else Verb.ADD
    notices = [*_outside(interface, address)]
    if there is None and request.replace:
        notices.append("there is no such entry yet: it is added")
    elif there is not None and not there.lladdr:
        notices.append(f"the entry that is there is {there}")
    if entry.state is NudState.PERMANENT and entry.lladdr in situation.watched:
        notices.append(f"{entry.lladdr} must be up: {NOT_MISSED}")
    return EditPlan(
        request,
        EditKind.REPLACE if request.replace else EditKind.ADD,
        _subject(key),
        (TableWrite(verb, entry),),
        () if there is None else (there,),
        conflicts=_connected(situation, [key]),
        notices=tuple(notices),
    )


def plan_delete(situation: Situation, request: DeleteEntry) -> EditPlan:
    """Return how an entry is deleted; raises as :func:`plan_set`, and NotFound when there is none."""
    interface, address = _place(situation, request.interface, request.address)
    key = (interface.name, str(address))
    _refuse_carrier(situation, key)
    there = situation.entries.get(key)
    if there is None:
        raise NotFound(f"{address} has no entry on {interface.name}", fix="netmon-tui neighbour list")
    write = TableWrite(Verb.DELETE, there)
    conflicts = _connected(situation, [key])
    return EditPlan(request, EditKind.DELETE, _subject(key), (write,), (there,), conflicts=conflicts)


def plan_flush(situation: Situation, request: FlushEntries) -> EditPlan:
    """Return what a flush takes and what it spares; raises InvalidInput for an interface that has no neighbours."""
    interface = _interface(situation, request.interface)
    found = [entry for entry in situation.entries.values() if request.takes(entry)]
    found.sort(key=lambda entry: address_sort_key(entry.address))
    keys = {entry.key for entry in found}
    left_out = {key for key in keys if situation.carries_session(key) or situation.carries_connection(key)}
    spared = tuple(entry.address for entry in found if entry.key in left_out)
    taken = tuple(entry for entry in found if entry.key not in left_out)
    words = [request.state or "", request.family or ""]
    return EditPlan(
        request,
        EditKind.FLUSH,
        " ".join([interface.name, *filter(None, words)]),
        tuple(TableWrite(Verb.DELETE, entry) for entry in taken),
        taken,
        spared,
    )


def plan_undo(situation: Situation, kept: KeptEdit) -> EditPlan:
    """Return how the entries of an edit become what they were before it.

    States in which the kernel is waiting for an answer (DELAY, PROBE) are restored as STALE: it asks when it needs
    to. An entry that was unresolved is deleted, not restored.

    Raises:
        InvalidInput: It is undone already, or what it was about has no neighbours any more.
        NotAllowed: All that it changed carries the SSH session that the environment names.
    """
    edit = kept.edit
    if edit.undone_by is not None:
        raise InvalidInput(f"edit {edit.id} is undone already, by edit {edit.undone_by}")
    before, after = ({entry.key: entry for entry in entries} for entries in (kept.before, kept.after))
    keys = list(dict.fromkeys([*before, *after]))
    for name in {name for name, _ in keys}:
        _interface(situation, name)
    spared = tuple(key[1] for key in keys if situation.carries_session(key))
    if spared and len(spared) == len(keys):
        _refuse_carrier(situation, keys[0])
    writes, seen, conflicts = [], [], []
    for key in keys:
        if situation.carries_session(key):
            continue
        there, goal = situation.entries.get(key), before.get(key)
        seen += [there] if there is not None else []
        if (write := _restoring(there, goal, after.get(key))) is not None:
            writes.append(write)
            conflicts += _conflict(key, there, goal, after.get(key))
    notices = () if writes else ("nothing is left to restore: the table is as it was before",)
    request = UndoEdit(edit.id)
    return EditPlan(
        request,
        EditKind.UNDO,
        f"edit {edit.id}: {edit.kind} {edit.subject}",
        tuple(writes),
        tuple(seen),
        spared,
        (
            *_connected(situation, [write.entry.key for write in writes]),
            *_summed_up(conflicts, "have changed"),
        ),
        notices,
    )


def _restoring(
    there: TableEntry | None, goal: TableEntry | None, after: TableEntry | None
) -> TableWrite | None:
    """Return the change that leads back, or None when nothing is to be done."""
    if goal is None or not goal.lladdr:
        return None if there is None or after is None else TableWrite(Verb.DELETE, there)
    if there is not None and there.mark == goal.mark:
        is_as_left = after is not None and there.state is after.state
        if there.state is goal.state or not is_as_left:
            return None
    waiting = goal.state not in LASTING and goal.state is not NudState.REACHABLE
    entry = goal._replace(state=NudState.STALE) if waiting else goal
    return TableWrite(Verb.ADD if there is None else Verb.REPLACE, entry)


def _conflict(
    key: Key, there: TableEntry | None, goal: TableEntry | None, after: TableEntry | None
) -> list[str]:
    """Return what has become of an entry since the edit; nothing if it is as it was left, or as it shall be."""
    lladdr = there.lladdr if there is not None else ""
    if lladdr == (after.lladdr if after else "") or (goal is not None and lladdr == goal.lladdr):
        return []
    now = str(there) if there is not None else "gone"
    return [f"{_subject(key)} has changed since: it is {now}"]


def _summed_up(conflicts: list[str], what: str) -> tuple[str, ...]:
    more = len(conflicts) - _MOST_CONFLICTS
    return (*conflicts[:_MOST_CONFLICTS], *([f"and {more} more {what}"] if more > 0 else []))


def _subject(key: Key) -> str:
    return f"{key[1]} on {key[0]}"


def _refuse_carrier(situation: Situation, key: Key) -> None:
    if situation.carries_session(key):
        raise NotAllowed(
            f"{_subject(key)} carries an SSH session to here",
            why="it is the one that SSH_CONNECTION names: a wrong entry there would cut you off",
            fix="do it from the console of this machine, or from a session that comes by another way",
        )


def _connected(situation: Situation, keys: Iterable[Key]) -> tuple[str, ...]:
    """Return which entries carry a connection to sshd that somebody may sit at."""
    found = [key for key in keys if situation.carries_connection(key)]
    return _summed_up([f"{_subject(key)} carries an SSH connection to here" for key in found], "carry one")


def _place(situation: Situation, name: str, text: str) -> tuple[Interface, IPAddress]:
    """Return the interface, and the address in normal form; raises InvalidInput for what can be no neighbour."""
    interface = _interface(situation, name)
    typed = text.strip()
    bare, _, zone = typed.partition("%")
    address = parse_ip(bare)
    if address is None:
        fix = (
            "the address comes first, then the lladdr"
            if normalise_lladdr(typed)
            else "as 192.0.2.7 or fe80::1"
        )
        raise InvalidInput(f"{typed or 'nothing'} is no IP address", fix=fix)
    if zone and (zone != interface.name or address.version == 4):
        raise InvalidInput(f"{typed} does not belong to {interface.name}")
    if why := _no_neighbour(interface, address) or _own(situation, str(address)):
        raise InvalidInput(f"{address} can have no entry on {interface.name}", why=why)
    return interface, address


def _interface(situation: Situation, name: str) -> Interface:
    interface = situation.interfaces.get(name)
    if interface is None:
        known = ", ".join(one.name for one in situation.interfaces.values() if one.resolves)
        raise InvalidInput(f"there is no interface {name}", fix=f"one of {known}" if known else "")
    if not interface.resolves:
        raise InvalidInput(
            f"{name} has no neighbours", why="it resolves no addresses: no Ethernet, or told not to (NOARP)"
        )
    return interface


def _no_neighbour(interface: Interface, address: IPAddress) -> str:
    """Return why an address cannot be that of a neighbour; empty when it can."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return f"it is an IPv4 address in the spelling of IPv6: write {address.ipv4_mapped}"
    reasons = (
        (address.is_unspecified, "it stands for no address at all"),
        (address.is_multicast, "it is a multicast address, whose lladdr follows from it"),
        (address.is_loopback, "it is a loopback address"),
        (str(address) == "255.255.255.255", "it is the broadcast address"),
    )
    for is_so, why in reasons:
        if is_so:
            return why
    for own in interface.addresses:
        network = ipaddress.ip_interface(f"{own.address}/{own.prefix}").network
        if address.version == 4 and network.prefixlen < 31 and address == network.broadcast_address:
            return f"it is the broadcast address of {network}"
    return ""


def _own(situation: Situation, address: str) -> str:
    """Return that an address is one of this machine's; empty when it is none."""
    for interface in situation.interfaces.values():
        if any(own.address == address for own in interface.addresses):
            return f"it is this machine's own address, on {interface.name}"
    return ""


def _outside(interface: Interface, address: IPAddress) -> Iterable[str]:
    """Yield a notice for an address that lies in no network of the interface."""
    networks = [ipaddress.ip_interface(f"{own.address}/{own.prefix}").network for own in interface.addresses]
    if not address.is_link_local and not any(address in network for network in networks):
        yield f"{address} is in no network of {interface.name}: it is used only if a route leads there"


def _station(text: str, there: TableEntry | None) -> str:
    """Return the lladdr in normal form, or the one that is there; raises InvalidInput for none of one station."""
    if not text.strip():
        if there is None or not there.lladdr:
            raise InvalidInput("the entry has no lladdr yet", fix=f"give one, {_SPELLINGS}")
        return there.lladdr
    lladdr = normalise_lladdr(text)
    if lladdr is None:
        fix = "the address comes first, then the lladdr" if parse_ip(text.strip()) else _SPELLINGS
        raise InvalidInput(f"{text.strip()} is no lladdr of 48 bits", fix=fix)
    if lladdr == "00:00:00:00:00:00":
        raise InvalidInput("00:00:00:00:00:00 is no station's lladdr")
    if int(lladdr[:2], 16) & 1:
        kind = "the broadcast" if lladdr == "ff:ff:ff:ff:ff:ff" else "a group (multicast)"
        raise InvalidInput(f"{lladdr} is {kind} lladdr", why="an entry names one station")
    return lladdr


def _state(request: SetEntry, there: TableEntry | None) -> NudState:
    """Return the state that an entry gets.

    One that is not given stays what it is, where it can be given at all; an entry that is waiting becomes STALE.
    """
    if request.state is not None:
        if request.state not in SETTABLE:
            raise InvalidInput(
                f"an entry cannot be made {request.state}", fix=f"one of {', '.join(SETTABLE)}"
            )
        return request.state
    if there is None or not there.lladdr:
        return NudState.PERMANENT
    return NudState.STALE if there.state in (NudState.DELAY, NudState.PROBE) else there.state
