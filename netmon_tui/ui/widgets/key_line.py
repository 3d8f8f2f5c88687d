"""The line at the bottom: the keys that work here, the most telling ones where the screen is narrow."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

_LAST = ("help", "quit")
"""Actions that always stay, at the end of the line."""
_RANKS = ("table.open", "", "table.filter", "table.", "app.")
"""Beginnings of ids, the most telling first; the empty one stands for all that are not named."""


class KeyLine(Footer):
    """Keys of this place first, then those of every table, then help and quit; what does not fit is in the help."""

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._composed_width = 0

    def compose(self) -> ComposeResult:
        """Only what fits, in our order."""
        if not self._bindings_ready:
            return
        self._composed_width = self.app.size.width
        shown = [active for active in self.screen.active_bindings.values() if active.binding.show]
        keys: dict[str, ActiveBinding] = {}
        for active in shown:
            keys.setdefault(active.binding.action, active)  # one key for each action
        last = [active for active in keys.values() if active.binding.action in _LAST]
        room = self._composed_width - sum(self._width(active) for active in last)
        for active in sorted((a for a in keys.values() if a not in last), key=_rank):
            room -= self._width(active)
            if room < 0:
                break
            yield self._key(active)
        for active in sorted(last, key=lambda active: _LAST.index(active.binding.action)):
            yield self._key(active)

    def on_resize(self, event: events.Resize) -> None:
        """Choose again."""
        if self.app.size.width != self._composed_width and self._bindings_ready:
            self.call_after_refresh(self.recompose)

    def _width(self, active: ActiveBinding) -> int:
        return len(self.app.get_key_display(active.binding)) + len(active.binding.description) + 2

    def _key(self, active: ActiveBinding) -> FooterKey:
        binding = active.binding
        return FooterKey(
            binding.key,
            self.app.get_key_display(binding),
            binding.description,
            binding.action,
            disabled=not active.enabled,
            tooltip=active.tooltip,
        ).data_bind(compact=Footer.compact)


def _rank(active: ActiveBinding) -> int:
    name = active.binding.id or ""
    return next((n for n, start in enumerate(_RANKS) if start and name.startswith(start)), _RANKS.index(""))
