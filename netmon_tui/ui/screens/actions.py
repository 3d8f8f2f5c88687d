"""What the actions on scans and on captures have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from textual.app import App

from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.session import Session


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

    def _tell(self, message: str) -> None:
        toasts.tell(self._app, message)
