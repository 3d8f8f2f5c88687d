import itertools
import random
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from netmon_tui.errors import InvalidInput
from netmon_tui.tools import link_layers, traffic_reader
from netmon_tui.tools.flow_counter import NEEDED, FlowCounter
from netmon_tui.tools.packet_flow import LAYOUTS, NO_FLOW, PORTED, ends_of, flow_of
from netmon_tui.tools.pcap import RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_layout import PcapngLayout, layout_for
from netmon_tui.tools.pcap_sync import TRUSTED_AFTER, BlockFinder, RecordFinder
from netmon_tui.tools.traffic_reader import TrafficReader
from netmon_tui.tools.traffic_tables import MOST_KEPT, TrafficTables
from tests.unit.tools import packet_samples as samples
from tests.unit.tools import test_pcapng as ng

A, B = samples.IP_A, samples.IP_B
UDP = struct.pack(">HH", 40000, 40001)
OWN = {
    "ipv6 options": samples.ethernet(
        0x86DD, samples.ip6(60, bytes([6, 0, 1, 4, 0, 0, 0, 0]) + samples.tcp(40000, 443, 2))
    ),
    "mpls": samples.ethernet(
        0x8847, bytes.fromhex("0001004000020140") + samples.ip4(6, samples.tcp(40000, 443, 2))
    ),
    "pppoe": samples.ethernet(
        0x8864, bytes.fromhex("110000010036") + b"\0\x21" + samples.ip4(17, samples.udp(40000, 40001, b"x"))
    ),
    "two tags": samples.MAC_B + samples.MAC_A + bytes.fromhex("88a8000181000002")
    + samples.ethernet(0x86DD, samples.ip6(6, samples.tcp(40000, 443, 2)))[12:],
    "ip options": samples.ethernet(
        0x0800, b"\x46\0\0\x30" + bytes(4) + b"\x40\x06\0\0" + A + B + b"\x94\4\0\0" + samples.tcp(40000, 443, 2)
    ),
    "sctp": samples.ethernet(0x0800, samples.ip4(132, struct.pack(">HHII", 40000, 3868, 1, 0))),
}  # fmt: skip
FRAMES = {**samples.SAMPLES, **OWN}
NOW = 1_700_000_000


def record(header, data, nanoseconds=NOW * 10**9, length=None):
    return pack_record(header, RawPacket(1, nanoseconds, len(data) if length is None else length, data))


def write(path, frames, header=None, *, step=1000):
    """Write frames, a microsecond apart."""
    header = header or make_header()
    with path.open("wb") as file:
        file.write(header.data)
        for number, frame in enumerate(frames):
            file.write(record(header, frame, NOW * 10**9 + number * step))
    return path


def write_blocks(path, frames):
    """Write frames as pcapng of two interfaces in turn, a microsecond apart."""
    layout = layout_for(make_header(), ("eth0", "wg0"))
    with path.open("wb") as file:
        file.write(layout.beginning)
        for number, frame in enumerate(frames):
            raw = RawPacket(number + 1, NOW * 10**9 + number * 1000, len(frame), frame, number % 2)
            file.write(layout.pack(raw))
    return path


def whole(path):
    with TrafficReader(path) as reader:
        while reader.advance(1.0):
            pass
        return reader.snapshot(10_000)


@pytest.mark.parametrize(
    ("name", "flow"),
    [
        ("arp request", (0x0806, samples.MAC_A + samples.MAC_B)),
        ("tcp over ipv6", (6, samples.IP6_A + samples.IP6_B + struct.pack(">HH", 44332, 8081))),
        ("tcp data", (6, A + B + struct.pack(">HH", 44332, 8081))),
        ("ping", (1, A + B)),
        ("fragment", (17, A + B)),
        ("ipv6 fragment", (17, samples.IP6_A + samples.IP6_B)),
        ("ipv6 hop by hop", (17, samples.IP6_A + samples.IP6_B + UDP)),
        ("vlan", (17, A + B + struct.pack(">HH", 4000, 4001))),
        ("ip in ip", (4, A + B)),
        ("stp", (0x1FF, samples.MAC_A + bytes.fromhex("0180c2000000"))),
        ("ipv6 options", (6, samples.IP6_A + samples.IP6_B + struct.pack(">HH", 40000, 443))),
        ("mpls", (6, A + B + struct.pack(">HH", 40000, 443))),
        ("pppoe", (17, A + B + UDP)),
        ("two tags", (6, samples.IP6_A + samples.IP6_B + struct.pack(">HH", 40000, 443))),
        ("ip options", (6, A + B + struct.pack(">HH", 40000, 443))),
        ("sctp", (132, A + B + struct.pack(">HH", 40000, 3868))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_flow_is_found_behind_whatever_is_before_it(name, flow):
    assert flow_of(FRAMES[name], link_layers.ETHERNET) == flow


def test_every_link_type_leads_to_the_same_flow():
    segment = samples.tcp(40000, 443, 2)
    for packet, kind in ((samples.ip4(6, segment), 0x0800), (samples.ip6(6, segment), 0x86DD)):
        heads = {
            link_layers.ETHERNET: samples.MAC_B + samples.MAC_A + struct.pack(">H", kind),
            link_layers.LINUX_SLL: bytes(14) + struct.pack(">H", kind),
            link_layers.LINUX_SLL2: struct.pack(">H", kind) + bytes(18),
            link_layers.NULL: b"\2\0\0\0",
            link_layers.LOOP: b"\0\0\0\2",
        }
        expected = (6, packet[12:24] if kind == 0x0800 else packet[8:44])
        for linktype in LAYOUTS:
            data = heads.get(linktype, b"") + packet
            assert flow_of(data, linktype) == expected
            # the loop for every packet, and the way for all that is unusual, have to agree
            for order, frame in itertools.product("<>", (data, data[: len(data) - len(segment) + 4])):
                header = make_header(linktype, byte_order=order)
                counter = FlowCounter(header)
                entry = record(header, frame, length=1500)
                assert counter.count(entry + bytes(NEEDED), 0, len(entry)) == (len(entry), "")
                assert counter.take() == ({expected: [1, 1500]}, {1500: 1})


@pytest.mark.parametrize("order", "<>")
def test_the_fast_way_finds_what_the_careful_one_does(order):
    header = make_header(byte_order=order)
    for frame in FRAMES.values():
        entry, counter = record(header, frame), FlowCounter(header)
        counter.count(entry + bytes(NEEDED), 0, len(entry))
        assert counter.take()[0] == {flow_of(frame, link_layers.ETHERNET): [1, len(frame)]}


@pytest.mark.parametrize(
    ("ports", "port", "from_client"),
    [((40000, 443), 443, True), ((53, 1024), 53, False), ((40000, 27017), 27017, True), ((5353, 5353), 5353, True),
     ((32768, 40000), 32768, False)],
)  # fmt: skip
def test_the_better_known_port_is_the_servers(ports, port, from_client):
    for protocol in PORTED:
        ends = ends_of((protocol, A + B + struct.pack(">HH", *ports)))
        assert ends == (A, B, port, from_client)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(FRAMES)),
    st.sampled_from([*LAYOUTS, 276, 147]),
    st.binary(max_size=20),
    st.integers(0, 100),
    st.integers(0, 200),
)
def test_no_bytes_break_the_counter_and_both_ways_agree(name, linktype, noise, at, cut):
    frame = FRAMES[name]
    frame = (frame[:at] + noise + frame[at + len(noise) :])[:cut]
    number, ends = flow = flow_of(frame, linktype)
    assert 0 <= number <= NO_FLOW and len(ends) in {0, 8, 12, 32, 36}
    header = make_header(linktype)
    entry, counter = record(header, frame), FlowCounter(header)
    counter.count(entry + b"\xff" * NEEDED, 0, len(entry))
    flows, _ = counter.take()
    assert flows == {flow: [1, len(frame)]}
    tables = TrafficTables()
    tables.add(flows, {len(frame): 1})
    assert tables.snapshot(9).packets == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=16))
@example(24 + 8, b"\xff\xff\xff\x7f")
def test_a_damaged_file_is_read_as_far_as_it_is_whole(at, noise):
    content = bytearray(make_header().data + record(make_header(), FRAMES["tcp data"]) * 5)
    content[24 + at : 24 + at + len(noise)] = noise
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "a"
        path.write_bytes(content)
        found = whole(path)
    assert found.packets <= 40 and (not found.damage or "not possible" in found.damage)


def test_a_file_that_grows_is_counted_to_its_last_whole_record(tmp_path):
    header, path = make_header(), tmp_path / "a"
    path.write_bytes(header.data)
    entry = record(header, FRAMES["tcp data"])
    with TrafficReader(path, growing=True) as reader, path.open("ab", buffering=0) as file:
        for size, expected in (
            (0, 0),
            (7, 0),
            (len(entry) - 7, 1),
            (len(entry) + 16, 2),
            (len(entry) - 16, 3),
        ):
            file.write((entry * 3)[path.stat().st_size - 24 :][:size])
            reader.advance(1.0)
            found = reader.snapshot(9)
            assert (found.packets, found.damage, found.notes) == (expected, "", ())
        file.truncate(30)
        reader.advance(1.0)
        assert "shorter" in reader.snapshot(9).damage


def test_what_is_no_capture_file_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"GIF89a" * 9)
    with pytest.raises(InvalidInput):
        TrafficReader(tmp_path / "a")


def test_small_entries_make_room_and_that_is_said():
    tables = TrafficTables()
    for first in range(0, 12_000, 1000):
        flows = {
            (6, A + struct.pack(">I", 0x0A000000 + n) + struct.pack(">HH", 40000, n)): [1, 60]
            for n in range(first + 1, first + 1001)
        }
        tables.add({**flows, (17, A + B + UDP): [5, 9000]}, {60: 1000, 1800: 5})
    found = tables.snapshot(100_000)
    assert MOST_KEPT <= len(found.talkers) <= 2 * MOST_KEPT
    assert [one.address for one in found.talkers[:2]] == ["192.0.2.1", "192.0.2.2"]
    assert found.conversations[0].packets == 60 and found.packets == 12_060
    assert sum(one.packets for one in found.conversations) + dict(found.forgotten)["conversations"] == 12_060
    assert any("conversations are left out" in note for note in found.notes)


def office(count, seed=1):
    """Frames of few large talkers and many small ones, of all lengths."""
    rng = random.Random(seed)
    for _ in range(count):
        near, far = (bytes([10, 0, 0, min(250, int(rng.expovariate(0.1)))]) for _ in range(2))
        port = rng.choice((22, 80, 443))
        segment = samples.tcp(rng.randrange(40000, 40100), port, 0x18, bytes(rng.randrange(1400)))
        packet = samples.ip4(6, segment)
        yield samples.ethernet(0x0800, packet[:12] + near + far + packet[20:])


@pytest.mark.parametrize("written", [write, write_blocks])
def test_a_sample_is_near_the_truth_and_says_that_it_is_one(tmp_path, monkeypatch, written):
    path = written(tmp_path / "a", office(60_000))
    truth = whole(path)
    monkeypatch.setattr(traffic_reader, "CHUNK", 32 * 1024)
    with TrafficReader(path, growing=True) as reader:
        for _ in range(3):  # a slow machine leaves some of it to the next time
            reader.advance(0.03)
        found = reader.snapshot(10_000)
    assert 2 < found.sampled < 60 and "estimates" in found.notes[0] and found.read > 0.99
    assert abs(found.packets / truth.packets - 1) < 0.05 and abs(found.bytes / truth.bytes - 1) < 0.01
    for estimate in found.services:
        real = next(one for one in truth.services if one.service == estimate.service)
        assert abs(estimate.bytes / real.bytes - 1) < 0.15
    top = {one.address: one.bytes for one in truth.talkers[:5]}
    near = {one.address: one.bytes for one in found.talkers}
    assert all(abs(near[address] / size - 1) < 0.3 for address, size in top.items())


@pytest.mark.parametrize(("order", "nanoseconds"), itertools.product("<>", (False, True)))
def test_records_are_found_from_anywhere_and_never_in_a_packet(order, nanoseconds):
    header = make_header(byte_order=order, nanoseconds=nanoseconds)
    inner = (
        record(header, b"\0" * 4) * 60
    )  # what a packet carries that is a capture file, or was made to look like one
    pieces = [record(header, inner[: 500 + number % 700]) for number in range(300)]
    starts = set(itertools.accumulate(map(len, pieces)))
    piece = b"".join(pieces)
    finder = RecordFinder(header, NOW - 1, NOW + 1)
    for begin in (*range(60), 12_345, 40_000):
        found = finder.find(piece[begin:])
        assert found is not None and found > TRUSTED_AFTER and begin + found in starts
    assert finder.find(random.Random(1).randbytes(200_000)) is None
    assert RecordFinder(header, NOW + 9, NOW + 10).find(piece) is None


@pytest.mark.parametrize("order", "<>")
def test_blocks_are_found_from_anywhere_and_never_in_a_packet(order):
    start = ng.section(order) + ng.interface(1, b"", order) * 2
    inner = ng.packet(0, NOW * 10**6, b"\0" * 4, order) * 60
    pieces = [ng.packet(n % 2, NOW * 10**6 + n, inner[: 500 + n % 700], order) for n in range(300)]
    starts = set(itertools.accumulate(map(len, pieces)))
    piece, layout = b"".join(pieces), PcapngLayout(start)
    finder = BlockFinder(layout, NOW - 1, NOW + 1)
    for begin in (*range(60), 12_345, 40_000):
        found = finder.find(piece[begin:])
        assert found is not None and found > TRUSTED_AFTER and begin + found in starts
    assert finder.find(random.Random(1).randbytes(200_000)) is None
    assert BlockFinder(layout, NOW + 9, NOW + 10).find(piece) is None
    alone = PcapngLayout(ng.section(order) + ng.interface(1, b"", order))
    assert BlockFinder(alone, NOW - 1, NOW + 1).find(piece) is None  # it knows of no second interface


def test_blocks_with_another_end_or_of_another_kind_are_no_row():
    layout = PcapngLayout(ng.section() + ng.interface(1, b""))
    finder = BlockFinder(layout, NOW - 1, NOW + 1)
    one = ng.packet(0, NOW * 10**6, bytes(80))
    assert finder.find(one * 800) is not None
    for at, value in ((0, 7), (4, len(one) + 1), (8, 1), (20, 81), (24, 79), (len(one) - 4, 60)):
        other = one[:at] + struct.pack("<I", value) + one[at + 4 :]
        assert finder.find((one * 99 + other) * 8) is None, at


def test_packets_made_to_look_like_records_cost_no_more_than_others():
    header = make_header()
    fakes = struct.pack("<IIII", NOW, 0, 0, 0) * 4000 + bytes(50)
    began = time.thread_time()
    assert RecordFinder(header, NOW - 1, NOW + 1).find((fakes * 6)[:330_000]) is None
    assert time.thread_time() - began < 1.0


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
def test_the_figures_are_tsharks(tmp_path):
    rng = random.Random(4)
    # tshark counts IP in IP twice, and later fragments of IPv6 not at all
    plain = [frame for name, frame in FRAMES.items() if name not in {"ip in ip", "ipv6 fragment"}]
    path = write(tmp_path / "a", rng.choices(plain, k=3000))
    path.chmod(0o644)
    found = whole(path)
    taps = ("endpoints,ip", "endpoints,ipv6", "conv,ip", "conv,ipv6", "plen,tree")
    options = [word for tap in taps for word in ("-z", tap)]
    run = subprocess.run(
        ["tshark", "-n", "-q", "-r", str(path), *options], capture_output=True, text=True, check=True
    )
    endpoints, pairs = {}, {}
    for words in map(str.split, run.stdout.splitlines()):
        if len(words) == 7 and words[1].isdigit():
            endpoints[words[0]] = tuple(map(int, words[1:]))
        elif len(words) > 9 and words[1] == "<->":
            pairs[frozenset((words[0], words[2]))] = int(words[9])
    assert endpoints and pairs
    ours = {
        one.address: (
            one.packets, one.bytes, one.sent_packets, one.sent_bytes, one.received_packets, one.received_bytes
        )
        for one in found.talkers
        if len(one.address) != 17
    }  # fmt: skip
    assert ours == endpoints
    counted = Counter()
    for one in found.conversations:
        counted[frozenset((one.client, one.server))] += one.packets
    assert {pair: counted[pair] for pair in pairs} == pairs
    lines = [words for words in map(str.split, run.stdout.splitlines()) if len(words) > 5]
    classes = {words[0]: int(words[1]) for words in lines if re.fullmatch(r"\d+-\d+", words[0])}
    assert len(classes) == 9
    assert {one.label: one.packets for one in found.lengths if one.label in classes} == classes


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
def test_filters_leave_what_was_counted(tmp_path):
    # of later fragments and of what IP carries in IP, fields are not those of the flow
    inexact = {"ip in ip", "fragment", "ipv6 fragment"}
    inexact |= {"udp", "ipv6 hop by hop", "pppoe"}  # whose server's port is that of others' clients
    path = write(tmp_path / "a", [frame for name, frame in FRAMES.items() if name not in inexact])
    path.chmod(0o644)
    found = whole(path)
    entries = [
        one for one in (*found.talkers, *found.conversations, *found.services, *found.lengths) if one.packets
    ]
    assert len(entries) > 20 and all(one.filter for one in entries)
    asked = ",".join(("io,stat,0", *(one.filter for one in entries)))
    run = subprocess.run(
        ["tshark", "-n", "-q", "-r", str(path), "-z", asked], capture_output=True, text=True, check=True
    )
    (row,) = (line for line in run.stdout.splitlines() if "<>" in line)
    frames = [int(word) for word in row.split("|")[2:-1:2]]
    expected = {one.filter: one.packets for one in entries}
    for (
        one
    ) in found.conversations:  # that the one is the other's client, and the other way round, is one filter
        back = replace(one, client=one.server, server=one.client).filter
        expected[one.filter] = one.packets + sum(c.packets for c in found.conversations if c.filter == back)
    assert dict(zip((one.filter for one in entries), frames, strict=True)) == expected


def test_addresses_and_lengths_without_ip():
    tables = TrafficTables()
    tables.add(
        {flow_of(FRAMES["arp request"], 1): [2, 84], (NO_FLOW, b""): [1, 9], (253, b""): [1, 60]},
        {42: 2, 9: 1, 60: 1, 70_000: 1},
    )
    found = tables.snapshot(9)
    assert [one.address for one in found.talkers] == ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    assert {one.service.label: one.filter for one in found.services} == {
        "ARP": "(eth.type == 0x0806 || vlan.etype == 0x0806 || sll.etype == 0x0806)",
        "IP protocol 253": "(ip.proto == 253 || ipv6.nxt == 253)",
        "other": "",
    }
    assert [one.packets for one in found.lengths] == [1, 0, 3, 0, 0, 0, 0, 0, 0, 1]
    assert found.conversations[0].filter.startswith(
        "eth.addr == 02:00:00:00:00:01 && eth.addr == 02:00:00:00:00:02"
    )
    assert socket.inet_aton("192.0.2.1") == A
