"""Toasts: the one way in which the screens say what happened, or what went wrong."""

from __future__ import annotations

from textual.app import App

from netmon_tui.errors import NetmonError
from netmon_tui.ui.rendering import content


def tell(app: App[object], message: str) -> None:
    """Show what happened."""
    app.notify(str(content(message)), markup=False)


def warn(app: App[object], title: str, message: str) -> None:
    """Show that something happened that somebody should look at."""
    app.notify(str(content(message)), title=title, severity="warning", markup=False)


def report(app: App[object], error: NetmonError) -> None:
    """Show an error: what, why and what to do."""
    app.notify(str(content(error)), title=error.title, severity="error", markup=False)
