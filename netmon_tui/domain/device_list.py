"""Lists of devices as files: what one says, and what storing it would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from netmon_tui.domain.device import DeviceMarks, MarksChange

DEVICE_FORMATS = ("csv", "json")
"""An export of devices."""


class ListedDevice(NamedTuple):
    """What a list says of one lladdr."""

    number: int
    """Of its line or entry, from 1."""
    lladdr: str
    change: MarksChange


class BadEntry(NamedTuple):
    """A line or entry that says nothing."""

    number: int
    why: str


class MarksBefore(NamedTuple):
    """The marks of a device, and what they were."""

    before: DeviceMarks | None
    """None for a device of which nothing was said."""
    after: DeviceMarks

    @property
    def is_same(self) -> bool:
        """Whether nothing else is said than was."""
        return self.after.said == (self.before or DeviceMarks(self.after.lladdr)).said

    @property
    def words(self) -> str:
        """What becomes of the device: ``new: name printer, known``, ``name printer (was gw)``."""
        before = self.before or DeviceMarks(self.after.lladdr)
        words = [
            _word(name, old, new)
            for name, old, new in zip(_NAMES, before.said, self.after.said, strict=True)
            if old != new
        ]
        return ("new: " if self.before is None else "") + ", ".join(words)


_NAMES = ("name", "note", "known", "must be up", "cluster")


def _word(name: str, old: str | bool, new: str | bool) -> str:
    if isinstance(new, bool):
        return name if new else f"not {name}"
    was = f" (was {old})" if old else ""
    return f"{name} {new}{was}" if new else f"no {name}{was}"


@dataclass(frozen=True, slots=True)
class DeviceImport:
    """What a list of devices changes, or would change."""

    unit: str
    """What is counted: ``line`` or ``entry``."""
    changes: tuple[MarksBefore, ...]
    same: int
    """Devices that the list says nothing new of."""
    bad: tuple[BadEntry, ...]
    """The first of them."""
    bad_count: int
    stored: bool
    """False for a dry run."""

    @property
    def new(self) -> int:
        """How many devices nothing was said of before."""
        return sum(change.before is None for change in self.changes)

    @property
    def words(self) -> str:
        """The sums: ``3 new, 1 changed, 40 as before, 2 lines refused``."""
        changed = len(self.changes) - self.new
        parts = [f"{self.new:,} new", f"{changed:,} changed", f"{self.same:,} as before"]
        if self.bad_count:
            parts.append(f"{self.bad_count:,} {self.units} refused")
        return ", ".join(parts)

    @property
    def units(self) -> str:
        """The unit, in the number of those that are refused."""
        return self.unit if self.bad_count == 1 else {"entry": "entries"}.get(self.unit, f"{self.unit}s")
