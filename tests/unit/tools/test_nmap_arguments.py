"""The grammar of nmap options and the commands made of them."""

from __future__ import annotations

import re
import shlex
import shutil
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netmon_tui.domain.profile import Profile
from netmon_tui.errors import InvalidInput, PrivilegeMissing
from netmon_tui.tools.nmap_arguments import Command, build_command, needs_private_pty, parse_options
from netmon_tui.tools.nmap_conflicts import (
    DROPPED,
    IPV4_ONLY,
    REFUSED_TOGETHER,
    REQUIRED,
    USELESS_WITHOUT,
)
from netmon_tui.tools.nmap_options import ALLOWED, OTHER_SPELLINGS, REFUSED
from netmon_tui.tools.nmap_profiles import PROFILES
from netmon_tui.tools.nmap_targets import parse_target


def command(line: str, *targets: str, privileged: bool = True, ipv6: bool = False, **more: object) -> Command:
    return build_command(
        "/usr/bin/nmap",
        parse_options(line),
        targets or ("192.0.2.1",),
        xml_path="/data/scan.xml",
        version=more.pop("version", (7, 93)),  # type: ignore[arg-type]
        privileged=privileged,
        ipv6=ipv6,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("", ""),
        ("-sS  -T4", "-sS -T4"),
        ("-sSUV", "-sS -sU -sV"),
        ("-T aggressive", "-T4"),
        ("-p 1-65535", "-p1-65535"),
        ("-p-", "-p1-65535"),
        ("-p -100,T:22,U:53-", "-p1-100,T:22,U:53-65535"),
        ("-PS -PA3389 -PU40125,53", "-PS -PA3389 -PU40125,53"),
        ("-g53", "--source-port 53"),
        ("-g 53", "--source-port 53"),
        ("-eeth0", "-e eth0"),
        ("--top-ports=100", "--top-ports 100"),
        ("--host-timeout 030", "--host-timeout 30s"),
        ("--script-timeout 5m --max-retries 2", "--script-timeout 5m --max-retries 2"),
        ("--script http-title,safe", "--script http-title,safe"),
        ("--script 'default  or ( discovery and safe )'", '--script "default or (discovery and safe)"'),
        ('--script="banner"', "--script banner"),
        ("--script 'not(safe)',http-*", '--script "not (safe),http-*"'),
        ("--script-args http.useragent=A", "--script-args http.useragent=A"),
        ("--exclude 192.0.2.1,192.0.2.9/31", "--exclude 192.0.2.1,192.0.2.8/31"),
        ("--dns-servers 192.0.2.53,2001:DB8::53", "--dns-servers 192.0.2.53,2001:db8::53"),
        ("-A -v", "-A -v"),
        ("-sn -PE --traceroute", "-sn -PE --traceroute"),
    ],
)
def test_good_lines_come_out_canonical(line: str, canonical: str) -> None:
    options = parse_options(line)
    assert options.line == canonical
    assert parse_options(options.line) == options


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_all_of_zenmaps_profiles_are_accepted(profile: Profile) -> None:
    tokens = shlex.split(profile.arguments.replace("-p 1", "-p1"))
    assert list(parse_options(profile.arguments).tokens) == tokens


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        *[
            (f"{o}{s}x", "writes files")
            for o in ("-oN", "-oX", "-oG", "-oA", "-oS", "--oN", "-o")
            for s in " ="
        ],
        ("-oNx", "-oN writes files"),
        ("-oAbase", "-oA writes files"),
        ("--append-output", "writes files"),
        ("--script-updatedb", "writes files"),
        ("-iL hosts", "reads files"),
        ("-iLhosts", "reads files"),
        ("--excludefile x", "reads files"),
        ("--versiondb x", "reads files"),
        ("--script-args-file x", "reads files"),
        ("--datadir /tmp", "runs code"),
        ("--datad /tmp", "abbreviation of --datadir"),
        ("-datad /tmp", "read by nmap as --datadir"),
        ("--resume log", "options from a file"),
        ("--resum log", "abbreviation of --resume"),
        ("--script /tmp/x.nse", "path"),
        ("--script=x.nse", "path"),
        ("--script ../x", "path"),
        ("--script +http-title", "not the name of a script"),
        ("--script banner,banner", "twice"),
        ("--script-args userdb=x", "may not be given"),
        ("--script-args-file=x", "reads files"),
        ("-p 22*", "not a port"),
        ("-e eth*", "not the name of a network interface"),
        ("-script x", "read by nmap as --script"),
        ("-script=x", "read by nmap as --script"),
        ("--scrip x", "abbreviation"),
        ("--min_rate 5", "write --min-rate"),
        ("--oX x", "writes files"),
        ("-iLx", "reads files"),
        ("--yoloscan", "joke"),
        ("-yolo", "read by nmap as --yoloscan"),
        ("--min-parallelism 9 --max-parallelism 5", "over --max-parallelism"),
        ("--max-hostgroup 5 --min-hostgroup 9", "over --max-hostgroup"),
        ("--max-rtt-timeout 4ms", "less than 5 ms"),
        ("--initial-rtt-timeout 0s", "less than 1 ms"),
        ("--port-ratio 1", "less than 1"),
        ("-iR 10", "hosts that nobody named"),
        ("-b ftp", "third parties"),
        ("-sI zombie", "third parties"),
        ("-sSI zombie", "third parties"),
        ("--proxies http://a", "third parties"),
        ("-S 192.0.2.1", "forges"),
        ("-D RND:5", "forges"),
        ("-Dx", "forges"),
        ("--spoof-mac 0", "forges"),
        ("-f", "forges"),
        ("--data-string x", "forges"),
        ("--stats-every 5s", "set by this program"),
        ("--privileged", "set by this program"),
        ("--stylesheet http://x", "set by this program"),
        ("--", "set by this program"),
        ("-h", "scans nothing"),
        ("-V", "scans nothing"),
        ("--iflist", "scans nothing"),
        ("-d9", "debugging"),
        ("--packet-trace", "debugging"),
        ("-sP", "write -sn"),
        ("-P0", "write -Pn"),
        ("--verbose", "write -v"),
        ("-vvv", "-v or -vv"),
        ("-sS -sS", "-sS is repeated"),
        ("-sSS", "-sS is repeated"),
        ("-p 1 -p 2", "-p is repeated"),
        ("-g 1 --source-port 2", "--source-port is repeated"),
        ("-v -vv", "exclude each other"),
        ("-sS -sT", "exclude each other"),
        ("-n -R", "exclude each other"),
        ("-p 1 -F", "exclude each other"),
        ("-sn -p 1", "exclude each other"),
        ("-sn -A", "exclude each other"),
        ("-sO -sU", "exclude each other"),
        ("-sO -p 256", "0 to 255"),
        ("--defeat-rst-ratelimit", "needs -sS"),
        ("--min-rate 10 --max-rate 5", "over --max-rate"),
        ("192.0.2.1", "targets have a field"),
        ("nmap -sS", "not an option"),
        ("-PS 80", "'80' is not an option"),
        ("-", "not an option"),
        ("-Fn", "not an option"),
        ("--wibble", "not an option"),
        ("--open=yes", "takes no value"),
        ("-p", "needs a value"),
        ("--top-ports", "needs a value"),
        ("--top-ports -oN", "not a number"),
        ("-e -oN", "not the name of a network interface"),
        ("-e ../../x", "not the name of a network interface"),
        ("--exclude -oN", "begins with '-'"),
        ("-T6", "timing template"),
        ("-p 65536", "0 to 65535"),
        ("-p 9-1", "0 to 65535"),
        ("-p http", "not a port"),
        ("-p 1,,2", "not a port"),
        ("-PST:80", "no place here"),
        ("-p " + "1," * 600 + "1", "1,024"),
        ("--max-retries 21", "0 to 20"),
        ("--ttl 0", "1 to 255"),
        ("--min-rate 1e5", "not a number"),
        ("--host-timeout 5x", "not a time"),
        ('--script "default', "not closed"),
        ("--script 'default", "not closed"),
        ("-sS\n-oN x", "a line end"),
        ("-sS\0", "a NUL"),
        ("-sS\t-sV", "'\\t'"),
        ("-sS\x1b", "'\\x1b'"),
        ("-sS é", "'\\xe9'"),
        ("-sS; id", "';' has no place"),
        ("-sS `id`", "'`' has no place"),
        ("-p $(id)", "'$' has no place"),
        ("-sS > x", "'>' has no place"),
        ("-sS \\-oN", "'\\' has no place"),
        ("--script (safe)", "quotation marks"),
        ("-sS " * 2_000, "too many"),
    ],
)
def test_bad_lines_are_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_options(line)
    assert reason in str(caught.value)


def test_an_error_knows_its_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_options("-sS -T4  -oN x")
    assert caught.value.position == 9


def test_the_tables_do_not_overlap() -> None:
    assert not ALLOWED.keys() & REFUSED.keys()
    assert not OTHER_SPELLINGS.keys() & (ALLOWED.keys() | REFUSED.keys())


_NAMES = sorted({*ALLOWED, *REFUSED, *OTHER_SPELLINGS})
_SHORT = "46Ab:D:d::e:Ffg:hIi:M:m:nO::o:P::p:qRrS:s::T:Vv::"
_SHORT_LETTERS = {letter: _SHORT[i + 1 : i + 2] for i, letter in enumerate(_SHORT) if letter != ":"}
_LONG = {name[2:] for name in (*ALLOWED, *REFUSED, *OTHER_SPELLINGS) if name.startswith("--")} | {
    *(["oA", "oN", "oM", "oG", "oS", "oH", "oX", "iL", "iR", "sI"])
}


def as_getopt_reads(tokens: tuple[str, ...]) -> Iterator[str]:
    """The options that glibc's getopt_long_only finds: abbreviations and one dash before long names included."""
    rest = iter(tokens)
    for token in rest:
        assert token.startswith("-"), f"{token} would be a target"
        name = token.lstrip("-").split("=")[0]
        fitting = [name] if name in _LONG else [long for long in _LONG if long.startswith(name)]
        short = not token.startswith("--") and len(token) == 2 and token[1] in _SHORT_LETTERS
        if fitting and not short:
            yield from map(_as_ours, fitting)
            takes = ALLOWED.get(f"--{fitting[0]}")
            if takes is not None and takes.shape:
                next(rest)
            continue
        assert not token.startswith("--"), f"{token} is unknown to nmap"
        for at, letter in enumerate(token[1:], 1):
            value = token[at + 1 :]
            yield f"-{letter}{value[:1]}" if letter in "sPo" else f"-{letter}"
            if _SHORT_LETTERS[letter]:
                if not value and _SHORT_LETTERS[letter] == ":" and letter in "pTeg":
                    next(rest)
                break


def _as_ours(long: str) -> str:
    """nmap's long name as the tables here spell it: -oN, -sI and -vv are long options to nmap."""
    if len(long) == 2 and f"-{long}" in REFUSED:
        return f"-{long}"
    return OTHER_SPELLINGS.get(f"--{long}", f"--{long}")


_VALUES = st.sampled_from(
    [
        "1",
        "80",
        "5s",
        "eth0",
        "default",
        "not http-*",
        "unsafe=1",
        "/tmp/x",
        "-oN",
        "../x",
        "a=b",
        "192.0.2.1",
        "-",
        "--",
    ]
)
_WORDS = st.one_of(
    st.sampled_from(_NAMES),
    st.tuples(st.sampled_from(_NAMES), st.sampled_from(["", "=", " "]), _VALUES).map("".join),
    st.tuples(st.sampled_from(_NAMES), st.integers(1, 12)).map(lambda cut: cut[0][: cut[1]]),
    st.tuples(st.sampled_from(_NAMES), st.integers(1, 12), _VALUES).map(
        lambda cut: f"{cut[0][1:][: cut[1]]} {cut[2]}"
    ),
    _VALUES,
    st.text(max_size=8),
)


@given(st.lists(_WORDS, max_size=6))
@example(["-vv"])  # found by chance once: a long option to nmap
@settings(max_examples=500, deadline=None)
def test_whatever_passes_consists_of_allowed_options(words: list[str]) -> None:
    try:
        options = parse_options(" ".join(words))
    except InvalidInput:
        return
    assert parse_options(options.line) == options
    for name in as_getopt_reads(options.tokens):
        assert name in ALLOWED and name not in REFUSED
    for setting in options.settings:
        assert setting.name in ALLOWED
        assert not setting.value.startswith("-")
        assert "/" not in setting.value or setting.name in ("--exclude", "--script-args")


def test_a_command_is_complete() -> None:
    made = command("-sS -p 80", "192.0.2.1", "192.0.2.8/30")
    assert made.argv == (
        *("/usr/bin/nmap", "-sS", "-p80", "-v", "--stats-every", "1s", "-oX", "/data/scan.xml"),
        *("--", "192.0.2.1", "192.0.2.8/30"),
    )
    assert made.warnings == ()
    assert "-v" not in command("-vv").argv
    assert "--privileged" in command("-sS", by_capabilities=True).argv
    assert (
        parse_target("192.0.2.9").text
        in build_command(
            "/usr/bin/nmap",
            parse_options(""),
            [parse_target("192.0.2.9")],
            xml_path="/x",
            version=None,
            privileged=True,
            ipv6=False,
        ).argv
    )


def test_percent_signs_in_the_path_are_literal() -> None:
    made = build_command(
        "nmap", parse_options(""), ["::1"], xml_path="/a%Y/x", version=None, privileged=True, ipv6=True
    )
    assert "/a%%Y/x" in made.argv
    with pytest.raises(InvalidInput):
        build_command(
            "nmap", parse_options(""), ["::1"], xml_path="-oN", version=None, privileged=True, ipv6=True
        )


def test_ipv6_is_asked_for_where_it_is_needed() -> None:
    assert "-6" in command("", "2001:db8::1").argv
    assert "-6" in command("", "host.example", ipv6=True).argv
    assert command("-6", "2001:db8::1").argv.count("-6") == 1
    assert "-6" not in command("", "host.example").argv
    for line, asked in (("-6", False), ("", True)):
        with pytest.raises(InvalidInput):
            command(line, "192.0.2.1", ipv6=asked)


def test_targets_are_checked_on_the_way_out() -> None:
    with pytest.raises(InvalidInput):
        command("", "-oN/tmp/x")
    with pytest.raises(InvalidInput):
        command("", "192.0.2.1 -oN x")


@pytest.mark.parametrize(
    ("line", "tokens", "warnings"),
    [
        ("-sS -p 80", "-sT -p80", ["SYN scan needs root: falls back to -sT"]),
        ("-sS -sU", "-sT", ["SYN scan needs root: falls back to -sT", "UDP scan needs root: left out"]),
        ("-O --osscan-guess -F", "-F", ["Operating system detection needs root: left out"]),
        ("-sn --traceroute", "-sn", ["Traceroute needs root: left out"]),
        (
            "-A -T4",
            "-sV -sC -T4",
            ["Intense detection needs root for operating system and path: falls back to -sV -sC"],
        ),
        (
            "-A -sV",
            "-sC -sV",
            ["Intense detection needs root for operating system and path: falls back to -sV -sC"],
        ),
        ("-PE -PS80", "-PS80", ["ICMP echo ping needs root: left out"]),
        ("-T4 -F", "-T4 -F", []),
    ],
)
def test_without_root_options_fall_back_and_say_so(line: str, tokens: str, warnings: list[str]) -> None:
    made = command(line, privileged=False)
    own = made.argv[1 : made.argv.index("--stats-every")]
    assert [token for token in own if token != "-v"] == tokens.split()
    assert list(made.warnings) == warnings
    assert "--unprivileged" in made.argv


@pytest.mark.parametrize("line", ["-sU", "-sA", "-sO", "-sY -sU"])
def test_a_scan_of_which_nothing_is_left_needs_root(line: str) -> None:
    with pytest.raises(PrivilegeMissing):
        command(line, privileged=False)


def test_new_options_need_a_new_nmap() -> None:
    assert "--unique" in command("--unique", version=(7, 92)).argv
    assert "--unique" in command("--unique", version=None).argv
    with pytest.raises(InvalidInput, match=r"needs nmap 7\.92"):
        command("--unique", version=(7, 80))


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("-sn -sV", "-sV does nothing with -sn: no ports are scanned"),
        ("-sL --top-ports 5", "--top-ports does nothing with -sL"),
        ("-sL -PE", "-PE does nothing with -sL"),
        ("-Pn -PE", "-PE does nothing with -Pn: every host counts as up"),
        ("-Pn -sn", "-sn does nothing with -Pn"),
        ("-F --top-ports 5", "-F does nothing with --top-ports"),
        ("-sO -sV", "-sV does nothing with -sO"),
        ("-sT -g 53", "--source-port does nothing with -sT"),
        ("--version-light", "--version-light does nothing without -A or -sV"),
        ("--osscan-guess", "--osscan-guess does nothing without -A or -O"),
        ("-sU -p T:80", "-p T: names ports of a TCP scan"),
        ("-p U:53", "-p U: names ports of a UDP scan"),
    ],
)
def test_what_nmap_would_drop_is_told(line: str, warning: str) -> None:
    made = command(line)
    assert len(made.warnings) == 1 and made.warnings[0].startswith(warning)


@pytest.mark.parametrize("line", ["-sS -sU -p T:22,U:53", "-p T:22", "-A --version-all", "-sn --traceroute"])
def test_what_goes_together_is_not_warned_of(line: str) -> None:
    assert command(line).warnings == ()


@pytest.mark.parametrize("name", sorted(IPV4_ONLY))
def test_what_works_with_ipv4_only_is_refused_with_ipv6(name: str) -> None:
    assert command(name).argv
    for line, target in ((name, "2001:db8::1"), (f"{name} -6", "host.example")):
        with pytest.raises(InvalidInput, match="IPv4 only"):
            command(line, target)


def test_versions_that_print_nothing_without_a_terminal() -> None:
    quiet = [(7, 94), (7, 95), (7, 98), (7, 99), None]
    assert all(needs_private_pty(version) for version in quiet)
    assert not any(needs_private_pty(version) for version in [(7, 80), (7, 93), (7, 991), (8, 0)])


def _nmap(*words: str) -> str:
    """What the installed nmap says to options alone: no target, and a network namespace without interfaces."""
    if shutil.which("nmap") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("nmap is not installed, or network namespaces are not allowed")
    argv = ["unshare", "-n", "nmap", *words]
    quiet = subprocess.DEVNULL
    return subprocess.run(
        argv, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    ).stderr


@pytest.mark.lab
def test_every_option_of_the_installed_nmap_is_in_a_table() -> None:
    """getopt itself names its long options: all that begin with a letter, when only that is written."""
    words = [f"--{letter}{value}" for letter in string.ascii_letters for value in ("", "=")]
    named = set(re.findall(r"'(--[A-Za-z0-9-]{2,})'", "".join(map(_nmap, words))))
    usage = subprocess.run(["nmap", "--help"], capture_output=True, text=True, check=True).stdout
    named |= {word for line in usage.splitlines() if line.startswith("  -") for word in _option_names(line)}
    assert len(named) > 150 and {"--yoloscan", "--badsum", "-sS"} <= named
    known = ALLOWED.keys() | REFUSED.keys() | OTHER_SPELLINGS.keys()
    assert {name for name in named if name not in known and name[1:] not in known} == set()


def _line_of(*names: str) -> list[str]:
    values = {"-p": "80", "--dns-servers": "192.0.2.53", "--port-ratio": "0.1"}
    tokens = ((name, values.get(name, "5")) if ALLOWED[name].shape else (name,) for name in names)
    return [word for name in tokens for word in name if not ALLOWED[name[0]].value_optional or word != "5"]


@pytest.mark.lab
def test_nmap_itself_refuses_what_we_refuse() -> None:
    for together in REFUSED_TOGETHER:
        for left in together.left:
            for right in together.right:
                assert "QUITTING" in _nmap(*_line_of(left, right)), (left, right)
    for name in (*("-sT " + name for name in REQUIRED), *("-6 " + name for name in IPV4_ONLY)):
        assert "QUITTING" in _nmap(*name.split()), name


@pytest.mark.lab
def test_nmap_itself_accepts_what_we_only_warn_of() -> None:
    for left, right, _ in DROPPED:
        for one in left:
            for other in right:
                assert "QUITTING" not in _nmap(*_line_of(one, other)), (one, other)
    for details, _ in USELESS_WITHOUT:
        for name in details:
            assert "QUITTING" not in _nmap(*_line_of(name)), name


def _option_names(line: str) -> list[str]:
    """The options that a line of nmap's usage begins with, ``-sS/sT`` taken apart."""
    names = line.split(":")[0].replace(";", " ").replace("[", " ").replace("<", " ").replace("=", " ").split()
    found = []
    for name in (one for one in names if one.startswith("-")):
        first, *rest = name.split("/")
        stem = first[:2] if not first.startswith("--") else "--"
        more = [
            one if one.startswith("-") else (stem if len(one) == 1 or stem == "--" else "-") + one
            for one in rest
        ]
        found += [first, *more]
    return [name.rstrip(",>") for name in found]


@pytest.mark.lab
@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_nmap_itself_accepts_the_commands_of_the_profiles(profile: Profile, tmp_path: Path) -> None:
    if shutil.which("nmap") is None or subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        pytest.skip("nmap is not installed, or network namespaces are not allowed")
    for privileged in (True, False):
        made = build_command(
            "nmap",
            parse_options(profile.arguments),
            ["192.0.2.1"],
            xml_path=f"{tmp_path}/x.xml",
            version=None,
            privileged=privileged,
            ipv6=False,
        )
        # In a namespace without any interface, and without the targets: nmap reads its options and ends.
        argv = ["unshare", "-n", *made.argv[: made.argv.index("--")]]
        ended = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert "QUITTING" not in ended.stderr and "unrecognized" not in ended.stderr
        assert "0 hosts scanned" in ended.stderr
