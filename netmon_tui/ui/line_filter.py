"""The second wall against terminal injection: a filter over every line that is sent to the terminal.

The gate (``security.hostile_text``) is the first wall. This one is for the day somebody forgets it: it sees
each line after all widgets have drawn, and takes away what no widget of ours draws on purpose. To install::

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._hostile_line_filter]

with *one* instance per application, because Textual caches filtered lines by filter.
It does not see ``App.exit(message=...)`` nor tracebacks.

A second filter draws with ASCII where nothing else can be drawn.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

_HOSTILE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_IN_ASCII = {
    **dict.fromkeys(map(ord, "─━╌╍┄┅┈┉═╸╺╴╶"), "-"),
    **dict.fromkeys(map(ord, "│┃╎╏┆┇┊┋║▏▕"), "|"),
    **dict.fromkeys(map(ord, "┌┍┎┏┐┑┒┓└┕┖┗┘┙┚┛╔╗╚╝╭╮╯╰├┝┞┟┠┡┢┣┤┥┦┧┨┩┪┫┬┭┮┯┰┱┲┳┴┵┶┷┸┹┺┻┼╋╠╣╦╩╬"), "+"),
    **dict.fromkeys(map(ord, "█▉▊▋▓▒■▮⣿"), "#"),
    **dict.fromkeys(map(ord, "▌▍▎▶▸▹►❯›»▷"), ">"),
    **dict.fromkeys(map(ord, "◀◂◁◄‹«"), "<"),
    **dict.fromkeys(map(ord, "▀▔"), "~"),
    **dict.fromkeys(map(ord, "▄▂▃▅▆▇▁_"), "_"),
    **dict.fromkeys(map(ord, "●◉•▪"), "*"),
    **dict.fromkeys(map(ord, "○◌◯"), "o"),
    **dict.fromkeys(map(ord, "·…░"), "."),
    **dict.fromkeys(map(ord, "↑▲△▴"), "^"),
    **dict.fromkeys(map(ord, "↓▼▽▾⏷"), "v"),
    **dict.fromkeys(map(ord, "⏎↵"), "<"),
    **dict.fromkeys(map(ord, "–—"), "-"),
    ord("→"): ">", ord("←"): "<", ord("✓"): "+", ord("✔"): "+", ord("✗"): "x", ord("✘"): "x", ord("◐"): "~",
    ord("×"): "x", ord("±"): "~",
}  # fmt: skip


class HostileLineFilter(LineFilter):
    """Drops control segments, control characters, direction overrides and OSC 8 links.

    A dropped character leaves as many ``?`` as the layout counted cells for it, so columns stay in line.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same list when nothing is wrong with it, otherwise a harmless copy."""
        for text, style, control in segments:
            if control or not text.isprintable() or (style is not None and style.link is not None):
                return [_harmless(segment) for segment in segments if not segment.control]
        return segments


class AsciiLineFilter(LineFilter):
    """Draws glyphs of ours and of Textual with ASCII, for consoles and serial lines.

    One character for one, so that columns stay in line. Letters of other scripts, which are somebody's words
    and no drawing, stay as they are.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the same list when all of it is ASCII, otherwise a copy."""
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [Segment(text.translate(_IN_ASCII), style, control) for text, style, control in segments]


def _harmless(segment: Segment) -> Segment:
    """Return the segment without hostile characters and without a link."""
    text, style, _ = segment
    if style is not None and style.link is not None:
        style = _unlinked(style)
    return Segment(_HOSTILE.sub(_stand_in, text), style)


def _stand_in(match: re.Match[str]) -> str:
    """Return what keeps the width of a dropped character."""
    return "?" * cell_len(match[0])


@lru_cache(maxsize=256)
def _unlinked(style: Style) -> Style:
    """Return the style without its link."""
    return style.update_link(None)
