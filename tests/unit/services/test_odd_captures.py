"""Captures that are damaged, strange or nested: whatever can be read of them is, and the rest is told."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.errors import NetmonError, ToolFailed
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.capture_cutting import export_chunks
from netmon_tui.services.packet_list import PacketList
from netmon_tui.services.stopping import Stop
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.pcap import RawPacket
from tests.unit.runtime.test_packet_dissector import opened
from tests.unit.services.made_scans import Store
from tests.unit.services.test_capture_catalogue import pcap, raws
from tests.unit.services.tsharks import keep
from tests.unit.tools import packet_samples as samples

NEEDS_TSHARK = pytest.mark.skipif(not find_tool("tshark"), reason="tshark is not installed")
DATAGRAM = samples.udp(1000, 2000, b"hi")
INNER = samples.ip4(17, DATAGRAM)
UNKNOWN = 4_000
"""A number that no link type has."""


def vlan(*tags: int) -> bytes:
    return b"".join(struct.pack(">HH", tag, 0x8100) for tag in tags[:-1]) + struct.pack(
        ">HH", tags[-1], 0x800
    )


SHAPES: dict[str, tuple[bytes, str]] = {
    "VLAN": (samples.ethernet(0x8100, vlan(5) + INNER), "eth vlan ip udp data"),
    "QinQ": (samples.ethernet(0x88A8, vlan(5, 6) + INNER), "eth ieee8021ad vlan ip udp data"),
    "MPLS": (samples.ethernet(0x8847, struct.pack(">I", 16 << 12 | 0x140) + INNER), "eth mpls ip udp data"),
    "GRE": (
        samples.ethernet(0x800, samples.ip4(47, struct.pack(">HH", 0, 0x800) + INNER)),
        "eth ip gre ip udp data",
    ),
    "VXLAN": (
        samples.ethernet(
            0x800,
            samples.ip4(
                17, samples.udp(40_000, 4_789, b"\x08\0\0\0\0\0\5\0" + samples.ethernet(0x800, INNER))
            ),
        ),
        "eth ip udp vxlan eth ip udp data",
    ),
    "IP in IP": (samples.ethernet(0x800, samples.ip4(4, INNER)), "eth ip ip udp data"),
    "a fragment": (samples.ethernet(0x800, samples.ip4(17, DATAGRAM, fragment=0x2000)), "eth ip data"),
    "64 KiB": (samples.ethernet(0x800, samples.ip4(17, samples.udp(1, 2, bytes(65_000)))), "eth ip udp data"),
    "nothing": (b"", "_ws.malformed"),
    "a byte": (b"\0", "_ws.malformed"),
}


async def imported(store: Store, folder: Path, content: bytes) -> int:
    (folder / "a.pcap").write_bytes(content)
    (capture,) = await store.services.catalogue.import_file(store.ada, folder / "a.pcap")
    return capture.id


def file_of(store: Store, number: int) -> Path:
    return CaptureRepository(store.services.database).directory(number) / CAPTURE_NAME


def capture_of(store: Store, number: int) -> Capture:
    return CaptureRepository(store.services.database).get(store.ada, number)


@pytest.mark.lab
@NEEDS_TSHARK
async def test_nested_short_and_endless_packets_whose_clock_runs_backwards(
    store: Store, tmp_path: Path
) -> None:
    start = 1_700_000_000 * 10**9
    found = [
        RawPacket(number, start - number * 60 * 10**9, len(data), data)
        for number, (data, _) in enumerate(SHAPES.values(), 1)
    ]
    number = await imported(store, tmp_path, pcap(found, nanoseconds=True))
    async with opened(file_of(store, number)) as packets:
        rows = await packets.pick(range(1, 101))
        assert [row.time for row in rows] == [raw.time for raw in found]
        assert all(row.protocol and row.length == len(raw.data) for row, raw in zip(rows, found, strict=True))
        for raw, (data, layers) in zip(found, SHAPES.values(), strict=True):
            detail = await packets.detail(raw.number)
            assert [layer.name for layer in detail.layers] == ["frame", *layers.split()], raw.number
            assert detail.data == data
    for question in ("conversations:udp", "flow", "expert"):
        assert (await store.services.analysis.ask(store.ada, number, Asked(find_question(question)))).rows
    graph = await store.services.analysis.ask(store.ada, number, Asked(find_question("io")))
    assert "of 10 packets are left out" in graph.notes[-1]


@pytest.mark.lab
@NEEDS_TSHARK
async def test_a_link_type_that_nobody_knows_is_listed_exported_and_told(
    store: Store, tmp_path: Path
) -> None:
    some = raws(list(samples.SAMPLES.values())[:3])
    number = keep(store.services, store.ada, pcap(some, UNKNOWN))
    async with opened(file_of(store, number)) as packets:
        assert [row.protocol for row in await packets.pick(range(1, 10))] == [f"LINKTYPE_{UNKNOWN}"] * 3
        detail = await packets.detail(2)
        assert (detail.data, detail.dissector) == (some[1].data, "built-in")
        with pytest.raises(ToolFailed, match="network type 4000"):
            async for _ in packets.matching("frame").numbers():
                pass
    with pytest.raises(ToolFailed, match="network type 4000"):
        await store.services.analysis.ask(store.ada, number, Asked(find_question("hierarchy")))
    made = await store.services.catalogue.slice(store.ada, number, PacketChoice(first=2, last=3))
    path = await store.services.catalogue.export(
        store.ada, made.id, tmp_path / "out.pcapng", form=ExportForm("pcapng")
    )
    (again,) = await store.services.catalogue.import_file(store.ada, path)
    assert (again.linktype, again.counters.packets) == (f"LINKTYPE_{UNKNOWN}", 2)


@pytest.mark.lab
@NEEDS_TSHARK
async def test_what_text2pcap_writes_is_merged_with_a_capture(store: Store, tmp_path: Path) -> None:
    hexdump, written = tmp_path / "a.txt", tmp_path / "a.pcapng"
    hexdump.write_text("000000 " + samples.SAMPLES["ping"].hex(" ") + "\n")
    command = [find_tool("text2pcap") or "", "-q", "-t", "%s.", str(hexdump), str(written)]
    subprocess.run(command, check=True, capture_output=True)
    (theirs,) = await store.services.catalogue.import_file(store.ada, written)
    ours = await imported(store, tmp_path, pcap(raws(list(samples.SAMPLES.values()))))
    made = await store.services.catalogue.merge(store.ada, [ours, theirs.id])
    assert made.counters.packets == len(samples.SAMPLES) + 1
    async with opened(file_of(store, made.id)) as packets:
        assert samples.SAMPLES["ping"] in [(await packets.sketch(n)).data for n in (1, made.counters.packets)]


@pytest.mark.parametrize("order", ["<", ">"])
async def test_every_byte_of_a_file_may_be_wrong(store: Store, order: str) -> None:
    frames = [samples.SAMPLES[name] for name in ("ping", "dns response")]
    whole = pcap(raws(frames), order=order)
    number = keep(store.services, store.ada, whole)
    file, capture = file_of(store, number), capture_of(store, number)
    choices = (PacketChoice(), PacketChoice(conversation=1), PacketChoice(hosts=("192.0.2.1",)))
    refused = 0
    for place in range(len(whole)):
        for value in (0, 0x7F, 0xFF):
            file.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
            for choice in choices:
                for form in (ExportForm("pcapng"), ExportForm(anonymise=True)):
                    try:
                        b"".join(export_chunks(capture, file, choice, form, Stop()))
                    except NetmonError as error:
                        assert str(error)
                        refused += 1
            try:
                packets = PacketList(file)
            except NetmonError:
                assert place < 24
                continue
            await packets.extend()
            rows = await packets.pick(range(1, 10))
            assert len(rows) == packets.count and all(row.protocol for row in rows)
            await packets.close()
    assert refused
