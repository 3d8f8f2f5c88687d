"""Keys that the role of a user does not include: who presses one is told why, as on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.dom import DOMNode
from textual.events import Key
from textual.widgets import Input

from netmon_tui.domain.user import Permission
from netmon_tui.errors import NotAllowed
from netmon_tui.ui import toasts
from netmon_tui.ui.session import Session


class RoleKeys(DOMNode):
    """What panes and screens have in common where a role matters.

    It stands last among the bases: Textual takes a widget's style names from the first alone.
    """

    session: Session
    NEEDS: ClassVar[Mapping[str, Permission]] = {}
    """What the role must include, by the names of actions that have keys."""

    def on_key(self, event: Key) -> None:
        """Say why a key does nothing; where somebody types it is a letter."""
        if isinstance(self.app.focused, Input):
            return
        bindings = self._bindings.copy()
        bindings.apply_keymap(self.app._keymap)  # of the settings; Textual applies it to copies alone
        for binding in bindings.key_to_bindings.get(event.key, ()):
            needed = self.NEEDS.get(binding.action.partition("(")[0])
            try:
                if needed is not None and not self._is_taken(event.key):
                    self.session.actor.require(needed)
            except NotAllowed as error:
                event.stop()
                toasts.report(self.app, error)
                return

    def _is_taken(self, key: str) -> bool:
        """Return whether a widget nearer the focus does something by the key."""
        active = self.screen.active_bindings.get(key)
        return active is not None and active.enabled and self in active.node.ancestors

    def empty_words(self, what: str, key: str, needed: Permission) -> str:
        """Return what stands in place of rows: why there are none, and the next key, or that the role has none."""
        actor = self.session.actor
        return f"{what}. Press {key}" if actor.may(needed) else f"{what}. A {actor.role} may not {needed}"
