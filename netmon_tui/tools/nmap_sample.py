"""Which hosts of a scan may be pinged before it, to learn how far they are."""

from __future__ import annotations

from collections.abc import Iterator

from netmon_tui.tools.nmap_address_count import address_at
from netmon_tui.tools.nmap_arguments import NmapOptions
from netmon_tui.tools.nmap_coverage import AddressCoverage
from netmon_tui.tools.nmap_exclusions import excluded_in
from netmon_tui.tools.nmap_targets import TargetSet, parse_target

MOST = 32
"""Hosts that are pinged."""
FEWEST = 4
"""Fewer answers say nothing of the rest."""
_PLAIN = (
    *("-sS", "-sT", "-sU", "-p", "-F", "-r", "--top-ports", "--port-ratio", "--exclude-ports", "--exclude"),
    *("-T", "-n", "-R", "--system-dns", "--dns-servers", "-v", "-d", "--reason", "--stats-every", "-6"),
    *("--max-rate", "--max-retries", "--defeat-rst-ratelimit", "--defeat-icmp-ratelimit"),
)
"""Options that say nothing of how hosts are to be asked: with any other one, only nmap sends them something."""


def sample_of(options: NmapOptions, targets: TargetSet) -> tuple[str, ...]:
    """Return addresses all over the targets that nothing forbids to ping; none where the answers would be too few.

    Args:
        options: As nmap gets them: with what is never scanned among what they exclude.
        targets: Without host names.
    """
    excluded = excluded_in(options)
    if not all(setting.name in _PLAIN for setting in options.settings) or _has_names(excluded):
        return ()
    left_out = AddressCoverage(excluded)
    # a burst of pings is held to what the scan may send in a tenth of a second
    most = min(MOST, int(options.value("--max-rate") or 10 * MOST) // 10)
    found = tuple(address for address in _spread(targets, most) if not left_out.covers(address))
    return found if len(found) >= FEWEST else ()


def _has_names(excluded: tuple[str, ...]) -> bool:
    return any(parse_target(text).family is None for text in excluded)


def _spread(targets: TargetSet, many: int) -> Iterator[str]:
    """Yield addresses at even distances, from within and not from the ends, where networks have their own."""
    wanted = ((2 * number + 1) * targets.count // (2 * many) for number in range(min(many, targets.count)))
    before, rest = 0, list(reversed(targets.targets))
    for place in wanted:
        while place - before >= rest[-1].count:
            before += rest.pop().count
        yield address_at(rest[-1], place - before)
