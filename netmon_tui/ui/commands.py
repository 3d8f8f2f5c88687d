"""Commands: one definition gives key, footer text, palette entry, tooltip and action."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from enum import IntEnum

from textual.binding import ActiveBinding, Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from netmon_tui.ui.rendering import content

_MOVES = ("table.down", "table.up", "table.left", "table.right", "table.page_", "table.first", "table.last")
"""Beginnings of ids of what only moves the cursor."""


def command(
    id: str, key: str, action: str, label: str, help: str, *, show: bool = True, priority: bool = False
) -> Binding:
    """Return the binding of a user command.

    Args:
        id: Dotted name for the ``[keys]`` table of the configuration, such as ``scans.new``.
        key: Default key, several with commas.
        action: Textual action.
        label: One or two words for the footer.
        help: One sentence for the palette and the help.
        show: Whether it takes room in the footer.
        priority: Whether it works before the focused widget sees the key.
    """
    return Binding(key, action, label, tooltip=help, id=id, show=show, priority=priority)


def user_commands(active: Iterable[ActiveBinding]) -> list[tuple[ActiveBinding, list[Binding]]]:
    """Return what a user can ask for, each with all its keys, by parts.

    Movements and Textual's own bindings are left out.
    """
    found: dict[tuple[int, str], tuple[ActiveBinding, list[Binding]]] = {}
    for one in active:
        binding = one.binding
        if binding.id and binding.description and not binding.id.startswith(_MOVES):
            mark = (id(one.node), binding.action)
            found.setdefault(mark, (one, []))[1].append(binding)
    return sorted(found.values(), key=lambda command: part_of(command[0].binding))


class Part(IntEnum):
    """Where a command belongs, in the order in which they are listed."""

    HERE = 0
    THERE = 1
    """In a part of this place that does not have the focus."""
    LISTS = 2
    EVERYWHERE = 3


def part_of(binding: Binding) -> Part:
    """Return where a command belongs, by its id."""
    name = binding.id or ""
    if name.startswith(("frame.", "app.")):
        return Part.EVERYWHERE
    return Part.LISTS if name.startswith("table.") else Part.HERE


def commands_of(kinds: Iterable[type[DOMNode]], keys: Mapping[str, str]) -> list[Binding]:
    """Return what a user can ask for in widgets, whether they have the focus or not.

    Args:
        kinds: Classes of the widgets.
        keys: The user's own, by the ids of bindings.
    """
    made = (one for kind in kinds for one in Binding.make_bindings(kind.BINDINGS) if one.id and one.tooltip)
    return [replace(one, key=keys.get(one.id or "", one.key)) for one in made]


def help_of(active: ActiveBinding) -> str:
    """Return the sentence that explains a command."""
    return active.binding.tooltip or active.binding.description


class ActiveCommands(Provider):
    """The palette: every command that the focused widget and its parents offer now, run as its key would.

    What has no key, ``App.get_system_commands``, comes last: a provider of its own would be asked first or last
    by chance.
    """

    def _commands(self) -> list[ActiveBinding]:
        commands = (active for active, _ in user_commands(self.screen.active_bindings.values()))
        return [
            active for active in commands if active.enabled and active.binding.action != "command_palette"
        ]

    async def discover(self) -> Hits:
        """Yield all of them, before anything is typed."""
        for active in self._commands():
            yield DiscoveryHit(content(self._line(active)), self._runner(active))
        for name, help, callback, _ in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(content(_line(name, "", help)), callback)

    async def search(self, query: str) -> Hits:
        """Yield those whose name or explanation matches."""
        matcher = self.matcher(query)
        for active in self._commands():
            score = max(matcher.match(active.binding.description), matcher.match(help_of(active)) * 0.8)
            if score > 0:
                yield Hit(score, content(self._line(active)), self._runner(active))
        for name, help, callback, _ in self.app.get_system_commands(self.screen):
            score = max(matcher.match(name), matcher.match(help) * 0.8)
            if score > 0:
                yield Hit(score, content(_line(name, "", help)), callback)

    def _line(self, active: ActiveBinding) -> str:
        key = self.app.get_key_display(active.binding)
        return _line(active.binding.description, key, help_of(active))

    def _runner(self, active: ActiveBinding) -> Callable[[], Coroutine[None, None, None]]:
        async def run() -> None:
            await self.app.run_action(active.binding.action, active.node)

        return run


def _line(name: str, key: str, help: str) -> str:
    return f"{name:<12} {key:<6} {help}"
