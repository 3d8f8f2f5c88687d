import pytest

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf import PROTOCOLS, both, build_filter, check_text, exclude_ssh, with_protocols


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("", "", ""), ""),
        (("tcp", "", ""), "tcp"),
        (("TCP ", " 192.0.2.1 ", " 80 "), "tcp and host 192.0.2.1 and port 80"),
        (("", "2001:db8::1", "8000-8100"), "host 2001:db8::1 and portrange 8000-8100"),
        (("", "fe80::1%eth0", ""), "host fe80::1"),
        (("udp", "10.1.2.3/8", ""), "udp and net 10.0.0.0/8"),
        (("", "2001:db8::5/64", ""), "net 2001:db8::/64"),
        (("arp", "02-00-5E-10-00-01", ""), "arp and ether host 02:00:5e:10:00:01"),
        (("dns", "192.0.2.1", ""), "port 53 and host 192.0.2.1"),
        (
            ("dhcp", "192.0.2.1", ""),
            "(udp and (port 67 or port 68 or port 546 or port 547)) and host 192.0.2.1",
        ),
        (("sctp", "", "0"), "sctp and port 0"),
    ],
)
def test_the_simple_fields_make_a_filter(fields, expected):
    assert build_filter(*fields) == expected
    assert check_text(expected) == expected


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("gopher", "", ""), "Unknown protocol"),
        (("arp", "", "80"), "arp and a port"),
        (("dns", "", "80"), "dns and a port"),
        (("", "example.test", ""), "names are not looked up"),
        (("", "10.0.0.1 or tcp", ""), "no address or network"),
        (("", "0177.0.0.1", ""), "no address or network"),
        (("", "-w", ""), "no address or network"),
        (("", "", "65536"), "no port"),
        (("", "", "9-1"), "no port"),
        (("", "", "http"), "no port"),
        (("", "", "80 or port 81"), "no port"),
        (("", "", "٨٠"), "no port"),
    ],
)
def test_wrong_fields_are_refused_with_the_reason(fields, words):
    with pytest.raises(InvalidInput, match=words):
        build_filter(*fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tcp port 80 and not host 192.0.2.1",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and not src and dst net 10.0.0.0/8",
        "ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2) != 0",
        "tcp[(tcp[12]>>2):4] = 0x47455420",
        "port http or https",
        "src port ftp-data and dst host 192.0.2.1",
        "portrange 8000-8100",
        "ip proto ospf or ip6 proto \\icmp6",
        "net 10 or net 192.168 or host ::1 or net 2001:db8::/32",
        "ether host aa:bb:cc:dd:ee:ff or ether src 02-00-00-00-00-01",
        "vlan 100 && arp || icmp6 && ip6[40] == 135",
        "icmp[icmptype] == icmp-echo",
        "len <= 128 or greater 1000 or broadcast",
    ],
)
def test_filters_without_names_pass(text):
    assert check_text(f" {text} ") == text


@pytest.mark.parametrize(
    ("text", "words", "position"),
    [
        ("x" * 1025, "too long", 1024),
        ("tcp\nport 80", "printable ASCII", 3),
        ("tcp\0", "printable ASCII", 3),
        ("tcp port ８０", "printable ASCII", 9),
        ("tcp\x1b[2J", "printable ASCII", 3),
        ("host example.test", "names are not looked up", 5),
        ("tcp and example", "names are not looked up", 8),
        ("port 80 and dst example", "names are not looked up", 16),
        ("host 1-2", "names are not looked up", 5),
        ("net loopback", "names are not looked up", 4),
        ("host 1.2.3.4.5", "names are not looked up", 5),
        ("host \\tcp", "names are not looked up", 5),
        ("TCP", "names are not looked up", 0),
        ("tcp; id", "names are not looked up", 5),
        ("tcp) or (udp", "closes a parenthesis", 3),
        ("(tcp and (udp)", "does not close", 0),
    ],
)
def test_other_text_is_refused_where_it_begins(text, words, position):
    with pytest.raises(InvalidInput, match=words) as caught:
        check_text(text)
    assert caught.value.position == position


def test_the_own_session_is_left_out_both_ways():
    own = "not (host 192.0.2.9 and host 192.0.2.1 and tcp port 50000 and tcp port 22)"
    assert exclude_ssh("", "192.0.2.9", 50000, "192.0.2.1", 22) == own
    assert exclude_ssh("udp or tcp", "192.0.2.9", 50000, "192.0.2.1", 22) == f"(udp or tcp) and {own}"


def test_addresses_of_the_session_are_as_in_packets():
    own = exclude_ssh("", "::ffff:192.0.2.9", 1, "fe80::1%eth0", 22)
    assert own == "not (host 192.0.2.9 and host fe80::1 and tcp port 1 and tcp port 22)"
    for wrong in (("localhost", 1), ("192.0.2.1", 65536), ("192.0.2.1", -1)):
        with pytest.raises(InvalidInput):
            exclude_ssh("", *wrong, "192.0.2.1", 22)


def test_what_is_counted_keeps_the_filter_whole():
    assert with_protocols("") == [
        ("total", ""), ("tcp", "tcp"), ("udp", "udp"), ("icmp", "icmp or icmp6"), ("arp", "arp"),
    ]  # fmt: skip
    assert dict(with_protocols("port 1 or port 2"))["icmp"] == "(port 1 or port 2) and (icmp or icmp6)"
    assert both("", "") == ""


def test_every_protocol_of_the_form_passes_the_check():
    for name in PROTOCOLS:
        assert check_text(build_filter(name, "192.0.2.1")) == build_filter(name, "192.0.2.1")
