"""Attributes of nmap's XML to values of the domain, checked: pure functions, one per element.

A value that cannot be right raises `RefusedValue`, so that a file of unknown origin cannot put anything but
addresses, numbers and known words where those belong. Free text is kept as it is: it is hostile, and the
gate for it is where it is shown.

A scan of 65,536 hosts calls these functions a million times. Hence small value sets behind dictionaries and
`tuple.__new__` (half the price of calling a named tuple).
"""

from __future__ import annotations

import re

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.domain.host import (
    ExtraPorts,
    Hop,
    HostAddress,
    OsMatch,
    Port,
    PortDetail,
    RoundTrip,
    Script,
    SequenceTest,
    Service,
)
from netmon_tui.domain.scan import (
    PhaseBegan,
    PhaseEnded,
    PhaseProgress,
    ScanFinished,
    ScanInfo,
    ScanStarted,
    Talkativeness,
    TargetSkipped,
)

Attributes = dict[str, str]

_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_PLAIN_LLADDR = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
_WHOLE = re.compile(r"[0-9]{1,15}")
_SIGNED = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_PROTOCOLS = frozenset({"tcp", "udp", "sctp", "ip"})
_PORT_STATES = frozenset({"open", "closed", "filtered", "unfiltered", "open|filtered", "closed|filtered"})
HOST_STATES = frozenset({"up", "down", "unknown", "skipped"})
_NOTHING: Attributes = {}
_new = tuple.__new__


class RefusedValue(ValueError):
    """A value that a host cannot have; the text says which."""


class _Numbers(dict[str, int]):
    """Decimal text to numbers up to a bound, remembered; anything else raises."""

    def __init__(self, highest: int) -> None:
        super().__init__()
        self._highest = highest

    def __missing__(self, text: str) -> int:
        if not _WHOLE.fullmatch(text) or int(text) > self._highest:
            raise RefusedValue(f"{text[:40]!a} is not a number up to {self._highest}")
        number = int(text)
        if str(number) == text:
            self[text] = number
        return number


PORT_NUMBERS = _Numbers(65_535)
SMALL_NUMBERS = _Numbers(255)


def whole(text: str) -> int:
    """A number without sign; 0 for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else 0


def signed(text: str) -> int | None:
    """A number that may be negative; None for anything else."""
    return int(text) if _SIGNED.fullmatch(text) else None


def decimal(text: str) -> float | None:
    """A decimal number without sign; None for anything else."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def moment(text: str) -> float | None:
    """Seconds since 1970; None for anything else, and for the 0 that nmap writes where it kept no time."""
    return decimal(text) or None


def first_ip(addresses: tuple[HostAddress, ...]) -> str:
    """The first address that is not a link-layer one.

    Raises:
        RefusedValue: There is none.
    """
    for one in addresses:
        if one.kind != "mac":
            return one.address
    raise RefusedValue("it has no IP address")


def small(text: str) -> int:
    """A number of 0 to 255, such as a time to live.

    Raises:
        RefusedValue: It is none.
    """
    return SMALL_NUMBERS[text]


def address(attributes: Attributes) -> HostAddress:
    """``<address>``.

    Raises:
        RefusedValue: The address is not one of its kind.
    """
    text, kind = attributes.get("addr", ""), attributes.get("addrtype", "ipv4")
    if kind == "ipv4" and _IPV4.fullmatch(text):
        found: str | None = text
    elif kind == "mac":
        found = text.lower() if _PLAIN_LLADDR.fullmatch(text) else normalise_lladdr(text[:40])
    else:
        parsed = parse_ip(text) if len(text) <= 80 else None
        found = str(parsed) if parsed is not None and kind == f"ipv{parsed.version}" else None
    if found is None:
        raise RefusedValue(f"{text[:40]!a} is not an address of kind {kind[:10]!a}")
    return _new(HostAddress, (found, kind, attributes.get("vendor", "")))


def port(kept: dict[str, Attributes], cpe: list[str], scripts: tuple[Script, ...]) -> Port:
    """``<port>`` with its ``<state>`` and ``<service>``: half of all that is read.

    Args:
        kept: The attributes of the three by name; a service may be missing.
        cpe: CPE names of the service.
        scripts: What scripts said of the port.

    Raises:
        RefusedValue: Number, protocol, state or confidence is none that exists, or the state is missing.
    """
    try:
        attributes, state = kept["port"], kept["state"]
        number, protocol, word = PORT_NUMBERS[attributes["portid"]], attributes["protocol"], state["state"]
    except KeyError as error:
        raise RefusedValue(f"a port has no {error.args[0]}") from None
    if protocol not in _PROTOCOLS or word not in _PORT_STATES:
        raise RefusedValue(f"a port cannot be {protocol[:20]!a} and {word[:20]!a}")
    service: Service | None = None
    if "service" in kept:
        get = kept["service"].get
        service = _new(
            Service,
            (
                get("name", ""),
                get("product", ""),
                get("version", ""),
                get("extrainfo", ""),
                get("tunnel", ""),
                get("method", ""),
                SMALL_NUMBERS[get("conf", "0")],
                tuple(cpe),
                get("hostname", ""),
                get("ostype", ""),
                get("devicetype", ""),
            ),
        )
    ttl = SMALL_NUMBERS[state.get("reason_ttl", "0")]
    detail = _port_detail(kept, state)
    return _new(Port, (number, protocol, word, state.get("reason", ""), ttl, service, scripts, detail))


_SELDOM = frozenset({"servicefp", "proto", "rpcnum", "lowver", "highver"})


def _port_detail(kept: dict[str, Attributes], state: Attributes) -> PortDetail | None:
    """What a port seldom has; None when it has nothing of it."""
    service = kept.get("service", _NOTHING)
    if "reason_ip" not in state and "owner" not in kept and _SELDOM.isdisjoint(service):
        return None
    rpc = (signed(service.get(name, "")) for name in ("rpcnum", "lowver", "highver"))
    owner = kept.get("owner", _NOTHING).get("name", "")
    detail = (state.get("reason_ip", ""), owner, service.get("proto", ""), *rpc, service.get("servicefp", ""))
    return _new(PortDetail, detail)


def as_masscan_means(attributes: Attributes) -> Attributes:
    """``<address>`` of masscan, which calls every address ``ipv4``."""
    return attributes | {"addrtype": "ipv6"} if ":" in attributes.get("addr", "") else attributes


def banners(kept: dict[str, Attributes]) -> tuple[Script, ...]:
    """What masscan's ``<service>`` has as ``banner``, as the script of that name."""
    banner = kept.get("service", _NOTHING).get("banner")
    return () if banner is None else (Script("banner", banner),)


def is_ping(kept: dict[str, Attributes]) -> bool:
    """Whether masscan's ``<port>`` is none, but an answer to a ping."""
    return kept.get("port", _NOTHING).get("protocol") in ("icmp", "arp")


def extraports(attributes: Attributes, reasons: list[Attributes]) -> ExtraPorts:
    """``<extraports>`` with its ``<extrareasons>``.

    Raises:
        RefusedValue: There is no such state.
    """
    state = attributes.get("state", "")
    if state not in _PORT_STATES:
        raise RefusedValue(f"ports cannot be {state[:20]!a}")
    counts = tuple([(one.get("reason", ""), whole(one.get("count", ""))) for one in reasons])
    where = tuple([(one.get("proto", ""), one["ports"]) for one in reasons if "ports" in one])
    if len(where) != len(counts):
        where = ()
    return _new(ExtraPorts, (state, whole(attributes.get("count", "")), counts, where))


def os_match(attributes: Attributes, classes: list[Attributes], cpe: tuple[str, ...]) -> OsMatch:
    """``<osmatch>`` with its ``<osclass>`` elements."""
    return OsMatch(
        name=attributes.get("name", ""),
        accuracy=min(100, whole(attributes.get("accuracy", ""))),
        cpe=cpe,
        classes=tuple(
            (
                one.get("type", ""),
                one.get("vendor", ""),
                one.get("osfamily", ""),
                one.get("osgen", ""),
                min(100, whole(one.get("accuracy", ""))),
            )
            for one in classes
        ),
        line=whole(attributes.get("line", "")),
    )


def os_port(attributes: Attributes) -> tuple[str, str, int]:
    """``<portused>`` as (state, protocol, number).

    Raises:
        RefusedValue: There is no such port.
    """
    state, protocol = attributes.get("state", ""), attributes.get("proto", "")
    if protocol not in _PROTOCOLS or state not in _PORT_STATES:
        raise RefusedValue(f"a port cannot be {protocol[:20]!a} and {state[:20]!a}")
    return state, protocol, PORT_NUMBERS[attributes.get("portid", "")]


def sequence_test(kind: str, attributes: Attributes) -> SequenceTest:
    """``<tcpsequence>``, ``<ipidsequence>`` or ``<tcptssequence>``."""
    get = attributes.get
    index = whole(get("index", "")) if kind == "tcp" else None
    return SequenceTest(kind, get("difficulty" if kind == "tcp" else "class", ""), get("values", ""), index)


def round_trip(attributes: Attributes) -> RoundTrip:
    """``<times>``: nmap writes -1 for what it has not measured."""
    get = attributes.get
    return RoundTrip(signed(get("srtt", "")), signed(get("rttvar", "")), signed(get("to", "")))


def hop(attributes: Attributes) -> Hop:
    """``<hop>``.

    Raises:
        RefusedValue: Its address is none, or its TTL no number.
    """
    text = attributes.get("ipaddr", "")
    parsed = parse_ip(text) if len(text) <= 80 else None
    if parsed is None:
        raise RefusedValue(f"{text[:40]!a} is not the address of a hop")
    return Hop(
        ttl=SMALL_NUMBERS[attributes.get("ttl", "")],
        address=str(parsed),
        hostname=attributes.get("host", ""),
        rtt=decimal(attributes.get("rtt", "")),
    )


def scan_started(attributes: Attributes) -> ScanStarted:
    """``<nmaprun>``."""
    get = attributes.get
    return ScanStarted(
        get("scanner", ""),
        get("args", ""),
        decimal(get("start", "")) or 0.0,
        get("version", ""),
        get("profile_name", ""),
        get("xmloutputversion", ""),
    )


def scan_info(attributes: Attributes) -> ScanInfo:
    """``<scaninfo>``."""
    get = attributes.get
    count, flags = whole(get("numservices", "")), get("scanflags", "")
    return ScanInfo(get("type", ""), get("protocol", ""), count, get("services", ""), flags)


def talkativeness(kind: str, attributes: Attributes) -> Talkativeness:
    """``<verbose>`` and ``<debugging>``."""
    return Talkativeness(kind, whole(attributes.get("level", "")))


def target_skipped(attributes: Attributes) -> TargetSkipped:
    """``<target>``."""
    get = attributes.get
    return TargetSkipped(get("specification", ""), get("status", ""), get("reason", ""))


def phase_began(attributes: Attributes) -> PhaseBegan:
    """``<taskbegin>``."""
    get = attributes.get
    return PhaseBegan(get("task", ""), decimal(get("time", "")) or 0.0, get("extrainfo", ""))


def phase_progress(attributes: Attributes) -> PhaseProgress:
    """``<taskprogress>``: below 1 percent there is no remaining time."""
    get = attributes.get
    percent = min(100.0, decimal(get("percent", "")) or 0.0)
    return PhaseProgress(
        get("task", ""), percent, decimal(get("remaining", "")), decimal(get("time", "")) or 0.0
    )


def phase_ended(attributes: Attributes) -> PhaseEnded:
    """``<taskend>``."""
    get = attributes.get
    return PhaseEnded(get("task", ""), decimal(get("time", "")) or 0.0, get("extrainfo", ""))


def scan_finished(finished: Attributes, hosts: Attributes) -> ScanFinished:
    """``<runstats>``: nmap writes no ``exit`` before version 5.35, and means success."""
    get = finished.get
    return ScanFinished(
        time=decimal(get("time", "")) or 0.0,
        elapsed=decimal(get("elapsed", "")) or 0.0,
        summary=get("summary", ""),
        exit=get("exit", "success"),
        errormsg=get("errormsg", ""),
        hosts_up=whole(hosts.get("up", "")),
        hosts_down=whole(hosts.get("down", "")),
        hosts_total=whole(hosts.get("total", "")),
    )
