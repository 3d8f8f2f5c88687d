"""Packets found by what is in them: as somebody finds them who looks at each packet by itself."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from netmon_tui.domain.packet_find import FindIn, FindKind, Match, Wanted
from netmon_tui.errors import InvalidInput
from netmon_tui.tools import packet_search
from netmon_tui.tools.packet_pattern import PacketPattern
from netmon_tui.tools.packet_search import PacketSearch
from netmon_tui.tools.packet_summary import summarise
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.tshark_text import TreeReader
from tests.bench.generate_pcap import generate
from tests.unit.tools.packet_samples import SAMPLES


def write(path: Path, packets: list[bytes]) -> PacketIndex:
    header = make_header()
    raws = (RawPacket(n, n, len(data), data) for n, data in enumerate(packets, 1))
    path.write_bytes(header.data + b"".join(pack_record(header, raw) for raw in raws))
    index = PacketIndex(path)
    index.extend()
    return index


def found(
    index: PacketIndex, wanted: Wanted, numbers: list[int] | None = None, start: int = 1
) -> list[Match]:
    search = PacketSearch(index, PacketPattern(wanted), wanted.place, numbers)
    return [match for block in search.blocks(start) for match in search.look(block).matches]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> PacketIndex:
    """Packets of few different bytes, so that everything is found everywhere and across their borders too."""
    rng = random.Random(5)
    packets = [bytes(rng.choices(b"ab\0\1\n", k=rng.randrange(0, 90))) for _ in range(3_000)]
    return write(tmp_path_factory.mktemp("noise") / "noise.pcap", packets)


REGEXES = {
    FindKind.TEXT: {"ab", "aba\na", "abab"},
    FindKind.REGEX: {"a[ab]+b", "^ab", "ba$", r"\x00.\x01{2}", "a.*b.*\n"},
    FindKind.HEX: {"61 62", "61:6?:00", "00 01 ?1", "??61", "0x0a0A"},
}
AS_PYTHON = {
    "61 62": rb"\x61\x62",
    "61:6?:00": rb"\x61[\x60-\x6f]\x00",
    "00 01 ?1": rb"\x00\x01[\x01\x11\x21\x31\x41\x51\x61\x71\x81\x91\xa1\xb1\xc1\xd1\xe1\xf1]",
    "??61": rb"[\x00-\xff]\x61",
    "0x0a0A": rb"\x0a\x0a",
}


@pytest.mark.parametrize(
    ("kind", "text"), sorted((kind, text) for kind, texts in REGEXES.items() for text in texts), ids=repr
)
def test_each_packet_by_itself(
    noise: PacketIndex, kind: FindKind, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_search, "_BLOCK", 20_000)
    monkeypatch.setattr(packet_search, "_GROUP", 900)
    plain = AS_PYTHON.get(text, text.encode())
    if kind is FindKind.TEXT:
        plain = b"|".join(
            re.escape(text.encode(encoding)) for encoding in ("utf-8", "utf-16-le", "utf-16-be")
        )
    expected = [
        Match(raw.number, match.start(), match.end() - match.start())
        for raw in noise.packets()
        if (match := re.search(plain.replace(rb"ba$", rb"ba\Z"), raw.data, re.DOTALL))
    ]
    assert 0 < len(expected) < noise.count
    wanted = Wanted(text, kind)
    assert found(noise, wanted) == expected
    around = found(noise, wanted, start=2_000)
    assert around[0].number > 1_900 and sorted(around, key=lambda one: one.number) == expected
    some = [one.number for one in expected[::3]]
    assert found(noise, wanted, [1, *some]) == [one for one in expected if one.number in {1, *some}]


def test_record_headers_do_not_count(tmp_path: Path) -> None:
    index = write(tmp_path / "a.pcap", [b"xx", b"yy" * 50])
    header = pack_record(make_header(), RawPacket(2, 2, 100, b""))[8:12].hex()
    assert found(index, Wanted(header, FindKind.HEX)) == []
    assert found(index, Wanted("78 78 00", FindKind.HEX)) == []
    assert found(index, Wanted("78 78", FindKind.HEX)) == [Match(1, 0, 2)]


def test_text_is_found_in_capitals_and_in_two_bytes(tmp_path: Path) -> None:
    packets = [b"-Stra\xc3\x9fe", "Straße--".encode("utf-16-le"), b"STRASSE", b"stra\xdfe", b"a+b"]
    index = write(tmp_path / "a.pcap", packets)
    assert found(index, Wanted("Straße")) == [Match(1, 1, 7), Match(2, 0, 12)]
    assert [one.number for one in found(index, Wanted("straße", ignore_case=True))] == [1, 2, 3]
    assert found(index, Wanted("A+B", ignore_case=True)) == [Match(5, 0, 3)]
    assert found(index, Wanted("A+B")) == []
    assert [one.number for one in found(index, Wanted("STRA", FindKind.REGEX, ignore_case=True))] == [1, 3, 4]


def test_lines_are_those_of_the_list(tmp_path: Path) -> None:
    index = write(tmp_path / "a.pcap", list(SAMPLES.values()) * 40)
    lines = {raw.number: " ".join(map(str, summarise(raw, 1)[2:])) for raw in index.packets()}
    for text in ("DNS", "who has"):
        expected = [number for number, line in lines.items() if text.casefold() in line.casefold()]
        assert expected
        wanted = Wanted(text, place=FindIn.LIST, ignore_case=True)
        assert [one.number for one in found(index, wanted)] == expected


HOSTILE = [
    "(a+)+$",
    "(a|a)*b",
    "(.*a){12}",
    "(x+x+)+y",
    r"(?i)(a*)*(b*)*(a*)*c",
    "((a|b)?){90}c",
    ".{80}x.{80}y",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_expression_takes_for_ever(tmp_path: Path, text: str) -> None:
    index = write(tmp_path / "a.pcap", [b"a" * 60_000 + b"!"] * 3)
    assert len(found(index, Wanted(text, FindKind.REGEX))) in {0, 3}


REFUSED = [
    Wanted("(a", FindKind.REGEX),
    Wanted(r"(a)\1", FindKind.REGEX),
    Wanted("((a{500}){500}){500}", FindKind.REGEX),
    Wanted("((a|b)?){900}c", FindKind.REGEX),
    Wanted("12" + "?4" * 100, FindKind.HEX),
    Wanted("a*", FindKind.REGEX),
    Wanted("a b c", FindKind.HEX),
    Wanted("xy", FindKind.HEX),
]


@pytest.mark.parametrize("wanted", REFUSED, ids=lambda wanted: wanted.text)
def test_what_is_no_pattern(wanted: Wanted) -> None:
    with pytest.raises(InvalidInput):
        PacketPattern(wanted)


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    generate(tmp_path / "a.pcap", 500)
    with PacketIndex(tmp_path / "a.pcap") as index:
        index.extend()
        with (tmp_path / "a.pcap").open("r+b") as file:
            file.truncate(index.file_size // 2)
        with pytest.raises(InvalidInput, match="shorter"):
            found(index, Wanted("host"))


TREES = (
    b"Frame 1: 10 bytes\n    Time: 1\nData\n    Text: needle\n    Frame 2: not the next\n\n"
    b"Frame 2: 10 bytes\n    Time: 2\nFrame 9: a name like the first line's\n    Text: nothing\n\n"
    b"Frame 3: 10 bytes\n    needle at the begin\n\n"
)


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted("NEEDLE", ignore_case=True), [1, 3]),
        (Wanted("^needle.*begin$", FindKind.REGEX), [3]),
        (Wanted("like the", FindKind.TEXT), [2]),
        (Wanted(r"1.Data|Time.*Data", FindKind.REGEX), []),
    ],
    ids=["text", "line", "other frame", "two lines"],
)
def test_trees_cut_anywhere(wanted: Wanted, expected: list[int], size: int) -> None:
    reader = TreeReader(PacketPattern(Wanted(wanted.text, wanted.kind, FindIn.TREE, wanted.ignore_case)))
    for at in range(0, len(TREES), size):
        reader.take(TREES[at : at + size])
    reader.end()
    batches = reader.take_batches()
    assert [match.number for batch in batches for match in batch.matches] == expected
    assert [(batch.first, batch.after) for batch in batches][-1][1] == 4
