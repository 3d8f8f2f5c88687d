"""Consoles and serial lines: which they are, and how our glyphs look there."""

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color

from netmon_tui.ui.line_filter import AsciiLineFilter
from netmon_tui.ui.rendering import bar, state_style
from netmon_tui.ui.terminal import draws_ascii_only


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True),
        ({"TERM": "vt220"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "tmux-256color", "LANG": "de_DE.UTF-8"}, False),
        ({"TERM": "xterm", "LANG": "de_DE.utf8"}, False),
        ({"TERM": "xterm", "LC_ALL": "C", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "xterm", "LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"TERM": "xterm", "LANG": "de_DE.ISO-8859-1"}, True),
        ({}, False),
    ],
)
def test_which_terminals_draw_ascii_only(environ: dict[str, str], expected: bool) -> None:
    assert draws_ascii_only(environ) is expected


@pytest.mark.parametrize("drawn", ["╭─╮│╰╯━╸╺▔▁▌", "…", "⏎ ^r", "▲ ▼", bar(0.37, 9), "é"])
def test_every_glyph_keeps_its_width(drawn: str) -> None:
    (segment,) = AsciiLineFilter().apply([Segment(drawn)], Color(0, 0, 0))
    assert cell_len(segment.text) == cell_len(drawn)
    assert segment.text.isascii() or drawn == "é", "words stay as they are"


@pytest.mark.parametrize(
    "state", ["running", "done", "up", "failed", "interrupted", "delay", "stale", "queued", "REACHABLE"]
)
def test_states_are_drawn_in_ascii(state: str) -> None:
    (segment,) = AsciiLineFilter().apply([Segment(state_style(state).label())], Color(0, 0, 0))
    assert segment.text == state_style(state).label(ascii_only=True)


def test_what_is_ascii_is_not_touched() -> None:
    segments = [Segment("plain")]
    assert AsciiLineFilter().apply(segments, Color(0, 0, 0)) is segments
