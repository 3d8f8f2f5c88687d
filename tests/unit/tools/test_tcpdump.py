import pytest

from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.tcpdump import (
    build_command,
    check_interface,
    complaint,
)

TCPDUMP = "/usr/bin/tcpdump"
ENDED = """tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes
tcpdump: 3 packets captured, 8 packets received by filter, 0 packets dropped by kernel
1 packet captured
24 packets received by filter
2 packets dropped by kernel
"""


def test_the_plain_command():
    command = build_command(TCPDUMP, StartCapture("eth0"), "")
    assert command == (TCPDUMP, "-i", "eth0", "-n", "-B", "16384", "-s", "262144", "-w", "-")


def test_the_command_with_everything():
    request = StartCapture(
        "eth0.100",
        snaplen=96,
        packets=7,
        promiscuous=False,
        direction=Direction.IN,
        buffer_kib=2048,
        nanoseconds=True,
        immediate=True,
    )
    assert build_command(TCPDUMP, request, "tcp port 80") == (
        TCPDUMP, "-i", "eth0.100", "-n", "-B", "2048", "-s", "96", "-c", "7", "-p",
        "-Q", "in", "--time-stamp-precision=nano", "--immediate-mode", "-U", "-w", "-",
        "--", "tcp port 80",
    )  # fmt: skip


@pytest.mark.parametrize("filter_text", ["-w /tmp/x", "-z id"])
def test_a_filter_is_one_argument_after_the_options(filter_text):
    assert build_command(TCPDUMP, StartCapture("eth0"), filter_text)[-2:] == ("--", filter_text)


@pytest.mark.parametrize(
    "name", ["lo", "any", "eth0", "br-1a2b3c", "eth0.100", "wg_home", "veth12@if3"[:6], "a" * 15]
)
def test_interfaces(name):
    assert check_interface(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1",
        "42",
        "-w",
        "TCP@1.2.3.4:9",
        "../lo",
        "/dev/x",
        "a|b",
        "a" * 16,
        "eth0 ",
        "eth0\n",
        "éth0",
        "lo\0",
        ".",
    ],
)
def test_what_is_no_interface(name):
    with pytest.raises(InvalidInput):
        check_interface(name)


@pytest.mark.parametrize(
    "request_",
    [
        StartCapture("eth0", snaplen=0), StartCapture("eth0", snaplen=262_145), StartCapture("eth0", packets=-1),
        StartCapture("eth0", buffer_kib=1), StartCapture("-i"),
    ],
)  # fmt: skip
def test_bounds(request_):
    with pytest.raises(InvalidInput):
        build_command(TCPDUMP, request_, "")


def test_complaints():
    assert complaint(ENDED) == ""
    gone = ENDED + "tcpdump: pcap_loop: The interface disappeared\n"
    assert complaint(gone) == "pcap_loop: The interface disappeared"
    assert complaint("Warning: assuming Ethernet\ntcpdump: can't parse filter expression: syntax error") == (
        "can't parse filter expression: syntax error"
    )
