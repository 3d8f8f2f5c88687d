"""Display filters as a user types, completes, applies and keeps them, with sharkd and tshark as they are."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.widgets import Input

from netmon_tui.domain.capture import Capture, StartCapture
from netmon_tui.domain.capture_files import file_name
from netmon_tui.domain.job import JobState
from netmon_tui.domain.search import SavedSearch
from netmon_tui.runtime.display_filter import FilterRun
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.modals.packet_export import PacketExport
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from tests.bench.generate_pcap import generate
from tests.unit.tools.exchanges import ACK, PUSH, Made

pytestmark = [pytest.mark.lab, pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")]
COUNT = 3_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.pcap"
    generate(path, COUNT)
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """The data directory of the program, on a disk of 9 MiB; only inside the lab, whose mounts are its own."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=9m,mode=700", "none", str(data)], check=True, timeout=10
    )
    yield data
    subprocess.run(["umount", "--lazy", str(data)], check=True, timeout=10)


def fill(disk: Path, *, reserve: bool = False) -> None:
    """Leave no free byte on a disk, and without the reserve no page of the journal to write on."""
    if not reserve:
        (disk / "netmon.db-reserve").unlink(missing_ok=True)
        with closing(sqlite3.connect(disk / "netmon.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (disk / "ballast").open("ab", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


def matching(file: Path, text: str) -> list[int]:
    command = ["tshark", "-n", "-r", str(file), "-Y", text, "-T", "fields", "-e", "frame.number"]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True).stdout.split()]


def said(app: Any, name: str) -> str:
    return app.screen.query_one(f"#{name}", Figure).text


def shown(app: Any) -> int:
    return app.screen.query_one("#packets", Table).row_count


async def open_capture(app: Any, pilot: Any, until: Any, file: Path, interface: str = "lo") -> PacketBrowser:
    """Store a capture with this file, and open it."""
    services, actor = app.services, app.actor
    captures = CaptureRepository(services.database)
    number = await asyncio.to_thread(
        captures.create, actor, StartCapture(interface), filter="", jobs=services.paths.jobs
    )
    captures.update(number, state=JobState.COMPLETED.value)
    directory = captures.directory(number)
    directory.mkdir()
    name = file_name(numbered=False, pcapng=file.suffix == ".pcapng")
    (directory / name).write_bytes(file.read_bytes())
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
    await until(pilot, lambda: table.grid.has_focus and table.row_count)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
    await until(pilot, lambda: said(app, "packet-dissector") == "packet 1 by sharkd")
    return app.screen.query_one(PacketBrowser)


async def apply(app: Any, pilot: Any, until: Any, text: str) -> None:
    await pilot.press("d")
    line = app.screen.query_one("#display-filter", Input)
    await until(pilot, lambda: line.has_focus)
    line.value = text
    await pilot.press("enter")


async def test_packets_that_meet_a_filter_are_listed_and_escape_shows_all(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await apply(app, pilot, until, "dns && frame.len > 70")
        expected = matching(file, "dns && frame.len > 70")
        await until(pilot, lambda: shown(app) == len(expected) and not browser.is_busy())
        await until(pilot, lambda: browser.table.cursor_key == expected[0])
        assert browser.table.grid.has_focus
        assert said(app, "packet-count").startswith(f"{len(expected)} of 3")
        await pilot.press("end")
        await until(pilot, lambda: browser.table.cursor_key == expected[-1])
        browser.table.filter_by("!host74")
        left_out = matching(file, 'dns && frame.len > 70 && dns.qry.name contains "host74"')
        await until(pilot, lambda: left_out and shown(app) == len(expected) - len(left_out))
        browser.table.filter_by("")
        await pilot.press("escape")
        await until(pilot, lambda: shown(app) == COUNT)
        assert isinstance(app.screen, CaptureDetailScreen)


async def test_a_filter_whose_packets_we_word_otherwise_says_which_key_shows_tsharks_words(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made, answer = Made(), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
    for number, (at, data) in enumerate(((0, answer + b"begin"), (len(answer) + 5, b"-end")), 1):
        made.tcp((40_000, 80), ACK if number == 1 else PUSH, (1 + at, 1), data, back=True)
    path = tmp_path / "joined.pcap"
    path.write_bytes(made.data())
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, path)
        await apply(app, pilot, until, "http")
        await until(pilot, lambda: shown(app) == 1 and not browser.is_busy())

        def protocol() -> str:
            (row,) = browser.table.source.window(0, 1)
            return cell_text(row.cells[4]) if row else ""

        await until(pilot, lambda: protocol() == "TCP")
        await until(pilot, lambda: said(app, "packet-count") == "1 of 2 packets · P: tshark's words")
        await pilot.press("P")
        await until(pilot, lambda: protocol() == "HTTP")
        await until(pilot, lambda: said(app, "packet-count") == "1 of 2 packets")
        await pilot.press("P", "escape")
        await until(pilot, lambda: said(app, "packet-count") == "2 packets")


@pytest.mark.inside_lab
async def test_a_filter_that_cannot_be_remembered_is_applied_and_that_is_told_once(
    logged_in: Any, until: Any, file: Path, small_disk: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        fill(small_disk)
        for text in ("dns", "arp"):
            await apply(app, pilot, until, text)
            count = len(matching(file, text))
            await until(pilot, lambda n=count: shown(app) == n and not browser.is_busy())
        await until(pilot, lambda: not [one for one in app.workers if one.group == "note-filter"])
        told = [(one.title, one.message) for one in app._notifications]
        assert [title for title, _ in told] == ["Not remembered"], told
        assert "no space left" in told[0][1] and "free some space" in told[0][1]
        assert browser.filter_bar.recent[:2] == ["arp", "dns"], "this screen knows them all the same"


@pytest.mark.inside_lab
async def test_on_a_full_disk_a_filter_is_remembered_and_a_capture_deleted(
    logged_in: Any, until: Any, file: Path, small_disk: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        fill(small_disk, reserve=True)
        await apply(app, pilot, until, "dns")
        await until(pilot, lambda: shown(app) == len(matching(file, "dns")) and not browser.is_busy())
        recent = await app.services.filters.recent(app.actor)
        assert recent == ["dns"] and not app._notifications
        await pilot.press("escape", "escape")
        table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
        await until(pilot, lambda: table.grid.has_focus and table.row_count == 1)
        fill(small_disk, reserve=True)
        await pilot.press("delete")
        await until(pilot, lambda: app.screen.query_one("#yes"))
        await pilot.click("#yes")
        await until(pilot, lambda: table.row_count == 0)
        assert not list((small_disk / "jobs").iterdir())


async def test_after_a_filter_was_left_one_types_at_the_end_of_that_before(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await apply(app, pilot, until, "dns")
        await until(pilot, lambda: browser.filter_bar.text == "dns" and browser.table.grid.has_focus)
        line = app.screen.query_one("#display-filter", Input)
        for keys in (("ctrl+u", "a"), ("X",)):  # the second time what is typed shows where the cursor was
            await pilot.press("d")
            await until(pilot, lambda: line.has_focus)
            await pilot.press(*keys)
            typed = line.value
            await pilot.press("escape")
            await until(pilot, lambda: browser.table.grid.has_focus and line.value == "dns")
        assert typed == "dnsX"


async def test_a_wrong_filter_says_why_while_it_is_typed_and_shows_nothing_else(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in((80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await pilot.press("d", *"tcp.prt")
        await until(pilot, lambda: "tcp.prt is neither" in said(app, "display-words"))
        assert browser.filter_bar.has_class("-invalid")
        await pilot.press("enter")
        await pilot.press(*["backspace"] * 3, *"port")
        await until(pilot, lambda: browser.filter_bar.has_class("-valid"))
        assert shown(app) == COUNT
        await pilot.press("escape")
        await until(pilot, lambda: browser.table.grid.has_focus)
        assert shown(app) == COUNT and not browser.filter_bar.display


@pytest.mark.parametrize(
    ("text", "word", "helps"),
    [
        ("udp or tcp.port = 80", "= 80", "write == to compare"),
        ("tcp.prt == 80", "tcp.prt", "must be a field"),
        ("ip.addr == localhost", "localhost", ""),
        ("  udp or tcp.prt == 80", "tcp.prt", "must be a field"),
    ],
)
async def test_a_mark_stands_under_what_is_wrong(
    logged_in: Any, until: Any, screen_text: Any, file: Path, text: str, word: str, helps: str
) -> None:
    async with logged_in(size=(120, 30)) as (app, pilot):
        await open_capture(app, pilot, until, file)
        await pilot.press("d")
        line = app.screen.query_one("#display-filter", Input)
        await until(pilot, lambda: line.has_focus)
        line.value = text
        await until(pilot, lambda: "^ " in said(app, "display-words") and helps in said(app, "display-words"))
        await pilot.pause()
        lines = screen_text(app).split("\n")
        (row,) = [number for number, shown in enumerate(lines) if text in shown]
        assert lines[row + 1].index("^") == lines[row].index(word, lines[row].index(text))
        line.value = "udp or " * 13 + text
        await until(pilot, lambda: "character" in said(app, "display-words"))
        await pilot.press("enter")
        await until(pilot, lambda: "at character" in said(app, "display-words"))


async def test_what_is_wrong_is_told_whole_in_two_lines_where_one_is_too_short(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await open_capture(app, pilot, until, file)
        await pilot.press("d")
        line = app.screen.query_one("#display-filter", Input)
        await until(pilot, lambda: line.has_focus)
        line.value = "ip.addr == 10.77.0.13 && udp.prt == 7"
        for _ in range(2):
            await until(
                pilot, lambda: said(app, "display-words") and "udp.prt" in said(app, "display-offers")
            )
            assert not any("…" in said(app, name) for name in ("display-words", "display-offers"))
            await pilot.press("enter")
        line.value = "udp"
        await until(pilot, lambda: app.screen.query_one("#display-filter-bar").has_class("-valid"))
        assert "must be" not in said(app, "display-offers")


async def test_tab_completes_names_in_turn(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        await open_capture(app, pilot, until, file)
        await pilot.press("d", *"ip && tcp.por")
        await until(pilot, lambda: said(app, "display-offers").startswith("tcp.port"))
        await pilot.press("tab")
        assert app.screen.query_one("#display-filter", Input).value == "ip && tcp.port"


async def test_tab_completes_no_word_but_that_which_names_are_offered_for(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in() as (app, pilot):
        await open_capture(app, pilot, until, file)
        await pilot.press("d", *"tcp.po")
        await until(pilot, lambda: said(app, "display-offers").startswith("tcp.port"))
        await pilot.press("space", "&", "&", "space", *"ip.sr", "tab")
        line = app.screen.query_one("#display-filter", Input)
        assert line.value.startswith("tcp.po && ip.sr")
        await until(pilot, lambda: said(app, "display-offers").startswith("ip.src"))
        await pilot.press("home", *["right"] * len("tcp.po"), "tab")
        assert line.value.startswith("tcp.po && ip.sr")
        await until(pilot, lambda: said(app, "display-offers").startswith("tcp.port"))
        await pilot.press("tab")
        assert line.value.startswith("tcp.port && ip.sr"), "names are offered where the cursor is"


async def test_who_leaves_applies_nothing(logged_in: Any, until: Any, file: Path) -> None:
    """A filter is looked at before it is applied, which takes its time."""
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        bar, check, may_answer = browser.filter_bar, browser._check, asyncio.Event()

        async def held(text: str) -> str:
            await may_answer.wait()
            return await check(text)

        def applying() -> int:
            return sum(worker.group == "apply-filter" for worker in app.workers)

        async def answered() -> None:
            may_answer.set()
            await until(pilot, lambda: not applying())
            await pilot.pause()
            assert bar.text == "" and not bar.display and shown(app) == COUNT
            may_answer.clear()

        bar._check = held
        await apply(app, pilot, until, "arp")
        await until(pilot, applying)
        await pilot.press("escape")
        await answered()
        await until(pilot, lambda: browser.table.grid.has_focus)
        bar.put("arp", apply=True)
        await until(pilot, applying)
        browser.show_everything()
        await answered()


async def test_a_field_becomes_a_filter(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        tree = browser.query_one(PacketTree)
        tree.table.focus()
        await until(pilot, lambda: tree.table.move_to_key((("tcp", 0),)))
        await pilot.press("equals_sign")
        await until(pilot, lambda: shown(app) == len(matching(file, "tcp")) and not browser.is_busy())
        tree.table.focus()
        await until(pilot, lambda: tree.table.move_to_key((("tcp", 0),)))
        await pilot.press("right")
        wanted = next(node for node in tree._by_path.values() if node.name == "tcp.dstport")
        tree.table.move_to_key(wanted.path)
        await pilot.press("exclamation_mark")
        text = f"tcp && !({wanted.filter})"
        await until(pilot, lambda: browser.filter_bar.text == text)
        await until(pilot, lambda: shown(app) == len(matching(file, text)) and not browser.is_busy())


async def test_a_stream_of_a_window_is_no_filter_and_one_of_the_whole_file_is(
    logged_in: Any, until: Any, file: Path
) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        tree = browser.query_one(PacketTree)
        await until(pilot, lambda: said(app, "packet-window") == "W: all; streams in 1-400")
        tree.post_message(PacketTree.FilterAsked("tcp.stream == 0", "only"))
        await until(pilot, lambda: any("W loads" in str(one.message) for one in app._notifications))
        assert not browser.filter_bar.text
        await pilot.press("W")
        await until(pilot, lambda: tree.detail is not None and tree.detail.window is None)
        assert said(app, "packet-window") == ""
        tree.post_message(PacketTree.FilterAsked("tcp.stream == 0", "only"))
        await until(pilot, lambda: browser.filter_bar.text == "tcp.stream == 0")


async def test_what_a_window_means_has_room_over_the_fields(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        tree = browser.query_one(PacketTree)
        await until(pilot, lambda: said(app, "packet-window").endswith("in 1-400"))
        assert tree.detail is not None
        tree.show(replace(tree.detail, window=(99_999_600, 99_999_999)))
        line = tree.query_one("#packet-window", Figure)
        assert "W: all" in line.text
        assert cell_len(line.text) <= line.content_size.width


async def slice_of_shown(app: Any, pilot: Any, until: Any) -> Capture:
    """Make a capture of what the form offers first, and return it."""
    screen, service, actor = app.screen, app.services.capturing, app.actor
    before = await service.count(actor)
    await pilot.press("w")
    await until(
        pilot, lambda: isinstance(app.screen, PacketExport) and app.screen.query_one("#path").has_focus
    )
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is screen)
    async with asyncio.timeout(20):
        while await service.count(actor) == before:
            await pilot.pause()
    made: Capture = max(await service.find(actor), key=lambda one: one.id)
    return made


async def test_escape_stops_tshark_and_keeps_what_was_found(
    logged_in: Any, until: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long, numbers = tmp_path / "long.pcap", FilterRun.numbers
    generate(long, 150_000)

    async def read_no_further(run: FilterRun) -> AsyncGenerator[list[int], None]:
        """Let tshark wait in the middle of the file: its pipe is full, however slow the keys are."""
        found = 0
        async with aclosing(numbers(run)) as batches:
            async for batch in batches:
                yield batch
                found += len(batch)
                if found > 5_000:
                    await asyncio.Event().wait()

    monkeypatch.setattr(FilterRun, "numbers", read_no_further)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, long)
        await apply(app, pilot, until, "tcp")
        await until(pilot, lambda: shown(app) > 5_000 and browser.table.grid.has_focus and browser.is_busy())
        found = shown(app)
        made = await slice_of_shown(app, pilot, until)
        assert made.source.startswith("shown in the first ") and made.source.endswith("% by tcp"), "so far"
        assert made.counters.packets == found
        await pilot.press("escape")
        await until(pilot, lambda: "stopped at" in said(app, "packet-count"))
        assert 0 < shown(app) < 150_000 * 0.62
        percent = said(app, "packet-count").rpartition("stopped at ")[2].split()[0]
        assert percent != "0%"
        found = shown(app)
        await until(pilot, lambda: not browser.is_busy())
        made = await slice_of_shown(app, pilot, until)
        assert made.source == f"shown in the first {percent} by tcp", (
            "what was not looked through is not in it"
        )
        assert made.counters.packets == found
        await pilot.press("escape")
        await until(pilot, lambda: shown(app) == 150_000)


async def test_filters_are_kept_recalled_and_chosen(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        await apply(app, pilot, until, "arp")
        await until(pilot, lambda: shown(app) == len(matching(file, "arp")))
        service, actor = app.services.filters, app.actor
        async with asyncio.timeout(20):
            while await service.recent(actor) != ["arp"]:
                await asyncio.sleep(0.02)
        saved: SavedSearch = await service.save(actor, "names", "dns")
        assert saved.text == "dns"
        await pilot.press("d")
        line = app.screen.query_one("#display-filter", Input)
        await until(pilot, lambda: line.has_focus)
        line.value = ""
        await pilot.press(*"ip", "down")
        assert line.value == "ip", "there is no later one"
        await pilot.press("up")
        assert line.value == "arp"
        await pilot.press("down")
        assert line.value == "ip", "what was typed comes back"
        await pilot.press("ctrl+o")
        table = await until(pilot, lambda: app.screen.query_one("#filters", Table))
        await until(pilot, lambda: table.row_count == 2)
        await pilot.press("enter")
        await until(pilot, lambda: line.value == "dns" and isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("enter")
        await until(pilot, lambda: browser.filter_bar.text == "dns")


async def test_a_killed_sharkd_is_not_noticed(logged_in: Any, until: Any, file: Path) -> None:
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        assert browser._packets is not None
        running = browser._packets._dissector._sharkd
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        await pilot.press("down")
        await until(pilot, lambda: said(app, "packet-dissector") == "packet 2 by sharkd")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, CaptureDetailScreen))


async def test_a_filter_keeps_the_place_and_gives_it_back(logged_in: Any, until: Any, file: Path) -> None:
    expected = matching(file, "dns && frame.len > 70")
    place = expected[len(expected) // 2] - 1
    near = next(number for number in expected if number >= place)
    async with logged_in() as (app, pilot):
        browser = await open_capture(app, pilot, until, file)
        table = browser.table

        async def begin(text: str, found: int) -> None:
            await apply(app, pilot, until, text)
            await until(pilot, lambda: shown(app) == found and not browser.is_busy() and table.grid.has_focus)

        async def show_all() -> None:
            await pilot.press("escape")
            await until(pilot, lambda: shown(app) == COUNT)

        browser.go_to(place)
        await until(pilot, lambda: table.cursor_key == place)
        await begin("dns && frame.len > 70", len(expected))
        await until(pilot, lambda: table.cursor_key == near)
        await begin(f"frame.number < {place - 10}", place - 11)  # no match after the place
        await until(pilot, lambda: table.cursor_key == place - 11)
        await begin("frame.number == 0", 0)
        await show_all()
        await until(pilot, lambda: table.cursor_key == place)

        await begin("dns && frame.len > 70", len(expected))
        await pilot.press("home")  # who goes elsewhere stays there
        await until(pilot, lambda: table.cursor_key == expected[0])
        await show_all()
        await until(pilot, lambda: table.cursor_key == expected[0])
