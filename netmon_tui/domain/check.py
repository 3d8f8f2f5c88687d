"""What the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckStatus(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor."""

    name: str
    status: CheckStatus
    detail: str
    fix: str = ""
    """The command or step that helps; empty when all is well."""
    exit_code: int = 0
    """What a failure of this check means for the exit status: 3 tool, 4 privilege, 5 storage."""
