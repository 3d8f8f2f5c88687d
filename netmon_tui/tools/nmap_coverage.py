"""What a scan asked for: which ports and which addresses its answer is about."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_targets import parse_target


class PortCoverage:
    """The ports of ``<scaninfo>``.

    Args:
        scaninfo: (type, protocol, how many, ``1-1000,8080``) of each element; none at all means that nothing is
            known, and then every port counts as asked for.
    """

    def __init__(self, scaninfo: Iterable[Sequence[object]]) -> None:
        self._ranges: dict[str, list[tuple[int, int]]] = {}
        for _, protocol, _, services in scaninfo:
            self._ranges.setdefault(str(protocol), []).extend(_ranges(str(services)))
        for ranges in self._ranges.values():
            ranges.sort()

    def covers(self, protocol: str, number: int) -> bool:
        """Whether the port was asked for."""
        if not self._ranges:
            return True
        ranges = self._ranges.get(protocol, [])
        place = bisect_right(ranges, (number, 65_536)) - 1
        return place >= 0 and number <= ranges[place][1]


def _ranges(services: str) -> list[tuple[int, int]]:
    found = []
    for part in services.split(","):
        first, _, last = part.partition("-")
        if first.isdecimal() and (last.isdecimal() or not last):
            found.append((int(first), int(last or first)))
    return found


class AddressCoverage:
    """The targets of a scan.

    Args:
        targets: As they are kept; none at all (an imported document) means that every address counts as asked for.
        excluded: What was left out of them.
    """

    def __init__(self, targets: Iterable[str], excluded: Sequence[str] = ()) -> None:
        self._excluded = AddressCoverage(excluded) if excluded else None
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._single: set[ipaddress.IPv4Address | ipaddress.IPv6Address] = set()
        self._octets: list[tuple[range, ...]] = []
        self._names: set[str] = set()
        self._unknown = True
        for text in targets:
            self._unknown = False
            self._add(text)

    def _add(self, text: str) -> None:
        try:
            target = parse_target(text)
        except InvalidInput:
            self._unknown = True  # another version's grammar
            return
        plain = target.text.split("%")[0]
        if target.family is None:
            self._names.add(target.text.lower())
        elif ":" in plain or "/" in plain or "-" not in plain:
            network = ipaddress.ip_network(plain, strict=False)
            if network.num_addresses == 1:
                self._single.add(network.network_address)
            else:
                self._networks.append(network)
        else:
            self._octets.append(tuple(_octet(part) for part in plain.split(".")))

    def covers(self, address: str, asked: str = "") -> bool:
        """Whether an address was asked for, or the host name that it was scanned by."""
        if self._excluded is not None and self._excluded.covers(address, asked):
            return False
        if self._unknown or asked.lower() in self._names:
            return True
        try:
            parsed = ipaddress.ip_address(address.split("%")[0])
        except ValueError:
            return True
        if parsed in self._single:
            return True
        if any(parsed.version == network.version and parsed in network for network in self._networks):
            return True
        parts = [int(part) for part in str(parsed).split(".")] if parsed.version == 4 else []
        return any(
            all(part in octet for part, octet in zip(parts, octets, strict=True))
            for octets in self._octets
            if parts
        )


def excluded_by(command: Sequence[str]) -> tuple[str, ...]:
    """Return the targets behind ``--exclude`` in a command of ours."""
    if "--exclude" not in command:
        return ()
    return tuple(command[command.index("--exclude") + 1].split(","))


def _octet(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
