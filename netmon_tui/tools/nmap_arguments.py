"""The one grammar of nmap options: a line of text to values, and values to a command.

The words of a user are never passed on. They are read into options and values of an allow list
(`nmap_options`, `nmap_values`) and printed again in canonical form; everything else is refused with its
reason. The command ends in ``--`` and targets that passed their own grammar (`nmap_targets`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from netmon_tui.domain.address import Family
from netmon_tui.domain.named_set import MENTION
from netmon_tui.domain.nse import NseScript
from netmon_tui.errors import InvalidInput, PrivilegeMissing
from netmon_tui.tools import nmap_values as values
from netmon_tui.tools.nmap_conflicts import dropped, refuse_conflicts, refuse_for_ipv6
from netmon_tui.tools.nmap_options import ALLOWED, OTHER_SPELLINGS, REFUSED, Option, Unprivileged
from netmon_tui.tools.nmap_script_rules import chosen_scripts
from netmon_tui.tools.nmap_targets import Target, TargetSet, parse_targets, shown
from netmon_tui.tools.nmap_words import Word, split_words

_LONG_NAMES = tuple(
    name for name in (*ALLOWED, *REFUSED, *OTHER_SPELLINGS) if name.startswith("--") and len(name) > 2
)
_JOINABLE = ("-PS", "-PA", "-PU", "-PY", "-PO", "-p", "-T", "-e", "-g")
_REFUSED_WITH_VALUE = ("-o", "-iL", "-iR", "-i", "-sI", "-b", "-S", "-D", "-d", "-m")
_QUIET_SINCE, _QUIET_UNTIL = (7, 94), (7, 99)
_ANY_NUMBER = 2**140
"""Addresses: how many a scan may have is a setting, and decided before a command is made."""


class Setting(NamedTuple):
    """One option with its value."""

    name: str
    """A key of `nmap_options.ALLOWED`."""
    value: str = ""
    """Canonical; empty for an option without one."""

    @property
    def option(self) -> Option:
        """What is known of the option."""
        return ALLOWED[self.name]

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words nmap gets."""
        if not self.value:
            return (self.name,)
        return (self.name + self.value,) if self.option.joined else (self.name, self.value)


@dataclass(frozen=True, slots=True)
class NmapOptions:
    """Options that passed the grammar, in the order they were written."""

    settings: tuple[Setting, ...] = ()

    def has(self, *names: str) -> bool:
        """Whether any of these options is set."""
        return any(setting.name in names for setting in self.settings)

    def value(self, name: str) -> str:
        """The canonical value of an option; empty without one."""
        return next((setting.value for setting in self.settings if setting.name == name), "")

    @property
    def given(self) -> dict[str, str]:
        """Values by name."""
        return {setting.name: setting.value for setting in self.settings}

    @property
    def tokens(self) -> tuple[str, ...]:
        """All words in canonical form."""
        return tuple(token for setting in self.settings for token in setting.tokens)

    @property
    def line(self) -> str:
        """The canonical line: parsing it gives the same options."""
        return " ".join(f'"{token}"' if " " in token else token for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and what to tell the user before."""

    argv: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    to_confirm: tuple[str, ...] = ()
    """Scripts that may do harm or tell third parties, each with its categories."""


def parse_options(line: str) -> NmapOptions:
    """Read a line of nmap options.

    Raises:
        InvalidInput: Something is refused; the error says what, why and where (``position``).
    """
    options = _read_line(line, _refuse_repeated)
    refuse_conflicts(options.given)
    return options


def read_options(line: str) -> NmapOptions:
    """Read a line without asking whether its options go together; raises as :func:`parse_options`."""
    return _read_line(line, lambda settings, more: None)


def _read_line(line: str, check: Callable[[list[Setting], list[Setting]], None]) -> NmapOptions:
    """Read all words; ``check`` gets what was read before and what a word gave."""
    words = iter(split_words(line))
    settings: list[Setting] = []
    for word in words:
        try:
            read = list(_read(word, words))
            check(settings, read)
        except InvalidInput as error:
            raise InvalidInput(error.what, why=error.why, fix=error.fix, position=word.position) from None
        settings += read
    return NmapOptions(tuple(settings))


def _read(word: Word, rest: Iterator[Word]) -> Iterator[Setting]:
    """Read one option, taking its value from the following word where it has to."""
    text = word.text
    if not text.startswith("-") or text == "-":
        raise InvalidInput(f"{shown(text)} is not an option", why="targets have a field of their own")
    name, equals, value = text.partition("=")
    if text.startswith("--"):
        yield _read_value(_long_option(name), value if equals else None, rest)
        return
    if text in ALLOWED:
        yield _read_value(ALLOWED[text], None, rest)
        return
    _refuse_single_dash(name)
    if text.startswith("-s"):
        yield from (Setting(_scan_letter(text, letter)) for letter in text[2:])
        return
    short = next((prefix for prefix in _JOINABLE if text.startswith(prefix)), "")
    option = ALLOWED.get(OTHER_SPELLINGS.get(short, short))
    if option is None:
        raise InvalidInput(f"{shown(text)} is not an option that may be used")
    yield _read_value(option, text[len(short) :] or None, rest)


def _read_value(option: Option, given: str | None, rest: Iterator[Word]) -> Setting:
    """Check the value: ``given`` is the part of the same word, None when there is none."""
    if option.shape is None:
        if given is not None:
            raise InvalidInput(f"{option.name} takes no value")
        return Setting(option.name)
    if given is None and option.value_optional:
        return Setting(option.name)
    if given is None:
        following = next(rest, None)
        if following is None:
            raise InvalidInput(f"{option.name} needs a value")
        given = following.text
    try:
        return Setting(option.name, option.shape(given))
    except InvalidInput as error:
        raise InvalidInput(f"{option.name}: {error.what}", why=error.why, fix=error.fix) from None


def _long_option(name: str) -> Option:
    """Find a long option by its whole name."""
    if name in ALLOWED:
        return ALLOWED[name]
    short = name[1:]
    for spelling in (name, short):
        _refuse_known(spelling)
    if "_" in name and name.replace("_", "-") in _LONG_NAMES:
        raise InvalidInput(f"{shown(name)} is an old spelling", fix=f"write {name.replace('_', '-')}")
    near = next((long for long in _LONG_NAMES if len(name) > 3 and long.startswith(name)), "")
    if near in REFUSED:
        raise InvalidInput(
            f"{shown(name)} is an abbreviation of {near}, which {REFUSED[near].value}: not allowed"
        )
    if near:
        raise InvalidInput(f"{shown(name)} is an abbreviation", fix=f"write {near}")
    raise InvalidInput(f"{shown(name)} is not an option that may be used")


def _refuse_known(name: str) -> None:
    """Refuse a name of the tables with its reason."""
    if name in REFUSED:
        raise InvalidInput(f"{name} {REFUSED[name].value}: not allowed")
    if name in OTHER_SPELLINGS and name != "-g":
        raise InvalidInput(f"{name} is not used here", fix=f"write {OTHER_SPELLINGS[name]}")


def _refuse_single_dash(name: str) -> None:
    """Refuse short options that are known to be bad, and long ones behind one dash."""
    _refuse_known(name)
    refused = next((short for short in _REFUSED_WITH_VALUE if name.startswith(short)), "")
    if refused == "-o":
        raise InvalidInput(f"{name[:3]} writes files: not allowed")
    long = next((long for long in _LONG_NAMES if len(name) > 2 and long.startswith("-" + name)), "")
    if long:
        reason = f"{REFUSED[long].value}: not allowed" if long in REFUSED else "has two dashes"
        raise InvalidInput(f"{shown(name)} is read by nmap as {long}, which {reason}")
    if refused:
        raise InvalidInput(f"{refused} {REFUSED[refused].value}: not allowed")
    if name.startswith("-vv"):
        raise InvalidInput(f"{shown(name)} is more than is of use", fix="write -v or -vv")


def _scan_letter(text: str, letter: str) -> str:
    """One letter of a group such as ``-sSV``."""
    name = "-s" + letter
    _refuse_known(name)
    if name not in ALLOWED:
        raise InvalidInput(f"{shown(text)} is not an option that may be used")
    return name


def _refuse_repeated(settings: list[Setting], more: list[Setting]) -> None:
    seen = {setting.option.key: setting.name for setting in settings}
    for setting in more:
        other = seen.get(setting.option.key)
        if other == setting.name:
            raise InvalidInput(f"{other} is repeated")
        if other:
            raise InvalidInput(f"{setting.name} and {other} exclude each other")
        seen[setting.option.key] = setting.name


def build_command(
    nmap: str,
    options: NmapOptions,
    targets: Sequence[Target | str],
    *,
    xml_path: str,
    version: tuple[int, int] | None,
    privileged: bool,
    ipv6: bool,
    by_capabilities: bool = False,
    scripts: Sequence[NseScript] | None = None,
) -> Command:
    """Make the command of a scan.

    Args:
        nmap: Path of the program.
        options: The user's options.
        targets: Checked once more, whatever they come from.
        xml_path: Absolute path that nmap writes its XML to.
        version: nmap's version as (7, 93); None when unknown.
        privileged: Whether nmap will have raw sockets; without, nmap is told so, and options
            are replaced or left out with a warning.
        ipv6: Whether host names are to be scanned by IPv6; IPv6 addresses always are.
        by_capabilities: The raw sockets come from capabilities, which nmap has to be told.
        scripts: Those that are installed, which ``--script`` is compared with; None leaves that to nmap.

    Raises:
        InvalidInput: A target is refused, or an option does not go with the targets, the version or the scripts.
        PrivilegeMissing: Without root nothing of what was asked is left.
    """
    texts = (target if isinstance(target, str) else target.text for target in targets)
    checked = parse_targets(texts, limit=_ANY_NUMBER)
    options, warnings = usable_options(options, version=version, privileged=privileged)
    words = command_words(
        nmap,
        options,
        privileged=privileged,
        ipv6=_wants_ipv6(options, checked, asked=ipv6),
        by_capabilities=by_capabilities,
    )
    argv = (*words, "-oX", _literal_path(xml_path), "--", *checked.texts)
    return Command(argv, warnings, scripts_to_confirm(options, scripts))


def usable_options(
    options: NmapOptions, *, version: tuple[int, int] | None, privileged: bool
) -> tuple[NmapOptions, tuple[str, ...]]:
    """Return the options that this nmap with these rights will get, and what to tell the user of the others.

    Raises:
        InvalidInput: An option is newer than the version.
        PrivilegeMissing: Without root nothing of what was asked is left.
    """
    _refuse_newer(options, version)
    _refuse_mentions(options)
    warnings = tuple(dropped(options.given))
    if privileged:
        return options, warnings
    kept, fallbacks = _without_root(options)
    return kept, warnings + fallbacks


def command_words(
    nmap: str, options: NmapOptions, *, privileged: bool, ipv6: bool, by_capabilities: bool = False
) -> tuple[str, ...]:
    """Return a command without output and targets; ``ipv6`` says whether -6 has to be added."""
    fixed = [] if options.has("-v", "-vv") else ["-v"]
    fixed += ["--stats-every", "1s"]
    if not privileged:
        fixed.append("--unprivileged")
    elif by_capabilities:
        fixed.append("--privileged")
    if ipv6:
        fixed.append("-6")
    return (nmap, *options.tokens, *fixed)


def scripts_to_confirm(options: NmapOptions, scripts: Sequence[NseScript] | None) -> tuple[str, ...]:
    """Return the scripts that somebody has to confirm; raises InvalidInput for those that do not exist."""
    if scripts is None or not options.has("--script"):
        return ()
    return tuple(one.label for one in chosen_scripts(options.value("--script"), scripts) if one.is_risky)


def needs_private_pty(version: tuple[int, int] | None) -> bool:
    """Whether this nmap prints progress only on a terminal of its own (7.94 to 7.99; nmap issue 3175).

    An unknown version gets one: it does no harm.
    """
    return version is None or _QUIET_SINCE <= version <= _QUIET_UNTIL


def _literal_path(path: str) -> str:
    """The path as -oX takes it: nmap expands ``%Y`` and its like in file names."""
    if not path.startswith("/"):
        raise InvalidInput(f"{shown(path)} is not an absolute path")
    return path.replace("%", "%%")


def _wants_ipv6(options: NmapOptions, targets: TargetSet, *, asked: bool) -> bool:
    """Whether -6 has to be added."""
    wanted = asked or options.has("-6")
    if wanted and any(target.family is Family.IPV4 for target in targets.targets):
        raise InvalidInput("IPv6 is asked for, but a target is an IPv4 address", fix="leave out -6")
    if wanted or targets.ipv6:
        refuse_for_ipv6(options.given)
    return (wanted or targets.ipv6) and not options.has("-6")


def _refuse_newer(options: NmapOptions, version: tuple[int, int] | None) -> None:
    for setting in options.settings:
        since = setting.option.since
        if version is not None and version < since:
            raise InvalidInput(
                f"{setting.name} needs nmap {since[0]}.{since[1]}",
                why=f"{version[0]}.{version[1]} is installed",
            )


def _refuse_mentions(options: NmapOptions) -> None:
    """Refuse names of sets that nothing was put in the place of: nmap knows none."""
    for setting in options.settings:
        if setting.option.shape in (values.ports, values.targets) and MENTION in setting.value:
            raise InvalidInput(
                f"{setting.name}: {shown(setting.value)} was not looked up", why="nmap has no sets"
            )


def _without_root(options: NmapOptions) -> tuple[NmapOptions, tuple[str, ...]]:
    """Replace or leave out what needs raw sockets, and say so."""
    kept: list[Setting] = []
    warnings: dict[str, None] = {}
    for setting in options.settings:
        option = setting.option
        if option.unprivileged is Unprivileged.SAME:
            kept.append(setting)
            continue
        label = option.label or option.name
        warnings[f"{label[0].upper()}{label[1:]} {option.unprivileged.value}"] = None
        if option.unprivileged is Unprivileged.CONNECT:
            kept.append(Setting("-sT"))
        elif option.unprivileged is Unprivileged.PARTLY:
            kept += [Setting(name) for name in ("-sV", "-sC") if not options.has(name)]
    asked = [setting for setting in options.settings if setting.option.technique]
    if asked and not any(setting.option.technique for setting in kept):
        names = " ".join(setting.name for setting in asked)
        raise PrivilegeMissing(
            f"{names} needs root", fix="start the program with sudo, or choose a connect scan (-sT)"
        )
    return NmapOptions(tuple(kept)), tuple(warnings)
