"""What the actions on scans and on captures have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from textual.app import App

from netmon_tui.domain.user import Actor
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.session import Session

_Delete = Callable[[Actor, int], Awaitable[None]]
_REASONS = 3
"""So many fit into a toast."""


class Actions:
    """Asks what is to be asked, does it, and says what happened. Call it in a worker.

    Args:
        session: Services and actor.
        app: Shows dialogs and toasts.
    """

    def __init__(self, session: Session, app: App[object]) -> None:
        self._session = session
        self._services = session.services
        self._app = app

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Show an expected failure as a toast."""
        try:
            yield
        except NetmonError as error:
            toasts.report(self._app, error)

    async def _delete_each(self, noun: str, numbers: Sequence[int], delete: _Delete) -> frozenset[int]:
        """Delete what can be, and say what is gone, and of the rest why it is not; return what is gone."""
        gone: set[int] = set()
        reasons: list[str] = []
        for number in numbers:
            try:
                await delete(self._session.actor, number)
                gone.add(number)
            except NetmonError as error:
                reasons.append(str(error))
        if reasons:
            told = [*reasons[:_REASONS], *(["…"] if len(reasons) > _REASONS else [])]
            deleted = f"{len(gone)} of {len(numbers)} deleted. " if gone else ""
            toasts.warn(self._app, "Not deleted", f"{deleted}{'; '.join(told)}")
        else:
            only = f"{noun.capitalize()} {numbers[0]} is deleted"
            self._tell(only if len(gone) == 1 else f"{len(gone)} {noun}s are deleted")
        return frozenset(gone)

    def _tell(self, message: str) -> None:
        toasts.tell(self._app, message)
