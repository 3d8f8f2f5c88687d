"""Tab 5: what runs and ran, and (for administrators) the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import TabbedContent

from netmon_tui.domain.job import Job, JobKind
from netmon_tui.domain.user import AuditEvent, Permission
from netmon_tui.domain.window import Window
from netmon_tui.ui.modals.record import Record
from netmon_tui.ui.rendering import state_style, when
from netmon_tui.ui.screens.capture_detail import CaptureDetailScreen
from netmon_tui.ui.screens.pivots import WithPivots, pivot_commands
from netmon_tui.ui.screens.scan_detail import ScanDetailScreen
from netmon_tui.ui.session import Session
from netmon_tui.ui.widgets.pane import Pane
from netmon_tui.ui.widgets.row_source import Cell, Row, cell_text
from netmon_tui.ui.widgets.steady_tab import SteadyTab
from netmon_tui.ui.widgets.table import Table
from netmon_tui.ui.widgets.table_columns import Column
from netmon_tui.ui.widgets.window_source import WindowSource

JOB_COLUMNS = (
    Column("id", "#", width=5, align="right", priority=0),
    Column("kind", "Kind", width=8, priority=2),
    Column("subject", "Of", width=5, align="right", priority=1),
    Column("state", "State", width=13, priority=0),
    Column("owner", "Owner", width=10, priority=4),
    Column("started", "Started", width=8, priority=3),
    Column("pid", "Pid", width=8, align="right", priority=5),
    Column("command", "Command", minimum=20, priority=1),
)
AUDIT_COLUMNS = (
    Column("time", "Time", width=19, priority=0),
    Column("actor", "Who", width=10, priority=1),
    Column("action", "What", width=16, priority=0),
    Column("subject", "To", minimum=12, priority=2),
    Column("detail", "Detail", minimum=14, share=2, priority=3),
)
_KIND, _SUBJECT = 1, 2
"""Places of the cells that say what a job is for."""


class ActivityPane(Pane, WithPivots):
    """Jobs, and the trail of who did what."""

    HELP_TITLE = "Activity"
    HELP_TEXT = (
        "Jobs are the programs that run or ran for scans and captures: they go on when you log out. enter opens "
        "what a job is for.\n\n"
        "The audit trail lists logins, failures, starts, stops, deletions and exports. enter shows a line of it "
        "in full. shift+tab and the arrows go from one list to the other."
    )
    BINDINGS: ClassVar[list[BindingType]] = [*pivot_commands("activity", show=False)]

    def __init__(self, session: Session, *, id: str | None = None) -> None:
        super().__init__(session, id=id)
        self._jobs = WindowSource(self._count_jobs, self._fetch_jobs)
        self._audit = WindowSource(self._count_audit, self._fetch_audit)

    def compose(self) -> ComposeResult:
        """Jobs alone, or beside the trail."""
        jobs = Table(
            JOB_COLUMNS,
            source=self._jobs,
            empty_text="No jobs yet. Scans and captures start some",
            sorts=False,
            id="jobs",
        )
        if not self.session.actor.may(Permission.SEE_AUDIT):
            yield jobs
            return
        with TabbedContent(id="activity-tabs"):
            with SteadyTab("Jobs", id="activity-jobs"):
                yield jobs
            with SteadyTab("Audit", id="activity-audit"):
                yield Table(AUDIT_COLUMNS, source=self._audit, empty_text="Nothing happened yet", id="audit")

    def focus_content(self) -> None:
        """Focus the table that is shown."""
        tabs = self.query(TabbedContent)
        shows_audit = bool(tabs) and tabs.first().active == "activity-audit"
        self.query_one("#audit" if shows_audit else "#jobs", Table).focus()

    @on(Table.Opened, "#jobs")
    def _open_job(self, event: Table.Opened) -> None:
        row = self.query_one("#jobs", Table).cursor_row
        if row is not None:
            kind, subject = cell_text(row.cells[_KIND]), int(cell_text(row.cells[_SUBJECT]))
            detail = ScanDetailScreen if kind == JobKind.SCAN else CaptureDetailScreen
            self.app.push_screen(detail(self.session, subject))

    @on(Table.Opened, "#audit")
    def _open_event(self, event: Table.Opened) -> None:
        row = self.query_one("#audit", Table).cursor_row
        if row is not None:
            self.app.push_screen(Record("Audit", AUDIT_COLUMNS, row))

    async def refresh_data(self) -> None:
        """Fetch the visible rows again."""
        self._jobs.invalidate()
        self._audit.invalidate()

    async def _count_jobs(self, text: str) -> int:
        return await self.session.services.activity.count_jobs(self.session.actor, text)

    async def _fetch_jobs(self, window: Window) -> Sequence[Row]:
        jobs = await self.session.services.activity.jobs(self.session.actor, window)
        return [_job_row(job) for job in jobs]

    async def _count_audit(self, text: str) -> int:
        return await self.session.services.activity.count_audit(self.session.actor, text)

    async def _fetch_audit(self, window: Window) -> Sequence[Row]:
        events = await self.session.services.activity.audit(self.session.actor, window)
        return [_audit_row(event) for event in events]


def _job_row(job: Job) -> Row:
    look = state_style(job.state)
    started = when(job.started, datetime.now(UTC)) if job.started else ""
    return Row(
        job.id,
        (
            str(job.id),
            job.kind.value,
            str(job.subject_id),
            Cell(look.label(), look.tone),
            job.owner,
            started,
            str(job.pid or ""),
            job.error or " ".join(job.command),
        ),
    )


def _audit_row(event: AuditEvent) -> Row:
    return Row(
        event.id,
        (
            f"{event.time.astimezone():%Y-%m-%d %H:%M:%S}",
            event.actor,
            event.action,
            event.subject,
            event.detail,
        ),
    )
