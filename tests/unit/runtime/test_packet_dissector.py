"""Packets dissected by a real sharkd that stays; and by one that hangs, dies, floods, lies or is not there."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from netmon_tui.domain.packet import Field, Layer
from netmon_tui.errors import InvalidInput, ToolFailed, ToolMissing
from netmon_tui.runtime import packet_dissector, sharkd, tool_paths
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.runtime.key_log import KEPT_NAME
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from tests.unit.services.tsharks import prints_in_vain
from tests.unit.tools import packet_samples as samples

SHARKD = find_tool("sharkd")
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not SHARKD, reason="sharkd is not installed")]
HEADER = make_header()
NAMES = sorted(samples.SAMPLES)
COUNT = 1_500


def raw_packet(number: int) -> RawPacket:
    data = samples.SAMPLES[NAMES[number % len(NAMES)]]
    return RawPacket(number, 1_700_000_000_000_000_000 + number * 1_000_000, len(data), data)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "capture.pcap"
    records = (pack_record(HEADER, raw_packet(number)) for number in range(1, COUNT + 1))
    path.write_bytes(HEADER.data + b"".join(records))
    path.chmod(0o600)
    return path


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[PacketList]:
    packets = PacketList(path)
    try:
        while await packets.extend():
            pass
        yield packets
    finally:
        await packets.close()


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that is all of PATH, and that also nobody may enter."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        monkeypatch.setenv("PATH", directory)
        monkeypatch.setattr(tool_paths, "SYSTEM_DIRECTORIES", ())
        yield Path(directory)


def program(directory: Path, name: str, text: str) -> None:
    path = directory / name
    path.write_text(f"#!/usr/bin/python3 -I\n{text}\n")
    path.chmod(0o755)


def children() -> list[int]:
    """Process ids of our children called sharkd."""
    found = subprocess.run(
        ["/usr/bin/ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True
    )
    return [int(row.split()[0]) for row in found.stdout.splitlines() if "sharkd -" in row]


def flat(layers: tuple[Layer, ...]) -> Iterator[Field]:
    rest = [field for layer in layers for field in layer.fields]
    while rest:
        field = rest.pop()
        yield field
        rest += field.fields


async def test_a_window_serves_packets_with_one_sharkd(file: Path) -> None:
    async with opened(file) as packets:
        for number in (1_000, 1_001, 801, 1_200):
            detail = await packets.detail(number)
            assert (detail.dissector, detail.window) == ("sharkd", (601, 1_200))
            values = {field.name: field.value for field in flat(detail.layers)}
            assert values["frame.number"] == str(number)
            assert detail.layers[0].label.startswith(f"Frame {number}: ")
            assert detail.data == raw_packet(number).data
        pids = children()
        assert (await packets.detail(3)).window == (1, 400)
        assert len(pids) == 1 and children() == pids
    assert children() == []


async def test_its_tree_says_what_that_of_tshark_says(file: Path) -> None:
    tshark = find_tool("tshark")
    assert tshark is not None
    async with opened(file) as packets:
        for number in range(1, len(NAMES) + 1):
            detail = await packets.detail(number)
            pdml = await dissect_packet(raw_packet(number), HEADER, tshark=tshark)
            assert [layer.name for layer in detail.layers[:3]] == [layer.name for layer in pdml[:3]]
            theirs = {(f.name, f.offset, f.size) for f in flat(pdml) if f.offset >= 0 and f.size and f.name}
            ours = {(f.name, f.offset, f.size) for f in flat(detail.layers)}
            # what depends on packets before is in one and not in the other
            assert len(theirs - ours) <= len(theirs) // 4, sorted(theirs - ours)


async def test_fields_lie_in_the_packet(file: Path) -> None:
    async with opened(file) as packets:
        for number in range(1, 60):
            detail = await packets.detail(number)
            for field in flat(detail.layers):
                assert field.offset == -1 or 0 <= field.offset <= field.offset + field.size <= len(
                    detail.data
                )


async def test_a_killed_sharkd_is_started_again(file: Path) -> None:
    async with opened(file) as packets:
        await packets.detail(5)
        (pid,) = children()
        os.kill(pid, signal.SIGKILL)
        detail = await packets.detail(6)
        assert detail.dissector == "sharkd" and children() not in ([], [pid])


async def test_whoever_stops_waiting_spoils_no_answer(file: Path) -> None:
    async with opened(file) as packets:
        await packets.detail(5)
        pids = children()
        for number in range(6, 40):
            task = asyncio.create_task(packets.detail(number))
            await asyncio.sleep(number / 20_000)  # some while it reads, some while sharkd dissects
            task.cancel()
        detail = await packets.detail(50)
        values = {field.name: field.value for field in flat(detail.layers)}
        assert detail.dissector == "sharkd" and values["frame.number"] == "50"
        assert children() == pids


@pytest.mark.parametrize(
    "text",
    [
        "import time\nwhile True: time.sleep(60)",
        "import sys\nfor line in sys.stdin: print('nonsense', flush=True)",
        "import sys\nwhile True: sys.stdout.write('x' * 100000)",
        "import os\nos.kill(os.getpid(), 9)",
        "import sys, json\nfor n, line in enumerate(sys.stdin, 1):\n"
        " print(json.dumps({'id': n, 'result': {'frames': 400, 'tree': 'x'}}), flush=True)",
        "import sys, json\nfor n, line in enumerate(sys.stdin, 1):\n"
        " print(json.dumps({'id': n, 'error': {'code': -4005, 'message': 'no'}}), flush=True)",
    ],
    ids=["hangs", "nonsense", "floods", "dies", "lies", "refuses"],
)
async def test_a_bad_sharkd_leaves_the_packet_to_tshark(
    file: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(sharkd, "DEADLINE", 0.7)
    program(programs, "sharkd", text)
    (programs / "tshark").symlink_to("/usr/bin/tshark")
    async with opened(file) as packets:
        detail = await packets.detail(7)
        assert (detail.dissector, detail.window) == ("tshark", (7, 7))
        assert children() == []
        assert await packets.check_filter("tcp") == "tcp", "as tshark says, whatever sharkd refuses"
    assert children() == []


async def test_a_sharkd_that_keeps_failing_is_left_alone(file: Path, programs: Path) -> None:
    program(programs, "sharkd", "import os\nos.kill(os.getpid(), 9)")
    async with opened(file) as packets:
        for number in (1, 2, 500, 900, 1_300, 1_400):
            assert (await packets.detail(number)).dissector == "built-in"
        assert len(packets._dissector._failed) == packet_dissector._PATIENCE


async def test_without_any_dissector_there_are_our_own_fields(file: Path, programs: Path) -> None:
    async with opened(file) as packets:
        detail = await packets.detail(7)
        assert detail.dissector == "built-in" and detail.layers
        assert await packets.complete_filter("tcp.") == []
        with pytest.raises(ToolMissing, match="sharkd"):
            await packets.load_whole()
        with pytest.raises(ToolMissing, match="tshark"):
            await packets.check_filter("tcp")


async def test_the_whole_file_counts_from_its_first_packet(file: Path) -> None:
    async with opened(file) as packets:
        before = {f.name: f.value for f in flat((await packets.detail(1_000)).layers)}
        await packets.load_whole()
        detail = await packets.detail(1_000)
        after = {f.name: f.value for f in flat(detail.layers)}
        assert packets.knows_whole and detail.window is None
        assert after["frame.number"] == before["frame.number"] == "1000"
        assert after["frame.time_relative"] == "0.999000000" and "frame.time_relative" not in before
    assert children() == []


def echo(kind: int, *ends: bytes) -> bytes:
    """Return a ping, or the answer to one, whose checksum is right: else tshark joins none with the other."""
    message = struct.pack(">BBHHH", kind, 0, ~((kind << 8) + 7 + 1) & 0xFFFF, 7, 1)
    return samples.ethernet(0x0800, samples.ip4(1, message, 0, *ends))


async def test_numbers_of_other_packets_in_a_list_are_those_of_the_file(tmp_path: Path) -> None:
    there, back = (samples.IP_A, samples.IP_B), (samples.IP_B, samples.IP_A)
    datagram = samples.udp(5000, 5001, bytes(64))
    parts = [samples.ip4(17, datagram[:40], 0x2000, *there), samples.ip4(17, datagram[40:], 5, *there)]
    frames = [samples.SAMPLES["udp"]] * 1_000 + [echo(8, *there), echo(0, *back)]
    frames += [samples.ethernet(0x0800, part) for part in parts]
    path = tmp_path / "pings.pcap"
    path.write_bytes(samples.file_of(*frames))
    fields = ("frame.number", "icmp.resp_to", "icmp.resp_in", "ip.ttl", "ip.fragment", "ip.fragment.count")
    async with opened(path) as packets:
        of_a_part = await packets.dissected(1_002, fields)
        labels = [field.label for field in flat((await packets.detail(1_004)).layers)]
        assert "2 IPv4 Fragments (72 bytes): #1003(40), #1004(32)" in labels
        assert any(label.startswith("Frame: 1003, payload: 0-39") for label in labels)
        await packets.load_whole()
        of_all = await packets.dissected(1_002, fields)
    assert (
        of_all[1_002].fields == ("1002", "1001", "", "64", "", "")
        and "(request in 1001)" in of_all[1_002].info
    )
    assert of_all[1_004].fields[4:] == ("1003,1004", "2")
    assert [of_a_part[number] for number in range(1_001, 1_005)] == [of_all[n] for n in range(1_001, 1_005)]


async def test_a_whole_file_that_ends_within_a_packet_is_loaded_up_to_there(file: Path) -> None:
    with file.open("r+b") as damaged:
        damaged.truncate(file.stat().st_size - 3)
    async with opened(file) as packets:
        await packets.load_whole()
        assert (await packets.detail(COUNT - 1)).window is None


async def test_loading_the_whole_file_can_be_stopped(file: Path) -> None:
    async with opened(file) as packets:
        await packets.detail(1)
        task = asyncio.create_task(packets.load_whole())
        async with asyncio.timeout(30):
            while len(children()) < 2:
                await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not packets.knows_whole and len(children()) == 1


async def test_the_whole_file_is_loaded_again_while_the_one_before_is_still_given_up(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(file) as packets:
        await packets.load_whole()
        dissector = packets._dissector
        before, go_on, close = dissector._whole, asyncio.Event(), sharkd.Sharkd.close

        async def slow(one: sharkd.Sharkd) -> None:
            if one is before:
                await go_on.wait()
            await close(one)

        monkeypatch.setattr(sharkd.Sharkd, "close", slow)
        files = os.listdir("/proc/self/fd")
        dropping = asyncio.create_task(dissector._drop_whole())
        while dissector._whole is before:
            await asyncio.sleep(0)
        await packets.load_whole()
        loaded = dissector._whole_file
        go_on.set()
        await dropping
        assert dissector._whole_file == loaded and os.fstat(loaded)
        assert len(os.listdir("/proc/self/fd")) <= len(files)


async def test_a_killed_whole_sharkd_leaves_the_windows(file: Path) -> None:
    async with opened(file) as packets:
        await packets.load_whole()
        os.kill(children()[0], signal.SIGKILL)
        detail = await packets.detail(9)
        assert detail.dissector == "sharkd" and detail.window == (1, 400)


async def test_columns_come_from_windows_when_the_whole_sharkd_is_killed(file: Path) -> None:
    async with opened(file) as packets:
        await packets.load_whole()
        whole = await packets.dissected(9, [])
        os.kill(children()[0], signal.SIGKILL)
        found = await asyncio.gather(packets.dissected(9, []), packets.detail(9), packets.dissected(500, []))
        assert found[0][9].protocol == whole[9].protocol and 500 in found[2]
        assert found[1].dissector == "sharkd" and not packets.knows_whole


async def test_a_capture_closed_while_the_whole_file_begins_to_load_leaves_no_sharkd(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, closed, start = asyncio.Event(), asyncio.Event(), sharkd.Sharkd.start

    async def start_and_wait(*arguments: Any) -> sharkd.Sharkd:
        running = await start(*arguments)
        started.set()
        await closed.wait()
        return running

    monkeypatch.setattr(sharkd.Sharkd, "start", start_and_wait)
    packets = PacketList(file)
    loading = asyncio.create_task(packets.load_whole())
    await started.wait()
    await packets.close()
    closed.set()
    with pytest.raises(ToolFailed, match="the capture is closed"):
        await loading
    assert children() == [] and not packets.knows_whole


async def test_a_capture_closed_just_when_the_whole_file_is_loaded_leaves_no_sharkd(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = sharkd.Sharkd.load

    async def load_and_close(running: sharkd.Sharkd, *arguments: Any) -> None:
        await load(running, *arguments)
        await packets.close()

    monkeypatch.setattr(sharkd.Sharkd, "load", load_and_close)
    packets = PacketList(file)
    with pytest.raises(ToolFailed, match="the capture is closed"):
        await packets.load_whole()
    assert children() == [] and not packets.knows_whole


async def test_a_whole_file_loaded_with_other_keys_than_there_are_now_is_given_up(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys, key, load = file.with_name(KEPT_NAME), "CLIENT_RANDOM 00 11\n", sharkd.Sharkd.load

    async def load_while_keys_come(running: sharkd.Sharkd, *arguments: Any) -> None:
        if None in arguments:  # the whole file, for which there is no deadline
            keys.write_text(2 * key)
            assert (await packets.detail(1)).dissector == "sharkd"  # the window knows the new ones
        await load(running, *arguments)

    keys.write_text(key)
    async with opened(file) as packets:
        await packets.detail(1)
        monkeypatch.setattr(sharkd.Sharkd, "load", load_while_keys_come)
        await packets.load_whole()
        await packets.detail(1)
        assert not packets.knows_whole
        monkeypatch.undo()
        await packets.load_whole()
        await packets.detail(1)
        assert packets.knows_whole


async def test_sharkd_says_what_is_wrong_with_a_filter_and_what_could_stand_there(file: Path) -> None:
    async with opened(file) as packets:
        assert await packets.check_filter(" tcp.port == 80 ") == "tcp.port == 80"
        with pytest.raises(InvalidInput, match=r"tcp\.prt"):
            await packets.check_filter("tcp.prt == 80")
        assert (await packets.complete_filter("tcp.por"))[0].name == "tcp.port"
        with pytest.raises(InvalidInput, match="too long"):
            await packets.check_filter("ä" * 900)
        assert await packets.check_filter("tcp") == "tcp"


async def test_sharkd_is_nobody_and_ends_with_us(file: Path) -> None:
    async with opened(file) as packets:
        await packets.detail(1)
        (pid,) = children()
        status = Path(f"/proc/{pid}/status").read_text()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        if os.geteuid() == 0:
            assert "Uid:\t65534" in status
        assert b"HOME=/nonexistent" in environment and b"PYTEST" not in environment


async def test_what_is_hostile_stays_text(tmp_path: Path) -> None:
    request = b"GET /\x1b[31m<b>[red]'x']]>&amp; HTTP/1.1\r\nHost: \x9b\xff[link=x]\r\n\r\n"
    data = samples.ethernet(0x0800, samples.ip4(6, samples.tcp(40000, 80, 0x18, request)))
    path = tmp_path / "hostile.pcap"
    path.write_bytes(samples.file_of(data))
    async with opened(path) as packets:
        detail = await packets.detail(1)
        assert detail.dissector == "sharkd"
        uri = next(field for field in flat(detail.layers) if field.name == "http.request.uri")
        assert "[red]" in uri.value and "&amp;" in uri.value
        assert uri.filter.startswith('http.request.uri == "')


async def test_no_descriptor_is_left_open(file: Path) -> None:
    async with opened(file) as packets:
        await packets.detail(1)
        await packets.load_whole()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(2):
        async with opened(file) as packets:
            await packets.detail(1)
            await packets.load_whole()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


async def test_a_sharkd_that_talks_unasked_is_ended(programs: Path) -> None:
    text = "import sys, json\nfor number in range(1, 6):\n sys.stdin.readline()\n"
    text += " print(json.dumps({'id': number, 'result': {}}), flush=True)\nwhile True: print('x' * 10000)"
    program(programs, "sharkd", text)
    running = await sharkd.Sharkd.start(str(programs / "sharkd"), [])
    await prints_in_vain(running.pid)
    async with asyncio.timeout(30):
        await running.close()
    assert children() == []
