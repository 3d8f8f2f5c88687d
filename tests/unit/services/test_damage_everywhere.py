"""Small files that are cut or wrong at any byte: fields and answers are right, or say what is wrong and where."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.analysis import Asked, find_question
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.stream import Follow
from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError, ToolFailed
from netmon_tui.runtime.packet_dissector import PacketDissector
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.container import open_services
from netmon_tui.services.file_damage import damage_of, with_place
from netmon_tui.services.packet_list import PacketList
from netmon_tui.tools.pcap import make_header
from netmon_tui.tools.pcap_layout import layout_for
from tests.unit.services.made_scans import Store
from tests.unit.services.test_capture_catalogue import pcap, raws
from tests.unit.services.test_odd_captures import file_of, keep
from tests.unit.tools import packet_samples as samples
from tests.unit.tools import test_pcap_layout as ng

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not (find_tool("tshark") and find_tool("sharkd")), reason="tshark is not installed"),
]
FRAMES = list(samples.SAMPLES.values())[:8]
FILES = {"pcap": pcap(raws(FRAMES)), "pcapng": ng.file_of(ng.packets(8)) + ng.statistics(0)}
ENDS = {
    len(make(some[:n]))
    for make, some in ((pcap, raws(FRAMES)), (ng.file_of, ng.packets(8)))
    for n in range(9)
}
"""Sizes of files that are cut between two packets."""
INTERFACE = len(ng.file_of(ng.packets(3))) + 9
"""Place in the pcapng file of a byte of the interface of packet 4."""
QUESTIONS = ("io", "conversations:ip", "expert")
KINDS, PLACES = st.sampled_from(sorted(FILES)), st.integers(0, min(map(len, FILES.values())) - 1)
WRONG = st.none() | st.integers(1, 255)
"""What a byte is changed by; None where the file ends before it."""
SOME = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def damaged(kind: str, place: int, wrong: int | None) -> bytes:
    whole = FILES[kind]
    return whole[:place] + (b"" if wrong is None else bytes([whole[place] ^ wrong]) + whole[place + 1 :])


def children() -> set[str]:
    """The processes that we have started and that are still there."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has ended since
            if status.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                found.add(status.parent.name)
    return found


async def look_at_fields(path: Path, *, is_cut: bool) -> None:
    try:
        packets = PacketList(path)
    except NetmonError as error:
        assert error.why or error.fix
        return
    try:
        while await packets.extend():
            pass
        for number in range(1, packets.count + 1):
            detail = await packets.detail(number)
            assert detail.layers and detail.data == packets._index.read(number).data
            assert detail.dissector == "sharkd" or not is_cut
        if packets.count < len(FRAMES):
            assert "byte" in packets.damage or path.stat().st_size in ENDS
        try:
            await packets.load_whole()
            assert packets._dissector._whole is not None
            assert packets._dissector._whole.frames == packets.count
        except NetmonError as error:
            assert error.why and not is_cut
    finally:
        await packets.close()


def test_fields_of_a_file_that_is_cut_or_wrong_anywhere(tmp_path: Path) -> None:
    path, before = tmp_path / "a.pcap", children()

    @SOME
    @example("pcapng", INTERFACE, 255)
    @example("pcapng", 86, None)
    @example("pcap", 198, None)
    @given(KINDS, PLACES, WRONG)
    def look(kind: str, place: int, wrong: int | None) -> None:
        data = damaged(kind, place, wrong)
        path.write_bytes(data)
        asyncio.run(asyncio.wait_for(look_at_fields(path, is_cut=wrong is None), 20))
        assert path.read_bytes() == data and children() == before

    look()


async def look_at_answers(store: Store, number: int, file: Path, *, is_cut: bool) -> None:
    damage = damage_of([file])
    store.services.analysis._answers.clear()  # a file of the same size is taken for the same
    for name in QUESTIONS:
        try:
            answer = await store.services.analysis.ask(store.ada, number, Asked(find_question(name)))
            assert not (is_cut and damage) or damage in answer.notes
        except NetmonError as error:
            assert error.why and damage in str(error)
    try:
        await store.services.analysis.follow(store.ada, number, Follow("tcp", 0))
    except NetmonError as error:
        assert error.why and damage in str(error)


async def made(data: Path) -> Store:
    services = await asyncio.to_thread(open_services, load_settings(environ={}), find_paths(data_dir=data))
    user = await services.accounts.create_first_admin("ada", "walnut-koala-lantern")
    return Store(services, Actor(user.id, user.name, user.role))


def test_answers_about_a_file_that_is_cut_or_wrong_anywhere(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        store = runner.run(made(tmp_path / "data"))
        number = keep(store.services, store.ada, FILES["pcap"])
        file, before = file_of(store, number), children()

        @SOME
        @example("pcapng", INTERFACE, 255)
        @example("pcapng", 86, None)
        @example("pcap", 381, None)
        @example("pcap", 0, None)
        @given(KINDS, PLACES, WRONG)
        def look(kind: str, place: int, wrong: int | None) -> None:
            data = damaged(kind, place, wrong)
            file.write_bytes(data)
            asking = look_at_answers(store, number, file, is_cut=wrong is None)
            runner.run(asyncio.wait_for(asking, 30))
            assert file.read_bytes() == data and children() == before

        look()
        runner.run(store.services.close())


async def test_a_packet_of_an_unknown_interface_hides_no_fields_of_others(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(damaged("pcapng", INTERFACE, 255))
    packets = PacketList(path)
    while await packets.extend():
        pass
    assert [(await packets.detail(number)).dissector for number in range(1, 9)] == ["sharkd"] * 8
    with pytest.raises(NetmonError, match="read 3 of 8 packets"):
        await packets.load_whole()
    await packets.close()
    assert damage_of([path]).startswith("packet 4 at byte") and "not described" in damage_of([path])


def test_half_a_record_of_a_file_that_grows_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(FILES["pcap"][:-5])
    error = ToolFailed("tshark hangs", why="no answer in 60 s")
    assert "is cut" in str(with_place(error, [path], growing=False))
    assert str(with_place(error, [path], growing=True)) == str(error)


async def test_a_whole_file_that_cannot_be_loaded_is_tried_once_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, loads = tmp_path / "capture.pcapng", 0
    data = bytearray(FILES["pcapng"])
    data[INTERFACE] ^= 7  # sharkd gets no further than to the packet of that interface
    path.write_bytes(data)
    load = PacketDissector.load_whole

    async def counted(*arguments: int) -> None:
        nonlocal loads
        loads += 1
        await load(*arguments)

    monkeypatch.setattr(PacketDissector, "load_whole", counted)
    packets, columns = PacketList(path), PacketColumns(("number", "info"), by_tshark=True)
    try:
        while await packets.extend():
            pass
        lines = await packets.lines(range(1, 9), columns.keys)
        for _ in range(3):
            assert len(await packets.worded(lines, columns, whole=True)) == 8
        assert loads == 1
        with pytest.raises(ToolFailed):
            await packets.load_whole()
    finally:
        await packets.close()


async def test_an_interface_that_is_described_after_the_file_was_opened_has_its_name(tmp_path: Path) -> None:
    path, header = tmp_path / "capture.pcapng", make_header(1, snaplen=262_144, nanoseconds=True)
    one, two = layout_for(header, ("eth0",)), layout_for(header, ("eth0", "eth1"))
    path.write_bytes(one.beginning)
    packets = PacketList(path, growing=True)
    try:
        await packets.extend()
        with path.open("ab") as file:
            file.write(two.beginning[len(one.beginning) :])
            file.write(two.pack(raws(FRAMES[:1])[0]._replace(interface=1)))
        while not packets.count:
            await packets.extend()
        frame = (await packets.detail(1)).layers[0]
        words = [field.label for field in frame.fields]
        assert any("eth1" in one for one in words) and not any("unknown" in one for one in words), words
    finally:
        await packets.close()
