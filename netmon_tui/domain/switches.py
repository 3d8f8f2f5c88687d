"""The form of switches: what nmap's options look like as check marks, choices and fields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ON = "on"
"""Value of a mark that is set, and of an optional field that is set without a value."""


class SwitchKind(StrEnum):
    """How a switch is set."""

    MARK = "mark"
    """Empty or ``ON``."""
    CHOICE = "choice"
    """Empty for nmap's own choice, or an option as it is written, such as ``-T4``."""
    FIELD = "field"
    """Empty, or the option's value."""
    OPTIONAL = "optional"
    """Empty, ``ON`` for the option without a value, or the value."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch."""

    key: str
    """Names it: its option, or the first of a choice."""
    label: str
    kind: SwitchKind
    group: str
    choices: tuple[tuple[str, str], ...] = ()
    """Label and value of each, of a choice."""
