"""The picture of the compositor that paints changed lines alone is the one that Textual paints of all lines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Region
from textual.screen import Screen
from textual.widgets import Label, Static

from netmon_tui.ui.line_compositor import LineCompositor, Wanted
from netmon_tui.ui.sent_screen import Piece, _of_chops

WIDTH, HEIGHT = 60, 20


class Crowded(Screen[None]):
    """Widgets beside, above and inside each other, one of them scrolled."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LineCompositor()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("\n".join(f"left {n}" for n in range(8)), id="left")
            yield Static("framed\nand full", id="framed")
        with VerticalScroll():
            for number in range(30):
                yield Label(f"line {number} " * 5)
        yield Static("over\nthe others", id="over")


class Shown(App[None]):
    CSS = """
    Crowded { layers: default above; }
    Horizontal { height: 8; }
    #left { width: 30; }
    #framed { border: round white; height: 6; width: 20; }
    VerticalScroll { height: 1fr; }
    #over { layer: above; offset: 10 5; width: 15; height: 4; background: blue; }
    """

    def get_default_screen(self) -> Screen[None]:
        return Crowded()


def in_spans(update: ChopsUpdate | None) -> Iterator[Piece]:
    assert update is not None
    yield from _of_chops(update)


@pytest.mark.parametrize("seed", range(20))
async def test_changed_lines_alone_make_the_same_picture(seed: int) -> None:
    choose = random.Random(seed)
    app = Shown()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.screen.query_one(VerticalScroll).scroll_to(y=choose.randrange(10), animate=False)
        await pilot.pause()
        compositor = app.screen._compositor
        regions = {
            Region(
                choose.randrange(WIDTH),
                choose.randrange(HEIGHT),
                choose.randrange(1, 30),
                choose.randrange(1, 5),
            )
            for _ in range(choose.randrange(1, 5))
        }
        regions = {region.intersection(app.screen.region) for region in regions}
        compositor._dirty_regions = set(regions)
        ours = list(in_spans(compositor.render_partial_update()))
        compositor._dirty_regions = set(regions)
        theirs = list(in_spans(Compositor.render_partial_update(compositor)))
        assert ours == theirs
        assert {y for y, _, _ in ours} == {y for y in range(HEIGHT) for one in regions if y in one.line_range}


async def test_a_widget_is_asked_for_no_other_line_than_those_that_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Region] = []
    app = Shown()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        framed = app.screen.query_one("#framed")
        render = framed.render_lines
        monkeypatch.setattr(framed, "render_lines", lambda crop: asked.append(crop) or render(crop))
        compositor = app.screen._compositor
        compositor._dirty_regions = {Region(0, 1, 60, 1), Region(0, 4, 60, 1), Region(0, 19, 60, 1)}
        compositor.render_partial_update()
    assert [region.line_range for region in asked] == [range(1, 2), range(4, 5)]


async def test_what_is_covered_or_beside_the_change_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    app = Shown()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await pilot.pause()
        compositor = app.screen._compositor
        for widget in compositor.visible_widgets:

            def note(crop: Region, name: str = widget.id or "", render: Any = widget.render_lines) -> Any:
                asked.append(name)
                return render(crop)

            monkeypatch.setattr(widget, "render_lines", note)
        compositor._dirty_regions = {Region(2, 1, 10, 1)}
        compositor.render_partial_update()
        assert asked == ["left"], "neither what is beside it nor what both stand on"
        compositor._dirty_regions = {Region(12, 6, 4, 2)}
        compositor.render_partial_update()
        assert asked == ["left", "over"], "and nothing under what is over it"


def test_cells_are_taken_once() -> None:
    wanted = Wanted([Region(0, 5, 10, 2), Region(4, 6, 20, 2), Region(7, 0, 0, 3)])
    assert wanted.take(Region(2, 0, 3, 20)) == [5, 6, 7]
    assert wanted.take(Region(2, 0, 3, 20)) == []
    assert wanted.take(Region(0, 6, 2, 1)) == [6]
    assert wanted.take(Region(0, 0, 60, 8)) == [5, 6, 7]
    assert not wanted
