"""What a scan found, written and read back whole."""

from pathlib import Path

import pytest

from netmon_tui.domain.host import (
    ExtraPorts,
    Hop,
    Host,
    HostAddress,
    OsMatch,
    Port,
    PortDetail,
    RoundTrip,
    Script,
    SequenceTest,
    Service,
)
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import RunScript, TargetSkipped
from netmon_tui.domain.scan_run import ScanPhase, ScanRun
from netmon_tui.domain.user import Actor, Role
from netmon_tui.domain.window import Window
from netmon_tui.errors import DiskFull, NotFound
from netmon_tui.storage import host_removal, records
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.storage.schema_version import open_database

ADA = Actor(1, "ada", Role.ADMIN)
BO = Actor(2, "bo", Role.OPERATOR)
CY = Actor(3, "cy", Role.OPERATOR)


def full_host(address: str = "192.0.2.7") -> Host:
    """A host with something in every field."""
    service = Service(
        "http", "nginx", "1.22", "Debian", "ssl", "probed", 10, ("cpe:/a:nginx",), "web", "Linux", "router"
    )
    script = Script("http-title", "Site\n[@click=app.quit]x[/]", {"title": "Site", "list": ["a", {"b": "c"}]})
    detail = PortDetail("192.0.2.1", "root", "rpc", 100_000, 2, 4, "SF-Port443-TCP:V=7.94")
    return Host(
        address,
        status="up",
        reason="arp-response",
        reason_ttl=64,
        addresses=(HostAddress(address, "ipv4"), HostAddress("02:00:00:00:00:07", "mac", "Vendor")),
        hostnames=(("web.example", "PTR"),),
        ports=(
            Port(22, "tcp", "closed", "reset", 64),
            Port(443, "tcp", "open", "syn-ack", 64, service, (script,), detail),
            Port(53, "udp", "open|filtered", "no-response"),
        ),
        extraports=(
            ExtraPorts("closed", 997, (("reset", 990), ("filtered", 7)), (("tcp", "1-21"), ("tcp", "99"))),
        ),
        scripts=(Script("smb-os", "Windows"),),
        os=(OsMatch("Linux 6.1", 97, ("cpe:/o:linux",), (("general", "Linux", "Linux", "6.X", 97),), 4711),),
        hops=(Hop(1, "192.0.2.1", "gw", 0.5), Hop(2, address)),
        distance=2,
        uptime=86400,
        started=1000.5,
        finished=1002.5,
        sequences=(SequenceTest("tcp", "Good luck!", "A,B", 262), SequenceTest("ipid", "All zeros", "0,0")),
        os_ports=(("open", "tcp", 443), ("closed", "tcp", 22)),
        os_fingerprints=("SCAN(V=7.94)",),
        last_boot="Tue Nov 14 22:13:20 2023",
        smurf_responses=3,
        trace_protocol="tcp",
        trace_port=443,
        round_trip=RoundTrip(1000, -1, 100_000),
        comment="a comment",
    )


@pytest.fixture
def store(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/n.sqlite3", backups=tmp_path)
    with_users = [
        {"name": a.name, "password_hash": "-", "role": a.role.value, "state": "active", "email": ""}
        for a in (ADA, BO, CY)
    ]
    from datetime import UTC, datetime

    database.write(
        lambda c: c.execute(records.users.insert(), [u | {"created": datetime.now(UTC)} for u in with_users])
    )
    yield database
    database.close()


def new_scan(store, owner: Actor = BO) -> int:
    scans = ScanRepository(store)
    return scans.create(owner, targets=("192.0.2.0/24",), profile="", arguments="-F", jobs=Path("/jobs"))


def test_a_host_comes_back_as_it_went_in(store):
    scan = new_scan(store)
    ScanResults(store).store(scan, [(0, full_host())])
    found = HostQueries(store).host(scan, 0)
    expected = full_host()
    expected.ports = tuple(sorted(expected.ports, key=lambda p: (p.protocol, p.number)))
    assert found == expected
    scan_row = ScanRepository(store).get(BO, scan)
    assert (scan_row.hosts_up, scan_row.ports_open) == (1, 1)


def test_live_ports_give_way_to_the_whole_host(store):
    scan, results, queries = new_scan(store), ScanResults(store), HostQueries(store)
    live = Port(443, "tcp", "open", "live")
    results.store_live(scan, {"192.0.2.7": [live], "192.0.2.8": []})
    results.store_live(scan, {"192.0.2.7": [live, Port(80, "tcp", "open", "live")]})
    lines = queries.host_lines(scan)
    assert [(line.address, line.open_ports, line.partial) for line in lines] == [
        ("192.0.2.7", 2, True),
        ("192.0.2.8", 0, True),
    ]
    assert ScanRepository(store).get(BO, scan).ports_open == 2

    results.store(scan, [(0, full_host())])
    results.store_live(scan, {"192.0.2.7": [Port(8080, "tcp", "open", "live")]})  # late text changes nothing
    lines = queries.host_lines(scan)
    assert [(line.address, line.open_ports, line.partial) for line in lines] == [
        ("192.0.2.7", 1, False),
        ("192.0.2.8", 0, True),
    ]
    row = ScanRepository(store).get(BO, scan)
    assert (row.hosts_up, row.ports_open, results.stored(scan)) == (2, 1, 1)


def test_hosts_are_ordered_by_number_and_by_window(store):
    scan, results, queries = new_scan(store), ScanResults(store), HostQueries(store)
    addresses = ["192.0.2.100", "192.0.2.9", "2001:db8::1", "192.0.2.10"]
    results.store(scan, [(n, Host(a, status="up")) for n, a in enumerate(addresses)])
    assert [line.address for line in queries.host_lines(scan)] == [
        "192.0.2.9",
        "192.0.2.10",
        "192.0.2.100",
        "2001:db8::1",
    ]
    assert [line.address for line in queries.host_lines(scan, Window(offset=1, limit=2))] == [
        "192.0.2.10",
        "192.0.2.100",
    ]
    assert queries.count_hosts(scan, "!.10") == 2
    assert queries.count_hosts(scan, "%") == 0


def test_what_belongs_to_others_is_not_found(store):
    scan, scans = new_scan(store), ScanRepository(store)
    assert scans.get(ADA, scan).owner == "bo"
    with pytest.raises(NotFound):
        scans.get(CY, scan)
    assert scans.find(CY) == [] and scans.count(CY) == 0
    assert [s.id for s in scans.find(BO)] == [scan]
    ScanResults(store).store(scan, [(0, full_host())])
    queries = HostQueries(store)
    assert queries.count_known_hosts(CY) == 0
    assert [h.address for h in queries.known_hosts(BO)] == ["192.0.2.7"]


def test_deleting_a_scan_leaves_no_row_behind(store):
    scan = new_scan(store)
    ScanResults(store).store(scan, [(0, full_host())])
    phase, target = ScanPhase("SYN Stealth Scan", "", 1.0, 2.0), TargetSkipped("x", "skipped", "invalid")
    before = RunScript("pre", Script("targets-asn", "x"))
    run = ScanRun("nmap", "7.94", skipped=(target,), phases=(phase,), scripts=(before,))
    ScanResults(store).store_run(scan, run)
    ScanRepository(store).delete(scan)
    with store.read() as connection:
        left = {
            table.name: connection.execute(table.select()).all()
            for table in records.tables
            if "scan_id" in table.c
        }
    assert {name: rows for name, rows in left.items() if rows} == {}


@pytest.mark.parametrize("hosts", [1, 4, 5])
def test_deleting_and_clearing_go_through_all_hosts_in_pieces(store, monkeypatch, hosts):
    monkeypatch.setattr(host_removal, "HOSTS_AT_ONCE", 2)
    found = [(number, full_host(f"192.0.2.{number}")) for number in range(hosts)]
    kept, cleared, deleted = (new_scan(store) for _ in range(3))
    for scan in (kept, cleared, deleted):
        ScanResults(store).store(scan, found)
    ScanResults(store).clear(cleared)
    ScanRepository(store).delete(deleted)
    counts = [HostQueries(store).count_hosts(scan) for scan in (kept, cleared, deleted)]
    assert counts == [hosts, 0, 0]


def test_a_deletion_that_is_broken_off_says_so_and_can_be_done_again(store, monkeypatch):
    monkeypatch.setattr(host_removal, "HOSTS_AT_ONCE", 2)
    scan, scans, write = new_scan(store), ScanRepository(store), store.write
    ScanResults(store).store(scan, [(number, full_host(f"192.0.2.{number}")) for number in range(5)])
    with monkeypatch.context() as broken:
        allowed = iter(range(2))

        def write_twice(work):
            if next(allowed, None) is None:
                raise DiskFull("no space left")
            return write(work)

        broken.setattr(store, "write", write_twice)
        with pytest.raises(DiskFull):
            scans.delete(scan)
    assert HostQueries(store).count_hosts(scan) == 3
    left = scans.get(BO, scan)
    assert left.state is JobState.INTERRUPTED
    assert "delete it again" in left.error
    scans.delete(scan)
    with pytest.raises(NotFound):
        scans.get(BO, scan)


def test_known_hosts_show_the_latest_scan(store):
    results, queries = ScanResults(store), HostQueries(store)
    first, second = new_scan(store), new_scan(store)
    results.store(first, [(0, full_host())])
    later = full_host()
    later.ports = ()
    results.store(second, [(0, later)])
    (known,) = queries.known_hosts(BO)
    assert (known.address, known.scans, known.last_scan, known.open_ports) == ("192.0.2.7", 2, second, 0)
    ScanRepository(store).update(second, state=JobState.COMPLETED.value)


def test_whole_hosts_come_in_pages(store):
    scan, queries = new_scan(store), HostQueries(store)
    hosts = [(n, Host(f"192.0.2.{n}", status="up", ports=(Port(n, "tcp", "open"),))) for n in range(1, 30)]
    ScanResults(store).store(scan, hosts)
    assert [h.address for h in queries.whole_hosts(scan, page=7)] == [h.address for _, h in hosts]
