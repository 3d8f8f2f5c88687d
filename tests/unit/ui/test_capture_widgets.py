"""The parts of the capture screens that need no screen: rates, packet rows, figures, field tree, sizes."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget
from textual.widgets import Label

from netmon_tui.domain.byte_size import parse_size, size_within
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.job import CaptureCounters, JobState
from netmon_tui.domain.packet import Field, Layer, PacketDetail, PacketSummary
from netmon_tui.domain.packet_columns import PacketColumns
from netmon_tui.domain.traffic import Talker, Traffic
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.tool_paths import find_tool
from netmon_tui.services.packet_list import PacketList
from netmon_tui.ui.widgets.capture_header import CaptureHeader
from netmon_tui.ui.widgets.figure import Figure
from netmon_tui.ui.widgets.hex_view import HexView
from netmon_tui.ui.widgets.packet_list import PacketSource
from netmon_tui.ui.widgets.packet_tree import PacketTree
from netmon_tui.ui.widgets.rate_line import RateHistory, RateMeter, spark_line
from netmon_tui.ui.widgets.row_source import cell_text
from netmon_tui.ui.widgets.traffic_rows import TrafficRows

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)


def ethernet(number: int) -> bytes:
    """An ARP request for 10.0.x.y, where x.y is the number."""
    body = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + b"\2" * 6 + bytes([10, 9, 9, 9])
    body += b"\0" * 6 + bytes([10, 0, number >> 8, number & 0xFF])
    return b"\xff" * 6 + b"\2" * 6 + b"\x08\x06" + body


def records(start: int, stop: int) -> bytes:
    parts = []
    for number in range(start, stop):
        data = ethernet(number)
        parts.append(struct.pack("<IIII", 1_700_000_000 + number, 0, len(data), len(data)) + data)
    return b"".join(parts)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "capture.pcap"
    path.write_bytes(HEADER + records(1, 5_001))
    return path


async def loaded(source: PacketSource, start: int, stop: int) -> list[int]:
    """Load a range as a table does, until nothing is missing; return the packets' numbers."""
    while source.missing(start, stop):
        await source.load(start, stop)
    return [int(str(row.key)) for row in source.window(start, stop) if row is not None]


async def everything(packets: PacketList) -> PacketSource:
    source = PacketSource(packets)
    while await source.advance():
        pass
    return source


async def test_the_first_rows_are_there_before_the_file_is_indexed(file: Path) -> None:
    packets = PacketList(file)
    source = PacketSource(packets)
    assert await source.advance()
    assert source.count == 2_000
    assert await loaded(source, 0, 3) == [1, 2, 3]
    await packets.close()


async def test_a_filter_finds_packets_anywhere_and_an_exclamation_mark_the_others(file: Path) -> None:
    packets = PacketList(file)
    source = await everything(packets)
    await source.filter("who has 10.0.19.")
    expected = [number for number in range(1, 5_001) if number >> 8 == 19]
    assert await loaded(source, 0, 300) == expected[:300]
    while source.searched is not None:
        await source.load(0, 1)
    assert source.count == len(expected)
    assert source.position_of(expected[7]) == 7 and source.position_of(1) is None
    await source.filter("!who has 10.0.19.")
    while source.searched is not None:
        await source.load(0, 1)
    assert source.count == 5_000 - len(expected)
    await packets.close()


@pytest.mark.lab
@pytest.mark.skipif(not find_tool("sharkd"), reason="sharkd is not installed")
async def test_a_filter_looks_through_what_is_shown(file: Path) -> None:
    packets = PacketList(file)
    source = await everything(packets)
    columns = PacketColumns(("number", "protocol", "arp.dst.proto_ipv4"), by_tshark=True)
    source.show_columns(columns)
    source.mark({7: "odd"}, "!")
    for text, found in (("…", 0), ("ARP", 5_000), ("odd", 1), ("10.0.19.", 137)):
        await source.filter(text)
        while source.searched is not None:
            await source.load(0, 1)
        assert source.count == found, text
    await packets.close()


async def test_the_reverse_order_begins_with_the_last_packet(file: Path) -> None:
    packets = PacketList(file)
    source = await everything(packets)
    await source.sort("number", True)
    assert await loaded(source, 0, 3) == [5_000, 4_999, 4_998]
    assert source.position_of(5_000) == 0 and source.position_of(1) == 4_999
    await packets.close()


async def test_rows_follow_a_growing_file(file: Path) -> None:
    file.write_bytes(HEADER + records(1, 11))
    packets = PacketList(file, growing=True)
    source = await everything(packets)
    assert await loaded(source, 0, 20) == list(range(1, 11))
    with file.open("ab") as more:
        more.write(records(11, 16) + records(16, 17)[:-3])
    told: list[int] = []
    source.subscribe(lambda: told.append(source.count))
    await source.advance()
    assert told == [15]
    assert [row.key for row in source.window(0, 20) if row] == list(range(1, 16)), "no placeholder in between"
    assert packets.damage == ""
    packets.growing = False
    assert packets.damage.startswith("packet 16 at byte ")
    await packets.close()


async def test_of_a_growing_file_only_what_is_seen_is_read(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a flood thousands of rows come with each look: to read all of the last pages takes the processor."""
    file.write_bytes(HEADER + records(1, 1_001))
    packets = PacketList(file, growing=True)
    source = await everything(packets)
    await loaded(source, 984, 1_000)
    read: list[int] = []
    lines = packets.lines
    monkeypatch.setattr(packets, "lines", lambda numbers, keys: read.extend(numbers) or lines(numbers, keys))
    with file.open("ab") as more:
        more.write(records(1_001, 2_001))
    await source.advance(follows=True)
    assert not source.missing(2_000 - 32, 2_000) and min(read) > 2_000 - 2 * 32
    assert [row.key for row in source.window(1_984, 2_000) if row] == list(range(1_985, 2_001))
    read.clear()
    source.window(0, 16)
    with file.open("ab") as more:
        more.write(records(2_001, 3_001))
    await source.load(0, 16)
    read.clear()
    await source.advance()
    assert read == [], "who looks at the beginning needs nothing of the end"
    await packets.close()


async def test_a_packet_of_any_number_has_its_fields_before_the_index_reached_it(file: Path) -> None:
    packets = PacketList(file)
    detail = await packets.detail(4_321)
    assert detail.summary.number == 4_321 and "10.0.16.225" in detail.summary.info
    assert (await packets.pick([5, 6, 9]))[2].number == 9
    await packets.close()


def test_a_rate_is_the_mean_of_two_seconds() -> None:
    meter = RateMeter()
    assert meter.read(100, 10.0) == 0
    assert meter.read(150, 10.5) == 100
    assert meter.read(300, 12.0) == 100
    assert meter.read(300, 13.0) == pytest.approx(60, abs=1)
    assert meter.read(300, 15.0) == 0
    assert meter.read(0, 16.0) == 0, "a counter that fell was reset"


def test_talkers_have_rates_only_while_packets_come() -> None:
    def at(bytes_: int) -> Traffic:
        return Traffic((Talker(1, bytes_, 0, 0, "10.0.0.1"),), packets=1, bytes=bytes_)

    for live, shown in ((True, "2.0 kB/s"), (False, "")):
        rows = TrafficRows()
        rows.rows(at(1_000), "talkers", 1.0, ascii_only=False, live=live)
        (row,) = rows.rows(at(5_000), "talkers", 3.0, ascii_only=False, live=live)
        assert cell_text(row.cells[2]) == shown


def test_the_speed_of_reading_what_came_before_is_no_rate() -> None:
    rows, shown = TrafficRows(), []
    for second, keeps_up in enumerate((False, False, True, True, False, True, True), 1):
        talker = Talker(1, 2_000 * second, 0, 0, "10.0.0.1")
        traffic = Traffic((talker,), packets=1, bytes=talker.bytes, keeps_up=keeps_up)
        (row,) = rows.rows(traffic, "talkers", float(second), ascii_only=False)
        shown.append(cell_text(row.cells[2]))
    assert shown == ["", "", "", "2.0 kB/s", "", "", "2.0 kB/s"]


def test_a_line_of_rates_has_the_newest_at_the_right() -> None:
    history = RateHistory()
    for value in (0, 1, 2, 4, 8):
        history.add(value)
    assert history.line(4) == "▂▃▅█" and history.line(7) == "  ▁▂▃▅█"
    assert history.line(3, ascii_only=True) == ".=@" or history.line(3, ascii_only=True).isascii()
    assert history.line(0) == "" and spark_line([]) == "" and spark_line([0, 0]) == "▁▁"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("4096", 4096),
        ("64k", 64_000),
        ("1.5 GB", 1_500_000_000),
        ("2m", 2_000_000),
        ("10MB", 10_000_000),
        ("2.01 GB", 2_010_000_000),
    ],
)
def test_sizes_are_read_as_they_are_written(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (999, "999 B"),
        (4096, "4.09 kB"),
        (300_000, "300 kB"),
        (999_999, "999 kB"),
        (2_010_000_000, "2.01 GB"),
        (4 * 1024**3, "4.29 GB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_a_size_is_written_as_it_may_be_typed_and_never_too_large(count: int, text: str) -> None:
    assert size_within(count) == text
    assert count * 0.99 < parse_size(text) <= count


@pytest.mark.parametrize("text", ["ten", "-1", "1e9", "5 T", "1" * 40, "\x1b[31m"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_size(text)


class OneWidget(App[None]):
    """A widget alone."""

    def __init__(self, widget: Widget, css: str = "") -> None:
        super().__init__()
        self.widget = widget
        self.CSS = css
        self.chosen: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_hex_view_byte_chosen(self, event: HexView.ByteChosen) -> None:
        self.chosen.append(event.offset)


@pytest.mark.parametrize(
    ("seconds", "counters", "shown"),
    [
        (10.0, CaptureCounters(packets=50), "5 p/s"),
        (10.0, CaptureCounters(packets=50, overwritten=950), "100 p/s"),
        (0.000_001, CaptureCounters(packets=2), "-"),
    ],
)
async def test_the_average_rate_is_that_of_all_that_was_captured(
    seconds: float, counters: CaptureCounters, shown: str
) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    times = (began, began, began + timedelta(seconds=seconds))
    made = Capture(1, "a", "lo", "", 100, "EN10MB", JobState.COMPLETED, 1, "ada", (), *times, counters)
    header = CaptureHeader()
    async with OneWidget(header).run_test(size=(80, 12)):
        header.show(made)
        assert header.query_one("#capture-rate", Figure).text == shown


async def test_while_a_capture_runs_its_bytes_are_those_on_the_disk() -> None:
    running = lossy(CaptureCounters(packets=30, bytes=24, received=30))
    header = CaptureHeader()
    async with OneWidget(header).run_test(size=(80, 12)) as pilot:
        label = header.query_one("#capture-bytes-label", Label)
        header.show(running, now=1.0)
        await pilot.pause()
        assert (str(label.content), label.size.width) == ("On disk ", 8)
        header.show(replace(running, state=JobState.COMPLETED, finished=running.started), now=2.0)
        await pilot.pause()
        assert (str(label.content), label.size.width) == ("Size ", 5)


def lossy(counters: CaptureCounters) -> Capture:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return Capture(
        1, "a", "lo", "", 100, "EN10MB", JobState.RUNNING, 1, "ada", (), began, began, counters=counters
    )


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (120, "tcp 162 504 udp 82 934 icmp 0 arp 2 934 other 12 M"),
        (80, "tcp 163 k udp 82 934 icmp 0 arp 2 934 other 12 M"),
        (60, "tcp 163 k udp 82 934 icmp 0 arp 2 934 other 12 M"),
        (20, "tc udp ic arp othe"),
    ],
)
async def test_the_number_of_a_protocol_is_never_cut_and_never_runs_into_the_next_name(
    width: int, shown: str
) -> None:
    protocols = (("tcp", 162_504), ("udp", 82_934), ("icmp", 0), ("arp", 2_934))
    counters = CaptureCounters(packets=12_248_372, protocols=protocols)
    header = CaptureHeader()
    app = OneWidget(header, "CaptureHeader { padding: 0 1; }")
    async with app.run_test(size=(width, 12)) as pilot:
        header.show(lossy(counters))
        await pilot.resize_terminal(width, 13)
        await pilot.pause()
        line = header.query_one("#capture-shares").region.y
        painted = "".join(segment.text for segment in app.screen._compositor.render_strips()[line])
        bars = {ord(sign): " " for sign in "█▉▊▋▌▍▎▏"}
        assert " ".join(painted.translate(bars).split()) == shown


@pytest.mark.parametrize(
    ("protocols", "told"),
    [
        ((("udp", 270_843),), "dropped 77 219, counted below: B doubles the buffer"),
        ((), "dropped 77 219: B doubles the buffer"),
    ],
)
async def test_where_the_kernel_counts_what_it_dropped_the_figures_say_so(
    protocols: tuple[tuple[str, int], ...], told: str
) -> None:
    counters = CaptureCounters(packets=270_843, captured=193_624, dropped=77_219, protocols=protocols)
    header = CaptureHeader()
    async with OneWidget(header).run_test(size=(80, 12)):
        header.show(lossy(counters))
        assert header.query_one("#capture-counts", Figure).text == f"captured 193 624   {told}"


@pytest.mark.parametrize(
    ("align", "before", "after", "region"),
    [
        ("left", "captured 104 now", "captured 118 now", Region(10, 0, 2, 1)),
        ("left", "12 packets", "120 packets", Region(2, 0, 9, 1)),
        ("left", "漢x1", "漢x2", Region(3, 0, 1, 1)),
        ("left", "cafe", "cafe\u0301", Region(3, 0, 1, 1)),
        ("right", "0:00:09", "0:00:10", Region(18, 0, 2, 1)),
        ("left", "same", "same", None),
    ],
)
async def test_a_figure_repaints_only_the_cells_that_differ(
    align: str, before: str, after: str, region: Region | None
) -> None:
    figure = Figure()
    app = OneWidget(figure, f"Figure {{ width: 20; text-align: {align}; }}")
    async with app.run_test(size=(40, 3)) as pilot:
        figure.show(before)
        await pilot.pause()
        seen: list[tuple[Region, ...]] = []
        refresh = figure.refresh
        figure.refresh = lambda *regions, **_: (seen.append(regions), refresh(*regions))[1]  # type: ignore
        figure.show(after, "error")
        await pilot.pause()
        assert seen[:1] == ([(region,)] if region else []) or (region is None and seen == [])
        assert after in "".join(s.text for s in app.screen._compositor.render_strips()[0])


@pytest.mark.parametrize("align", ["left", "right", "center", "start", "end"])
@pytest.mark.parametrize(
    "text", ["", "12 packets", "漢字 and more", "exactly twenty cells", "more than twenty cells", "漢" * 10]
)
async def test_the_line_of_a_figure_is_what_the_library_would_paint(align: str, text: str) -> None:
    figure = Figure()
    css = f"Figure {{ width: 20; text-align: {align}; text-style: bold; color: red; background: blue 50%; }}"
    async with OneWidget(figure, css).run_test(size=(40, 3)):
        figure.show(text)
        ours = figure.render_line(0)
        figure._render_content()
        space = figure.visual_style.background_style.rich_style
        theirs = figure._render_cache.lines[0].crop(0, 20).adjust_cell_length(20, space)
        assert list(ours) == [part for part in theirs.simplify() if part.text]


def packet(payload: str = "GET /[b]x[/b]\x1b[31m") -> PacketDetail:
    source = Field("ip.src", "Source Address: 10.0.0.1", "10.0.0.1", 26, 4)
    flags = Field("ip.flags", "Flags", "0x02", 20, 1, (Field("ip.flags.df", "Don't fragment", "1", 20, 1),))
    layers = (
        Layer("frame", (Field("frame.number", "Frame Number: 1", "1", -1, 0),), "Frame 1"),
        Layer("ip", (flags, source), "Internet Protocol"),
        Layer("http", (Field("http.request.line", payload, payload, 30, 10),), payload),
    )
    summary = PacketSummary(1, 0.0, "10.0.0.1", "10.0.0.2", "HTTP", 60, "")
    return PacketDetail(summary, layers, bytes(range(60)), "tshark")


def lines(tree: PacketTree) -> list[str]:
    return [cell_text(row.cells[0]) for row in tree.table.source.window(0, 100) or () if row]


async def test_the_cursor_stays_on_a_field_of_a_packet_that_is_shown_anew_with_more() -> None:
    tree, before = PacketTree(), packet()
    async with OneWidget(tree).run_test(size=(60, 20)) as pilot:
        tree.show(before)
        await tree.fill()
        tree.table.focus()
        await pilot.press("down", "right", "down", "down")
        assert tree.node is not None and tree.node.name == "ip.src"
        frame, ip, http = before.layers
        sketch = replace(before, layers=(replace(frame, fields=()), http))
        stream = Field("ip.stream", "Stream index: 0", "0", -1, 0)
        grown = replace(before, layers=(frame, replace(ip, fields=(stream, *ip.fields)), http))
        for detail in (sketch, sketch, grown):
            tree.show(detail)
            await pilot.pause()
        assert tree.node is not None and tree.node.name == "ip.src"
        tree.show(sketch)
        await pilot.pause()
        await pilot.press("home")
        tree.show(grown)
        await pilot.pause()
        assert tree.node is not None and tree.node.name == "frame", "who moves it chooses another one"


async def test_fields_open_and_close_and_stay_open_for_the_next_packet() -> None:
    tree = PacketTree()
    async with OneWidget(tree).run_test(size=(60, 20)) as pilot:
        tree.show(packet())
        await tree.fill()
        tree.table.focus()
        assert [line[:4] for line in lines(tree)] == ["▸ Fr", "▸ In", "▸ GE"]
        await pilot.press("down", "right", "right", "enter", "down")
        assert lines(tree)[1:5] == [
            "▾ Internet Protocol",
            "  ▾ Flags",
            "      Don't fragment",
            "    Source Address: 10.0.0.1",
        ]
        tree.show(packet("POST"))
        assert "      Don't fragment" in lines(tree)
        await pilot.press("left", "left", "left", "left")
        assert [line[0] for line in lines(tree)] == ["▸", "▸", "▸"]
        await pilot.press("slash", "l", "h")
        assert tree.table.filter_text == "lh", "letters are typed, not obeyed"


async def test_a_byte_reveals_the_smallest_field_that_has_it() -> None:
    tree = PacketTree()
    async with OneWidget(tree).run_test(size=(60, 20)) as pilot:
        await tree.fill()
        tree.show(packet())
        await pilot.pause()
        tree.reveal(20)
        await pilot.pause()
        assert tree.node is not None and tree.node.name == "ip.flags.df"
        tree.reveal(59)
        await pilot.pause()
        assert tree.node.name == "ip.flags.df", "a byte of no field moves nothing"


@pytest.mark.parametrize(("width", "per_line"), [(80, 16), (42, 8), (26, 4)])
async def test_bytes_stand_in_lines_that_fit(width: int, per_line: int) -> None:
    view = HexView()
    app = OneWidget(view)
    async with app.run_test(size=(width, 6)) as pilot:
        view.show(b"\x1b[31m" + bytes(range(0x30, 0x7F)))
        await pilot.pause()
        assert view.per_line == per_line
        first = "".join(segment.text for segment in app.screen._compositor.render_strips()[0])
        assert first.startswith("0000  1b 5b 33 31 ") and ".[31" in first
        view.mark(2, 2)
        assert view.marked == b"31"
        view.focus()
        await pilot.press("left", "end", "h")
        await pilot.pause()
        assert app.chosen == [1, 83, 82]
