"""Commands: one definition gives key, footer text, palette entry, tooltip and action."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import ActiveBinding, Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from netmon_tui.ui.rendering import content


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


class ActiveCommands(Provider):
    """The palette: every command that the focused widget and its parents offer now, run as its key would."""

    def _commands(self) -> Iterator[ActiveBinding]:
        seen: set[tuple[int, str]] = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            mark = (id(active.node), binding.action)
            if active.enabled and binding.description and not binding.system and mark not in seen:
                seen.add(mark)
                yield active

    async def discover(self) -> Hits:
        """Yield all of them, before anything is typed."""
        for active in self._commands():
            yield DiscoveryHit(content(_title(active)), self._runner(active), help=_help(active))

    async def search(self, query: str) -> Hits:
        """Yield those whose name or explanation matches."""
        matcher = self.matcher(query)
        for active in self._commands():
            score = max(matcher.match(_title(active)), matcher.match(_help(active)) * 0.8)
            if score > 0:
                yield Hit(score, content(_title(active)), self._runner(active), help=_help(active))

    def _runner(self, active: ActiveBinding):  # type: ignore[no-untyped-def] # noqa: ANN202
        async def run() -> None:
            await self.app.run_action(active.binding.action, active.node)

        return run


def _title(active: ActiveBinding) -> str:
    return f"{active.binding.description}  ({active.binding.key})"


def _help(active: ActiveBinding) -> str:
    return active.binding.tooltip or active.binding.description
