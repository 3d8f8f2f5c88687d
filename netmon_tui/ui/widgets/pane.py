"""What is inside a tab: a widget that is built when its tab is first shown and told when data changed."""

from __future__ import annotations

from textual.containers import Vertical

from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.role_keys import RoleKeys


class Pane(WorkerDefects, Vertical, RoleKeys):
    """Base of all tabs' contents.

    The frame calls :meth:`refresh_data` when the database changed while the tab is visible, and when it becomes
    visible. Freezing (``p``) means that it is not called.

    Args:
        session: Services and actor.
        id: Identifier of the widget.
    """

    HELP_TITLE = ""
    """Heading of the help."""
    HELP_TEXT = ""
    """What this tab is for, in a few lines of plain text."""
    LIVE_SECONDS: float | None = None
    """How often the pane shows figures of its own that change without the database; None when it has none."""

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session

    async def refresh_data(self) -> None:
        """Show what changed. Must repaint nothing when nothing did."""

    def focus_content(self) -> None:
        """Put the focus where a user wants it when the tab opens."""

    def report(self, error: NetmonError) -> None:
        """Show an error as a toast: what, why and what to do."""
        toasts.report(self.app, error)

    def tell(self, message: str) -> None:
        """Show what happened as a toast."""
        toasts.tell(self.app, message)
