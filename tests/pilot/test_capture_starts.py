"""What a capture can be asked for beyond filter and limits, and asking again, on the lab's network."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input, Select, Static

from netmon_tui.domain.capture import Direction, StartCapture
from netmon_tui.domain.capture_choice import ExportForm, PacketChoice
from netmon_tui.domain.window import Window
from netmon_tui.errors import InvalidInput
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.ui.modals.capture_form import CaptureForm
from netmon_tui.ui.modals.capture_schedule_form import CaptureScheduleForm
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.tick import Tick
from tests.lab.flood import flood
from tests.lab.network import Lab

pytestmark = [pytest.mark.lab, pytest.mark.inside_lab]
MANY = 200_000
NANOSECONDS = bytes.fromhex("4d3cb2a1")
"""How a pcap file begins whose times are in nanoseconds (draft-ietf-opsawg-pcap)."""


def figure(app: Any, name: str) -> str:
    return app.screen.query_one(f"#capture-{name}", Figure).text


def command(form: Any) -> str:
    return str(form.query_one("#command", Static).content)


async def to_form(app: Any, pilot: Any, until: Any) -> CaptureForm:
    await pilot.press("3")
    table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
    await until(pilot, lambda: table.grid.has_focus)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(app.screen, CaptureForm) and "-i eth0" in command(app.screen))
    return app.screen


async def set_more(app: Any, pilot: Any, until: Any) -> None:
    """Fill in the page of what few captures need, a refused buffer first."""
    await pilot.press("ctrl+t")
    more = await until(pilot, lambda: app.screen if app.screen.query("#more-buffer") else None)
    more.query_one("#more-buffer", Input).focus()
    more.query_one("#more-buffer", Input).value = "63"
    await pilot.press("enter")
    await until(pilot, lambda: "no buffer" in str(more.query_one("#more-error", Static).content))
    more.query_one("#more-buffer", Input).value = "64"
    more.query_one("#more-direction", Select).value = Direction.IN
    more.query_one("#nanoseconds", Tick).value = True
    next(tick for tick in more.query(Tick) if str(tick.label) == "eth0").value = True
    assert more.query_one("#take", Button).region.bottom < 24
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, CaptureForm))


async def test_what_was_dropped_leads_to_a_larger_buffer(logged_in: Any, until: Any, lab: Lab) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await to_form(app, pilot, until)
        form.query_one("#interface", Select).value = "lo"
        await until(pilot, lambda: "-i lo" in command(form))
        await set_more(app, pilot, until)
        await until(pilot, lambda: "-B 64 " in command(form))
        told = "only what comes in, buffer 64 KiB, nanoseconds, also on eth0"
        assert form.query_one("#more-words", Figure).text == told
        assert "-Q in --time-stamp-precision=nano " in command(form)
        assert command(form).endswith("; the same on eth0")
        assert form.query_one("#start", Button).region.bottom < 24
        form.query_one("#filter").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: "running" in figure(app, "state"))
        flood("lo", MANY)
        await until(pilot, lambda: "counted below: B doubles the buffer" in figure(app, "counts"))
        await pilot.press("B")
        await until(pilot, lambda: figure(app, "title").startswith("Capture 3 "))
        capturing, actor = app.services.capturing, app.actor
        first, beside, second = [await capturing.get(actor, number) for number in (1, 2, 3)]
        assert (beside.interface, beside.name, beside.tags) == ("eth0", "lo eth0", ("with-1",))
        assert (first.end_reason, first.name, first.tags) == ("stopped", "lo eth0", ("with-1",))
        assert (second.name, second.tags) == ("", ())
        assert tuple(one.command[one.command.index("-B") + 1] for one in (first, second)) == ("64", "128")
        assert second.note == "capture 1 again, with a buffer of 128 KiB after 64 KiB"
        assert Path(first.files[0].path).read_bytes()[:4] == NANOSECONDS
        larger = await app.services.starts.again(actor, 3, buffer="64M")
        flood("lo", MANY)
        while (await capturing.get(actor, larger.id)).counters.packets != MANY:
            await pilot.pause(0.05)
        await capturing.stop(actor, larger.id)
        assert (await capturing.wait(actor, larger.id)).counters.dropped == 0
        await until(pilot, lambda: "done" in figure(app, "state"))
        await pilot.press("r")
        await until(pilot, lambda: figure(app, "title").startswith("Capture 5 "))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.query("#captures"))
        await until(pilot, lambda: app.screen.query_one("#captures", Table).cursor_key == 5)
        assert (await capturing.get(actor, 5)).command == second.command
        CaptureRepository(app.services.database).update(5, request=None)
        old = await app.services.starts.again(actor, 5)
        assert old.note == "capture 5 again, with the limits of the settings, for its own were not kept"


async def interfaces_of(app: Any, number: int) -> list[str]:
    packets = await app.services.packets.open(app.actor, number)
    try:
        while await packets.extend():
            pass
        return [line.cells[0] for line in await packets.lines(range(1, packets.count + 1), ["interface"])]
    finally:
        await packets.close()


async def test_several_interfaces_in_one_file_and_the_list_says_which(
    logged_in: Any, until: Any, lab: Lab, tmp_path: Path
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await to_form(app, pilot, until)
        await pilot.press("ctrl+t")
        more = await until(pilot, lambda: app.screen if app.screen.query("#pcapng") else None)
        more.query_one("#pcapng", Tick).value = True
        next(tick for tick in more.query(Tick) if str(tick.label) == "lo").value = True
        more.query_one("#more-buffer", Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: "dumpcap -n " in command(form) and "-i eth0 -i lo" in command(form))
        assert form.query_one("#more-words", Figure).text == "pcapng, also on lo"
        form.query_one("#filter", Input).value = "udp"
        await until(pilot, lambda: "-f udp" in command(form))
        form.query_one("#filter").focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        await until(pilot, lambda: "running" in figure(app, "state"))
        assert figure(app, "rate-label") == "Rate now"
        lab.udp_exchange(3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(6):
                sender.sendto(b"hello", ("127.0.0.1", 9))
        await until(pilot, lambda: figure(app, "packets") == "12")
        await pilot.press("x")
        await until(pilot, lambda: "done" in figure(app, "state"))
        assert figure(app, "rate-label") == "Avg rate"
        assert sorted(await interfaces_of(app, 1)) == ["eth0"] * 6 + ["lo"] * 6
        catalogue, find = app.services.catalogue, app.services.capturing.find
        on_lo = await catalogue.slice(app.actor, 1, PacketChoice(hosts=("127.0.0.1",)))
        assert await interfaces_of(app, on_lo.id) == ["lo"] * 6
        merged = await catalogue.merge(app.actor, [1, on_lo.id])
        assert sorted(await interfaces_of(app, merged.id)) == ["eth0"] * 6 + ["lo"] * 12
        found = await find(app.actor, Window(text="interface:lo"))
        assert [(one.interface, one.format) for one in found] == [("eth0,lo", "pcapng")] * 3
        assert await find(app.actor, Window(text="interface:eth")) == []
        written = tmp_path / "classic.pcap"
        await catalogue.export(app.actor, merged.id, written)
        assert written.read_bytes()[:4] == NANOSECONDS
        whole = await catalogue.export(app.actor, 1, tmp_path / "whole.pcapng", form=ExportForm("pcapng"))
        (file,) = (await app.services.capturing.get(app.actor, 1)).files
        assert whole.read_bytes() == Path(file.path).read_bytes()


async def test_captures_on_several_interfaces_start_all_or_none(logged_in: Any) -> None:
    async with logged_in() as (app, _):
        with pytest.raises(InvalidInput, match="no interface 'gone0'"):
            await app.services.starts.on_each(app.actor, StartCapture("eth0"), ["eth0", "gone0"])
        assert await app.services.capturing.count(app.actor) == 0


async def test_a_capture_repeats_by_a_schedule_and_is_opened_from_the_list(
    logged_in: Any, until: Any, screen_text: Any, lab: Lab
) -> None:
    async with logged_in(size=(80, 24)) as (app, pilot):
        form = await to_form(app, pilot, until)
        form.query_one("#filter", Input).value = "udp port 7"
        await pilot.press("ctrl+r")
        times = await until(
            pilot, lambda: app.screen if isinstance(app.screen, CaptureScheduleForm) else None
        )
        await until(pilot, lambda: "a schedule needs a name" in screen_text(app))
        assert "how long, such as 600" in screen_text(app)
        told = times.query_one("#schedule-preview", Static).visual
        assert {span.style for span in told.spans} == {"$text-muted"}  # nobody has done anything wrong yet
        await pilot.press("x", "backspace")
        await until(
            pilot, lambda: times.query_one("#schedule-preview", Static).visual.spans[0].style == "$text-error"
        )
        for name, text in {"name": "Morning", "when": "1h"}.items():
            times.query_one(f"#schedule-{name}", Input).value = text
        await until(pilot, lambda: "needs a limit" in screen_text(app))
        times.query_one("#schedule-seconds", Input).value = "600"
        await until(pilot, lambda: not times.query_one("#save", Button).disabled)
        assert times.query_one("#save", Button).region.bottom < 24
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is form)
        schedules, capturing, actor = app.services.schedules, app.services.capturing, app.actor
        schedules._clock = lambda: datetime.now(UTC) + timedelta(hours=1, minutes=1)
        await pilot.press("escape", "escape")  # the first asks, for something was typed
        table = await until(pilot, lambda: app.screen.query_one("#captures", Table))
        await until(pilot, lambda: table.row_count == 1 and "running" in screen_text(app))
        while (await schedules.find_all(actor))[0].last_capture is None:  # told once tcpdump listens
            await pilot.pause(0.05)
        lab.udp_exchange(5)
        await capturing.stop(actor, 1)
        ended = await capturing.wait(actor, 1)
        assert (ended.name, ended.counters.packets, ended.interface) == ("Morning", 10, "eth0")
        await pilot.press("S")
        await until(pilot, lambda: "Morning" in screen_text(app) and "eth0" in screen_text(app))
        await until(pilot, lambda: app.screen.query_one("#schedules", Table).cursor_key)
        await until(pilot, lambda: "✓ done" in screen_text(app))
        await pilot.press("v")
        await until(pilot, lambda: isinstance(app.screen, CaptureDetailScreen))
        assert app.screen.capture_id == 1
