"""Captures over several files: ``python -m tests.unit.runtime.ring_scenarios NAME DIRECTORY``, as the others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from netmon_tui.domain.capture_files import NUMBERED_NAME, SMALLEST_FILE
from netmon_tui.domain.job import EndReason, JobKind, JobLimits, JobSpec, Rotation
from netmon_tui.runtime.jobs import JobHandle, runner_is_alive, start_job, sweep_orphan
from netmon_tui.runtime.process_identity import send_signal
from netmon_tui.tools.file_set import FileSetReader, packet_files
from netmon_tui.tools.pcap_files import trim
from tests.lab import flood as flooding
from tests.lab.flood import flood
from tests.unit.runtime.capture_scenarios import (
    TCPDUMP,
    counters,
    make_network,
    program,
    small_disk,
    stop,
)
from tests.unit.runtime.waiting import ended, wait_for


def capture(
    directory: Path, rotation: Rotation, document: Path = Path("no document"), **limits: int
) -> JobHandle:
    spec = JobSpec(
        JobKind.CAPTURE,
        (TCPDUMP, "-n", "-i", "vb", "-B", "65536", "-w", "-"),
        JobLimits(**({"free_space_floor": 0} | limits)),
        capture_file=NUMBERED_NAME,
        rotation=rotation,
        quota_document=str(document),
        counter_programs=(("total", program("vb", "")),),
        counter_interface="vb",
    )
    return start_job(directory, spec)


def count(path: Path) -> int:
    """How many packets tcpdump finds in a file, which must be whole."""
    done = subprocess.run([TCPDUMP, "-n", "-r", path, "--count"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[0])


def counted(directory: Path) -> int:
    return sum(map(count, packet_files(directory)))


def a_flood_goes_into_several_files_without_losing_a_packet(directory: Path) -> None:
    handle = capture(directory, Rotation(file_bytes=2_000_000))
    flood("va", 200_000, 100_000)
    found = stop(directory).counters
    assert found
    files = packet_files(directory)
    assert (found.packets, found.captured, found.dropped, found.overwritten) == (200_000, 200_000, 0, 0)
    assert counted(directory) == 200_000
    sizes = [path.stat().st_size for path in files]
    assert found.files == len(files) > 20
    assert found.bytes == sum(sizes)
    assert all(2_000_000 - 500 < size <= 2_000_000 for size in sizes[:-1]), sizes
    with FileSetReader(directory) as reader:
        joined = directory / "joined.pcap"
        joined.write_bytes(b"".join(reader.pieces()))
    assert count(joined) == 200_000
    handle.close()


def a_ring_keeps_the_newest_files(directory: Path) -> None:
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE, files=3))
    flood("va", 10_000, 20_000)
    found = stop(directory).counters
    assert found
    names = [path.name for path in packet_files(directory)]
    assert names == [NUMBERED_NAME % n for n in range(9, 12)]
    assert found.files == 3
    assert found.packets == counted(directory)
    assert found.packets + found.overwritten == found.captured == 10_000
    assert found.bytes == sum(path.stat().st_size for path in packet_files(directory)) <= 3 * SMALLEST_FILE
    handle.close()


def a_file_ends_with_the_first_packet_after_its_time(directory: Path) -> None:
    handle = capture(directory, Rotation(file_seconds=2.0))  # tcpdump gives all it has after 1.3 s of silence

    def packets_come_until(files: int) -> None:
        def another_packet() -> bool:
            flood("va", 1)
            return counters(directory).files == files

        wait_for(another_packet, f"{files} files")

    flood("va", 100)
    packets_come_until(2)
    packets_come_until(3)
    found = stop(directory).counters
    assert found
    in_files = [count(path) for path in packet_files(directory)]
    assert len(in_files) == 3 and all(in_files)
    assert in_files[0] >= 100 and sum(in_files) == found.packets == found.captured
    handle.close()


def a_reader_follows_from_file_to_file(directory: Path) -> None:
    """From the first packet to the last, while the files are cut under it."""
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE))
    read, over = directory / "read.pcap", threading.Event()

    def follow() -> None:
        with FileSetReader(directory) as reader, read.open("wb") as file:
            while True:
                last = over.is_set()
                file.writelines(reader.pieces())
                if last:
                    return

    following = threading.Thread(target=follow)
    following.start()
    flood("va", 30_000, 30_000)
    stop(directory)
    over.set()
    following.join()
    assert count(read) == counted(directory) == 30_000
    handle.close()


def a_killed_runner_leaves_whole_files(directory: Path) -> None:
    for attempt in range(8):
        here = directory.with_name(f"job-{attempt}")
        kill_runner_after(here, 3 + attempt)
        files = packet_files(here)
        packets = [trim(path).packets for path in files]
        sizes = [path.stat().st_size for path in files]
        assert [count(path) for path in files] == packets
        assert all(size > SMALLEST_FILE - 500 for size in sizes[:-1]), sizes


def kill_runner_after(directory: Path, files: int) -> None:
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE))
    sender = subprocess.Popen([sys.executable, flooding.__file__, "va", "200000", "100000"])
    wait_for(lambda: len(packet_files(directory)) > files, "several files")
    assert send_signal(handle.status.runner, signal.SIGKILL)
    sender.kill()
    sender.wait()
    wait_for(lambda: not runner_is_alive(handle.status, directory), "its end")
    sweep_orphan(handle.status, directory)
    handle.close()


def a_killed_tcpdump_leaves_whole_files(directory: Path) -> None:
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE, files=4))
    flood("va", 20_000)
    wait_for(lambda: counters(directory).overwritten > 0, "a ring that has turned")
    os.kill(handle.status.tool_pid, signal.SIGKILL)
    found = ended(directory).counters
    assert found
    assert 0 < found.packets == counted(directory)
    assert found.bytes == sum(path.stat().st_size for path in packet_files(directory))
    handle.close()


def a_full_disk_ends_it_with_whole_files(directory: Path) -> None:
    directory = small_disk(directory, "2m")
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE))
    flood("va", 20_000)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.DISK_FULL, "No space left on device")
    assert status.counters
    assert status.counters.packets == counted(directory) > 4000
    assert status.counters.files == len(packet_files(directory))
    handle.close()


def a_ring_that_fits_goes_round_on_a_small_disk(directory: Path) -> None:
    directory = small_disk(directory, "4m")
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE, files=3), free_space_floor=1 << 20)
    flood("va", 50_000, 50_000)
    assert stop(directory).exit_status == 0
    assert counters(directory).packets == counted(directory)
    handle.close()


def the_quota_ends_it(directory: Path) -> None:
    handle = capture(directory, Rotation(file_bytes=SMALLEST_FILE), quota_bytes=1_000_000)
    flood("va", 10_000, 20_000)
    status = ended(directory)
    assert (status.why, status.error) == (EndReason.QUOTA, "the quota of its owner's captures is used up")
    assert counters(directory).packets == counted(directory) > 3000
    handle.close()


def shared(directory: Path, count: int, **limits: int) -> list[JobHandle]:
    """Captures of one owner, whose document says that others have 400,000 bytes."""
    directories = [directory.with_name(f"capture-{number}") for number in range(count)]
    document = directory.with_name("quota-1.json")
    said = {"kept_bytes": 400_000, "running": [path.name for path in directories]}
    document.write_text(json.dumps(said))
    return [capture(path, Rotation(file_bytes=SMALLEST_FILE), document, **limits) for path in directories]


def captures_share_the_quota(directory: Path) -> None:
    handles = shared(directory, 2, quota_bytes=2_400_000)
    flood(
        "va", 10_000, 2_000
    )  # more than three million bytes for each, slowly beside the looks of the runners
    for handle in handles:
        status = ended(handle.directory)
        assert (status.why, status.error) == (EndReason.QUOTA, "the quota of its owner's captures is used up")
        assert counters(handle.directory).packets == counted(handle.directory)
        handle.close()
    sizes = [counters(handle.directory).bytes for handle in handles]
    assert 2_000_000 <= sum(sizes) < 3_900_000, "each alone has room for two million"


def what_a_killed_runner_left_counts(directory: Path) -> None:
    killed, other = shared(directory, 2, quota_bytes=2_400_000)
    flood("va", 2_000, 5_000)  # 650,000 bytes each
    wait_for(lambda: min(counters(one.directory).bytes for one in (killed, other)) > 500_000, "bytes of both")
    assert send_signal(killed.status.runner, signal.SIGKILL)
    wait_for(lambda: not runner_is_alive(killed.status, killed.directory), "its end")
    sweep_orphan(killed.status, killed.directory)
    left = sum(path.stat().st_size for path in packet_files(killed.directory))
    flood("va", 8_000, 2_000)
    assert ended(other.directory).why is EndReason.QUOTA
    took = counters(other.directory).bytes
    assert 2_000_000 <= took + left < 2_600_000, (took, left)
    for handle in (killed, other):
        handle.close()


def captures_leave_the_floor_free_together(directory: Path) -> None:
    directory = small_disk(directory, "16m")
    handles = shared(directory, 2, free_space_floor=8 << 20)
    sender = subprocess.Popen([sys.executable, flooding.__file__, "va", "200000", "20000"])
    ends = [ended(handle.directory) for handle in handles]
    sender.kill()
    sender.wait()
    assert {(end.why, end.error) for end in ends} == {(EndReason.FLOOR, "less than 8 MiB are free")}
    volume = os.statvfs(directory.parent)
    assert 2 << 20 < volume.f_bavail * volume.f_frsize < 8 << 20
    for handle in handles:
        assert counters(handle.directory).packets == counted(handle.directory) > 1_000
        handle.close()


SCENARIOS = [
    a_flood_goes_into_several_files_without_losing_a_packet,
    a_ring_keeps_the_newest_files,
    a_file_ends_with_the_first_packet_after_its_time,
    a_reader_follows_from_file_to_file,
    a_killed_runner_leaves_whole_files,
    a_killed_tcpdump_leaves_whole_files,
    a_full_disk_ends_it_with_whole_files,
    a_ring_that_fits_goes_round_on_a_small_disk,
    the_quota_ends_it,
    captures_share_the_quota,
    what_a_killed_runner_left_counts,
    captures_leave_the_floor_free_together,
]

if __name__ == "__main__":
    make_network()
    chosen = {scenario.__name__: scenario for scenario in SCENARIOS}[sys.argv[1]]
    chosen(Path(sys.argv[2]) / "job")
