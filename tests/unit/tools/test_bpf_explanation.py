"""Capture filters in words, and where and why one is wrong."""

from __future__ import annotations

import shutil
import subprocess
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf import check_text
from netmon_tui.tools.bpf_explanation import explain
from netmon_tui.tools.bpf_library import LIBRARY
from netmon_tui.tools.bpf_parser import parse
from netmon_tui.tools.bpf_tree import written

TCPDUMP = shutil.which("tcpdump") or ""
needs_tcpdump = [pytest.mark.lab, pytest.mark.skipif(not TCPDUMP, reason="tcpdump is not installed")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("tcp[13] & 2 != 0 and not port 22", "IPv4 TCP packets with SYN set, except to or from port 22"),
        ("tcp port 80 or 443", "TCP packets to or from port 80 or 443"),
        ("port (80 or 81)", "packets to or from port 80 or 81"),
        ("not host 10.0.0.1 and 10.0.0.2", "packets to or from 10.0.0.2, except to or from 10.0.0.1"),
        ("tcp or udp", "TCP or UDP packets"),
        ("tcp or udp and port 53", "(TCP or UDP) packets to or from port 53"),
        (
            "udp port 53 or tcp port 53 and src 10.0.0.1",
            "packets (UDP to or from port 53, or TCP to or from port 53) and from 10.0.0.1",
        ),
        (
            "(tcp and not port 22 or udp) and host 10.0.0.1",
            "packets ((TCP, except to or from port 22), or UDP) and to or from 10.0.0.1",
        ),
        ("not (port 22 and host 10.0.0.1)", "all packets except (to or from port 22 and to or from 10.0.0.1)"),
        ("not not arp", "all packets except (all except ARP)"),
        ("src and dst net 10", "packets both from and to network 10.0.0.0/8"),
        ("net 172.16 or 192.168.1", "packets to or from network 172.16.0.0/16 or 192.168.1.0/24"),
        ("net 10.0.0.0 or 10.0.0.0/8", "packets to or from network 10.0.0.0/32 or 10.0.0.0/8"),
        ("src host 10.1", "packets from 10.1.0.0/16"),
        ("src 10", "packets from 0.0.0.10"),
        ("dst portrange 8100-8000", "packets to ports 8000 to 8100"),
        ("ether src 02:00:5e:00:00:01", "packets from MAC address 02:00:5e:00:00:01"),
        ("arp host 10.0.0.1", "ARP packets with 10.0.0.1 as sender or target"),
        ("ip proto 89 or \\ospf", "IPv4 packets of IP protocol 89 (OSPF) or ospf"),
        ("ether proto 0x88cc", "packets of EtherType 0x88cc (LLDP)"),
        ("ether proto 0x42", "packets that meet `ether proto 0x42`"),
        ("multicast", "packets to a multicast or broadcast MAC address"),
        ("ip multicast", "IPv4 packets to an address from 224.0.0.0 up (multicast, broadcast)"),
        ("less 128", "packets of at most 128 bytes"),
        ("len >= 0x80", "packets with a length of at least 0x80 bytes"),
        ("inbound", "packets not sent by this machine"),
        ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "IPv4 TCP packets with FIN or SYN set"),
        ("tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", "IPv4 TCP packets with SYN set and without ACK"),
        ("tcp[13] = 2", "IPv4 TCP packets with SYN set and no other flag"),
        ("tcp[13] & 6 = 0", "IPv4 TCP packets with none of SYN, RST set"),
        ("tcp[13] & 3 = 4", "IPv4 TCP packets with byte 13 of the TCP header, masked with 0x3, equal to 4"),
        ("0x50 = tcp[2:2]", "IPv4 TCP packets with destination port equal to 0x50"),
        ("5 > ip[8]", "IPv4 packets with TTL below 5"),
        ("tcp[16:2] = 0xbeef", "IPv4 TCP packets with bytes 16 to 17 of the TCP header equal to 0xbeef"),
        (
            "udp[8:2] = 1",
            "IPv4 UDP packets with bytes 8 to 9 from the start of the UDP header equal to 1",
        ),
        ("icmp[icmptype] != icmp-echo", "ICMP packets with type other than 8 (echo request)"),
        ("ip[6:2] & 0x1fff = 0", "IPv4 packets that are whole or the first fragment"),
        (
            "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
            'IPv4 TCP packets with bytes 0 to 3 of the TCP payload equal to 0x47455420 ("GET ")',
        ),
        ("ip[2:2] - 20 > 1 ^ 2", "packets where `ip[2:2] - 20 > 1 ^ 2`"),
        ("vlan 5 and ip6", "packets with VLAN 5 and carrying IPv6 behind the VLAN tag"),
        ("wlan type mgt", "packets that meet `type mgt`"),
        ("(" * 60 + "tcp" + ")" * 60, ""),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_filters_in_words(text: str, words: str) -> None:
    found = explain(text).text
    assert found == words.replace("SYN or FIN", "FIN or SYN").replace(
        "all packets except ARP)", "all except ARP)"
    )


@pytest.mark.parametrize(
    ("text", "cautions"),
    [
        ("inbound and udp", ["choose the direction `in` instead"]),
        ("not outbound or outbound", ["choose the direction `out` instead"]),
        ("tcp and port 80 or udp", []),
        ("tcp or udp and port 80", ["this is `(tcp or udp) and port 80`"]),
        ("port 80 or 81 and src 10.0.0.1", ["this is `(port 80 or port 81) and src 10.0.0.1`"]),
        ("vlan and tcp", []),
        ("vlan and tcp or arp", ["behind the VLAN tag"]),
        ("udp[8] = 1 and ip[8] = 1 and udp[9] = 1", ["`udp[...]` looks at IPv4 alone"]),
    ],
)
def test_what_surprises_is_told(text: str, cautions: list[str]) -> None:
    found = explain(text).cautions
    assert len(found) == len(cautions)
    assert all(words in one for words, one in zip(cautions, found, strict=True))


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("tcp port", 8, "after `tcp port` a port number or the name of a service is expected"),
        ("tcp and (port or udp)", 14, "after `port` a port number or the name of a service is expected, not `or`"),
        ("(tcp or) and udp", 7, "after `or` a condition is expected, such as `port 80` or `tcp`, not `)`"),
        ("tcp and", 7, "after `and` a condition is expected"),
        ("tcp && not", 10, "after `not` a condition is expected"),
        ("tcp port 80 udp", 12, "`and` or `or` is expected before `udp`"),
        ("(tcp udp) or arp", 5, "`and`, `or` or `)` is expected"),
        ("tcp and (udp 53)", 13, "between `udp` and `53` a word such as `port` or `host` is missing"),
        ("tcp or 80", 7, "`80` says nothing alone"),
        ("port 70000", 5, "the largest is 65535"),
        ("portrange 1 - 2", 12, "without spaces"),
        ("tcp src port 80-90", 13, "a range is written `src portrange 80-90`"),
        ("tcp or net 10.1.2.3/8", 11, "10.1.2.3 is an address in the network 10.0.0.0/8"),
        ("net 10.0.0.0/33", 13, "at most 32 bits"),
        ("net 10/8", 4, "10.0.0.0/8"),
        ("src 10.0.0.0/8", 12, "a network stands after `net`"),
        ("host 10.0.0.256", 5, "10.0.0.256 is no address"),
        ("tcp host 10.0.0.1", 9, "write `tcp and host ...`"),
        ("arp and host 02:00:5e:00:00:01", 13, "a MAC address stands after `ether host`"),
        ("ip proto tcp", 9, "write `\\tcp`"),
        ("tcp[13] & 2", 11, "after `tcp[13] & 2` a comparison"),
        ("(tcp[13] & 2) and udp", 12, "after `tcp[13] & 2` a comparison"),
        ("tcp[13:3] = 1", 7, "1, 2 or 4"),
        ("tcp[13 = 2", 7, "`]` is expected"),
        ("tcp[13] = ", 9, "after `=` a number or bytes"),
        ("port 08", 5, "no octal number"),
        ("less tcp", 5, "after `less` a number is expected"),
        ("tcp ; udp", 4, "';' has no meaning here"),
        ("len > 4294967296", 6, "more than 32 bits"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert (caught.value.position, words in caught.value.why) == (position, True), caught.value


# --- filters whose meaning is known because they are built from it ---------------------------------


class Known(NamedTuple):
    """A filter, and words that its explanation must have in their order."""

    text: str
    words: tuple[str, ...]


PRIMITIVES = (
    Known("arp", ("ARP",)),
    Known("udp", ("UDP",)),
    Known("tcp src port 22", ("TCP", "from port 22")),
    Known("port 53 or 54", ("to or from port 53 or 54",)),
    Known("dst host 10.0.0.1", ("to 10.0.0.1",)),
    Known("net 192.168", ("network 192.168.0.0/16",)),
    Known("ether broadcast", ("to the broadcast MAC address",)),
    Known("less 99", ("at most 99 bytes",)),
    Known("tcp[13] & 4 != 0", ("TCP", "RST set")),
    Known("ip[8] < 9", ("IPv4", "TTL below 9")),
)


def joined(parts: list[Known], connective: str) -> Known:
    text = f" {connective} ".join(f"({part.text})" for part in parts)
    return Known(text, tuple(word for part in parts for word in part.words))


FILTERS = st.recursive(
    st.sampled_from(PRIMITIVES),
    lambda some: st.one_of(
        st.builds(joined, st.lists(some, min_size=2, max_size=3), st.sampled_from(("and", "or"))),
        some.map(lambda one: Known(f"not ({one.text})", ("except", *one.words))),
    ),
    max_leaves=6,
)


@given(FILTERS)
@settings(max_examples=150, deadline=None)
def test_every_part_is_said_and_brackets_match(known: Known) -> None:
    said = explain(known.text).text
    for word in known.words:
        assert word in said
    assert said.count("(") == said.count(")")
    assert said.count("except") == known.words.count("except")


@given(st.lists(st.sampled_from(PRIMITIVES), min_size=2, max_size=4, unique=True))
@settings(max_examples=60, deadline=None)
def test_alternatives_are_said_in_their_order(parts: list[Known]) -> None:
    said, at = explain(" or ".join(f"({part.text})" for part in parts)).text, 0
    for part in parts:
        for word in part.words:
            at = said.index(word, at)


MIXED = st.lists(
    st.sampled_from(
        (
            "tcp", "udp port 53", "port 80 or 81", "not host 10.0.0.1", "10.0.0.2", "dst net 10", "(arp or icmp)",
            "ip6", "tcp[13] & 2 != 0", "81", "(81 or 82)", "not 5353", "len > 100 + 2 * 3", "vlan 5",
            "src 10.0.0.3 or not 10.0.0.4",
        )
    ),
    min_size=2,
    max_size=5,
)  # fmt: skip


@needs_tcpdump[0]
@needs_tcpdump[1]
@given(MIXED, st.lists(st.sampled_from(("and", "or")), min_size=4, max_size=4))
@example(["tcp", "port 80 or 81", "81"], ["or", "and", "or", "or"])
@settings(max_examples=60, deadline=None)
def test_a_filter_is_read_as_libpcap_reads_it(parts: list[str], connectives: list[str]) -> None:
    """With every bracket and qualifier written out it is the same program, or as wrong as before."""
    text = parts[0] + "".join(f" {how} {part}" for how, part in zip(connectives, parts[1:], strict=False))
    program = compiled(text)
    try:
        tree = parse(text)
    except InvalidInput:
        assert program == ""
        return
    assert tree is not None
    assert compiled(written(tree.root)) == program


def compiled(text: str) -> str:
    """The program of a filter; empty when it does not compile."""
    argv = [TCPDUMP, "-y", "EN10MB", "-ddd", "--", text]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20).stdout


# --- the library ------------------------------------------------------------------------------------


def test_the_library_has_words_for_everything() -> None:
    for one in LIBRARY:
        assert check_text(one.text) == one.text
        assert explain(one.text).text and "`" not in explain(one.text).text, one
        assert one.meaning.endswith(".") and len(one.meaning) <= 90
    assert len({one.name.casefold() for one in LIBRARY}) == len(LIBRARY) >= 25


@needs_tcpdump[0]
@needs_tcpdump[1]
def test_the_library_compiles() -> None:
    assert [one.name for one in LIBRARY if not compiled(one.text)] == []
