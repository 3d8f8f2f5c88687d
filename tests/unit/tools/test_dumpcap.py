import pytest

from netmon_tui.domain.capture import CaptureFormat, Direction, StartCapture
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.dumpcap import build_command

DUMPCAP = "/usr/bin/dumpcap"


def test_the_command():
    request = StartCapture("eth0", snaplen=96, packets=7, promiscuous=False, buffer_kib=1500)
    assert build_command(DUMPCAP, request, "-w /tmp/x") == (
        DUMPCAP, "-P", "-w", "-", "-B", "2", "-s", "96", "-c", "7", "-p", "-f", "-w /tmp/x", "-i", "eth0",
    )  # fmt: skip


def test_as_pcapng_it_captures_several_interfaces_in_nanoseconds():
    request = StartCapture("eth0,wg-home", format=CaptureFormat.PCAPNG, nanoseconds=True)
    command = build_command(DUMPCAP, request, "arp")
    assert command[1:4] == ("-n", "-w", "-")
    assert command[command.index("-C") + 1] == str(2 * 16 << 20)
    assert command[-6:] == ("-f", "arp", "-i", "eth0", "-i", "wg-home")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"direction": Direction.OUT}, "one direction"),
        ({"nanoseconds": True}, "nanoseconds"),
        ({"immediate": True}, "each packet at once"),
        ({"interface": "TCP@192.0.2.1"}, "no interface name"),
        ({"interface": "/tmp/pipe"}, "no interface name"),
        ({"buffer_kib": 63}, "buffer"),
        ({"interface": "eth0,eth1"}, "one interface"),
        ({"format": CaptureFormat.PCAPNG, "immediate": True}, "writes no pcapng"),
        ({"format": CaptureFormat.PCAPNG, "interface": "eth0,eth0"}, "named twice"),
        ({"format": CaptureFormat.PCAPNG, "interface": "eth0,any"}, "any has the packets"),
        ({"format": CaptureFormat.PCAPNG, "interface": "eth0,"}, "interface is needed"),
        (
            {"format": CaptureFormat.PCAPNG, "interface": ",".join(f"v{n}" for n in range(17))},
            "17 interfaces",
        ),
    ],
    ids=str,
)
def test_what_it_cannot_or_must_not_do(asked, why):
    with pytest.raises(InvalidInput, match=why):
        build_command(DUMPCAP, StartCapture(**{"interface": "eth0"} | asked), "")
