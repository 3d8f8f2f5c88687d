"""What is told of the neighbour table, and what is no alarm."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netmon_tui.domain.address import Family
from netmon_tui.domain.device import DeviceMarks
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.neighbour_event import Mute, NeighbourEvent, NeighbourEventKind
from netmon_tui.domain.noticing import Held, Noticing, NoticingLimits

ADA, BOB, EVE = "b8:27:eb:00:00:01", "b8:27:eb:00:00:02", "b8:27:eb:00:00:03"
VRRP = "00:00:5e:00:01:07"
ONE, TWO = "192.0.2.1", "192.0.2.2"
Kind = NeighbourEventKind
LIMITS = NoticingLimits()
START = 1_700_000_000.0


class Told:
    """A segment that is followed, by a clock of the test's own."""

    def __init__(self, **marks: DeviceMarks) -> None:
        self.noticing = Noticing(LIMITS)
        self.now = START
        self.noticing.marks = {mark.lladdr: mark for mark in marks.values()}

    def see(self, address: str, lladdr: str, *, after: float = 1.0, on: str = "eth0") -> list[NeighbourEvent]:
        self.now += after
        family = Family.IPV6 if ":" in address else Family.IPV4
        row = Neighbour(address, family, 2, on, lladdr, NudState.REACHABLE)
        return self.noticing.seen(row, self.now, sign=self.now)

    def kinds(self, address: str, lladdr: str, *, after: float = 1.0, on: str = "eth0") -> list[Kind]:
        return [event.kind for event in self.see(address, lladdr, after=after, on=on)]

    def wait(self, seconds: float) -> list[Kind]:
        self.now += seconds
        return [event.kind for event in self.noticing.passed(self.now)]

    def fail(self, address: str) -> None:
        self.noticing.failed(("eth0", address), self.now)


def test_a_lladdr_that_was_never_seen_is_new_once():
    told = Told()
    (event,) = told.see(ONE, ADA)
    assert (event.kind, event.address, event.interface, event.lladdr) == (Kind.NEW, ONE, "eth0", ADA)
    assert event.time.timestamp() == told.now
    assert told.see(ONE, ADA) == []
    assert told.kinds(ONE, ADA, on="eth1") == [Kind.NEW_ADDRESS], "the same machine on another segment"


def test_what_was_there_at_the_beginning_is_no_news():
    told = Told()
    row = Neighbour(ONE, Family.IPV4, 2, "eth0", ADA, NudState.STALE)
    assert told.noticing.seen(row, START, sign=START, quietly=True) == []
    assert told.see(ONE, ADA) == []


def test_a_known_device_may_appear():
    assert Told(ada=DeviceMarks(ADA, known=True)).see(ONE, ADA) == []


def test_another_lladdr_is_told_with_the_one_before():
    told = Told()
    told.see(ONE, ADA)
    (event,) = told.see(ONE, BOB)
    assert (event.kind, event.lladdr, event.previous_lladdr) == (Kind.CHANGED, BOB, ADA)


def test_a_lladdr_that_returns_is_a_flip_flop_and_soon_a_duplicate():
    told = Told()
    told.see(ONE, ADA)
    assert told.kinds(ONE, BOB) == [Kind.CHANGED]
    assert told.kinds(ONE, ADA) == [Kind.FLIP_FLOP]
    assert told.kinds(ONE, BOB) == [Kind.DUPLICATE]
    assert told.kinds(ONE, ADA) == [Kind.DUPLICATE]


def test_changes_that_lie_far_apart_are_no_duplicate():
    told = Told()
    told.see(ONE, ADA)
    found = [told.kinds(ONE, lladdr, after=LIMITS.silent - 1) for lladdr in (BOB, ADA, BOB, ADA, BOB)]
    assert [Kind.DUPLICATE] not in found[:2]
    found = []
    for lladdr in (ADA, BOB, ADA, BOB):
        told.see(ONE, told.noticing.known(("eth0", ONE)).lladdr, after=LIMITS.flapping)
        found += told.kinds(ONE, lladdr)
    assert set(found) == {Kind.FLIP_FLOP}


def test_three_lladdrs_in_turn_are_not_to_and_fro():
    told = Told()
    told.see(ONE, ADA)
    assert told.kinds(ONE, BOB) + told.kinds(ONE, EVE) == [Kind.CHANGED, Kind.CHANGED]
    assert told.kinds(ONE, "b8:27:eb:00:00:04") == [Kind.CHANGED]


def test_the_gateway_is_told_of_even_after_silence():
    told = Told()
    told.noticing.gateways = {("eth0", ONE)}
    told.see(ONE, ADA)
    assert told.kinds(ONE, BOB, after=LIMITS.silent * 2) == [Kind.GATEWAY_CHANGED]
    assert Kind.GATEWAY_CHANGED.severity.value == "high"


def test_an_address_passes_on_by_dhcp():
    told = Told()
    told.see(ONE, ADA)
    (silent,) = told.see(ONE, BOB, after=LIMITS.silent)
    assert (silent.kind, silent.detail) == (Kind.MOVED, "its holder was silent for 5 min")
    told.see(TWO, BOB)
    told.see(TWO, BOB, after=LIMITS.settled)
    (left,) = told.see(ONE, EVE)
    assert (left.kind, left.detail) == (Kind.MOVED, f"its holder has {TWO} now")


def test_one_packet_from_elsewhere_does_not_show_that_a_holder_left():
    told = Told()
    told.see(ONE, ADA)
    told.see(TWO, ADA, after=LIMITS.settled)
    assert told.kinds(ONE, EVE) == [Kind.CHANGED]


def test_a_holder_that_did_not_answer_and_is_seen_elsewhere_has_left():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    told.see(TWO, ADA)
    assert told.kinds(ONE, EVE) == [Kind.MOVED]


def test_an_address_passes_on_from_a_holder_that_did_not_answer_for_a_while():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    assert told.kinds(ONE, BOB, after=LIMITS.unanswered - 1) == [Kind.CHANGED]
    told.fail(ONE)
    (left,) = told.see(ONE, EVE, after=60)
    assert (left.kind, left.detail) == (Kind.MOVED, "its holder did not answer for 1 min")
    told.noticing.gateways = {("eth0", ONE)}
    told.fail(ONE)
    assert told.kinds(ONE, VRRP, after=60) == [Kind.GATEWAY_CHANGED], "whoever waits until it is down"


def test_a_holder_of_several_addresses_left_one_for_a_new_one():
    told = Told()
    told.see(ONE, ADA)
    told.see(TWO, ADA)
    told.see("192.0.2.3", ADA)
    told.see("192.0.2.3", ADA, after=LIMITS.settled)
    (left,) = told.see(ONE, BOB)
    assert (left.kind, left.detail) == (Kind.MOVED, "its holder has 192.0.2.3 now")


def test_new_addresses_of_an_ipv6_host_do_not_show_that_it_left_one():
    told = Told()
    for address in ("fe80::1", "2001:db8::1", "2001:db8::2"):
        told.see(address, ADA)
    told.see("2001:db8::2", ADA, after=LIMITS.settled)
    assert told.kinds("fe80::1", BOB) == [Kind.CHANGED]


def test_a_permanent_entry_neither_keeps_a_device_up_nor_is_asked():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True))
    told.see(ONE, ADA)
    told.see(TWO, ADA)
    told.noticing.pinned(("eth0", TWO), is_pinned=True)
    assert told.noticing.to_be_asked(told.now + LIMITS.down) == [("eth0", ONE)]
    told.fail(ONE)
    assert told.wait(LIMITS.down) == [Kind.DOWN]
    assert told.see(TWO, ADA) == [], "written down, not heard"
    told.noticing.pinned(("eth0", TWO), is_pinned=False)
    assert told.kinds(TWO, ADA) == [Kind.BACK]


def test_an_entry_that_failed_is_permanent_no_more():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True))
    told.see(ONE, ADA)
    told.noticing.pinned(("eth0", ONE), is_pinned=True)
    told.fail(ONE)
    assert told.wait(LIMITS.down) == [Kind.DOWN]


def test_a_holder_that_was_reachable_all_the_time_was_not_silent():
    told = Told()
    told.see(ONE, ADA)
    told.noticing.answered(("eth0", ONE), ADA, told.now + LIMITS.silent - 45)
    assert told.kinds(ONE, EVE, after=LIMITS.silent) == [Kind.CHANGED]


def test_a_lladdr_without_an_address_is_no_new_one_at_its_next():
    told = Told()
    told.see(ONE, ADA)
    told.see(ONE, BOB)
    assert told.kinds(TWO, ADA) == [Kind.NEW_ADDRESS]
    assert set(told.noticing._stations) == {ADA, BOB}
    told.see(TWO, BOB)
    assert set(told.noticing._stations) == {BOB}, "nothing is kept of where it was"


def test_a_host_with_more_addresses_has_not_left_one_of_them():
    told = Told()
    told.see(ONE, ADA)
    told.see(TWO, ADA)
    told.see("192.0.2.3", ADA)
    assert told.kinds(ONE, BOB) == [Kind.CHANGED]


@pytest.mark.parametrize(
    "lladdr", [VRRP, "00:00:5e:00:02:01", "00:00:0c:07:ac:01", "00:00:0c:9f:f0:01", "00:07:b4:00:01:02"]
)
def test_a_virtual_router_takes_over_and_gives_back_quietly(lladdr):
    told = Told()
    told.noticing.gateways = {("eth0", ONE)}
    told.see(ONE, ADA)
    assert told.kinds(ONE, lladdr) == [Kind.GATEWAY_CHANGED], "anybody can call himself a virtual router"
    for _ in range(4):
        assert told.kinds(ONE, ADA) + told.kinds(ONE, lladdr) == [Kind.MOVED, Kind.MOVED]


def test_virtual_routers_answer_for_one_address_in_turn():
    told = Told()
    told.noticing.gateways = {("eth0", ONE)}
    told.see(ONE, "00:07:b4:00:01:01")
    assert told.kinds(ONE, "00:07:b4:00:01:02") == [Kind.MOVED]


def test_an_address_may_pass_within_a_cluster_but_not_out_of_it():
    told = Told(
        ada=DeviceMarks(ADA, shares_addresses=True),
        bob=DeviceMarks(BOB, shares_addresses=True),
        eve=DeviceMarks(EVE),
    )
    told.see(ONE, ADA)
    for _ in range(4):
        assert told.kinds(ONE, BOB) + told.kinds(ONE, ADA) == [Kind.MOVED, Kind.MOVED]
    assert told.kinds(ONE, EVE) == [Kind.CHANGED]


def test_a_router_that_answers_for_a_whole_network_is_told_of_a_few_times():
    told = Told()
    found = [kind for n in range(1, 200) for kind in told.kinds(f"192.0.2.{n}", ADA)]
    assert found == [Kind.NEW] + [Kind.NEW_ADDRESS] * (LIMITS.many - 1)


def test_temporary_addresses_of_ipv6_are_no_news():
    told = Told()
    told.see(ONE, ADA)
    assert [kind for n in range(50) for kind in told.kinds(f"2001:db8::{n:x}", ADA)] == []


def test_who_does_not_answer_is_gone_and_comes_back():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    assert told.wait(LIMITS.gone - 1) == []
    assert told.wait(1) == [Kind.GONE]
    assert told.wait(LIMITS.gone) == []
    told.fail(ONE)
    assert told.wait(LIMITS.gone) == [], "it is gone already"
    assert told.kinds(ONE, ADA) == [Kind.BACK]
    assert told.kinds(ONE, ADA) == []


def test_who_answers_in_time_was_never_gone():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    assert told.wait(LIMITS.gone - 1) == []
    assert told.see(ONE, ADA) == []
    assert told.wait(LIMITS.gone) == []


def test_who_comes_back_after_half_a_year_is_told_of():
    told = Told()
    told.see(ONE, ADA)
    assert told.see(ONE, ADA, after=LIMITS.forgotten - 1) == []
    (event,) = told.see(ONE, ADA, after=LIMITS.forgotten)
    assert (event.kind, event.detail) == (Kind.BACK, "after 180 d")


def test_an_entry_that_somebody_deleted_is_not_gone():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)  # what the kernel says in the moment before it deletes
    told.noticing.removed(("eth0", ONE), told.now + 0.01)
    assert told.wait(LIMITS.gone * 2) == []


def test_a_failed_entry_that_the_kernel_clears_away_is_gone_all_the_same():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    told.wait(30)
    told.noticing.removed(("eth0", ONE), told.now)
    assert told.wait(LIMITS.gone) == [Kind.GONE]


def test_nobody_is_gone_because_the_link_is():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    told.noticing.link_lost("eth1")
    told.noticing.link_lost("eth0")
    assert told.wait(LIMITS.gone * 2) == []


def test_a_device_that_must_be_up_is_down_when_no_address_answers():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True))
    told.see(ONE, ADA)
    told.see(TWO, ADA)
    told.fail(ONE)
    assert told.wait(LIMITS.down) == [], "one address still answers"
    told.fail(TWO)
    assert told.wait(LIMITS.down) == [Kind.DOWN]
    assert Kind.DOWN not in told.wait(LIMITS.gone)
    (back,) = told.see(TWO, ADA)
    assert (back.kind, back.detail) == (Kind.BACK, "the device was down")


def test_where_a_device_was_long_ago_does_not_keep_it_from_being_down():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True))
    told.see("198.51.100.7", ADA, on="wlan0")
    told.see(ONE, ADA, after=LIMITS.returning + 1)
    told.fail(ONE)
    assert told.wait(LIMITS.down) == [Kind.DOWN]


def test_a_place_behind_a_link_that_is_down_does_not_keep_a_device_from_being_down():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True))
    told.see(TWO, ADA, on="eth1")
    told.see(ONE, ADA)
    told.noticing.link_lost("eth1")
    told.fail(ONE)
    assert told.wait(LIMITS.down) == [Kind.DOWN]


def test_a_device_that_is_gone_when_it_is_marked_is_down():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    assert told.wait(LIMITS.gone) == [Kind.GONE]
    told.noticing.marks = {ADA: DeviceMarks(ADA, must_be_up=True)}
    told.fail(ONE)
    assert told.wait(LIMITS.gone) == [Kind.DOWN]


def test_a_clock_that_jumps_makes_nobody_gone():
    told = Told()
    told.see(ONE, ADA)
    told.fail(ONE)
    told.now += 3600.0
    told.noticing.clock_jumped(told.now)
    assert told.wait(1) == []
    assert told.wait(LIMITS.gone) == [Kind.GONE]


def test_a_device_that_must_be_up_is_asked_when_it_is_silent():
    told = Told(ada=DeviceMarks(ADA, must_be_up=True), bob=DeviceMarks(BOB))
    told.see(ONE, ADA)
    told.see(TWO, BOB)
    assert told.noticing.to_be_asked(told.now) == []
    assert told.noticing.to_be_asked(told.now + LIMITS.down) == [("eth0", ONE)]


def test_what_is_remembered_counts():
    told = Told()
    pairs = [
        Held("eth0", ONE, BOB, START - 200, START - 100, START - 200, gone=False),
        Held("eth0", ONE, ADA, START - 100, START - 10, START - 200, gone=False),
        Held("eth0", TWO, EVE, START, START, START, gone=True),
    ]
    told.noticing.load(pairs, down=set())
    known = told.noticing.known(("eth0", ONE))
    assert known is not None
    assert (known.lladdr, known.last_seen, known.first_seen) == (ADA, START - 10, START - 200)
    assert told.kinds(ONE, BOB) == [Kind.FLIP_FLOP]
    assert told.kinds(TWO, EVE) == [Kind.BACK]


FLOOD = [(ONE, number) for number in range(41)] * 2


@example(steps=FLOOD, late=False)
@example(steps=FLOOD, late=True)
@given(
    steps=st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.integers(0, 40)), max_size=80),
    late=st.booleans(),
)
def test_a_flood_of_lladdrs_costs_bounded_memory_and_never_breaks(steps, *, late):
    """Also when each gave its sign before the one before it, as a scan that is read late may tell."""
    told = Told()
    for position, (address, number) in enumerate(steps):
        told.now += 1
        row = Neighbour(address, Family.IPV4, 2, "eth0", f"02:00:00:00:00:{number:02x}", NudState.STALE)
        told.noticing.seen(row, told.now, sign=START - position if late else told.now)
    told.wait(LIMITS.gone)
    for known in told.noticing._addresses.values():
        assert len(known.held) <= 16
        assert known.lladdr in known.held


def test_a_mute_covers_what_it_names_until_its_time():
    told = Told()
    told.see(ONE, ADA)
    (event,) = told.see(ONE, BOB)
    assert Mute(kind="changed", lladdr=ADA).covers(event), "also as the one before"
    assert Mute(address=ONE, interface="eth0").covers(event)
    assert not Mute(kind="new").covers(event)
    assert not Mute(interface="eth1").covers(event)
    assert not Mute(until=event.time).covers(event)
    assert str(Mute(kind="changed", address=ONE, interface="eth0")) == f"changed of {ONE} on eth0"
