"""Every option of nmap 7.80 to 7.99 by name: allowed with the shape of its value, or refused with a reason.

What is in neither table is refused as unknown. The tables name things; `nmap_arguments` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from netmon_tui.tools import nmap_values as values
from netmon_tui.tools.nmap_script_arguments import script_arguments
from netmon_tui.tools.nmap_script_rules import scripts
from netmon_tui.tools.nmap_values import Shape


class Unprivileged(StrEnum):
    """What becomes of an option when nmap has no raw sockets."""

    SAME = "works as it is"
    LEFT_OUT = "needs root: left out"
    CONNECT = "needs root: falls back to -sT"
    PARTLY = "needs root for operating system and path: falls back to -sV -sC"


@dataclass(frozen=True, slots=True)
class Option:
    """An option that may be used."""

    name: str
    """As it is printed."""
    label: str = ""
    """What it does, for messages; empty means its name says it."""
    shape: Shape | None = None
    """Checks the value; None for an option without one."""
    value_optional: bool = False
    joined: bool = False
    """Printed with its value in one word."""
    group: str = ""
    """Options of one group exclude each other; empty for a group of its own."""
    technique: bool = False
    """Decides what is scanned: when all of these fall away, nothing of what was asked is left."""
    unprivileged: Unprivileged = Unprivileged.SAME
    since: tuple[int, int] = (0, 0)
    """First nmap version that has it, where that is later than 7.70."""

    @property
    def key(self) -> str:
        """What may occur once."""
        return self.group or self.name


class Refusal(StrEnum):
    """Why an option is never passed on."""

    WRITES = "writes files"
    READS = "reads files"
    RUNS = "runs code or takes options from a file"
    ELSEWHERE = "sends traffic through third parties or to hosts that nobody named"
    FORGES = "forges packets"
    OURS = "is set by this program"
    SCANS_NOTHING = "prints information and scans nothing"
    DEBUGS = "is for debugging nmap"
    JOKES = "is a joke of nmap's authors"


def _tcp(name: str, label: str, unprivileged: Unprivileged = Unprivileged.LEFT_OUT) -> Option:
    return Option(name, label, group="TCP scan", technique=True, unprivileged=unprivileged)


def _raw_scan(name: str, label: str, group: str = "") -> Option:
    return Option(name, label, group=group, technique=True, unprivileged=Unprivileged.LEFT_OUT)


def _raw(name: str, label: str, shape: Shape | None = None) -> Option:
    return Option(name, label, shape, unprivileged=Unprivileged.LEFT_OUT)


def _raw_ping(name: str, label: str, shape: Shape) -> Option:
    left_out = Unprivileged.LEFT_OUT
    return Option(name, label, shape, value_optional=True, joined=True, unprivileged=left_out)


_TECHNIQUES = (
    _tcp("-sS", "SYN scan", Unprivileged.CONNECT),
    _tcp("-sT", "connect scan", Unprivileged.SAME),
    _tcp("-sA", "ACK scan"),
    _tcp("-sW", "window scan"),
    _tcp("-sM", "Maimon scan"),
    _tcp("-sN", "null scan"),
    _tcp("-sF", "FIN scan"),
    _tcp("-sX", "Xmas scan"),
    _raw_scan("-sU", "UDP scan"),
    _raw_scan("-sY", "SCTP INIT scan", "SCTP scan"),
    _raw_scan("-sZ", "SCTP COOKIE-ECHO scan", "SCTP scan"),
    _raw_scan("-sO", "IP protocol scan"),
    Option("-sn", "ping scan", technique=True, group="no ports"),
    Option("-sL", "list scan", technique=True, group="no ports"),
)

_DISCOVERY = (
    Option("-Pn", "no ping"),
    Option("-PS", "SYN ping", values.plain_ports, value_optional=True, joined=True),
    Option("-PA", "ACK ping", values.plain_ports, value_optional=True, joined=True),
    _raw_ping("-PU", "UDP ping", values.plain_ports),
    _raw_ping("-PY", "SCTP ping", values.plain_ports),
    _raw_ping("-PO", "IP protocol ping", values.protocols),
    _raw("-PE", "ICMP echo ping"),
    _raw("-PP", "ICMP timestamp ping"),
    _raw("-PM", "ICMP netmask ping"),
    _raw("-PR", "ARP ping"),
    Option("-n", "no DNS", group="DNS"),
    Option("-R", "DNS for all", group="DNS"),
    Option("--dns-servers", shape=values.addresses),
    Option("--system-dns"),
    Option("--resolve-all"),
    Option("--unique", since=(7, 92)),
    Option("--exclude", shape=values.targets),
    Option("--disable-arp-ping"),
    Option("--discovery-ignore-rst", since=(7, 90)),
    _raw("--traceroute", "traceroute"),
)

_PORTS = (
    Option("-p", "ports", values.ports, joined=True, group="ports"),
    Option("-F", "fast scan", group="ports"),
    Option("-r", "ports in order"),
    Option("--top-ports", shape=values.integer(1, 65_535), group="how many ports"),
    Option("--port-ratio", shape=values.ratio, group="how many ports"),
    Option("--exclude-ports", shape=values.ports),
    Option("--allports"),
)

_DETECTION = (
    Option("-A", "intense detection", unprivileged=Unprivileged.PARTLY),
    Option("-sV", "version detection"),
    Option("-sC", "default scripts"),
    Option("--version-intensity", shape=values.integer(0, 9), group="version intensity"),
    Option("--version-light", group="version intensity"),
    Option("--version-all", group="version intensity"),
    Option("--script", shape=scripts),
    Option("--script-args", shape=script_arguments),
    Option("--script-timeout", shape=values.duration),
    _raw("-O", "operating system detection"),
    _raw("--osscan-limit", "operating system detection"),
    _raw("--osscan-guess", "operating system detection"),
    _raw("--max-os-tries", "operating system detection", values.integer(1, 50)),
)

_TIMING = (
    Option("-T", "timing", values.timing, joined=True),
    Option("--min-rate", shape=values.integer(1, 100_000)),
    Option("--max-rate", shape=values.integer(1, 100_000)),
    Option("--max-retries", shape=values.integer(0, 20)),
    Option("--min-parallelism", shape=values.integer(1, 1_000)),
    Option("--max-parallelism", shape=values.integer(1, 1_000)),
    Option("--min-hostgroup", shape=values.integer(1, 4_096)),
    Option("--max-hostgroup", shape=values.integer(1, 4_096)),
    Option("--host-timeout", shape=values.duration),
    Option("--scan-delay", shape=values.duration),
    Option("--max-scan-delay", shape=values.duration),
    Option("--initial-rtt-timeout", shape=values.duration_from(1)),
    Option("--min-rtt-timeout", shape=values.duration),
    Option("--max-rtt-timeout", shape=values.duration_from(5)),
    _raw("--defeat-rst-ratelimit", "ignoring of RST limits"),
    _raw("--defeat-icmp-ratelimit", "ignoring of ICMP limits"),
)

_SENDING = (
    Option("-6", "IPv6"),
    Option("-e", "interface", values.interface),
    _raw("--source-port", "source port", values.integer(1, 65_535)),
    _raw("--ttl", "time to live", values.integer(1, 255)),
    _raw("--send-eth", "sending of Ethernet frames"),
    _raw("--send-ip", "sending of IP packets"),
    Option("--randomize-hosts"),
)

_OUTPUT = (
    Option("-v", "verbose", group="verbosity"),
    Option("-vv", "very verbose", group="verbosity"),
    Option("--open"),
    Option("--reason"),
)

ALLOWED: dict[str, Option] = {
    option.name: option
    for part in (_TECHNIQUES, _DISCOVERY, _PORTS, _DETECTION, _TIMING, _SENDING, _OUTPUT)
    for option in part
}
"""Options that may be used, by name."""

REFUSED: dict[str, Refusal] = {
    name: reason
    for reason, names in {
        Refusal.WRITES: "-oN -oX -oS -oG -oA -oM -oH -o -m --append-output --script-updatedb",
        Refusal.READS: "-iL -i --excludefile --versiondb --servicedb --script-args-file",
        Refusal.RUNS: "--datadir --resume",
        Refusal.ELSEWHERE: "-iR -b -sI --proxies --proxy --route-dst",
        Refusal.FORGES: "-S -D -f -ff --spoof-mac --mtu --data --data-string --data-length --scanflags"
        " --ip-options --badsum --adler32",
        Refusal.OURS: "-- --stats-every --privileged --unprivileged --noninteractive --stylesheet"
        " --no-stylesheet --webxml --deprecated-xml-osclass -q --log-errors",
        Refusal.SCANS_NOTHING: "-h --help -V --version --iflist --script-help",
        Refusal.DEBUGS: "-d --debug --packet-trace --version-trace --script-trace --nsock-engine"
        " --release-memory --nogcc",
        Refusal.JOKES: "--thc --yoloscan",
    }.items()
    for name in names.split()
}
"""Options that are never passed on, by name, with the reason."""

OTHER_SPELLINGS: dict[str, str] = {
    "-g": "--source-port",
    "-sP": "-sn",
    "-P0": "-Pn",
    "-PN": "-Pn",
    "-PD": "-Pn",
    "-PI": "-PE",
    "-PT": "-PA",
    "-PB": "-PE -PA",
    "-sR": "-sV",
    "-I": "-O",
    "-M": "--max-parallelism",
    "-4": "IPv4 addresses: it is the default",
    "--verbose": "-v",
    "--vv": "-vv",
    "--timing": "-T",
    "--fuzzy": "--osscan-guess",
    "--rH": "--randomize-hosts",
    "--ff": "-ff",
}
"""Old or second names, with the one to write; ``-g`` alone is accepted as it stands."""
