"""The figures of captures that have ended, by their files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.job import CaptureCounters
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services import capture_stock
from netmon_tui.services.capture_stock import of_files, take_stock
from netmon_tui.tools.bpf import with_protocols
from tests.bench.generate_pcap import generate
from tests.unit.tools.packet_samples import SAMPLES, file_of

KERNELS = CaptureCounters(protocols=(("tcp", 12), ("udp", 6), ("icmp", 2), ("arp", 0)), captured=5)
TCPDUMP = find_tool("tcpdump")


def test_protocols_are_those_of_the_packets_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "capture-000001.pcap", 5)
    generate(tmp_path / "capture-000002.pcap", 3)
    files = take_stock(tmp_path).files
    found = of_files(KERNELS, files)
    assert (found.packets, found.files, found.captured) == (8, 2, 5)
    assert [name for name, _ in found.protocols] == ["tcp", "udp", "icmp", "arp"]
    assert sum(count for _, count in found.protocols) == 8
    monkeypatch.setattr(capture_stock, "_MOST_COUNTED", 7)
    assert of_files(KERNELS, files).protocols == (), "they are of more packets than there are"
    assert of_files(CaptureCounters(), files).protocols == ()


@pytest.mark.skipif(not TCPDUMP, reason="tcpdump is not installed")
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_packet_is_of_the_protocol_that_bpf_takes_it_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(file_of(SAMPLES[name]))
    ours = dict(of_files(KERNELS, take_stock(tmp_path).files).protocols)
    for protocol, text in with_protocols("")[1:]:
        command = [str(TCPDUMP), "-r", "-", "-w", "-", f"({text}) or (vlan and ({text}))"]
        kept = subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True).stdout
        assert ours[protocol] == (len(kept) > 24), protocol
