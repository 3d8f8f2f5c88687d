"""Building the services of scans: scanning, what a scan is made of, and what becomes of its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from netmon_tui.services.comparison import ComparisonService
from netmon_tui.services.document_keeping import DocumentKeeper
from netmon_tui.services.ground import Ground
from netmon_tui.services.ignoring import IgnoreService
from netmon_tui.services.neighbour_sightings import NeighbourSightings
from netmon_tui.services.profiles import ProfileService
from netmon_tui.services.scan_commands import ScanCommands
from netmon_tui.services.scan_estimates import ScanEstimates
from netmon_tui.services.scan_following import ScanFollower
from netmon_tui.services.scan_history import ScanHistory
from netmon_tui.services.scan_map import MapService
from netmon_tui.services.scan_queue import ScanQueue
from netmon_tui.services.scan_requests import ScanRequests
from netmon_tui.services.scanning import ScanningService
from netmon_tui.services.sets import NamedSets
from netmon_tui.storage.account_repository import AccountRepository
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.comparison_queries import ComparisonQueries
from netmon_tui.storage.database import Database
from netmon_tui.storage.duration_queries import DurationQueries
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.ignore_repository import IgnoreRepository
from netmon_tui.storage.neighbour_queries import NeighbourQueries
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.storage.profile_repository import ProfileRepository
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.storage.script_queries import ScriptQueries
from netmon_tui.storage.topology_queries import TopologyQueries


class ScanServices(NamedTuple):
    """What the container takes over."""

    scanning: ScanningService
    profiles: ProfileService
    sets: NamedSets
    history: ScanHistory
    maps: MapService
    comparison: ComparisonService
    ignoring: IgnoreService
    keeper: DocumentKeeper


def open_scans(ground: Ground) -> ScanServices:
    """Build them."""
    database, audit, jobs = ground.database, ground.audit, ground.paths.jobs
    scans = ScanRepository(database)
    comparison, ignoring = _open_comparison(database, scans, audit)
    keeper, profiles, sets = (
        DocumentKeeper(scans, jobs),
        ProfileService(ProfileRepository(database), audit),
        NamedSets(database, audit),
    )
    ended, requests = _after_scans(database, keeper, comparison), ScanRequests(profiles, sets)
    return ScanServices(
        scanning=_open_scanning(ground, scans, ended, requests),
        profiles=profiles,
        sets=sets,
        history=ScanHistory(scans=scans, hosts=HostQueries(database), audit=audit, jobs=jobs),
        maps=MapService(scans=scans, queries=TopologyQueries(database)),
        comparison=comparison,
        ignoring=ignoring,
        keeper=keeper,
    )


def _after_scans(
    database: Database, keeper: DocumentKeeper, comparison: ComparisonService
) -> Callable[[int], None]:
    """Return what is done when the results of a scan are complete."""
    sightings = NeighbourSightings(NeighbourQueries(database), NeighbourRepository(database))

    def ended(scan_id: int) -> None:
        keeper.pack_soon()
        comparison.note_changes(scan_id)
        sightings.note(scan_id)

    return ended


def _open_comparison(
    database: Database, scans: ScanRepository, audit: AuditRepository
) -> tuple[ComparisonService, IgnoreService]:
    rules, queries = IgnoreRepository(database), ComparisonQueries(database)
    comparison = ComparisonService(
        scans=scans, queries=queries, scripts=ScriptQueries(database), rules=rules, audit=audit
    )
    return comparison, IgnoreService(rules, comparison.sift_again)


def _open_scanning(
    ground: Ground, scans: ScanRepository, ended: Callable[[int], None], requests: ScanRequests
) -> ScanningService:
    settings, database, privilege = ground.settings, ground.database, ground.privilege
    audit, supervisor, jobs = ground.audit, ground.supervisor, ground.paths.jobs
    commands = ScanCommands(settings, privilege, AccountRepository(database).limits)
    queue = ScanQueue(
        scans=scans,
        audit=audit,
        supervisor=supervisor,
        follower=ScanFollower(scans, ScanResults(database), settings.scans, ended=ended),
        commands=commands,
        at_once=settings.scans.at_once,
        jobs=jobs,
        today=ground.accounts.today,
    )
    estimates = ScanEstimates(DurationQueries(database), privilege, settings.scans.longest_run_seconds)
    return ScanningService(scans, audit, supervisor, queue, commands, estimates, jobs, requests.complete)
