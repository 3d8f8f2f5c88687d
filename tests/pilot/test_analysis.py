"""Analysis of a capture as a user goes through it, with the tshark there is."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from netmon_tui.errors import ToolFailed
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.tools.file_set import packet_files
from netmon_tui.ui.messages import ApplyDisplayFilter
from netmon_tui.ui.modals.confirm import Confirm
from netmon_tui.ui.modals.scan_form import ScanForm
from netmon_tui.ui.screens.analysis import AnalysisScreen
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.set_matches import SetMatchesScreen
from netmon_tui.ui.screens.stream import StreamScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.file_set_browser import FileSetBrowser
from netmon_tui.ui.widgets.packet_browser import PacketBrowser
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.text_view import TextView
from tests.pilot.test_file_set import store
from tests.unit.services.tsharks import gone, keep, program, public
from tests.unit.tools.encrypted import encrypted
from tests.unit.tools.exchanges import ANSWER, START, exchanges

__all__ = ["public"]
pytestmark = [pytest.mark.lab, pytest.mark.skipif(not shutil.which("tshark"), reason="no tshark")]


def state(app: Any) -> str:
    return str(app.screen.query_one("#analysis-state", Figure).text)


def answer(app: Any) -> list[tuple[str, ...]]:
    table = app.screen.query_one("#answer", Table)
    rows = table.source.window(0, table.row_count)
    return [tuple(map(cell_text, row.cells)) for row in rows if row]


async def to_analysis(app: Any, pilot: Any, until: Any) -> None:
    """Open the analysis of a capture."""
    session = app.screen.session
    number = keep(app.services, session.actor, exchanges().data())
    app.push_screen(CaptureDetailScreen(session, number))
    await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 20)
    await pilot.press("A")
    await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
    await until(pilot, lambda: app.screen.query_one("#questions", Table).grid.has_focus)


async def ask(app: Any, pilot: Any, until: Any, question: str) -> list[tuple[str, ...]]:
    """Ask a question and wait for the answer."""
    questions = app.screen.query_one("#questions", Table)
    place = questions.source.position_of(question)
    while questions.cursor_key != question or not questions.grid.has_focus:
        questions.focus()  # an answer that is just shown takes the focus once more
        await pilot.pause()
        if questions.cursor_key == question:
            continue
        await pilot.press("down" if questions.source.position_of(questions.cursor_key) < place else "up")
    await pilot.press("enter")
    await until(
        pilot, lambda: " line" in state(app) and app.screen.query_one("#answer", Table).grid.has_focus
    )
    return answer(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_conversation_becomes_the_filter_of_the_packets(
    logged_in: Any, until: Any, screen_text: Any, size: tuple[int, int]
) -> None:
    async with logged_in(size=size) as (app, pilot):
        await to_analysis(app, pilot, until)
        rows = await ask(app, pilot, until, "conversations:tcp")
        assert [row[1] for row in rows] == ["40002", "40001"]
        await until(pilot, lambda: "Retr" in screen_text(app) and "RTT" in screen_text(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 8)
        assert "tcp.stream == 0" in screen_text(app)
        await until(pilot, lambda: not app.screen.query_one(PacketBrowser).is_busy())
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 20)


async def test_a_stream_is_put_together_and_its_sides_are_marked(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "conversations:tcp")
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        view = app.screen.query_one(TextView)
        await until(pilot, lambda: view.lines)
        assert view.lines[0].text.startswith("> GET /\x1b]0;owned") and view.lines[0].tone == "accent"
        assert view.lines[-1] == ("< hello", "success", 0)
        await until(pilot, lambda: "\\x1b]0;owned\\x07[red]x[/red]\\u202e" in screen_text(app))
        await pilot.press("b", "b")
        await until(pilot, lambda: all(line.text.startswith("<") for line in view.lines))
        await pilot.press("t")
        await until(pilot, lambda: view.lines[0].text.startswith("< 000000  48 54 54 50"))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))


async def test_limits_hold_for_the_next_questions_and_what_is_wrong_is_said(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in() as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "hierarchy")
        await pilot.press("d")
        line = app.screen.query_one("#analysis-line", Input)
        await until(pilot, lambda: line.has_focus)
        line.value = "no.such == 1"
        await pilot.press("enter")
        await until(pilot, lambda: "no.such" in state(app))
        assert "The filter is not valid" in state(app)
        await pilot.press("d")
        await until(pilot, lambda: line.has_focus)
        await app.screen._show(
            app.screen._answered, app.screen._answer
        )  # as an answer that was long in coming
        await pilot.pause()
        assert line.has_focus
        line.value = "udp"
        await pilot.press("enter")
        await until(pilot, lambda: [row[0] for row in answer(app)][2:3] == ["    udp"])
        assert "only udp" in screen_text(app)
        assert [row[3] for row in await ask(app, pilot, until, "conversations:udp")] == ["6000"]
        await pilot.press("w")
        await until(pilot, lambda: line.has_focus)
        line.value = "tcp; udp"
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen.query_one("#answer", Table).columns) == 9)
        await until(pilot, lambda: "1 = tcp" in screen_text(app) and " line" in state(app))


async def test_a_line_over_a_screen_tells_how_it_is_accepted_and_left(
    logged_in: Any, until: Any, last_line_tells: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        told = partial(last_line_tells, app)
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "conversations:tcp")
        line = app.screen.query_one("#analysis-line", Input)
        for key in ("d", "w", "i", "K"):
            await pilot.press(key)
            await until(pilot, lambda: line.has_focus and told("Accept", "esc Leave"))
            await pilot.press("escape")
            await until(pilot, lambda: not line.has_focus)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        await until(pilot, lambda: app.screen.query_one(TextView).lines)
        await pilot.press("w")
        await until(pilot, lambda: told("Accept", "esc Leave"))
        app.screen.query_one("#stream-line", Input).value = "out.raw"
        path = f"writes {Path.cwd() / 'out.raw'}"
        await until(pilot, lambda: app.screen.query_one("#stream-path", Figure).text == path)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one(TextView).has_focus and told("Text/bytes"))


@pytest.mark.parametrize(("key", "good", "bad"), [("d", "udp", "ip.src = 1"), ("w", "tcp", "tcp; x.y")])
async def test_a_refused_filter_stays_in_its_line_and_limits_nothing(
    logged_in: Any, until: Any, key: str, good: str, bad: str
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "io")
        line, title = (
            app.screen.query_one("#analysis-line", Input),
            app.screen.query_one("#analysis-title", Figure),
        )
        for text in (good, bad):
            await until(pilot, lambda: app.screen.query_one("#answer", Table).grid.has_focus)
            await pilot.press(key)
            await until(pilot, lambda: line.has_focus)
            line.value = text
            shown = title.text, answer(app)
            await pilot.press("enter")
            if text == good:
                await until(pilot, lambda: good in title.text and app.screen._answered == app.screen._asked)
        await until(pilot, lambda: "The filter is not valid" in state(app))
        assert line.has_focus and line.value == bad and line.has_class("-invalid")
        assert (title.text, answer(app)) == shown
        await pilot.press("escape")
        assert title.text == shown[0]
        assert len(await ask(app, pilot, until, "hierarchy")) > 2


async def test_a_shorter_answer_takes_the_place_of_a_longer_one(
    logged_in: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in() as (app, pilot):
        await to_analysis(app, pilot, until)
        assert len(await ask(app, pilot, until, "conversations:tcp")) == 2
        await pilot.press("end")
        screen, place = app.screen, app.screen.query_one("#analysis-answer")
        remove, standing, may_go = place.remove_children, asyncio.Event(), asyncio.Event()

        async def held() -> None:
            standing.set()
            await may_go.wait()
            await remove()

        async def ask_for(text: str) -> None:
            await pilot.press("d")
            line = screen.query_one("#analysis-line", Input)
            await until(pilot, lambda: line.has_focus)
            line.value = text
            await pilot.press("enter")

        monkeypatch.setattr(place, "remove_children", held)
        await ask_for("tcp.stream == 1")
        await until(pilot, standing.is_set)
        assert screen.check_action("follow", ()) is None, "the line is of the table that goes"
        screen.refresh_bindings()
        await pilot.press("enter")
        may_go.set()
        await until(pilot, lambda: state(app).startswith("1 line"))
        await until(pilot, lambda: screen.check_action("follow", ()))

        standing.clear()
        may_go.clear()
        await ask_for("")
        await until(pilot, standing.is_set)
        await remove()
        await pilot.press("d", "escape", "escape")
        await until(pilot, lambda: state(app) == "Stopped")
        await until(pilot, lambda: screen.query_one("#questions", Table).grid.has_focus)
        assert app.screen is screen


async def analysis_of_files(app: Any, pilot: Any, until: Any) -> Any:
    """Open the analysis of a capture over several files; return the screen of its packets."""
    await asyncio.to_thread(store, app)
    app.push_screen(CaptureDetailScreen(app.screen.session, 1))
    await until(pilot, lambda: app.screen.query_one("#packets", Table).row_count == 4)
    detail = app.screen
    await pilot.press("A")
    await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
    return detail


async def test_a_line_that_counts_through_all_files_lists_the_packets_of_all(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        detail = await analysis_of_files(app, pilot, until)
        rows = await ask(app, pilot, until, "conversations:udp")
        assert rows[0][4] == "3"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SetMatchesScreen))
        await until(pilot, lambda: "3 matches in 2" in app.screen.query_one("#matches-state", Figure).text)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is detail)
        assert detail.query_one("#packets", Table).row_count == 4
        detail.post_message(ApplyDisplayFilter("frame.number == 1"))
        await until(pilot, lambda: isinstance(app.screen, SetMatchesScreen))
        await until(pilot, lambda: app.screen.query_one(Table).row_count == 1)


async def test_a_line_that_counts_from_a_deleted_file_finds_no_other_packets(
    logged_in: Any, until: Any
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        detail = await analysis_of_files(app, pilot, until)
        await ask(app, pilot, until, "conversations:udp")
        packet_files(CaptureRepository(app.services.database).directory(1))[0].unlink()
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is detail)
        await until(
            pilot, lambda: any("means other packets now" in note.message for note in app._notifications)
        )
        assert app.screen is detail and detail.search is None


async def test_the_graph_is_drawn_in_ascii_where_nothing_else_can_be(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        app.add_class("-ascii")
        await to_analysis(app, pilot, until)
        rows = await ask(app, pilot, until, "io")
        bars = [row[1] for row in rows]
        assert max(bars, key=lambda bar: bar.count("#")) == "#" * 24 and all(map(str.isascii, bars))


async def test_the_graph_takes_another_step_and_times_of_the_clock(
    logged_in: Any, until: Any, screen_text: Any
) -> None:
    async with logged_in(size=(120, 40)) as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "io")
        await until(pilot, lambda: "Step" in screen_text(app) and "Clock" in screen_text(app))
        await pilot.press("i")
        line = app.screen.query_one("#analysis-line", Input)
        await until(pilot, lambda: line.has_focus)
        for wrong, said in (("soon", "number of seconds"), ("nan", "a microsecond and a day")):
            line.value = wrong
            await pilot.press("enter")
            await until(pilot, lambda said=said: said in state(app))
        await pilot.press("i")
        await until(pilot, lambda: line.has_focus)
        line.value = "0.01"
        await pilot.press("enter")
        await until(pilot, lambda: [row[0] for row in answer(app)] == ["0.000000", "0.010000"])
        assert "steps of 0.01 s" in screen_text(app)
        await until(pilot, lambda: app.screen.query_one("#answer", Table).grid.has_focus)
        await pilot.press("down", "ctrl+t")
        begin = datetime.fromtimestamp(START // 10**9).astimezone()
        await until(pilot, lambda: answer(app)[1][0] == f"{begin:%H:%M:%S}.010000")
        assert f"{begin:%H:%M:%S}.010000" in screen_text(app)
        assert app.screen.query_one("#answer", Table).cursor_key == 1
        await pilot.press("ctrl+t")
        await until(pilot, lambda: answer(app)[1][0] == "0.010000")


async def test_an_answer_stays_that_of_its_own_question_when_the_next_one_fails(
    logged_in: Any, until: Any, screen_text: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with logged_in(size=(140, 40)) as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "conversations:tcp")
        title, line = app.screen.query_one("#analysis-title", Figure), app.screen.query_one(Input)
        await pilot.press("i")
        await until(pilot, lambda: line.has_focus)
        line.value = "-5"
        await pilot.press("enter")
        await until(pilot, lambda: "a microsecond and a day" in state(app))
        assert line.has_focus, "what was refused can be written anew"
        await pilot.press("escape")

        async def fails(*_: object) -> None:
            raise ToolFailed("tshark hangs and was ended")

        shown = [column.key for column in app.screen.query_one("#answer", Table).columns]
        monkeypatch.setattr(app.services.analysis, "ask", fails)
        for question in ("io", "conversations:udp"):
            app.screen.query_one("#questions", Table).move_to_key(question)
            app.screen.query_one("#questions", Table).focus()
            await until(pilot, lambda q=question: app.screen.query_one("#questions", Table).cursor_key == q)
            app.screen._state("")
            await pilot.press("enter")
            await until(pilot, lambda: "tshark hangs" in state(app))
            await until(pilot, lambda: "Conversations: TCP" in title.text)
            assert "steps of" not in title.text
            app.screen.query_one("#answer", Table).focus()
            begin = answer(app)[0]
            await pilot.press("ctrl+t")
            await until(pilot, lambda begin=begin: answer(app)[0] != begin)
            assert [column.key for column in app.screen.query_one("#answer", Table).columns] == shown
        monkeypatch.undo()
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        await until(pilot, lambda: app.screen.query_one(TextView).lines)
        assert app.screen.query_one(TextView).lines[0].text.startswith("> GET /")


@pytest.mark.parametrize("width", [80, 120])
async def test_the_questions_keep_their_place_and_nothing_of_an_answer_that_is_gone(
    logged_in: Any, until: Any, screen_text: Any, width: int
) -> None:
    async with logged_in(size=(width, 24)) as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "endpoints:udp")
        title = app.screen.query_one("#analysis-title", Figure)
        assert "Endpoints: UDP" in title.text
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query_one("#questions", Table).grid.has_focus)
        seen = width > 80
        assert ("Endpoints: UDP" in title.text, " line" in state(app)) == (seen, seen)
        assert seen or ("Analysis" in title.text and "enter asks" in state(app))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
        await until(pilot, lambda: app.screen.query_one("#questions", Table).cursor_key == "endpoints:udp")


async def test_addresses_can_be_scanned_and_captured(logged_in: Any, until: Any) -> None:
    async with logged_in() as (app, pilot):
        await to_analysis(app, pilot, until)
        await ask(app, pilot, until, "endpoints:ip")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, ScanForm))
        assert app.screen.query_one("#targets", Input).value in ("192.0.2.80", "192.0.2.1", "192.0.2.9")


async def test_escape_stops_tshark(
    logged_in: Any, until: Any, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tshark = program(public, "import time\ntime.sleep(600)")
    async with logged_in() as (app, pilot):
        await to_analysis(app, pilot, until)
        monkeypatch.setenv("PATH", str(public))
        await pilot.press("enter")
        await until(pilot, lambda: "tshark reads" in state(app) and "esc stops" in state(app))
        await pilot.press("escape")
        await until(pilot, lambda: state(app) == "Stopped")
        assert isinstance(app.screen, AnalysisScreen) and await gone(tshark)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))


async def test_the_stream_of_a_packet_is_followed_as_tls_and_written(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made, keys = encrypted(tmp_path)
    async with logged_in(size=(80, 24)) as (app, pilot):
        number = keep(app.services, app.screen.session.actor, made.data())
        await app.services.packets.keys.give(app.screen.session.actor, number, keys)
        app.push_screen(CaptureDetailScreen(app.screen.session, number))
        await until(pilot, lambda: app.screen.query_one("#packets", Table).cursor_key == 1)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        view = app.screen.query_one(TextView)
        await until(pilot, lambda: view.lines)
        assert not any("hello" in line.text for line in view.lines)
        await pilot.press("p")
        await until(pilot, lambda: view.lines and view.lines[-1].text == "< hello")
        await pilot.press("b", "b", "w")
        line = app.screen.query_one("#stream-line", Input)
        await until(pilot, lambda: line.has_focus and "tls-stream-0-server.raw" in line.value)
        line.value = str(tmp_path / "sent.raw")
        await pilot.press("enter")
        await until(pilot, lambda: "Written to" in str(app.screen.query_one("#stream-state", Figure).text))
        assert (tmp_path / "sent.raw").read_bytes() == ANSWER
        stream = app.screen._stream
        assert stream is not None
        app.screen._stream = replace(stream, cut=True)  # 32 MiB would take tshark too long here
        await pilot.press("w")
        await until(pilot, lambda: line.has_focus)
        line.value = str(tmp_path / "cut.raw")
        await pilot.press("enter")
        words = "Only the first 32 MiB of the stream are written to"
        await until(pilot, lambda: words in str(app.screen.query_one("#stream-state", Figure).text))


async def test_a_stream_without_keys_says_where_they_are_given(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made, keys = encrypted(tmp_path)
    async with logged_in(size=(80, 24)) as (app, pilot):
        number = keep(app.services, app.screen.session.actor, made.data())
        app.push_screen(CaptureDetailScreen(app.screen.session, number))
        await until(pilot, lambda: app.screen.query_one("#packets", Table).cursor_key == 1)
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, StreamScreen))
        said = app.screen.query_one("#stream-state", Figure)
        await until(pilot, lambda: "client sent" in said.text)
        await pilot.press("p")
        await until(pilot, lambda: "no TLS keys are kept" in said.text)
        assert "K takes them" in said.text
        assert len(said.text) <= said.content_size.width
        await app.services.packets.keys.give(app.screen.session.actor, number, keys)
        await pilot.press("p", "p", "p")  # by HTTP and TCP back to TLS
        view = app.screen.query_one(TextView)
        await until(pilot, lambda: view.lines and view.lines[-1].text == "< hello")
        assert "no TLS keys" not in said.text


async def test_keys_that_are_given_and_removed_change_the_open_packets(
    logged_in: Any, until: Any, tmp_path: Path
) -> None:
    made, keys = encrypted(tmp_path)
    async with logged_in(size=(120, 40)) as (app, pilot):
        number = keep(app.services, app.screen.session.actor, made.data())
        app.push_screen(CaptureDetailScreen(app.screen.session, number))
        table = await until(pilot, lambda: app.screen.query_one("#packets", Table))
        await until(pilot, lambda: table.cursor_key == 1)
        browser = app.screen.query_one(FileSetBrowser).browser
        browser.filter_bar.put("http.response", apply=True)
        await until(pilot, lambda: table.row_count == 0)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
        line = app.screen.query_one("#analysis-line", Input)
        await pilot.press("K")
        await until(pilot, lambda: line.has_focus and line.placeholder.startswith("0 kept"))
        line.value = str(keys)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen.has_class("-answered"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: table.row_count == 1)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
        line = app.screen.query_one("#analysis-line", Input)
        await pilot.press("K")
        await until(pilot, lambda: line.has_focus and line.placeholder.startswith("1 kept"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("enter")
        await until(pilot, lambda: line.has_focus)
        assert await app.services.packets.keys.count(app.actor, number) == 1
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: app.screen.has_class("-answered") and not app.screen.has_class("-line"))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen) and table.row_count == 0)
        assert await app.services.packets.keys.count(app.actor, number) == 0
        await app.services.packets.keys.give(
            app.actor, number, keys
        )  # by another program, as far as this one sees
        await until(pilot, lambda: table.row_count == 1)


async def test_keys_are_for_those_who_capture(logged_in: Any, until: Any) -> None:
    async with logged_in(role="viewer") as (app, pilot):
        app.push_screen(AnalysisScreen(app.screen.session, 1))
        await until(pilot, lambda: isinstance(app.screen, AnalysisScreen))
        assert app.screen.check_action("line", ("filter",))
        assert app.screen.check_action("line", ("keys",)) is False
