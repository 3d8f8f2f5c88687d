"""Paints of the widgets only those lines in which something changed that is seen; Textual paints all of them."""

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
        self._wanted: Wanted | None = None
        """What is painted anew; None for all."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what makes the screen show what it should, the changed cells; None without any."""
        self._wanted = Wanted(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._wanted = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield of each widget where its lines are, where they may be seen, and the lines."""
        if crop is None or self._wanted is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():  # those in front first
            if not crop.overlaps(clip):
                continue
            seen = region.intersection(clip)
            x, width = seen.x - region.x, seen.width
            for run in runs_of(self._wanted.take(seen)):
                top, height = run.start, len(run)
                lines = widget.render_lines(Region(x, top - region.y, width, height))
                yield Region(seen.x, top, width, height), clip, lines
            if not self._wanted:
                break


class Wanted:
    """Cells of the screen that have to be painted, and that nothing was painted in yet.

    Args:
        regions: Where something changed.
    """

    def __init__(self, regions: Iterable[Region]) -> None:
        self._spans: dict[int, list[tuple[int, int]]] = {}
        """By line, where they begin and end."""
        for region in regions:
            for y in region.line_range if region else ():
                self._spans.setdefault(y, []).append(region.column_span)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def take(self, region: Region) -> list[int]:
        """Return the lines in which a region has such cells, from the top; they are not wanted any more."""
        first, last = region.column_span
        return [y for y in region.line_range if y in self._spans and self._take(y, first, last)]

    def _take(self, y: int, first: int, last: int) -> bool:
        spans = self._spans[y]
        if all(end <= first or begin >= last for begin, end in spans):
            return False
        rest = [(begin, min(end, first)) for begin, end in spans if begin < first]
        rest += [(max(begin, last), end) for begin, end in spans if end > last]
        if rest:
            self._spans[y] = rest
        else:
            del self._spans[y]
        return True


def runs_of(lines: list[int]) -> Iterator[range]:
    """Yield those of some rising numbers that follow each other, together."""
    for _, run in groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        ys = [y for _, y in run]
        yield range(ys[0], ys[-1] + 1)
