"""What an edit comes to, and what is refused, without a kernel."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from netmon_tui.domain.address import Family, plain_address
from netmon_tui.domain.neighbour import NOT_MISSED, Interface, InterfaceAddress, NudState
from netmon_tui.domain.neighbour_edit import (
    DeleteEntry,
    EditKind,
    FlushEntries,
    KeptEdit,
    NeighbourEdit,
    SetEntry,
    TableEntry,
    TableWrite,
    Verb,
)
from netmon_tui.domain.neighbour_planning import Situation, plan_delete, plan_flush, plan_set, plan_undo
from netmon_tui.errors import InvalidInput, NotAllowed

MAC, OTHER = "00:16:3e:00:00:01", "00:16:3e:00:00:02"
ETH0 = Interface(
    "eth0",
    MAC,
    (InterfaceAddress("192.0.2.1", 24, Family.IPV4), InterfaceAddress("fe80::1", 64, Family.IPV6)),
)
TUN = Interface("tun0", "", (InterfaceAddress("198.51.100.1", 32, Family.IPV4),), resolves=False)


def entry(
    address: str, state: NudState = NudState.STALE, lladdr: str = MAC, router: bool = False
) -> TableEntry:
    return TableEntry("eth0", address, lladdr, state, router)


def meeting(
    *entries: TableEntry,
    carriers: frozenset[tuple[str, str]] = frozenset(),
    connected: frozenset[tuple[str, str]] = frozenset(),
) -> Situation:
    return Situation({one.key: one for one in entries}, {"eth0": ETH0, "tun0": TUN}, carriers, connected)


def kept(before: list[TableEntry], after: list[TableEntry], kind: EditKind = EditKind.REPLACE) -> KeptEdit:
    edit = NeighbourEdit(7, datetime.now(UTC), "ada", kind, "it", "ip neigh ...", 1, "")
    return KeptEdit(edit, tuple(before), tuple(after))


def test_a_new_entry_is_permanent() -> None:
    plan = plan_set(meeting(), SetEntry("192.0.2.7", "eth0", "0016.3E00.0002"))
    assert plan.writes == (TableWrite(Verb.ADD, entry("192.0.2.7", NudState.PERMANENT, OTHER)),)


def test_who_makes_the_entry_of_a_device_permanent_that_must_be_up_is_told() -> None:
    situation = replace(meeting(entry("192.0.2.7")), watched=frozenset({MAC}))
    request = SetEntry("192.0.2.7", "eth0", state=NudState.PERMANENT, replace=True)
    assert plan_set(situation, request).notices == (f"{MAC} must be up: {NOT_MISSED}",)
    assert plan_set(situation, replace(request, state=NudState.STALE)).notices == ()
    assert plan_set(situation, replace(request, lladdr=OTHER)).notices == ()


@pytest.mark.parametrize("there", [entry("192.0.2.7", NudState.FAILED, ""), None])
def test_an_unresolved_entry_is_as_good_as_none(there: TableEntry | None) -> None:
    plan = plan_set(meeting(*([there] if there else [])), SetEntry("192.0.2.7", "eth0", MAC))
    assert plan.writes[0].verb is (Verb.REPLACE if there else Verb.ADD)


@pytest.mark.parametrize(
    ("there", "asked", "becomes"),
    [
        (NudState.REACHABLE, None, NudState.REACHABLE),
        (NudState.PROBE, None, NudState.STALE),
        (NudState.PERMANENT, NudState.STALE, NudState.STALE),
        (NudState.STALE, NudState.PERMANENT, NudState.PERMANENT),
    ],
)
def test_what_is_not_given_stays(there: NudState, asked: NudState | None, becomes: NudState) -> None:
    request = SetEntry("fe80::9%eth0", "eth0", "", asked, replace=True)
    plan = plan_set(meeting(entry("fe80::9", there, OTHER, router=True)), request)
    assert plan.writes == (TableWrite(Verb.REPLACE, entry("fe80::9", becomes, OTHER, router=True)),)


def test_a_flush_spares_what_lasts_and_what_carries_the_session() -> None:
    entries = [entry(f"192.0.2.{n}", state) for n, state in enumerate(NudState, 10)]
    plan = plan_flush(meeting(*entries, carriers=frozenset({("", "192.0.2.12")})), FlushEntries("eth0"))
    assert plan.spared == ("192.0.2.12",)
    left = {one.state for one in entries} - {one.state for one in plan.seen}
    assert left == {NudState.PERMANENT, NudState.NOARP, NudState.REACHABLE}


def test_a_carrier_holds_for_its_interface_only_if_it_names_one() -> None:
    elsewhere = meeting(entry("192.0.2.7"), carriers=frozenset({("eth1", "192.0.2.7")}))
    assert plan_delete(elsewhere, DeleteEntry("192.0.2.7", "eth0")).writes
    for name in ("eth0", ""):
        with pytest.raises(NotAllowed, match="an SSH session to here"):
            plan_delete(
                meeting(entry("192.0.2.7"), carriers=frozenset({(name, "192.0.2.7")})),
                DeleteEntry("192.0.2.7", "eth0"),
            )


@pytest.mark.parametrize("name", ["eth0", ""])
def test_a_connection_that_anybody_can_open_must_be_agreed_to(name: str) -> None:
    situation = meeting(entry("192.0.2.7"), connected=frozenset({(name, "192.0.2.7")}))
    undone = kept([entry("192.0.2.7", lladdr=OTHER)], [entry("192.0.2.7")])
    for plan in (
        plan_set(situation, SetEntry("192.0.2.7", "eth0", OTHER, replace=True)),
        plan_delete(situation, DeleteEntry("192.0.2.7", "eth0")),
        plan_undo(situation, undone),
    ):
        assert len(plan.writes) == 1
        assert plan.conflicts == ("192.0.2.7 on eth0 carries an SSH connection to here",)
    flushed = plan_flush(situation, FlushEntries("eth0", entry("192.0.2.7").state))
    assert (flushed.writes, flushed.spared) == ((), ("192.0.2.7",))


def test_an_undo_of_a_flush_restores_what_was_resolved() -> None:
    before = [
        entry("192.0.2.7", NudState.REACHABLE),
        entry("192.0.2.8", NudState.DELAY),
        entry("192.0.2.9", NudState.FAILED, ""),
        entry("fe80::9", NudState.STALE, router=True),
    ]
    plan = plan_undo(meeting(), kept(before, [], EditKind.FLUSH))
    assert plan.writes == (
        TableWrite(Verb.ADD, before[0]),
        TableWrite(Verb.ADD, before[1]._replace(state=NudState.STALE)),
        TableWrite(Verb.ADD, before[3]),
    )
    assert plan.conflicts == ()


def test_an_undo_leaves_what_the_kernel_has_learnt_again() -> None:
    before = [entry("192.0.2.7", NudState.REACHABLE)]
    plan = plan_undo(meeting(entry("192.0.2.7", NudState.DELAY)), kept(before, [], EditKind.FLUSH))
    assert plan.writes == () and plan.conflicts == () and plan.notices


@pytest.mark.parametrize(
    ("there", "conflict"),
    [
        (entry("192.0.2.7", lladdr=OTHER), False),
        (None, True),
        (entry("192.0.2.7", lladdr="00:16:3e:00:00:77"), True),
    ],
)
def test_an_undo_says_when_the_entry_has_changed_since(there: TableEntry | None, conflict: bool) -> None:
    edit = kept([entry("192.0.2.7")], [entry("192.0.2.7", lladdr=OTHER)])
    plan = plan_undo(meeting(*([there] if there else [])), edit)
    assert bool(plan.conflicts) is conflict
    assert plan.writes[0].entry == entry("192.0.2.7")


def test_an_undo_of_a_state_alone_restores_it() -> None:
    before, after = entry("192.0.2.7", NudState.REACHABLE), entry("192.0.2.7", NudState.STALE)
    assert plan_undo(meeting(after), kept([before], [after])).writes == (TableWrite(Verb.REPLACE, before),)


def test_an_undo_never_touches_the_session() -> None:
    carriers = frozenset({("", "192.0.2.7")})
    edit = kept([entry("192.0.2.7"), entry("192.0.2.8")], [], EditKind.FLUSH)
    plan = plan_undo(meeting(carriers=carriers), edit)
    assert [write.entry.address for write in plan.writes] == ["192.0.2.8"]
    assert plan.spared == ("192.0.2.7",)
    with pytest.raises(NotAllowed):
        plan_undo(meeting(carriers=carriers), replace(edit, before=edit.before[:1]))


def test_what_the_kernel_does_by_itself_is_no_difference() -> None:
    def seen(*entries: TableEntry) -> object:
        return plan_set(meeting(*entries), SetEntry("192.0.2.7", "eth0", OTHER, replace=True))

    shown = seen(entry("192.0.2.7", NudState.REACHABLE))
    assert not seen(entry("192.0.2.7", NudState.DELAY)).differs_from(shown)
    assert seen(entry("192.0.2.7", NudState.PERMANENT)).differs_from(shown)
    assert seen(entry("192.0.2.7", lladdr=OTHER)).differs_from(shown)
    assert seen().differs_from(shown)


@given(some.text(max_size=40), some.text(max_size=20), some.sampled_from(["eth0", "tun0", "", "nope"]))
def test_any_text_is_planned_or_refused(address: str, lladdr: str, interface: str) -> None:
    try:
        plan = plan_set(meeting(), SetEntry(address, interface, lladdr))
    except InvalidInput as refused:
        assert refused.what
    else:
        assert plan.writes[0].entry.interface == "eth0"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
    ],
)
def test_one_address_has_one_spelling(text: str, plain: str) -> None:
    assert plain_address(text) == plain
