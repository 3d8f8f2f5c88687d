"""The world of the pictures: a clock that stands still, a machine that is nobody's, and a prepared store.

Everything goes through the program's own repositories and services; replaced is only what would differ from
machine to machine or from day to day: the time, the host's name, interfaces, tools, vendors and paths.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import pkgutil
import shlex
import struct
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher, profiles
from sqlalchemy import func, insert, update

import netmon_tui
from netmon_tui.config.paths import Paths, find_paths
from netmon_tui.config.settings import load_settings
from netmon_tui.domain.address import Family
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_files import CAPTURE_NAME, CaptureFile
from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.job import CaptureCounters, JobKind, JobState, ProcessIdentity
from netmon_tui.domain.neighbour import Interface, InterfaceAddress, Neighbour, NudState
from netmon_tui.domain.neighbour_edit import DeleteEntry, EditKind, EditPlan, TableEntry, TableWrite, Verb
from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.runtime.neighbour_table import Resync
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.security.lockout import Lock
from netmon_tui.security.passwords import Passwords
from netmon_tui.services.capture_stock import take_stock
from netmon_tui.services.container import Services, open_services
from netmon_tui.services.scan_ingest import ScanIngest, ingest_file
from netmon_tui.storage import records
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import AuditRepository, NewEvent
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.job_repository import JobRepository
from netmon_tui.storage.neighbour_repository import NeighbourRepository, Sighting
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.ip_neigh import write_command
from netmon_tui.tools.oui import VendorTable
from tests.unit.services.tsharks import make_ring
from tests.unit.tools.packet_samples import SAMPLES

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 13, 14, 2, tzinfo=UTC)
"""A Friday."""
SHOWN = Path("/var/lib/netmon-tui")
"""The data directory as the pictures show it."""
ADA = Actor(1, "ada", Role.ADMIN)
BO = Actor(2, "bo", Role.OPERATOR)
PASSWORD = "walnut-koala-lantern"
ELSEWHERE = "another-machine"
"""Running jobs are another machine's: nobody here looks for their processes."""
ENVIRONMENT = {
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "SSH_CONNECTION": "198.51.100.7 50022 192.0.2.2 22",
}
UNSET = ("LC_ALL", "LC_CTYPE", "NO_COLOR", "TMUX", "TEXTUAL", "COLUMNS", "LINES", "TEXTUAL_THEME")

INTERFACES = [
    Interface("eth0", "52:54:00:ab:cd:ef", (InterfaceAddress("192.0.2.2", 28, Family.IPV4),),
              gateways=("192.0.2.1",)),
    Interface("wlan0", "52:54:00:ab:cd:f0", up=False),
    Interface("lo", addresses=(InterfaceAddress("127.0.0.1", 8, Family.IPV4),), loopback=True),
]  # fmt: skip
VENDORS = ("00000C\tCisco Systems", "B827EB\tRaspberry Pi Foundation", "001132\tSynology")
CHECKS = [
    Check("python", CheckStatus.OK, "3.11.2"),
    Check("nmap", CheckStatus.OK, "7.93 /usr/bin/nmap"),
    Check("tcpdump", CheckStatus.OK, "4.99.3 /usr/bin/tcpdump"),
    Check("tshark", CheckStatus.WARN, "missing: no field tree of a packet",
          "sudo apt-get install tshark", 3),
    Check("privileges", CheckStatus.OK, "root"),
    Check("terminal", CheckStatus.OK, "TERM=xterm-256color COLORTERM=truecolor"),
    Check("locale", CheckStatus.OK, "UTF-8"),
    Check("data directory", CheckStatus.FAIL, f"{SHOWN} mode 0755", f"chmod 700 {SHOWN}", 5),
    Check("free space", CheckStatus.OK, "20480 MiB"),
    Check("database", CheckStatus.OK, "schema 0001, whole"),
]  # fmt: skip


# --- what stands still -------------------------------------------------------------------------------


class _Standing(type(datetime)):  # type: ignore[misc]
    """Lets real datetimes pass for the class that replaces theirs."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class StandingClock(datetime, metaclass=_Standing):
    """A datetime whose present is always the same."""

    present = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.present.astimezone(tz) if tz else cls.present.replace(tzinfo=None)


@contextmanager
def standing_still() -> Iterator[pytest.MonkeyPatch]:
    """Freeze the time and the machine for every module of the program."""
    for module in pkgutil.walk_packages(netmon_tui.__path__, "netmon_tui."):
        if not module.name.endswith((".env", "__main__")):
            importlib.import_module(module.name)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        for name in UNSET:
            patch.delenv(name, raising=False)
        for name, module in list(sys.modules.items()):
            if name.startswith("netmon_tui.") and getattr(module, "datetime", None) is datetime:
                patch.setattr(module, "datetime", StandingClock)
        _freeze_machine(patch)
        time.tzset()
        yield patch
    time.tzset()


def _freeze_machine(patch: pytest.MonkeyPatch) -> None:
    rights = Privilege("root", True, True, True, False, can_edit_neighbours=True)
    patch.setattr("socket.gethostname", lambda: "srv-edge-1")
    patch.setattr("netmon_tui.services.container.probe", lambda: rights)
    patch.setattr(
        "netmon_tui.services.segment.VendorTable",
        lambda **_: VendorTable(extra_lines=VENDORS, wireshark_files=(), nmap_files=()),
    )
    patch.setattr("netmon_tui.services.capture_catalogue.login_name", lambda: "ada")
    usual = Paths(SHOWN, SHOWN / "log", SHOWN / "config.toml")
    patch.setattr("netmon_tui.services.capture_catalogue.find_paths", lambda **_: usual)
    for service in ("scan_commands", "capturing"):
        patch.setattr(f"netmon_tui.services.{service}.require_tool", lambda name: f"/usr/bin/{name}")
    # the scan that waits in the picture must not have its turn
    patch.setattr("netmon_tui.services.scan_queue.ScanQueue.start_waiting", _start_nothing)
    patch.setattr("netmon_tui.services.scan_commands.version_numbers", lambda name: (7, 93))
    patch.setattr(
        "netmon_tui.services.capturing.compile_filter",
        lambda *_: SimpleNamespace(instructions=12, accepts_all=False),
    )
    patch.setattr("netmon_tui.runtime.packet_dissector.find_tool", lambda name: None)
    patch.setattr("netmon_tui.services.doctor.DoctorService._run", lambda self: CHECKS)
    interfaces = "netmon_tui.runtime.interfaces"
    patch.setattr(f"{interfaces}.list_interfaces", lambda: INTERFACES)
    patch.setattr(f"{interfaces}.local_networks", lambda: ["192.0.2.0/28"])
    patch.setattr(f"{interfaces}.interface_counters", dict)
    patch.setattr(f"{interfaces}.is_up", lambda name: all(one.up for one in INTERFACES if one.name == name))
    patch.setattr(f"{interfaces}.default_gateways", lambda: {"eth0": ("192.0.2.1",)})
    patch.setattr(f"{interfaces}.gateways_in_routes", lambda: {("eth0", "192.0.2.1")})
    patch.setattr(f"{interfaces}.interface_linktype", lambda name: "EN10MB")
    patch.setattr("netmon_tui.services.neighbours.NeighbourMonitor", StillMonitor)
    patch.setattr(
        "netmon_tui.services.neighbours.time", SimpleNamespace(monotonic=lambda: 1000.0, time=NOW.timestamp)
    )
    patch.setattr("netmon_tui.services.neighbour_editing.dump_neighbours", lambda: list(_neighbours()))
    patch.setattr("netmon_tui.runtime.session_route.KernelLine", _no_kernel)
    patch.setattr("netmon_tui.ui.screens.neighbour_table.FLASH_SECONDS", 0.0)
    names = {"192.0.2.1": "gw.example.net", "192.0.2.5": "pi-printer.example.net"}
    patch.setattr(
        "netmon_tui.runtime.host_names.HostNames.name", lambda self, address: names.get(address, "")
    )
    patch.setattr("netmon_tui.runtime.host_names.HostNames.want", lambda self, addresses: [])
    patch.setattr("netmon_tui.services.neighbour_limits.NeighbourRoom.notice", _no_notice)
    patch.setattr("netmon_tui.services.container.limit_checks", list)
    # what the program notices by itself it stores when it is its time
    patch.setattr("netmon_tui.services.neighbours.STORE_SECONDS", 3600.0)
    # a toast comes when it comes
    patch.setattr("netmon_tui.ui.screens.event_notice.LOOK_SECONDS", 3600.0)
    # one block more with every tick: the picture would have to be taken at the very first
    patch.setattr("netmon_tui.ui.widgets.rate_line.RateHistory.add", lambda self, rate: None)


def _no_kernel() -> None:
    raise OSError("there are no routes in a picture")


async def _no_notice(room: object, actor: Actor) -> str:
    """The pictures are of a machine with room."""
    return ""


class StillMonitor:
    """A kernel's table that never changes."""

    async def __aenter__(self) -> StillMonitor:
        return self

    async def __aexit__(self, *_exc: object) -> None: ...

    def refresh(self) -> None: ...

    async def batches(self) -> AsyncIterator[list[Resync]]:
        aged = [struct.pack("=IIII", *[round(age * 100)] * 3, 0) for *_, age in _ENTRIES]
        yield [Resync(list(_neighbours()), aged, [])]
        await asyncio.Event().wait()


_ENTRIES = (
    ("192.0.2.1", "00:00:0c:9f:f0:01", NudState.REACHABLE, 2.0),
    ("192.0.2.5", "b8:27:eb:12:34:56", NudState.STALE, 71.0),
    ("192.0.2.7", "00:11:32:aa:bb:cc", NudState.DELAY, 300.0),
    ("192.0.2.9", "", NudState.FAILED, 9.0),
    ("192.0.2.11", "", NudState.INCOMPLETE, 1.0),
    ("192.0.2.12", "52:54:00:12:34:56", NudState.PERMANENT, 90_000.0),
    ("198.51.100.7", "00:00:0c:9f:f0:07", NudState.REACHABLE, 0.0),
    ("2001:db8::5", "b8:27:eb:12:34:56", NudState.PROBE, 8_000.0),
    ("fe80::200:cff:fe9f:f001", "00:00:0c:9f:f0:01", NudState.REACHABLE, 4.0),
)


def _neighbours() -> Iterator[Neighbour]:
    for address, lladdr, state, _ in _ENTRIES:
        family = Family.IPV6 if ":" in address else Family.IPV4
        router = address.startswith("fe80")
        yield Neighbour(address, family, 2, "eth0", lladdr, state, router)


# --- what is in the store ----------------------------------------------------------------------------


@contextmanager
def opened(data: Path) -> Iterator[Services]:
    """The services on a data directory."""
    services = open_services(load_settings(environ={}), find_paths(data_dir=data), reading=False)
    try:
        yield services
    finally:
        asyncio.run(services.close())


def prepare(data: Path) -> None:
    """Fill a new data directory."""
    with opened(data) as services:
        database, jobs = services.database, services.paths.jobs
        _users(database)
        ScanMaker(database, jobs).make_all()
        _captures(database, jobs)
        _running_jobs(database)
        _audit(database)
        _remembered(database)
        _edited(services)


def _users(database: Database) -> None:
    accounts = AccountRepository(database)
    hashed = Passwords(PasswordHasher.from_parameters(profiles.CHEAPEST)).hash_password(PASSWORD)
    made = NOW - timedelta(days=40)
    for name, role, state, email in (
        ("ada", Role.ADMIN, UserState.ACTIVE, "ada@example.org"),
        ("bo", Role.OPERATOR, UserState.ACTIVE, ""),
        ("cy", Role.VIEWER, UserState.PENDING, "cy@example.org"),
        ("dee", Role.OPERATOR, UserState.DISABLED, ""),
        ("eve", Role.VIEWER, UserState.ACTIVE, ""),
    ):
        accounts.create(NewUser(name, hashed, role, state, email, made), NewEvent("user.add", time=made))
    locked = Lock(6, NOW, NOW + timedelta(seconds=4))
    accounts.set_lock(5, locked, NewEvent("login.failure", time=NOW, subject="user eve"))


class ScanMaker:
    """Makes scans in every state.

    Args:
        database, jobs: Where.
    """

    def __init__(self, database: Database, jobs: Path) -> None:
        self._scans = ScanRepository(database)
        self._results = ScanResults(database)
        self._jobs = jobs

    def make_all(self) -> None:
        text = (HERE / "office.xml").read_text()
        partial = text[: text.index("<host starttime", text.index("192.0.2.5"))]
        self._make(1, ADA, (), "", "nmap -T4 -A -v -oX scan.xml 192.0.2.0/28", 3000, xml=_earlier(text),
                   name="office.xml", imported=True, finished=NOW - timedelta(minutes=2998))  # fmt: skip
        self._make(2, BO, ("198.51.100.0/22",), "Intense scan, all TCP ports", "-p 1-65535 -T4 -A -v", 1500,
                   state="cancelled", error="stopped", hosts_up=212, ports_open=801)  # fmt: skip
        self._make(3, ADA, ("203.0.113.9",), "", "-sV -p 7", 300, state="failed", hosts_up=1,
                   error="the time limit was reached; what was found is kept")  # fmt: skip
        self._make(4, ADA, ("192.0.2.0/28",), "Intense scan", "-T4 -A -v", 7, xml=text,
                   finished=NOW - timedelta(seconds=287), warnings=["RTTVAR has grown to over 2.3 seconds"],
                   name="the office, before the move")  # fmt: skip
        self._make(
            5, ADA, ("srv-db-1",), "Regular scan", "", 5, state="interrupted", error="the runner is gone"
        )
        self._make(6, BO, ("192.0.2.0/28",), "Quick scan", "-T4 -F", 1, state="running", xml=partial,
                   percent=63.4, phase="SYN Stealth Scan", remaining=41.0, finished=None)  # fmt: skip
        self._make(7, ADA, ("2001:db8::/120", "fe80::1%eth0"), "Ping scan", "-sn", 0, state="queued")

    def _make(
        self,
        number: int,
        owner: Actor,
        targets: tuple[str, ...],
        profile: str,
        arguments: str,
        minutes_ago: int,
        *,
        xml: str = "",
        name: str = "",
        imported: bool = False,
        **values: Any,
    ) -> None:
        made = self._scans.create(owner, targets=targets, profile=profile, arguments=arguments, name=name,
                                  imported=imported, jobs=self._jobs)  # fmt: skip
        assert made == number
        directory = self._jobs / f"scan-{number}"
        if xml:
            directory.mkdir(mode=0o700)
            (directory / "scan.xml").write_text(xml)
            ingest_file(directory / "scan.xml", ScanIngest(number, self._scans, self._results))
            if not imported:
                (directory / "stdout").write_text((HERE / "office.txt").read_text())
        started = NOW - timedelta(minutes=minutes_ago)
        command = [
            "/usr/bin/nmap",
            *arguments.split(),
            "-oX",
            f"{SHOWN}/jobs/scan-{number}/scan.xml",
            *targets,
        ]
        defaults = {"state": "completed", "created": started, "started": started, "finished": started}
        commands = {"command": [] if imported else command}
        self._scans.update(number, **defaults | commands | values)


def _earlier(text: str) -> str:
    """The office as it was: a renumbered printer, services and a certificate that were older or elsewhere."""
    for now, then in (
        ("1.22.1", "1.18.0"),
        ('addr="192.0.2.5"', 'addr="192.0.2.6"'),
        ('portid="631"><state state="open"', 'portid="631"><state state="closed"'),
        ('portid="445"', 'portid="440"'),
        ("[@click=app.quit]x[/] a", "[b]older[/] a"),
        ('addr="192.0.2.14"', 'addr="192.0.2.13"'),
        ("Not valid after:  2030-01-01", "Not valid after:  2026-04-01"),
        ("Router login", "Welcome"),
    ):
        assert now in text
        text = text.replace(now, then)
    return text


def _captures(database: Database, jobs: Path) -> None:
    captures = CaptureRepository(database)
    tcp = CaptureCounters(
        1_204_331, 961_442_118, 1_204_331, 0, 1_204_331, (("tcp", 1_200_000), ("udp", 4_331))
    )
    _capture(captures, jobs, 1, ADA, StartCapture("eth0", name="before the move"), "", minutes=2870)
    captures.update(1, note="The printer answers twice.", kept=True)
    tags = [{"capture_id": 1, "tag": tag} for tag in ("office", "printer")]
    database.write(lambda connection: connection.execute(insert(records.capture_tags), tags))
    _capture(captures, jobs, 2, BO, StartCapture("wlan0"), "udp port 53", minutes=90, state="failed",
             end_reason="disk_full", error="the disk is full; what was captured is kept",
             counters=CaptureCounters(52_000, 7_800_000, 52_311, 311, 52_000, (("udp", 52_000),)))  # fmt: skip
    _capture(captures, jobs, 3, ADA, StartCapture("eth0"), "tcp port 443", minutes=4, state="running",
             counters=tcp, finished=None, end_reason="")  # fmt: skip


def _capture(
    captures: CaptureRepository,
    jobs: Path,
    number: int,
    owner: Actor,
    request: StartCapture,
    filter: str,
    *,
    minutes: int,
    counters: CaptureCounters | None = None,
    **values: Any,
) -> None:
    assert captures.create(owner, request, filter=filter, jobs=jobs) == number
    captures.update(number, directory=str(SHOWN / "jobs" / f"capture-{number}"))
    started = NOW - timedelta(minutes=minutes)
    content = pcap_of(list(SAMPLES.values()), started.timestamp() + 1.25)
    path = jobs / f"capture-{number}" / "capture.pcap"
    path.parent.mkdir(mode=0o700)
    path.write_bytes(content)
    count = len(SAMPLES)
    counted = (("tcp", 13), ("udp", 12), ("icmp", 7), ("arp", 4))
    captures.update_counters(
        number, counters or CaptureCounters(count, len(content), count, 0, count, counted)
    )
    facts = {
        "state": "completed",
        "command": ["/usr/bin/tcpdump", "-i", request.interface],
        "linktype": "EN10MB",
        "created": started,
        "started": started,
        "finished": started + timedelta(seconds=48),
        "first_packet": started + timedelta(seconds=1.25),
        "last_packet": started + timedelta(seconds=40.5),
        "end_reason": "stopped",
    }
    file = CaptureFile(str(path), len(content), count, hashlib.sha256(content).hexdigest())
    captures.finish(number, [file], **facts | values)


def as_ring(services: Services) -> None:
    """Make a ring of three files of the first capture."""
    captures = CaptureRepository(services.database)
    directory = services.packets._captures.directory(1)
    content = (directory / CAPTURE_NAME).read_bytes()
    make_ring(directory, *[content] * 3, first=12)
    values = {"file_bytes": 1_000_000, "ring_files": 3, "file_count": 3, "overwritten": 31_415}
    captures.finish(1, take_stock(directory).files, **values)


def pcap_of(frames: list[bytes], first: float) -> bytes:
    """A capture file (draft-ietf-opsawg-pcap), microseconds, Ethernet; a packet a second."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1)]
    for position, frame in enumerate(frames):
        seconds, rest = divmod(first + position * 1.0001, 1)
        parts += [struct.pack("<IIII", int(seconds), round(rest * 1e6), len(frame), len(frame)), frame]
    return b"".join(parts)


async def _start_nothing(scanning: object, wanted: int | None = None) -> None:
    """Stand in for the queue."""


def _running_jobs(database: Database) -> None:
    jobs = JobRepository(database, ELSEWHERE)
    for kind, subject, owner, command in (
        (JobKind.SCAN, 4, ADA, ("/usr/bin/nmap", "-T4", "-A", "-v", "192.0.2.0/28")),
        (JobKind.CAPTURE, 2, BO, ("/usr/bin/tcpdump", "-i", "wlan0", "udp", "port", "53")),
        (JobKind.SCAN, 6, BO, ("/usr/bin/nmap", "-T4", "-F", "192.0.2.0/28")),
        (JobKind.CAPTURE, 3, ADA, ("/usr/bin/tcpdump", "-i", "eth0", "tcp", "port", "443")),
    ):
        directory = str(SHOWN / "jobs" / f"{kind}-{subject}")
        job = jobs.create(kind, subject, owner, command, directory, holder="elsewhere", seconds=60)
        jobs.set_running(job, ProcessIdentity(4_000 + job, 1, "boot"))
        if job == 1:
            jobs.finish(job, JobState.COMPLETED)
        elif job == 2:
            jobs.finish(job, JobState.FAILED, "the disk is full; what was captured is kept")


def _audit(database: Database) -> None:
    trail = AuditRepository(database)
    for minutes, actor, action, subject, detail in (
        (60, ADA, "login", "user ada", ""),
        (58, ADA, "scan.start", "scan 4", "/usr/bin/nmap -T4 -A -v 192.0.2.0/28"),
        (30, None, "login.failure", "user eve", "wrong password"),
        (12, BO, "capture.start", "capture 3", "/usr/bin/tcpdump -i eth0 tcp port 443"),
        (10, ADA, "scan.export", "scan 4", "json"),
        (9, None, "login.failure", "\x1b[31m[bold]mallory[/]", "no such user"),
    ):
        StandingClock.present = NOW - timedelta(minutes=minutes)
        trail.record(actor, action, subject, detail)
    StandingClock.present = NOW


PRINTER = "b8:27:eb:12:34:56"


def _remembered(database: Database) -> None:
    memory = NeighbourRepository(database)
    days = {"192.0.2.1": 130, "192.0.2.5": 4, "192.0.2.7": 2, "2001:db8::5": 400, "198.51.100.7": 0}
    found = [n for n in _neighbours() if n.address in days]
    memory.remember(
        [
            Sighting(
                "eth0", n.address, n.family.value, n.lladdr, n.router, NOW - timedelta(days=days[n.address])
            )
            for n in found
        ]
    )
    memory.remember(
        [Sighting("eth0", "192.0.2.1", "ipv4", "00:00:0c:00:00:99", True, NOW - timedelta(days=200)),
         Sighting("eth0", "192.0.2.1", "ipv4", "00:00:0c:9f:f0:01", True, NOW - timedelta(minutes=3))]
    )  # fmt: skip
    for minutes in (4_000, 3_960, 3_910, 1_300, 1_250, 1_200, 1_170, 95, 50, 2):  # as a printer is used
        found = Sighting("eth0", "192.0.2.5", "ipv4", PRINTER, False, NOW - timedelta(minutes=minutes))
        memory.remember([found])
    DeviceRepository(database).mark(
        ADA,
        {"00:00:0c:9f:f0:01": MarksChange("gw", "", known=True, must_be_up=True, shares_addresses=True),
         PRINTER: MarksChange("pi-printer", "in the hall, ask [b]bo[/]", known=True),
         "52:54:00:99:99:99": MarksChange("spare \x1b[31mserver")},
        "3 devices",
    )  # fmt: skip


def _edited(services: Services) -> None:
    """Edits of the neighbour table, past the audit trail."""
    edits = services.segment.editing._edits
    one = TableEntry("eth0", "192.0.2.12", "52:54:00:12:34:56", NudState.PERMANENT)
    many = [TableEntry(n.interface, n.address, n.lladdr, n.state) for n in _neighbours()]
    add, flush = TableWrite(Verb.ADD, one), [TableWrite(Verb.DELETE, entry) for entry in many]
    refused = "7 of 9 refused, 192.0.2.1: there is no such entry"
    for minutes, actor, kind, subject, command, writes, result in (
        (95, ADA, EditKind.ADD, "192.0.2.12 on eth0", shlex.join(write_command(add)), [add], ""),
        (40, BO, EditKind.FLUSH, "eth0", "ip neigh flush dev eth0", flush, refused),
        (30, BO, EditKind.DELETE, "192.0.2.5 on eth0", "ip neigh del 192.0.2.5 dev eth0", flush[1:2], ""),
        (29, BO, EditKind.UNDO, "edit 3: delete 192.0.2.5 on eth0", "ip neigh add ...", flush[1:2], ""),
        (5, ADA, EditKind.DELETE, "192.0.2.7 on eth0", "ip neigh del 192.0.2.7 dev eth0", flush[2:3], None),
    ):
        StandingClock.present = NOW - timedelta(minutes=minutes)
        plan = EditPlan(DeleteEntry("", ""), kind, subject, tuple(writes))
        number = edits.begin(actor, plan, command, [write.entry for write in writes], (), None)
        values = {"result": result, "undone_by": 4 if number == 3 else None}
        table = records.neighbour_edits
        change = update(table).where(table.c.id == number).values(values)
        services.database.write(lambda connection, change=change: connection.execute(change))
    StandingClock.present = NOW


def paths_as_shown(services: Services) -> None:
    """Show the data directory under the same name wherever the store is: once open, rows name what is there."""
    real = services.paths.jobs
    for table in (records.captures, records.jobs):
        shown = func.replace(table.c.directory, str(real), str(SHOWN / "jobs"))
        change = update(table).values(directory=shown)
        services.database.write(lambda connection, change=change: connection.execute(change))
    services.paths = Paths(
        data=SHOWN, logs=SHOWN / "log", config_file=Path("/etc/xdg/netmon-tui/config.toml")
    )
    services.scanning._jobs = services.capturing._jobs = services.catalogue._jobs = SHOWN / "jobs"
    with_files = (
        services.packets,
        services.packets.marks,
        services.analysis,
        services.traffic,
        services.capturing,
    )
    for service in with_files:
        service._captures.directory = lambda number, actor=None: real / f"capture-{number}"  # type: ignore[method-assign]

    async def directory(_actor: Actor, scan_id: int) -> Path:
        return SHOWN / "jobs" / f"scan-{scan_id}"

    services.scans.directory = directory  # type: ignore[method-assign]
