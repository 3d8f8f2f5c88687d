"""The JSON documents of events of the neighbour table: what ``--json`` prints and hooks are handed."""

from __future__ import annotations

from netmon_tui.domain.documents import Document, timestamp
from netmon_tui.domain.neighbour_event import Mute, NeighbourEvent
from netmon_tui.domain.neighbour_event_words import sentence


def neighbour_event_document(event: NeighbourEvent) -> Document:
    """Return one event of the neighbour table; its id is null while it is not stored."""
    return {
        "id": event.id or None,
        "time": timestamp(event.time),
        "last": timestamp(event.last or event.time),
        "count": event.count,
        "kind": event.kind.value,
        "severity": event.severity.value,
        "address": event.address,
        "interface": event.interface,
        "lladdr": event.lladdr,
        "name": event.name,
        "previous_lladdr": event.previous_lladdr,
        "previous_name": event.previous_name,
        "detail": event.detail,
        "editor": event.editor,
        "text": sentence(event),
        "acknowledged": timestamp(event.acknowledged),
        "acknowledged_by": event.acknowledged_by,
        "muted": event.muted,
    }


def mute_document(mute: Mute) -> Document:
    """Return one rule of what is not told."""
    return {
        "id": mute.id,
        "kind": mute.kind,
        "address": mute.address,
        "lladdr": mute.lladdr,
        "interface": mute.interface,
        "until": timestamp(mute.until),
        "created_by": mute.created_by,
        "created": timestamp(mute.created),
    }
