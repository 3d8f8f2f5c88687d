"""From the hardware addresses of a packet on to its device, a capture and a scan."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from netmon_tui.domain.capture import StartCapture
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.screens.above_capture import AboveCapture
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.device_page import DevicePageScreen
from netmon_tui.ui.screens.host_history import HostHistoryScreen
from netmon_tui.ui.screens.pivots import AddressPage
from netmon_tui.ui.screens.traffic import TrafficScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.packet_tree import PacketTree
from tests.bench.generate_pcap import generate
from tests.pilot.test_devices_pane import saw
from tests.pilot.test_display_filter import open_capture
from tests.unit.tools.test_packet_masking import FRAMES
from tests.unit.tools.test_pcapng import interface, option, packet, section

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
SOURCE, DESTINATION = "02:00:00:00:00:01", "02:00:00:00:00:02"


async def put_cursor(app: Any, pilot: Any, until: Any, field: str) -> None:
    tree = app.screen.query_one(PacketTree)
    tree.table.focus()
    await until(pilot, lambda: tree.table.move_to_key((("eth", 0),)))
    await pilot.press("right")
    await until(pilot, lambda: tree.table.move_to_key((("eth", 0), (field, 0))))
    await until(pilot, lambda: tree.node.name == field)


async def test_keys_on_a_mac_mean_the_mac(logged_in: Any, until: Any, tmp_path: Path) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 3)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await put_cursor(app, pilot, until, "eth.src")
        assert browser.address == SOURCE
        for key in ("H", "s"):
            app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: any("never seen" in str(one.message) for one in app._notifications))
        assert isinstance(app.screen, CaptureDetailScreen)
        saw(app, SOURCE, "10.9.0.1", 3)
        saw(app, SOURCE, "10.9.0.2", 0.1)
        await pilot.press("H")
        page = await until(pilot, lambda: isinstance(app.screen, DevicePageScreen) and app.screen)
        assert page._lladdr == SOURCE
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("s")
        form = await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen)
        assert "10.9.0.2" in [line.value for line in form.query(Input)]


async def test_a_mac_is_captured_as_one(logged_in: Any, until: Any, tmp_path: Path) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 3)
    async with logged_in() as (app, pilot):
        await open_capture(app, pilot, until, file)
        await put_cursor(app, pilot, until, "eth.dst")
        await pilot.press("c")
        form = await until(pilot, lambda: isinstance(app.screen, CaptureForm) and app.screen)
        await until(pilot, lambda: form.query_one("#filter", Input).value == f"ether host {DESTINATION}")


@pytest.mark.parametrize("key", ["c", "T"])
async def test_a_packet_of_one_of_several_interfaces_is_captured_there(
    logged_in: Any, until: Any, tmp_path: Path, key: str
) -> None:
    file = tmp_path / "made.pcapng"
    frame = FRAMES["udp"]
    blocks = [interface(1, option(2, b"eth0")), interface(1, option(2, b"lo"))]
    file.write_bytes(section() + b"".join([*blocks, packet(0, 1, frame), packet(1, 2, frame)]))
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file, "eth0,lo")
        browser.go_to(2)
        await until(pilot, lambda: browser.table.cursor_key == 2 and browser.address)
        await pilot.press(key)
        if key != "c":  # there a line is of all the packets of an address
            await until(pilot, lambda: isinstance(app.screen, AboveCapture) and app.screen.address)
            await pilot.press("c")
        form = await until(pilot, lambda: isinstance(app.screen, CaptureForm) and app.screen)
        assert form._interface == ("lo" if key == "c" else "")


async def test_what_is_known_of_a_host_stands_above_the_packet(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 30)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        captures = CaptureRepository(app.services.database)
        request = StartCapture("lo", name="web")
        await asyncio.to_thread(
            captures.create,
            app.actor,
            request,
            filter=f"host {browser.address}",
            jobs=app.services.paths.jobs,
        )
        browser.go_to(7)
        await until(pilot, lambda: browser.table.cursor_key == 7)
        await pilot.press("H")
        page = await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen) and app.screen)
        told = page.query_one("#history-captures", Figure)
        await until(pilot, lambda: told.text == " Captures whose filter names it: 2 web")
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen) and app.screen is not page)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        assert browser.is_attached and browser.table.cursor_key == 7

        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and app.screen.address)
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen))
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, HostHistoryScreen))
        await pilot.press("c")
        form = await until(pilot, lambda: isinstance(app.screen, CaptureForm) and app.screen)
        await until(pilot, lambda: form.query_one("#filter", Input).value.startswith("host "))


@pytest.mark.parametrize(("key", "dialog"), [("s", ScanForm), ("c", CaptureForm)])
async def test_a_form_that_is_left_leads_back_to_the_packet(
    logged_in: Any, until: Any, tmp_path: Path, key: str, dialog: type[ScanForm | CaptureForm]
) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 30)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        screen = app.screen
        browser.go_to(7)
        await until(pilot, lambda: browser.table.cursor_key == 7)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, dialog) and browser.address)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, dialog))
        assert app.screen is screen and browser.is_attached and browser.table.cursor_key == 7
        await pilot.press("T")
        traffic = await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and app.screen)
        await until(pilot, lambda: traffic.address)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, dialog))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, dialog))
        assert app.screen is traffic and browser.is_attached


@pytest.mark.parametrize(("key", "dialog"), [("s", ScanForm), ("c", CaptureForm)])
@pytest.mark.parametrize("place", ["packet", "mac", "talkers"])
async def test_a_form_that_is_left_leads_back_to_the_page_above_the_packet(
    logged_in: Any, until: Any, tmp_path: Path, key: str, dialog: type[ScanForm | CaptureForm], place: str
) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 30)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        beneath = app.screen
        if place == "mac":
            saw(app, SOURCE, "10.9.0.1", 3)
            await put_cursor(app, pilot, until, "eth.src")
        elif place == "talkers":
            await pilot.press("T")
            beneath = await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and app.screen)
            await until(pilot, lambda: beneath.address)
        await pilot.press("H")
        page = await until(pilot, lambda: isinstance(app.screen, AddressPage) and app.screen)
        await until(pilot, lambda: page.pivot[0])
        for _ in range(2):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, dialog))
            await until(pilot, lambda: any(page.pivot[0] in one.value for one in app.screen.query(Input)))
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, dialog))
            assert app.screen is page
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is beneath)
        assert browser.is_attached


async def test_a_capture_of_an_address_stands_above_the_packet(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    file = tmp_path / "made.pcap"
    generate(file, 30)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        screen = app.screen
        await pilot.press("c")
        form = await until(pilot, lambda: isinstance(app.screen, CaptureForm) and app.screen)
        await until(pilot, lambda: form.query_one("#filter", Input).value.startswith("host "))
        form.query_one("#start", Button).press()
        begun = await until(
            pilot,
            lambda: isinstance(app.screen, CaptureDetailScreen) and app.screen is not screen and app.screen,
        )
        await app.services.capturing.stop(app.actor, begun.capture_id)
        await until(pilot, lambda: begun._settled)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert browser.is_attached
