"""Edits of the neighbour table as JSON documents."""

from __future__ import annotations

from netmon_tui.domain.documents import Document, timestamp
from netmon_tui.domain.neighbour_edit import EditPlan, NeighbourEdit, TableEntry


def edit_document(edit: NeighbourEdit) -> Document:
    """Return one edit; ``error`` is null while it is not known how it came out, and empty when all went well."""
    return {
        "id": edit.id,
        "time": timestamp(edit.time),
        "owner": edit.owner,
        "kind": edit.kind.value,
        "subject": edit.subject,
        "commands": edit.command.splitlines(),
        "entries": edit.entries,
        "error": edit.result,
        "undoes": edit.undoes,
        "undone_by": edit.undone_by,
    }


def plan_document(plan: EditPlan) -> Document:
    """Return what an edit would come to."""
    return {
        "kind": plan.kind.value,
        "subject": plan.subject,
        "commands": [list(command) for command in plan.commands],
        "entries": [_entry(entry) for entry in plan.seen],
        "spared": list(plan.spared),
        "conflicts": list(plan.conflicts),
        "notices": list(plan.notices),
    }


def _entry(entry: TableEntry) -> Document:
    return {
        "address": entry.address,
        "lladdr": entry.lladdr,
        "interface": entry.interface,
        "state": entry.state.value,
        "router": entry.router,
    }
