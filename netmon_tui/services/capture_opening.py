"""Building the services of captures: capturing, the catalogue, the packets of a file."""

from __future__ import annotations

from netmon_tui.services.capture_catalogue import CatalogueService
from netmon_tui.services.capture_keys import CaptureKeys
from netmon_tui.services.capture_quota import CaptureQuota
from netmon_tui.services.capturing import CapturingService
from netmon_tui.services.document_keeping import DocumentKeeper
from netmon_tui.services.ground import Ground
from netmon_tui.services.packet_columns import PacketColumnService
from netmon_tui.services.packets import PacketService
from netmon_tui.services.transfers import TransferService, write_new
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


def open_capturing(ground: Ground) -> CapturingService:
    """Return what captures."""
    captures, jobs = CaptureRepository(ground.database), ground.paths.jobs
    return CapturingService(
        captures,
        ground.audit,
        CaptureQuota(captures, ground.settings.captures, jobs),
        ground.supervisor,
        ground.settings,
        ground.privilege,
        jobs=jobs,
        environ=ground.session,
        note_filter=RecentFilterRepository(ground.database, recent_capture_filters).note,
    )


def open_catalogue(ground: Ground, keeper: DocumentKeeper) -> tuple[TransferService, CatalogueService]:
    """Return what moves files, and the catalogue, which copies whole captures by it."""
    database, settings, jobs = ground.database, ground.settings.captures, ground.paths.jobs
    transfers, captures = _open_transfers(ground, keeper), CaptureRepository(database)
    return transfers, CatalogueService(
        captures,
        CaptureCatalogue(database),
        PacketMarkRepository(database),
        ground.audit,
        CaptureQuota(captures, settings, jobs),
        settings,
        jobs=jobs,
        export_whole=transfers.export_capture,
        write_new=write_new,
        environ=ground.session,
    )


def _open_transfers(ground: Ground, keeper: DocumentKeeper) -> TransferService:
    database = ground.database
    return TransferService(
        scans=ScanRepository(database),
        results=ScanResults(database),
        hosts=HostQueries(database),
        routes=TopologyQueries(database),
        captures=CaptureRepository(database),
        audit=ground.audit,
        jobs=ground.paths.jobs,
        imported=keeper.pack_soon,
    )
