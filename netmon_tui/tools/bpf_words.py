"""The words of tcpdump's filter language, known so that no other word reaches its resolver.

libpcap takes a word it does not know for a host or network name and asks the network for it as it compiles.
So a word must be one of the language, a number or an address, or stand where only local tables are looked at
(``port http``, ``proto ospf``). Words: libpcap's scanner.l and pcap-filter(7).
"""

from __future__ import annotations

import re

from netmon_tui.domain.address import parse_ip
from netmon_tui.errors import InvalidInput

_LANGUAGE = """
    dst src link ether ppp slip fddi tr wlan arp rarp ip sctp tcp udp icmp igmp igrp pim vrrp carp
    radio ip6 icmp6 ah esp atalk aarp decnet lat sca moprc mopdl iso esis es-is isis is-is l1 l2 iih
    lsp snp csnp psnp clnp stp ipx netbeui host net mask port portrange proto protochain gateway
    type subtype direction dir address1 address2 address3 address4 addr1 addr2 addr3 addr4 ra ta
    less greater byte broadcast multicast and or not len length inbound outbound ifindex vlan mpls
    pppoed pppoes geneve lane llc metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic vpi vci connectmsg
    metaconnect on ifname rset ruleset rulenum rnum srnr subrulenum reason action fisu lssu lsu msu
    hfisu hlssu hmsu sio opc dpc sls hsio hopc hdpc hsls icmptype icmpcode icmp-echoreply
    icmp-unreach icmp-sourcequench icmp-redirect icmp-echo icmp-routeradvert icmp-routersolicit
    icmp-timxceed icmp-paramprob icmp-tstamp icmp-tstampreply icmp-ireq icmp-ireqreply icmp-maskreq
    icmp-maskreply icmp6type icmp6code icmp6-echo icmp6-echoreply icmp6-multicastlistenerquery
    icmp6-multicastlistenerreportv1 icmp6-multicastlistenerdone icmp6-routersolicit
    icmp6-routeradvert icmp6-neighborsolicit icmp6-neighboradvert icmp6-redirect icmp6-routerrenum
    icmp6-nodeinformationquery icmp6-nodeinformationresponse icmp6-ineighbordiscoverysolicit
    icmp6-ineighbordiscoveryadvert icmp6-multicastlistenerreportv2 icmp6-homeagentdiscoveryrequest
    icmp6-homeagentdiscoveryreply icmp6-mobileprefixsolicit icmp6-mobileprefixadvert
    icmp6-certpathsolicit icmp6-certpathadvert icmp6-multicastrouteradvert
    icmp6-multicastroutersolicit icmp6-multicastrouterterm icmp6-destinationunreach
    icmp6-packettoobig icmp6-timeexceeded icmp6-parameterproblem tcpflags tcp-fin tcp-syn tcp-rst
    tcp-push tcp-ack tcp-urg tcp-ece tcp-cwr
"""
_WORDS = frozenset(_LANGUAGE.split())
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


def check_words(capture_filter: str) -> None:
    """Refuse a filter with a word that would be looked up as a name.

    Raises:
        InvalidInput: With the position of the word.
    """
    before = ""
    for found in _WORD.finditer(capture_filter):
        word = found[0]
        if word in _WORDS:
            before = before if word in _CONNECTIVES else word
        elif not (_is_value(word) or before in _LOCAL_NAMES):
            raise InvalidInput(
                f"The filter has a word that would be looked up as a host name: {word}",
                why="names are not looked up in capture filters",
                fix="give the address",
                position=found.start(),
            )


def _is_value(word: str) -> bool:
    """Whether a word is a number, an address or an index, which need no looking up."""
    return bool(any(shape.fullmatch(word) for shape in (_NUMBER, _SLICE, _ETHER)) or parse_ip(word))
