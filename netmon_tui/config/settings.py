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

from netmon_tui.config.sections import (
    AccountSettings,
    CaptureSettings,
    InterfaceSettings,
    LoggingSettings,
    NeighbourSettings,
    ScanSettings,
    StorageSettings,
)
from netmon_tui.config.setting import (
    Rule,
    Value,
    check_keys,
    check_value,
    mask_secret,
    read_text,
    rule_of,
    to_toml,
)
from netmon_tui.errors import InvalidInput, StorageError

ENVIRONMENT_PREFIX = "NETMON_TUI_"
NOT_SETTINGS = frozenset({"DATA_DIR", "CONFIG", "USER", "PASSWORD_FILE"})
"""Environment variables with our prefix that stand for options and not for settings."""
_LARGEST_FILE = 1024**2
"""Bytes; a configuration is some hundred."""


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
