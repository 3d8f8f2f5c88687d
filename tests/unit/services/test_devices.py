"""Devices: who had which address when, what is said of them, and lists in and out."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from netmon_tui.config.paths import find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.address import Family
from netmon_tui.domain.device import ALL_DEVICES, DeviceFilter, DeviceMarks, MarksChange
from netmon_tui.domain.neighbour import Neighbour, NudState
from netmon_tui.domain.user import Actor
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput, NotAllowed, NotFound
from netmon_tui.runtime.neighbour_table import Resync
from netmon_tui.services import device_lists
from netmon_tui.services.container import Services, open_services
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository, Sighting
from netmon_tui.tools.oui import VendorTable
from netmon_tui.tools.rtnetlink_entries import NO_CACHEINFO
from tests.unit.services.conftest import USERS

PI, HP, NAS = "b8:27:eb:00:00:01", "3c:d9:2b:00:00:02", "00:11:32:00:00:03"
NOW = datetime.now(UTC)
VENDORS = ("3CD92B Hewlett", "B827EB Raspberry", "001132 Diskstation")


class Office:
    """Services on a store of four users, and neighbours that were seen."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.devices, self.lists = services.segment.devices, services.segment.device_lists
        self.memory = NeighbourRepository(services.database)
        self.ada, self.bo, _, self.eve = (
            Actor(number, name, role) for number, (name, role) in enumerate(USERS.items(), 1)
        )

    def saw(self, lladdr: str, address: str, *hours_ago: float) -> None:
        """One sighting after the other, each in its own transaction."""
        family = "ipv6" if ":" in address else "ipv4"
        for hours in hours_ago:
            moment = NOW - timedelta(hours=hours)
            self.memory.remember([Sighting("eth0", address, family, lladdr, False, moment)])

    async def listed(self, text: str = "", wanted: DeviceFilter = ALL_DEVICES, **window: object) -> list[str]:
        lines = await self.devices.lines(self.ada, Window(text=text, **window), wanted)  # type: ignore[arg-type]
        assert await self.devices.count(self.ada, text, wanted) == len(lines)
        return [line.lladdr for line in lines]

    def trail(self) -> list[tuple[str, str, str]]:
        events = AuditRepository(self.services.database).find(Window(sort="id"))
        return [(e.action, e.subject, e.detail) for e in events if e.action.startswith("neighbour.")]


@pytest.fixture
async def office(data_of_four: Path, tmp_path: Path) -> AsyncIterator[Office]:
    shutil.copytree(data_of_four, tmp_path / "data")
    services = open_services(load_settings(environ={}), find_paths(data_dir=tmp_path / "data"), reading=False)
    vendors = VendorTable(extra_lines=VENDORS, wireshark_files=(), nmap_files=())
    services.segment.devices._vendor_of = services.segment.devices._queries._vendor_of = vendors.lookup
    yield Office(services)
    await services.close()


async def test_the_list_and_its_orders(office: Office) -> None:
    office.saw(PI, "10.0.0.1", 50, 30)
    office.saw(PI, "fe80::1", 29.9)
    office.saw(HP, "10.0.0.2", 0.1)
    await office.devices.mark(office.ada, NAS, MarksChange("nas", known=True))
    await office.devices.mark(office.ada, PI, MarksChange("Printer"))
    assert await office.listed() == [HP, PI, NAS], "the one seen last first, who was never seen last"
    assert await office.listed(sort="name") == [NAS, PI, HP], "without a name comes last"
    assert await office.listed(sort="name", reverse=True) == [PI, NAS, HP]
    assert await office.listed(sort="addresses", reverse=True) == [PI, HP, NAS]
    assert await office.listed(sort="vendor") == [NAS, HP, PI]
    assert await office.listed(sort="first_seen") == [PI, HP, NAS]
    line = (await office.devices.lines(office.ada, Window(offset=1, limit=1)))[0]
    assert (line.lladdr, line.address, line.addresses, line.present) == (PI, "10.0.0.1", 2, False)
    assert (line.first_seen, line.last_seen) == (NOW - timedelta(hours=50), NOW - timedelta(hours=29.9))


async def test_filters(office: Office) -> None:
    office.saw(PI, "10.0.0.1", 30)
    office.saw(HP, "10.0.0.2", 0.1)
    await office.devices.mark(office.ada, NAS, MarksChange("nas 10%", "in rack 2", known=True))
    for text, found in (
        ("10.0.0.", [HP, PI]),
        ("RACK", [NAS]),
        ("10%", [NAS]),
        ("b8:27", [PI]),
        ("!nas", [HP, PI]),
        ("!", [HP, PI, NAS]),
        ("hewlett", [HP]),
    ):
        assert await office.listed(text) == found, text
    assert await office.listed(wanted=DeviceFilter(known=True)) == [NAS]
    assert await office.listed(wanted=DeviceFilter(known=False)) == [HP, PI]
    assert await office.listed(wanted=DeviceFilter(present=True)) == [HP]


async def test_a_device_that_is_gone_is_not_present(office: Office) -> None:
    office.saw(HP, "10.0.0.2", 0.1)
    assert (await office.devices.page(office.ada, HP)).present
    office.memory.store(NeighbourNews(gone=[("eth0", "10.0.0.2", HP)]))
    page = await office.devices.page(office.ada, HP)
    assert not page.present
    assert [one.ending for one in page.presences] == ["gone"]
    assert await office.listed(wanted=DeviceFilter(present=True)) == []


async def test_who_was_not_seen_for_long_is_not_present_whoever_looked(office: Office) -> None:
    office.saw(PI, "10.0.0.1", 30)
    page = await office.devices.page(office.ada, PI)
    assert [one.ending for one in page.presences] == [""], "nobody has stored anything since"
    assert not page.present
    assert await office.listed(wanted=DeviceFilter(present=True)) == []


async def test_a_page_has_all_addresses_over_time_and_an_address_all_lladdrs(office: Office) -> None:
    office.saw(PI, "10.0.0.1", 9, 8.5)
    office.saw(PI, "10.0.0.7", 6)
    office.saw(HP, "10.0.0.1", 5)
    office.saw(PI, "10.0.0.1", 0.5)
    page = await office.devices.page(office.ada, PI)
    told = [(one.address, one.started, one.ended, one.ending) for one in page.presences]
    ago = [NOW - timedelta(hours=hours) for hours in (9, 8.5, 6, 0.5)]
    assert told == [
        ("10.0.0.1", ago[3], ago[3], ""),
        ("10.0.0.7", ago[2], ago[2], "quiet"),
        ("10.0.0.1", ago[0], ago[1], "quiet"),
    ]
    assert {one.address: one.present for one in page.device.addresses} == {"10.0.0.1": True, "10.0.0.7": True}
    held = await office.devices.holders(office.ada, "10.0.0.1")
    assert [one.lladdr for one in held] == [PI, HP, PI]
    with pytest.raises(NotFound, match="never seen"):
        await office.devices.page(office.ada, NAS)


async def test_what_means_a_device(office: Office) -> None:
    office.saw(PI, "10.0.0.1", 1)
    await office.devices.mark(office.ada, HP, MarksChange("Zoë's  phone"))
    for reference, lladdr in (("B8-27-EB-00-00-01", PI), (" 10.0.0.1 ", PI), ("ZOË'S phone", HP)):
        assert await office.devices.find(office.ada, reference) == lladdr
    with pytest.raises(NotFound):
        await office.devices.find(office.ada, "10.0.0.2")
    with pytest.raises(NotFound):
        await office.devices.find(office.ada, "nobody")
    await office.devices.mark(office.ada, NAS, MarksChange("zoë's phone"))
    with pytest.raises(InvalidInput, match="several") as refused:
        await office.devices.find(office.ada, "zoë's phone")
    assert refused.value.why == f"{NAS}, {HP}"


async def test_marks_are_kept_by_what_is_said(office: Office) -> None:
    said = await office.devices.mark(
        office.bo, "B827.EB00.0001", MarksChange(" a\tb ", "two\nlines", must_be_up=True)
    )
    assert said.said == ("a b", "two lines", False, True, False)
    assert (await office.devices.mark(office.bo, PI, MarksChange(known=True))).name == "a b"
    kept = await office.devices.marks(office.eve, PI)
    assert (kept.changed_by, kept.known) == ("bo", True)
    await office.devices.mark(office.bo, PI, MarksChange(known=True))
    await office.devices.mark(office.bo, PI, MarksChange("", "", known=False, must_be_up=False))
    assert await office.listed() == [], "of whom nothing is said and who was never seen, is nobody"
    assert office.trail() == [
        ("neighbour.mark", f"device {PI}", "name a b, note two lines, must be up"),
        ("neighbour.mark", f"device {PI}", "known"),
        ("neighbour.unmark", f"device {PI}", ""),
    ]
    with pytest.raises(NotFound, match="nothing is said"):
        await office.devices.unmark(office.bo, PI)


@pytest.mark.parametrize(
    ("lladdr", "change"),
    [
        ("nonsense", MarksChange("x")),
        ("ff:ff:ff:ff:ff:ff", MarksChange("x")),
        ("01:00:5e:00:00:01", MarksChange("x")),
        ("00:00:00:00:00:00", MarksChange("x")),
        (PI, MarksChange("x" * 65)),
        (PI, MarksChange(note="x" * 1001)),
        (PI, MarksChange("\x1b[31m")),
        (PI, MarksChange("a\u202eb")),
    ],
)
async def test_what_is_refused(office: Office, lladdr: str, change: MarksChange) -> None:
    with pytest.raises(InvalidInput):
        await office.devices.mark(office.ada, lladdr, change)
    assert await office.listed() == []


async def test_a_viewer_may_look_and_export_only(office: Office, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(f"{PI} pi\n")
    for attempt in (
        office.devices.mark(office.eve, PI, MarksChange("x")),
        office.devices.unmark(office.eve, PI),
        office.lists.import_file(office.eve, tmp_path / "list"),
        office.lists.import_stream(office.eve, io.BytesIO(b"")),
    ):
        with pytest.raises(NotAllowed):
            await attempt
    assert b"".join(await office.lists.chunks(office.eve, "json")) == b"[\n]\n"


async def test_the_live_table_shows_marks_at_once(office: Office) -> None:
    table = office.services.neighbours
    await table._load()
    entry = Neighbour("10.0.0.1", Family.IPV4, 2, "eth0", PI, NudState.REACHABLE)
    other = Neighbour("10.0.0.2", Family.IPV4, 2, "eth0", HP, NudState.REACHABLE)
    table._fold([Resync([entry, other], [NO_CACHEINFO] * 2, [])])
    before = table.revision
    await office.devices.mark(office.ada, PI, MarksChange("pi", known=True))
    (changed,) = table.changed_since(office.ada, before)
    assert (changed.address, changed.name, changed.known) == ("10.0.0.1", "pi", True)
    await office.devices.unmark(office.ada, PI)
    assert table.changed_since(office.ada, before)[0].name == ""


# --- lists -------------------------------------------------------------------------------------------


async def stored(office: Office, text: str, **options: bool) -> str:
    done = await office.lists.import_stream(office.bo, io.BytesIO(text.encode()), **options)
    return done.words


async def test_import_keeps_what_the_list_does_not_say(office: Office) -> None:
    await office.devices.mark(office.ada, PI, MarksChange("pi", "note", known=True))
    text = f"mac,name,must_be_up\n{PI},,yes\n{HP},hp,no\n{HP},hp,no\n{NAS},,\n"
    assert await stored(office, text, dry_run=True) == "1 new, 1 changed, 1 as before"
    assert await office.listed() == [PI], "a dry run stores nothing"
    assert await stored(office, text) == "1 new, 1 changed, 1 as before"
    assert (await office.devices.marks(office.ada, PI)).said == ("pi", "note", True, True, False)
    assert (await office.devices.marks(office.ada, HP)).said == ("hp", "", False, False, False)
    assert await office.listed() == [HP, PI], "of whom the list says nothing, is not marked"
    assert office.trail()[-1] == ("neighbour.mark", "2 devices", "2 devices of stdin")
    assert await stored(office, text) == "0 new, 0 changed, 3 as before"


async def test_import_stores_all_or_nothing(office: Office, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        f"mac,name\n{PI},pi\nzz,x\n{PI},other\nff:ff:ff:ff:ff:ff,all\n{HP},{'x' * 65}\n{NAS},\x1b[2J\n{HP},hp\n"
    )
    with pytest.raises(InvalidInput, match="nothing is stored") as refused:
        await office.lists.import_file(office.bo, file)
    assert refused.value.why.startswith(
        f"line 3: 'zz' is no lladdr; line 4: line 2 says something else of {PI}; line 5: no device has"
    )
    assert await office.listed() == []
    done = await office.lists.import_file(office.bo, file, skip_bad=True)
    assert [entry.number for entry in done.bad] == [3, 4, 5, 6, 7]
    assert (await office.devices.marks(office.ada, PI)).name == "pi"
    assert (await office.devices.marks(office.ada, HP)).name == "hp"
    with pytest.raises(NotFound):
        await office.lists.import_file(office.bo, tmp_path / "none")
    with pytest.raises(InvalidInput, match="is a directory"):
        await office.lists.import_file(office.bo, tmp_path)


async def test_many_refusals_are_counted_and_some_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_lists, "BAD_KEPT", 7)
    text = "mac,name\n" + "zz,x\n" * 9
    done = await office.lists.import_stream(office.bo, io.BytesIO(text.encode()), dry_run=True)
    assert (len(done.bad), done.bad_count) == (7, 9)
    with pytest.raises(InvalidInput, match="9 lines") as refused:
        await stored(office, text)
    assert refused.value.why.endswith("line 6: 'zz' is no lladdr; and 4 more")


@pytest.mark.parametrize("format", ["csv", "json"])
async def test_what_is_exported_is_imported_as_it_was(office: Office, tmp_path: Path, format: str) -> None:
    office.saw(PI, "10.0.0.1", 0.1)
    await office.devices.mark(office.ada, PI, MarksChange("=cmd|' /C calc'!A0", "-1", known=True))
    await office.devices.mark(office.ada, HP, MarksChange("'quoted'", 'a "b", c', shares_addresses=True))
    before = await office.devices.marks(office.ada, PI), await office.devices.marks(office.ada, HP)
    path = await office.lists.export(office.eve, format, tmp_path / f"out.{format}")
    text = path.read_text()
    rows = json.loads(text) if format == "json" else list(csv.DictReader(io.StringIO(text)))
    assert [row["lladdr"] for row in rows] == [PI, HP]
    assert rows[0]["name"] == ("=cmd|' /C calc'!A0" if format == "json" else "'=cmd|' /C calc'!A0")
    for lladdr in (PI, HP):
        await office.devices.unmark(office.ada, lladdr)
    done = await office.lists.import_file(office.ada, path)
    assert done.words == "2 new, 0 changed, 0 as before"
    after = await office.devices.marks(office.ada, PI), await office.devices.marks(office.ada, HP)
    assert [marks.said for marks in after] == [marks.said for marks in before]
    with pytest.raises(InvalidInput, match="exists"):
        await office.lists.export(office.eve, format, path)
    with pytest.raises(InvalidInput, match="no format"):
        await office.lists.chunks(office.eve, "pdf")


async def test_an_export_has_what_the_filter_leaves(office: Office) -> None:
    for number in range(5):
        await office.devices.mark(office.ada, f"b8:27:eb:00:01:0{number}", MarksChange(f"pi {number}"))
    chunks = await office.lists.chunks(office.ada, "csv", "!pi 3")
    assert len(b"".join(chunks).splitlines()) == 1 + 4


def test_marks_of_nobody_say_nothing() -> None:
    assert DeviceMarks("").said == ("", "", False, False, False)
    assert DeviceMarks("").words == ()
