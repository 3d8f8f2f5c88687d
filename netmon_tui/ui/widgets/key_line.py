"""The line at the bottom: the keys that work here, the most telling ones where the screen is narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from textual import events
from textual.binding import ActiveBinding
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from netmon_tui.ui.rendering import content

_LAST = ("help", "quit")
"""Actions that always stay, at the end of the line."""
_RANKS = (
    "table.open",
    "dialog.accept",
    "dialog.cancel",
    "",
    "packets.zoom",
    "table.filter",
    "table.",
    "app.",
    "dialog.help",
    "form.next",
)
"""Beginnings of ids, the most telling first; the empty one stands for all that are not named."""


class ShownKey(NamedTuple):
    """A key of the line."""

    key: str
    """As it is pressed, such as ``ctrl+q``."""
    display: str
    """As it is written, such as ``^q``."""
    description: str
    tooltip: str
    enabled: bool

    @property
    def width(self) -> int:
        """Cells, with the space behind it."""
        return cell_len(self.display) + 1 + cell_len(self.description) + 1


class KeyLine(Widget):
    """Keys of this place first, then those of every table, then help and quit; what does not fit is in the help.

    One widget that paints a line, and only when other keys make sense: a widget for each key, made anew whenever
    the focus moves, takes longer than all else that a screen needs to open.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-line--key", "key-line--disabled"}
    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        color: $footer-description-foreground;
        background: $footer-background;
        .key-line--key { color: $footer-key-foreground; text-style: bold; }
        .key-line--disabled { text-style: dim; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys: tuple[ShownKey, ...] = ()
        """From left to right."""
        self._choosing = False

    def on_mount(self) -> None:
        """Follow what makes sense here."""
        self.screen.bindings_updated_signal.subscribe(self, self._choose_soon)

    def on_resize(self) -> None:
        """Choose again."""
        self._choose_soon(self.screen)

    def render(self) -> Content:
        """The keys with their words."""
        key_style, dim = (
            self.get_visual_style(name, partial=True) for name in ("key-line--key", "key-line--disabled")
        )
        return Content.assemble(
            *(
                Content.assemble((key.display, key_style), f" {key.description} ").stylize(
                    "" if key.enabled else dim
                )
                for key in self.keys
            )
        )

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click presses the key."""
        key = self._key_at(event.x)
        if key is not None and key.enabled:
            self.app.simulate_key(key.key)
        elif key is not None:
            self.app.bell()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Say more of the key under the mouse."""
        key = self._key_at(event.x)
        self.tooltip = content(key.tooltip) if key is not None else None

    def _choose_soon(self, screen: Screen[object]) -> None:
        """Choose once, however often it is said that something changed."""
        if not self._choosing:
            self._choosing = True
            self.call_after_refresh(self._choose)

    def _choose(self) -> None:
        self._choosing = False
        if self.is_attached and self.keys != (keys := tuple(self._fitting())):
            self.keys = keys
            self.refresh()

    def _fitting(self) -> Iterator[ShownKey]:
        """Yield the keys that fit, in our order."""
        active: dict[str, ActiveBinding] = {}
        for binding in self.screen.active_bindings.values():
            if binding.binding.show:
                active.setdefault(binding.binding.action, binding)  # one key for each action
        last = [self._shown(active.pop(action)) for action in _LAST if action in active]
        room = self.app.size.width + 1 - sum(key.width for key in last)  # nothing follows the last one
        for key in map(self._shown, sorted(active.values(), key=_rank)):
            room -= key.width
            if room < 0:
                break
            yield key
        yield from last

    def _shown(self, active: ActiveBinding) -> ShownKey:
        binding = active.binding
        display = self.app.get_key_display(binding)
        return ShownKey(binding.key, display, binding.description, active.tooltip, active.enabled)

    def _key_at(self, x: int) -> ShownKey | None:
        for key in self.keys:
            if 0 <= x < key.width - 1:
                return key
            x -= key.width
        return None


def _rank(active: ActiveBinding) -> int:
    name = active.binding.id or ""
    return next((n for n, start in enumerate(_RANKS) if start and name.startswith(start)), _RANKS.index(""))
