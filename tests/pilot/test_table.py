"""The table as a user meets it: keys, mouse, filter, order, columns, placeholders, hostile text, few repaints."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.filter import LineFilter
from textual.geometry import Region
from textual.message import Message
from textual.pilot import Pilot

from netmon_tui.domain.window import Window
from netmon_tui.errors import StorageError
from netmon_tui.ui.line_filter import HostileLineFilter
from netmon_tui.ui.rendering import ASCII_CLASS
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row, RowSource
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.table_grid import TableGrid
from netmon_tui.ui.widgets.window_source import WindowSource

STYLES = Path(__file__).parents[2] / "styles" / "table.tcss"
COLUMNS = (
    Column("address", "Address", width=16, priority=0),
    Column("name", "Name", minimum=8, share=2, priority=1),
    Column("state", "State", width=8, priority=2),
    Column("count", "Count", width=7, align="right", priority=3),
)
KEYS = [column.key for column in COLUMNS]
HOSTILE = [
    *(
        "a[/]b",
        "[/nope]",
        "[link=https://e/]",
        "[b + c",
        "[$primary]",
        '{"b": [true, false]}',
        "[@click=app.quit]x[/]",
    ),
    *("\x1b]52;c;aGk=\x07", "\x1b[c", "\x1b]0;title", "\x9b31m", "A\u202eB", "\udcff", "\0", "\u2028"),
    *("x" * 1_000_000, "漢" * 300_000, "e" + "\u0301" * 300, "line\nline\r\n" * 50_000),
]


def row(number: int, state: str = "up", count: str = "") -> Row:
    return Row(number, (f"192.0.2.{number}", f"host-{number}", Cell(state, "success"), count or str(number)))


def memory(total: int) -> MemorySource:
    return MemorySource(KEYS, [row(number) for number in range(total)])


class TableApp(App[None]):
    """A table and nothing else; the wall is up as in the real application unless it is to be tested without."""

    CSS_PATH = STYLES

    def __init__(self, source: RowSource | None = None, *, wall: bool = True) -> None:
        super().__init__()
        self._walls = [HostileLineFilter()] if wall else []
        self.table = Table(COLUMNS, source=source, empty_text="No scans yet. Press n", id="hosts")
        self.heard: list[Message] = []
        self.clipboards: list[str] = []

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), *self._walls]

    def compose(self) -> ComposeResult:
        yield self.table

    def copy_to_clipboard(self, text: str) -> None:
        self.clipboards.append(text)

    def on_table_opened(self, event: Table.Opened) -> None:
        self.heard.append(event)

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        self.heard.append(event)

    def on_table_selection_changed(self, event: Table.SelectionChanged) -> None:
        self.heard.append(event)

    def on_table_filter_changed(self, event: Table.FilterChanged) -> None:
        self.heard.append(event)

    def on_table_sort_changed(self, event: Table.SortChanged) -> None:
        self.heard.append(event)

    def on_table_choose_columns(self, event: Table.ChooseColumns) -> None:
        self.heard.append(event)

    def of(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.heard if type(message) is kind]

    def lines(self) -> list[str]:
        """What is on the screen, without the scrollbar."""
        width, height = self.size
        strips = self.screen._compositor.render_strips()
        return ["".join(s.text for s in strip.crop(0, width - 1)) for strip in strips[:height]]

    def first_cells(self) -> list[str]:
        return [line[1:].split()[0] for line in self.lines()[1:] if line[1:].strip()]


async def settled(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


async def test_rows_columns_and_cursor_are_where_they_belong() -> None:
    app = TableApp(memory(3))
    async with app.run_test(size=(60, 8)) as pilot:
        await settled(pilot)
        lines = app.lines()
        assert lines[0].split() == ["Address", "Name", "State", "Count"]
        assert lines[1].startswith("▌192.0.2.0") and lines[2].startswith(" 192.0.2.1")
        assert lines[3].rstrip().endswith(" 2") and len(lines[3].rstrip()) == len(lines[0].rstrip())
        assert lines[4].strip() == ""
        assert app.focused is app.table.grid
        assert app.table.cursor_key == 0 and app.table.row_count == 3
        assert [message.key for message in app.of(Table.Highlighted)] == [0]
        assert app.heard[0].control is app.table


async def test_keys_move_the_cursor_and_say_so() -> None:
    app = TableApp(memory(100))
    async with app.run_test(size=(60, 11)) as pilot:
        await settled(pilot)
        visited = []
        for key in ("down", "j", "k", "up", "pagedown", "pageup", "end", "home", "G", "g", "up", "pagedown"):
            await pilot.press(key)
            visited.append(app.table.cursor_key)
        assert visited == [1, 2, 1, 0, 10, 0, 99, 0, 99, 0, 0, 10]
        assert app.first_cells()[0] == "192.0.2.10", "a page down moves the window too"
        await pilot.press("enter")
        assert [message.key for message in app.of(Table.Opened)] == [10]
        assert app.of(Table.Highlighted)[-1].key == 10


async def test_keys_can_be_remapped_by_id() -> None:
    app = TableApp(memory(5))
    async with app.run_test(size=(60, 8)) as pilot:
        app.set_keymap({"table.down": "f5"})
        await pilot.press("f5", "f5", "j")
        assert app.table.cursor_key == 2
        bindings = (*TableGrid.BINDINGS, *Table.BINDINGS)
        assert all(binding.id and binding.id.startswith("table.") for binding in bindings)


async def test_space_selects_and_survives_order_and_filter() -> None:
    app = TableApp(memory(5))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.press("space", "down", "space", "down", "space", "space")
        assert app.table.selected_keys == {0, 1}
        assert app.of(Table.SelectionChanged)[-1].keys == {0, 1}
        app.table.sort_by("address", reverse=True)
        await settled(pilot)
        assert [line[0] for line in app.lines()[1:6]] == [" ", " ", "▌", "•", "•"]
        assert app.table.cursor_key == 2


async def test_mouse_moves_sorts_opens_and_scrolls() -> None:
    app = TableApp(memory(50))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.click("#hosts", offset=(30, 3))
        assert app.table.cursor_key == 2
        await pilot.click("#hosts", offset=(3, 0))
        await settled(pilot)
        await pilot.click("#hosts", offset=(3, 0))
        await settled(pilot)
        assert app.table.grid.sort == ("address", True)
        assert "Address ▼" in app.lines()[0]
        await pilot.click("#hosts", offset=(3, 2), times=2)
        assert len(app.of(Table.Opened)) == 1
        before = app.table.grid.top
        app.table.grid.scroll_relative(y=-3, animate=False)
        await pilot.pause()
        assert app.table.grid.top == before - 3


async def test_order_follows_the_column_cursor() -> None:
    app = TableApp(memory(30))
    async with app.run_test(size=(60, 8)) as pilot:
        await pilot.press("l", "l", "l", "o")
        await settled(pilot)
        assert app.table.grid.sort == ("count", False) and "Count ▲" in app.lines()[0]
        await pilot.press("O")
        await settled(pilot)
        assert app.table.grid.sort == ("count", True)
        assert app.table.cursor_key == 0 and app.table.grid.cursor == 29, "the cursor stays on its row"
        assert any(line.startswith("▌192.0.2.0 ") for line in app.lines()), "and in sight"
        await pilot.press("o")
        await settled(pilot)
        assert app.table.grid.sort == ("address", False), "the next column comes round"
        assert [message.column_key for message in app.of(Table.SortChanged)] == ["count", "count", "address"]


async def test_filter_as_you_type_inverts_clears_and_stays() -> None:
    app = TableApp(memory(30))
    async with app.run_test(size=(60, 12)) as pilot:
        await pilot.press("slash", *"host-2")
        await settled(pilot)
        assert app.table.row_count == 11 and app.table.filter_text == "host-2"
        assert app.lines()[0].strip() == "host-2"
        await pilot.press("enter", "down", "j")
        assert app.focused is app.table.grid and app.table.cursor_key == 21
        await pilot.press("slash", "home", "!")
        await settled(pilot)
        assert app.table.row_count == 19
        await pilot.press("escape")
        await settled(pilot)
        assert app.table.row_count == 30 and app.focused is app.table.grid
        assert app.lines()[0].split()[0] == "Address", "the filter line is gone"
        assert app.of(Table.FilterChanged)[-1].text == ""
        await pilot.press("slash", *"zzz", "enter")
        await settled(pilot)
        assert any("No row matches" in line for line in app.lines())
        assert app.of(Table.Highlighted)[-1].key is None
        await pilot.press("escape")
        await settled(pilot)
        assert app.table.row_count == 30


async def test_columns_drop_when_narrow_and_are_chosen() -> None:
    app = TableApp(memory(3))
    async with app.run_test(size=(80, 8)) as pilot:
        await settled(pilot)
        assert app.table.visible_columns == tuple(KEYS)
        await pilot.resize_terminal(36, 8)
        await settled(pilot)
        assert app.table.visible_columns == ("address", "name", "state")
        app.table.toggle_column("count")
        await pilot.pause()
        assert app.table.visible_columns == ("address", "name", "count")
        app.table.toggle_column("name")
        await pilot.pause()
        assert "name" not in app.table.visible_columns and "Name" not in app.lines()[0]
        await pilot.press("C")
        assert len(app.of(Table.ChooseColumns)) == 1


async def test_copy_is_clean_and_bounded() -> None:
    source = MemorySource(
        KEYS, [Row(1, ("192.0.2.1", "evil\x1b]52;c;x\x07", "up", "7")), Row(2, ("x" * 60_000, "", "", ""))]
    )
    app = TableApp(source)
    async with app.run_test(size=(60, 8), notifications=True) as pilot:
        await pilot.press("l", "y", "Y", "down", "h", "y")
        assert app.clipboards == [r"evil\x1b]52;c;x\x07", "192.0.2.1\tevil\\x1b]52;c;x\\x07\tup\t7"]
        assert any("Too long" in toast.message for toast in app._notifications)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
async def test_the_gate_alone_shows_hostile_text_and_never_obeys_it(text: str) -> None:
    source = MemorySource(
        KEYS, [Row(1, (text, text, Cell(text, "error"), "1")), Row(2, ("after", "", "", "2"))]
    )
    app = TableApp(source, wall=False)
    async with app.run_test(size=(80, 8)) as pilot:
        await settled(pilot)
        strips = app.screen._compositor.render_strips()
        for strip in strips:
            assert not any(segment.control for segment in strip)
            assert "".join(segment.text for segment in strip).isprintable()
            assert not any(segment.style and (segment.style.link or segment.style.meta) for segment in strip)
        lines = app.lines()
        assert all(cell_len(line) == 79 for line in lines)
        assert lines[1].rstrip().endswith("1") and lines[2].startswith(" after")
        if len(text) < 14 and text.isprintable():
            assert text in lines[1]
        await pilot.click("#hosts", offset=(3, 1))
        assert app.is_running


async def test_wide_characters_keep_the_columns_in_line() -> None:
    source = MemorySource(KEYS, [Row(1, ("漢字漢字漢字漢字漢字", "ホスト", "up", "1")), row(2)])
    app = TableApp(source)
    async with app.run_test(size=(61, 6)) as pilot:
        await settled(pilot)
        wide, plain = app.lines()[1:3]
        assert "…" in wide
        assert cell_len(wide[: wide.index("up")]) == plain.index("up")


@pytest.mark.parametrize("size", [(20, 5), (10, 2), (1, 1), (3, 3)])
async def test_tiny_terminals_do_not_raise(size: tuple[int, int]) -> None:
    app = TableApp(memory(100))
    async with app.run_test(size=size) as pilot:
        await pilot.press("down", "pagedown", "end", "l", "o", "slash", "1", "enter", "escape", "up")
        await pilot.resize_terminal(80, 24)
        await pilot.resize_terminal(*size)
        await settled(pilot)
        assert app.table.row_count == 100


async def test_empty_and_failed_say_so_in_the_middle() -> None:
    app = TableApp(MemorySource(KEYS))
    async with app.run_test(size=(40, 9)) as pilot:
        await settled(pilot)
        assert app.lines()[4].strip() == "No scans yet. Press n"
        await pilot.press("enter", "space", "y", "Y", "end", "pagedown")
        assert app.of(Table.Opened) == [] and app.clipboards == []
        app.table.set_texts(empty="Nothing here")
        await pilot.pause()
        assert app.lines()[4].strip() == "Nothing here"
        app.table.set_texts(error="Database\x1b locked")
        await pilot.pause()
        assert app.lines()[4].strip() == r"Database\x1b locked"


async def test_a_filter_overtaken_by_the_next_leaves_nothing_behind(recwarn: pytest.WarningsRecorder) -> None:
    app = TableApp(memory(30))
    async with app.run_test(size=(60, 11)) as pilot:
        await settled(pilot)
        for text in ("2.1", "2.2", "2.29"):
            app.table.filter_by(text)
            app.table.sort_by("address", text == "2.2")
        async with asyncio.timeout(30):
            while app.first_cells()[-1] != "192.0.2.29":
                await pilot.pause()
    gc.collect()
    assert [str(told.message) for told in recwarn if "never awaited" in str(told.message)] == []


async def test_ascii_terminals_get_ascii() -> None:
    app = TableApp(memory(3))
    app.add_class(ASCII_CLASS)
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.press("space", "down", "o")
        await settled(pilot)
        assert all(line.isascii() for line in app.lines())
        assert app.lines()[1][0] == "*" and app.lines()[2][0] == ">" and "Address ^" in app.lines()[0]


class Watch:
    """Which lines were drawn, and which regions asked for, since it began."""

    def __init__(self, grid: TableGrid, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn: list[int] = []
        self.regions: list[Region] = []
        draw, ask = grid.render_line, grid.refresh

        def render_line(y: int) -> object:
            self.drawn.append(y)
            return draw(y)

        def refresh(*regions: Region, **options: bool) -> object:
            self.regions.extend(regions or [Region(0, 0, 999, 999)])
            return ask(*regions, **options)

        monkeypatch.setattr(grid, "render_line", render_line)
        monkeypatch.setattr(grid, "refresh", refresh)


async def test_one_changed_cell_repaints_that_cell_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    source = memory(100)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        watch = Watch(app.table.grid, monkeypatch)
        source.replace([row(n, count="77" if n == 4 else "") for n in range(100)])
        await pilot.pause()
        assert watch.drawn == [5]
        slot = app.table.grid.slots[3]
        assert watch.regions == [Region(slot.x, 5, slot.width, 1)]
        assert app.lines()[5].rstrip().endswith("77")


async def test_nothing_changed_repaints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    source = memory(100)
    app = TableApp(source)
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        watch = Watch(app.table.grid, monkeypatch)
        source.replace([row(n) for n in range(100)])
        source.update([row(80, "down")])
        app.table.refresh_changed()
        await pilot.press("up", "home")
        assert (watch.drawn, watch.regions) == ([], []), "the same, out of sight, or not moved"


async def test_a_cursor_step_repaints_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    app = TableApp(memory(100))
    async with app.run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        watch = Watch(app.table.grid, monkeypatch)
        await pilot.press("down")
        await pilot.pause()
        assert sorted(set(watch.drawn)) == [1, 2]


async def test_rows_inserted_above_keep_cursor_and_screen_still(monkeypatch: pytest.MonkeyPatch) -> None:
    source = memory(100)
    app = TableApp(source)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.press("end", "up")
        await settled(pilot)
        before = app.lines()
        watch = Watch(app.table.grid, monkeypatch)
        source.replace([Row(-1, ("new", "", "", "")), *(row(n) for n in range(100))])
        await pilot.pause()
        assert app.table.cursor_key == 98 and app.table.grid.cursor == 99
        assert app.lines() == before and watch.drawn == []


async def test_a_row_that_goes_leaves_the_cursor_in_place() -> None:
    source = memory(5)
    app = TableApp(source)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.press("down", "down")
        source.remove([2])
        await pilot.pause()
        assert app.table.cursor_key == 3
        source.remove([3, 4])
        await pilot.pause()
        assert app.table.cursor_key == 1
        source.replace([])
        await pilot.pause()
        assert app.table.cursor_key is None and app.of(Table.Highlighted)[-1].key is None


async def test_following_stays_on_the_last_row_until_the_cursor_leaves_it() -> None:
    source = memory(50)
    app = TableApp(source)
    app.table.grid.follow = True
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.press("end")
        source.update([row(50), row(51)])
        await pilot.pause()
        assert app.table.cursor_key == 51 and app.first_cells()[-1] == "192.0.2.51"
        await pilot.press("up")
        source.update([row(52)])
        await pilot.pause()
        assert app.table.cursor_key == 50


async def test_changed_rows_flash_once() -> None:
    source = memory(5)
    app = TableApp(source)
    async with app.run_test(size=(60, 8)) as pilot:
        await settled(pilot)
        calm = app.table.grid.render_line(3)
        app.table.refresh_changed({2}, flash=0.05)
        assert app.table.grid.render_line(3) != calm
        while app.table.grid._flashing:
            await asyncio.sleep(0.01)
        assert app.table.grid.render_line(3) == calm


class Pages:
    """A large list whose pages come when the test says so."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.open = asyncio.Event()
        self.error: StorageError | None = None
        self.queries = 0

    async def count(self, text: str) -> int:
        return self.total if not text else 1

    async def fetch(self, window: Window) -> Sequence[Row]:
        await self.open.wait()
        self.queries += 1
        if self.error:
            raise self.error
        order = range(self.total - 1, -1, -1) if window.reverse else range(self.total)
        return [row(number) for number in order[window.offset : window.offset + window.limit]]

    def source(self) -> WindowSource:
        return WindowSource(self.count, self.fetch)


async def test_rows_that_are_not_loaded_are_placeholders_until_they_come() -> None:
    pages = Pages(1_000_000)
    pages.open.set()
    app = TableApp(pages.source())
    async with app.run_test(size=(60, 11)) as pilot:
        await settled(pilot)
        assert app.first_cells()[0] == "192.0.2.0" and app.table.row_count == 1_000_000
        pages.open.clear()
        await pilot.press("end")
        await pilot.pause()
        assert set(app.first_cells()) == {"···"}
        assert app.table.cursor_row is None
        pages.open.set()
        await settled(pilot)
        assert app.first_cells()[-1] == "192.0.2.999999"
        assert app.table.cursor_key == 999_999 and app.of(Table.Highlighted)[-1].key == 999_999


async def test_a_first_load_says_so_and_a_failure_too() -> None:
    pages = Pages(10)
    pages.error = StorageError("Cannot read the scans", why="disk I/O error")
    app = TableApp(pages.source())
    async with app.run_test(size=(60, 9)) as pilot:
        await pilot.pause()
        assert app.lines()[4].strip() == "Loading"
        pages.open.set()
        await settled(pilot)
        assert "Cannot read the scans: disk I/O error" in app.lines()[4]
        pages.error = None
        await pilot.press("down")
        await settled(pilot)
        assert len(app.first_cells()) == 8


async def test_a_live_paged_list_neither_flickers_nor_loses_the_cursor() -> None:
    pages = Pages(1000)
    pages.open.set()
    source = pages.source()
    app = TableApp(source)
    async with app.run_test(size=(60, 11)) as pilot:
        app.table.sort_by("count", reverse=True)
        await settled(pilot)
        await pilot.press("home", "down", "down")
        assert app.table.cursor_key == 997
        pages.open.clear()
        pages.total = 1003
        source.invalidate()
        source.invalidate()
        await pilot.pause()
        assert "···" not in app.first_cells(), "the old rows stay"
        pages.open.set()
        await settled(pilot)
        assert app.table.row_count == 1003
        assert app.table.cursor_key == 997 and app.table.grid.cursor == 5


async def test_another_source_takes_order_and_filter_over() -> None:
    app = TableApp(memory(20))
    async with app.run_test(size=(60, 30)) as pilot:
        app.table.sort_by("address", reverse=True)
        app.table.filter_by("host-1")
        await settled(pilot)
        await pilot.press("space", "end")
        app.table.set_source(memory(12))
        await settled(pilot)
        assert app.first_cells()[1:] == ["192.0.2.11", "192.0.2.10", "192.0.2.1"]
        assert app.table.selected_keys == frozenset()
        assert app.table.move_to_key(11) and not app.table.move_to_key("unknown")
