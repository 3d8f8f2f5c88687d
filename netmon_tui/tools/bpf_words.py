"""The words of tcpdump's filter language, known so that no other word reaches its resolver.

libpcap takes a word it does not know for a host or network name and asks the network for it as it compiles.
So a word must be one of the language, a number or an address, or stand where only local tables are looked at
(``port http``, ``proto ospf``). Words: libpcap's scanner.l and pcap-filter(7).
"""

from __future__ import annotations

import re

from netmon_tui.domain.address import parse_ip
from netmon_tui.errors import InvalidInput

_WORDS = """
    dst src link ether ppp slip fddi tr wlan arp rarp ip sctp tcp udp icmp igmp igrp pim vrrp carp
    radio ip6 icmp6 ah esp atalk aarp decnet lat sca moprc mopdl iso esis es-is isis is-is l1 l2 iih
    lsp snp csnp psnp clnp stp ipx netbeui host net mask port portrange proto protochain gateway
    type subtype direction dir address1 address2 address3 address4 addr1 addr2 addr3 addr4 ra ta
    less greater byte broadcast multicast and or not len length inbound outbound ifindex vlan mpls
    pppoed pppoes geneve lane llc metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg
    metaconnect on ifname rset ruleset rulenum rnum srnr subrulenum reason action fisu lssu lsu msu
    hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls
"""
LANGUAGE = frozenset(_WORDS.split())
"""Words with a meaning of their own."""

_CONSTANTS = """
    icmptype=0 icmpcode=1 icmp6type=0 icmp6code=1 tcpflags=13 tcp-fin=1 tcp-syn=2 tcp-rst=4 tcp-push=8
    tcp-ack=16 tcp-urg=32 tcp-ece=64 tcp-cwr=128 icmp-echoreply=0 icmp-unreach=3 icmp-sourcequench=4
    icmp-redirect=5 icmp-echo=8 icmp-routeradvert=9 icmp-routersolicit=10 icmp-timxceed=11
    icmp-paramprob=12 icmp-tstamp=13 icmp-tstampreply=14 icmp-ireq=15 icmp-ireqreply=16 icmp-maskreq=17
    icmp-maskreply=18 icmp6-destinationunreach=1 icmp6-packettoobig=2 icmp6-timeexceeded=3
    icmp6-parameterproblem=4 icmp6-echo=128 icmp6-echoreply=129 icmp6-multicastlistenerquery=130
    icmp6-multicastlistenerreportv1=131 icmp6-multicastlistenerdone=132 icmp6-routersolicit=133
    icmp6-routeradvert=134 icmp6-neighborsolicit=135 icmp6-neighboradvert=136 icmp6-redirect=137
    icmp6-routerrenum=138 icmp6-nodeinformationquery=139 icmp6-nodeinformationresponse=140
    icmp6-ineighbordiscoverysolicit=141 icmp6-ineighbordiscoveryadvert=142
    icmp6-multicastlistenerreportv2=143 icmp6-homeagentdiscoveryrequest=144
    icmp6-homeagentdiscoveryreply=145 icmp6-mobileprefixsolicit=146 icmp6-mobileprefixadvert=147
    icmp6-certpathsolicit=148 icmp6-certpathadvert=149 icmp6-multicastrouteradvert=151
    icmp6-multicastroutersolicit=152 icmp6-multicastrouterterm=153
"""
CONSTANTS = {name: int(value) for name, value in (pair.split("=") for pair in _CONSTANTS.split())}
"""Words that are numbers."""
_USUAL = (
    *(
        "and",
        "or",
        "not",
        "host",
        "net",
        "port",
        "portrange",
        "proto",
        "src",
        "dst",
        "ether",
        "ip",
        "ip6",
        "arp",
    ),
    *(
        "tcp",
        "udp",
        "icmp",
        "icmp6",
        "sctp",
        "vlan",
        "mpls",
        "less",
        "greater",
        "broadcast",
        "multicast",
        "gateway",
    ),
)
"""What a mistyped word may have been."""
_CONNECTIVES = frozenset({"and", "or", "not"})
_LOCAL_NAMES = frozenset({"port", "portrange", "proto", "protochain", "type", "subtype", "dir", "direction"})
"""After these a name is looked up in a table on this machine, or not at all."""

_WORD = re.compile(r"\\?[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9:])?|::[0-9A-Fa-f:.]*")
_NUMBER = re.compile(r"0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]+){0,3}")
_SLICE = re.compile(r"(?:0[xX])?[0-9A-Fa-f]+:[124]?")
"""``12:2`` of ``tcp[12:2]``."""
_ETHER = re.compile(
    r"[0-9A-Fa-f]{1,2}([:.-])[0-9A-Fa-f]{1,2}(?:\1[0-9A-Fa-f]{1,2}){4}"
    r"|[0-9A-Fa-f]{12}|[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}"
)

_COMPARED = re.compile(
    r"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)\s*(?:[=!<>~]=?=?|contains\b|matches\b|eq\b|ne\b|in\b)\s*(\S*)"
)
"""A field and a value as the language of display filters compares them: ``tcp.port == 80``."""
_WRITTEN_HERE = {
    **{f"{one}.port": f"{one} port" for one in ("tcp", "udp", "sctp")},
    **{f"{one}.srcport": f"{one} src port" for one in ("tcp", "udp", "sctp")},
    **{f"{one}.dstport": f"{one} dst port" for one in ("tcp", "udp", "sctp")},
    **{f"{one}.addr": "host" for one in ("ip", "ipv6")},
    **{f"{one}.src": "src host" for one in ("ip", "ipv6")},
    **{f"{one}.dst": "dst host" for one in ("ip", "ipv6")},
    "eth.addr": "ether host",
    "eth.src": "ether src",
    "eth.dst": "ether dst",
}
"""Fields of display filters, and what stands for them in front of a value."""


def check_words(capture_filter: str) -> None:
    """Refuse a filter with a word that would be looked up as a name.

    Raises:
        InvalidInput: With the position of the word.
    """
    before = ""
    for found in _WORD.finditer(capture_filter):
        word = found[0]
        if word in LANGUAGE or word in CONSTANTS:
            before = before if word in _CONNECTIVES else word
        elif not (_is_value(word) or before in _LOCAL_NAMES):
            if compared := _COMPARED.match(capture_filter, found.start()):
                raise _display_filter(compared)
            raise InvalidInput(
                f"The filter has a word that would be looked up as a host name: {word}",
                why="names are not looked up in capture filters",
                fix=_advice(word),
                position=found.start(),
            )


def _display_filter(compared: re.Match[str]) -> InvalidInput:
    field, value = compared[1], compared[2].rstrip(")")
    here = _WRITTEN_HERE.get(field, "") if "==" in compared[0] and _is_value(value) else ""
    return InvalidInput(
        f"{field} is of a display filter",
        why="what captures is filtered in another language",
        fix=f"here it is written: {here} {value}"
        if here
        else "show only these with d, once they are captured",
        position=compared.start(),
    )


def mistyped_at(capture_filter: str, position: int) -> InvalidInput | None:
    """Return the error for a mistyped word where a filter cannot be understood, or in front of that.

    After ``port 80 and`` a name may be that of a port, so that it is what follows which does not fit.
    """
    for found in reversed([one for one in _WORD.finditer(capture_filter) if one.start() <= position][-2:]):
        word = found[0]
        known = word in LANGUAGE or word in CONSTANTS or _is_value(word)
        if not known and (close := _meant(word)):
            told = f"The filter has a word that is not understood: {word}"
            return InvalidInput(told, fix=f"write {close}, if that was meant", position=found.start())
    return None


def _meant(word: str) -> str:
    from difflib import get_close_matches  # only for who has mistyped something

    return next(iter(get_close_matches(word.lower(), _USUAL, n=1, cutoff=0.65)), "")


def _advice(word: str) -> str:
    close = _meant(word)
    return f"write {close}, if that was meant, or give the address" if close else "give the address"


def _is_value(word: str) -> bool:
    """Whether a word is a number, an address or an index, which need no looking up."""
    return bool(any(shape.fullmatch(word) for shape in (_NUMBER, _SLICE, _ETHER)) or parse_ip(word))
