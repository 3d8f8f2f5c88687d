"""Captures of every link type, byte order and precision, whole and damaged: listed, dissected, sliced, exported."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.errors import NetmonError, ToolFailed
from netmon_tui.runtime.dissection import dissect_packet
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_parts import ends_of
from netmon_tui.tools.pcap import RawPacket, make_header
from tests.unit.runtime.test_packet_dissector import children
from tests.unit.services.made_scans import Store
from tests.unit.services.test_capture_catalogue import pcap, raws
from tests.unit.services.test_odd_captures import file_of, imported
from tests.unit.services.tsharks import keep
from tests.unit.tools import packet_samples as samples

NEEDS_SHARKD = pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")
HEADS = {
    link_layers.NULL: struct.pack("<I", 2),
    link_layers.ETHERNET: samples.ethernet(0x0800, b""),
    link_layers.PPP: b"\xff\x03\0\x21",
    link_layers.PPP_SERIAL: b"\xff\x03\0\x21",
    link_layers.RAW: b"",
    link_layers.LOOP: struct.pack(">I", 2),
    link_layers.C_HDLC: b"\x0f\0\x08\0",
    link_layers.LINUX_SLL: struct.pack(">HHH8sH", 0, 1, 6, samples.MAC_A, 0x0800),
    link_layers.IPV4: b"",
    link_layers.LINUX_SLL2: struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, samples.MAC_A),
}
"""What stands before IP on the link types whose packets we decode."""
SMALL = [samples.SAMPLES[name] for name in ("ping", "dns response")]


@pytest.mark.parametrize(("order", "nanoseconds"), [("<", True), (">", False)], ids=["little, ns", "big, us"])
async def test_every_link_type_is_listed_sliced_and_exported(
    store: Store, tmp_path: Path, order: str, nanoseconds: bool
) -> None:
    for linktype in link_layers._NAMES:
        data = HEADS.get(linktype, b"\x5a\xc3") + samples.INNER
        found = raws([data, data + b"\0", b"\0", data])
        found = [raw._replace(nanoseconds=raw.nanoseconds + nanoseconds) for raw in found]
        whole = pcap(found, linktype, order=order, nanoseconds=nanoseconds)
        number = await imported(store, tmp_path, whole)
        opened = PacketList(file_of(store, number))
        await opened.extend()
        rows = await opened.pick(range(1, 10))
        assert [row.length for row in rows] == [len(raw.data) for raw in found]
        if linktype in HEADS:
            assert rows[0][2:5] == ("192.0.2.2", "192.0.2.1", "UDP"), linktype
            names = [layer.name for layer in (await opened.sketch(1)).layers]
            assert names[-3:] == ["ip", "udp", "data"], linktype
            ends = ends_of(data, linktype)
            assert ends is not None and ends.protocol == 17, linktype
        await opened.close()
        made = await store.services.catalogue.slice(store.ada, number, PacketChoice(first=2, last=3))
        assert file_of(store, made.id).read_bytes() == pcap(
            found[1:3], linktype, order=order, nanoseconds=nanoseconds
        )
        path = await store.services.catalogue.export(
            store.ada, number, tmp_path / f"{linktype}.pcapng", form=ExportForm("pcapng")
        )
        (again,) = await store.services.catalogue.import_file(store.ada, path, again=True)
        assert (again.linktype, again.counters.packets) == (link_layers.link_type_name(linktype), len(found))


@pytest.mark.lab
@NEEDS_SHARKD
async def test_our_few_fields_are_those_of_sharkd_on_every_link_type(store: Store) -> None:
    for linktype, head in HEADS.items():
        number = keep(store.services, store.ada, pcap(raws([head + samples.INNER]), linktype))
        opened = PacketList(file_of(store, number))
        await opened.extend()
        ours, theirs = [
            [layer.name for layer in detail.layers]
            for detail in (await opened.sketch(1), await opened.detail(1))
        ]
        assert ours == [name for name in theirs if name != "raw"], linktype
        await opened.close()


@pytest.mark.lab
@NEEDS_SHARKD
async def test_damage_is_told_by_whoever_dissects_and_leaves_nobody_behind(store: Store) -> None:
    """Every byte would take minutes: some fields of the headers and of the packets are damaged."""
    whole = pcap(raws(SMALL))
    number = keep(store.services, store.ada, whole)
    file, told = file_of(store, number), 0
    damaged = [whole[:place] + b"\xff" + whole[place + 1 :] for place in (0, 20, 32, 37, 45, 70)]
    damaged += [whole[:size] for size in (0, 24, 41, len(whole) - 1)]
    for content in damaged:
        file.write_bytes(content)
        try:
            await store.services.analysis.ask(store.ada, number, Asked(find_question("hierarchy")))
        except NetmonError as error:
            assert error.what and error.why, error
            told += 1
        try:
            opened = await store.services.packets.open(store.ada, number)
        except NetmonError as error:
            assert error.what, content
            continue
        await opened.extend()
        if opened.count:
            assert (await opened.detail(1)).dissector in ("sharkd", "tshark", "built-in")
        await opened.close()
    assert told
    assert children() == []


@pytest.mark.lab
@NEEDS_SHARKD
@pytest.mark.parametrize("name", ["VXLAN in GRE in PPPoE"])
async def test_a_damaged_packet_is_dissected_alone(name: str) -> None:
    data = (samples.SAMPLES | samples.TUNNELS)[name]
    tshark = find_tool("tshark") or ""
    for size in range(0, len(data), max(1, len(data) // 3)):
        raw = RawPacket(1, 10**18, len(data), data[:size])
        try:
            layers = await dissect_packet(raw, make_header(), tshark=tshark)
        except ToolFailed as error:
            assert error.why
        else:
            assert layers[0].name == "frame"
