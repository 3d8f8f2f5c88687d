"""The never-scan list: addresses that no scan may touch, whoever starts it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from netmon_tui.domain.address import Family
from netmon_tui.domain.user import LONGEST_LIST
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting
from netmon_tui.tools.nmap_coverage import AddressCoverage
from netmon_tui.tools.nmap_targets import Target, parse_target

_EXCLUDE = "--exclude"
_SETTING, _LIMITS = "the setting scans.never_scan", "the user's limits"
_SEPARATORS = re.compile(r"[ \t\r\n,]+")


def checked_list(text: str) -> str:
    """Return a user's list in canonical form; raises InvalidInput for what is none."""
    if len(text) > LONGEST_LIST:
        what = f"{len(text):,} characters are too many for a never-scan list"
        raise InvalidInput(what, why=f"the limit is {LONGEST_LIST:,}", fix="write networks and ranges")
    return " ".join(dict.fromkeys(parse_target(item).text for item in _SEPARATORS.split(text) if item))


class NeverScan:
    """What is never scanned.

    Args:
        text: Addresses, ranges, networks and host names, with spaces or commas between: everybody's list.
        own: The same of the user whose scan it is.
        spared: What earlier runs of the same scan have left out.

    Raises:
        InvalidInput: Something in it is no target; no scan may start until that is put right.
    """

    def __init__(self, text: str, own: str = "", spared: Iterable[str] = ()) -> None:
        lists = (*_parse(text, _SETTING), *_parse(own, _LIMITS), *map(parse_target, spared))
        self.targets = tuple(dict.fromkeys(lists))
        self._coverage = AddressCoverage(target.text for target in self.targets)

    def refuse(self, targets: Iterable[Target]) -> None:
        """Refuse single addresses and names that are on the list; out of networks and ranges nmap leaves them.

        Raises:
            InvalidInput: One of the targets is never scanned.
        """
        for target in targets:
            if target.count == 1 and self._coverage.covers(target.text.split("/")[0], asked=target.text):
                raise InvalidInput(
                    f"{target.text} is never scanned",
                    why="it is on the never-scan list",
                    fix=f"an administrator can change {_SETTING}, or {_LIMITS}",
                )

    def of_family(self, *, ipv6: bool) -> tuple[str, ...]:
        """Return what a scan of one family leaves out: its addresses, and the names."""
        wanted = Family.IPV6 if ipv6 else Family.IPV4
        return tuple(target.text for target in self.targets if target.family in (wanted, None))

    def added_to(self, options: NmapOptions, *, ipv6: bool) -> NmapOptions:
        """Return the options with the list added to what they exclude: nmap takes one list, of one family."""
        never = self.of_family(ipv6=ipv6)
        if not never:
            return options
        own = excluded_in(options)
        others = tuple(setting for setting in options.settings if setting.name != _EXCLUDE)
        everything = ",".join(dict.fromkeys([*own, *never]))
        return replace(options, settings=(*others, Setting(_EXCLUDE, everything)))


def excluded_in(options: NmapOptions) -> tuple[str, ...]:
    """Return the targets that options exclude."""
    return tuple(text for text in options.value(_EXCLUDE).split(",") if text)


def _parse(text: str, where: str) -> Iterator[Target]:
    try:
        yield from (parse_target(item) for item in _SEPARATORS.split(text) if item)
    except InvalidInput as error:
        raise InvalidInput(
            f"the never-scan list is wrong: {error.what}",
            why=error.why,
            fix=f"correct {where}; nothing is scanned before",
        ) from None
