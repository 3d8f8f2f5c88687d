"""What became of the events that hooks wanted, in a small file that every program can read."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from netmon_tui.config.files import atomic_write
from netmon_tui.domain.hook import HookRecord
from netmon_tui.errors import StorageError
from netmon_tui.runtime.only_one import in_turn

_LARGEST_FILE = 1 << 20
_TURN_SECONDS = 2.0
"""How long another program may take to write; after that, its figures may be lost."""
_log = logging.getLogger(__name__)


class HookJournal:
    """Records by the names of hooks. Blocks: call it in a thread.

    It is for people to look at: what is damaged counts as nothing, and what cannot be written is logged.

    Args:
        file: Where it is; made with the first record.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._turn = threading.Lock()

    def records(self) -> dict[str, HookRecord]:
        """Return all records that can be read."""
        return {name: record for name, value in self._read().items() if (record := _record(value))}

    def change(self, name: str, change: Callable[[HookRecord], HookRecord]) -> None:
        """Change the record of a hook; what other programs wrote of other hooks stays."""
        try:
            with self._turn, in_turn(self._file.with_suffix(".lock"), _TURN_SECONDS):
                document = self._read()
                record = change(_record(document.get(name)) or HookRecord())
                document[name] = {
                    key: value.isoformat() if isinstance(value, datetime) else value
                    for key, value in asdict(record).items()
                }
                atomic_write(self._file, json.dumps(document, indent=1).encode("ascii"))
        except StorageError as error:
            _log.warning("the journal of hooks: %s", error)

    def _read(self) -> dict[str, Any]:
        try:
            with self._file.open("rb") as stream:
                document = json.loads(stream.read(_LARGEST_FILE))
        except (OSError, ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


def _record(value: object) -> HookRecord | None:
    """Return a record as it was written, or None."""
    if not isinstance(value, dict):
        return None
    try:
        moments = {key: _moment(value[key]) for key in ("last_sent", "failed")}
        return HookRecord(
            int(value["sent"]),
            int(value["left_out"]),
            moments["last_sent"],
            int(value["failures"]),
            str(value["failure"]),
            moments["failed"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def _moment(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
