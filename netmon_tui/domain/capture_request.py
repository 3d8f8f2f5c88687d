"""A request to capture as it is kept, so that it can be made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from netmon_tui.domain.capture import CaptureFormat, Direction, StartCapture
from netmon_tui.domain.job import Rotation


def request_document(request: StartCapture) -> dict[str, Any]:
    """Return a request as numbers, texts and truths by the names of its fields."""
    return asdict(request)


def request_from(document: Mapping[str, Any]) -> StartCapture:
    """Return the request that :func:`request_document` made a document of; what it does not say is the default."""
    known = {field.name: document[field.name] for field in fields(StartCapture) if field.name in document}
    rotation = Rotation(**known.pop("rotation", {}))
    direction = Direction(known.pop("direction", Direction.BOTH))
    form = CaptureFormat(known.pop("format", CaptureFormat.PCAP))
    return StartCapture(**known, rotation=rotation, direction=direction, format=form)
