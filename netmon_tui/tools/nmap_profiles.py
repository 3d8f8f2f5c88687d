"""The ten profiles of Zenmap, nmap's own window (zenmapCore/data/config/scan_profile.usp)."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from netmon_tui.domain.profile import Profile, name_key
from netmon_tui.domain.user import Actor
from netmon_tui.errors import InvalidInput

_LONGEST_REFERENCE = 128
"""Characters of owner and name; of more nothing is even compared."""
_LONGEST_SHOWN = 60
_MOST_NAMED = 20
"""So many profiles an error lists."""

PROFILES = (
    Profile(
        "Intense scan",
        "-T4 -A -v",
        "The 1,000 most common TCP ports with operating system, versions, scripts and path.",
    ),
    Profile(
        "Intense scan plus UDP",
        "-sS -sU -T4 -A -v",
        "Like the intense scan, and the 1,000 most common UDP ports: slow.",
    ),
    Profile(
        "Intense scan, all TCP ports",
        "-p 1-65535 -T4 -A -v",
        "Like the intense scan, on every TCP port.",
    ),
    Profile(
        "Intense scan, no ping",
        "-T4 -A -v -Pn",
        "Like the intense scan, on every address, whether or not it answers a ping.",
    ),
    Profile("Ping scan", "-sn", "Only which hosts are up; no ports."),
    Profile("Quick scan", "-T4 -F", "The 100 most common TCP ports, fast."),
    Profile(
        "Quick scan plus",
        "-sV -T4 -O -F --version-light",
        "The 100 most common TCP ports with light version and operating system detection.",
    ),
    Profile("Quick traceroute", "-sn --traceroute", "Which hosts are up and the path to each; no ports."),
    Profile("Regular scan", "", "nmap's defaults: the 1,000 most common TCP ports."),
    Profile(
        "Slow comprehensive scan",
        "-sS -sU -T4 -A -v -PE -PS80,443 -PA3389 -PP -PU40125 -PY --source-port 53"
        ' --script "default or (discovery and safe)"',
        "Every way to find hosts, the 1,000 most common TCP and UDP ports, and all safe scripts: very slow.",
    ),
)


def is_built_in_name(name: str) -> bool:
    """Whether one of Zenmap's profiles has this name, whatever its case."""
    return name_key(name) in {name_key(profile.name) for profile in PROFILES}


def find_profile(reference: str, profiles: Sequence[Profile], actor: Actor) -> Profile:
    """Return the profile that a user means, whatever the case.

    A name alone is first one of Zenmap's or the user's own, then another's if only one has it; ``OWNER/NAME``
    is always another's.

    Args:
        reference: As typed.
        profiles: Those that the user may use.
        actor: The user.

    Raises:
        InvalidInput: There is none, and the error names the nearest; or several have the name.
    """
    wanted = name_key(reference[:_LONGEST_REFERENCE])
    by_reference = {name_key(profile.reference_for(actor)): profile for profile in profiles}
    if wanted in by_reference:
        return by_reference[wanted]
    named = [profile for profile in profiles if name_key(profile.name) == wanted]
    if len(named) == 1:
        return named[0]
    what = f"There is no profile {reference[:_LONGEST_SHOWN]!a}"
    if named:
        what = f"{len(named)} users share a profile {reference[:_LONGEST_SHOWN]!a}"
        raise InvalidInput(what, fix="one of: " + ", ".join(p.reference_for(actor) for p in named))
    near = difflib.get_close_matches(wanted, by_reference, n=1, cutoff=0.4)
    if near:
        raise InvalidInput(what, fix=f"did you mean {by_reference[near[0]].reference_for(actor)!r}?")
    raise InvalidInput(
        what, fix="one of: " + ", ".join(p.reference_for(actor) for p in profiles[:_MOST_NAMED])
    )
