"""What is sent to the terminal is what it does not show yet, and after it the terminal shows the same as ever."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from netmon_tui.ui.sent_screen import SentScreen

WIDTH, HEIGHT = 24, 3
LONG = 14
"""Lines of a screen on which a list moves."""
_TOKENS = re.compile(r"\x1b\[([\d;]*)([Hmr])|\x1b(M)|(.)", re.DOTALL)
STYLES = (
    Style(),
    Style.parse("bold #ff0000 on #102030"),
    Style.parse("#ff0000 on #102030"),
    Style.parse("underline #00ff00 on #102030"),
    Style.parse("#00ff00"),
)
Grid = dict[tuple[int, int], tuple[str, frozenset[str]]]


class Shown:
    """A terminal that knows of moving, of SGR, of scrolling regions and of characters one or two cells wide."""

    def __init__(self, height: int = HEIGHT) -> None:
        self.grid: Grid = {}
        self.written = 0
        self._region = self._screen = (0, height - 1)

    def write(self, text: str) -> None:
        self.written += len(text)
        y = x = 0
        pen: dict[str, str] = {}
        for parameters, kind, reverse, character in _TOKENS.findall(text):
            if kind == "r":
                top, _, bottom = parameters.partition(";")
                self._region = (int(top) - 1, int(bottom) - 1) if parameters else self._screen
                y = x = 0
            elif reverse or character == "\n":
                y = self._scroll(y, up=not reverse)
            elif kind == "H":
                y, x = (int(number) - 1 for number in parameters.split(";"))
            elif kind == "m":
                self._take(pen, parameters.split(";"))
            else:
                self.grid[y, x] = character, frozenset(pen.values())
                for beside in range(1, cell_len(character)):
                    self.grid[y, x + beside] = "", frozenset(pen.values())
                x += cell_len(character)
        assert not pen, "whoever writes next writes in no style of ours"
        assert self._region == self._screen, "whoever writes next moves no lines of ours"

    def _scroll(self, y: int, *, up: bool) -> int:
        """Go to the next line; from the last one, or the first, of the region all of it moves."""
        top, bottom = self._region
        if y != (bottom if up else top):
            return y + 1 if up else y - 1
        step = 1 if up else -1
        moved = {(line - step, x): cell for (line, x), cell in self.grid.items() if top <= line <= bottom}
        kept = {place: cell for place, cell in self.grid.items() if not top <= place[0] <= bottom}
        self.grid = kept | {place: cell for place, cell in moved.items() if top <= place[0] <= bottom}
        return y

    @staticmethod
    def _take(pen: dict[str, str], codes: list[str]) -> None:
        while codes:
            code = codes.pop(0)
            if code in ("", "0"):
                pen.clear()
            elif code in ("38", "48"):
                pen[code] = ";".join([code, *(codes.pop(0) for _ in range(4))])
            elif code in ("39", "49"):
                pen.pop(str(int(code) - 1), None)
            else:
                pen[code] = code


def line_of(*segments: tuple[str, Style]) -> Strip:
    return Strip([Segment(text, style) for text, style in segments]).adjust_cell_length(WIDTH, STYLES[1])


def partly(line: int, first: int, last: int, strip: Strip) -> ChopsUpdate:
    """What Textual makes of a change between two columns of a line with one widget."""
    chops: list[dict[int, Strip | None]] = [{0: None} for _ in range(HEIGHT)]
    chops[line] = {0: strip}
    return ChopsUpdate(chops, [(line, first, last)], [[WIDTH]] * HEIGHT)  # type: ignore[arg-type]


CONSOLE = Console(color_system="truecolor", force_terminal=True)
lines = st.lists(
    st.tuples(st.text("ab1 é中", max_size=9), st.sampled_from(STYLES)), max_size=4
).map(lambda segments: line_of(*segments))  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, WIDTH), lines),
        max_size=8,
    )
)
def test_the_terminal_shows_the_same_as_if_all_had_been_sent(
    changes: list[tuple[int, int, int, Strip]],
) -> None:
    ours, theirs, sent = Shown(), Shown(), SentScreen()
    whole = LayoutUpdate([[line_of(("abc", STYLES[2]))] for _ in range(HEIGHT)], Region(0, 0, WIDTH, HEIGHT))
    partial = [partly(y, x, min(WIDTH, x + width), strip) for y, x, width, strip in changes]
    for update in (whole, *partial, whole):
        ours.write(sent.frugally(update).render_segments(CONSOLE))
        theirs.write(update.render_segments(CONSOLE).replace("\n", ""))
        assert ours.grid == theirs.grid


def row(number: int) -> Strip:
    """A line of a list: no two are the same."""
    return line_of((f"{number:>5} {number * 7919 % 99_991:>5} alpha beta", STYLES[number % 7 == 0]))


def listed(first: int, height: int = LONG) -> list[tuple[int, int, Strip]]:
    """A list whose last columns another widget has, which is not drawn again."""
    return [(y, 0, row(first + y).crop(0, WIDTH - 2)) for y in range(height)]


@given(st.lists(st.integers(-40, 40), min_size=1, max_size=6), st.sets(st.integers(0, LONG - 1), max_size=3))
def test_lines_that_move_are_moved_by_the_terminal(steps: list[int], wide: set[int]) -> None:
    terminal, sent = Shown(LONG), SentScreen()
    beside = [line_of(("x", STYLES[y % 3])).crop(0, 2) for y in range(LONG)]
    terminal.write(
        sent.sequence([(y, WIDTH - 2, strip) for y, strip in enumerate(beside)], ColorSystem.TRUECOLOR)
    )
    first = 1000
    for step in (0, *steps):
        first += step
        pieces = listed(first)
        pieces = [
            (y, x, line_of(("中文", STYLES[2])).crop(0, WIDTH - 2) if y in wide else strip)
            for y, x, strip in pieces
        ]
        terminal.write(sent.sequence(pieces, ColorSystem.TRUECOLOR))
        plain = Shown(LONG)
        for y, x, strip in (*pieces, *((y, WIDTH - 2, strip) for y, strip in enumerate(beside))):
            plain.write(SentScreen().sequence([(y, x, strip)], ColorSystem.TRUECOLOR))
        assert terminal.grid == plain.grid


def test_a_list_that_goes_on_by_a_line_costs_little_more_than_that_line() -> None:
    for step in (1, 3, -1, -2):
        sent = SentScreen()
        whole = sent.sequence([(y, 0, row(500 + y)) for y in range(LONG)], ColorSystem.TRUECOLOR)
        moved = sent.sequence([(y, 0, row(500 + step + y)) for y in range(LONG)], ColorSystem.TRUECOLOR)
        assert len(moved) < len(whole) * abs(step) / LONG + 40
        assert f"\x1b[1;{LONG}r" in moved


def test_lines_are_not_moved_where_to_send_what_differs_is_less() -> None:
    sent = SentScreen()
    lines = [line_of((f"{number:>5} always the same", STYLES[0])) for number in range(100)]
    sent.sequence([(y, 0, lines[10 + y]) for y in range(LONG)], ColorSystem.TRUECOLOR)
    changed = sent.sequence([(y, 0, lines[10 + LONG - 1 + y]) for y in range(LONG)], ColorSystem.TRUECOLOR)
    assert "r" not in re.findall(r"\x1b\[[\d;]*([A-Za-z])", changed)


def test_what_is_shown_already_is_not_sent() -> None:
    sent, style = SentScreen(), STYLES[1]
    first, second = line_of(("1000 12:00:01 alpha", style)), line_of(("1001 12:00:02 alpha", style))
    assert len(sent.sequence([(0, 0, first)], ColorSystem.TRUECOLOR)) > WIDTH
    assert sent.sequence([(0, 0, first)], ColorSystem.TRUECOLOR) == ""
    changed = sent.sequence([(0, 0, second)], ColorSystem.TRUECOLOR)
    assert re.findall(r"\x1b\[1;(\d+)H", changed) == ["4", "13"]
    assert changed.count("\x1b[1;38;2;255;") == 1, "the style holds on from place to place"
    sent.forget()
    assert "alpha" in sent.sequence([(0, 0, second)], ColorSystem.TRUECOLOR)


def test_a_whole_screen_is_sent_whole_whatever_others_wrote_over_it() -> None:
    sent = SentScreen()
    whole = LayoutUpdate([[line_of(("abc", STYLES[2]))]], Region(0, 0, WIDTH, 1))
    first, second = (sent.frugally(whole).render_segments(CONSOLE) for _ in range(2))
    assert "abc" in first
    assert first == second


def test_terminals_of_few_colours_get_few() -> None:
    strip = line_of(("red", Style.parse("#ff0000")))
    assert "38;2" not in SentScreen().sequence([(0, 0, strip)], ColorSystem.STANDARD)
