"""The never-scan list: addresses that no scan may touch, whoever starts it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from netmon_tui.domain.address import Family
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting
from netmon_tui.tools.nmap_coverage import AddressCoverage
from netmon_tui.tools.nmap_targets import Target, parse_target

_EXCLUDE = "--exclude"
_SEPARATORS = re.compile(r"[ \t\r\n,]+")


class NeverScan:
    """What is never scanned.

    Args:
        text: Addresses, ranges, networks and host names, with spaces or commas between.

    Raises:
        InvalidInput: Something in it is no target; no scan may start until that is put right.
    """

    def __init__(self, text: str) -> None:
        try:
            self.targets = tuple(parse_target(item) for item in _SEPARATORS.split(text) if item)
        except InvalidInput as error:
            raise InvalidInput(
                f"the never-scan list is wrong: {error.what}",
                why=error.why,
                fix="correct the setting scans.never_scan; nothing is scanned before",
            ) from None
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
                    fix="an administrator can change the setting scans.never_scan",
                )

    def added_to(self, options: NmapOptions, *, ipv6: bool) -> NmapOptions:
        """Return the options with the list added to what they exclude: nmap takes one list, of one family."""
        wanted = Family.IPV6 if ipv6 else Family.IPV4
        never = [target.text for target in self.targets if target.family in (wanted, None)]
        if not never:
            return options
        own = [text for text in options.value(_EXCLUDE).split(",") if text]
        others = tuple(setting for setting in options.settings if setting.name != _EXCLUDE)
        everything = ",".join(dict.fromkeys([*own, *never]))
        return replace(options, settings=(*others, Setting(_EXCLUDE, everything)))
