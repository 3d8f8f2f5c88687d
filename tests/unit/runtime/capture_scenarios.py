"""Captures on a network of their own: ``python -m tests.unit.runtime.capture_scenarios NAME DIRECTORY``.

Run by test_captures.py in new network and mount namespaces: a pair ``va``/``vb``, the loopback, and nothing else.
Every scenario is a function that asserts.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from netmon_tui.domain.job import CaptureCounters, EndReason, JobKind, JobLimits, JobSpec, JobStatus
from netmon_tui.errors import ToolFailed
from netmon_tui.runtime.job_directory import JobDirectory
from netmon_tui.runtime.jobs import (
    JobHandle,
    request_stop,
    runner_is_alive,
    start_job,
    sweep_orphan,
)
from netmon_tui.runtime.process_identity import send_signal
from netmon_tui.runtime.runner.status import StatusFile
from tests.lab import flood as flooding
from tests.lab.flood import flood, kinds
from tests.unit.runtime.waiting import ended, is_gone, wait_for

TCPDUMP = "/usr/bin/tcpdump"
DUMPCAP = ("/usr/bin/dumpcap", "-P", "-w", "-", "-i", "vb", "-B", "16")
KINDS = ("tcp", "udp", "icmp", "arp")


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def make_network() -> None:
    run("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb")
    for name in ("va", "vb", "lo"):
        # Without IPv6 nothing is sent but what we send.
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        run("ip", "link", "set", name, "up")


def program(interface: str, expression: str) -> str:
    return run(TCPDUMP, "-i", interface, "-ddd", "--", expression)


def capture(
    directory: Path,
    interface: str = "vb",
    expression: str = "",
    *options: str,
    kinds: tuple[str, ...] = KINDS,
    counted: str = "",
    tool: tuple[str, ...] = (),
    **limits: float,
) -> JobHandle:
    """Start one; tcpdump refuses to compile what no packet can be, so ``kinds`` must fit the expression."""
    counted = counted or expression
    both = [(kind, f"({counted}) and {kind}" if counted else kind) for kind in kinds]
    programs = tuple((kind, program(interface, text)) for kind, text in both)
    argv = tool or (TCPDUMP, "-n", "-i", interface, "-B", "16384", "-w", "-", *options, "--", expression)
    spec = JobSpec(
        JobKind.CAPTURE,
        argv,
        JobLimits(**({"free_space_floor": 0} | limits)),
        capture_file="c.pcap",
        counter_programs=(("total", program(interface, counted)), *programs),
        counter_interface=interface,
    )
    return start_job(directory, spec)


def counters(directory: Path) -> CaptureCounters:
    status = JobDirectory(directory).read_status()
    assert status
    assert status.counters
    return status.counters


def records(directory: Path) -> int:
    """How many whole records tcpdump itself finds in the file; it complains about a cut one."""
    done = subprocess.run(
        [TCPDUMP, "-n", "-r", directory / "c.pcap", "--count"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0])


def stop(directory: Path) -> JobStatus:
    request_stop(directory)
    status = ended(directory)
    assert status.why is EndReason.STOPPED
    assert status.counters
    return status


def assert_agree(directory: Path, packets: int) -> None:
    """The status, the file and tcpdump agree on the number of packets."""
    found = counters(directory)
    assert (found.packets, found.captured, records(directory)) == (packets,) * 3, found
    assert found.bytes == (directory / "c.pcap").stat().st_size
    assert found.dropped == 0


def send_datagrams(count: int) -> None:
    """Send through the loopback as programs do, which the kernel shows twice: going out and coming in."""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        receiver.bind(("127.0.0.1", 0))
        for _ in range(count):
            sender.sendto(b"datagram", receiver.getsockname())


def counted_exactly(directory: Path, interface: str, sender: str, datagrams: int = 0) -> None:
    handle = capture(directory, interface)
    assert handle.status.state == "running"
    packets = 2345 + datagrams
    flood(sender, 2345)
    send_datagrams(datagrams)
    protocols = kinds(2345) + Counter(udp=datagrams)
    expected = CaptureCounters(packets=packets, protocols=tuple((kind, protocols[kind]) for kind in KINDS))

    def live() -> bool:
        now = counters(directory)
        return (now.packets, now.protocols) == (expected.packets, expected.protocols)

    wait_for(live, f"{expected}: {counters(directory)}")
    assert stop(directory).exit_status == 0
    assert live()
    assert_agree(directory, packets)
    handle.close()


def counted_on_ethernet(directory: Path) -> None:
    counted_exactly(directory, "vb", "va")


def counted_on_loopback(directory: Path) -> None:
    counted_exactly(directory, "lo", "lo", 500)


def counted_on_any(directory: Path) -> None:
    counted_exactly(directory, "any", "va", 500)


def counted_with_a_filter(directory: Path) -> None:
    handle = capture(directory, "vb", "udp or arp", kinds=("udp", "arp"))
    flood("va", 1000)
    stop(directory)
    assert_agree(directory, 300)
    assert Counter(dict(counters(directory).protocols)) == Counter(udp=200, arp=100)
    handle.close()


def counted_by_direction(directory: Path) -> None:
    ways = {"in": "inbound", "out": "outbound"}
    handles = [capture(directory / way, "vb", "", "-Q", way, counted=ways[way]) for way in ways]
    flood("va", 2345)
    wait_for(lambda: counters(directory / "in").packets == 2345, "what comes in is counted")
    for way, packets in (("in", 2345), ("out", 0)):
        stop(directory / way)
        assert_agree(directory / way, packets)
    for handle in handles:
        handle.close()


def nothing_is_lost_by_stopping_at_once(directory: Path) -> None:
    """tcpdump alone leaves the kernel's last block unread on SIGINT."""
    handle = capture(directory)
    flood("va", 777)
    stop(directory)
    assert_agree(directory, 777)
    handle.close()


def nothing_is_lost_at_the_deadline(directory: Path) -> None:
    handle = capture(directory, seconds=1.0)
    flood("va", 777)
    assert ended(directory).why is EndReason.DEADLINE
    assert_agree(directory, 777)
    handle.close()


def silence_is_recorded_too(directory: Path) -> None:
    handle = capture(directory)
    stop(directory)
    assert_agree(directory, 0)
    handle.close()


def ends_at_its_packet_count(directory: Path) -> None:
    handle = capture(directory, "vb", "", "-c", "100")
    flood("va", 500)
    assert ended(directory).why is EndReason.FINISHED
    assert_agree(directory, 100)
    handle.close()


def ends_at_its_size(directory: Path) -> None:
    handle = capture(directory, output_bytes=1 << 20)
    flood("va", 20_000, 20_000)
    status = ended(directory)
    assert status.why is EndReason.SIZE_LIMIT
    assert status.counters
    assert status.counters.packets == status.counters.captured == records(directory)
    assert 1 << 20 <= status.counters.bytes < 4 << 20
    handle.close()


def a_reader_of_the_file_sees_the_last_packet_of_a_silence(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 5)
    size = 24 + 5 * 16 + 5 * 400
    wait_for(lambda: (directory / "c.pcap").stat().st_size == size, "all packets in the file")
    assert runner_is_alive(handle.status, directory)
    flood("va", 5)
    wait_for(lambda: (directory / "c.pcap").stat().st_size == 2 * size - 24, "the next ones too")
    stop(directory)
    assert_agree(directory, 10)
    handle.close()


def counts_of_tcpdump_do_where_the_kernels_cannot_be_had(directory: Path) -> None:
    argv = (TCPDUMP, "-n", "-i", "vb", "-w", "-")
    limits = JobLimits(free_space_floor=0)
    spec = JobSpec(
        JobKind.CAPTURE,
        argv,
        limits,
        capture_file="c.pcap",
        counter_programs=(("total", "?"),),
        counter_interface="vb",
    )
    handle = start_job(directory, spec)
    flood("va", 777)
    wait_for(lambda: counters(directory).packets == 777, "tcpdump's own figure")
    flood("va", 333)
    stop(directory)
    assert_agree(directory, 1110)
    assert counters(directory).protocols == ()
    handle.close()


def a_flood_is_counted(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 200_000)
    stop(directory)
    found = counters(directory)
    assert found.captured + found.dropped == found.received == 200_000
    assert found.packets == found.captured == records(directory)
    assert dict(found.protocols) == kinds(200_000)
    handle.close()


def small_disk(directory: Path, size: str) -> Path:
    disk = directory.parent / "disk"
    disk.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk))
    return disk / "job"


def a_full_disk_ends_it_with_whole_records(directory: Path) -> None:
    directory = small_disk(directory, "1m")
    handle = capture(directory)
    flood("va", 20_000)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.DISK_FULL, "No space left on device")
    assert status.counters
    assert status.counters.packets == records(directory) > 2000
    assert status.counters.bytes == (directory / "c.pcap").stat().st_size
    assert is_gone(status.tool_pid)
    # What tcpdump says is more: alone it would have reported success.
    assert status.counters.captured > status.counters.packets
    handle.close()


def fill(hog: Path) -> None:
    with hog.open("ab", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                return


def the_last_status_waits_for_room(directory: Path) -> None:
    directory = small_disk(directory, "256k")
    directory.mkdir()
    status, hog = StatusFile(str(directory)), directory.parent / "hog"
    status.write()
    status.release_reserve()
    fill(hog)
    status.fields["error"] = "no room for this"
    assert not status.write()
    end = threading.Thread(target=status.end, args=("disk_full", None, ""))
    end.start()
    end.join(0.6)  # two attempts
    assert (JobDirectory(directory).read_status() or pytest.fail("no status")).state == "starting"
    hog.unlink()
    end.join()
    assert (JobDirectory(directory).read_status() or pytest.fail("no status")).why is EndReason.DISK_FULL


def a_disk_filled_by_others_is_still_reported(directory: Path) -> None:
    directory = small_disk(directory, "512k")
    handle = capture(directory)
    flood("va", 2_000)  # a third of the disk
    hog = directory.parent / "hog"
    while not is_gone(handle.status.tool_pid):
        fill(hog)
    hog.unlink()
    assert ended(directory).why is EndReason.DISK_FULL
    assert counters(directory).packets == records(directory)
    handle.close()


def the_free_space_floor_ends_it(directory: Path) -> None:
    directory = small_disk(directory, "16m")
    handle = capture(directory, free_space_floor=8 << 20)
    sender = subprocess.Popen([sys.executable, flooding.__file__, "va", "200000", "20000"])
    status = ended(directory)
    sender.kill()
    sender.wait()
    assert (status.why, status.error) == (EndReason.FLOOR, "less than 8 MiB are free")
    volume = os.statvfs(directory)
    assert volume.f_bavail * volume.f_frsize > 2 << 20
    assert counters(directory).packets == records(directory)
    handle.close()


def a_scan_on_a_full_disk_ends(directory: Path) -> None:
    directory = small_disk(directory, "256k")
    spec = JobSpec(JobKind.SCAN, ("/usr/bin/yes",), JobLimits(free_space_floor=0))
    handle = start_job(directory, spec)
    assert ended(directory).why is EndReason.DISK_FULL
    handle.close()


def what_a_tool_wrote_before_it_ended_well_may_still_not_fit(directory: Path) -> None:
    """The output waits in the pipe when the tool has gone, and only then meets the full disk."""
    directory = small_disk(directory, "256k")
    argv = ("/usr/bin/head", "-c", "900000", "/dev/zero")
    handle = start_job(directory, JobSpec(JobKind.SCAN, argv, JobLimits(free_space_floor=0)))
    # Mostly 0; now and then the runner is quick enough to interrupt it.
    assert ended(directory).why is EndReason.DISK_FULL
    handle.close()


def a_vanished_interface_ends_it_with_tcpdumps_words(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 100)
    wait_for(lambda: counters(directory).captured == 100, "the packets")
    run("ip", "link", "delete", "va")
    status = ended(directory)
    assert (status.why, status.exit_status) == (EndReason.FAILED, 1)
    assert "tcpdump: pcap_loop:" in status.error, status.error
    assert status.counters
    assert status.counters.packets == records(directory) == 100
    handle.close()


def an_interface_that_is_none_is_refused(directory: Path) -> None:
    argv = (TCPDUMP, "-n", "-i", "nowhere0", "-w", "-")
    spec = JobSpec(JobKind.CAPTURE, argv, JobLimits(free_space_floor=0), capture_file="c.pcap")
    with pytest.raises(ToolFailed, match="nowhere0"):
        start_job(directory, spec)
    assert ended(directory).why is EndReason.FAILED


def dumpcap_is_counted_and_its_last_packet_seen(directory: Path) -> None:
    handle = capture(directory, tool=DUMPCAP)
    assert handle.status.state == "running"
    flood("va", 2345)
    wait_for(lambda: counters(directory).captured == 2345, "dumpcap's own count comes")
    flood("va", 655)
    assert stop(directory).exit_status == 0
    assert_agree(directory, 3000)
    assert "Packets: " not in JobDirectory(directory).read_tail("stderr")
    handle.close()


def a_vanished_interface_ends_dumpcap_with_its_words(directory: Path) -> None:
    handle = capture(directory, tool=DUMPCAP)
    flood("va", 300)
    wait_for(lambda: counters(directory).captured == 300, "packets are seen")
    run("ip", "link", "del", "vb")
    status = ended(directory)
    assert (status.why, status.exit_status) == (EndReason.FAILED, 0)
    assert 'The network adapter "vb" is no longer attached' in status.error
    assert_agree(directory, 300)
    handle.close()


def a_killed_tcpdump_leaves_whole_records(directory: Path) -> None:
    handle = capture(directory)
    flood("va", 10_000)
    wait_for(lambda: counters(directory).bytes > 1 << 20, "packets in the file")
    os.kill(handle.status.tool_pid, signal.SIGKILL)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.FAILED, "ended by SIGKILL")
    assert status.counters
    assert 0 < status.counters.packets == records(directory) <= 10_000
    assert status.counters.bytes == (directory / "c.pcap").stat().st_size
    handle.close()


def the_tcpdump_of_a_killed_runner_is_swept_up(directory: Path) -> None:
    handle = capture(directory)
    status = handle.status
    assert send_signal(status.runner, signal.SIGKILL)
    wait_for(lambda: not runner_is_alive(status, directory), "the end of the runner")
    assert not is_gone(status.tool_pid)
    assert sweep_orphan(status, directory)
    assert is_gone(status.tool_pid)
    handle.close()


SCENARIOS = [
    counted_on_ethernet,
    counted_on_loopback,
    counted_on_any,
    counted_with_a_filter,
    counted_by_direction,
    nothing_is_lost_by_stopping_at_once,
    nothing_is_lost_at_the_deadline,
    silence_is_recorded_too,
    ends_at_its_packet_count,
    ends_at_its_size,
    a_reader_of_the_file_sees_the_last_packet_of_a_silence,
    counts_of_tcpdump_do_where_the_kernels_cannot_be_had,
    a_flood_is_counted,
    a_full_disk_ends_it_with_whole_records,
    a_disk_filled_by_others_is_still_reported,
    the_free_space_floor_ends_it,
    a_scan_on_a_full_disk_ends,
    what_a_tool_wrote_before_it_ended_well_may_still_not_fit,
    the_last_status_waits_for_room,
    a_vanished_interface_ends_it_with_tcpdumps_words,
    an_interface_that_is_none_is_refused,
    dumpcap_is_counted_and_its_last_packet_seen,
    a_vanished_interface_ends_dumpcap_with_its_words,
    a_killed_tcpdump_leaves_whole_records,
    the_tcpdump_of_a_killed_runner_is_swept_up,
]


if __name__ == "__main__":
    make_network()
    chosen = {scenario.__name__: scenario for scenario in SCENARIOS}[sys.argv[1]]
    chosen(Path(sys.argv[2]) / "job")
