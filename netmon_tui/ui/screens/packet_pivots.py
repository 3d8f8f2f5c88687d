"""From an address in a packet to other screens: a MAC leads to its device and to what that was found under."""

from __future__ import annotations

from textual.app import App
from textual.screen import Screen

from netmon_tui.domain.address import normalise_lladdr
from netmon_tui.domain.capture import Capture
from netmon_tui.errors import NotFound
from netmon_tui.ui.messages import CaptureAddress, ScanAddress
from netmon_tui.ui.screens.capture_actions import CaptureActions
from netmon_tui.ui.screens.device_page import DevicePageScreen
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.screens.scan_actions import ScanActions
from netmon_tui.ui.session import Session


async def scan_of(session: Session, address: str) -> ScanAddress:
    """Return the request to scan an address; of a MAC the IP address that it was seen under last.

    Raises:
        NotFound: No such device was seen, or it had no address.
    """
    if (lladdr := normalise_lladdr(address)) is None:
        return ScanAddress(address)
    page = await session.services.segment.devices.page(session.actor, lladdr)
    if not page.device.addresses:
        raise NotFound(f"no address of {lladdr} is known", fix="scan the network, or sweep it, to see it")
    known = page.device.addresses
    best = next((one for one in known if one.present), known[0])
    return ScanAddress(best.address, best.interface)


async def begin(session: Session, app: App[object], request: ScanAddress | CaptureAddress) -> Capture | None:
    """Ask how an address is to be scanned or captured, and begin it; return the capture, if it became one."""
    if isinstance(request, CaptureAddress):
        host = request.address.partition("%")[0]
        return await CaptureActions(session, app).start(host=host, interface=request.interface)
    pivots = session.services.segment.pivots
    targets = await pivots.scan_target(session.actor, request.address, request.interface)
    await ScanActions(session, app).start(targets)
    return None


async def page_of(session: Session, address: str) -> Screen[None]:
    """Return the page of a MAC's device, or that of the host of an address.

    Raises:
        NotFound: No such device was seen.
    """
    if (lladdr := normalise_lladdr(address)) is None:
        return HostHistoryScreen(session, address)
    await session.services.segment.devices.page(session.actor, lladdr)
    return DevicePageScreen(session, lladdr)
