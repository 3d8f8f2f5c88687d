"""Captures as a user makes and reads them, on the lab's network, with tcpdump and tshark as they are."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import Button, Input, Select, Static

from netmon_tui.config.settings import load_settings
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.job import JobState
from netmon_tui.domain.user import Role
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets import filter_rounds
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.hex_view import HexView
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.lab.network import Lab
from tests.pilot.conftest import PASSWORD
from tests.unit.services.tsharks import keep

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab]
ECHO = "udp port 7"


def figure(app: Any, name: str) -> str:
    return str(app.screen.query_one(f"#capture-{name}").render())


def counted_packets(app: Any) -> str:
    return app.screen.query_one("#packet-count", Figure).text


def packets_table(app: Any) -> Table:
    return app.screen.query_one("#packets", Table)


def rows(table: Table) -> list[tuple[str, ...]]:
    found = table.source.window(0, table.row_count)
    assert found is not None
    return [tuple(map(cell_text, row.cells)) if row else () for row in found]


async def to_captures(app: Any, pilot: Any, until: Any) -> Table:
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
    await until(pilot, lambda: table.grid.has_focus)
    return table


async def open_form(app: Any, pilot: Any, until: Any) -> CaptureForm:
    """Press n and wait until the form knows its interfaces and has looked at what it was given."""
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, CaptureForm))
    await until(pilot, lambda: verdict(app))
    return app.screen


def verdict(app: Any) -> str:
    return str(app.screen.query_one("#verdict", Static).content)


async def start(
    app: Any, pilot: Any, until: Any, filter: str, interface: str = "eth0", **fields: str
) -> None:
    """Fill the form in and start; returns when the capture's screen says that it runs."""
    form = await open_form(app, pilot, until)
    form.query_one("#interface", Select).value = interface
    for name, value in {"filter": filter, **fields}.items():
        form.query_one(f"#{name}", Input).value = value
    wanted = f"-i {interface} "
    await until(
        pilot,
        lambda: (
            wanted in str(form.query_one("#command", Static).content)
            and filter in str(form.query_one("#command", Static).content)
        ),
    )
    form.query_one("#filter").focus()
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))


async def capture_echo(app: Any, pilot: Any, until: Any, lab: Lab, count: int) -> Path:
    """Capture an exchange of known size, stop, and return the file."""
    await start(app, pilot, until, ECHO)
    await until(pilot, lambda: "running" in figure(app, "state"))
    exchange = lab.udp_exchange(count)
    await until(pilot, lambda: figure(app, "packets") == f"{exchange.packets}")
    await pilot.press("x")
    await until(pilot, lambda: "done" in figure(app, "state"))
    await until(pilot, lambda: packets_table(app).row_count == exchange.packets)
    return Path(figure(app, "file").removeprefix("File "))


def as_tshark_sees(file: Path) -> list[tuple[str, ...]]:
    fields = ["frame.number", "ip.src", "ip.dst", "_ws.col.Protocol", "frame.len"]
    argv = [
        "tshark",
        "-n",
        "-r",
        str(file),
        "-T",
        "fields",
        *(word for name in fields for word in ("-e", name)),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


async def test_a_known_exchange_is_counted_exactly_and_listed_as_tshark_lists_it(
    logged_in: Any, until: Any, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        file = await capture_echo(app, pilot, until, lab, 20)
        assert figure(app, "counts").split() == ["captured", "40", "received", "40", "dropped", "0"]
        assert app.screen.query_one("#share-udp", Figure).text.split()[-1] == "40"
        assert app.screen.query_one("#share-tcp", Figure).text.split()[-1] == "0"
        assert figure(app, "ended").startswith("Ended: stopped · packets from ")
        digest = subprocess.run(
            ["sha256sum", file], capture_output=True, text=True, check=True
        ).stdout.split()[0]
        assert figure(app, "sha256") == f"SHA-256 {digest}"
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen.query_one("#share-udp", Figure).size.width < 18)
        await until(pilot, lambda: cell_len(app.screen.query_one("#share-udp", Figure).text) <= 15)
        await packets_table(app).source.load(
            0, 40
        )  # of a list only what is in sight, and around it, is there
        listed = [(row[0], row[2], row[3], row[5]) for row in rows(packets_table(app))]
        assert listed == [(number, *ends, length) for number, *ends, _, length in as_tshark_sees(file)]


async def test_packets_appear_while_the_capture_runs(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        await start(app, pilot, until, ECHO)
        lab.udp_exchange(5)
        await until(pilot, lambda: packets_table(app).row_count == 10)
        await pilot.press("f")
        lab.udp_exchange(30)
        await until(pilot, lambda: packets_table(app).cursor_key == 70)
        assert "running" in figure(app, "state")
        await pilot.press("x")
        await until(pilot, lambda: "done" in figure(app, "state"))


async def test_the_tree_has_tsharks_fields_and_the_bytes_of_one_are_marked(
    logged_in: Any, until: Any, lab: Lab
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await to_captures(app, pilot, until)
        await capture_echo(app, pilot, until, lab, 3)
        browser, tree = app.screen.query_one(PacketBrowser), app.screen.query_one(PacketTree)
        await until(
            pilot, lambda: "packet 1 by sharkd" in browser.query_one("#packet-dissector", Figure).text
        )
        await pilot.press("enter")
        await until(pilot, lambda: tree.table.grid.has_focus)
        assert tree.table.move_to_key((("ip", 0),))
        await pilot.press("right")
        assert tree.table.move_to_key((("ip", 0), ("ip.src", 0)))
        await until(pilot, lambda: tree.node and tree.node.value == "10.77.0.1")
        marked = app.screen.query_one(HexView)
        await until(pilot, lambda: marked.marked == socket.inet_aton("10.77.0.1"))
        await pilot.press("z")
        await until(pilot, lambda: not packets_table(app).is_on_screen)
        assert tree.region.height > 12
        await pilot.press("z", "tab", "home")
        await until(pilot, lambda: marked.has_focus and ("eth.dst", 0) in tree.node.path)
        await until(pilot, lambda: marked.marked == marked._data[: tree.node.size])
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")


async def test_a_capture_stops_by_itself_at_its_limit_of_packets(
    logged_in: Any, until: Any, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        await start(app, pilot, until, ECHO, packets="6", name="six of them")
        await until(pilot, lambda: "six of them" in figure(app, "title"))
        lab.udp_exchange(10)
        await until(pilot, lambda: "done" in figure(app, "state"))
        assert figure(app, "packets") == "6"
        assert figure(app, "ended").startswith("Ended: finished")


async def test_the_simple_fields_write_the_filter_and_leave_one_written_by_hand_alone(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        line = form.query_one("#filter", Input)
        form.query_one("#protocol", Select).value = "tcp"
        form.query_one("#host", Input).value = "10.77.0.10"
        form.query_one("#port", Input).value = "80"
        await until(pilot, lambda: line.value == "tcp and host 10.77.0.10 and port 80")
        await until(pilot, lambda: "✓ valid" in verdict(app))
        line.value = "icmp"
        form.query_one("#port", Input).value = "81"
        await until(pilot, lambda: "written by hand" in verdict(app))
        assert line.value == "icmp"
        assert form.region.height == 24 and form.query_one("#start").region.bottom < 24


@pytest.mark.parametrize(
    ("text", "why", "at"),
    [
        ("tcp prot 80", "looked up as a host name: prot", 4),
        ("tcp and and", "not valid", None),
        ("(udp", "close", 0),
    ],
)
async def test_a_wrong_filter_says_why_and_where_and_does_not_start(
    logged_in: Any, until: Any, text: str, why: str, at: int | None
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        form.query_one("#filter", Input).value = text
        await until(pilot, lambda: why in verdict(app))
        if at is not None:
            assert form.query_one("#caret", Figure).text.index("^") == at
        assert form.query_one("#start", Button).disabled
        await pilot.press("enter")
        await until(pilot, lambda: why in verdict(app))
        assert await app.services.capturing.count(app.actor) == 0


@pytest.mark.parametrize("size", ["much", "999 GB"])  # no size at all, and more than the settings allow
async def test_a_filter_is_judged_while_a_limit_is_refused(logged_in: Any, until: Any, size: str) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        limits, command = form.query_one("#limits-error", Static), form.query_one("#command", Static)
        form.query_one("#size", Input).value = size
        await until(pilot, lambda: str(limits.content))
        form.query_one("#filter", Input).value = "udp port 53"
        await until(pilot, lambda: "valid" in verdict(app) and "53" in verdict(app))
        assert str(limits.content) and form.query_one("#start", Button).disabled
        form.query_one("#filter", Input).value = "(udp"
        await until(pilot, lambda: "close" in verdict(app))
        assert form.query_one("#caret", Figure).text.strip() == "^"
        assert str(limits.content) and not str(command.content)
        form.query_one("#filter", Input).value = "udp"
        await until(pilot, lambda: "valid" in verdict(app))
        await pilot.press("enter")
        assert isinstance(app.screen, CaptureForm) and "valid" in verdict(app)
        form.query_one("#size", Input).value = ""
        await until(pilot, lambda: str(command.content) and not str(limits.content))
        assert not form.query_one("#start", Button).disabled


async def test_the_size_that_the_form_shows_may_be_typed(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        limits, command = form.query_one("#limits-error", Static), form.query_one("#command", Static)
        field = form.query_one("#size", Input)
        field.value = "much"
        await until(pilot, lambda: "no size" in str(limits.content))
        field.value = str(field.placeholder)
        await until(
            pilot, lambda: "no size" not in str(limits.content) and (limits.content or command.content)
        )
        assert not str(limits.content) and not form.query_one("#start", Button).disabled


async def test_an_interface_that_went_away_is_refused_in_the_form(logged_in: Any, until: Any) -> None:
    subprocess.run(["ip", "link", "add", "gone0", "type", "veth", "peer", "name", "gone1"], check=True)
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        form = await open_form(app, pilot, until)
        form.query_one("#interface", Select).value = "gone0"
        await until(pilot, lambda: "-i gone0" in str(form.query_one("#command", Static).content))
        subprocess.run(["ip", "link", "del", "gone0"], check=True)
        form.query_one("#filter").focus()
        await pilot.press("enter")
        await until(pilot, lambda: "no interface 'gone0'" in verdict(app))
        assert isinstance(app.screen, CaptureForm)


async def test_a_damaged_file_opens_to_its_last_whole_packet(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await to_captures(app, pilot, until)
        file = await capture_echo(app, pilot, until, lab, 4)
        await pilot.press("escape")
        os.truncate(file, file.stat().st_size - 5)
        await pilot.press("enter")
        await until(pilot, lambda: packets_table(app).row_count == 7)
        damage = app.screen.query_one("#packet-damage", Figure)
        assert damage.display and damage.text.startswith("packet 8 at byte ")


async def test_a_file_that_is_no_capture_says_so(
    logged_in: Any, until: Any, lab: Lab, screen_text: Any
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        file = await capture_echo(app, pilot, until, lab, 1)
        await pilot.press("escape")
        file.write_bytes(b"[bold]not a capture[/]" * 10)
        await pilot.press("enter")
        await until(pilot, lambda: "This is not a pcap file" in screen_text(app))


async def test_hostile_payload_is_shown_literally(
    logged_in: Any, until: Any, lab: Lab, screen_text: Any
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        await start(app, pilot, until, "tcp port 80", name="[@click=app.quit]n[/]")
        with socket.create_connection(("10.77.0.10", 80), timeout=5) as connection:
            connection.sendall(b"GET /[@click=app.bell]x[/]\x1b]0;t\x07 HTTP/1.0\r\n\r\n")
            while connection.recv(4096):
                pass
        await until(pilot, lambda: "GET /[@click=app.bell]x[/]" in screen_text(app))
        assert "\x1b" not in screen_text(app) and "[@click=app.quit]n[/]" in screen_text(app)
        await pilot.press("x")
        await until(pilot, lambda: "done" in figure(app, "state"))
        number = next(int(row[0]) for row in rows(packets_table(app)) if "GET" in row[6])
        assert packets_table(app).move_to_key(number)
        browser = app.screen.query_one(PacketBrowser)
        await until(
            pilot, lambda: f"packet {number} by sharkd" in browser.query_one("#packet-dissector", Figure).text
        )
        await pilot.press("tab", "asterisk")
        await until(pilot, lambda: app.screen.query_one(PacketTree).table.row_count > 20)
        assert app.screen.query_one(PacketTree).table.move_to_key((("http", 0),))
        await pilot.press("down", "down")
        await until(pilot, lambda: screen_text(app).count("[@click=app.bell]x[/]") >= 2)


async def test_the_list_shows_live_figures_and_stops_exports_and_deletes(
    logged_in: Any, until: Any, lab: Lab, tmp_path: Path
) -> None:
    async with logged_in() as (app, pilot):
        table = await to_captures(app, pilot, until)
        assert not app.screen.pane().check_action("stop", ())
        await start(app, pilot, until, ECHO)
        await pilot.press("escape")
        exchange = lab.udp_exchange(25)
        await until(pilot, lambda: table.cursor_row.cells[6].text == str(exchange.packets))
        cells = [cell_text(cell) for cell in table.cursor_row.cells]
        assert cells[:6] == ["1", "eth0", ECHO, "", "", "▶ running"]
        assert cells[8].endswith("p/s") and cells[9] == "0"
        await pilot.press("delete")
        assert app.screen.id == "main", "a running capture cannot be deleted"
        await pilot.press("x")
        await until(pilot, lambda: table.cursor_row.cells[5].text == "✓ done")
        await pilot.press("e")
        target = tmp_path / "copy.pcap"
        (await until(pilot, lambda: app.screen.query_one("#path", Input))).value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        assert len(as_tshark_sees(target)) == exchange.packets
        await pilot.press("delete")
        await until(pilot, lambda: app.screen.query_one("#yes"))
        asked = str(app.screen.query_one("#confirm-text", Static).visual)
        assert asked.startswith(f"capture 1: {exchange.packets} packets, ")
        await pilot.click("#yes")
        await until(pilot, lambda: table.row_count == 0)
        assert not list((app.paths.jobs).glob("capture-*"))


async def test_an_address_of_a_packet_leads_to_the_scan_form_and_to_another_capture(
    logged_in: Any, until: Any, lab: Lab
) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        await capture_echo(app, pilot, until, lab, 1)
        browser = app.screen.query_one(PacketBrowser)
        await until(pilot, lambda: browser.address == "10.77.0.1")
        await pilot.press("right", "right", "right")
        assert browser.address == "10.77.0.13"
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, CaptureForm))
        line = app.screen.query_one("#filter", Input)
        await until(pilot, lambda: line.value == "host 10.77.0.13")
        await until(pilot, lambda: app.screen.query_one("#interface", Select).value == "eth0")


async def test_a_capture_goes_on_but_the_list_behind_it_rests(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in() as (app, pilot):
        await to_captures(app, pilot, until)
        await start(app, pilot, until, ECHO)
        main = app.screen_stack[-2]
        await until(pilot, lambda: not main._refreshing)
        refreshed: list[bool] = []
        main._begin_refresh = lambda: refreshed.append(True)
        exchange = lab.udp_exchange(25)
        await until(pilot, lambda: figure(app, "packets") == str(exchange.packets))
        assert refreshed == []
        await pilot.press("escape")
        await until(pilot, lambda: refreshed)
        del main._begin_refresh
        await pilot.press("enter")
        await until(pilot, lambda: "running" in figure(app, "state"))
        await pilot.press("x")
        await until(pilot, lambda: "done" in figure(app, "state"))


async def test_a_capture_that_begins_while_jobs_are_looked_for_is_not_taken_for_lost(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, _pilot):
        services = app.services

        async def sweep_on() -> None:
            while True:
                await services.supervisor.sweep()

        sweeping = asyncio.create_task(sweep_on())
        capture = await services.capturing.start(app.actor, app_request())
        sweeping.cancel()
        assert capture.state is JobState.RUNNING
        await services.capturing.stop(app.actor, capture.id)
        assert (await services.capturing.wait(app.actor, capture.id)).state is JobState.COMPLETED


async def test_a_display_filter_goes_on_with_the_capture(
    logged_in: Any, until: Any, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_rounds, "SHORTEST_PAUSE", 0.1)
    async with logged_in(size=(80, 24)) as (app, pilot):
        table = await to_captures(app, pilot, until)
        capture: Capture = await app.services.capturing.start(app.actor, app_request())
        lab.udp_exchange(3)
        await until(pilot, lambda: table.cursor_key == capture.id)
        await pilot.press("enter")
        await until(pilot, lambda: packets_table(app).row_count == 6)
        await pilot.press("d", *"udp.dstport==7", "enter")
        await until(
            pilot,
            lambda: "3 of 6 packets · filter up to packet 6" in counted_packets(app),
        )
        lab.udp_exchange(5)
        await until(
            pilot,
            lambda: "8 of 16 packets · filter up to packet 16" in counted_packets(app),
        )
        await pilot.press("escape")
        await until(pilot, lambda: counted_packets(app) == "16 packets")
        await app.services.capturing.stop(app.actor, capture.id)
        await app.services.capturing.wait(app.actor, capture.id)


async def test_a_viewer_looks_and_does_not_capture(logged_in: Any, until: Any, screen_text: Any) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        await to_captures(app, pilot, until)
        assert "No captures yet. A viewer may not capture" in screen_text(app)
        await pilot.press("n")
        await until(pilot, lambda: "viewer-1 (viewer) may not capture" in screen_text(app))
        assert app.screen.id == "main"
        assert app.screen.pane().check_action("new", ()) is None
        app.clear_notifications()
        await pilot.press("1")
        await until(pilot, lambda: "No scans yet. A viewer may not scan" in screen_text(app))
        await pilot.press("slash", "n")
        assert app.screen.query_one("#scans", Table).filter_text == "n"
        await pilot.press("escape", "n")
        await until(pilot, lambda: "viewer-1 (viewer) may not scan" in screen_text(app))


async def test_keys_of_the_settings_tell_what_a_role_lacks(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    keys = MappingProxyType({"captures.new": "f8", "table.filter": "n"})
    settings = replace(load_settings(environ={}), keys=keys)
    async with logged_in(role="viewer", settings=settings) as (app, pilot):
        await to_captures(app, pilot, until)
        await pilot.press("n", "x")
        assert app.screen.query_one("#captures", Table).filter_text == "x"
        assert not app._notifications
        await pilot.press("escape", "f8")
        await until(pilot, lambda: "viewer-1 (viewer) may not capture" in screen_text(app))


async def test_a_key_of_a_table_is_not_taken_by_what_a_role_lacks(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    settings = replace(load_settings(environ={}), keys=MappingProxyType({"table.filter": "n"}))
    async with logged_in(role="viewer", settings=settings) as (app, pilot):
        await to_captures(app, pilot, until)
        await pilot.press("n", "x")
        assert app.screen.query_one("#captures", Table).filter_text == "x"
        assert not app._notifications


async def test_owners_have_a_column_where_there_are_several_and_rates_while_there_are_any(
    logged_in: Any, until: Any, lab: Lab, tmp_path: Path
) -> None:
    made = tmp_path / "made.pcap"
    generate(made, 10)
    async with logged_in() as (app, pilot):
        keep(app.services, app.actor, made.read_bytes())
        table = await to_captures(app, pilot, until)
        await until(pilot, lambda: table.row_count == 1)
        await until(pilot, lambda: "rate" not in table.visible_columns)
        assert "owner" not in table.visible_columns and "dropped" in table.visible_columns
        capture: Capture = await app.services.capturing.start(app.actor, app_request())
        await until(pilot, lambda: "rate" in table.visible_columns)
        await app.services.capturing.stop(app.actor, capture.id)
        await app.services.capturing.wait(app.actor, capture.id)
        await until(pilot, lambda: "rate" not in table.visible_columns)
        actor = await app.services.accounts.login("ada", PASSWORD)
        await app.services.accounts.add_user(actor, "bo", PASSWORD, role=Role.OPERATOR)
        bo = await app.services.accounts.login("bo", PASSWORD)
        keep(app.services, bo, made.read_bytes())
        await until(pilot, lambda: "owner" in table.visible_columns)
        await until(pilot, lambda: "bo" in [cell_text(row.cells[11]) for row in table.source.window(0, 3)])
        await pilot.resize_terminal(80, 24)
        await until(
            pilot, lambda: "started" in table.visible_columns and "owner" not in table.visible_columns
        )


async def test_nothing_breaks_on_a_tiny_terminal(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in(size=(20, 5)) as (app, pilot):
        table = await to_captures(app, pilot, until)
        await open_form(app, pilot, until)
        await pilot.press("escape")
        capture: Capture = await app.services.capturing.start(app.actor, app_request())
        lab.udp_exchange(3)
        await until(pilot, lambda: table.cursor_key == capture.id)
        await pilot.press("enter")
        await until(pilot, lambda: packets_table(app).row_count == 6)
        await app.services.capturing.stop(app.actor, capture.id)
        await app.services.capturing.wait(app.actor, capture.id)
        await until(pilot, lambda: "done" in figure(app, "state"))
        assert (await app.services.capturing.get(app.actor, capture.id)).state is JobState.COMPLETED


def app_request() -> Any:
    from netmon_tui.domain.capture import StartCapture

    return StartCapture("eth0", ECHO)


async def test_the_cursor_is_on_the_capture_that_was_begun(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        table = await to_captures(app, pilot, until)
        for number in (1, 2):
            await start(app, pilot, until, ECHO)
            await until(pilot, lambda: "running" in figure(app, "state"))
            await pilot.press("x")
            await until(pilot, lambda: "done" in figure(app, "state"))
            await pilot.press("escape")
            await until(pilot, lambda number=number: table.row_count == number and table.cursor_key == number)
        await pilot.press("r")
        await until(
            pilot, lambda: isinstance(app.screen, CaptureDetailScreen) and "running" in figure(app, "state")
        )
        await pilot.press("x")
        await until(pilot, lambda: "done" in figure(app, "state"))
        await pilot.press("escape")
        await until(pilot, lambda: table.row_count == 3 and table.cursor_key == 3)
