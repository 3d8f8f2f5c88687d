"""What scripts said in a scan, read for comparisons: first whether it is the same, then the text of what is not.

Callers have checked that the scans are the actor's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, Text, case, func, or_, select, type_coerce

from netmon_tui.domain.comparing_scripts import ScriptText
from netmon_tui.domain.comparison import ScriptKey
from netmon_tui.storage import records
from netmon_tui.storage.database import Database

_SCRIPTS = records.scripts.c
_RUNS = records.scan_runs.c
_RAW_DATA = type_coerce(_SCRIPTS.data, Text)


class DocumentRun(NamedTuple):
    """How nmap was run."""

    arguments: str = ""
    """Its command line; empty where that is not known."""
    verbosity: int = 0
    """How often ``-v``, which makes scripts say more."""


class ScriptQueries:
    """Outputs of scripts by host, port and name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def names(self, scan_id: int) -> frozenset[str]:
        """Return the scripts that said something of a port or a host."""
        query = select(_SCRIPTS.script).where(_SCRIPTS.scan_id == scan_id).distinct()
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def run(self, scan_id: int) -> DocumentRun:
        """Return what the document of a scan tells of how nmap was run; empty when it tells nothing."""
        query = select(_RUNS.arguments, _RUNS.verbosity).where(_RUNS.scan_id == scan_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return DocumentRun() if row is None else DocumentRun(row.arguments, row.verbosity)

    def marks(
        self, scan_id: int, ordinals: Sequence[int], left_out: Collection[str]
    ) -> dict[int, dict[ScriptKey, int]]:
        """Return for some hosts, by ordinal, a number for what each script said; the same text has the same.

        The numbers hold in this process alone. Of the texts one at a time is in memory.

        Args:
            scan_id: The scan.
            ordinals: The hosts.
            left_out: Scripts that are not wanted.
        """
        columns = (_SCRIPTS.ordinal, _SCRIPTS.protocol, _SCRIPTS.number, _SCRIPTS.script)
        query = _of_hosts(select(*columns, _SCRIPTS.output, _RAW_DATA), scan_id, ordinals)
        found: dict[int, dict[ScriptKey, int]] = {}
        with self._database.read() as connection:
            rows = connection.execute(query.where(_SCRIPTS.script.not_in(left_out)))
            for ordinal, protocol, number, script, output, data in rows:
                of_host = found.setdefault(ordinal, {})
                key = (protocol, number, script)
                of_host[key] = hash((of_host.get(key), output, data))
        return found

    def texts(
        self, scan_id: int, ordinals: Sequence[int], names: Collection[str], longest: int
    ) -> dict[int, dict[ScriptKey, ScriptText]]:
        """Return what some scripts said of some hosts, by ordinal.

        Args:
            scan_id: The scan.
            ordinals: The hosts.
            names: The scripts.
            longest: Characters of an output, and of the text of its tables; longer tables are left out.
        """
        columns: tuple[Any, ...] = (
            _SCRIPTS.ordinal, _SCRIPTS.protocol, _SCRIPTS.number, _SCRIPTS.script,
            func.substr(_SCRIPTS.output, 1, longest),
            case((func.length(_RAW_DATA) <= longest, _SCRIPTS.data)),
            or_(func.length(_SCRIPTS.output) > longest, func.coalesce(func.length(_RAW_DATA), 0) > longest),
        )  # fmt: skip
        query = _of_hosts(select(*columns), scan_id, ordinals).where(_SCRIPTS.script.in_(names))
        found: dict[int, dict[ScriptKey, ScriptText]] = {}
        with self._database.read() as connection:
            for ordinal, protocol, number, script, output, data, cut in connection.execute(query):
                of_host = found.setdefault(ordinal, {})
                key, text = (protocol, number, script), ScriptText(output, data, bool(cut))
                of_host[key] = _joined(of_host[key], text) if key in of_host else text
        return found


def _of_hosts(query: Select[Any], scan_id: int, ordinals: Sequence[int]) -> Select[Any]:
    place = (_SCRIPTS.ordinal, _SCRIPTS.protocol, _SCRIPTS.number, _SCRIPTS.position)
    return query.where(_SCRIPTS.scan_id == scan_id, _SCRIPTS.ordinal.in_(ordinals)).order_by(*place)


def _joined(first: ScriptText, second: ScriptText) -> ScriptText:
    """Return what a script said twice of one port, as other writers than nmap may tell."""
    return ScriptText(f"{first.output}\n{second.output}", None, first.cut or second.cut)
