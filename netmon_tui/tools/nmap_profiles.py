"""The ten profiles of Zenmap, nmap's own window (zenmapCore/data/config/scan_profile.usp)."""

from __future__ import annotations

from netmon_tui.domain.owned import name_key
from netmon_tui.domain.profile import Profile

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
