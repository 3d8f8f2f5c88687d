"""The never-scan list: addresses that no scan may touch, whoever starts it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import starmap

from netmon_tui.domain.address import Family
from netmon_tui.domain.user import LONGEST_LIST
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting
from netmon_tui.tools.nmap_coverage import AddressCoverage
from netmon_tui.tools.nmap_targets import Target, TargetSet, parse_target

_EXCLUDE = "--exclude"
_SETTING, _LIMITS = "the setting scans.never_scan", "the user's limits"
_WHO_CHANGES_IT = f"an administrator can change {_SETTING}, or {_LIMITS}"
_TOLD = 8
"""Addresses of a set that are named one by one."""
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

    def taken_from(self, targets: TargetSet, of_sets: Mapping[str, str]) -> tuple[TargetSet, tuple[str, ...]]:
        """Return targets without single addresses and names that are on the list, and a sentence for each set.

        Out of networks and ranges nmap leaves them.

        Args:
            targets: All of them.
            of_sets: Those that nobody typed, with the mentions of their sets.

        Raises:
            InvalidInput: One that was typed is never scanned, or nothing is left.
        """
        refused = [target for target in targets.targets if self._has(target)]
        if not refused:
            return targets, ()
        left_out: dict[str, list[str]] = {}
        for target in refused:
            if target.text not in of_sets:
                raise InvalidInput(
                    f"{target.text} is never scanned", why="it is on the never-scan list", fix=_WHO_CHANGES_IT
                )
            left_out.setdefault(of_sets[target.text], []).append(target.text)
        if len(refused) == len(targets.targets):
            named = " and ".join(left_out)
            why = f"all that is in {named} is on the never-scan list"
            raise InvalidInput("nothing is left to scan", why=why, fix=_WHO_CHANGES_IT)
        gone = {target.text for target in refused}
        kept = tuple(target for target in targets.targets if target.text not in gone)
        ipv6 = any(target.family is Family.IPV6 for target in kept)
        count = sum(target.count for target in kept)
        return TargetSet(kept, count, ipv6), tuple(starmap(_left_out_words, left_out.items()))

    def _has(self, target: Target) -> bool:
        return target.count == 1 and self._coverage.covers(target.text.split("/")[0], asked=target.text)

    def covers(self, address: str) -> bool:
        """Whether an address is on the list."""
        return self._coverage.covers(address)

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


def _left_out_words(mention: str, texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _TOLD:,} more" if len(texts) > _TOLD else ""
    verb = "is" if len(texts) == 1 else "are"
    return f"{', '.join(texts[:_TOLD])}{more} of {mention} {verb} left out: on the never-scan list"


def _parse(text: str, where: str) -> Iterator[Target]:
    try:
        yield from (parse_target(item) for item in _SEPARATORS.split(text) if item)
    except InvalidInput as error:
        raise InvalidInput(
            f"the never-scan list is wrong: {error.what}",
            why=error.why,
            fix=f"correct {where}; nothing is scanned before",
        ) from None
