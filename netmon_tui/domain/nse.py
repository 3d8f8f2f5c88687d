"""nmap's scripts (NSE): what is installed, and which of them ask before they run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CATEGORIES = (
    *("auth", "broadcast", "brute", "default", "discovery", "dos", "exploit", "external"),
    *("fuzzer", "intrusive", "malware", "safe", "version", "vuln"),
)
"""Of nmap's manual."""
RISKY_CATEGORIES = frozenset({"brute", "dos", "exploit", "external", "fuzzer", "intrusive", "malware"})
"""May harm a target, lock accounts, or tell third parties about it."""
ALL = "all"
"""nmap's word for every script."""


@dataclass(frozen=True, slots=True)
class NseScript:
    """A script that came with nmap."""

    name: str
    """Without ``.nse``."""
    categories: tuple[str, ...]

    @property
    def is_risky(self) -> bool:
        """Whether somebody has to confirm it; nmap's default scripts, which -A runs as well, need nobody."""
        return "default" not in self.categories and not RISKY_CATEGORIES.isdisjoint(self.categories)

    @property
    def label(self) -> str:
        """Name and risks: ``http-slowloris (dos, intrusive)``."""
        return f"{self.name} ({', '.join(one for one in self.categories if one in RISKY_CATEGORIES)})"


@dataclass(frozen=True, slots=True)
class ScriptArgument:
    """What a script takes with ``--script-args``."""

    name: str
    description: str
    """Foreign text."""


@dataclass(frozen=True, slots=True)
class ScriptDetail:
    """A script with what its file says of it."""

    script: NseScript
    description: str
    """Foreign text, several lines."""
    arguments: tuple[ScriptArgument, ...] = ()


def find_scripts(scripts: Iterable[NseScript], word: str = "", category: str = "") -> list[NseScript]:
    """Return the scripts whose name or categories contain a word, and that are of a category."""
    wanted = word.lower()
    return [
        one
        for one in scripts
        if (wanted in one.name or wanted in " ".join(one.categories))
        and (not category or category in one.categories)
    ]
