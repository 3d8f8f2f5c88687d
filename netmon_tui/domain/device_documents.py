"""The JSON of devices: one row of the list, and the page of one."""

from __future__ import annotations

from netmon_tui.domain.device import DeviceLine, DeviceMarks, DevicePage, Presence
from netmon_tui.domain.device_list import DeviceImport, MarksBefore
from netmon_tui.domain.documents import Document, timestamp


def device_document(device: DeviceLine) -> Document:
    """Return one row of the list of devices."""
    return {
        "lladdr": device.lladdr,
        **marks_document(device.marks),
        "vendor": device.vendor,
        "private": device.private,
        "address": device.address,
        "interface": device.interface,
        "address_count": device.addresses,
        "present": device.present,
        "first_seen": timestamp(device.first_seen),
        "last_seen": timestamp(device.last_seen),
    }


def marks_document(marks: DeviceMarks) -> Document:
    """Return what people say about a device."""
    return {
        "name": marks.name,
        "note": marks.note,
        "known": marks.known,
        "must_be_up": marks.must_be_up,
        "shares_addresses": marks.shares_addresses,
    }


def device_page_document(page: DevicePage) -> Document:
    """Return one device with its addresses and the times at which it had them."""
    device = page.device
    return {
        "lladdr": device.lladdr,
        **marks_document(device.marks),
        "changed_by": device.marks.changed_by,
        "changed": timestamp(device.marks.changed),
        "vendor": device.vendor,
        "private": device.private,
        "present": page.present,
        "first_seen": timestamp(device.first_seen),
        "last_seen": timestamp(device.last_seen),
        "addresses": [
            {
                "address": one.address,
                "interface": one.interface,
                "first_seen": timestamp(one.first_seen),
                "last_seen": timestamp(one.last_seen),
                "present": one.present,
            }
            for one in device.addresses
        ],
        "presences": [presence_document(one) for one in page.presences],
    }


def presence_document(presence: Presence) -> Document:
    """Return a time at which a lladdr had an address."""
    return {
        "address": presence.address,
        "interface": presence.interface,
        "lladdr": presence.lladdr,
        "started": timestamp(presence.started),
        "ended": timestamp(presence.ended),
        "ending": presence.ending,
    }


def device_import_document(done: DeviceImport) -> Document:
    """Return what an import changed, or would change."""
    return {
        "stored": done.stored,
        "new": done.new,
        "changed": len(done.changes) - done.new,
        "same": done.same,
        "bad": done.bad_count,
        "changes": [_change_document(change) for change in done.changes],
        "refused": [{done.unit: entry.number, "why": entry.why} for entry in done.bad],
    }


def _change_document(change: MarksBefore) -> Document:
    before = marks_document(change.before) if change.before else None
    return {"lladdr": change.after.lladdr, "before": before, "after": marks_document(change.after)}
