"""The history of a host as JSON documents."""

from __future__ import annotations

from collections.abc import Iterable

from netmon_tui.domain.documents import Document, timestamp
from netmon_tui.domain.history import HostHistory, HostThen, Interval, Seen


def history_document(history: HostHistory, number: int | None = None) -> Document:
    """Return when a host was up and its ports open, all of them or those of one number."""
    return {
        "address": history.address,
        "scans": len(history.looks),
        "up": _intervals(history.up),
        "ports": [
            {"number": key[1], "protocol": key[0], "open": _intervals(found)}
            for key, found in history.ports.items()
            if number in (None, key[1])
        ],
    }


def host_then_document(address: str, then: HostThen, number: int | None = None) -> Document:
    """Return what was known of a host at a time; ages are seconds before that time."""

    def known(seen: Seen) -> Document:
        age = round((then.moment - seen.time).total_seconds())
        return {"scan": seen.scan_id, "time": timestamp(seen.time), "age": age}

    return {
        "address": address,
        "at": timestamp(then.moment),
        "up": then.up,
        "known_from": then.seen and known(then.seen),
        "ports": [
            {
                "number": port.number,
                "protocol": port.protocol,
                **port.facts._asdict(),
                "known_from": known(port.seen),
            }
            for port in then.ports
            if number in (None, port.number)
        ],
    }


def _intervals(found: Iterable[Interval]) -> list[Document]:
    return [
        {
            "first": _seen(one.first),
            "last": _seen(one.last),
            "scans": one.scans,
            "ended": one.ended and _seen(one.ended),
            "service": one.service,
        }
        for one in found
    ]


def _seen(seen: Seen) -> Document:
    return {"scan": seen.scan_id, "time": timestamp(seen.time)}
