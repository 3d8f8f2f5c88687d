"""The catalogue on screen: files in, labels, parts, merges, what is known of one, and what is handed on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Select, Static, TextArea

from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_choice import PacketChoice
from netmon_tui.domain.job import JobState
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.modals.capture_about import CaptureAbout
from netmon_tui.ui.modals.capture_labels import CaptureLabelForm
from netmon_tui.ui.modals.file_picker import FilePicker
from netmon_tui.ui.modals.help import Help
from netmon_tui.ui.modals.import_report import ImportReport
from netmon_tui.ui.modals.packet_export import PacketExport
from netmon_tui.ui.rendering import when
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.capture_header import CaptureHeader
from netmon_tui.ui.widgets.key_line import KeyLine
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick
from tests.pilot.conftest import screen_text
from tests.unit.services.test_capture_catalogue import pcap, pcapng, raws
from tests.unit.tools.test_packet_masking import A4


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program is started, with two captures and a text."""
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.pcap").write_bytes(pcap(raws()))
    (folder / "b.pcapng").write_bytes(pcapng(raws(start=1_800_000_000_000_000_000)))
    (folder / "c.txt").write_text("hello")
    monkeypatch.chdir(folder)
    return folder


HEADINGS = ("Here", "In the fields, after a search, with marks", "In every list", "Everywhere")


def listed(app: Any) -> list[tuple[str, ...]]:
    table = app.screen.query_one("#captures", Table)
    rows = table.source.window(0, table.row_count)
    return [tuple(map(cell_text, row.cells)) if row else () for row in rows]


async def captures(app: Any, pilot: Any, until: Any, folder: Path, *names: str) -> None:
    """Import files as the services do, and show the list."""
    for name in names:
        await app.services.catalogue.import_file(app.actor, folder / name)
    await pilot.press("3")
    await until(pilot, lambda: len(listed(app)) == len(names) and all(listed(app)))
    await until(pilot, lambda: app.screen.query_one("#captures", Table).grid.has_focus)


async def test_files_are_imported_from_the_list(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in() as (app, pilot):
        await captures(app, pilot, until, folder)
        await pilot.press("i")
        await until(
            pilot, lambda: isinstance(app.screen, FilePicker) and app.screen.query_one(Table).row_count == 4
        )
        await pilot.press("down", "down", "space", "down", "space", "down", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, ImportReport))
        await until(pilot, lambda: "is capture" in screen_text(app))
        assert "2 of 3 files imported" in screen_text(app)
        assert "is no pcap or pcapng file" in screen_text(app)
        await pilot.press("escape")
        await until(
            pilot, lambda: app.screen.query("#captures") and len(listed(app)) == 2 and all(listed(app))
        )


async def test_labels_are_typed_and_found(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap", "b.pcapng")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, CaptureLabelForm))
        form = app.screen
        form.query_one("#tags", Input).value = "web, two!words"
        await pilot.press("enter")
        await until(pilot, lambda: "is no tag" in screen_text(app))
        form.query_one("#tags", Input).value = "Web slow"
        form.query_one("#note", TextArea).text = "one\ntwo"
        form.query_one("#kept", Tick).value = True
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.query("#captures"))
        found = await app.services.capturing.get(app.actor, 2)
        assert (found.tags, found.note, found.kept) == (("slow", "web"), "one\ntwo", True)
        await pilot.press("slash", *"tag:web", "enter")
        await until(pilot, lambda: [row[0] for row in listed(app) if row] == ["2"])


async def test_selected_captures_become_one(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in() as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap", "b.pcapng")
        await pilot.press("m")
        await pilot.press("space", "down", "space", "m")
        await until(pilot, lambda: len(listed(app)) == 3 and all(listed(app)))
        made = await app.services.capturing.get(app.actor, 3)
        assert (made.parents, made.counters.packets) == ((1, 2), 110)


async def open_capture(app: Any, pilot: Any, until: Any) -> Table:
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
    table: Table = app.screen.query_one("#packets", Table)
    await until(pilot, lambda: table.row_count == len(raws()) and table.cursor_row is not None)
    return table


async def test_a_marked_range_becomes_a_capture(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        table = await open_capture(app, pilot, until)
        table.move_to_key(5)
        await until(pilot, lambda: table.cursor_key == 5)
        await pilot.press("M", "up", "up", "M")
        await until(pilot, lambda: "part 3 to 5" in screen_text(app))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, PacketExport))
        app.screen.query_one("#path", Input).value = "the part"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: "Capture 2 has 3 packets" in screen_text(app))
        made = await app.services.capturing.get(app.actor, 2)
        assert (made.name, made.lineage) == ("the part", "slice of capture 1: packets 3 to 5")
        assert await asyncio.to_thread(Path(made.files[0].path).read_bytes) == pcap(raws()[2:5])


async def test_what_the_filter_shows_is_exported_without_addresses(
    logged_in: Any, until: Any, folder: Path
) -> None:
    async with logged_in() as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        table = await open_capture(app, pilot, until)
        await pilot.press("slash", *"HTTP", "enter")
        await until(pilot, lambda: 0 < table.row_count < len(raws()))
        await until(pilot, lambda: "looked through" not in screen_text(app))
        shown = table.row_count
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, PacketExport))
        dialog, path = app.screen, folder / "out.pcap"
        assert "shown by /HTTP" in screen_text(app)
        dialog.query_one("#anonymise", Tick).value = True
        await until(pilot, lambda: "Not hidden" in screen_text(app))
        proposed = dialog.query_one("#path", Input)
        assert Path(proposed.value).name == "capture-1-anonymised.pcap"
        dialog.query_one("#format", Select).value = "pcapng"
        await until(pilot, lambda: proposed.value.endswith("/capture-1-anonymised.pcapng"))
        dialog.query_one("#anonymise", Tick).value = False
        await until(pilot, lambda: proposed.value.endswith("/capture-1.pcapng"))
        assert not dialog.query_one("#whole-path").display, "it is what is typed"
        proposed.value = "mine"
        told = dialog.query_one("#whole-path", Static)
        await until(pilot, lambda: told.display and str(told.content) == f"writes {Path.cwd() / 'mine'}")
        dialog.query_one("#anonymise", Tick).value = True
        await until(pilot, lambda: "Not hidden" in screen_text(app))
        assert proposed.value == "mine"
        dialog.query_one("#format", Select).value = "pcap"
        dialog.query_one("#path", Input).value = str(path)
        dialog.query_one("#path").focus()
        await pilot.press("enter")
        await until(pilot, path.is_file)
        data = await asyncio.to_thread(path.read_bytes)
        assert A4 not in data and b"GET" not in data
        (back,) = await app.services.catalogue.import_file(app.actor, path)
        assert back.counters.packets == shown


async def test_about_has_what_fetches_it(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, CaptureAbout))
        await until(pilot, lambda: "capture stream 1" in screen_text(app))
        assert "import of a.pcap" in screen_text(app) and "SHA-256" in screen_text(app)
        copied: list[str] = []
        app.copy_to_clipboard = copied.append
        await pilot.press("y")
        assert copied[0].splitlines()[0].startswith("scp ")


async def test_the_head_of_what_was_made_is_short_and_tells_it_once(
    logged_in: Any, until: Any, folder: Path
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        parts = [PacketChoice(first=first, last=first + 2) for first in (1, 4)]
        names = [(await app.services.catalogue.slice(app.actor, 1, part)).name for part in parts]
        assert names == ["a.pcap, packets 1 to 3", "a.pcap, packets 4 to 6"]
        titles = {
            1: "Capture 1 · a.pcap · import",
            2: "Capture 2 · a.pcap, packets 1 to 3 · slice of capture 1",
        }
        for number, title in titles.items():
            app.push_screen(CaptureDetailScreen(app.screen.session, number))
            header = await until(pilot, lambda: app.screen.query_one(CaptureHeader))
            await until(pilot, lambda title=title: screen_text(app).splitlines()[0].strip().startswith(title))
            await until(pilot, lambda: "drops unknown · packets from" in screen_text(app).splitlines()[2])
            assert header.size.height == 3
            await pilot.press("escape")


async def test_a_narrow_list_tells_names_and_drops(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        await app.services.catalogue.slice(app.actor, 1, PacketChoice(first=1, last=3))
        repository = CaptureRepository(app.services.database)
        request = StartCapture("lo", name="office")
        await asyncio.to_thread(
            repository.create, app.actor, request, filter="", jobs=app.services.paths.jobs
        )
        repository.update(3, state=JobState.COMPLETED.value, dropped=7)

        def words() -> list[tuple[str, str]]:
            return [(row[2], row[5]) for row in listed(app)]

        whole = [('"office"', "✓ done, drops"), ('"a.pcap, packets 1 to 3" · slice of capture 1', "✓ done")]
        await until(pilot, lambda: words() == [*whole, ('"a.pcap" · import', "✓ done")])
        await until(pilot, lambda: "done, drops" in screen_text(app))
        await pilot.resize_terminal(160, 40)
        lineages = ["", "slice of capture 1: packets 1 to 3", "import of a.pcap"]
        await until(pilot, lambda: [row[2] for row in listed(app)] == lineages)


async def test_a_narrow_list_tells_rates_and_starts(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder)
        repository, begun = CaptureRepository(app.services.database), datetime.now(UTC)
        for number, state in ((1, JobState.COMPLETED), (2, JobState.RUNNING)):
            request = StartCapture("lo")
            await asyncio.to_thread(
                repository.create, app.actor, request, filter="", jobs=app.services.paths.jobs
            )
            repository.update(number, state=state.value, started=begun)
        await until(pilot, lambda: [row[-1] for row in listed(app)] == ["0 p/s", when(begun, begun)])
        await until(pilot, lambda: "0 p/s" in screen_text(app) and when(begun, begun) in screen_text(app))
        await pilot.resize_terminal(170, 40)
        await until(pilot, lambda: [row[-1] for row in listed(app)] == [when(begun, begun)] * 2)
        await until(pilot, lambda: [row[8] for row in listed(app)] == ["0 p/s", ""])


async def test_nobody_tells_drops_of_an_imported_file(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(170, 40)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        ((*_, dropped, files, _, _),) = listed(app)
        assert (dropped, files) == ("", "1")


async def test_the_keys_of_an_open_capture_at_80_columns(logged_in: Any, until: Any, folder: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await captures(app, pilot, until, folder, "a.pcap")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))

        def line() -> dict[str, bool]:
            return {key.display: key.enabled for key in app.screen.query_one(KeyLine).keys}

        await until(pilot, lambda: {"A", "T"} <= line().keys())
        assert "x" not in line()  # it has ended, and never goes on
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help))
        rows = screen_text(app).splitlines()
        assert rows[1].strip("│ ") == "Here"  # the keys come first
        told = str(app.screen.query_one("#help-keys", Static).visual).splitlines()
        assert {
            key: sum(row.startswith(f"  {key}  ") for row in told) for key in "=&!+nN.,;"
        } == dict.fromkeys("=&!+nN.,;", 1)
        # what is broken goes on below its own words
        assert all(row.startswith(("  ", " " * 12)) for row in told if row and row not in HEADINGS)
        assert any(row.startswith(" " * 12) for row in told)
        assert max(map(len, told)) <= 74
