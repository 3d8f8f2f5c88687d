"""How two scans are compared.

Better than line by line in four ways: hosts are matched by what they are (lladdr, SSH host key, the name that was
asked for) before their address, and by a TLS certificate where that is another one, too; only what both scans
covered counts; a service that moved to another port is one change; and what was guessed from a port's number is
compared with nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from netmon_tui.domain.comparison import (
    Change,
    FactChange,
    PortChange,
    PortFacts,
    PortKey,
    Severity,
)

Ports = Mapping[PortKey, PortFacts]


class HostHead(NamedTuple):
    """A host that was up, without its ports."""

    ordinal: int
    address: str
    address_key: bytes
    """Orders addresses by number."""
    lladdr: str
    names: tuple[str, ...]
    """Host names by reverse DNS."""
    asked: str
    """The host name it was scanned by; empty when by address."""
    os: str
    """What it surely is; empty for a guess, which differs from run to run."""
    unfinished: bool
    """Its scan gave up on it: what is not listed may be open all the same."""


Pair = tuple[HostHead | None, HostHead | None]
"""(before, after); None where it was not there."""


class HostKeys(NamedTuple):
    """What else tells a host from others; empty where it is not known."""

    ssh: str = ""
    """Fingerprint of an SSH host key."""
    tls: str = ""
    """Fingerprint of a TLS certificate."""


Keys = Mapping[int, HostKeys]
"""By ordinal."""
_NO_KEYS = HostKeys()
_MARKS: tuple[Callable[[HostHead, HostKeys], str], ...] = (
    lambda head, keys: head.lladdr,
    lambda head, keys: keys.ssh,
    lambda head, keys: head.asked,
    lambda head, keys: head.address,
    lambda head, keys: keys.tls,  # the weakest: renewed, and carried from host to host
)
"""What hosts are known again by, the surest first."""


def match_hosts(
    before: Sequence[HostHead], after: Sequence[HostHead], keys_before: Keys, keys_after: Keys
) -> list[Pair]:
    """Say which host of one scan is which of the other, in the order of addresses.

    What several hosts of a scan share (a router's lladdr behind which they are, a certificate for many) tells
    none of them from the others.
    """
    old = {head.ordinal: head for head in before}
    new = {head.ordinal: head for head in after}
    pairs: list[Pair] = []
    for mark in _MARKS:
        known = _unique(before, keys_before, mark)
        for text, head in _unique(after, keys_after, mark).items():
            match = known.get(text)
            if match is not None and match.ordinal in old and head.ordinal in new:
                pairs.append((match, head))
                del old[match.ordinal], new[head.ordinal]
    pairs += [(head, None) for head in old.values()]
    pairs += [(None, head) for head in new.values()]
    return sorted(pairs, key=_place)


def _unique(
    heads: Sequence[HostHead], keys: Keys, mark: Callable[[HostHead, HostKeys], str]
) -> dict[str, HostHead]:
    found = [(text, head) for head in heads if (text := mark(head, keys.get(head.ordinal, _NO_KEYS)))]
    counts = Counter(text for text, _ in found)
    return {text: head for text, head in found if counts[text] == 1}


def _place(pair: Pair) -> tuple[bytes, bool]:
    head = pair[1] or pair[0]
    assert head is not None
    return head.address_key, pair[1] is None


def compare_facts(before: HostHead, after: HostHead) -> tuple[FactChange, ...]:
    """Return what changed about a host beside its ports; what one scan did not find out is no change."""
    found = (
        ("address", before.address, after.address, Severity.MEDIUM),
        ("lladdr", before.lladdr, after.lladdr, Severity.MEDIUM),
        ("hostname", ", ".join(sorted(before.names)), ", ".join(sorted(after.names)), Severity.INFO),
        ("os", before.os, after.os, Severity.INFO),
    )
    return tuple(FactChange(*fact) for fact in found if fact[1] and fact[2] and fact[1] != fact[2])


def compare_ports(
    before: Ports,
    after: Ports,
    covered: Callable[[PortKey], bool],
    *,
    whole_before: bool = True,
    whole_after: bool = True,
) -> tuple[PortChange, ...]:
    """Return what changed among the ports of one host, by protocol and number.

    Args:
        before, after: The listed ports.
        covered: Whether both scans asked for a port.
        whole_before, whole_after: Whether a port that is not listed was surely not open.
    """
    if before == after:
        return ()
    changes: list[PortChange] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        unsure = (old is None and not whole_before) or (new is None and not whole_after)
        if old == new or unsure or not covered(key):
            continue
        if (change := _compare_port(key, old, new)) is not None:
            changes.append(change)
    return _join_moved(changes)


def _compare_port(key: PortKey, old: PortFacts | None, new: PortFacts | None) -> PortChange | None:
    protocol, number = key
    was_open, is_open = old is not None and old.is_open, new is not None and new.is_open
    if is_open and not was_open:
        return PortChange(number, protocol, Change.ADDED, old, new, Severity.HIGH)
    if was_open and not is_open:
        return PortChange(number, protocol, Change.REMOVED, old, new, Severity.LOW)
    if old is None or new is None:
        return None  # listed by one scan only, and open in none
    if old.state != new.state:
        return PortChange(number, protocol, Change.CHANGED, old, new, Severity.INFO)
    if old.probed and new.probed and old.identity != new.identity:
        return PortChange(number, protocol, Change.CHANGED, old, new, Severity.MEDIUM)
    return None


def _join_moved(changes: list[PortChange]) -> tuple[PortChange, ...]:
    """Make one change of a service that is gone from one port and new, the same to the letter, on another."""
    gone: dict[tuple[str, ...], list[PortChange]] = {}
    for change in changes:
        if change.change is Change.REMOVED and change.before is not None and _is_telling(change.before):
            gone.setdefault((change.protocol, *change.before.identity), []).append(change)
    joined: list[PortChange] = []
    left: set[PortChange] = set()
    for change in changes:
        if change.change is Change.ADDED and change.after is not None and _is_telling(change.after):
            candidates = gone.get((change.protocol, *change.after.identity), [])
            if len(candidates) == 1 and candidates[0] not in left:
                origin = candidates[0]
                left.add(origin)
                change = change._replace(
                    change=Change.CHANGED,
                    before=origin.before,
                    severity=Severity.MEDIUM,
                    moved_from=origin.number,
                )
        joined.append(change)
    return tuple(change for change in joined if change not in left)


def _is_telling(facts: PortFacts) -> bool:
    return facts.probed and bool(facts.product)
