"""The rate ceiling: how many packets a second a scan may send, whoever starts it."""

from __future__ import annotations

from dataclasses import replace

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting

HIGHEST_RATE = 100_000
"""Highest ceiling, in packets a second."""
_RATES = ("--min-rate", "--max-rate")


def checked_rate(ceiling: int) -> int:
    """Return a ceiling; raises InvalidInput for what is none."""
    if not 0 <= ceiling <= HIGHEST_RATE:
        raise InvalidInput(
            f"{ceiling} is no rate", fix=f"packets a second up to {HIGHEST_RATE:,}; 0 for no ceiling"
        )
    return ceiling


def lower_ceiling(*ceilings: int) -> int:
    """Return the lowest of several ceilings, of which 0 is none."""
    return min((ceiling for ceiling in ceilings if ceiling), default=0)


def under_ceiling(options: NmapOptions, ceiling: int) -> NmapOptions:
    """Return options whose rates are no higher than the ceiling; nmap's probes of ports and hosts obey it.

    Version detection and scripts speak to one service at a time and know no rate.

    Args:
        options: The user's.
        ceiling: Packets a second; 0 for none.
    """
    if not ceiling:
        return options
    others = tuple(setting for setting in options.settings if setting.name not in _RATES)
    rates = {name: min(int(options.value(name)), ceiling) for name in _RATES if options.has(name)}
    capped = {**rates, "--max-rate": rates.get("--max-rate", ceiling)}
    return replace(options, settings=(*others, *(Setting(name, str(rate)) for name, rate in capped.items())))
