"""Sets of targets and ports: what may be in one, and what stands in its place when a scan is started.

The content passes the grammar of a scan when it is kept and again when it is used, so that whatever a name leads
to is targets or ports and never an option.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from netmon_tui.domain.named_set import LONGEST_CONTENT, MENTION, SetKind
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting, parse_options
from netmon_tui.tools.nmap_mentions import is_mention, mentioned
from netmon_tui.tools.nmap_targets import MAX_TARGETS, parse_targets, refuse_too_many
from netmon_tui.tools.nmap_values import port_numbers
from netmon_tui.tools.nmap_words import MAX_LINE

Find = Callable[[str], str]
"""Returns the content of the set that a name, or ``owner/name``, means; raises InvalidInput."""

KINDS = {"-p": SetKind.PORTS, "--exclude-ports": SetKind.PORTS, "--exclude": SetKind.TARGETS}
"""Options whose values may mention sets."""
_SEPARATORS = re.compile(r"[ \t\r\n,]+")
_MARK = re.compile("[A-Z]:")
_ANY_NUMBER = 2**140
"""Addresses: how many a scan may have is asked when it is started."""


def checked_content(kind: SetKind, text: str) -> str:
    """Return the content of a set in canonical form.

    Raises:
        InvalidInput: It is too long, or what a scan would refuse; or it mentions a set.
    """
    if len(text) > LONGEST_CONTENT:
        what = f"{len(text):,} characters are too many for a {kind.noun}"
        raise InvalidInput(what, why=f"the limit is {LONGEST_CONTENT:,}")
    items = [item for item in _SEPARATORS.split(text) if item]
    if any(map(is_mention, items)):
        raise InvalidInput("a set cannot have another set in it", fix="write what is in that one")
    if kind is SetKind.PORTS:
        if not items:
            raise InvalidInput("No ports", fix="write 22,80,8000-8100 or T:22,U:53")
        return port_numbers(",".join(items))
    return " ".join(parse_targets(items, limit=_ANY_NUMBER).texts)


def expanded_targets(items: Iterable[str], find: Find) -> tuple[str, ...]:
    """Return targets with the content of sets in the place of their mentions; raises InvalidInput."""
    return tuple(text for text, _ in targets_and_sets(items, find))


def targets_and_sets(items: Iterable[str], find: Find) -> tuple[tuple[str, str], ...]:
    """Return as :func:`expanded_targets`, each with the mention of its set; empty for one that was typed."""
    found = tuple(islice(_expanded(items, find), MAX_TARGETS + 1))
    refuse_too_many(len(found))
    return found


def _expanded(items: Iterable[str], find: Find) -> Iterator[tuple[str, str]]:
    for item in dict.fromkeys(items):
        if is_mention(item):
            content = checked_content(SetKind.TARGETS, find(mentioned(item)))
            yield from ((text, item) for text in content.split(" "))
        else:
            yield item, ""


def expanded_options(line: str, find: Callable[[SetKind], Find]) -> str:
    """Return a line of options with the content of sets in the place of their mentions.

    Args:
        line: As typed; where it mentions none it stays as it is.
        find: Returns what finds the sets of a kind.

    Raises:
        InvalidInput: An option is refused, or a set is not found.
    """
    if MENTION not in line:
        return line
    options = parse_options(line)
    if not any(mentions_in(setting) for setting in options.settings):
        return line
    found = NmapOptions(tuple(_resolved(setting, options, find) for setting in options.settings)).line
    if len(found) > MAX_LINE:
        named = ", ".join(mention for setting in options.settings for mention in mentions_in(setting))
        raise InvalidInput(
            f"{named}: too long for the options of a scan",
            why=f"with what is in them these have {len(found):,} characters, the limit is {MAX_LINE:,}",
            fix="name networks instead of single addresses",
        )
    return found


def mentions_in(setting: Setting) -> list[str]:
    """Return the mentions of sets in the value of an option."""
    return [item for item in setting.value.split(",") if setting.name in KINDS and is_mention(item)]


def _resolved(setting: Setting, options: NmapOptions, find: Callable[[SetKind], Find]) -> Setting:
    if not mentions_in(setting):
        return setting
    kind = KINDS[setting.name]
    if kind is SetKind.PORTS:
        ports = checked_content(kind, find(kind)(mentioned(setting.value)))
        if options.has("-sO"):
            _refuse_ports_as_protocols(setting, ports)
        return Setting(setting.name, ports)
    return Setting(setting.name, ",".join(expanded_targets(setting.value.split(","), find(kind))))


def _refuse_ports_as_protocols(setting: Setting, ports: str) -> None:
    """Refuse a set that was made for ports where nmap would take its numbers for IP protocols."""
    if not ports.startswith("P:") or set(_MARK.findall(ports)) != {"P:"}:
        raise InvalidInput(
            f"{setting.name}: {setting.value} cannot be used with -sO",
            why="this scan is of IP protocols, and in the set are ports",
            fix="write numbers of protocols, or keep them as a set: P:1,6,17",
        )
