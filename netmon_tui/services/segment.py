"""What is known of the local segment and done on it, built in one place beside the container."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.user import Actor
from netmon_tui.runtime.host_names import HostNames
from netmon_tui.runtime.only_one import OnlyOne
from netmon_tui.runtime.vendor_lines import vendor_lines
from netmon_tui.services.device_lists import DeviceLists
from netmon_tui.services.devices import DeviceService
from netmon_tui.services.ground import Ground
from netmon_tui.services.hook_journal import HookJournal
from netmon_tui.services.host_names import HostNameService
from netmon_tui.services.neighbour_editing import NeighbourEditing
from netmon_tui.services.neighbour_events import NeighbourEventService
from netmon_tui.services.neighbour_hooks import NeighbourHooks
from netmon_tui.services.neighbour_memory import NeighbourMemory
from netmon_tui.services.neighbour_pivots import NeighbourPivots
from netmon_tui.services.neighbours import NeighbourService
from netmon_tui.services.scanning import ScanningService
from netmon_tui.services.sweeping import SweepService
from netmon_tui.services.waking import WakeService
from netmon_tui.storage.account_repository import AccountRepository
from netmon_tui.storage.device_queries import DeviceQueries
from netmon_tui.storage.device_repository import DeviceRepository
from netmon_tui.storage.neighbour_edit_repository import NeighbourEditRepository
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_queries import NeighbourQueries
from netmon_tui.storage.neighbour_repository import NeighbourRepository
from netmon_tui.storage.neighbour_retention import NeighbourRetention
from netmon_tui.tools.nmap_exclusions import NeverScan
from netmon_tui.tools.oui import VendorTable


@dataclass(slots=True)
class SegmentServices:
    """The services around the neighbour table."""

    neighbours: NeighbourService
    pivots: NeighbourPivots
    sweeps: SweepService
    editing: NeighbourEditing
    waking: WakeService
    names: HostNameService
    devices: DeviceService
    device_lists: DeviceLists
    events: NeighbourEventService
    hooks: NeighbourHooks


def open_segment(ground: Ground, scanning: ScanningService) -> SegmentServices:
    """Build them; ``scanning`` is what sweeps are run by."""
    settings, database, audit = ground.settings, ground.database, ground.audit
    privilege, session, paths = ground.privilege, ground.session, ground.paths
    repository, queries = NeighbourRepository(database), NeighbourQueries(database)
    hooks = NeighbourHooks(paths.hooks_file, HookJournal(paths.hooks_journal), audit)
    marks, vendors = DeviceRepository(database), VendorTable(extra_lines=vendor_lines())
    memory = _open_memory(ground, hooks)
    names = HostNameService(HostNames() if settings.neighbours.resolve_names else HostNames(threads=0))
    neighbours = NeighbourService(repository, memory, vendors, session, names.name)
    limits, listed = AccountRepository(database).limits, DeviceQueries(database, vendors.lookup)

    def never(actor: Actor) -> NeverScan:
        return NeverScan(settings.scans.never_scan, limits(actor.user_id).never_scan)

    async def marked() -> None:
        await memory.read_marks()
        await neighbours.show_marks()

    return SegmentServices(
        neighbours=neighbours,
        pivots=NeighbourPivots(neighbours, queries, repository, vendors, lambda: memory.marks),
        sweeps=SweepService(repository, scanning.plan, never, can_scan_raw=privilege.can_scan_raw),
        editing=NeighbourEditing(
            NeighbourEditRepository(database, ground.machine), privilege, session, marks.must_be_up
        ),
        waking=WakeService(repository, audit),
        names=names,
        devices=DeviceService(marks, listed, repository, neighbours.entries_of, vendors.lookup, marked),
        device_lists=DeviceLists(marks, listed, audit, marked),
        events=NeighbourEventService(NeighbourEventRepository(database), vendors),
        hooks=hooks,
    )


def _open_memory(ground: Ground, hooks: NeighbourHooks) -> NeighbourMemory:
    """Build what remembers neighbours and tells the hooks of events."""
    return NeighbourMemory(
        NeighbourRepository(ground.database),
        DeviceRepository(ground.database),
        OnlyOne(ground.paths.neighbours_claim),
        hooks.tell,
        retention=NeighbourRetention(ground.database),
        keep_days=ground.settings.neighbours.history_days,
    )
