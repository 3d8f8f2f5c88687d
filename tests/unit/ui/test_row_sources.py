"""Sources of rows: order, filter, windows, pages; and columns that share a line."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Hashable, Sequence

import pytest

from netmon_tui.domain.window import Window
from netmon_tui.ui.widgets.deferred_source import DeferredSource
from netmon_tui.ui.widgets.memory_source import MemorySource
from netmon_tui.ui.widgets.row_source import Cell, Row, sort_key
from netmon_tui.ui.widgets.table_columns import Column, ColumnChoice
from netmon_tui.ui.widgets.window_source import WindowSource


def rows(*names: str) -> list[Row]:
    return [Row(number, (name, str(number))) for number, name in enumerate(names)]


def names(source: MemorySource) -> list[str]:
    return [str(row.cells[0]) for row in source.window(0, 99)]


def test_text_sorts_naturally_and_hidden_values_decide() -> None:
    unsorted = ["eth10", "", "eth2", "1 204 331", "999", "Eth1", "10.0.0.9", "10.0.0.10"]
    assert sorted(unsorted, key=sort_key) == [
        "999",
        "1 204 331",
        "10.0.0.9",
        "10.0.0.10",
        "Eth1",
        "eth2",
        "eth10",
        "",
    ]
    big, small = Cell("1.2 GB", sort=1.2e9), Cell("961 MB", sort=961e6)
    assert sorted([big, small], key=sort_key) == [small, big]
    assert sort_key(Cell("x", sort=b"\x04")) < sort_key(Cell("y", sort=b"\x06"))


async def test_order_is_stable_reversible_and_can_be_given_back() -> None:
    source = MemorySource(["name", "n"], rows("b", "a", "B", "a"))
    await source.sort("name", False)
    assert [row.key for row in source.window(0, 9)] == [1, 3, 0, 2]
    await source.sort("name", True)
    assert names(source)[0].lower() == "b"
    await source.sort(None, False)
    assert names(source) == ["b", "a", "B", "a"]
    with pytest.raises(KeyError):
        await source.sort("nonsense", False)


async def test_filter_looks_at_all_cells_and_inverts() -> None:
    source = MemorySource(
        ["name", "n"], [Row(0, ("Gateway", Cell("UP", "success"))), Row(1, ("printer", "down"))]
    )
    await source.filter("gate")
    assert names(source) == ["Gateway"]
    await source.filter("up")
    assert names(source) == ["Gateway"]
    await source.filter("!up")
    assert names(source) == ["printer"]
    assert source.position_of(0) is None and source.position_of(1) == 0
    await source.filter("!")
    assert source.count == 2


async def test_replace_names_exactly_what_changed_and_keeps_order_and_filter() -> None:
    told: list[int] = []
    source = MemorySource(["name", "n"], rows("a", "b", "c"))
    stop = source.subscribe(lambda: told.append(1))
    assert source.replace(rows("a", "b", "c")) == frozenset()
    assert told == []
    await source.sort("name", True)
    changed = source.replace([Row(0, ("a", "0")), Row(1, ("z", "1")), Row(7, ("m", "7"))])
    assert changed == {1, 2, 7}
    assert names(source) == ["z", "m", "a"]
    await source.filter("z")
    assert source.update([Row(7, ("zz", "7")), Row(0, ("a", "0"))]) == {7}
    assert names(source) == ["zz", "z"]
    source.remove([1, "unknown"])
    assert names(source) == ["zz"] and source.total == 2
    count = len(told)
    stop()
    source.remove([7])
    assert len(told) == count


class Database:
    """A thousand numbered rows that counts its queries."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.fetched: list[tuple[int, int]] = []

    async def count(self, text: str) -> int:
        return self.total if not text else 3

    async def fetch(self, window: Window) -> Sequence[Row]:
        start, stop = window.offset, window.offset + window.limit
        self.fetched.append((start, stop))
        numbers = range(self.total - 1, -1, -1) if window.reverse else range(self.total)
        return [Row(n, (str(n), window.text)) for n in numbers[start:stop]]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("column", ["name", None])
@pytest.mark.parametrize("wanted", ["", "b"])
async def test_rows_that_come_change_and_go_stand_where_a_sort_would_put_them(
    column: str | None, reverse: bool, wanted: str
) -> None:
    choose = random.Random(5)
    source = MemorySource(["name", "n"])
    await source.sort(column, reverse)
    await source.filter(wanted)
    told: list[int] = []
    source.subscribe(lambda: told.append(source.count))
    for turn in range(300):
        keys = [choose.randrange(40) for _ in range(choose.randrange(1, 5))]
        if choose.random() < 0.3:
            source.remove(keys)
        else:
            source.update(
                [Row(key, (choose.choice("abcB") * choose.randrange(3), str(turn))) for key in keys]
            )
        texts = {key: str(row.cells[0]) for key in source.keys if (row := source.row(key))}
        expected = [key for key, text in texts.items() if wanted in text.casefold()]
        if column:
            expected.sort(key=lambda key: sort_key(texts[key]), reverse=reverse)
        assert [row.key for row in source.window(0, 99)] == expected
        assert [source.position_of(key) for key in expected] == list(range(len(expected)))
    assert len(told) > 200
    assert told[-1] == source.count


async def test_pages_are_fetched_once_and_the_oldest_forgotten() -> None:
    database = Database(1000)
    source = WindowSource(database.count, database.fetch, page_rows=10, kept_pages=3)
    assert source.missing(0, 5) and source.count == 0
    await source.load(0, 25)
    assert database.fetched == [(0, 30)] and source.count == 1000
    assert not source.missing(5, 25)
    assert source.position_of(24) == 24
    await source.load(5, 25)
    assert len(database.fetched) == 1
    await source.load(500, 505)
    assert source.window(500, 502)[0] == Row(500, ("500", ""))
    assert source.window(0, 1) == [None], "the first page was the least recently seen"
    assert source.position_of(3) is None


async def test_outdated_rows_stay_until_the_new_ones_are_there() -> None:
    database = Database(40)
    source = WindowSource(database.count, database.fetch, page_rows=10)
    await source.load(0, 10)
    await source.sort("n", True)
    assert source.missing(0, 10)
    assert source.window(0, 1)[0] == Row(0, ("0", "")), "no flicker"
    await source.load(0, 10)
    assert source.window(0, 1)[0] == Row(39, ("39", ""))
    await source.filter("x")
    await source.load(0, 10)
    assert source.count == 3
    source.invalidate()
    assert source.missing(0, 1)


async def test_outdated_pages_out_of_sight_are_not_shown_later() -> None:
    source = WindowSource(Database(40).count, (database := Database(40)).fetch, page_rows=10)
    await source.load(0, 10)
    await source.load(30, 40)
    await source.sort("n", True)
    await source.load(0, 10)
    assert source.window(30, 31) == [None]
    assert database.fetched == [(0, 10), (30, 40), (0, 10)]


async def test_a_change_while_counting_saves_the_fetch() -> None:
    database = Database(40)

    async def count(text: str) -> int:
        source.invalidate()
        return 40

    source = WindowSource(count, database.fetch)
    await source.load(0, 10)
    assert database.fetched == [] and source.missing(0, 10)


async def test_a_change_during_a_fetch_wins_over_its_result() -> None:
    database = Database(40)
    gate = asyncio.Event()

    async def slow(window: Window) -> Sequence[Row]:
        await gate.wait()
        return await database.fetch(window)

    source = WindowSource(database.count, slow, page_rows=10)
    load = asyncio.create_task(source.load(0, 10))
    while not gate.is_set():
        await asyncio.sleep(0)
        source.invalidate()
        gate.set()
    await load
    assert source.missing(0, 10)


def test_columns_drop_by_priority_and_come_back_when_asked_for() -> None:
    choice = ColumnChoice(
        [
            Column("address", "Address", width=16, priority=0),
            Column("name", "Name", minimum=10, priority=1),
            Column("vendor", "Vendor", width=20, priority=3),
            Column("age", "Age", width=5, align="right", priority=2),
            Column("note", "Note", width=10, hidden=True),
        ]
    )

    def shown(width: int) -> list[str]:
        return [slot.column.key for slot in choice.fit(width)]

    assert shown(80) == ["address", "name", "vendor", "age"]
    assert shown(40) == ["address", "name", "age"]
    assert shown(28) == ["address", "name"]
    assert shown(5) == ["address"]
    assert [slot.width for slot in choice.fit(5)] == [4]
    choice.toggle("note", visible=False)
    assert shown(30) == ["address", "note"], "what was asked for stays longest"
    choice.toggle("address", visible=True)
    assert "address" in choice.hidden
    choice.hide(["address", "name", "vendor", "age", "note"])
    assert shown(80), "never all"


def test_flexible_columns_share_what_is_left_exactly() -> None:
    choice = ColumnChoice(
        [Column("a", "A", minimum=5), Column("b", "B", minimum=5, share=2), Column("c", "C", width=7)]
    )
    slots = choice.fit(60)
    last = slots[-1]
    assert last.x + last.width == 60
    assert slots[0].width < slots[1].width
    assert last.width == 7


class Changing:
    """Rows whose text is looked up when they are made, and how often that was done."""

    def __init__(self, *names: str) -> None:
        self.texts = dict.fromkeys(names, "before")
        self.made: list[str] = []
        self.source = DeferredSource(["name", "text"], self.remake, steady=("name",))
        self.source.update(self.remake(names))

    def remake(self, keys: Collection[Hashable]) -> list[Row]:
        names = sorted(str(key) for key in keys if key in self.texts)
        self.made += names
        return [Row(name, (name, self.texts[name])) for name in names]

    def change(self, *names: str, sight: Collection[str] = ()) -> list[Hashable]:
        self.texts |= dict.fromkeys(names, "after")
        self.made.clear()
        return self.source.outdate(names, sight)


async def test_rows_that_changed_are_made_when_they_are_looked_at() -> None:
    rows = Changing("a", "b", "c", "d")
    await rows.source.sort("name", reverse=True)
    assert rows.change("a", "b", "d", "new", sight={"b"}) == ["b", "new"], "in sight, or not known"
    assert rows.made == []
    assert [row.cells for row in rows.source.window(0, 2)] == [("d", "after"), ("c", "before")]
    assert rows.made == ["d"]
    assert (row := rows.source.row("a")) is not None
    assert row.cells == ("a", "after")
    rows.source.window(0, 4)
    assert rows.made == ["d", "a"], "what is made is made once"


async def test_where_the_looks_of_a_row_matter_it_is_made_at_once() -> None:
    rows = Changing("a", "b", "c")
    rows.change("a", "c")
    await rows.source.filter("after")
    assert [row.key for row in rows.source.window(0, 9)] == ["a", "c"]
    assert rows.change("b") == ["b"], "a filter asks what it looks like"
    rows.source.update(rows.remake(["b"]))
    assert rows.source.count == 3
    rows.texts["c"] = "zzz"
    await rows.source.filter("")
    assert rows.source.outdate(["c"], ()) == []
    await rows.source.sort("text", reverse=True)
    assert [row.key for row in rows.source.window(0, 1)] == ["c"]
    assert rows.change("b") == ["b"], "so does an order by what changes"


async def test_what_is_gone_or_was_made_since_is_not_made_again() -> None:
    rows = Changing("a", "b", "c")
    rows.change("a", "b", "c")
    rows.source.remove(["a"])
    rows.source.update([Row("b", ("b", "by hand"))])
    del rows.texts["c"]
    assert [row.cells for row in rows.source.window(0, 9)] == [("b", "by hand"), ("c", "before")]
    assert rows.made == []
