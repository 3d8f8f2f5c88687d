"""Conversations and endpoints as tshark itself counts them, for protocols whose fields are not known here.

It rounds the bytes of conversations until 4.2, to two digits. Formats as of tshark 4.0 (``ui/cli/tap-iousers.c``,
``tap-endpoints.c``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from netmon_tui.domain.analysis import AnalysisRow
from netmon_tui.tools.tshark_conversations import (
    CONVERSATION_COUNTS,
    CONVERSATION_ENDS,
    ENDPOINT,
    ENDPOINT_COUNTS,
)
from netmon_tui.tools.tshark_lines import text_of
from netmon_tui.tools.tshark_tables import TableReader

_SCALES = {b"": 1, b"k": 10**3, b"M": 10**6, b"G": 10**9, b"T": 10**12}
_COUNTS = rb" +(\d+) +([\d,.]+)(?: bytes| ([kMGT]?)B)?"
_CONVERSATION = re.compile(rb"(\S.*?) +<-> (\S.*?)" + _COUNTS * 3 + rb" +([\d.]+) +([\d.]+)\s*")
_ENDPOINT = re.compile(rb"(\S.*?)" + _COUNTS * 3 + rb"\s*")
_WIDTH = 3
"""Groups of one pair of counts: packets, bytes, unit."""


def conversation_reader() -> TableReader:
    """Return a reader of ``conv,X``, whose lines have no filters."""
    return TableReader(b" Conversations", (*CONVERSATION_ENDS, *CONVERSATION_COUNTS), _conversations)


def endpoint_reader() -> TableReader:
    """Return a reader of ``endpoints,X``, whose lines have no filters."""
    return TableReader(b" Endpoints", (ENDPOINT, *ENDPOINT_COUNTS), _endpoints)


def _conversations(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    for line in lines:
        if match := _CONVERSATION.fullmatch(line):
            a, b, *counts, start, duration = match.groups()
            back, there, total = _counted(counts)
            yield AnalysisRow((text_of(a), text_of(b), *total, *there, *back, float(start), float(duration)))


def _endpoints(lines: Sequence[bytes]) -> Iterator[AnalysisRow]:
    for line in lines:
        if match := _ENDPOINT.fullmatch(line):
            address, *counts = match.groups()
            total, sent, received = _counted(counts)
            yield AnalysisRow((text_of(address), *total, *sent, *received))


def _counted(groups: Sequence[bytes | None]) -> Iterator[tuple[int, int]]:
    """Yield packets and bytes of each pair of counts."""
    for at in range(0, len(groups), _WIDTH):
        packets, size, unit = groups[at : at + _WIDTH]
        yield int(packets or 0), round(float((size or b"0").replace(b",", b"")) * _SCALES[unit or b""])
