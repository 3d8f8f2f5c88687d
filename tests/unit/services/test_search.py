"""Searches over all scans: what they find, for whom, in which order and by which index; and saved ones."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.host import Hop, Host, HostAddress, OsMatch, Port, Script, Service
from netmon_tui.domain.search import SavedSearch
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.storage.search_queries import statement
from netmon_tui.tools.scan_query import parse_query

HOSTILE = "=cmd|\x1b[2J`<b>"


def port(number: int, name: str, product: str = "", state: str = "open", protocol: str = "tcp") -> Port:
    service = Service(name, product, "9.2p1" if product else "", cpe=("cpe:/a:x:y",) if product else ())
    scripts = (Script("http-title", "Welcome 100%"),) if number == 80 else ()
    return Port(number, protocol, state, "syn-ack", 64, service, scripts)


WEB = Host(
    "10.0.0.5",
    status="up",
    addresses=(HostAddress("10.0.0.5", "ipv4"), HostAddress("00:1B:21:00:00:05", "mac", "Intel")),
    hostnames=(("web_1.example", "PTR"),),
    ports=(port(22, "ssh", "OpenSSH"), port(80, "http", "nginx"), port(53, "domain", protocol="udp")),
    os=(OsMatch("Linux 5.4", 98, classes=(("router", "Linux", "Linux", "5.X", 98),)),),
    hops=(Hop(1, "192.0.2.254", "gate.example"),),
    scripts=(Script("smb-os", "Samba"),),
)
MAIL = Host("10.0.1.9", status="up", ports=(port(25, "smtp", HOSTILE), port(22, "ssh", state="closed")))
BARE = Host("2001:db8::7", status="up")


class House:
    """An administrator, an operator with a new and an old scan, and a viewer with one."""

    def __init__(self, services: Services) -> None:
        self.services, self.search = services, services.search
        self.ada, self.bo, self.eve = (
            Actor(n, name, role)
            for n, (name, role) in enumerate(
                (("ada", Role.ADMIN), ("bo", Role.OPERATOR), ("eve", Role.VIEWER)), 1
            )
        )

    def fill(self, folder: Path) -> None:
        accounts, now = AccountRepository(self.services.database), datetime.now(UTC)
        for actor in (self.ada, self.bo, self.eve):
            user = NewUser(actor.name, "no hash", actor.role, UserState.ACTIVE, "", now)
            accounts.create(user, NewEvent("user.create"))
        scans, results = ScanRepository(self.services.database), ScanResults(self.services.database)
        for owner, days, profile, found in (
            (self.bo, 40, "Quick scan", (WEB, MAIL)),
            (self.bo, 0, "Intense scan", (WEB, BARE)),
            (self.eve, 3, "", (MAIL,)),
        ):
            name = "weekly" if days else "now"
            scan_id = scans.create(
                owner, targets=("10.0.0.0/8",), profile=profile, arguments="-sV -p 22", name=name, jobs=folder
            )
            scans.update(scan_id, started=now - timedelta(days=days), state="completed")
            results.store(scan_id, enumerate(found))

    async def lines(self, actor: Actor, text: str) -> list[tuple[int, str, int | None]]:
        """(scan, address, port) of what is found."""
        return [(one.scan, one.address, one.number) for one in await self.search.find(actor, text)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    paths = find_paths(data_dir=tmp_path / "data")
    services = await asyncio.to_thread(open_services, load_settings(environ={}), paths, reading=False)
    made = House(services)
    await asyncio.to_thread(made.fill, tmp_path)
    yield made
    await services.close()


WEB_LINES = [(2, "10.0.0.5", 22), (2, "10.0.0.5", 80), (2, "10.0.0.5", 53)]
IN_BOTH = [(2, "10.0.0.5", 22), (1, "10.0.0.5", 22)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open:22", IN_BOTH),
        ("op:20-30 !smtp", IN_BOTH),
        ("closed:22", [(1, "10.0.1.9", 22)]),
        ("open:53/udp after:-1", [(2, "10.0.0.5", 53)]),
        ("open:53/tcp", []),
        ("service:SS product:openssh", IN_BOTH),
        ("version:9.2 before:-30 service:ssh", [(1, "10.0.0.5", 22)]),
        ("open:80 or open:25 after:-1", [(2, "10.0.0.5", 80)]),
        ("target:10.0.1.0/24", [(1, "10.0.1.9", 22), (1, "10.0.1.9", 25)]),
        ("t:10.0.1.9 open:25", [(1, "10.0.1.9", 25)]),
        ("target:2001:db8::/64", [(2, "2001:db8::7", None)]),
        ("target:web_1 open:80 date:today", [(2, "10.0.0.5", 80)]),
        ("target:webx1", []),
        ("2001 !open:22", [(2, "2001:db8::7", None)]),
        ("os:linux open:22 pr:intense", [(2, "10.0.0.5", 22)]),
        ("os:router open:22 name:weekly", [(1, "10.0.0.5", 22)]),
        ("ir:gate.example open:22 option:-p", IN_BOTH),
        ('script:"welcome 100%"', [(2, "10.0.0.5", 80), (1, "10.0.0.5", 80)]),
        ("script:welcome_100", []),
        ("script:smb-os after:-1", sorted(WEB_LINES, key=lambda line: (line[2] == 53, line[2]))),
        ("lladdr:00-1B-21 open:22", IN_BOTH),
        ("vendor:intel cpe:x:y open:80", [(2, "10.0.0.5", 80), (1, "10.0.0.5", 80)]),
        ("state:closed", [(1, "10.0.1.9", 22)]),
        ("state:up state:completed open:80 after:-1", [(2, "10.0.0.5", 80)]),
        ("state:failed", []),
        ("owner:bo open:25", [(1, "10.0.1.9", 25)]),
        ("open:22 open:80", []),
        ("%", []),
        ("open:1-65535 !open:1-65535", []),
    ],
)
async def test_every_line_meets_all_terms_and_the_newest_scan_comes_first(
    house: House, text: str, found: list[tuple[int, str, int | None]]
) -> None:
    assert await house.lines(house.bo, text) == found


async def test_others_scans_are_found_by_administrators_alone(house: House) -> None:
    assert {scan for scan, *_ in await house.lines(house.eve, "open:25")} == {3}
    assert {scan for scan, *_ in await house.lines(house.bo, "open:25")} == {1}
    assert [scan for scan, *_ in await house.lines(house.ada, "open:25")] == [3, 1]
    assert await house.lines(house.eve, "owner:bo") == []
    for actor in (house.ada, house.bo, house.eve):
        listed = {scan.id for scan in await house.services.scans.find(actor)}
        assert {scan for scan, *_ in await house.lines(actor, "")} == listed


async def test_lists_of_hosts_and_scans_are_met_by_what_belongs_to_them(house: House) -> None:
    scans = house.services.scans

    async def of_scans(text: str) -> list[int]:
        found = [scan.id for scan in await scans.find(house.ada, Window(text=text))]
        assert await scans.count(house.ada, text) == len(found)
        return found

    async def of_hosts(text: str) -> list[str]:
        found = [line.address for line in await scans.hosts(house.bo, 1, Window(text=text))]
        assert await scans.count_hosts(house.bo, 1, text) == len(found)
        return found

    assert await of_scans("open:22 open:80") == [2, 1]
    assert await of_scans("!open:22") == [3]
    assert await of_scans("open:25 target:10.0.0.5") == [1]
    assert await of_scans("intense") == [2]
    assert await of_scans("web_1") == []
    assert await of_scans("target:web_1 ir:gate after:-7") == [2]
    assert await of_hosts("open:22 open:80") == ["10.0.0.5"]
    assert await of_hosts("!service:http") == ["10.0.1.9"]
    assert await of_hosts("script:smb or closed:22") == ["10.0.0.5", "10.0.1.9"]
    assert await of_hosts("after:-7") == []
    services = [line.number for line in await scans.services(house.bo, 1, Window(text="ssh state:open"))]
    assert services == [22]
    assert await scans.count_services(house.bo, 1, "!ssh") == 3
    assert [h.address for h in await scans.known_hosts(house.bo, Window(text="open:80 os:linux"))] == [
        "10.0.0.5"
    ]
    assert await scans.count_known_hosts(house.bo, "!open:80") == 2


@pytest.mark.parametrize(
    "text",
    ["open:443", "open:22,80,8000-8100", "closed:1/udp", "service:http", "target:10.0.0.5", "t:10.0.0.0/8",
     "after:-7", "open:22 service:ssh after:-1 !open:80"],
)  # fmt: skip
@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR])
async def test_the_first_page_is_found_by_an_index_and_never_by_sorting_all(
    house: House, text: str, role: Role
) -> None:
    query = statement(Actor(2, "bo", role), parse_query(text)).limit(10)
    sql = query.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    values = tuple(sql.params[name] for name in sql.positiontup or ())
    with house.services.database.read() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert plan[0].split()[1] == "scans"
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    assert not [line for line in plan if line.startswith(("SCAN ports", "SCAN hosts", "SCAN found"))]
    inner = next(line for line in plan[1:] if line.startswith("SEARCH"))
    assert "COVERING INDEX ix_ports_" in inner or "ix_hosts_" in inner


async def test_exports_have_every_line_and_are_harmless(house: House, tmp_path: Path) -> None:
    path = await house.search.export(house.ada, "open:25", "csv", tmp_path / "found.csv")
    rows = list(csv.reader(io.StringIO(path.read_text())))
    assert rows[1][:6] == ["3", "10.0.1.9", "", "25", "tcp", "open"]
    assert rows[1][7].startswith("'=cmd|")
    assert "\x1b" not in path.read_text()
    assert len(rows) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(InvalidInput, match="exists"):
        await house.search.export(house.ada, "open:25", "csv", path)
    lines = b"".join(await house.search.chunks(house.ada, "open:25", "jsonl", 1)).decode().splitlines()
    assert [json.loads(line)["service"]["product"] for line in lines] == [HOSTILE]
    table = b"".join(await house.search.chunks(house.ada, "open:25", "md")).decode()
    assert table.count("\n") == 4
    assert "`=cmd`&#124;" in table
    trail = AuditRepository(house.services.database).find()
    assert [e.detail for e in trail if e.action == "search.export"] == ["open:25"] * 4
    with pytest.raises(InvalidInput, match="no format"):
        await house.search.chunks(house.ada, "open:25", "xml")


async def test_saved_searches_belong_to_somebody_and_may_be_shared(house: House) -> None:
    search = house.search

    async def names(actor: Actor) -> list[str]:
        return [one.reference_for(actor) for one in await search.usable(actor)]

    mine = await search.save(house.bo, " Web ", " open:80 ")
    assert mine == SavedSearch(mine.id, "Web", "open:80", house.bo.user_id, "bo", shared=False)
    assert (await names(house.bo), await names(house.ada), await names(house.eve)) == (["Web"], [], [])
    again = await search.save(house.bo, "web", "open:80,443", shared=True)
    assert (again.id, again.text) == (mine.id, "open:80,443")
    assert await names(house.eve) == ["bo/web"]
    assert await search.saved(house.eve, "bo/WEB") == again
    with pytest.raises(NotAllowed):
        await search.delete(house.eve, again)
    await search.delete(house.ada, again)
    with pytest.raises(NotFound):
        await search.delete(house.bo, again)
    with pytest.raises(InvalidInput, match="no saved search"):
        await search.saved(house.bo, "web")
    trail = AuditRepository(house.services.database).find(Window(sort="id"))
    assert [e.action for e in trail if e.action.startswith("search.")] == [
        "search.save",
        "search.save",
        "search.delete",
    ]


@pytest.mark.parametrize(
    ("name", "text"), [("", "a"), ("x" * 65, "a"), ("a/b", "a"), ("\x1b", "a"), ("x", "opn:1"), ("x", " ")]
)
async def test_what_cannot_be_saved_is_refused(house: House, name: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        await house.search.save(house.bo, name, text)
    assert await house.search.usable(house.bo) == []
