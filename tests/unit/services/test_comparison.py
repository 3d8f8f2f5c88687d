"""Two stored scans compared: matched, paged, refused, noted."""

from __future__ import annotations

import pytest

from netmon_tui.domain.comparison import ChangeCounts
from netmon_tui.domain.documents import comparison_document
from netmon_tui.domain.host import Host, OsMatch, Port, Script, Service
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.services import comparison as module
from tests.unit.services.made_scans import TARGETS, Store, host


async def test_hosts_and_ports_come_and_go(store: Store) -> None:
    nginx = Service("http", "nginx", "1.22", method="probed")
    a = store.scan([host("10.0.0.9", 22), host("10.0.0.10", 22, 80), host("10.0.0.100", 25)])
    b = store.scan(
        [
            host("10.0.0.10", 22, Port(443, "tcp", "open", service=nginx)),
            host("10.0.0.100", 25),
            host("10.0.0.11"),
        ]
    )
    assert await store.lines(a, b) == [
        ("removed", "10.0.0.9", "host", "open: 22/tcp", ""),
        ("removed", "10.0.0.10", "80/tcp", "open", ""),
        ("added", "10.0.0.10", "443/tcp", "", "open http nginx 1.22"),
        ("added", "10.0.0.11", "host", "", "up, no open port"),
    ]
    document = comparison_document(await store.comparison.compare(store.ada, a, b))
    assert document["summary"] == {"added": 2, "removed": 2, "changed": 0}
    assert document["hosts"][1]["ports"][0]["before"]["state"] == "open"


async def test_pages_of_ports_give_the_same_as_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def hosts(shift: int) -> list[Host]:
        return [host(f"10.0.0.{n}", n, n + shift, lladdr=f"02:00:00:00:00:{n:02x}") for n in range(1, 60)]

    a, b = store.scan(hosts(100)), store.scan(hosts(200)[::-1])
    whole = await store.lines(a, b)
    monkeypatch.setattr(module, "_PAGE", 7)
    assert await store.lines(a, b) == whole
    assert len(whole) == 2 * 59


async def test_what_a_scan_did_not_ask_for_is_no_change(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22, 80), host("10.0.0.200", 22)])
    b = store.scan(
        [host("10.0.0.5", 80, 8080)], targets=("10.0.0.0/28",), scaninfo=[["syn", "tcp", 2, "80,8080"]]
    )
    assert await store.lines(a, b) == [("added", "10.0.0.5", "8080/tcp", "", "open")]


async def test_what_was_excluded_is_not_gone(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22), host("10.0.0.6", 22)])
    b = store.scan([], command=["nmap", "-sS", "--exclude", "10.0.0.5,10.0.0.9", "-oX", "x", "--", *TARGETS])
    assert await store.lines(a, b) == [("removed", "10.0.0.6", "host", "open: 22/tcp", "")]


async def test_a_scan_that_was_cut_says_nothing_of_hosts_it_does_not_list(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22), host("10.0.0.6", 22), host("10.0.0.7", 22)])
    b = store.scan([host("10.0.0.5"), host("10.0.0.6", partial=True)], state=JobState.CANCELLED.value)
    assert await store.lines(a, b) == [("removed", "10.0.0.5", "22/tcp", "open", "")]
    notes = (await store.comparison.compare(store.ada, a, b)).notes
    assert f"scan {b} was stopped: hosts it does not list are not compared" in notes
    assert f"scan {b} did not finish 1 host: ports it does not list there are not compared" in notes


async def test_a_host_key_tells_who_moved(store: Store) -> None:
    def keyed(address: str, mark: str) -> Host:
        scripts = (Script("ssh-hostkey", "2048 ...", [{"fingerprint": mark, "type": "ssh-rsa"}]),)
        return host(address, Port(22, "tcp", "open", scripts=scripts))

    a = store.scan([keyed("10.0.0.5", "f00"), keyed("10.0.0.6", "ba4")])
    b = store.scan([keyed("10.0.0.6", "f00"), keyed("10.0.0.5", "ba4")])
    assert await store.lines(a, b) == [
        ("changed", "10.0.0.5", "address", "10.0.0.6", "10.0.0.5"),
        ("changed", "10.0.0.6", "address", "10.0.0.5", "10.0.0.6"),
    ]


async def test_a_key_helps_when_one_side_knows_no_lladdr(store: Store) -> None:
    def keyed(address: str, **values: str) -> Host:
        scripts = (Script("ssh-hostkey", "2048 ...", [{"fingerprint": "f00", "type": "ssh-rsa"}]),)
        return host(address, Port(22, "tcp", "open", scripts=scripts), **values)

    a = store.scan([keyed("10.0.0.5", lladdr="02:00:00:00:00:01")])
    b = store.scan([keyed("10.0.0.9")])
    assert await store.lines(a, b) == [("changed", "10.0.0.9", "address", "10.0.0.5", "10.0.0.9")]


async def test_a_ping_scan_says_nothing_of_ports(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22)], arguments="-sS")
    ping = store.scan([host("10.0.0.5")], arguments="-sn", scaninfo=[])
    b = store.scan([host("10.0.0.5", 22, 80)], arguments="-sS")
    assert await store.lines(a, ping) == await store.lines(ping, b) == []
    found = await store.comparison.predecessor(store.ada, b)
    assert found is not None and found.id == a, "the run with the same options"


async def test_a_host_that_is_listed_twice_is_one(store: Store) -> None:
    a, b = (store.scan([host("10.0.0.5", 22), host("10.0.0.5", 22)]) for _ in range(2))
    assert await store.lines(a, b) == []


async def test_without_a_ping_a_silent_address_is_no_host(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22)])
    b = store.scan([host("10.0.0.5", 22, reason="user-set"), host("10.0.0.6", reason="user-set")])
    assert await store.lines(a, b) == []


async def test_what_was_not_compared_is_said(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22)], scaninfo=[["syn", "tcp", 1, "22"]])
    b = store.scan([host("10.0.0.5", 22, 4444)])
    imported = store.scan([host("10.0.0.5", 22)], targets=(), imported=True)
    assert await store.lines(a, b) == []
    notes = (await store.comparison.compare(store.ada, a, b)).notes
    assert notes == ("they asked for different ports: only those of both are compared",)
    notes = (await store.comparison.compare(store.ada, b, imported)).notes
    assert notes == (
        f"the targets of scan {imported} are not known: every host it does not list counts as gone",
    )


async def test_a_guess_at_the_system_is_no_change(store: Store) -> None:
    def guessed(name: str, accuracy: int) -> Host:
        return host("10.0.0.5", 22, os=(OsMatch(name, accuracy),))

    a, b, sure = (
        store.scan([guessed(*one)]) for one in (("Linux 4", 100), ("Linux 5", 96), ("Linux 6", 100))
    )
    assert await store.lines(a, b) == []
    assert await store.lines(a, sure) == [("changed", "10.0.0.5", "os", "Linux 4", "Linux 6")]


async def test_a_pin_counts_later_runs_again(store: Store) -> None:
    base = store.scan([host("10.0.0.5", 22)])
    store.scan([host("10.0.0.5", 22, 80)])
    latest = store.scan([host("10.0.0.5", 22, 80)])
    store.comparison.note_changes(latest)

    async def counted() -> str:
        return str((await store.services.scans.get(store.ada, latest)).changes)

    assert await counted() == ""
    await store.comparison.pin(store.ada, base, pinned=True)
    assert await counted() == "+1"
    await store.comparison.pin(store.ada, base, pinned=False)
    assert await counted() == ""


async def test_a_scan_that_was_deleted_meanwhile_is_not_found(store: Store) -> None:
    a, b = store.scan([host("10.0.0.5", 22)]), store.scan([host("10.0.0.5", 80)])
    store.services.transfers._scans.delete(a)
    with pytest.raises(NotFound):
        store.comparison._compare(a, b)
    with pytest.raises(NotFound):
        store.comparison.note_changes(a)


async def test_every_run_is_compared_with_the_one_before(store: Store) -> None:
    first = store.scan([host("10.0.0.5", 22)])
    store.scan([], state=JobState.FAILED.value)
    store.scan([host("10.0.0.5", 80)], targets=("10.0.0.5",))
    second = store.scan([host("10.0.0.5", 22, 80)])
    store.comparison.note_changes(second)
    scan = await store.services.scans.get(store.ada, second)
    assert (scan.compared_with, scan.changes) == (first, ChangeCounts(added=1))
    assert str(scan.changes) == "+1"
    store.comparison.note_changes(first)
    assert (await store.services.scans.get(store.ada, first)).changes is None


async def test_a_pinned_scan_is_the_baseline(store: Store) -> None:
    base, newer = store.scan([host("10.0.0.5", 22)]), store.scan([host("10.0.0.5", 22, 80)])
    latest = store.scan([host("10.0.0.5", 22, 80)])
    found = await store.comparison.predecessor(store.ada, latest)
    assert found is not None and found.id == newer
    await store.comparison.pin(store.ada, base, pinned=True)
    found = await store.comparison.predecessor(store.ada, latest)
    assert found is not None and (found.id, found.pinned) == (base, True)
    await store.comparison.pin(store.ada, base, pinned=False)
    found = await store.comparison.predecessor(store.ada, latest)
    assert found is not None and found.id == newer
    actions = [event.action for event in await store.services.activity.audit(store.ada)]
    assert {"scan.pin", "scan.unpin"} <= set(actions)


async def test_what_is_not_yours_is_not_there(store: Store) -> None:
    bo = await store.services.accounts.add_user(store.ada, "bo", "walnut-koala-lantern", role=Role.OPERATOR)
    stranger = Actor(bo.id, bo.name, bo.role)
    theirs = store.scan([host("10.0.0.5", 80)], stranger)
    mine = store.scan([host("10.0.0.5", 22)])
    later = store.scan([host("10.0.0.5", 81)], stranger)
    for pair in ((mine, theirs), (theirs, mine)):
        with pytest.raises(NotFound):
            await store.comparison.compare(stranger, *pair)
    with pytest.raises(NotFound):
        await store.comparison.pin(stranger, mine, pinned=True)
    with pytest.raises(NotFound):
        await store.comparison.predecessor(stranger, mine)
    found = await store.comparison.predecessor(stranger, later)
    assert found is not None and found.id == theirs
    assert (await store.comparison.compare(store.ada, mine, later)).hosts  # an administrator sees all


async def test_a_viewer_may_compare_and_not_pin(store: Store) -> None:
    viewer = await store.services.accounts.add_user(store.ada, "vi", "walnut-koala-lantern", role=Role.VIEWER)
    vi = Actor(viewer.id, viewer.name, viewer.role)
    a, b = (store.scan([host("10.0.0.5", n)], vi) for n in (22, 80))
    assert (await store.comparison.compare(vi, a, b)).counts == ChangeCounts(added=1, removed=1)
    with pytest.raises(NotAllowed):
        await store.comparison.pin(vi, a, pinned=True)


async def test_bad_questions_get_an_answer(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22)])
    running = store.scan([], state=JobState.RUNNING.value)
    with pytest.raises(InvalidInput, match="differ from itself"):
        await store.comparison.compare(store.ada, a, a)
    with pytest.raises(NotFound, match="no scan 99"):
        await store.comparison.compare(store.ada, a, 99)
    imported = store.scan([], targets=(), imported=True)
    with pytest.raises(InvalidInput, match="was imported"):
        await store.comparison.pin(store.ada, imported, pinned=True)
    with pytest.raises(InvalidInput, match="is running"):
        await store.comparison.pin(store.ada, running, pinned=True)
    assert (await store.comparison.compare(store.ada, running, a)).hosts == (), "it may find the host yet"


async def test_a_list_scan_asked_nobody(store: Store) -> None:
    a = store.scan([host("10.0.0.5", 22)])
    listed = store.scan(
        [Host("10.0.0.5", status="unknown"), Host("10.0.0.6", status="unknown")], arguments="-sL"
    )
    b = store.scan([host("10.0.0.5", 22), host("10.0.0.6")])
    for pair in ((a, listed), (listed, b)):
        with pytest.raises(InvalidInput, match=rf"scan {listed} cannot be compared: it only listed"):
            await store.comparison.compare(store.ada, *pair)
    before = await store.comparison.predecessor(store.ada, b)
    assert before is not None and before.id == a
    with pytest.raises(InvalidInput, match="asked none of them"):
        await store.comparison.predecessor(store.ada, listed)
