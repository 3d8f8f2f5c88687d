"""What captures and packets are in JSON: the promise of the command line's ``--json``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from netmon_tui.domain.capture import Capture
from netmon_tui.domain.capture_files import CaptureFile
from netmon_tui.domain.capture_filter_library import CaptureFilter
from netmon_tui.domain.checked_file import CheckedFile
from netmon_tui.domain.documents import Document, interface_document, timestamp
from netmon_tui.domain.interface_traffic import InterfaceTraffic
from netmon_tui.domain.packet import Field, PacketDetail, PacketSummary


def capture_filter_document(kept: CaptureFilter) -> Document:
    """Return a capture filter."""
    return {
        "name": kept.name,
        "filter": kept.text,
        "meaning": kept.meaning,
        "owner": kept.owner,
        "shared": kept.shared,
    }


def interface_traffic_document(traffic: InterfaceTraffic) -> Document:
    """Return one interface with what went through it per second."""
    rates = traffic.rates
    return interface_document(traffic.interface) | {
        "packets_per_second": None if rates is None else {"in": rates.packets_in, "out": rates.packets_out},
        "bytes_per_second": None if rates is None else {"in": rates.bytes_in, "out": rates.bytes_out},
    }


def capture_document(capture: Capture) -> Document:
    """Return a capture with its files."""
    counters = capture.counters
    return {
        "id": capture.id,
        "name": capture.name,
        "interface": capture.interface,
        "filter": capture.filter,
        "snaplen": capture.snaplen,
        "linktype": capture.linktype,
        "format": capture.format.value,
        "state": capture.state.value,
        "owner": capture.owner,
        "command": list(capture.command),
        "started": timestamp(capture.started),
        "finished": timestamp(capture.finished),
        "packets": capture.packets,
        "packets_on_disk": capture.packets_on_disk,
        "packets_captured": capture.packets_captured,
        "bytes": counters.bytes,
        "received": capture.received if capture.knows_drops else None,
        "dropped": counters.dropped if capture.knows_drops else None,
        "protocols": dict(counters.protocols),
        "files": [_file_document(file) for file in capture.files],
        "file_count": counters.files,
        "overwritten": counters.overwritten,
        "rotation": asdict(capture.rotation),
        "first_packet": timestamp(capture.first_packet),
        "last_packet": timestamp(capture.last_packet),
        "end_reason": capture.end_reason,
        "error": capture.error,
        "origin": capture.origin.value,
        "parents": list(capture.parents),
        "source": capture.source,
        "note": capture.note,
        "tags": list(capture.tags),
        "kept": capture.kept,
    }


def _file_document(file: CaptureFile) -> Document:
    return {
        "path": file.path,
        "bytes": file.bytes,
        "packets": file.packets,
        "sha256": file.sha256,
        "first_packet": timestamp(file.first_packet),
        "last_packet": timestamp(file.last_packet),
    }


def checked_file_document(checked: CheckedFile) -> Document:
    """Return a file of a capture with what was found on the disk."""
    return _file_document(checked.file) | {
        "finding": checked.finding.value,
        "bytes_on_disk": checked.bytes,
    }


def packet_document(packet: PacketSummary) -> Document:
    """Return one line of the packet list."""
    return packet._asdict() | {"time": timestamp(datetime.fromtimestamp(packet.time, UTC))}


def packet_detail_document(detail: PacketDetail) -> Document:
    """Return one packet with its field tree and its bytes in hex, and those of its further sources."""
    return packet_document(detail.summary) | {
        "layers": [
            {"name": layer.name, "label": layer.label, "fields": [_field_document(f) for f in layer.fields]}
            for layer in detail.layers
        ],
        "bytes": detail.data.hex(),
        "sources": [
            {"name": source.name, "bytes": source.data.hex(), "left_out": source.left_out}
            for source in detail.sources
        ],
        "dissector": detail.dissector,
        "window": detail.window,
    }


def _field_document(field: Field) -> Document:
    return {
        "name": field.name,
        "label": field.label,
        "value": field.value,
        "offset": field.offset,
        "size": field.size,
        "source": field.source,
        "filter": field.filter,
        "fields": [_field_document(child) for child in field.fields],
    }
