"""All services, built from the settings in one place."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from netmon_tui.config.paths import Paths
from netmon_tui.config.settings import Settings
from netmon_tui.domain.check import Check
from netmon_tui.errors import NetmonError
from netmon_tui.runtime.interfaces import session_environment
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.runtime.privilege import Privilege, probe
from netmon_tui.runtime.time_zone import local_zone
from netmon_tui.security.passwords import Passwords
from netmon_tui.services.accounts import AccountService
from netmon_tui.services.activity import ActivityService
from netmon_tui.services.analysis import AnalysisService
from netmon_tui.services.capture_catalogue import CatalogueService
from netmon_tui.services.capture_checks import CaptureChecks
from netmon_tui.services.capture_filters import CaptureFilterService
from netmon_tui.services.capture_opening import open_capturing, open_catalogue, open_packets
from netmon_tui.services.capture_starts import CaptureStarts
from netmon_tui.services.capturing import CapturingService
from netmon_tui.services.comparison import ComparisonService
from netmon_tui.services.display_filters import DisplayFilterService
from netmon_tui.services.doctor import DoctorService
from netmon_tui.services.document_keeping import DocumentKeeper
from netmon_tui.services.ground import Ground
from netmon_tui.services.host_history import HostHistoryService
from netmon_tui.services.ignoring import IgnoreService
from netmon_tui.services.maintenance import MaintenanceService
from netmon_tui.services.neighbour_history_check import history_check
from netmon_tui.services.neighbour_hooks import hook_checks
from netmon_tui.services.neighbour_limits import NeighbourRoom, limit_checks
from netmon_tui.services.neighbour_recorder import recorder_checks
from netmon_tui.services.neighbours import NeighbourService
from netmon_tui.services.packets import PacketService
from netmon_tui.services.profiles import ProfileService
from netmon_tui.services.rounds import Rounds
from netmon_tui.services.scan_history import ScanHistory
from netmon_tui.services.scan_map import MapService
from netmon_tui.services.scan_opening import open_scans
from netmon_tui.services.scan_options import ScanOptionsService
from netmon_tui.services.scanning import ScanningService
from netmon_tui.services.scheduled_captures import ScheduledCaptures
from netmon_tui.services.scheduling import SchedulingService
from netmon_tui.services.search import SearchService
from netmon_tui.services.segment import SegmentServices, open_segment
from netmon_tui.services.sets import NamedSets
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.services.traffic import TrafficService
from netmon_tui.services.transfers import TransferService
from netmon_tui.services.user_limits import UserLimits
from netmon_tui.storage.account_repository import AccountRepository
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.history_queries import HistoryQueries
from netmon_tui.storage.job_repository import JobRepository
from netmon_tui.storage.moved_directories import follow_move
from netmon_tui.storage.neighbour_retention import NeighbourRetention
from netmon_tui.storage.revision import RevisionWatch
from netmon_tui.storage.saved_search_repository import SavedSearchRepository
from netmon_tui.storage.schedule_repository import ScheduleRepository
from netmon_tui.storage.schema_version import open_database
from netmon_tui.storage.search_queries import SearchQueries

_MACHINE_ID = Path("/etc/machine-id")


@dataclass(slots=True)
class Services:
    """Everything a face needs. Close it when done: pending writes are finished, jobs go on."""

    settings: Settings
    paths: Paths
    privilege: Privilege
    accounts: AccountService
    limits: UserLimits
    scanning: ScanningService
    options: ScanOptionsService
    profiles: ProfileService
    sets: NamedSets
    schedules: SchedulingService
    rounds: Rounds
    scans: ScanHistory
    maps: MapService
    search: SearchService
    capturing: CapturingService
    packets: PacketService
    traffic: TrafficService
    catalogue: CatalogueService
    filters: DisplayFilterService
    capture_filters: CaptureFilterService
    analysis: AnalysisService
    segment: SegmentServices
    """What else there is around the neighbour table."""
    comparison: ComparisonService
    ignoring: IgnoreService
    history: HostHistoryService
    transfers: TransferService
    activity: ActivityService
    doctor: DoctorService
    maintenance: MaintenanceService
    supervisor: JobSupervisor
    keeper: DocumentKeeper
    database: Database
    revisions: RevisionWatch
    room: NeighbourRoom = field(default_factory=NeighbourRoom)

    @property
    def neighbours(self) -> NeighbourService:
        """The neighbour table."""
        return self.segment.neighbours

    @property
    def starts(self) -> CaptureStarts:
        """What starts captures because of others."""
        return CaptureStarts(self.capturing, CaptureRepository(self.database), self.catalogue.label)

    @property
    def checks(self) -> CaptureChecks:
        """What tells whether the files of captures are as they were stored."""
        return CaptureChecks(CaptureRepository(self.database))

    async def revision(self) -> int:
        """Return a number that changes whenever any program changes the database."""
        return await asyncio.to_thread(self.revisions.current)

    async def close(self) -> None:
        """Stop following jobs and neighbours, and finish what is being written."""
        self.segment.names.close()
        try:
            await self.rounds.close()
            await self.neighbours.close()
        finally:  # neighbours that cannot be stored are no reason to keep the leases of jobs
            await self.segment.hooks.close()
            await self.supervisor.close()
            await asyncio.to_thread(self.keeper.close)
            await asyncio.to_thread(self.revisions.close)
            await asyncio.to_thread(self.database.close)


def open_services(settings: Settings, paths: Paths, *, reading: bool = True) -> Services:
    """Open the store and build every service (blocking: call it in a thread where a loop runs).

    Args:
        settings, paths: Where and how.
        reading: Whether this program follows running jobs (a short command does not).

    Raises:
        StorageError: The data directory or the database, with the reason and the way out.
    """
    ground = _open_ground(settings, paths, reading)
    database, audit = ground.database, ground.audit
    scans, capturing = open_scans(ground), open_capturing(ground)
    transfers, catalogue = open_catalogue(ground, scans.keeper)
    schedules, rounds = _open_schedules(ground, scans.scanning, capturing, catalogue)
    return Services(
        settings=settings,
        paths=paths,
        privilege=ground.privilege,
        accounts=ground.accounts,
        limits=UserLimits(ground.accounts, AccountRepository(database)),
        scanning=scans.scanning,
        options=ScanOptionsService(),
        profiles=scans.profiles,
        sets=scans.sets,
        schedules=schedules,
        rounds=rounds,
        scans=scans.history,
        maps=scans.maps,
        search=SearchService(SearchQueries(database), SavedSearchRepository(database), audit),
        capturing=capturing,
        packets=open_packets(database),
        traffic=TrafficService(CaptureRepository(database)),
        catalogue=catalogue,
        filters=DisplayFilterService(database),
        capture_filters=CaptureFilterService(database, audit),
        segment=open_segment(ground, scans.scanning),
        analysis=AnalysisService(CaptureRepository(database)),
        comparison=scans.comparison,
        transfers=transfers,
        ignoring=scans.ignoring,
        history=HostHistoryService(HistoryQueries(database)),
        activity=ActivityService(jobs=ground.jobs, audit=audit, supervisor=ground.supervisor),
        doctor=_open_doctor(settings, paths, ground.privilege, database),
        maintenance=MaintenanceService(database, audit),
        supervisor=ground.supervisor,
        keeper=scans.keeper,
        database=database,
        revisions=RevisionWatch(database),
    )


def open_doctor(settings: Settings, paths: Paths) -> tuple[DoctorService, Callable[[], None]]:
    """Build the doctor alone, also where the store cannot be opened: that is what it then reports.

    Returns:
        The service, and what to call when done with it.
    """
    try:
        database = _open_store(settings, paths)
    except NetmonError as error:
        return _open_doctor(settings, paths, probe(), None, error), lambda: None
    return _open_doctor(settings, paths, probe(), database), database.close


def _open_doctor(
    settings: Settings,
    paths: Paths,
    privilege: Privilege,
    database: Database | None,
    problem: NetmonError | None = None,
) -> DoctorService:
    return DoctorService(
        database=database,
        data=paths.data,
        privilege=privilege,
        problem=problem,
        engine=settings.captures.engine,
        more=_checks(settings, paths, database),
    )


def _checks(settings: Settings, paths: Paths, database: Database | None) -> Callable[[], list[Check]]:
    """Return what the doctor asks about neighbours."""

    def checks() -> list[Check]:
        found = [*limit_checks(), *recorder_checks(OnlyOne(paths.neighbours_claim))]
        found += hook_checks(paths.hooks_file)
        if database is not None:
            found.append(history_check(NeighbourRetention(database), settings.neighbours.history_days))
        return found

    return checks


def _open_ground(settings: Settings, paths: Paths, reading: bool) -> Ground:
    """Open the store, and build what services have in common."""
    database, machine = _open_store(settings, paths), _machine()
    audit, jobs = AuditRepository(database), _open_jobs(database, machine, reading)
    return Ground(
        settings=settings,
        paths=paths,
        privilege=probe(),
        session=session_environment(),
        machine=machine,
        database=database,
        audit=audit,
        jobs=jobs,
        supervisor=JobSupervisor(jobs, reading=reading),
        accounts=AccountService(AccountRepository(database), audit, Passwords(), settings.accounts),
    )


def _open_store(settings: Settings, paths: Paths) -> Database:
    paths.ensure()
    url = settings.storage.url or paths.database_url
    database = open_database(
        url, backups=paths.backups, evidence=paths.jobs, unneeded=(paths.logs, paths.exports)
    )
    follow_move(database, paths.jobs)
    return database


def _open_jobs(database: Database, machine: str, reading: bool) -> JobRepository:
    jobs = JobRepository(database, machine)
    if reading:
        jobs.close_abandoned()
    return jobs


def _open_schedules(
    ground: Ground, scanning: ScanningService, capturing: CapturingService, catalogue: CatalogueService
) -> tuple[SchedulingService, Rounds]:
    """Return the schedules, and the rounds that start what is due and delete what is too old."""
    schedules = SchedulingService(
        schedules=ScheduleRepository(ground.database),
        start=scanning.start,
        plan=scanning.plan,
        captures=ScheduledCaptures(
            capturing.check, capturing.start, catalogue.label, ground.settings.captures
        ),
        today=ground.accounts.today,
        zone=local_zone(),
    )
    return schedules, Rounds([schedules.start_one_due, catalogue.delete_one_expired])


def _machine() -> str:
    """Return what names this machine in job rows."""
    try:
        return _MACHINE_ID.read_text().strip() or socket.gethostname()
    except OSError:
        return socket.gethostname()
