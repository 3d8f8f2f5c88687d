"""What a document says of its run, as rows and back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select

from netmon_tui.domain.host import Script
from netmon_tui.domain.scan import RunScript, ScanInfo, TargetSkipped
from netmon_tui.domain.scan_run import ScanPhase, ScanRun
from netmon_tui.storage import records
from netmon_tui.storage.database import bulk_insert

_TABLES = (records.scan_runs, records.scan_phases, records.skipped_targets, records.run_scripts)


def write_run(connection: Connection, scan_id: int, run: ScanRun) -> None:
    """Replace the rows of a scan's run; its ``infos`` are with the scan itself."""
    for table in _TABLES:
        connection.execute(delete(table).where(table.c.scan_id == scan_id))
    single = (getattr(run, column.name) for column in records.scan_runs.c if column.name != "scan_id")
    bulk_insert(connection, records.scan_runs, [(scan_id, *single)])
    phases = [(scan_id, n, p.task, p.extrainfo, p.began, p.ended) for n, p in enumerate(run.phases)]
    bulk_insert(connection, records.scan_phases, phases)
    skipped = [(scan_id, n, t.specification, t.status, t.reason) for n, t in enumerate(run.skipped)]
    bulk_insert(connection, records.skipped_targets, skipped)
    scripts = [
        (scan_id, n, s.stage, s.script.id, s.script.output, _data(s.script.data))
        for n, s in enumerate(run.scripts)
    ]
    bulk_insert(connection, records.run_scripts, scripts)


def _data(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def read_run(connection: Connection, scan_id: int) -> ScanRun:
    """Return a scan's run; an empty one for a scan without document, or of an older version of this program."""

    def rows(table: Table) -> list[Row[Any]]:
        query = select(table).where(table.c.scan_id == scan_id).order_by(*table.primary_key.columns)
        return list(connection.execute(query))

    told = [dict(row._mapping) for row in rows(records.scan_runs)] or [{}]
    told[0].pop("scan_id", None)
    query = select(records.scans.c.scaninfo).where(records.scans.c.id == scan_id)
    return ScanRun(
        **told[0],
        infos=tuple(ScanInfo(*info) for info in connection.execute(query).scalar_one_or_none() or ()),
        skipped=tuple(
            TargetSkipped(row.specification, row.status, row.reason) for row in rows(records.skipped_targets)
        ),
        phases=tuple(
            ScanPhase(row.task, row.extrainfo, row.began, row.ended) for row in rows(records.scan_phases)
        ),
        scripts=tuple(
            RunScript(row.stage, Script(row.script, row.output, row.data))
            for row in rows(records.run_scripts)
        ),
    )
