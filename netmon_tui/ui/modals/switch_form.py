"""The options of a scan as switches, in step with the line: each changes the other at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, OptionList, Static, TabbedContent, TabPane

from netmon_tui.domain.scan import ScanPreview
from netmon_tui.domain.switches import Switch
from netmon_tui.errors import InvalidInput
from netmon_tui.ui.commands import command
from netmon_tui.ui.modals.dialog import Dialog
from netmon_tui.ui.modals.profile_form import LONGEST_OPTIONS
from netmon_tui.ui.modals.script_picker import ScriptChoice, ScriptPicker
from netmon_tui.ui.rendering import content
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.switch_row import SwitchRow

CHECK_SECONDS = 0.2
"""Pause in typing after which the line is looked at."""
MOST_ROWS = 12
"""Switches of a group below each other; more stand in two columns."""
_SCRIPT, _ARGUMENTS = "--script", "--script-args"


class SwitchForm(Dialog[str]):
    """All options that may be used, by groups. Gives the line of options.

    Args:
        session: Services and actor.
        line: The options to begin with; they may be wrong.
        preview: Says what a line would run, or why it is refused.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        command("switches.take", "ctrl+t", "take", "Take", "Use these options."),
        command("switches.scripts", "ctrl+n", "scripts", "Scripts", "Choose from nmap's scripts."),
        command("switches.next", "pagedown", "group(1)", "Next group", "Show the next group.", priority=True),
        command(
            "switches.back", "pageup", "group(-1)", "Group before", "Show the one before.", priority=True
        ),
        command("switches.down", "down", "step(1)", "Down", "Next switch.", show=False, priority=True),
        command("switches.up", "up", "step(-1)", "Up", "Switch before.", show=False, priority=True),
    ]

    def __init__(self, session: Session, line: str, preview: Callable[[str], Awaitable[ScanPreview]]) -> None:
        super().__init__()
        self._session = session
        self._options = session.services.options
        self._line = line
        self._preview = preview
        self._refused: set[str] = set()
        """Switches with a value that the line does not have, because it is refused."""

    def compose(self) -> ComposeResult:
        """The line, groups of switches, and what is wrong with it."""
        values = self._values() or {}
        with self.box("Options of the scan", id="switches-box") as box:
            box.border_subtitle = content("pgup/pgdn groups, ctrl+n scripts, ctrl+t takes, esc leaves")
            with Horizontal(classes="form--row"):
                yield Label("Options")
                yield Input(self._line, id="switches-line", max_length=LONGEST_OPTIONS, compact=True)
            with TabbedContent(id="switches"):
                for group, switches in groupby(self._options.switches, key=lambda one: one.group):
                    yield from _pane(group, tuple(switches), values)
            with VerticalScroll(id="switches-check", can_focus=False):
                yield Static("", id="switches-said")
            with Horizontal(classes="dialog--buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                yield Button("Take", id="take", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Look at the line, and begin with the first switch."""
        self._look(0.0)
        self._focus_first()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys to an open list."""
        return action not in {"step", "group"} or not isinstance(self.focused, OptionList)

    # moving

    def action_step(self, by: int) -> None:
        """Focus the next switch, or the one before."""
        (self.focus_next if by > 0 else self.focus_previous)()

    def action_group(self, by: int) -> None:
        """Show another group and focus its first switch."""
        tabs = self.query_one(TabbedContent)
        groups = [str(pane.id) for pane in tabs.query(TabPane)]
        tabs.active = groups[(groups.index(tabs.active) + by) % len(groups)]
        self._focus_first()

    def _focus_first(self) -> None:
        pane = self.query_one(TabbedContent).active_pane
        first = pane.query_one(SwitchRow).control if pane else None
        if first is not None:
            self.call_after_refresh(first.focus)

    # line and switches

    def _values(self) -> Mapping[str, str] | None:
        """Return what the switches are set to by the line; None when it is refused."""
        try:
            return self._options.switches_of(self._line)
        except InvalidInput:
            return None

    @on(Input.Changed, "#switches-line")
    def _line_typed(self, event: Input.Changed) -> None:
        self._line = event.value
        self._refused.clear()
        self._show_switches()
        self._look(CHECK_SECONDS)

    @on(SwitchRow.Changed)
    def _switched(self, event: SwitchRow.Changed) -> None:
        self._set({event.row.switch.key: event.row.value}, typed=event.row)

    def _set(self, values: Mapping[str, str], *, typed: SwitchRow | None = None) -> bool:
        """Set switches and write the line anew; False for a value that is refused: it changes nothing.

        Args:
            values: By key of the switch.
            typed: The switch that shows its value already, perhaps written otherwise.
        """
        line = self._line
        for key, value in values.items():
            try:
                line = self._options.with_switch(line, key, value)
            except InvalidInput as error:
                self._refused.add(key)
                # What the line would do as it was must not come after this and hide it.
                self.workers.cancel_group(self, "switches-check")
                self._say(content(error), refused=True)
                return False
        self._refused -= values.keys()
        self._line = line
        with self.prevent(Input.Changed):
            self.query_one("#switches-line", Input).value = line
        self._show_switches(typed)
        self._look(CHECK_SECONDS)
        return True

    def _show_switches(self, typed: SwitchRow | None = None) -> None:
        """Set the switches as the line says, but for what was typed and what is refused."""
        values = self._values()
        if values is None:
            return
        for row in self.query(SwitchRow):
            if row is not typed and row.switch.key not in self._refused:
                row.show(values[row.switch.key])

    @work(exclusive=True, group="switches-check", exit_on_error=False)
    async def _look(self, delay: float) -> None:
        """Say what the line would do once typing pauses."""
        await asyncio.sleep(delay)
        preview = await self._preview(self._line)
        if preview.error:
            self._say(content(preview.error), refused=True)
            return
        said = [
            content(f"! {one}")
            for one in (*preview.warnings, *map("asks first: {}".format, preview.to_confirm))
        ]
        self._say(Content("\n").join(said).stylize("$text-warning") if said else content("nmap accepts this"))

    def _say(self, words: Content, *, refused: bool = False) -> None:
        view = self.query_one("#switches-said", Static)
        view.set_class(refused, "dialog--error")
        view.update(words)

    # scripts

    @work(exclusive=True, group="switches-scripts", exit_on_error=False)
    async def action_scripts(self) -> None:
        """Choose scripts from the list of those that are installed."""
        values = self._values()
        if values is None:
            return
        first = ScriptChoice(values[_SCRIPT], values[_ARGUMENTS])
        chosen = await self.app.push_screen_wait(ScriptPicker(self._session, first))
        if chosen is not None:
            self._set({_SCRIPT: chosen.scripts, _ARGUMENTS: chosen.arguments})

    # leaving

    @on(Button.Pressed, "#take")
    @on(Input.Submitted)
    def action_take(self) -> None:
        """Give the line back; a field with a value that is refused keeps the form open."""
        refused = {
            row.switch.key: row.value for row in self.query(SwitchRow) if row.switch.key in self._refused
        }
        if self._set(refused):
            self.dismiss(self._line)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def _pane(group: str, switches: Sequence[Switch], values: Mapping[str, str]) -> Iterator[Widget]:
    """Yield a group with its switches."""
    columns = "-two" if len(switches) > MOST_ROWS else ""
    with (
        TabPane(content(group), id=f"switches-{group.lower()}"),
        VerticalScroll(can_focus=False),
        Grid(classes=columns),
    ):
        for switch in switches:
            yield SwitchRow(switch, values.get(switch.key, ""))
