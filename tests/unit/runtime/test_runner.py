"""The parts of the runner that can be looked at without a tool."""

from __future__ import annotations

import errno
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.runtime.runner import counting, streams
from netmon_tui.runtime.runner.capture import PacketFile, parse_figures
from netmon_tui.runtime.runner.record_walk import trim_to_whole_records
from netmon_tui.runtime.runner.status import StatusFile
from netmon_tui.runtime.runner.streams import ErrorStream, KeptStream

RUNTIME = Path(counting.__file__).parents[1]


def capture_of(lengths: list[int], order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, 1)
    return head + b"".join(struct.pack(order + "IIII", 1, 2, size, size) + bytes(size) for size in lengths)


# --- cut captures ---


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D])
def test_a_capture_cut_anywhere_keeps_every_whole_record(tmp_path: Path, order: str, magic: int) -> None:
    lengths = [60, 1, 0, 1500, 33]
    whole = capture_of(lengths, order, magic)
    ends = [24 + sum(16 + size for size in lengths[:number]) for number in range(len(lengths) + 1)]
    path = tmp_path / "cut.pcap"
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        records = max((number for number, end in enumerate(ends) if end <= cut), default=-1)
        left = ends[records] if records >= 0 else 0
        assert trim_to_whole_records(str(path)) == (max(records, 0), left), cut
        assert path.read_bytes() == whole[:left]


def test_what_is_no_capture_is_cut_to_nothing(tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(b"GIF89a" * 10)
    assert trim_to_whole_records(str(path)) == (0, 0)
    assert path.stat().st_size == 0


def test_a_link_is_not_followed_when_trimming(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_bytes(b"precious" * 9)
    link.symlink_to(victim)
    with pytest.raises(OSError, match="symbolic"):
        trim_to_whole_records(str(link))
    assert victim.read_bytes() == b"precious" * 9


# --- tcpdump's figures ---


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        (
            b"tcpdump: 12 packets captured, 13 packets received by filter, 1 packet dropped by kernel",
            {"captured": 12, "received": 13, "dropped": 1},
        ),
        (b"1 packet captured", {"captured": 1}),
        (b"7 packets received by filter", {"received": 7}),
        (b"0 packets dropped by kernel", {"dropped": 0}),
        (b"3 packets dropped by interface", {}),
        (b"Packets: 14 ", {"captured": 14}),
        (b"Packets captured: 14", {"captured": 14}),
        (
            b"Packets received/dropped on interface 'Loopback: lo': 14/3 (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0)",
            {"received": 14, "dropped": 3},
        ),
        (
            b"Packets received/dropped on interface 'eth0': 4/5 (pcap:3/dumpcap:0/flushed:2/ps_ifdrop:0) (44%)",
            {"received": 4, "dropped": 3},
        ),
        (b"Packets: many ", {}),
        (b"tcpdump: listening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes", {}),
        (b"many packets captured", {}),
        (b"\xff\xfe packets captured", {}),
        (b"", {}),
    ],
)
def test_figures_are_read_from_the_tools_own_lines(line: bytes, figures: dict[str, int]) -> None:
    assert parse_figures(line) == figures


# --- counting programs ---

PROGRAM = "4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n"


def test_a_counting_program_accepts_one_byte_and_refuses_as_before() -> None:
    assert counting.parse_program(PROGRAM)[2:] == [(6, 0, 0, 1), (6, 0, 0, 0)]


@pytest.mark.parametrize("text", ["1\n6 0 0\n", "1\n6 0 0 x\n", "1\n6 0 0 1 2\n"])
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(OSError, match="BPF"):
        counting.parse_program(text)


def test_offsets_for_all_interfaces_skip_the_made_up_header() -> None:
    moved = [counting._without_made_up_header((0x28, 0, 0, k)) for k in (0, 10, 20, 56)]
    assert [k for *_, k in moved] == [0xFFFFF000, 0xFFFFF004, 0, 36]
    assert counting._without_made_up_header((21, 0, 1, 0x800)) == (21, 0, 1, 0x800)  # a jump, not a load
    with pytest.raises(OSError, match="link header"):
        counting._without_made_up_header((0x28, 0, 0, 12))


# --- streams ---


def pipe_with(data: bytes) -> int:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.write(writer, data)
    os.close(writer)
    return reader


def test_a_stream_is_kept_up_to_its_bound_and_the_rest_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "KEPT_BYTES", 10)
    stream = KeptStream(
        pipe_with(b"0123456789abcdef"), streams.create_file(str(tmp_path), "stdout"), pytest.fail
    )
    assert stream.move()
    assert not stream.move()
    assert (tmp_path / "stdout").read_bytes() == b"0123456789"
    assert stream.lost == 6


def test_a_full_disk_is_told_once_and_the_stream_goes_on() -> None:
    told: list[OSError] = []
    stream = KeptStream(-1, os.open("/dev/full", os.O_WRONLY), told.append)
    stream.keep(b"one")
    stream.keep(b"two")
    assert [error.errno for error in told] == [errno.ENOSPC]
    assert stream.lost == 6


@given(st.binary(max_size=400), st.integers(1, 50))
def test_stderr_is_kept_byte_for_byte_however_it_is_cut(data: bytes, size: int) -> None:
    heard: list[bytes] = []
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    target = os.memfd_create("stderr")
    stream = ErrorStream(reader, target, pytest.fail, lambda line: heard.append(line) is None)
    for start in range(0, len(data), size):
        os.write(writer, data[start : start + size])
        stream.move()
    os.close(writer)
    while stream.move():
        pass
    kept = os.pread(target, 1000, 0)
    assert kept.removesuffix(b"\n") == data.removesuffix(b"\n")
    assert b"\n".join(heard) == kept.removesuffix(b"\n")
    os.close(reader)
    os.close(target)


def test_the_last_words_are_the_last_that_say_something() -> None:
    stream = ErrorStream(pipe_with(b"a\nFailed to open\nQUITTING!\n\n"), os.memfd_create("e"), pytest.fail)
    stream.move()
    assert stream.last_words() == "Failed to open"


def test_a_repetition_in_brackets_is_not_the_last_word() -> None:
    text = b"tcpdump: x0: No such device exists\n(No such device exists)\n"
    stream = ErrorStream(pipe_with(text), os.memfd_create("e"), pytest.fail)
    stream.move()
    assert stream.last_words() == "tcpdump: x0: No such device exists"


# --- the packet file ---


def test_packets_are_copied_where_the_kernel_cannot_splice(tmp_path: Path) -> None:
    data = os.urandom(200_000)
    (tmp_path / "source").write_bytes(data)
    # From a regular file to a regular file the kernel refuses to splice.
    file = PacketFile(os.open(tmp_path / "source", os.O_RDONLY), str(tmp_path), "c.pcap")
    moved, more = file.move()
    while more:
        _, more = file.move()
    assert (tmp_path / "c.pcap").read_bytes() == data
    assert file.bytes == len(data)
    assert moved


def test_a_packet_file_never_replaces_another(tmp_path: Path) -> None:
    (tmp_path / "c.pcap").write_bytes(b"older")
    with pytest.raises(FileExistsError):
        PacketFile(-1, str(tmp_path), "c.pcap")


# --- status ---


def test_a_status_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    status = StatusFile(str(tmp_path))
    assert status.write()
    before = (tmp_path / "status.json").stat().st_ino
    assert status.write()
    assert (tmp_path / "status.json").stat().st_ino == before
    status.fields["tool_pid"] = 7
    assert status.write()
    assert json.loads((tmp_path / "status.json").read_text())["tool_pid"] == 7


def test_a_reader_never_sees_half_a_status(tmp_path: Path) -> None:
    status = StatusFile(str(tmp_path))
    status.write()
    done = threading.Event()

    def write() -> None:
        for number in range(3000):
            status.fields["error"] = "x" * (number % 700)
            status.fields["tool_pid"] = number % 700
            status.write()
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        read = json.loads((tmp_path / "status.json").read_text())
        assert len(read["error"]) == read["tool_pid"]
        seen.add(read["tool_pid"])
    writer.join()
    assert len(seen) > 10


def test_the_reserve_is_given_back_at_the_end(tmp_path: Path) -> None:
    status = StatusFile(str(tmp_path))
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 65_536
    status.end("finished", 0, "")
    assert sorted(os.listdir(tmp_path)) == ["status.json"]


# --- the program ---


def test_the_runner_loads_nothing_of_the_package_and_little_of_python() -> None:
    code = (
        f"import sys; sys.path.append({str(RUNTIME)!r}); import runner.program, runner.capture; "
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert not {name for name in loaded if name.startswith("netmon")}
    assert not loaded & {"typing", "pathlib", "subprocess", "dataclasses", "logging", "asyncio", "inspect"}
