"""Scans on the screen: real nmap against servers of the test on the loopback interface, and imported files."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Button, Input, Select, Static, TabbedContent

from netmon_tui.domain.export import SCAN_FORMATS
from netmon_tui.domain.job import JobState
from netmon_tui.domain.window import Window
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.file_choice import Export
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.screens.scans import ScanRow
from netmon_tui.ui.widgets.host_view import HostView
from netmon_tui.ui.widgets.lazy_pane import LazyPane
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextView
from tests.bench.bulk_scan import store_scan

needs_nmap = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("nmap") is None, reason="nmap is not installed"),
]
HOSTILE = ("\x1b]0;owned\x07", "[@click=app.quit]x[/]", "a[/]b[bold]", "\u202egnp.exe", "\x9b31m")


def nmap_test(function: Any) -> Any:
    for mark in needs_nmap:
        function = mark(function)
    return function


@asynccontextmanager
async def servers(count: int, banner: bytes = b"220 hello\r\n") -> AsyncIterator[list[int]]:
    """Listen on some ports of 127.0.0.1; an empty banner never says a word."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(banner)
        while await reader.read(4096):
            if banner:
                break
        writer.close()

    listening = [await asyncio.start_server(serve, "127.0.0.1", 0) for _ in range(count)]
    try:
        yield sorted(server.sockets[0].getsockname()[1] for server in listening)
    finally:
        for server in listening:
            server.close()


def scan_in(app: Any, position: int = 0) -> Any:
    """The scan in a row of the list."""
    row = app.screen_stack[1].query_one("#scans", Table).grid.row_at(position)
    return row.scan if isinstance(row, ScanRow) else None


def said(app: Any, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).visual)


def toasts(app: Any) -> str:
    return "\n".join(f"{n.title} {n.message}" for n in app._notifications)


async def open_form(app: Any, pilot: Any, until: Any) -> ScanForm:
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#start"))
    return app.screen


async def fill(pilot: Any, form: ScanForm, targets: str, options: str) -> None:
    form.query_one("#targets", Input).value = targets
    form.query_one("#options", Input).value = options
    form.query_one("#targets", Input).focus()
    await pilot.pause()


async def start(app: Any, pilot: Any, until: Any, targets: str, options: str) -> None:
    form = await open_form(app, pilot, until)
    await fill(pilot, form, targets, options)
    await pilot.press("enter")
    await until(pilot, lambda: not isinstance(app.screen, ScanForm))


async def open_detail(app: Any, pilot: Any, until: Any) -> ScanDetailScreen:
    await until(pilot, lambda: scan_in(app) is not None)
    table = app.screen.query_one("#scans", Table)
    await until(pilot, lambda: table.grid.has_focus and table.cursor_row is not None)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen) and app.screen._scan is not None)
    return app.screen


def ports_of(screen: ScanDetailScreen) -> dict[int, str]:
    host = screen.query_one(HostView).host
    return {port.number: port.state for port in host.ports} if host else {}


def document(hosts: str) -> str:
    return (
        '<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap -oX - x" start="1700000000" version="7.93">'
        + hosts
        + '<runstats><finished time="1700000060" elapsed="60" exit="success" summary="done"/>'
        '<hosts up="1" down="0" total="1"/></runstats></nmaprun>'
    )


def escaped(text: str) -> str:
    """A text as XML 1.0 can carry it: what it cannot is left out."""
    from xml.sax.saxutils import quoteattr

    return quoteattr("".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\x9b")))


def host_xml(address: str, name: str = "", banner: str = "") -> str:
    return (
        f'<host><status state="up" reason="syn-ack"/><address addr="{address}" addrtype="ipv4"/>'
        f'<hostnames><hostname name={escaped(name)} type="PTR"/></hostnames>'
        '<ports><port protocol="tcp" portid="80"><state state="open" reason="syn-ack" reason_ttl="64"/>'
        f'<service name="http" product={escaped(banner)} method="probed" conf="10"/>'
        f'<script id="http-title" output={escaped(banner)}/></port></ports></host>'
    )


async def import_file(app: Any, pilot: Any, until: Any, path: Path) -> None:
    await pilot.press("i")
    await until(pilot, lambda: isinstance(app.screen, FilePicker) and app.screen.query_one("#path"))
    app.screen.query_one("#path", Input).value = str(path)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen.id == "main")


@nmap_test
async def test_a_scan_through_the_form_finds_the_open_ports(logged_in: Any, until: Any) -> None:
    async with servers(2) as ports, logged_in(size=(80, 24)) as (app, pilot):
        closed = 1
        await start(app, pilot, until, "127.0.0.1", f"-sT -n -p {closed},{ports[0]},{ports[1]}")
        await until(pilot, lambda: scan_in(app).state is JobState.COMPLETED)
        scan = scan_in(app)
        assert (scan.targets, scan.hosts_up, scan.ports_open) == (("127.0.0.1",), 1, 2)
        detail = await open_detail(app, pilot, until)
        found = await until(pilot, lambda: ports_of(detail))
        assert {number for number, state in found.items() if state == "open"} == set(ports)
        await pilot.press("2")
        services = await until(pilot, lambda: (t := detail.query_one("#services", Table)).row_count and t)
        assert services.row_count == 3
        await pilot.press("4")
        await until(
            pilot,
            lambda: any("Nmap done" in line.text for line in detail.query_one("#output", TextView).lines),
        )
        await pilot.press("6")
        about = await until(pilot, lambda: [line.text for line in detail.query_one("#about", TextView).lines])
        assert any(" ".join(scan.command) == line for line in about)
        assert any("completed" in line or "done" in line for line in about)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")


async def test_a_tab_of_a_scan_is_built_when_it_is_first_shown(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        app.push_screen(ScanDetailScreen(app.screen.session, store_scan(app.services.database, app.actor, 3)))
        detail = await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen) and app.screen)
        await until(pilot, lambda: detail.query_one("#hosts", Table).row_count == 3)
        built = lambda: [pane.id for pane in detail.query(LazyPane) if pane.children]  # noqa: E731
        assert built() == ["tab-hosts"]
        assert detail.has_class("-wide")
        assert not detail.has_class("-narrow")
        for number in range(2, 7):
            await pilot.press(str(number))
            await until(pilot, lambda number=number: len(built()) == number)
            shown = detail.query_one(TabbedContent)
            await until(pilot, lambda shown=shown: shown.active_pane.has_focus_within)


async def test_a_tab_that_is_left_while_it_loads_stands_in_nobodys_way(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        app.push_screen(ScanDetailScreen(app.screen.session, store_scan(app.services.database, app.actor, 3)))
        detail = await until(pilot, lambda: isinstance(app.screen, ScanDetailScreen) and app.screen)
        await until(pilot, lambda: detail.query_one("#hosts", Table).row_count == 3)
        asked, go_on, read = asyncio.Event(), asyncio.Event(), app.services.scans.output

        async def slow(*arguments: Any) -> str:
            asked.set()
            await go_on.wait()
            return str(await read(*arguments))

        app.services.scans.output = slow
        app.post_message(events.Key("4", "4"))
        async with asyncio.timeout(30):
            await asked.wait()  # and not by the pilot, who waits for the screen, which waits here
        detail.query_one(TabbedContent).active = "tab-about"  # as a click does, which waits for no key
        go_on.set()
        about = await until(pilot, lambda: detail.query_one("#about", TextView))
        await until(pilot, lambda: about.lines and about.has_focus)


@nmap_test
async def test_open_ports_show_before_their_host_is_done_and_stopping_keeps_them(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str]
) -> None:
    async with servers(1, banner=b"") as ports, logged_in(size=(120, 40)) as (app, pilot):
        await start(app, pilot, until, "127.0.0.1", f"-sT -n -sV -p {ports[0]}")
        detail = await open_detail(app, pilot, until)
        assert await until(pilot, lambda: ports_of(detail)) == {ports[0]: "open"}
        assert detail._scan.state is JobState.RUNNING
        assert "partial" in screen_text(app)
        await pilot.press("x")
        await until(pilot, lambda: detail._scan.state is JobState.CANCELLED)
        assert ports_of(detail) == {ports[0]: "open"}
        assert detail.check_action("stop", ()) is None
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main" and scan_in(app).state is JobState.CANCELLED)
        assert "partial, 1 host" in screen_text(app)


@nmap_test
async def test_run_again_export_and_delete(logged_in: Any, until: Any, tmp_path: Path) -> None:
    async with servers(1) as ports, logged_in() as (app, pilot):
        await start(app, pilot, until, "127.0.0.1", f"-sT -n -p {ports[0]}")
        await until(pilot, lambda: scan_in(app).state is JobState.COMPLETED)
        await pilot.press("r")
        await until(pilot, lambda: scan_in(app).id == 2 and scan_in(app).state is JobState.COMPLETED)
        assert scan_in(app).arguments == scan_in(app, 1).arguments
        assert app.screen.query_one("#scans", Table).cursor_key == 2

        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Export) and app.screen.query_one("#path"))
        app.screen.query_one("#format", Select).value = "json"
        target = tmp_path / "out.json"
        app.screen.query_one("#path", Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        assert json.loads(target.read_text())["hosts"][0]["ports"][0]["number"] == ports[0]

        directory = app.services.paths.jobs / "scan-2"
        assert directory.is_dir()
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#cancel"))
        await pilot.press("escape")  # the harmless answer
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#yes"))
        app.screen.query_one("#yes", Button).press()
        await until(pilot, lambda: app.screen.id == "main" and scan_in(app).id == 1)
        await until(pilot, lambda: not directory.exists())


async def test_selected_hosts_are_exported_alone(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str], tmp_path: Path
) -> None:
    path = tmp_path / "three.xml"
    path.write_text(document("".join(host_xml(f"192.0.2.{number}") for number in (1, 2, 3))))
    async with logged_in(size=(120, 40)) as (app, pilot):
        await import_file(app, pilot, until, path)
        detail = await open_detail(app, pilot, until)
        hosts = detail.query_one("#hosts", Table)
        await until(pilot, lambda: hosts.row_count == 3 and hosts.cursor_row is not None)
        await pilot.press("space", "down", "space")
        await until(pilot, lambda: len(hosts.selected_keys) == 2)
        await pilot.press("2", "e")
        await until(pilot, lambda: isinstance(app.screen, Export) and app.screen.query_one("#path"))
        assert "Export the 2 selected hosts of scan 1" in screen_text(app)
        app.screen.query_one("#format", Select).value = "jsonl"
        target = tmp_path / "out.jsonl"
        app.screen.query_one("#path", Input).value = str(target)
        await pilot.press("enter")
        await until(pilot, target.exists)
        found = [json.loads(line)["address"] for line in target.read_text().splitlines()]
        assert found == ["192.0.2.1", "192.0.2.2"]


async def test_where_a_bare_name_goes_is_told_before_and_after(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "one.xml"
    path.write_text(document(host_xml("192.0.2.1")))
    async with logged_in(size=(80, 24)) as (app, pilot):
        await import_file(app, pilot, until, path)
        await until(pilot, lambda: scan_in(app).id == 1)
        await app.services.transfers.import_scan(app.actor, path, again=True)
        table = app.screen.query_one("#scans", Table)
        await until(pilot, lambda: table.row_count == 2)
        await pilot.press("space", "up", "space")
        await until(pilot, lambda: len(table.selected_keys) == 2)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Export) and app.screen.query_one("#path"))
        name, told = app.screen.query_one("#path", Input), app.screen.query_one("#whole-path", Static)
        assert not told.display, "the whole path is proposed"
        name.value = "~nobody-of-this-name/x.xml"  # no place of anybody: taken as it stands
        await until(pilot, lambda: str(told.content) == f"writes {tmp_path}/~nobody-of-this-name/x.xml")
        name.value = "out.xml"
        await until(pilot, lambda: told.display and str(told.content) == f"writes {tmp_path}/out.xml")
        await pilot.press("enter")
        await until(pilot, (tmp_path / "out-1.xml").exists)
        said = f"2 of 2 scans are written to {tmp_path}"
        await until(pilot, lambda: said in [one.message for one in app._notifications])


@pytest.mark.parametrize("format", SCAN_FORMATS)
async def test_every_format_can_be_chosen(
    logged_in: Any, until: Any, screen_text: Callable[[Any], str], tmp_path: Path, format: str
) -> None:
    path = tmp_path / "one.xml"
    path.write_text(document(host_xml("192.0.2.1")))
    async with logged_in(size=(80, 24)) as (app, pilot):
        await import_file(app, pilot, until, path)
        await open_detail(app, pilot, until)
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Export) and app.screen.query_one("#path"))
        app.screen.query_one("#format", Select).value = format
        name = app.screen.query_one("#path", Input)
        await until(pilot, lambda: name.value.endswith(f"/scan-1.{format}"))
        await pilot.press("enter")
        await until(pilot, Path(name.value).exists)
        assert "192.0.2.1" in (
            archived(Path(name.value)) if format == "tar" else Path(name.value).read_text()
        )


def archived(path: Path) -> str:
    with tarfile.open(path) as archive:
        (document,) = archive
        content = archive.extractfile(document).read()  # type: ignore[union-attr]
        return (gzip.decompress(content) if document.name.endswith(".gz") else content).decode()


@nmap_test
async def test_the_form_says_why_it_refuses(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await open_form(app, pilot, until)
        start_button = form.query_one("#start", Button)
        for targets, options, word in (
            ("-oN/tmp/x", "-F", "-oN/tmp/x"),
            ("127.0.0.1", "-oN /tmp/x", "-oN"),
            ("127.0.0.1", "--script /tmp/evil.nse", "runs a path"),
            ("0.0.0.0/0", "-F", "addresses"),
            ("", "-F", "No targets"),
        ):
            await fill(pilot, form, targets, options)
            await until(pilot, lambda word=word: word in said(app, "#preview"))
            assert start_button.disabled
            assert form.query_one("#preview").has_class("dialog--error")
            await pilot.press("enter")
            await pilot.pause()
            assert app.screen is form
        await fill(pilot, form, "127.0.0.1", "-F")
        await until(pilot, lambda: "127.0.0.1" in said(app, "#preview"))
        assert not start_button.disabled
        assert "1 address" in said(app, "#preview")
        await pilot.press("escape", "escape")  # the first says that what was typed would be lost
        await until(pilot, lambda: app.screen.id == "main")
        assert await app.services.scans.count(app.actor) == 0


@nmap_test
async def test_profile_and_options_stay_in_step(logged_in: Any, until: Any) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await open_form(app, pilot, until)
        select, options = form.query_one("#profile", Select), form.query_one("#options", Input)
        assert (select.value, options.value) == ("Quick scan", "-T4 -F")
        select.value = "Ping scan"
        await until(pilot, lambda: options.value == "-sn")
        options.value = "-sn --reason"
        await until(pilot, lambda: select.value == "")
        assert options.value == "-sn --reason"
        options.value = "  -T4   -F "
        await until(pilot, lambda: select.value == "Quick scan")
        assert options.value == "  -T4   -F "


async def test_hostile_text_is_shown_literally(
    logged_in: Any, until: Any, tmp_path: Path, screen_text: Callable[[Any], str]
) -> None:
    evil = "".join(HOSTILE)
    path = tmp_path / "[b]evil[@click=app.quit]x.xml"
    path.write_text(document(host_xml("192.0.2.7", name="[red]-oN/x", banner=evil)))
    async with logged_in(size=(120, 40)) as (app, pilot):
        await import_file(app, pilot, until, path)
        await until(pilot, lambda: scan_in(app).state is JobState.COMPLETED)
        assert "[b]evil[@click=app.quit]x.xml" in screen_text(app)
        detail = await open_detail(app, pilot, until)
        await until(pilot, lambda: ports_of(detail))
        await until(pilot, lambda: "[@click=app.quit]x[/]" in screen_text(app))
        shown = screen_text(app)
        assert "[red]-oN/x" in shown
        assert "\\u202egnp.exe" in shown
        for tab in "234":
            await pilot.press(tab)
            await pilot.pause()
            shown += screen_text(app)
        assert not [c for c in shown if ord(c) < 32 and c != "\n"]
        assert "\u202e" not in shown
        assert "\x9b" not in shown
        assert app.is_running


async def test_a_hostile_target_of_a_pivot_is_refused_by_the_form(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        app.screen.pane("scans").open_form(targets="-oN/x [b]")
        await until(pilot, lambda: isinstance(app.screen, ScanForm) and "-oN/x" in said(app, "#preview"))
        assert app.screen.query_one("#start", Button).disabled


async def test_a_damaged_file_is_refused_and_leaves_nothing(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    path = tmp_path / "notes.xml"
    path.write_text("<html><body>no scan</body></html>")
    async with logged_in() as (app, pilot):
        await import_file(app, pilot, until, path)
        await until(pilot, lambda: "not nmap XML" in toasts(app))
        assert await app.services.scans.count(app.actor) == 0


async def test_pivots_go_back_to_the_frame(logged_in: Any, until: Any, tmp_path: Path) -> None:
    path = tmp_path / "scan.xml"
    path.write_text(document(host_xml("192.0.2.7", "one") + host_xml("192.0.2.8", "two")))
    async with logged_in(size=(80, 24)) as (app, pilot):
        await import_file(app, pilot, until, path)
        detail = await open_detail(app, pilot, until)
        await until(pilot, lambda: detail.query_one("#hosts", Table).row_count == 2)
        await pilot.press("down")
        await until(pilot, lambda: detail._host_address == "192.0.2.8")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, ScanForm) and app.screen.query_one("#targets"))
        assert app.screen.query_one("#targets", Input).value == "192.0.2.8"
        assert app.screen_stack[-2].id == "main"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        app.push_screen(ScanDetailScreen(app.screen.session, 1, address="192.0.2.7"))
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, ScanDetailScreen)
                and app.screen.query_one("#hosts", Table).row_count == 1
            ),
        )
        await until(pilot, lambda: app.screen.query_one(HostView).host.address == "192.0.2.7")
        await pilot.press("escape")  # first the filter
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).row_count == 2)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.id == "main")
        await until(pilot, lambda: app.screen.query_one("#tabs", TabbedContent).active == "tab-hosts")


async def test_only_what_is_visible_is_loaded(logged_in: Any, until: Any, tmp_path: Path) -> None:
    path = tmp_path / "many.xml"
    path.write_text(document("".join(host_xml(f"10.9.{n // 250}.{n % 250 + 1}") for n in range(3_000))))
    async with logged_in(size=(80, 24)) as (app, pilot):
        await import_file(app, pilot, until, path)
        asked: list[int] = []
        real = app.services.scans.hosts

        async def counted(actor: Any, scan_id: int, window: Window, **options: Any) -> Any:
            asked.append(window.limit)
            return await real(actor, scan_id, window, **options)

        app.services.scans.hosts = counted
        detail = await open_detail(app, pilot, until)
        table = detail.query_one("#hosts", Table)
        await until(pilot, lambda: table.row_count == 3_000 and table.cursor_row is not None)
        await pilot.press("G")
        await until(pilot, lambda: detail._host_address == "10.9.11.250")
        await until(pilot, lambda: detail.query_one(HostView).host.address == "10.9.11.250")
        assert sum(asked) <= 800


async def test_a_viewer_may_look_but_not_start(logged_in: Any, until: Any) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        pane = app.screen.pane("scans")
        assert [pane.check_action(name, ()) for name in ("new", "stop", "import", "delete")] == [False] * 4
        await pilot.press("n")
        await pilot.pause()
        assert app.screen.id == "main"


@pytest.mark.parametrize("size", [(20, 5), (80, 24), (120, 40)], ids=str)
async def test_every_part_fits_or_at_least_does_not_raise(
    logged_in: Any, until: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "scan.xml"
    path.write_text(document(host_xml("192.0.2.7", "one", "a long banner " * 20)))
    async with logged_in(size=size) as (app, pilot):
        form = await open_form(app, pilot, until)
        if size[1] >= 24:
            button = form.query_one("#start").region
            assert button.bottom <= size[1]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await import_file(app, pilot, until, path)
        detail = await open_detail(app, pilot, until)
        await until(pilot, lambda: ports_of(detail))
        for key in ("z", "tab", "z", "z", "escape", "2", "enter", "3", "4", "5", "6", "p", "question_mark"):
            await pilot.press(key)
            await pilot.pause()
        await pilot.press("escape")
        assert app.is_running
