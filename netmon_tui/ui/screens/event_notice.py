"""What tells, wherever the user is, that something weighty happened in the neighbour table."""

from __future__ import annotations

import time
from collections.abc import Callable

from textual import work
from textual.message import Message
from textual.widget import Widget

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.neighbour_event import EventFilter
from netmon_tui.domain.neighbour_event_words import sentence
from netmon_tui.domain.window import Window
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.screens.login import LoginScreen
from netmon_tui.ui.session import Session

LOOK_SECONDS = 2.0
TOAST_SECONDS = 15.0
"""Between two toasts: what comes meanwhile is counted in the next one."""
_WEIGHTY = EventFilter(unacknowledged=True, least=Severity.HIGH)


class EventNotice(WorkerDefects, Widget):
    """Nothing to see. Looks at the events when the database changes, tells new ones of high severity as a toast.

    Args:
        session: Services and actor.
        clock: Seconds that never go back.
    """

    DEFAULT_CSS = "EventNotice { display: none; }"

    class Counted(Message):
        """Another number of events is to be seen to.

        Args:
            count: Those of high or medium severity that nobody has acknowledged.
        """

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._session = session
        self._clock = clock
        self._revision = -1
        self._told: int | None = None
        """Greatest id of an event when it was last told; None before the first look."""
        self._toast_at = -TOAST_SECONDS
        self._count = 0
        self._looking = False

    def on_mount(self) -> None:
        """Begin to look."""
        self.set_interval(LOOK_SECONDS, self._look_soon)
        self._look_soon()

    def _look_soon(self) -> None:
        # Behind the lock nobody is told what happens in the network.
        if not self._looking and not isinstance(self.app.screen, LoginScreen):
            self._looking = True
            self._look()

    @work(group="event-notice", exit_on_error=False)
    async def _look(self) -> None:
        services, actor = self._session.services, self._session.actor
        try:
            revision = await services.revision()
            if revision == self._revision:
                return
            tally = await services.segment.events.tally(actor)
            self._take_count(tally.open[Severity.HIGH] + tally.open[Severity.MEDIUM])
            if await self._tell(tally.newest):
                self._revision = revision
        except NetmonError:
            return  # whatever the database suffers from, the pane in sight tells
        finally:
            self._looking = False

    def _take_count(self, count: int) -> None:
        if count != self._count:
            self._count = count
            self.post_message(self.Counted(count))

    async def _tell(self, newest: int) -> bool:
        """Tell what is new; return whether nothing is left to be told."""
        if self._told is None or newest == self._told:
            self._told = newest
            return True
        if self._clock() - self._toast_at < TOAST_SECONDS:
            return False
        service, actor = self._session.services.segment.events, self._session.actor
        wanted = _WEIGHTY._replace(newer_than=self._told, up_to=newest)
        more = await service.count(actor, wanted) - 1
        for event in await service.events(actor, wanted, Window(limit=1)):
            self._toast_at = self._clock()
            toasts.warn(
                self.app,
                f"Neighbours: {event.kind.words}",
                sentence(event) + (f"; {more:,} more" if more > 0 else ""),
            )
        self._told = newest
        return True
