"""Display filters as text."""

import pytest

from netmon_tui.domain.display_filter import (
    check_text,
    filter_of,
    is_counted,
    join,
    needs_all,
    numbers_packets,
    word_before,
)
from netmon_tui.errors import InvalidInput


@pytest.mark.parametrize("text", ["tcp\x1b[31m", "a\nb", "x" * 1_001, "\u202etcp"])
def test_what_no_filter_needs_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_text(text)


def test_outer_spaces_are_left_out() -> None:
    assert check_text("  tcp ") == "tcp" and check_text(" ") == ""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ip.ttl", "64", "ip.ttl == 64"),
        ("ip.src", "192.0.2.1", "ip.src == 192.0.2.1"),
        ("ipv6.src", "2001:db8::1", "ipv6.src == 2001:db8::1"),
        ("eth.src", "02:00:00:00:00:01", "eth.src == 02:00:00:00:00:01"),
        ("eth.type", "0x0800", "eth.type == 0x0800"),
        ("http.host", 'a"\\b', r'http.host == "a\"\\b"'),
        ("tcp", "", "tcp"),
        ("", "text", ""),
    ],
)
def test_the_filter_of_a_field(name: str, value: str, expected: str) -> None:
    assert filter_of(name, value) == expected


@pytest.mark.parametrize(
    ("present", "how", "expected"),
    [
        ("", "and", "ip"),
        ("udp", "only", "ip"),
        ("udp", "and", "udp && ip"),
        ("udp or tcp", "and", "(udp or tcp) && ip"),
        ("udp || tcp", "not", "(udp || tcp) && !(ip)"),
        ("", "not", "!(ip)"),
    ],
)
def test_one_more_condition(present: str, how: str, expected: str) -> None:
    assert join(present, "ip", how) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("tcp.po", "tcp.po"), ("ip && tc", "tc"), ('http.host == "tc', ""), ("tcp.port == ", ""), ("!ud", "ud")],
)
def test_the_word_before_the_cursor(text: str, expected: str) -> None:
    assert word_before(text, len(text)) == expected


def test_what_counts_within_a_window() -> None:
    for field in ("tcp.stream", "udp.stream", "tcp.seq", "tcp.analysis", "tcp.analysis.retransmission"):
        assert is_counted(field), field
    assert not is_counted("tcp.seq_raw") and not is_counted("tcp.port") and not is_counted("frame.number")


def test_fields_whose_values_are_numbers_of_packets() -> None:
    for field in (
        "frame.number", "icmp.resp_to", "dns.response_in", "http.request_in", "tcp.reassembled_in",
        "ipv6.reassembled.in", "stun.response-to", "rpc.repframe", "tftp.request_frame", "diameter.answer_in",
        "btatt.request_in_frame", "rtp.setup-frame", "ip.fragment", "ipv6.fragment", "tcp.segment",
    ):  # fmt: skip
        assert numbers_packets(field), field
    for field in (
        "imf.reply",
        "c1222.timingsetup.respto",
        "mongo.response_to",
        "frame.len",
        "tcp.segment_data",
        "wlan.frag",
        "tcp.port",
    ):
        assert not numbers_packets(field), field


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("udp && tcp.stream == 3", True),
        ("udp.stream==1", True),
        ("(tcp.stream == 1)", True),
        ("tcp.stream in {1, 2}", True),
        ("rpc.repframe == 7", True),
        ("frame.number > 5", True),
        ("dns.response_to", True),
        ("!icmp.resp_in", True),
        ("ip.reassembled_in == 7", True),
        ("udp.port == 53 or tls.handshake", False),
        ('http.host contains "tcp.stream"', False),
        ("frame.len > 100 && tcp.flags.ack == 1", False),
    ],
)
def test_filters_for_which_packets_far_before_matter(text: str, expected: bool) -> None:
    assert needs_all(text) is expected
