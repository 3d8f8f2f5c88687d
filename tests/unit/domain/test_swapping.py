"""Two hosts that swap their addresses, and what only looks like it."""

from __future__ import annotations

from netmon_tui.domain.neighbour_event import NeighbourEventKind as Kind
from tests.unit.domain.test_noticing import ADA, BOB, EVE, LIMITS, ONE, TWO, Told

QUIET = LIMITS.settled
THREE = "192.0.2.3"


def office() -> Told:
    """Ada at the first address and Bob at the second, both silent for some minutes."""
    told = Told()
    told.see(ONE, ADA)
    told.see(TWO, BOB)
    told.now += 2 * QUIET
    return told


def test_two_hosts_that_swapped_their_addresses_are_no_alarm():
    told = office()
    assert told.see(ONE, BOB) == []
    assert told.wait(QUIET / 2) == []
    assert told.see(TWO, ADA) == []
    assert told.wait(QUIET - 2) == [], "each has to stay for a minute"
    told.now += 2
    moved = told.noticing.passed(told.now)
    assert [(event.kind, event.address, event.lladdr, event.previous_lladdr) for event in moved] == [
        (Kind.MOVED, ONE, BOB, ADA),
        (Kind.MOVED, TWO, ADA, BOB),
    ]
    assert [event.detail for event in moved] == [
        f"swapped: its holder has {TWO} now",
        f"swapped: its holder has {ONE} now",
    ]
    assert told.wait(LIMITS.gone) == []


def test_meanwhile_the_address_that_was_left_is_asked_for():
    told = office()
    told.see(ONE, BOB)
    assert told.noticing.to_be_asked(told.now) == [("eth0", TWO)]
    told.wait(QUIET)
    assert told.noticing.to_be_asked(told.now) == []


def test_an_address_in_addition_to_its_own_is_told_at_the_first_sign():
    told = office()
    assert told.see(ONE, EVE) != [], "nothing is known of where she was"
    told = office()
    assert told.see(ONE, BOB) == []
    told.see(TWO, BOB, after=3)
    (changed,) = told.noticing.passed(told.now)
    assert (changed.kind, changed.lladdr, changed.previous_lladdr) == (Kind.CHANGED, BOB, ADA)
    assert changed.detail == f"first seen there 3 s ago; it has {TWO} too"


def test_one_that_takes_all_addresses_is_told_of_each():
    told = office()
    told.see(THREE, EVE)
    assert told.see(ONE, EVE) == []
    assert told.kinds(TWO, EVE, after=0) == [Kind.CHANGED], "two at once is no swap"
    (changed,) = told.noticing.passed(told.now)
    assert (changed.kind, changed.address) == (Kind.CHANGED, ONE)
    assert changed.detail.endswith(f"it has {TWO} too")


def test_a_holder_who_is_alive_at_his_address_is_told_at_once():
    told = office()
    told.see(ONE, BOB)
    assert told.kinds(ONE, ADA, after=20) == [Kind.CHANGED, Kind.FLIP_FLOP]
    assert told.wait(QUIET) == []
    assert told.kinds(ONE, BOB) == [Kind.DUPLICATE]


def test_a_swap_that_is_only_claimed_ends_with_the_holders_next_packet():
    told = office()
    assert told.see(ONE, BOB) + told.see(TWO, ADA) == [], "Bob can send both"
    assert told.kinds(ONE, ADA, after=QUIET - 2) == [Kind.CHANGED, Kind.FLIP_FLOP]
    assert told.wait(QUIET) == [Kind.CHANGED], "and the other half was none"


def test_after_a_minute_without_the_other_half_it_is_no_swap():
    told = office()
    told.see(ONE, BOB)
    assert told.wait(QUIET - 1) == []
    told.now += 1
    (changed,) = told.noticing.passed(told.now)
    assert (changed.kind, changed.detail) == (Kind.CHANGED, "first seen there 1 min ago")


def test_who_was_heard_from_a_moment_ago_has_not_left():
    told = office()
    told.noticing.answered(("eth0", ONE), ADA, told.now - QUIET + 2)
    assert told.kinds(ONE, BOB) == [Kind.CHANGED]


def test_routers_gateways_and_ipv6_are_judged_at_once():
    told = office()
    for number in range(10, 16):
        told.see(f"192.0.2.{number}", EVE)
    assert told.kinds(ONE, EVE) == [Kind.CHANGED]
    told = office()
    told.noticing.gateways = {("eth0", ONE)}
    assert told.kinds(ONE, BOB) == [Kind.GATEWAY_CHANGED]
    told = Told()
    told.see("2001:db8::1", ADA)
    told.see("2001:db8::2", BOB)
    assert told.kinds("2001:db8::1", BOB, after=2 * QUIET) == [Kind.CHANGED]


def test_the_end_of_the_program_and_a_clock_that_jumps():
    told = office()
    told.see(ONE, BOB)
    told.now += 3600
    told.noticing.clock_jumped(told.now)
    assert told.wait(1) == []
    assert [event.kind for event in told.noticing.undecided(told.now)] == [Kind.CHANGED]
    assert told.noticing.undecided(told.now) == []
