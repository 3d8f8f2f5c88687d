"""Keys in the order in which they were typed.

Textual hands a key to the focused widget at once, but what the widget does not know climbs from queue to queue
up to the application before a binding answers it. Keys of one burst (a slow line, a paste without brackets,
somebody who types ahead) overtake each other that way: ``ada<Enter>secret`` writes ``adasecret`` into the name.
Here a key waits until the one before it has had its effect.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump

PATIENCE_SECONDS = 2.0
"""After so long the keys that wait go on whatever became of the one before: who was to answer it may be gone."""


class KeysInTurn:
    """Lets one key (or paste) at a time into an application.

    Args:
        app: The application.
        hand_on: What the application does with a key.
    """

    def __init__(self, app: App[Any], hand_on: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app = app
        self._hand_on = hand_on
        self._waiting: deque[events.Event] = deque()
        self._settling: asyncio.Task[None] | None = None
        """Set while a key is on its way."""
        self.given_up = 0
        """How many keys had no effect in time."""

    @property
    def busy(self) -> bool:
        """Whether a key has not had its effect yet."""
        return self._settling is not None

    async def take(self, event: events.Event) -> None:
        """Hand a key on, now or when it is its turn."""
        if self.busy:
            self._waiting.append(event)
        else:
            await self._begin(event)

    async def _begin(self, event: events.Event) -> None:
        way = self._way()
        self._settling = asyncio.create_task(self._settle(way), name="keys in turn")
        await self._hand_on(event)

    def _way(self) -> list[MessagePump]:
        """Return whom a key meets: the focused widget and what holds it, up to the application."""
        node: MessagePump | None = self._app.focused or self._app.screen
        way: list[MessagePump] = []
        while node is not None:
            way.append(node)
            node = node._parent
        return way

    async def _settle(self, way: list[MessagePump]) -> None:
        """Wait until a key has had its effect, then let the next one begin."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await _climb(way)  # the key itself
                await _climb(way)  # what it caused: a field was submitted
                await _climb(self._way())  # what that showed: another field, another screen
        except TimeoutError:
            self.given_up += 1
            self._app.call_later(self._hand_on_all)
        except ScreenStackError:
            self._app.call_later(self._hand_on_all)  # there is no screen at the moment: the application ends
        else:
            if self._waiting:
                self._app.call_later(self._begin, self._waiting.popleft())
            else:
                self._settling = None

    async def _hand_on_all(self) -> None:
        """Hand on everything that waits: nobody answers in time, and each would wait as long again."""
        waiting, self._waiting, self._settling = self._waiting, deque(), None
        for event in waiting:
            await self._hand_on(event)


async def _climb(way: list[MessagePump]) -> None:
    """Pass through one queue after the other, behind all that is in it now; those of the removed are closed."""
    for node in way:
        passed = asyncio.Event()
        if node.call_later(passed.set):
            await passed.wait()
