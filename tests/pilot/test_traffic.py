"""Who talks in a capture, as a user goes through it."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from textual.widgets import TabbedContent

from netmon_tui.domain.capture_files import CAPTURE_NAME
from netmon_tui.domain.job import JobState
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.pcap import make_header
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.traffic import TrafficScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from tests.unit.services.tsharks import begin, keep, make_ring
from tests.unit.tools.exchanges import CLIENT, SERVER, exchanges


def rows(app: Any, kind: str) -> list[tuple[str, ...]]:
    table = app.screen.query_one(f"#table-{kind}", Table)
    return [tuple(map(cell_text, row.cells)) for row in table.source.window(0, table.row_count) if row]


def state(app: Any) -> str:
    return str(app.screen.query_one("#traffic-state", Figure).text)


@pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_running_capture_tells_who_talks_and_a_line_becomes_a_filter(
    logged_in: Any, until: Any, screen_text: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        session, data = app.screen.session, exchanges().data()
        number, directory = begin(app.services, session.actor)
        path = directory / CAPTURE_NAME
        app.push_screen(CaptureDetailScreen(session, number))
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("T")
        await until(
            pilot, lambda: isinstance(app.screen, TrafficScreen) and "nothing was written" in state(app)
        )
        path.write_bytes(data)
        path.chmod(0o644)
        await until(pilot, lambda: state(app) == "20 packets · 1.6 kB on the wire")
        assert [row[0] for row in rows(app, "talkers")] == [SERVER, CLIENT, "192.0.2.9"]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 20)
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and len(rows(app, "talkers")) == 3)
        assert app.screen.query_one("#table-talkers", Table).grid.has_focus
        await pilot.press("2")
        await until(pilot, lambda: len(rows(app, "conversations")) == 2 and "TCP 80" in screen_text(app))
        with path.open("ab") as file:
            file.write(data[24:])
        await until(pilot, lambda: state(app).startswith("40 packets"))
        assert rows(app, "conversations")[0][:3] == (CLIENT, SERVER, "TCP 80")
        await pilot.press("p")
        with path.open("ab") as file:
            file.write(data[24:])
        await pilot.press("3")
        await until(pilot, lambda: [row[0] for row in rows(app, "services")] == ["TCP 80", "UDP 5000"])
        await pilot.press("4")
        await until(pilot, lambda: len(rows(app, "lengths")) == 10 and "frozen" in state(app))
        assert state(app).startswith("40 packets")
        await pilot.press("p")
        app.screen._next = float("inf")  # as where all lines change: the file is looked at seldom then
        CaptureRepository(app.services.database).update(number, state=JobState.COMPLETED.value)
        await until(pilot, lambda: state(app) == "60 packets · 4.9 kB on the wire")
        await pilot.press("2")
        await until(pilot, lambda: rows(app, "conversations")[0][5] == "54")
        assert not any(row[4] for row in rows(app, "conversations")), "what is over has no rate"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: "tcp.port == 80" in screen_text(app))
        await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 54)
        await until(pilot, lambda: not app.screen.query_one(PacketBrowser).is_busy())
        await pilot.press("T")
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and len(rows(app, "talkers")) == 3)
        assert app.screen.query_one(TabbedContent).active == "tab-talkers"
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        assert SERVER in screen_text(app)


async def test_a_file_that_a_ring_turned_to_has_no_rates_from_the_one_before(
    logged_in: Any, until: Any
) -> None:
    async with logged_in() as (app, pilot):
        session, data = app.screen.session, exchanges().data()
        number, directory = begin(app.services, session.actor)
        make_ring(directory, data)
        app.push_screen(TrafficScreen(session, number))
        await until(pilot, lambda: isinstance(app.screen, TrafficScreen) and state(app).startswith("20 pack"))
        make_ring(directory, data, data + data[24:] * 99)
        await until(pilot, lambda: state(app).startswith("2 000 packets"))
        assert [row[2] for row in rows(app, "talkers")] == [""] * 3


async def test_a_link_type_whose_addresses_are_not_read_is_named(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        session = app.screen.session
        number = keep(app.services, session.actor, make_header(127).data + exchanges().data()[24:])
        app.push_screen(TrafficScreen(session, number))
        await until(pilot, lambda: "· addresses of IEEE802_11_RADIO are not read " in screen_text(app))
        await until(
            pilot,
            lambda: "Addresses of IEEE802_11_RADIO are not read here: A, Conversations" in screen_text(app),
        )
        await pilot.press("4")
        await until(pilot, lambda: len(rows(app, "lengths")) == 10)


async def test_what_has_ended_has_no_column_of_rates_and_nothing_to_freeze(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        session = app.screen.session
        number = keep(app.services, session.actor, exchanges().data())
        app.push_screen(TrafficScreen(session, number))
        await until(pilot, lambda: state(app) == "20 packets · 1.6 kB on the wire")
        await pilot.press("2")
        await until(pilot, lambda: len(rows(app, "conversations")) == 2)
        table = app.screen.query_one("#table-conversations", Table)
        await until(pilot, lambda: "rate" not in table.visible_columns)
        assert "packets" in table.visible_columns, "where the rates stood, which it has none of"
        await pilot.press("p")
        assert not app.screen.frozen, "nothing comes any more"
        assert app.screen.check_action("freeze", ()) is None
