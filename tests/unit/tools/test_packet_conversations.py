"""Conversations that are counted from headers are those that tshark counts, or it is asked."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from netmon_tui.domain.analysis import Analysis, Asked, find_question
from netmon_tui.tools import link_layers
from netmon_tui.tools.packet_conversations import OwnReader, own_reader
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.tshark_statistics import build_command, reader_for
from tests.unit.tools.exchanges import START, exchanges
from tests.unit.tools.packet_samples import (
    ALL_NODES,
    INNER6,
    SAMPLES,
    TUNNELS,
    VXLAN,
    ethernet,
    ip4,
    ip6,
    tcp,
    udp,
)

TSHARK = shutil.which("tshark") or ""
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not TSHARK, reason="tshark is not installed")]
KINDS = ("eth", "ip", "ipv6")
TAG = b"\x81\x00\x00\x05"
MULTICAST = bytes.fromhex("3a000502000001008fcae0a7")
PLAIN = [
    *exchanges().frames,
    ethernet(0x0800, ip4(17, udp(40000, 53, bytes(1400)), fragment=0x2000)),
    ethernet(0x0800, ip4(17, bytes(80), fragment=0x00B0)),
    *(frame[:12] + TAG + frame[12:] for frame in exchanges().frames[:5]),
    *(frame[:12] + TAG + TAG + frame[12:] for frame in exchanges().frames[:2]),
    SAMPLES["arp request"],
    ethernet(0x86DD, ip6(6, tcp(443, 40000, 0x18, b"hello"))),
    ethernet(0x86DD, ip6(0, MULTICAST, destination=ALL_NODES)),
    ethernet(0x86DD, ip6(17, udp(5353, 5353, bytes(20)), destination=ALL_NODES)),
]
"""Frames of which Ethernet and IPv4 are sure; what is asked of IPv6 has no IPv4 but TCP."""
TUNNELS_OF_IP6 = {
    1701: b"\0\2\0\1\0\1" + b"\xff\x03\0\x57" + INNER6,
    2152: b"\x30\xff" + len(INNER6).to_bytes(2, "big") + b"\0\0\0\1" + INNER6,
    3544: INNER6,
    4789: VXLAN + ethernet(0x86DD, INNER6),
    6081: b"\0\0\x86\xdd\0\0\1\0" + INNER6,
}
"""What datagrams of some ports have within: L2TP, GTP, Teredo, VXLAN, Geneve."""


def file_of(frames: list[bytes], linktype: int = link_layers.ETHERNET, *, nanoseconds: bool = False) -> bytes:
    """Return a file; its packets go back in time once."""
    header = make_header(linktype, nanoseconds=nanoseconds)
    times = [START + (number - 3 * (number == 4)) * 1_234_567 for number in range(len(frames))]
    packets = (RawPacket(0, when, len(frame) + 9, frame) for when, frame in zip(times, frames, strict=True))
    return header.data + b"".join(pack_record(header, packet) for packet in packets)


def own(question: str, data: bytes, size: int = 1 << 18) -> OwnReader:
    reader = own_reader(Asked(find_question(question)))
    assert reader is not None
    for at in range(0, len(data), size):
        reader.take(data[at : at + size])
    return reader


def sure_of(question: str) -> list[bytes]:
    """Return the plain frames that are sure for a question."""
    sure = [frame for frame in PLAIN if not own(question, file_of([frame])).unsure]
    assert len(sure) >= (28 if "ipv6" in question else len(PLAIN))
    return sure


def tsharks(question: str, path: Path) -> Analysis:
    asked = Asked(find_question(question))
    command, reader = list(build_command(TSHARK, asked, 1.0)), reader_for(asked)
    with path.open("rb") as file:
        reader.take(subprocess.run(command, stdin=file, capture_output=True, check=True).stdout)
    return reader.answer()


@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize(
    "question", [f"{name}:{kind}" for name in ("conversations", "endpoints") for kind in KINDS]
)
def test_the_answer_is_tsharks(tmp_path: Path, question: str, nanoseconds: bool) -> None:
    data = file_of(sure_of(question), nanoseconds=nanoseconds)
    (tmp_path / "made.pcap").write_bytes(data)
    wanted = tsharks(question, tmp_path / "made.pcap")
    reader = own(question, data, size=61)
    assert not reader.unsure and not reader.cut_short
    answer = reader.answer()
    assert wanted.rows and (answer.columns, answer.rows) == (wanted.columns, wanted.rows)
    assert "without tshark" in answer.notes[0] and not wanted.notes


@pytest.mark.parametrize("kind", KINDS)
def test_the_figures_are_those_of_tsharks_own_statistic(tmp_path: Path, kind: str) -> None:
    data = file_of(sure_of(f"endpoints:{kind}"))
    (tmp_path / "made.pcap").write_bytes(data)
    command = [TSHARK, "-n", "-q", "-r", tmp_path / "made.pcap", "-z", f"endpoints,{kind}"]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = {
        words[0]: list(map(int, words[1:])) for line in said.split("\n") if len(words := line.split()) == 7
    }
    rows = own(f"endpoints:{kind}", data).answer().rows
    assert found and {row.cells[0]: list(row.cells[1:]) for row in rows} == found


def damaged(frames: list[bytes]) -> list[bytes]:
    """Return frames with some bytes changed or cut off."""
    rng, made = random.Random(5), []
    for frame in frames:
        made.append(frame)
        for _ in range(12):
            changed = bytearray(frame)
            for _ in range(rng.randrange(1, 4)):
                changed[rng.randrange(min(64, len(changed)))] = rng.choice(
                    (0, 1, 4, 6, 41, 255, rng.randrange(256))
                )
            made.append(bytes(changed[: rng.choice((len(changed), rng.randrange(len(changed) + 1)))]))
    return made


_COOKED = bytes.fromhex("0000000100060200000000010000")
_COOKED2 = bytes.fromhex("0000000000010001000602000000000100ff")
LINKS = {
    link_layers.ETHERNET: lambda frame: frame,
    link_layers.RAW: lambda frame: frame[14:],
    link_layers.LINUX_SLL: lambda frame: _COOKED + frame[12:],
    link_layers.LINUX_SLL2: lambda frame: frame[12:14] + _COOKED2 + frame[14:],
}
"""What a packet of an Ethernet frame looks like on a link."""


def compared(
    path: Path, frames: list[bytes], linktype: int = link_layers.ETHERNET
) -> tuple[dict[str, int], list[object]]:
    """Return how many packets are sure of each kind, and of which of these tshark says something else."""
    path.write_bytes(file_of(frames, linktype))
    fields = [word for kind in KINDS for end in ("src", "dst") for word in ("-e", f"{kind}.{end}")]
    options = ["-o", "ip.defragment:FALSE", "-T", "fields", "-E", "occurrence=f"]
    command = [TSHARK, "-n", "-r", path, *options, *fields]
    said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\n")[:-1]
    assert len(said) == len(frames)
    sure: dict[str, int] = dict.fromkeys(KINDS, 0)
    wrong: list[object] = []
    for frame, line in zip(frames, said, strict=True):
        cells = line.split("\t")
        for place, kind in enumerate(KINDS):
            reader = own(f"conversations:{kind}", file_of([frame], linktype))
            if reader.unsure:
                continue
            sure[kind] += 1
            rows = reader.answer().rows
            found = list(rows[0].cells[:2]) if rows else ["", ""]
            if found != cells[2 * place : 2 * place + 2]:
                wrong.append((kind, frame.hex(), found, line))
    return sure, wrong


@pytest.mark.parametrize("linktype", LINKS)
def test_what_is_sure_of_a_packet_is_what_tshark_says(tmp_path: Path, linktype: int) -> None:
    frames = damaged(list(map(LINKS[linktype], [*SAMPLES.values(), *TUNNELS.values(), *PLAIN])))
    sure, wrong = compared(tmp_path / "made.pcap", frames, linktype)
    assert not wrong
    assert sure["ip"] > len(frames) // 5 and (
        linktype != link_layers.ETHERNET or sure["eth"] > len(frames) // 2
    )


def test_a_tunnel_from_the_port_of_another_protocol_is_not_overlooked(tmp_path: Path) -> None:
    frames = [
        ethernet(0x0800, ip4(17, udp(*ports, payload)))
        for plain in (53, 67, 68, 123, 137, 138, 161, 443, 546, 547, 1900)
        for tunnel, payload in TUNNELS_OF_IP6.items()
        for ports in ((plain, tunnel), (tunnel, plain))
    ]
    sure, wrong = compared(tmp_path / "made.pcap", frames)
    assert sure["ip"] == len(frames) and not wrong
    assert not own(
        "conversations:ipv6", file_of([ethernet(0x0800, ip4(17, udp(50000, 443, bytes(40))))])
    ).unsure


def test_a_file_that_ends_within_a_packet_is_counted_to_there() -> None:
    data = file_of(PLAIN)
    reader = own("conversations:eth", data[:-1])
    assert reader.cut_short and not reader.unsure
    assert sum(row.cells[2] for row in reader.answer().rows) == len(PLAIN) - 1  # type: ignore[misc]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a\x0d\x0d\x0a" + bytes(60),
        file_of([b"\0" * 60])[:32] + b"\xff\xff\xff\x7f" + bytes(80),
        file_of([SAMPLES["arp request"]], link_layers.LINUX_SLL),
    ],
    ids=["pcapng", "damaged", "no Ethernet"],
)
def test_tshark_is_asked_about_what_is_no_plain_file(data: bytes) -> None:
    assert own("conversations:eth", data).unsure


def test_tshark_is_asked_about_tunnels_and_with_a_filter() -> None:
    assert own("conversations:ipv6", file_of([ethernet(0x0800, ip4(41, ip6(6, tcp(1, 2, 2))))])).unsure
    assert own("conversations:ip", file_of([ethernet(0x86DD, ip6(17, udp(4789, 4789, bytes(60))))])).unsure
    assert own_reader(Asked(find_question("conversations:ip"), "tcp")) is None
    assert own_reader(Asked(find_question("conversations:tcp"))) is None
