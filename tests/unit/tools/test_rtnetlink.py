"""The decoder against bytes as the kernel lays them out, and against anything else."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netmon_tui.domain.address import Family
from netmon_tui.domain.neighbour import Neighbour, NeighbourAges, NudState
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.rtnetlink import (
    Decoded,
    LinkGone,
    LinkSeen,
    NeighbourDeleted,
    NeighbourSeen,
    decode,
    link_dump_request,
    neighbour_dump_request,
)
from netmon_tui.tools.rtnetlink_entries import DumpedEntries, KnownEntries, read_ages

NEWLINK, DELLINK, NEWNEIGH, DELNEIGH = 16, 17, 28, 29
NAMES = {2: "eth0"}
MAC = bytes.fromhex("00163e010203")


def attribute(kind: int, payload: bytes) -> bytes:
    raw = struct.pack("=HH", 4 + len(payload), kind) + payload
    return raw + bytes(-len(raw) % 4)


def message(kind: int, body: bytes = b"", *, flags: int = 2, sequence: int = 7) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body


def neighbour(
    address: str = "192.0.2.7",
    *,
    kind: int = NEWNEIGH,
    family: int | None = None,
    state: int = 0x02,
    flags: int = 0,
    lladdr: bytes = MAC,
    swapped: bool = False,
) -> bytes:
    number = socket.AF_INET6 if ":" in address else socket.AF_INET
    parts = [
        attribute(1, socket.inet_pton(number, address)),
        attribute(2, lladdr) if lladdr else b"",
        attribute(4, struct.pack("=I", 3)),
        attribute(3, struct.pack("=IIII", 250, 1050, 4025, 1)),
    ]
    body = struct.pack("=BxxxiHBB", family or number, 2, state, flags, 1)
    return message(kind, body + b"".join(reversed(parts) if swapped else parts))


def link(*, kind: int = NEWLINK, family: int = 0, flags: int = 0x41) -> bytes:
    body = struct.pack("=BxHiII", family, 1, 3, flags, 0)
    return message(kind, body + attribute(3, b"eth7\0") + attribute(1, MAC))


def only(datagram: bytes) -> Neighbour:
    (change,) = decode(datagram, NAMES).changes
    assert isinstance(change, NeighbourSeen)
    return change.neighbour


def test_an_entry_with_all_it_carries() -> None:
    expected = Neighbour(
        address="192.0.2.7",
        family=Family.IPV4,
        ifindex=2,
        interface="eth0",
        lladdr="00:16:3e:01:02:03",
        state=NudState.REACHABLE,
        router=False,
        probes=3,
    )
    assert only(neighbour()) == expected
    for one in (neighbour(), neighbour(swapped=True)):
        (change,) = decode(one, NAMES).changes
        assert isinstance(change, NeighbourSeen)
        assert read_ages(change.cacheinfo) == NeighbourAges(used=10.5, confirmed=2.5, updated=40.25)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
@pytest.mark.parametrize("flags", [0, 0x80])
@pytest.mark.parametrize("state", [0x01, 0x04, 0x80])
def test_the_order_of_attributes_does_not_matter(address: str, flags: int, state: int) -> None:
    usual = only(neighbour(address, flags=flags, state=state))
    assert usual == only(neighbour(address, flags=flags, state=state, swapped=True))
    assert usual.address == address
    assert usual.router == bool(flags)


@pytest.mark.parametrize(
    ("bits", "state"), [(0, "NONE"), (1, "INCOMPLETE"), (0x20, "FAILED"), (0x300, "NONE")]
)
def test_states(bits: int, state: str) -> None:
    assert only(neighbour(state=bits)).state == state


def test_an_unresolved_entry_has_no_lladdr() -> None:
    assert only(neighbour(state=1, lladdr=b"")).lladdr == ""


def test_long_lladdrs_are_kept() -> None:
    assert only(neighbour(lladdr=bytes(range(20)))).lladdr == bytes(range(20)).hex(":")


def test_an_unknown_interface_is_named_by_its_number() -> None:
    (change,) = decode(neighbour(), {}).changes
    assert isinstance(change, NeighbourSeen)
    assert change.neighbour.interface == "if2"


def test_a_deleted_entry() -> None:
    (change,) = decode(neighbour(kind=DELNEIGH), NAMES).changes
    assert isinstance(change, NeighbourDeleted)
    assert change.neighbour.address == "192.0.2.7"


@pytest.mark.parametrize(
    "ignored",
    [
        neighbour(family=socket.AF_BRIDGE),
        neighbour(flags=0x08),
        neighbour("2001:db8::1", family=socket.AF_INET),
        message(NEWNEIGH, struct.pack("=BxxxiHBB", socket.AF_INET, 2, 2, 0, 1)),
        link(family=7),
        link(kind=DELLINK, family=7),
        message(30),
        message(24, b"route"),
        b"",
    ],
    ids=["fdb", "proxy", "wrong size", "no address", "port", "port gone", "request", "route", "empty"],
)
def test_what_is_no_entry_is_passed_over(ignored: bytes) -> None:
    assert decode(ignored, NAMES).changes == []


@pytest.mark.parametrize(("flags", "up"), [(0x41, True), (0x01, False), (0x40, False), (0, False)])
def test_links(flags: int, up: bool) -> None:
    assert decode(link(flags=flags), NAMES).changes == [LinkSeen(3, "eth7", "00:16:3e:01:02:03", up)]
    assert decode(link(flags=flags, kind=DELLINK), NAMES).changes == [LinkGone(3, "eth7")]


def test_a_datagram_of_several_messages() -> None:
    datagram = link() + neighbour() + neighbour("2001:db8::1") + message(3, struct.pack("=i", 0))
    decoded = decode(datagram, NAMES)
    assert [type(change) for change in decoded.changes] == [LinkSeen, NeighbourSeen, NeighbourSeen]
    assert (decoded.done, decoded.error, decoded.interrupted) == (True, 0, False)


def test_a_run_of_entries_ends_where_something_differs() -> None:
    whole = neighbour()
    marked = whole[:6] + struct.pack("=H", 0x12) + whole[8:]
    others = [
        neighbour(kind=DELNEIGH),
        neighbour(flags=0x08),
        neighbour(lladdr=b""),
        neighbour("2001:db8::1"),
    ]
    datagram = b"".join([whole, whole, *others, whole, marked, whole])
    decoded = decode(datagram, NAMES)
    kinds = [type(change).__name__[9:] for change in decoded.changes]
    assert kinds == ["Seen", "Seen", "Deleted", "Seen", "Seen", "Seen", "Seen", "Seen"], "without the proxy"
    assert decoded.interrupted
    alone = [
        change
        for one in (whole, whole, *others, whole, marked, whole)
        for change in decode(one, NAMES).changes
    ]
    assert decoded.changes == alone


def test_a_second_dump_makes_only_what_changed() -> None:
    first, aged = neighbour(), neighbour()[:-12] + struct.pack("=III", 1, 2, 0)
    known = DumpedEntries()
    decode(first + neighbour("2001:db8::1") + neighbour("192.0.2.8"), NAMES, known)
    again = DumpedEntries(known.known)
    changed = neighbour("192.0.2.8", state=0x04)
    decoded = decode(aged + changed + neighbour("2001:db8::1"), NAMES, again)
    assert decoded.changes == []
    assert again.rows[0] is known.rows[0]
    assert again.rows[2] is known.rows[1]
    assert again.rows[1] == known.rows[2]._replace(state=NudState.STALE)
    assert [read_ages(one).confirmed for one in again.cacheinfos] == [2.5, 2.5, 2.5]
    assert read_ages(again.cacheinfos[0]) == NeighbourAges(used=0.01, confirmed=2.5, updated=0.02)


def test_a_datagram_in_which_nothing_but_ages_changed_is_taken_as_a_whole() -> None:
    messages = [neighbour(f"192.0.2.{number}") for number in range(1, 41)]
    first = DumpedEntries()
    decode(b"".join(messages), NAMES, first)
    known = KnownEntries({}, first.datagrams)
    aged = [one[:-12] + struct.pack("=III", 1, 2, 0) for one in messages]
    again = DumpedEntries(known)
    decode(b"".join(aged) + message(3, bytes(4)), NAMES, again)
    assert all(one is before for one, before in zip(again.rows, first.rows, strict=True))
    assert {read_ages(one) for one in again.cacheinfos} == {NeighbourAges(0.01, 2.5, 0.02)}
    assert (again.made, again.datagrams) == (set(), first.datagrams)


def test_a_datagram_with_another_change_is_read_as_if_it_were_the_first() -> None:
    usual = b"".join(neighbour(f"192.0.2.{number}") for number in range(1, 41))
    dumped = DumpedEntries()
    decode(usual, NAMES, dumped)

    def said(changed: bytes, known: KnownEntries) -> tuple[object, ...]:
        entries = DumpedEntries(known)
        try:
            return decode(changed, NAMES, entries), entries.rows, entries.cacheinfos
        except InvalidInput as refused:
            return refused.position, entries.rows, entries.cacheinfos

    for at in [number * 76 + byte for number in (0, 20, 39) for byte in range(60)]:
        changed = bytearray(usual)
        changed[at] ^= 0x10
        known = KnownEntries(dict(dumped.known.rows), dumped.datagrams)
        assert said(bytes(changed), known) == said(bytes(changed), KnownEntries()), at


def test_a_known_entry_in_an_interrupted_or_deleting_message_is_not_taken_for_another() -> None:
    dumped, plain = DumpedEntries(), neighbour()
    marked = plain[:6] + struct.pack("=H", 0x12) + plain[8:]
    assert not decode(plain, NAMES, dumped).interrupted
    assert decode(plain + marked, NAMES, DumpedEntries(dumped.known)).interrupted
    assert decode(plain + marked, NAMES, DumpedEntries(dumped.known)).interrupted
    mixed = neighbour(kind=DELNEIGH) + plain + neighbour(kind=DELNEIGH)
    assert [type(change).__name__ for change in decode(mixed, NAMES).changes] == [
        "NeighbourDeleted",
        "NeighbourSeen",
        "NeighbourDeleted",
    ]


def test_the_end_of_a_dump_and_its_troubles() -> None:
    assert decode(message(3), NAMES) == Decoded(done=True)
    assert decode(message(3, struct.pack("=i", -5)), NAMES) == Decoded(done=True, error=5)
    assert decode(message(2, struct.pack("=i", -1)), NAMES) == Decoded(error=1)
    assert decode(message(2, struct.pack("=i", 0)), NAMES) == Decoded()
    assert decode(message(4), NAMES).error == 105
    assert decode(message(3, flags=0x12), NAMES).interrupted


@pytest.mark.parametrize(
    "datagram", [neighbour(), neighbour("2001:db8::1"), neighbour(swapped=True), link()], ids="46sl"
)
def test_every_cut_is_refused(datagram: bytes) -> None:
    for length in range(1, len(datagram)):
        with pytest.raises(InvalidInput):
            decode(datagram[:length], NAMES)


def test_lengths_that_lie_are_refused() -> None:
    for wrong in (0, 15, 20, 27, 75, 77, 0xFFFFFFFF):
        with pytest.raises(InvalidInput):
            decode(struct.pack("=I", wrong) + neighbour()[4:], NAMES)
    with pytest.raises(InvalidInput):
        decode(message(NEWNEIGH, struct.pack("=BxxxiHBBHH", 2, 2, 2, 0, 1, 3, 1)), NAMES)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_else(datagram: bytes) -> None:
    try:
        decode(datagram, NAMES)
    except InvalidInput as refused:
        assert refused.position is not None


@given(st.sampled_from([NEWNEIGH, DELNEIGH, NEWLINK, DELLINK, 2, 3, 4]), st.binary(max_size=120), st.data())
def test_arbitrary_bodies_and_changed_bytes_raise_nothing_else(
    kind: int, body: bytes, data: st.DataObject
) -> None:
    datagram = bytearray(neighbour() + message(kind, body) + bytes(-len(body) % 4) + link())
    for _ in range(data.draw(st.integers(0, 3))):
        datagram[data.draw(st.integers(0, len(datagram) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(datagram), NAMES)
    except InvalidInput:
        return


def test_requests() -> None:
    for request, kind in ((link_dump_request(9), 18), (neighbour_dump_request(9), 30)):
        assert struct.unpack_from("=IHHII", request) == (len(request), kind, 0x301, 9, 0)
