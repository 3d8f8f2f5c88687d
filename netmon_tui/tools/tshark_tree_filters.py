"""Display filters for the lines of tshark's trees of counts: the packets that were counted there.

What is counted where, as of tshark 4.0: ``plugins/epan/stats_tree/pinfo_stats_tree.c``, and the ``stats_tree``
parts of ``packet-dns.c``, ``packet-http.c`` and ``packet-http2.c``. Filters take tshark's names of numbers. Some
counts are none of packets: HTTP/2 counts frames, of which a packet may have several; addresses count headers, of
which packets in tunnels have several, and a packet that a host sends to itself counts twice; and HTTP sequences
count where they begin once more. Filters find addresses also in what ICMP errors quote. The means of DNS answers
have no filter: they count twice each answer whose query was seen. Where a DNS message has no question, tshark
counts it under the number 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_LONGEST_TEXT = 400
"""Characters of a value in a filter, which may have two of them."""
_RANGE = re.compile(r"(\d+)(?:-(\d+)| and greater)")
_UNKNOWN = re.compile(r"Unknown.*\((\d+)\)")
_STATUS = re.compile(r"(\d+) .*")
_STATUS_GROUP = re.compile(r"([1-5])xx: .*")
_LABELS = re.compile(r"(\d)\w\w Level( or more)?")
_MESSAGE = "(http || ssdp)"
"""SSDP's messages are HTTP's, and counted with them."""
Path = Sequence[str]
"""A line's item and those above it, the topmost first."""


def tree_filter(question: str, path: Path) -> str:
    """Return the filter of a line; empty when there is none.

    Args:
        question: One of :data:`netmon_tui.domain.analysis.TREES`, or another, whose lines have none.
        path: Its item below those above it, as tshark wrote them.
    """
    make = _MAKERS.get(question)
    return make(path) if make else ""


def text_filter(field: str, text: str) -> str:
    """Return the filter for a field that is some text; of a very long one, that it has the beginning of it."""
    value = ""
    for byte in text.encode():
        character = chr(byte)
        plain = character.isascii() and character.isprintable()
        piece = re.sub(r'(["\\])', r"\\\1", character) if plain else f"\\x{byte:02x}"
        if len(value) + len(piece) > _LONGEST_TEXT:
            return f'{field} contains "{value}"'
        value += piece
    return f'{field} == "{value}"'


def _named(field: str, name: str) -> str:
    """Return the filter for a number by tshark's name for it."""
    unknown = _UNKNOWN.fullmatch(name)
    return f"{field} == {unknown[1]}" if unknown else text_filter(field, name)


def _all_of(*conditions: str) -> str:
    return " && ".join(filter(None, conditions))


def _lengths(path: Path) -> str:
    found = _RANGE.fullmatch(path[-1])
    if found is None:
        return "frame"
    return _all_of(f"frame.len >= {found[1]}", f"frame.len <= {found[2]}" if found[2] else "")


_DNS_FIELDS = {
    "opcodes": "dns.flags.opcode",
    "Query Type": "dns.qry.type",
    "Class": "dns.qry.class",
}
_QUERY, _RESPONSE = "dns.flags.response == 0", "dns.flags.response == 1"
_UNASKED = "dns.count.queries == 0"
_NO_QUESTION = ("Unused", "Unknown class (0)")
_DNS_SERVICE = {
    "request-response time": ["dns.time"],
    "no. of unsolicited responses": ["dns.unsolicited == 1"],
    "no. of retransmissions": [_RESPONSE, "dns.retransmission == 1"],
}


def _dns(path: Path) -> str:
    """Return the filter. mDNS and LLMNR, which have the same fields, are not counted, nor quotes of ICMP errors."""
    wanted = _dns_message(path)
    return _all_of("dns", *wanted, "!icmp", "!icmpv6") if wanted is not None else ""


def _dns_message(path: Path) -> Sequence[str] | None:
    above, name = path[0] if len(path) < 3 else path[1], path[-1]
    if path[0] == "Query Stats":
        return [_QUERY, *_labels(name)]
    if path[0] == "Response Stats":
        return None
    if path[0] == "Service Stats":
        return _DNS_SERVICE.get(name.partition(" (")[0])
    if above == "rcode":
        # Only answers have the field; tshark counts queries as those without error
        return ["!(dns.flags.rcode > 0)" if name == "No error" else _named("dns.flags.rcode", name)]
    if above == "Query/Response":
        return [_QUERY if name == "Query" else _RESPONSE]
    if name in _NO_QUESTION:
        return [f"({_named(_DNS_FIELDS[above], name)} || {_UNASKED})"]
    return [_named(_DNS_FIELDS[above], name)] if above in _DNS_FIELDS else []


def _labels(name: str) -> Sequence[str]:
    found = _LABELS.fullmatch(name)
    if found is None:
        return []
    return [
        f"(dns.count.labels >= {found[1]} || {_UNASKED})" if found[2] else f"dns.count.labels == {found[1]}"
    ]


def _http(path: Path) -> str:
    kind, name = path[min(1, len(path) - 1)], path[-1]
    if kind == "HTTP Request Packets":
        return _method(name) if len(path) > 2 else "http.request"
    if kind == "Other HTTP Packets":
        return f"{_MESSAGE} && !http.request && !http.response"
    if kind != "HTTP Response Packets":
        return _MESSAGE
    if status := _STATUS.fullmatch(name):
        return f"http.response.code == {status[1]}"
    if group := _STATUS_GROUP.fullmatch(name):
        return f"http.response.code >= {group[1]}00 && http.response.code <= {group[1]}99"
    broken = "!(http.response.code >= 100 && http.response.code <= 599)" if len(path) > 2 else ""
    return _all_of("http.response", broken)


def _method(name: str) -> str:
    # What SSDP asks with is M-SEARCH, which tshark counts without its beginning
    return text_filter("http.request.method", name).replace(' == "SEARCH"', ' contains "SEARCH"')


def _http_requests(path: Path) -> str:
    fields = ("http.host", "http.request.uri")
    chosen = (text_filter(field, name) for field, name in zip(fields, path[1:], strict=False))
    return _all_of("http.request", *chosen)


def _http_servers(path: Path) -> str:
    if path[0] == "HTTP Responses by Server Address":
        address = _address(path[1], "src") if path[1:] else ""
        good = "http.response.code > 100 && http.response.code < 400"
        judged = {"OK": good, "KO": f"!({good})"}.get(path[2], "") if path[2:] else ""
        return _all_of("http.response", address, judged)
    makers: list[Callable[[str], str]] = [_served, lambda name: text_filter("http.host", name)]
    if "HTTP Requests by HTTP Host" in path[:2]:
        makers.reverse()
    return _all_of("http.request", *(make(name) for make, name in zip(makers, path[2:], strict=False)))


def _served(address: str) -> str:
    return _address(address, "dst")


def _address(address: str, side: str) -> str:
    return f"{'ipv6' if ':' in address else 'ip'}.{side} == {address}"


def _http_sequences(path: Path) -> str:
    if len(path) == 1:
        return "http.request.full_uri && http.referer"
    if len(path) == 2:
        return _all_of("http.request.full_uri", text_filter("http.referer", path[1]))
    return _all_of(text_filter("http.request.full_uri", path[-1]), text_filter("http.referer", path[-2]))


def _http2(path: Path) -> str:
    return _named("http2.type", path[2]) if path[2:] else "http2"


def _hosts(family: str) -> Callable[[Path], str]:
    return lambda path: f"{family}.addr == {path[1]}" if path[1:] else family


_PORTED = ("tcp", "udp", "sctp", "dccp")


def _port_kind(name: str) -> str:
    """Return the filter for one of tshark's kinds of ports, such as TCP; NONE has none."""
    return name.lower() if name != "NONE" else f"!({' || '.join(_PORTED)})"


def _protocols(family: str) -> Callable[[Path], str]:
    return lambda path: _all_of(family, *map(_port_kind, path[1:]))


def _destinations(family: str) -> Callable[[Path], str]:
    def filter_of(path: Path) -> str:
        kind = path[2].lower() if path[2:] else ""
        if path[3:] and kind in _PORTED:
            return f"{family}.dst == {path[1]} && {kind}.dstport == {path[3]}"
        return _all_of(f"{family}.dst == {path[1]}" if path[1:] else family, *map(_port_kind, path[2:3]))

    return filter_of


def _directions(family: str) -> Callable[[Path], str]:
    def filter_of(path: Path) -> str:
        side = "src" if path[0].startswith("Source") else "dst"
        return f"{family}.{side} == {path[1]}" if path[1:] else family

    return filter_of


_MAKERS: dict[str, Callable[[Path], str]] = {
    "lengths": _lengths,
    "dns": _dns,
    "http": _http,
    "http:requests": _http_requests,
    "http:servers": _http_servers,
    "http:sequences": _http_sequences,
    "http2": _http2,
    **{f"{family}:hosts": _hosts(family) for family in ("ip", "ipv6")},
    **{f"{family}:protocols": _protocols(family) for family in ("ip", "ipv6")},
    **{f"{family}:destinations": _destinations(family) for family in ("ip", "ipv6")},
    **{f"{family}:directions": _directions(family) for family in ("ip", "ipv6")},
}
