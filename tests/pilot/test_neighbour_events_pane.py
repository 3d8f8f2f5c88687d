"""What happened in the neighbour table, on the screen: seen to, muted, told wherever the user is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Select, TabbedContent

from netmon_tui.domain.neighbour_event import EventFilter, NeighbourEvent, NeighbourEventKind
from netmon_tui.storage.neighbour_event_repository import NeighbourEventRepository
from netmon_tui.storage.neighbour_repository import NeighbourNews, NeighbourRepository
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.event_detail import EventDetail
from netmon_tui.ui.modals.mute_form import MuteForm
from netmon_tui.ui.modals.mute_list import MuteList
from netmon_tui.ui.screens import event_notice
from netmon_tui.ui.screens.neighbour_events import NeighbourEventsPane
from netmon_tui.ui.widgets.event_words import EventRow
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_grid import TableGrid

Kind = NeighbourEventKind
MANY = 100_000


def event(number: int, kind: Kind = Kind.CHANGED, **values: Any) -> NeighbourEvent:
    time = datetime.now(UTC) - timedelta(minutes=60 - number % 60)
    address = f"192.0.{2 + number // 250}.{number % 250}"
    lladdr = f"b8:27:eb:00:{number // 256 % 256:02x}:{number % 256:02x}"
    return NeighbourEvent(time, kind, address, "eth0", lladdr, "00:11:32:00:00:01", **values)


def happen(app: Any, *events: NeighbourEvent) -> None:
    NeighbourRepository(app.services.database).store(NeighbourNews(events=list(events)))


async def shown(pilot: Any, until: Any) -> NeighbourEventsPane:
    """Go to the list."""
    await pilot.press("2")
    await until(pilot, lambda: pilot.app.screen.query_one("#neighbour-tabs", TabbedContent))
    pilot.app.screen.query_one("#neighbour-tabs", TabbedContent).active = "neighbour-events"
    pane = await until(pilot, lambda: pilot.app.screen.query_one(NeighbourEventsPane))
    pane.focus_content()
    await until(pilot, lambda: pane.query_one("#events", Table).grid.has_focus)
    return pane


def rows(pane: NeighbourEventsPane) -> list[int]:
    """Ids of the events in sight."""
    table = pane.query_one("#events", Table)
    return [
        row.event.id for row in table.source.window(0, 50) or () if isinstance(row, EventRow) and row.event
    ]


def stored(app: Any) -> list[NeighbourEvent]:
    repository = NeighbourEventRepository(app.services.database)
    return sorted(repository.events(EventFilter(muted=True)), key=lambda event: event.id)


def label(app: Any) -> str:
    return str(app.screen_stack[1].query_one("#tabs", TabbedContent).get_tab("tab-neighbours").label)


async def test_events_come_and_are_seen_to(logged_in, until, screen_text) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        await until(pilot, lambda: "Nothing to be seen to" in screen_text(app))
        happen(app, event(1), event(2, Kind.GATEWAY_CHANGED), event(3, Kind.GONE))
        await until(pilot, lambda: rows(pane) == [3, 2, 1])
        await until(pilot, lambda: "1 high, 1 medium, 1 info to be seen to" in screen_text(app))
        assert "gateway changed" in screen_text(app)
        await pilot.press("t")
        await until(pilot, lambda: rows(pane) == [2, 1])
        assert stored(app)[2].acknowledged_by == "ada"
        await pilot.press("v")
        await until(pilot, lambda: rows(pane) == [3, 2, 1])
        assert "acknowledged, too (v)" in screen_text(app)
        await pilot.press("home", "t")
        await until(pilot, lambda: "That was acknowledged already" in screen_text(app))
        assert [event.acknowledged_by for event in stored(app)] == ["", "", "ada"]


async def test_selected_ones_and_all_that_the_filter_leaves(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, *(event(n, Kind.DUPLICATE if n > 3 else Kind.NEW) for n in range(1, 7)))
        await until(pilot, lambda: rows(pane) == [6, 5, 4, 3, 2, 1])
        await pilot.press("space", "down", "down", "space", "t")
        await until(pilot, lambda: rows(pane) == [5, 3, 2, 1])
        assert pane.query_one("#events", Table).selected_keys == frozenset()
        await pilot.press("slash", *"new", "enter")
        await until(pilot, lambda: rows(pane) == [3, 2, 1])
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#yes").has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: rows(pane) == [])
        assert [e.id for e in stored(app) if not e.acknowledged] == [5]


async def test_what_comes_while_the_question_is_asked_is_not_seen_to(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, event(1))
        await until(pilot, lambda: rows(pane) == [1])
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#yes").has_focus)
        happen(app, event(2))
        await pilot.press("enter")
        await until(pilot, lambda: stored(app)[0].acknowledged)
        assert not stored(app)[1].acknowledged


async def test_what_comes_while_the_list_is_counted_is_not_shown_without_being_acknowledged_with_it(
    logged_in, until, monkeypatch
) -> None:
    async with logged_in() as (app, pilot):
        service = app.services.segment.events
        count, coming = service.count, list[NeighbourEvent]()

        async def count_when_it_has_come(*asked: Any) -> int:
            while coming:
                happen(app, coming.pop())
            return await count(*asked)

        monkeypatch.setattr(service, "count", count_when_it_has_come)
        pane = await shown(pilot, until)
        await until(pilot, lambda: rows(pane) == [])
        coming.append(event(2))
        happen(app, event(1))
        await until(pilot, lambda: rows(pane) == [2, 1])
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#yes").has_focus)
        await pilot.press("enter")
        await until(pilot, lambda: all(one.acknowledged for one in stored(app)))


async def test_muting_and_no_longer(logged_in, until, screen_text) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, event(1), event(2))
        await until(pilot, lambda: rows(pane) == [2, 1])
        await pilot.press("m")
        form = await until(pilot, lambda: isinstance(app.screen, MuteForm) and app.screen)
        assert [str(form.query_one("#mute-rules", OptionList).get_option_at_index(0).prompt)] == [
            "changed of 192.0.2.2 on eth0"
        ]
        form.query_one("#mute-time", Select).value = "8h"
        await pilot.press("down", "enter")
        await until(pilot, lambda: rows(pane) == [1])
        assert "Muted: every event of 192.0.2.2 on eth0" in screen_text(app)
        (rule,) = await app.services.segment.events.mutes(app.actor)
        assert rule.until is not None
        assert timedelta(hours=7) < rule.until - datetime.now(UTC) < timedelta(hours=8, seconds=1)
        await pilot.press("V")
        await until(pilot, lambda: rows(pane) == [2, 1])
        assert "(muted)" in screen_text(app)
        await pilot.press("m", "enter")
        await until(pilot, lambda: isinstance(app.screen, MuteForm) is False)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(app.screen, MuteList))
        await until(pilot, lambda: "every event of 192.0.2.2 on eth0" in screen_text(app))
        await pilot.press("delete")
        await until(
            pilot, lambda: isinstance(app.screen, Confirm) and app.screen.query_one("#cancel").has_focus
        )
        await pilot.press("tab", "enter")
        await until(pilot, lambda: isinstance(app.screen, MuteList))
        await until(pilot, lambda: len(app.screen._source.keys) == 1)


async def test_a_rule_that_is_there_already_is_said_in_the_form(logged_in, until, screen_text) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, event(1))
        await until(pilot, lambda: rows(pane) == [1])
        await pilot.press("V", "m", "enter")
        await until(pilot, lambda: not isinstance(app.screen, MuteForm) and stored(app)[0].muted)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MuteForm))
        await pilot.press("enter")
        await until(pilot, lambda: "says so already" in screen_text(app))


async def test_enter_says_what_it_may_mean(logged_in, until, screen_text) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, event(1, Kind.DUPLICATE, detail="3 changes within 1 min [bold]\x1b[2J"))
        happen(app, event(1, Kind.DUPLICATE, detail=""))
        await until(pilot, lambda: rows(pane))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, EventDetail))
        text = screen_text(app)
        assert "goes to and fro between 00:11:32:00:00:01 and b8:27:eb:00:00:01" in text
        assert "wrong setting, or ARP or NDP spoofing" in text
        assert "2 times in all" in text
        assert "[bold]" in text
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")


async def test_pivots(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        pane = await shown(pilot, until)
        happen(app, event(1))
        await until(pilot, lambda: rows(pane) == [1])
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one("#targets", Input).value == "192.0.2.1")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("c")
        await until(pilot, lambda: app.screen.query_one("#host", Input).value == "192.0.2.1")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.id == "main")
        await pilot.press("2")
        await until(pilot, lambda: pane.query_one(Table).grid.has_focus)
        await pilot.press("H")
        await until(pilot, lambda: app.screen.query_one("#hosts", Table).filter_text == "192.0.2.1")


async def test_a_viewer_looks_only(logged_in, until) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        pane = await shown(pilot, until)

        def offered() -> set[str]:
            return {active.binding.action for active in app.screen.active_bindings.values()}

        not_theirs = {"acknowledge", "acknowledge_all", "mute", "scan", "capture"}
        assert not not_theirs & offered(), "nor while there is no row"
        happen(app, event(1))
        await until(pilot, lambda: rows(pane) == [1])
        assert not not_theirs & offered()
        assert {"mutes", "host"} <= offered()
        await pilot.press("t", "m", "T")
        assert app.screen.id == "main"
        assert not stored(app)[0].acknowledged


async def test_a_hundred_thousand_events_are_gone_through(logged_in, until) -> None:
    async with logged_in() as (app, pilot):
        for start in range(0, MANY, 10_000):
            happen(app, *(event(n, list(Kind)[n % 10]) for n in range(start, start + 10_000)))
        pane = await shown(pilot, until)
        table = pane.query_one("#events", Table)
        await until(pilot, lambda: table.row_count == MANY)
        await pilot.press("end")
        await until(pilot, lambda: table.cursor_row is not None and table.grid.cursor == MANY - 1)
        assert len(pane._source._pages) <= 16
        await pilot.press("o")
        await until(pilot, lambda: table.grid.sort[0] is not None)
        await pilot.press("home")
        await until(pilot, lambda: table.cursor_row is not None and table.cursor_row.event.severity == "high")


# --- told wherever the user is -----------------------------------------------------------------------


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_notice, "LOOK_SECONDS", 0.05)


async def test_a_weighty_event_is_told_and_a_storm_makes_one_toast(
    logged_in, until, screen_text, soon, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in() as (app, pilot):
        clock = [1000.0]
        notice = app.screen.query_one(event_notice.EventNotice)
        notice._clock = lambda: clock[0]
        await until(pilot, lambda: notice._told == 0)
        told: list[str] = []
        original = app.notify
        monkeypatch.setattr(app, "notify", lambda text, **more: (told.append(text), original(text, **more)))
        happen(app, event(1, Kind.NEW), event(2))
        await until(pilot, lambda: label(app) == "2 Neighbours (1)")
        assert told == [], "low and medium ones wait in the list"
        happen(app, event(3, Kind.DUPLICATE))
        await until(pilot, lambda: len(told) == 1)
        assert "192.0.2.3 on eth0 goes to and fro" in told[0]
        await until(pilot, lambda: "Neighbours: duplicate" in screen_text(app))
        for number in range(4, 28):
            happen(app, event(number, Kind.DUPLICATE))
        await until(pilot, lambda: label(app) == "2 Neighbours (26)")
        assert len(told) == 1
        clock[0] += event_notice.TOAST_SECONDS
        await until(pilot, lambda: len(told) == 2)
        assert told[1].endswith("; 23 more")
        await app.services.segment.events.acknowledge_all(app.actor, EventFilter())
        await until(pilot, lambda: label(app) == "2 Neighbours")
        assert len(told) == 2


async def test_what_was_there_before_the_login_is_counted_and_not_told(
    logged_in, until, screen_text, soon
) -> None:
    async with logged_in() as (app, pilot):
        happen(app, event(1, Kind.DUPLICATE))
    async with logged_in() as (app, pilot):
        await until(pilot, lambda: label(app) == "2 Neighbours (1)")
        assert "goes to and fro" not in screen_text(app)


async def test_behind_the_lock_nobody_is_told(logged_in, until, screen_text, soon) -> None:
    async with logged_in() as (app, pilot):
        notice = app.screen.query_one(event_notice.EventNotice)
        await until(pilot, lambda: notice._told == 0)
        await pilot.press("ctrl+l")
        await until(pilot, lambda: app.locked and app.screen.query_one("#login-box"))
        happen(app, event(1, Kind.DUPLICATE))
        looks: list[bool] = []
        original = notice._look_soon
        notice._look_soon = lambda: (looks.append(True), original())
        notice.set_interval(0.02, notice._look_soon)
        await until(pilot, lambda: len(looks) > 10)
        assert notice._told == 0
        assert "goes to and fro" not in screen_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (20, 5)])
async def test_any_size_of_terminal(logged_in, until, size: tuple[int, int]) -> None:
    async with logged_in(size=size) as (app, pilot):
        happen(app, event(1))
        pane = await shown(pilot, until)
        await until(pilot, lambda: rows(pane) == [1])
        columns = await until(pilot, lambda: pane.query_one(Table).visible_columns)
        assert columns[0] == "severity"
        if size[0] >= 80:
            assert {"severity", "kind", "address", "last"} <= set(columns)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, MuteForm))


async def test_the_tab_key_stays_among_what_has_keys(logged_in, until) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.focused, TableGrid))
        table = app.focused
        await pilot.press("tab")
        await pilot.pause()
        assert app.focused is table, "there is nothing else here that keys could do something in"


async def test_help_is_read_to_its_end_by_keys(logged_in, until) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.focused, TableGrid))
        await pilot.press("question_mark")
        box = await until(pilot, lambda: app.screen.query_one("#help-box"))
        await until(pilot, lambda: box.max_scroll_y > 0)
        await pilot.press("down")
        await until(pilot, lambda: box.scroll_y == 1)
        await pilot.press("pagedown")
        await until(pilot, lambda: box.scroll_y > 5)
        await pilot.press("end")
        await until(pilot, lambda: box.scroll_y == box.max_scroll_y)
        await pilot.press("home")
        await until(pilot, lambda: box.scroll_y == 0)
