"""Who is using the screens, and through which services."""

from __future__ import annotations

from dataclasses import dataclass

from netmon_tui.domain.user import Actor
from netmon_tui.services.container import Services


@dataclass(frozen=True, slots=True)
class Session:
    """Handed to every screen and pane by its constructor; there is none before a login."""

    services: Services
    actor: Actor
