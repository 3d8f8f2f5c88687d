"""What a scan asked for: which ports and which addresses its answer is about."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import parse_target


class _Ranges:
    """Numbers in ranges, both ends included."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if self._merged and first <= self._merged[-1][1] + 1:
                self._merged[-1] = (self._merged[-1][0], max(last, self._merged[-1][1]))
            else:
                self._merged.append((first, last))

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._merged, number, key=lambda one: one[0]) - 1
        return place >= 0 and number <= self._merged[place][1]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Ranges) and self._merged == other._merged


class PortCoverage:
    """The ports of ``<scaninfo>``. Two are equal when they are the same ports.

    Args:
        scaninfo: (type, protocol, how many, ``1-1000,8080``) of each element.
        foreign: Whether the document is another's. Then no element at all means that nothing is known, and every
            port counts as asked for; in ours it means that no port was, as in a ping scan.
    """

    def __init__(self, scaninfo: Iterable[Sequence[object]], *, foreign: bool = False) -> None:
        found: dict[str, list[tuple[int, int]]] = {}
        for _, protocol, _, services, *_ in scaninfo:
            found.setdefault(str(protocol), []).extend(_ranges(str(services)))
        self._ranges = {protocol: _Ranges(ranges) for protocol, ranges in found.items()}
        self._unknown = foreign and not found

    def covers(self, protocol: str, number: int) -> bool:
        """Whether the port was asked for."""
        return self._unknown or number in self._ranges.get(protocol, ())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PortCoverage):
            return NotImplemented
        return (self._unknown, self._ranges) == (other._unknown, other._ranges)


def _ranges(services: str) -> list[tuple[int, int]]:
    found = []
    for part in services.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last.isdecimal() or not last):
            found.append((int(first), int(last or first)))
    return found


class AddressCoverage:
    """Addresses and names, as targets name them.

    Args:
        targets: As they are kept. What is no target for this version's grammar stands in :attr:`unread`.
    """

    def __init__(self, targets: Iterable[str]) -> None:
        self.unread: list[str] = []
        """Texts that may mean anything."""
        self._names: set[str] = set()
        self._octets: list[tuple[range, ...]] = []
        found: dict[int, list[tuple[int, int]]] = {4: [], 6: []}
        for text in targets:
            try:
                target = parse_target(text)
            except InvalidInput:
                self.unread.append(text)
                continue
            plain = target.text.split("%")[0]
            if target.family is None:
                self._names.add(target.text.lower())
            elif ":" in plain or "-" not in plain:
                network = ipaddress.ip_network(plain, strict=False)
                found[network.version].append((int(network[0]), int(network[-1])))
            else:
                self._octets.append(tuple(_octet(part) for part in plain.split(".")))
        self._numbers = {version: _Ranges(ranges) for version, ranges in found.items()}

    def covers(self, address: str, asked: str = "") -> bool:
        """Whether an address is among them, or the host name that it was scanned by."""
        if asked.lower() in self._names:
            return True
        try:
            parsed = ipaddress.ip_address(address.split("%")[0])
        except ValueError:
            return False
        if int(parsed) in self._numbers[parsed.version]:
            return True
        parts = parsed.packed
        return any(
            all(part in octet for part, octet in zip(parts, octets, strict=True))
            for octets in self._octets
            if parsed.version == 4
        )


class TargetCoverage:
    """The addresses that a scan asked for.

    Args:
        targets: As they are kept; none at all (an imported document) means that nothing is known, and then every
            address counts as asked for.
        excluded: What was left out of them.
    """

    def __init__(self, targets: Sequence[str], excluded: Sequence[str] = ()) -> None:
        self._targets = AddressCoverage(targets)
        self._excluded = AddressCoverage(excluded)
        self.unknown = not targets or bool(self._targets.unread)
        """Whether the targets are not known."""

    def covers(self, address: str, asked: str = "") -> bool:
        """Whether an address was asked for, or the host name that it was scanned by."""
        if self._excluded.covers(address, asked):
            return False
        return self.unknown or self._targets.covers(address, asked)


def excluded_by(command: Sequence[str]) -> tuple[str, ...]:
    """Return the targets behind ``--exclude`` in a command of ours."""
    if "--exclude" not in command:
        return ()
    return tuple(command[command.index("--exclude") + 1].split(","))


def _octet(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
