"""Captures as pcapng: ``python -m tests.unit.runtime.pcapng_scenarios NAME DIRECTORY``, as the others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from netmon_tui.domain.capture import CaptureFormat, StartCapture
from netmon_tui.domain.capture_files import PCAPNG, SMALLEST_FILE, file_name
from netmon_tui.domain.job import EndReason, JobKind, JobLimits, JobSpec, Rotation
from netmon_tui.runtime.jobs import JobHandle, start_job
from netmon_tui.tools.dumpcap import build_command
from netmon_tui.tools.file_set import FileSetReader, packet_files
from netmon_tui.tools.pcap_files import trim
from tests.lab.flood import flood
from tests.unit.runtime.capture_scenarios import counters, make_network, program, small_disk, stop
from tests.unit.runtime.waiting import ended, wait_for

BOTH = ("va", "vb")
"""What one sends the other gets; the flood passes by what looks at the sender's own packets."""


def capture(directory: Path, rotation: Rotation | None = None, **limits: int) -> JobHandle:
    rotation = rotation or Rotation()
    request = StartCapture(",".join(BOTH), format=CaptureFormat.PCAPNG)
    spec = JobSpec(
        JobKind.CAPTURE,
        build_command("/usr/bin/dumpcap", request, ""),
        JobLimits(**({"free_space_floor": 0} | limits)),
        capture_file=file_name(numbered=rotation.is_on, pcapng=True),
        rotation=rotation,
        counter_programs=(("total", program("va", "")),),
        counter_interface=",".join(BOTH),
    )
    return start_job(directory, spec)


def interfaces(path: Path) -> list[str]:
    """Of each packet of a file, which tshark must find whole, the name of its interface."""
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.interface_name"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def packets_of_two_interfaces_are_counted_together(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 20_000)
    flood("vb", 3000)
    wait_for(lambda: counters(directory).packets == 23_000, "the kernel's count is of both")
    wait_for(lambda: counters(directory).captured == 23_000, "dumpcap has seen the last one")
    found = stop(directory).counters
    assert found
    assert (found.packets, found.captured, found.received, found.dropped) == (23_000, 23_000, 23_000, 0)
    (path,) = packet_files(directory)
    assert path.suffix == PCAPNG
    assert sorted(interfaces(path)) == ["va"] * 3000 + ["vb"] * 20_000
    handle.close()


def every_file_of_a_ring_describes_the_interfaces(directory: Path) -> None:
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE, files=3))
    flood("va", 10_000, 10_000)
    found = stop(directory).counters
    assert found
    files = packet_files(directory)
    assert len(files) == 3
    assert found.captured == 10_000
    of_each = [interfaces(path) for path in files]
    assert sum(map(len, of_each)) == found.packets == 10_000 - found.overwritten
    assert found.overwritten > 0
    assert all(set(names) <= set(BOTH) for names in of_each)
    with FileSetReader(directory) as reader:
        joined = directory.parent / "joined.pcapng"
        joined.write_bytes(b"".join(reader.pieces()))
    assert interfaces(joined) == [name for names in of_each for name in names]
    assert trim(files[0]).bytes == files[0].stat().st_size <= SMALLEST_FILE
    handle.close()


def a_killed_dumpcap_leaves_whole_packets(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 10_000)
    wait_for(lambda: counters(directory).bytes > 1 << 20, "packets in the file")
    os.kill(handle.status.tool_pid, signal.SIGKILL)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.FAILED, "ended by SIGKILL")
    assert status.counters
    (path,) = packet_files(directory)
    assert 0 < status.counters.packets == len(interfaces(path)) <= 10_000
    assert status.counters.bytes == path.stat().st_size
    handle.close()


def a_full_disk_ends_pcapng_with_whole_packets(directory: Path) -> None:
    directory = small_disk(directory, "1m")
    handle = capture(directory)
    flood("va", 10_000)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.DISK_FULL, "No space left on device")
    assert status.counters
    (path,) = packet_files(directory)
    assert status.counters.packets == len(interfaces(path)) > 2000
    assert status.counters.bytes == path.stat().st_size
    handle.close()


SCENARIOS = [
    packets_of_two_interfaces_are_counted_together,
    every_file_of_a_ring_describes_the_interfaces,
    a_killed_dumpcap_leaves_whole_packets,
    a_full_disk_ends_pcapng_with_whole_packets,
]


if __name__ == "__main__":
    make_network()
    chosen = {scenario.__name__: scenario for scenario in SCENARIOS}[sys.argv[1]]
    chosen(Path(sys.argv[2]) / "job")
