"""Typed settings: flag > environment > file > default.

The file is TOML, ``config.toml`` in the configuration directory; an environment variable is
``NETMON_TUI_SECTION_KEY``. Whatever is not known is refused with the nearest spelling, because a setting that
is silently ignored is worse than none.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from netmon_tui.config import defaults
from netmon_tui.config.setting import (
    Rule,
    Value,
    check_keys,
    check_value,
    mask_secret,
    read_text,
    rule_of,
    setting,
    to_toml,
)
from netmon_tui.errors import InvalidInput, StorageError

ENVIRONMENT_PREFIX = "NETMON_TUI_"
NOT_SETTINGS = frozenset({"DATA_DIR", "CONFIG", "USER", "PASSWORD_FILE"})
"""Environment variables with our prefix that stand for options and not for settings."""
_LARGEST_FILE = 1024**2
"""Bytes; a configuration is some hundred."""


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """``[storage]``."""

    url: str = setting(
        "",
        "SQLAlchemy URL of the database. Empty: netmon.db in the data directory.",
        secret=True,
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """``[accounts]``."""

    minimum_password_length: int = setting(
        defaults.MINIMUM_PASSWORD_LENGTH,
        "Characters a new password must have.",
        minimum=defaults.SHORTEST_PASSWORD_LENGTH,
        maximum=defaults.LONGEST_MINIMUM_PASSWORD_LENGTH,
    )
    registration: str = setting(
        "closed",
        "Registering from the login screen: for nobody, for anybody with approval, or for anybody.",
        choices=("closed", "approval", "open"),
    )
    idle_lock_minutes: int = setting(
        defaults.IDLE_LOCK_MINUTES,
        "Minutes without a key after which the screen is locked. 0: never.",
        minimum=0,
        maximum=1440,
    )
    lockout_after: int = setting(
        defaults.LOCKOUT_AFTER,
        "Failed logins in a row after which the next one has to wait, longer each time.",
        minimum=1,
        maximum=100,
    )
    session_hours: int = setting(
        defaults.SESSION_HOURS,
        "Hours after which the token kept by `netmon-tui login` expires.",
        minimum=1,
        maximum=8760,
    )


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """``[scans]``."""

    maximum_addresses: int = setting(
        defaults.MAXIMUM_ADDRESSES,
        "Addresses that one scan may have.",
        minimum=1,
        maximum=2**24,
    )
    never_scan: str = setting(
        "", "Addresses, networks and host names that no scan touches, with spaces between: always excluded."
    )
    maximum_rate: int = setting(
        0, "Probes a second that a scan may send. 0: as many as its options say.", minimum=0, maximum=100_000
    )
    at_once: int = setting(
        defaults.SCANS_AT_ONCE, "Scans that run at the same time; others wait.", minimum=1, maximum=100
    )
    staged: bool = setting(
        True, "Whether a large scan may be done by several nmaps, stage by stage, where that is faster."
    )
    longest_run_seconds: int = setting(
        defaults.SCAN_SECONDS, "Seconds after which a scan is stopped.", minimum=1, maximum=30 * 86_400
    )
    memory_limit_bytes: int = setting(
        defaults.SCAN_MEMORY_BYTES,
        "Bytes of address space that the nmaps of a scan may use together. 0: no limit.",
        minimum=0,
    )
    cpu_limit_seconds: int = setting(
        defaults.SCAN_CPU_SECONDS,
        "Seconds of CPU time that the nmaps of a scan may use together, in one run. 0: no limit.",
        minimum=0,
    )


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """``[captures]``."""

    longest_run_seconds: int = setting(
        defaults.CAPTURE_SECONDS, "Seconds after which a capture is stopped.", minimum=1, maximum=366 * 86_400
    )
    largest_bytes: int = setting(
        defaults.CAPTURE_BYTES, "Bytes of file after which a capture is stopped.", minimum=4096
    )
    free_space_floor_bytes: int = setting(
        defaults.FREE_SPACE_FLOOR_BYTES,
        "Bytes that must stay free on the disk: captures and scans are stopped before.",
        minimum=0,
    )
    buffer_kib: int = setting(
        defaults.CAPTURE_BUFFER_KIB,
        "Kernel buffer of a capture in KiB: more survives longer stalls without a loss.",
        minimum=64,
        maximum=1024**2,
    )
    include_own_ssh: bool = setting(
        False, "Whether captures keep the packets of the SSH session the program is used through."
    )
    keep_days: int = setting(
        0, "Days after which captures that ended are deleted, unless marked to be kept. 0: never.", minimum=0
    )


@dataclass(frozen=True, slots=True)
class NeighbourSettings:
    """``[neighbours]``."""

    resolve_names: bool = setting(True, "Whether neighbours' host names are asked for (reverse DNS).")
    follow: bool = setting(
        True, "Whether netmon-tui worker follows the neighbour table and tells its events."
    )


@dataclass(frozen=True, slots=True)
class InterfaceSettings:
    """``[interface]``."""

    theme: str = setting(defaults.THEME, "Name of the colour theme.")
    refresh_per_second: float = setting(
        defaults.REFRESH_PER_SECOND, "How often live figures are repainted.", minimum=0.1, maximum=20
    )
    low_bandwidth: bool = setting(False, "Repaint once a second and without animation, for slow connections.")
    ascii: bool = setting(False, "Draw with ASCII only, for terminals without line-drawing characters.")
    mouse: bool = setting(True, "Whether the mouse works; without it the terminal's own selection does.")

    @property
    def repaints_per_second(self) -> float:
        """The rate in force, low bandwidth considered."""
        if self.low_bandwidth:
            return min(self.refresh_per_second, defaults.LOW_BANDWIDTH_REFRESH_PER_SECOND)
        return self.refresh_per_second


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """``[logging]``."""

    level: str = setting(
        defaults.LOG_LEVEL,
        "What goes into the log file.",
        choices=("debug", "info", "warning", "error"),
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, and where each comes from."""

    storage: StorageSettings = field(default_factory=StorageSettings)
    accounts: AccountSettings = field(default_factory=AccountSettings)
    scans: ScanSettings = field(default_factory=ScanSettings)
    captures: CaptureSettings = field(default_factory=CaptureSettings)
    neighbours: NeighbourSettings = field(default_factory=NeighbourSettings)
    interface: InterfaceSettings = field(default_factory=InterfaceSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """``[keys]``: binding id -> key, or several with commas, as Textual's keymap has it."""
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """``section.key`` -> where the value comes from; what is not here is a default."""

    def source_of(self, key: str) -> str:
        """Return where ``section.key`` comes from: the flag, the variable, the file or ``default``."""
        return self.sources.get(key, "default")

    def rows(self) -> Iterator[tuple[str, Value, str]]:
        """Yield (``section.key``, value fit to be shown, source) of every setting."""
        for key, rule in _RULES.items():
            section, name = key.split(".")
            value: Value = getattr(getattr(self, section), name)
            shown = mask_secret(value) if isinstance(value, str) and rule.secret else value
            yield key, shown, self.source_of(key)
        for name, value in self.keys.items():
            yield f"keys.{name}", value, self.source_of(f"keys.{name}")


SECTIONS: dict[str, type[Any]] = {
    "storage": StorageSettings,
    "accounts": AccountSettings,
    "scans": ScanSettings,
    "captures": CaptureSettings,
    "neighbours": NeighbourSettings,
    "interface": InterfaceSettings,
    "logging": LoggingSettings,
}
_RULES: dict[str, Rule] = {
    f"{section}.{option.name}": rule_of(option)
    for section, kind in SECTIONS.items()
    for option in dataclasses.fields(kind)
}
_VARIABLES = {ENVIRONMENT_PREFIX + key.replace(".", "_").upper(): key for key in _RULES}


@dataclass(slots=True)
class _Draft:
    """Values gathered so far, the lowest precedence first."""

    values: dict[str, Value] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def put(self, key: str, value: Value, source: str) -> None:
        """Take a value over what a lower source said."""
        self.values[key] = value
        self.sources[key] = source

    def finish(self) -> Settings:
        """Return the settings, defaults for the rest."""
        chosen: dict[str, dict[str, Value]] = {section: {} for section in SECTIONS}
        for key, value in self.values.items():
            section, name = key.split(".")
            chosen[section][name] = value
        sections = {section: kind(**chosen[section]) for section, kind in SECTIONS.items()}
        return Settings(**sections, keys=MappingProxyType(self.keys), sources=MappingProxyType(self.sources))


def load_settings(
    *,
    flags: Mapping[str, str] = MappingProxyType({}),
    environ: Mapping[str, str] = os.environ,
    file: Path | None = None,
    file_required: bool = False,
) -> Settings:
    """Gather all settings.

    Args:
        flags: ``section.key`` -> text, from the command line.
        environ: The environment.
        file: The TOML file; None for none.
        file_required: Whether a missing file is an error (it was named by the user) or means defaults.

    Raises:
        InvalidInput: An unknown name (with the nearest spelling), a wrong value (with what is allowed), or a
            file that is not TOML.
        StorageError: A file that exists and cannot be read.
    """
    draft = _Draft()
    if file is not None:
        _read_file(draft, file, required=file_required)
    for name, text in environ.items():
        if name.startswith(ENVIRONMENT_PREFIX):
            _read_variable(draft, name, text)
    for key, text in flags.items():
        if key not in _RULES:
            raise _unknown("setting", key, _RULES)
        draft.put(key, read_text(_RULES[key], text, key=key, place="command line"), f"flag {key}")
    return draft.finish()


def default_toml() -> str:
    """Return a configuration file with every setting explained and commented out at its default."""
    lines = ["# netmon-tui: remove the # before what you change.", ""]
    for section, kind in SECTIONS.items():
        lines.append(f"[{section}]")
        for option in dataclasses.fields(kind):
            lines += _explained(option)
        lines.append("")
    lines += ["[keys]", '# Binding id = key, such as "table.down" = "j,down". The help lists the ids.', ""]
    return "\n".join(lines)


def _explained(option: dataclasses.Field[Any]) -> list[str]:
    rule = rule_of(option)
    text = f"{rule.doc} Allowed: {rule.allowed}."
    return [
        *(f"# {line}" for line in textwrap.wrap(text, 98)),
        f"# {option.name} = {to_toml(rule.default)}",
    ]


def _read_file(draft: _Draft, file: Path, *, required: bool) -> None:
    """Take what the file says."""
    document = _parse_file(file, required=required)
    place = str(file)
    for section, table in document.items():
        if section != "keys" and section not in SECTIONS:
            raise _unknown("section", section, [*SECTIONS, "keys"], place)
        if not isinstance(table, dict):
            raise InvalidInput(
                f"{place}: {section} is not a section", fix=f"write [{section}] on its own line"
            )
        if section == "keys":
            _read_keys(draft, table, place)
        else:
            _read_section(draft, section, table, place)


def _read_section(draft: _Draft, section: str, table: Mapping[str, object], place: str) -> None:
    for name, value in table.items():
        key = f"{section}.{name}"
        if key not in _RULES:
            raise _unknown("setting", key, _RULES, place)
        draft.put(key, check_value(_RULES[key], value, key=key, place=place), f"file {place}")


def _read_keys(draft: _Draft, table: Mapping[str, object], place: str) -> None:
    try:
        draft.keys.update(check_keys(_flattened(table)))
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error.what}", fix=error.fix) from None
    draft.sources.update({f"keys.{name}": f"file {place}" for name in draft.keys})


def _flattened(table: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Read ``table.down = "j"`` without quotes as the binding id it means, though TOML nests it."""
    flat: dict[str, object] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            flat.update(_flattened(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat


def _parse_file(file: Path, *, required: bool) -> dict[str, Any]:
    """Read and parse; a missing file is empty unless it is required."""
    import tomllib

    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        if required:
            raise InvalidInput(f"{file} does not exist", fix="netmon-tui config init writes one") from None
        return {}
    except OSError as error:
        raise StorageError(f"cannot read {file}", why=error.strerror or str(error)) from error
    if len(data) > _LARGEST_FILE:
        raise InvalidInput(f"{file} is too large for a configuration", fix="it may have 1 MiB")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"{file} is not TOML", why=str(error)[:200]) from None


def _read_variable(draft: _Draft, name: str, text: str) -> None:
    """Take one environment variable. Names far from any setting are somebody else's and left alone."""
    key = _VARIABLES.get(name)
    if key is not None:
        draft.put(key, read_text(_RULES[key], text, key=key, place=name), f"environment {name}")
        return
    word = name.removeprefix(ENVIRONMENT_PREFIX)
    is_ours = word.startswith(tuple(f"{section.upper()}_" for section in SECTIONS))
    if word not in NOT_SETTINGS and (is_ours or difflib.get_close_matches(name, _VARIABLES, 1, 0.9)):
        raise _unknown("environment variable", name, _VARIABLES)


def _unknown(what: str, name: str, known: Mapping[str, object] | list[str], place: str = "") -> InvalidInput:
    """Return the error for a name nobody knows, with the nearest one that is."""
    short = name if len(name) <= 80 else name[:77] + "..."
    near = difflib.get_close_matches(short, list(known), 1, 0.5)
    fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    before = f"{place}: " if place else ""
    return InvalidInput(f"{before}unknown {what} {short!r}", fix=fix)
