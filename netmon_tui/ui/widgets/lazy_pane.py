"""A tab whose content is made when it is first looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.app import ComposeResult
from textual.widget import Widget

from netmon_tui.ui.widgets.steady_tab import SteadyTab


class LazyPane(SteadyTab):
    """Empty until :meth:`fill`: widgets that nobody sees cost as much to style and lay out as those in sight.

    Args:
        title: Of the tab.
        build: Makes the content.
        id: Identifier of the pane.
        at_once: Make the content with the pane: it is what is seen first.
    """

    def __init__(self, title: str, build: Callable[[], Widget], *, id: str, at_once: bool = False) -> None:
        super().__init__(title, id=id)
        self._build = build
        self._at_once = at_once
        self._filling = asyncio.Lock()

    def compose(self) -> ComposeResult:
        """The content, if it is wanted at once."""
        if self._at_once:
            yield self._build()

    async def fill(self) -> Widget | None:
        """Make the content if there is none; return it when it is there, whoever made it.

        None when the tab is being taken down: what is mounted then never gets there.
        """
        async with self._filling:
            if not self.children and self.is_attached:
                await self.mount(self._build())
        return next(iter(self.children), None)
