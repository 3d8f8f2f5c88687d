"""Documents that come in: kept byte for byte, recognised, merged where they come in pieces, refused whole."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from netmon_tui.domain.host import Host
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Actor, Role
from netmon_tui.errors import AlreadyImported, InvalidInput, NetmonError
from netmon_tui.services.container import Services
from tests.unit.services.made_scans import Store

DATA = Path(__file__).parents[2] / "data"
FULL = (DATA / "nmap/full.xml").read_bytes()
TABLES = ("scans", "hosts", "addresses", "ports", "scripts", "scan_runs", "port_lists", "sequences")


class House:
    """Services with an administrator."""

    def __init__(self, services: Services, ada: Actor) -> None:
        self.services, self.ada = services, ada
        self.jobs = services.paths.jobs

    async def take(self, path: Path) -> int:
        return (await self.services.transfers.import_scan(self.ada, path)).id

    async def pipe(self, content: bytes) -> int:
        stream = io.BytesIO(content)
        return (await self.services.transfers.import_stream(self.ada, stream, "stdin")).id

    async def hosts(self, scan_id: int) -> list[Host]:
        return await self.services.scans.whole_hosts(self.ada, scan_id)

    async def exported(self, scan_id: int) -> bytes:
        return b"".join(await self.services.transfers.scan_chunks(self.ada, scan_id, "xml"))

    def files(self, scan_id: int) -> list[str]:
        return sorted(path.name for path in (self.jobs / f"scan-{scan_id}").iterdir())

    def pack(self) -> None:
        """Wait until the documents are packed, by asking for that as an ending program does."""
        self.services.keeper.close(patience=60)

    def rows(self) -> dict[str, int]:
        with sqlite3.connect(self.services.paths.data / "netmon.db") as connection:
            return {t: connection.execute(f"select count(*) from {t}").fetchone()[0] for t in TABLES}


@pytest.fixture
def house(store: Store) -> House:
    return House(store.services, store.ada)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("piped", [False, True], ids=["file", "pipe"])
async def test_an_export_is_byte_true_before_and_after_packing(
    house: House, tmp_path: Path, packed: bool, piped: bool
) -> None:
    content = gzip.compress(FULL, 1) if packed else FULL
    path = tmp_path / "found.xml"
    path.write_bytes(content)
    scan_id = await (house.pipe(content) if piped else house.take(path))
    before = await house.exported(scan_id)
    await asyncio.to_thread(house.pack)
    assert house.files(scan_id) == ["scan.xml.gz"]
    after = await house.exported(scan_id)
    wanted = hashlib.sha256(FULL).hexdigest()
    assert [hashlib.sha256(one).hexdigest() for one in (before, after)] == [wanted, wanted]
    assert path.read_bytes() == content


async def test_a_cut_document_is_exported_the_same_when_packed(house: House, tmp_path: Path) -> None:
    path = tmp_path / "cut.xml"
    path.write_bytes(FULL[: len(FULL) * 9 // 10])
    scan_id = await house.take(path)
    await asyncio.to_thread(house.pack)
    assert house.files(scan_id) == ["scan.xml.gz"]
    exported = await house.exported(scan_id)
    assert exported.endswith(b"</nmaprun>\n") and exported[:200] == FULL[:200]


async def test_what_an_earlier_program_left_is_packed_and_running_scans_are_not(
    house: House, tmp_path: Path
) -> None:
    repository = house.services.transfers._scans
    for state in (JobState.RUNNING, JobState.COMPLETED, JobState.FAILED):
        number = repository.create(
            house.ada, targets=(), profile="", arguments="", state=state, jobs=house.jobs
        )
        (house.jobs / f"scan-{number}").mkdir()
        for name in ("scan.xml", "stage-1.xml", "stdout"):
            (house.jobs / f"scan-{number}" / name).write_bytes(FULL)
    house.services.keeper.pack_soon()
    await asyncio.to_thread(house.pack)
    assert house.files(1) == ["scan.xml", "stage-1.xml", "stdout"]
    assert house.files(2) == ["scan.xml.gz", "stage-1.xml.gz", "stdout"]
    assert house.files(3) == ["scan.xml", "stage-1.xml", "stdout"], "it may be resumed"


async def test_the_same_document_is_recognised_in_any_packing(house: House, tmp_path: Path) -> None:
    path, other = tmp_path / "found.xml", tmp_path / "other.xml.gz"
    path.write_bytes(FULL)
    other.write_bytes(gzip.compress(FULL))
    scan_id = await house.take(path)
    rows = house.rows()
    for again in (house.take(path), house.take(other), house.pipe(FULL)):
        with pytest.raises(AlreadyImported, match=f"is scan {scan_id} already") as caught:
            await again
        assert caught.value.scan_id == scan_id
    assert house.rows() == rows
    second = await house.services.transfers.import_scan(house.ada, path, again=True)
    assert second.id == scan_id + 1
    await house.services.scans.delete(house.ada, scan_id)
    await house.services.scans.delete(house.ada, second.id)
    assert await house.take(path) == scan_id + 2


async def test_the_export_of_an_own_scan_is_that_scan(house: House, tmp_path: Path) -> None:
    repository = house.services.transfers._scans
    number = repository.create(
        house.ada, targets=(), profile="", arguments="", state=JobState.COMPLETED, jobs=house.jobs
    )
    (house.jobs / f"scan-{number}").mkdir()
    (house.jobs / f"scan-{number}" / "stage-ports-0001.xml").write_bytes(FULL + b"<!-- a stage -->")
    (house.jobs / f"scan-{number}" / "scan.xml").write_bytes(FULL)
    house.services.keeper.pack_soon()
    await asyncio.to_thread(house.pack)
    written = await house.services.transfers.export_scan(house.ada, number, "xml", tmp_path / "out.xml")
    with pytest.raises(AlreadyImported, match=f"is scan {number} already"):
        await house.take(written)


async def test_another_users_import_is_not_told(house: House, tmp_path: Path) -> None:
    await house.take(DATA / "nmap/full.xml")
    eve = await house.services.accounts.add_user(house.ada, "eve", "walnut-koala-lantern", role=Role.OPERATOR)
    house.ada = Actor(eve.id, eve.name, eve.role)
    assert await house.take(DATA / "nmap/full.xml") == 2


# --- masscan ---


async def test_masscan_is_merged_host_by_host(house: House) -> None:
    scan_id = await house.take(DATA / "masscan/banners.xml")
    scan = await house.services.scans.get(house.ada, scan_id)
    hosts = {host.address: host for host in await house.hosts(scan_id)}
    assert {address: [(p.number, p.protocol) for p in host.ports] for address, host in hosts.items()} == {
        "192.0.2.10": [(80, "tcp"), (443, "tcp")],
        "192.0.2.11": [(22, "tcp")],
        "192.0.2.12": [],
        "2001:db8::10": [(53, "udp")],
    }
    web = hosts["192.0.2.10"].ports[0]
    assert web.service is not None and web.service.name == "http"
    assert [script.output for script in web.scripts] == [
        r"HTTP/1.1 200 OK\x0d\x0aServer: nginx",
        "Welcome & hello",
    ]
    assert (scan.state, scan.hosts_up, scan.ports_open) == (JobState.COMPLETED, 4, 4)
    assert (await house.services.scans.run(house.ada, scan_id)).scanner == "masscan"


async def test_masscan_that_was_interrupted_keeps_what_there_is(house: House) -> None:
    scan = await house.services.transfers.import_scan(house.ada, DATA / "masscan/cut.xml")
    assert (scan.state, scan.hosts_up, scan.ports_open) == (JobState.INTERRUPTED, 3, 3)
    assert "ends before" in scan.error


async def test_masscans_pieces_are_merged_over_many_batches(house: House) -> None:
    """So many elements that they are stored in several transactions, in the order of a real scan: none."""
    chance = random.Random(7)
    wanted = [(f"10.0.{n // 200}.{n % 200}", port) for n in range(1000) for port in range(1, 11)]
    chance.shuffle(wanted)
    element = (
        '<host endtime="1700000001"><address addr="%s" addrtype="ipv4"/><ports><port protocol="tcp" portid="%d">'
        '<state state="open" reason="syn-ack" reason_ttl="64"/>%s</port></ports></host>\r\n'
    )
    banner = '<service name="ssh" banner="SSH-2.0-x"></service>'
    lines = [element % (*one, "") for one in wanted] + [element % (*one, banner) for one in wanted[::5]]
    content = f'<?xml version="1.0"?>\r\n<nmaprun scanner="masscan" start="1">\r\n{"".join(lines)}</nmaprun>'
    scan_id = await house.pipe(content.encode())
    hosts = await house.hosts(scan_id)
    assert sorted((h.address, p.number) for h in hosts for p in h.ports) == sorted(wanted)
    told = {(h.address, p.number) for h in hosts for p in h.ports if p.service and p.scripts}
    assert told == set(wanted[::5])
    scan = await house.services.scans.get(house.ada, scan_id)
    assert (scan.hosts_up, scan.ports_open) == (1000, 10_000)
    assert all(host.open_ports == 10 for host in hosts)


# --- what is refused leaves nothing ---


async def test_a_small_document_cut_at_every_byte(house: House) -> None:
    """It is a scan with the hosts that are whole, or refused without a trace; in gzip it is refused."""
    host = b'<host><status state="up"/><address addr="192.0.2.%d" addrtype="ipv4"/></host>\n'
    whole = (
        b'<?xml version="1.0"?>\n<nmaprun scanner="nmap">\n' + host % 1 + host % 2
        + b'<runstats><finished time="1" exit="success"/><hosts up="2" total="2"/></runstats>\n</nmaprun>\n'
    )  # fmt: skip
    packed = gzip.compress(whole)
    for size in range(len(packed)):
        with pytest.raises(InvalidInput):
            await house.pipe(packed[:size])
    assert set(house.rows().values()) == {0}
    for size in range(0, len(whole), 1):
        there = whole[:size].count(b"</host>")
        try:
            scan_id = await house.pipe(whole[:size])
        except InvalidInput:
            assert not there
            assert set(house.rows().values()) == {0}
            continue
        assert len(await house.hosts(scan_id)) == there
        await house.services.scans.delete(house.ada, scan_id)
    assert list(house.jobs.iterdir()) == []


class Killed(BaseException):
    """What no code outlives."""


def killed(*_: object, **__: object) -> None:
    """End like a program that is killed."""
    raise Killed


async def test_a_program_killed_while_it_deletes_leaves_a_scan_that_can_be_deleted_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan_id = await house.pipe(FULL)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(Killed):
            await house.services.scans.delete(house.ada, scan_id)
    assert "delete it again" in (await house.services.scans.get(house.ada, scan_id)).error
    await house.services.scans.delete(house.ada, scan_id)
    assert list(house.jobs.iterdir()) == [] and not house.rows()["scans"]


async def test_a_program_killed_while_it_refuses_a_document_leaves_no_files_that_nobody_knows(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(Killed):
            await house.pipe(FULL[: FULL.index(b"<nmaprun ") + 20])
    assert [path.name for path in house.jobs.iterdir()] == ["scan-1"]
    await house.services.scans.delete(house.ada, 1)
    assert list(house.jobs.iterdir()) == []


async def test_a_document_that_is_packed_while_its_scan_is_deleted_does_not_stay(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan_id, rmtree = await house.pipe(FULL), shutil.rmtree

    def packed_just_then(directory: Path, **_: object) -> None:
        there = directory.exists()
        rmtree(directory, ignore_errors=True)
        if there and not list(house.jobs.glob("*")) and house.rows()["scans"]:
            directory.mkdir()
            (directory / "scan.xml.gz").write_bytes(b"packed")

    monkeypatch.setattr(shutil, "rmtree", packed_just_then)
    await house.services.scans.delete(house.ada, scan_id)
    assert list(house.jobs.iterdir()) == [] and not house.rows()["scans"]


@pytest.mark.parametrize("place", [b"", b'<nmaprun scanner="', b'addr="192.0.2.1', b"</host>"])
async def test_zeros_anywhere(house: House, place: bytes) -> None:
    at = FULL.index(place) + len(place)
    try:
        scan_id = await house.pipe(FULL[:at] + b"\0" + FULL[at:])
    except NetmonError:
        assert set(house.rows().values()) == {0}
        assert list(house.jobs.iterdir()) == []
    else:
        scan = await house.services.scans.get(house.ada, scan_id)
        assert scan.state is JobState.INTERRUPTED and scan.error


async def test_a_port_and_an_address_that_come_twice_count_once(house: House) -> None:
    port = '<port protocol="tcp" portid="80"><state state="open"/>%s</port>'
    address = '<address addr="02:00:00:00:00:01" addrtype="mac" vendor="%s"/>'
    ports, both = port % "" + port % '<service name="http"/>', address % "A" + address % "B"
    host = (
        f'<host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/>{both}'
        f"<ports>{ports}</ports></host>"
    )
    scan_id = await house.pipe(f'<nmaprun scanner="nmap">{host}</nmaprun>'.encode())
    (found,) = await house.hosts(scan_id)
    assert [(p.number, p.service.name if p.service else "") for p in found.ports] == [(80, "http")]
    assert (found.open_ports, len(found.addresses)) == (1, 2)


async def test_a_document_of_which_no_host_can_be_read_is_refused(house: House, tmp_path: Path) -> None:
    path = tmp_path / "numbers.xml"
    path.write_text(
        '<nmaprun scanner="nmap" start="1"><host><address addr="192.0.2.1" addrtype="ipv4"/><ports>'
        '<port protocol="tcp" portid="99999999"><state state="open"/></port></ports></host>'
        '<runstats><finished time="2" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'
    )
    with pytest.raises(InvalidInput, match=r"no host in numbers\.xml can be read"):
        await house.take(path)
    assert not list(house.jobs.iterdir())
