import pytest

from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.dumpcap import build_command

DUMPCAP = "/usr/bin/dumpcap"


def test_the_command():
    request = StartCapture("eth0", snaplen=96, packets=7, promiscuous=False, buffer_kib=1500)
    assert build_command(DUMPCAP, request, "-w /tmp/x") == (
        DUMPCAP, "-P", "-w", "-", "-i", "eth0", "-B", "2", "-s", "96", "-c", "7", "-p", "-f", "-w /tmp/x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"direction": Direction.OUT}, "one direction"),
        ({"nanoseconds": True}, "nanoseconds"),
        ({"immediate": True}, "each packet at once"),
        ({"interface": "TCP@192.0.2.1"}, "no interface name"),
        ({"interface": "/tmp/pipe"}, "no interface name"),
        ({"buffer_kib": 63}, "buffer"),
    ],
    ids=str,
)
def test_what_it_cannot_or_must_not_do(asked, why):
    with pytest.raises(InvalidInput, match=why):
        build_command(DUMPCAP, StartCapture(**{"interface": "eth0"} | asked), "")
