"""A container whose widgets are mounted when they are needed, so that the screen around it is painted sooner."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from textual.containers import Vertical
from textual.widget import Widget


class FilledLater(Vertical):
    """Empty until :meth:`fill`; its size must not come from what is in it, or nothing be seen of it so far."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._filling = asyncio.Lock()

    @property
    def parts(self) -> Sequence[Widget]:
        """What is mounted, made with the container: it can be written to before."""
        raise NotImplementedError

    async def fill(self) -> None:
        """Mount the parts, once."""
        async with self._filling:
            if not self.children and self.is_attached:
                await self.mount_all(self.parts)
