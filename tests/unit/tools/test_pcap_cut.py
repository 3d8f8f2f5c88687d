"""Parts and merges of pcap files, against a plain reading of the same files and against mergecap."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.tools.pcap import FileHeader, RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_cut import Cut, merged, packets_of, pieces
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_layout import layout_for

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def make(
    path: Path, header: FileHeader, times: list[int], rng: random.Random | None = None
) -> list[RawPacket]:
    """Write a file with packets at these times (nanoseconds after the start) and return them."""
    rng = rng or random.Random(7)
    raws = [RawPacket(n, START + t, 60, rng.randbytes(rng.randrange(1, 200))) for n, t in enumerate(times, 1)]
    path.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in raws))
    return raws


def opened(path: Path) -> PacketIndex:
    index = PacketIndex(path)
    index.extend()
    return index


def data_of(found: list[RawPacket]) -> list[tuple[int, bytes]]:
    return [(raw.nanoseconds, raw.data) for raw in found]


@pytest.mark.parametrize(("order", "nanoseconds"), itertools.product("<>", (False, True)))
def test_ranges_times_and_numbers_are_cut_out_byte_by_byte(
    tmp_path: Path, order: str, nanoseconds: bool
) -> None:
    header = make_header(byte_order=order, nanoseconds=nanoseconds)
    raws = make(tmp_path / "a.pcap", header, [n * 1_000_000 for n in range(3_000)])
    chosen = [raws[n].number for n in range(0, 3_000, 7)]
    middle = raws[1_000].nanoseconds
    with opened(tmp_path / "a.pcap") as index:
        for cut, expected in (
            (Cut(), raws),
            (Cut(first=10, last=500), raws[9:500]),
            (Cut(first=2_999, last=9_999), raws[2_998:]),
            (Cut(first=3_001), []),
            (Cut(since=middle, until=middle + 2_000_000), raws[1_000:1_003]),
            (Cut(until=middle, first=999), raws[998:1_001]),
            (Cut(numbers=chosen), raws[::7]),
            (Cut(numbers=chosen, first=20), raws[21::7]),
            (Cut(wanted=lambda data: len(data) > 150), [raw for raw in raws if len(raw.data) > 150]),
        ):
            found = list(pieces(index, cut))
            assert sum(piece.packets for piece in found) == len(expected)
            assert b"".join(p.records for p in found) == b"".join(pack_record(header, r) for r in expected)
            assert data_of(list(packets_of(layout_for(header), iter(found)))) == data_of(expected)


def test_a_record_larger_than_what_is_read_at_once_is_found(tmp_path: Path) -> None:
    header = make_header(220)  # USB may have records of many MiB
    raws = [RawPacket(n, START, 1, bytes([n]) * size) for n, size in enumerate((10, 3_000_000, 20), 1)]
    path = tmp_path / "usb.pcap"
    path.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in raws))
    with opened(path) as index:
        found = list(packets_of(layout_for(header), pieces(index, Cut(numbers=[2, 3]))))
    assert data_of(found) == data_of(raws[1:])


@pytest.mark.parametrize("cut", [Cut(), Cut(wanted=lambda data: True), Cut(numbers=[1, 2_000])], ids="123")
def test_a_file_that_became_shorter_is_told_and_not_passed_on_as_whole(tmp_path: Path, cut: Cut) -> None:
    make(tmp_path / "a.pcap", make_header(), list(range(3_000)))
    with opened(tmp_path / "a.pcap") as index:
        os.truncate(index.path, index.end - 30)
        with pytest.raises(InvalidInput, match="became shorter"):
            list(pieces(index, cut))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=30), min_size=2, max_size=4))
def test_a_merge_has_every_packet_in_time_order(
    tmp_path_factory: pytest.TempPathFactory, times: list[list[int]]
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    header, rng = make_header(nanoseconds=True), random.Random(1)
    all_of = [make(folder / f"{n}", header, sorted(one), rng) for n, one in enumerate(times)]
    indexes = [opened(folder / f"{n}") for n in range(len(times))]
    found = list(packets_of(layout_for(header), merged(indexes, layout_for(header))))
    for index in indexes:
        index.close()
    assert [raw.nanoseconds for raw in found] == sorted(raw.nanoseconds for one in all_of for raw in one)
    assert sorted(data_of(found)) == sorted(data_of([raw for one in all_of for raw in one]))


@pytest.mark.skipif(find_tool("mergecap") is None, reason="mergecap is not installed")
@pytest.mark.parametrize("apart", [False, True], ids=["mixed", "one after the other"])
def test_mergecap_merges_the_same(tmp_path: Path, apart: bool) -> None:
    header = make_header()
    first, second, theirs = (tmp_path / name for name in ("a.pcap", "b.pcap", "theirs.pcap"))
    make(first, header, [n * 2_000_000 for n in range(500)])
    make(second, header, [n * 3_000_000 + (2 * SECOND if apart else 500_000) for n in range(500)])
    subprocess.run(["mergecap", "-F", "pcap", "-w", theirs, second, first], check=True)
    with opened(first) as one, opened(second) as other:
        ours = b"".join(piece.records for piece in merged([one, other], layout_for(header)))
    assert ours == theirs.read_bytes()[24:]


@pytest.mark.skipif(find_tool("mergecap") is None, reason="mergecap is not installed")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6), min_size=2, max_size=3))
@example([[10, 50, 20], [30, 40]])
@example([[1, 9, 2], [3, 4], [5]])
def test_mergecap_merges_the_same_where_a_file_is_not_sorted(
    tmp_path_factory: pytest.TempPathFactory, times: list[list[int]]
) -> None:
    folder, header = tmp_path_factory.mktemp("merge"), make_header()
    # no two of the same time: mergecap decides otherwise whose comes first
    spread = [[(n * 3 + place) * 1_000_000 for n in one] for place, one in enumerate(times)]
    paths = [folder / f"{place}.pcap" for place in range(len(times))]
    for path, one in zip(paths, spread, strict=True):
        make(path, header, one)
    subprocess.run(["mergecap", "-F", "pcap", "-w", folder / "theirs", *paths], check=True)
    indexes = [opened(path) for path in paths]
    ours = b"".join(piece.records for piece in merged(indexes, layout_for(header)))
    for index in indexes:
        index.close()
    assert ours == (folder / "theirs").read_bytes()[24:]


def test_a_finer_clock_is_kept_when_files_follow_one_another(tmp_path: Path) -> None:
    coarse, fine = make_header(byte_order=">"), make_header(nanoseconds=True)
    raws = make(tmp_path / "a", coarse, [0, 1_000]) + make(tmp_path / "b", fine, [SECOND + 1, SECOND + 2])
    with opened(tmp_path / "a") as one, opened(tmp_path / "b") as other:
        found = list(packets_of(layout_for(fine), merged([other, one], layout_for(fine))))
    assert data_of(found) == data_of(raws)
