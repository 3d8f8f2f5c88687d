"""How many ports of each host nmap scans with given options, and by which protocol.

Counted as nmap 7.93 counts (the numbers of ``<scaninfo>``; a test asks the nmap that is installed):

- the most common ports come out of ``nmap-services``, so ``--top-ports 9000`` are 8,366 of TCP;
- what is excluded is taken out first: ``--top-ports 20 --exclude-ports 80`` are twenty ports still;
- ``-p`` bounds what ``--top-ports`` and ``--port-ratio`` choose from; without either it is what is scanned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions

MOST_COMMON = 1_000
"""Ports that nmap scans unless asked otherwise."""
FAST = 100
"""Ports of ``-F``."""
_FAST_PROTOCOLS = 147
"""Protocols of ``-sO -F``: those that nmap's own list of protocols names."""
_TCP_SCANS = ("-sS", "-sT", "-sA", "-sW", "-sM", "-sN", "-sF", "-sX")
_MARKS = {"T": "tcp", "U": "udp", "S": "sctp", "P": "ip"}

Frequencies = Mapping[str, Mapping[int, float]]
"""Protocol -> port -> how often it is open, 0 to 1."""


def read_services(lines: Iterable[str]) -> Frequencies:
    """Return what ``nmap-services`` says; lines that are none are passed over."""
    found: dict[str, dict[int, float]] = {}
    for line in lines:
        fields = line.split()
        if len(fields) < 3 or line.startswith("#"):
            continue
        number, _, protocol = fields[1].partition("/")
        try:
            found.setdefault(protocol, {})[int(number)] = float(fields[2])
        except ValueError:
            continue
    return found


def ports_per_host(options: NmapOptions, frequencies: Frequencies) -> dict[str, int]:
    """Return how many ports of each host are scanned, by protocol; none for a scan without ports.

    Args:
        options: As nmap gets them.
        frequencies: What :func:`read_services` gave; empty where the file is missing, then the most common ports
            are as many as were asked for.
    """
    if options.has("-sn", "-sL"):
        return {}
    return {
        protocol: _count(options, protocol, frequencies.get(protocol, {})) for protocol in _protocols(options)
    }


def refuse_no_ports(options: NmapOptions, frequencies: Frequencies) -> None:
    """Refuse a port scan that has no port to scan: nmap would warn, look who is there, and call it a success.

    Args:
        options: As nmap gets them.
        frequencies: As for :func:`ports_per_host`.

    Raises:
        InvalidInput: No port is left, with what leaves none.
    """
    counts = ports_per_host(options, frequencies)
    if not counts or any(counts.values()):
        return
    everything = NmapOptions(tuple(one for one in options.settings if one.name != "--exclude-ports"))
    if any(ports_per_host(everything, frequencies).values()):
        raise InvalidInput(
            "no ports are left to scan",
            why="--exclude-ports leaves none of those that are asked for",
            fix="exclude fewer ports, or write -sn to scan none",
        )
    scanned = " and ".join("IP protocols" if name == "ip" else f"{name.upper()} ports" for name in counts)
    raise InvalidInput(
        "no ports are asked for",
        why=f"this is a scan of {scanned}, and the options name none",
        fix="name some, or choose another kind of scan",
    )


def _protocols(options: NmapOptions) -> Iterator[str]:
    if options.has("-sO"):
        yield "ip"
        return
    if options.has(*_TCP_SCANS) or not options.has("-sU", "-sY", "-sZ"):
        yield "tcp"
    if options.has("-sU"):
        yield "udp"
    if options.has("-sY", "-sZ"):
        yield "sctp"


def _count(options: NmapOptions, protocol: str, frequencies: Mapping[int, float]) -> int:
    named = numbers(options.value("-p"), protocol) if options.has("-p") else None
    excluded = numbers(options.value("--exclude-ports"), protocol)
    if protocol == "ip":
        if options.has("-F"):
            return min(_FAST_PROTOCOLS, 256 - len(excluded))
        return len((set(range(256)) if named is None else named) - excluded)
    counts = not options.has("-p") or options.has("--top-ports", "--port-ratio")
    if named is not None and not counts:
        return len(named - excluded)
    pool = [port for port in frequencies if port not in excluded and (named is None or port in named)]
    if options.has("--port-ratio"):
        least = float(options.value("--port-ratio"))
        return sum(frequencies[port] >= least for port in pool)
    wanted = int(options.value("--top-ports") or (FAST if options.has("-F") else MOST_COMMON))
    return min(wanted, len(pool)) if frequencies else wanted


def numbers(text: str, protocol: str) -> set[int]:
    """Return the ports of a canonical list (``22,T:80-90,U:53``) that are meant for a protocol.

    A mark holds for what follows it, too; what stands before any mark is meant for every protocol.
    """
    found: set[int] = set()
    meant = protocol
    for item in filter(None, text.split(",")):
        mark, colon, rest = item.rpartition(":")
        meant = _MARKS[mark] if colon else meant
        first, _, last = rest.partition("-")
        if meant == protocol:
            found.update(range(int(first), int(last or first) + 1))
    return found
