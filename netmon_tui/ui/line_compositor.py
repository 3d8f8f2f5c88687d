"""Paints of each widget the lines that changed; Textual asks it for all its lines, whichever of them did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class LineCompositor(Compositor):
    """Arranges the widgets of a screen as Textual's does, and paints the same picture."""

    def __init__(self) -> None:
        super().__init__()
        self._bands: list[range] | None = None
        """Lines of the screen that are painted anew; None for all."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what makes the screen show what it should, the changed lines; None without any."""
        self._bands = bands(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._bands = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield of each widget where its lines are, where they may be seen, and the lines."""
        if crop is None or self._bands is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            if not crop.overlaps(clip):
                continue
            seen = region.intersection(clip)
            x, width = seen.x - region.x, seen.width
            for band in self._bands:
                top, bottom = max(seen.y, band.start), min(seen.bottom, band.stop)
                if width and top < bottom:
                    lines = widget.render_lines(Region(x, top - region.y, width, bottom - top))
                    yield Region(seen.x, top, width, bottom - top), clip, lines


def bands(regions: Iterable[Region]) -> list[range]:
    """Return the lines that regions cover, those that follow each other together, from the top."""
    lines = sorted({y for region in regions for y in region.line_range})
    return list(_runs(lines))


def _runs(lines: list[int]) -> Iterator[range]:
    for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        ys = [y for _, y in run]
        yield range(ys[0], ys[-1] + 1)
