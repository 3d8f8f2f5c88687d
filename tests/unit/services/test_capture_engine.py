"""Which program captures, and what is said when it may not or cannot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from netmon_tui.domain.capture import CaptureFormat, Direction, StartCapture
from netmon_tui.errors import InvalidInput, PrivilegeMissing
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.services.capture_engine import CaptureEngine

PCAP, PCAPNG = StartCapture("lo"), StartCapture("lo", format=CaptureFormat.PCAPNG)


def engine(setting: str = "auto", *, tcpdump: bool = True, dumpcap: bool = True) -> CaptureEngine:
    privilege = Privilege(
        word="root",
        can_scan_raw=False,
        can_capture=tcpdump,
        can_count_in_kernel=False,
        nmap_needs_flag=False,
        can_capture_by_dumpcap=dumpcap,
    )
    return CaptureEngine(setting, privilege)


@pytest.mark.parametrize(
    ("tried", "request_", "told", "fix"),
    [
        (engine("tcpdump"), PCAPNG, "tcpdump writes classic pcap only", "netmon-tui config path"),
        (engine(dumpcap=False), PCAPNG, "pcapng needs dumpcap", "usermod -aG wireshark"),
        (engine(tcpdump=False, dumpcap=False), PCAP, "CAP_NET_RAW for tcpdump", "setcap"),
    ],
    ids=["setting", "dumpcap", "neither"],
)
def test_what_cannot_be_names_the_command_that_helps(
    tried: CaptureEngine, request_: StartCapture, told: str, fix: str
) -> None:
    with pytest.raises((InvalidInput, PrivilegeMissing), match=told) as error:
        tried.require(request_)
    assert fix in (error.value.fix or "")


@pytest.mark.parametrize(
    ("tried", "why", "fix"),
    [
        (engine("dumpcap"), "captures.engine is dumpcap", "netmon-tui config path"),
        (engine(tcpdump=False), "tcpdump, which can, may not open interfaces", "setcap"),
    ],
    ids=["setting", "privilege"],
)
def test_what_only_tcpdump_can_says_why_it_is_not_tcpdump(tried: CaptureEngine, why: str, fix: str) -> None:
    with pytest.raises(InvalidInput, match="dumpcap cannot capture with: one direction") as error:
        tried.command(replace(PCAP, direction=Direction.IN), "")
    assert error.value.why.startswith(why)
    assert fix in error.value.fix


def test_what_can_be_is_let_pass() -> None:
    engine().require(PCAPNG)
    engine(tcpdump=False).require(PCAP)
    engine("tcpdump", dumpcap=False).require(PCAP)
