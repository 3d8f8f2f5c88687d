"""Options as switches and switches as options: two views of one line.

A switch changes its own option where that stands, or adds it at the end; everything else in the line stays as
it is, in its order. Whether options go together is not asked here: a form may pass through what does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from netmon_tui.domain.switches import ON, Switch, SwitchKind
from netmon_tui.tools.nmap_arguments import NmapOptions, Setting, read_options
from netmon_tui.tools.nmap_options import ALLOWED

TECHNIQUE, DISCOVERY, PORTS, DETECTION = (
    "Technique",
    "Discovery",
    "Ports",
    "Detection",
)
TIMING, SCRIPTS, OTHER = "Timing", "Scripts", "Other"


def _choice(label: str, group: str, *choices: tuple[str, str]) -> Switch:
    """A choice; the first is nmap's own, without an option."""
    return Switch(choices[1][1], label, SwitchKind.CHOICE, group, choices)


def _single(name: str, label: str, group: str) -> Switch:
    option = ALLOWED[name]
    if option.shape is None:
        return Switch(name, f"{label} {name}".strip(), SwitchKind.MARK, group)
    kind = SwitchKind.OPTIONAL if option.value_optional else SwitchKind.FIELD
    return Switch(name, f"{label} {name}".strip(), kind, group)


def _all(group: str, names: str) -> tuple[Switch, ...]:
    """Switches that are called as their options are."""
    return tuple(_single(name, "", group) for name in names.split())


def _labelled(group: str, *pairs: tuple[str, str]) -> tuple[Switch, ...]:
    return tuple(_single(name, label, group) for name, label in pairs)


SWITCHES: tuple[Switch, ...] = (
    _choice("Ports", TECHNIQUE, ("scan ports", ""), ("none: ping -sn", "-sn"), ("none: list -sL", "-sL")),
    _choice(
        "TCP",
        TECHNIQUE,
        ("nmap's choice", ""),
        ("SYN -sS", "-sS"),
        ("connect -sT", "-sT"),
        ("ACK -sA", "-sA"),
        ("window -sW", "-sW"),
        ("Maimon -sM", "-sM"),
        ("null -sN", "-sN"),
        ("FIN -sF", "-sF"),
        ("Xmas -sX", "-sX"),
    ),
    _choice("SCTP", TECHNIQUE, ("no", ""), ("INIT -sY", "-sY"), ("COOKIE-ECHO -sZ", "-sZ")),
    *_labelled(TECHNIQUE, ("-sU", "UDP"), ("-sO", "IP protocols")),
    *_labelled(
        DISCOVERY,
        *(("-Pn", "no ping, all are up"), ("-PR", "ARP"), ("-PE", "ICMP echo"), ("-PP", "ICMP timestamp")),
        *(("-PM", "ICMP netmask"), ("--traceroute", ""), ("-PS", "TCP SYN"), ("-PA", "TCP ACK")),
        *(("-PU", "UDP"), ("-PY", "SCTP"), ("-PO", "protocols")),
    ),
    _choice("Names", DISCOVERY, ("of those that are up", ""), ("never -n", "-n"), ("always -R", "-R")),
    *_all(DISCOVERY, "--dns-servers --exclude --system-dns --resolve-all --unique --disable-arp-ping"),
    *_all(DISCOVERY, "--discovery-ignore-rst"),
    *_labelled(PORTS, ("-p", "ports"), ("-F", "the 100 most common")),
    *_all(PORTS, "--top-ports --port-ratio --exclude-ports"),
    *_labelled(PORTS, ("-r", "in order")),
    *_labelled(DETECTION, ("-A", "all of them, and path"), ("-sV", "versions"), ("-O", "system")),
    _choice(
        "Probes",
        DETECTION,
        ("nmap's choice", ""),
        ("light", "--version-light"),
        ("all", "--version-all"),
        *((f"intensity {n}", f"--version-intensity {n}") for n in range(10)),
    ),
    *_all(DETECTION, "--allports --osscan-limit --osscan-guess --max-os-tries"),
    _choice(
        "Timing",
        TIMING,
        ("nmap's choice", ""),
        ("paranoid -T0", "-T0"),
        ("sneaky -T1", "-T1"),
        ("polite -T2", "-T2"),
        ("normal -T3", "-T3"),
        ("aggressive -T4", "-T4"),
        ("insane -T5", "-T5"),
    ),
    *_all(TIMING, "--max-retries --min-rate --max-rate --min-parallelism --max-parallelism --min-hostgroup"),
    *_all(TIMING, "--max-hostgroup --host-timeout --scan-delay --max-scan-delay --initial-rtt-timeout"),
    *_all(TIMING, "--min-rtt-timeout --max-rtt-timeout --defeat-rst-ratelimit --defeat-icmp-ratelimit"),
    *_labelled(SCRIPTS, ("-sC", "default scripts")),
    *_all(SCRIPTS, "--script --script-args --script-timeout"),
    _choice("Words", OTHER, ("as needed", ""), ("more -v", "-v"), ("most -vv", "-vv")),
    *_labelled(OTHER, ("-6", "IPv6"), ("-e", "interface")),
    *_all(OTHER, "--source-port --ttl --send-eth --send-ip --randomize-hosts --open --reason"),
)
"""All switches, in the order of the form. Every option that may be used is in one of them."""

_BY_KEY = {switch.key: switch for switch in SWITCHES}


def switches_of(line: str) -> dict[str, str]:
    """Return the value of every switch, by key.

    Raises:
        InvalidInput: An option of the line is refused.
    """
    settings = read_options(line).settings
    return {switch.key: _value(switch, settings) for switch in SWITCHES}


def _value(switch: Switch, settings: Sequence[Setting]) -> str:
    setting = next((one for one in settings if _is_of(switch, one)), None)
    if setting is None:
        return ""
    if switch.kind is SwitchKind.CHOICE:
        return " ".join(setting.tokens)
    return setting.value or ON


def _is_of(switch: Switch, setting: Setting) -> bool:
    """Whether a switch shows this setting; a choice has all options that exclude each other."""
    return setting.option.key == ALLOWED[_name(switch)].key and (
        switch.kind is SwitchKind.CHOICE or setting.name == switch.key
    )


def _name(switch: Switch) -> str:
    """Return the option that stands for a switch: its key without a value."""
    return switch.key if switch.key in ALLOWED else read_options(switch.key).settings[0].name


def with_switch(line: str, key: str, value: str) -> str:
    """Return the line with a switch set to a value; an empty one takes its option out.

    Raises:
        InvalidInput: The value, or an option of the line, is refused.
        KeyError: There is no such switch.
    """
    switch, settings = _BY_KEY[key], list(read_options(line).settings)
    places = [at for at, one in enumerate(settings) if _is_of(switch, one)]
    wanted = _setting(switch, value)
    if wanted and places:
        settings[places.pop(0)] = wanted
    elif wanted:
        settings.append(wanted)
    for at in reversed(places):
        del settings[at]
    return NmapOptions(tuple(settings)).line


def _setting(switch: Switch, value: str) -> Setting | None:
    """Return what a value of a switch means; raises InvalidInput."""
    if not value:
        return None
    if switch.kind is SwitchKind.CHOICE:
        return read_options(value).settings[0]
    shape = ALLOWED[switch.key].shape
    if shape is None or (switch.kind is SwitchKind.OPTIONAL and value == ON):
        return Setting(switch.key)
    return Setting(switch.key, shape(value))
