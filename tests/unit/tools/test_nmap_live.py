"""Our command, run by the real nmap on this host's loopback, read by our parsers."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.scan import HostFound, PhaseBegan, PhaseProgress, PortDiscovered, ScanFinished
from netmon_tui.tools.nmap_arguments import build_command, parse_options
from netmon_tui.tools.nmap_progress import ScanPercent
from netmon_tui.tools.nmap_text import LiveText
from netmon_tui.tools.nmap_xml import NmapXmlParser

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed"),
]


@pytest.mark.parametrize(("address", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_an_open_and_a_closed_port(address: str, family: socket.AddressFamily, tmp_path: Path) -> None:
    if family is socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.socket(family) as listening, socket.socket(family) as closed:
        listening.bind((address, 0))
        listening.listen()
        closed.bind((address, 0))
        open_port, closed_port = listening.getsockname()[1], closed.getsockname()[1]
        options = parse_options(f"-sT -n -Pn -p {open_port},{closed_port}")
        command = build_command(
            "nmap",
            options,
            [address],
            xml_path=str(tmp_path / "%Y.xml"),
            version=None,
            privileged=False,
            ipv6=False,
        )
        text = subprocess.run(command.argv, capture_output=True, timeout=60, check=True).stdout
    parser, percent = NmapXmlParser(), ScanPercent(options, 1)
    events = parser.feed((tmp_path / "%Y.xml").read_bytes()) + parser.close()
    percents = [percent.update(event) for event in events]
    host = next(event.host for event in events if isinstance(event, HostFound))
    assert host.address == address
    assert {port.number: port.state for port in host.ports} == {open_port: "open", closed_port: "closed"}
    live = [event for event in LiveText().feed(text) if not isinstance(event, PhaseBegan | PhaseProgress)]
    assert live == [PortDiscovered(address, open_port, "tcp")]
    assert percents == sorted(percents) and percents[-1] == 100.0
    assert parser.finished and not parser.refused
    finished = events[-1]
    assert isinstance(finished, ScanFinished) and finished.exit == "success" and finished.hosts_up == 1
