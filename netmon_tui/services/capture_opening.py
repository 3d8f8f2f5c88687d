"""Building the services of captures: capturing, the catalogue, the packets of a file."""

from __future__ import annotations

from collections.abc import Mapping

from netmon_tui.config.paths import Paths
from netmon_tui.config.settings import Settings
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.services.capture_catalogue import CatalogueService
from netmon_tui.services.capture_keys import CaptureKeys
from netmon_tui.services.capture_quota import CaptureQuota
from netmon_tui.services.capturing import CapturingService
from netmon_tui.services.document_keeping import DocumentKeeper
from netmon_tui.services.packet_columns import PacketColumnService
from netmon_tui.services.packets import PacketService
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.services.transfers import TransferService, write_new
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_catalogue import CaptureCatalogue
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.packet_mark_repository import PacketMarkRepository
from netmon_tui.storage.recent_filter_repository import RecentFilterRepository
from netmon_tui.storage.records import recent_capture_filters
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.storage.topology_queries import TopologyQueries


def open_packets(database: Database) -> PacketService:
    """Return what opens capture files, with the marks and the columns of each user."""
    captures, marks = CaptureRepository(database), PacketMarkRepository(database)
    return PacketService(captures, marks, PacketColumnService(database), CaptureKeys(database))


def open_capturing(
    database: Database,
    audit: AuditRepository,
    supervisor: JobSupervisor,
    settings: Settings,
    privilege: Privilege,
    paths: Paths,
    session: Mapping[str, str],
) -> CapturingService:
    """Return what captures."""
    captures = CaptureRepository(database)
    quota = CaptureQuota(captures, settings.captures, paths.jobs)
    return CapturingService(
        captures,
        audit,
        quota,
        supervisor,
        settings,
        privilege,
        jobs=paths.jobs,
        environ=session,
        note_filter=RecentFilterRepository(database, recent_capture_filters).note,
    )


def open_catalogue(
    database: Database,
    audit: AuditRepository,
    settings: Settings,
    paths: Paths,
    keeper: DocumentKeeper,
    session: Mapping[str, str],
) -> tuple[TransferService, CatalogueService]:
    """Return what moves files, and the catalogue, which copies whole captures by it."""
    transfers, captures = _open_transfers(database, audit, paths, keeper), CaptureRepository(database)
    return transfers, CatalogueService(
        captures,
        CaptureCatalogue(database),
        PacketMarkRepository(database),
        audit,
        CaptureQuota(captures, settings.captures, paths.jobs),
        settings.captures,
        jobs=paths.jobs,
        export_whole=transfers.export_capture,
        write_new=write_new,
        environ=session,
    )


def _open_transfers(
    database: Database, audit: AuditRepository, paths: Paths, keeper: DocumentKeeper
) -> TransferService:
    return TransferService(
        scans=ScanRepository(database),
        results=ScanResults(database),
        hosts=HostQueries(database),
        routes=TopologyQueries(database),
        captures=CaptureRepository(database),
        audit=audit,
        jobs=paths.jobs,
        imported=keeper.pack_soon,
    )
