"""What values look like, and that foreign text is taken literally."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from rich.segment import ControlType, Segment
from rich.style import Style
from textual.color import Color

from netmon_tui.domain.job import JobState
from netmon_tui.domain.neighbour import NudState
from netmon_tui.ui.line_filter import HostileLineFilter
from netmon_tui.ui.rendering import (
    age,
    bar,
    content,
    content_block,
    duration,
    rate,
    size,
    state_style,
    text,
    thin,
    when,
)

BLACK = Color(0, 0, 0)


@pytest.mark.parametrize(
    "hostile", ["a[/]b", "[@click=app.quit]x[/]", "[$primary]", "[link=https://e/]y", "[b + c"]
)
def test_markup_is_literal(hostile: str) -> None:
    assert content(hostile).plain == hostile
    assert content(hostile).spans == []
    assert text(hostile).plain == hostile
    assert content_block(f"{hostile}\n\x1b").plain == f"{hostile}\n\\x1b"


def test_numbers_sizes_and_spans() -> None:
    assert [thin(0), thin(1204331)] == ["0", "1 204 331"]
    assert [size(n) for n in (0, 64, 999, 1000, 9_600, 961e6, 999_999, 1.2e9)] == [
        "0 B", "64 B", "999 B", "1.0 kB", "9.6 kB", "961 MB", "1.0 MB", "1.2 GB",
    ]  # fmt: skip
    assert [rate(0), rate(12_100), rate(2.5e6, "B/s")] == ["0 p/s", "12.1 kp/s", "2.5 MB/s"]
    assert [age(s) for s in (-1, 2.9, 71, 119, 180, 7200, 4 * 86_400)] == [
        "0s",
        "2s",
        "71s",
        "119s",
        "3m",
        "2h",
        "4d",
    ]
    assert [duration(s) for s in (0, 133, 3661, 176_400)] == ["0:00:00", "0:02:13", "1:01:01", "49:00:00"]


def test_moments_are_as_short_as_now_allows() -> None:
    now = datetime(2026, 11, 20, 14, 2).astimezone()  # a Friday
    assert when(now.astimezone(UTC), now) == "14:02"
    assert when(now - timedelta(days=1), now) == "Thu"
    assert when(now - timedelta(days=7), now) == "Nov 13"
    assert when(now - timedelta(days=400), now) == "2025-10-16"


def test_bars_have_their_width() -> None:
    assert [bar(f, 4) for f in (-1, 0, 0.5, 0.6, 9)] == ["    ", "    ", "██  ", "██▍ ", "████"]
    assert bar(0.5, 4, ascii_only=True) == "##.."


def test_every_state_has_a_word_and_a_glyph() -> None:
    for state in (*JobState, *NudState, "open", "filtered", "open|filtered", "up", "no such\x1bstate"):
        look = state_style(state)
        assert look.word.isprintable()
        assert look.ascii_glyph.isascii()
        assert look.label().startswith(look.glyph)
    assert state_style("completed").label() == "✓ done"
    assert state_style("failed").label(ascii_only=True) == "x failed"
    assert state_style("REACHABLE").tone == "success"


def test_the_second_wall_drops_what_rules_the_terminal() -> None:
    link = Style(bold=True, link="https://evil/")
    raw = [
        Segment("a\x1b]0;t\x07\x9bb\u202ec", Style(bold=True)),
        Segment("beep", None, [(ControlType.BELL,)]),
        Segment("\udcff|", link),
    ]
    kept = HostileLineFilter().apply(raw, BLACK)
    joined = "".join(segment.text for segment in kept)
    assert joined.isprintable() and joined.startswith("a]0;tbc")
    assert all(not segment.control for segment in kept)
    assert all(segment.style is None or segment.style.link is None for segment in kept)
    assert kept[-1].style is not None and kept[-1].style.bold


@pytest.mark.parametrize(
    "segment",
    [
        Segment("a\x1b[2Jb"),
        Segment("", None, [(ControlType.BELL,)]),
        Segment("x", Style(link="https://evil/")),
    ],
)
def test_the_second_wall_sees_each_danger_alone(segment: Segment) -> None:
    kept = HostileLineFilter().apply([Segment("before "), segment], BLACK)
    assert "".join(s.text for s in kept).isprintable()
    assert not any(s.control or (s.style and s.style.link) for s in kept)


def test_the_second_wall_keeps_what_is_harmless_and_costs_little() -> None:
    wall = HostileLineFilter()
    line = [Segment("│ host 漢字 \u00a0é ", Style(bold=bool(i % 2))) for i in range(2)]
    assert [s.text for s in wall.apply(line, BLACK)] == [s.text for s in line]
    usual = [Segment("192.0.2.1       gw    ", Style(bold=bool(i % 2))) for i in range(8)]
    assert wall.apply(usual, BLACK) is usual

    def once() -> float:
        began = time.thread_time()
        for _ in range(1000):
            wall.apply(usual, BLACK)
        return (time.thread_time() - began) / 1000

    assert min(once() for _ in range(3)) <= 10e-6
