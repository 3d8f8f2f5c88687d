"""The Changes tab of a scan: what changed, and what of it is noise."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.binding import BindingType

from netmon_tui.domain.user import Permission
from netmon_tui.errors import NetmonError
from netmon_tui.ui import toasts
from netmon_tui.ui.commands import command
from netmon_tui.ui.defects import WorkerDefects
from netmon_tui.ui.modals.ignore_form import IgnoreForm
from netmon_tui.ui.modals.ignore_list import IgnoreList
from netmon_tui.ui.modals.script_difference import ScriptDifference
from netmon_tui.ui.widgets.scan_changes import ScanChanges
from netmon_tui.ui.widgets.table import Table


class ScanChangesTab(WorkerDefects, ScanChanges):
    """A comparison whose lines can be ignored."""

    BINDINGS: ClassVar[list[BindingType]] = [
        command("changes.ignore", "I", "ignore", "Ignore", "Do not tell of such a change any more."),
        command("changes.difference", "d", "difference", "Diff", "How the output of the script differs."),
        command("changes.ignored", "a", "ignored", "All", "Show also what is ignored, or no longer."),
        command("changes.rules", "i", "rules", "Rules", "What is ignored: list, delete, switch off."),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what makes no sense now, hide what the role does not include."""
        if action == "ignore":
            return bool(self.line) or None if self._session.actor.may(Permission.SCAN) else False
        if action == "difference":
            return (self.line is not None and self.line.script is not None) or None
        if action == "ignored":
            return self.ignores or None
        return True

    @on(Table.Highlighted, "#changes")
    def _other_line(self) -> None:
        self.refresh_bindings()

    async def action_ignored(self) -> None:
        """Show also what ignore rules leave out, or no longer."""
        await self.show_ignored()

    @work(exclusive=True, group="changes-difference", exit_on_error=False)
    async def action_difference(self) -> None:
        """Show how the output of the script under the cursor differs."""
        line = self.line
        if line is None:
            return
        try:
            scans, lines = await self.difference(line)
        except NetmonError as error:
            toasts.report(self.app, error)
        else:
            self.app.push_screen(ScriptDifference(f"{line.what} on {line.address}", scans, lines))

    @work(exclusive=True, group="changes-ignore", exit_on_error=False)
    async def action_ignore(self) -> None:
        """Make an ignore rule of the change under the cursor."""
        line = self.line
        if line is None:
            return
        rule = await self.app.push_screen_wait(IgnoreForm(self._session, line))
        if rule is not None:
            toasts.tell(self.app, f"Rule {rule.reference} ignores: {rule.pattern}")
            await self._compare_again()

    @work(exclusive=True, group="changes-ignore", exit_on_error=False)
    async def action_rules(self) -> None:
        """List the ignore rules; what they leave out follows."""
        await self.app.push_screen_wait(IgnoreList(self._session))
        await self._compare_again()

    async def _compare_again(self) -> None:
        try:
            await self.compare_again()
        except NetmonError as error:
            toasts.report(self.app, error)
