"""The file of hooks: ``hooks.toml`` beside the configuration.

::

    [[hook]]
    name = "mail"
    kind = "command"
    command = ["/usr/local/bin/mail-event", "root"]
    least = "medium"

``events = ["gone", "back"]`` wants these kinds only, and then of any severity.

It says which programs are run, so it is held to what ssh asks of its files: it belongs to root or to the user
who runs the program, and nobody else may write to it or to its directory.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from netmon_tui.domain.comparison import Severity
from netmon_tui.domain.hook import Hook, HookKind, kept_out
from netmon_tui.domain.neighbour_event import NeighbourEventKind
from netmon_tui.errors import InvalidInput, StorageError

MOST_HOOKS = 20
LONGEST_TIMEOUT = 60
MOST_PER_MINUTE = 600
_LARGEST_FILE = 64 * 1024
"""Bytes."""
_MOST_WORDS = 100
_LONGEST_WORD = 4096
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_URL = re.compile(r"[!-~]{1,2048}")
"""Printable ASCII without spaces: anything else would need an encoding that nobody named."""
_KEYS = ("name", "kind", "events", "least", "command", "url", "timeout", "per_minute")
_OWN_KEY = {HookKind.COMMAND: "command", HookKind.WEBHOOK: "url"}
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

Stamp = tuple[int, ...]
"""Differs when a file was changed or replaced, or when others may write to it who might not before."""
Choice = TypeVar("Choice", HookKind, Severity, NeighbourEventKind)


def stamp(file: Path) -> Stamp:
    """Return what tells a changed file from the same one, and whether it is safe; empty when there is none."""
    try:
        status, directory = file.stat(), file.parent.stat()
    except FileNotFoundError:
        return ()
    except OSError as error:  # reading it tells why
        return (error.errno or 0,)
    whose = (status.st_mode, status.st_uid, directory.st_mode, directory.st_uid)
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, *whose


def read_hooks(file: Path) -> tuple[Hook, ...]:
    """Return the hooks of a file; a missing one has none.

    Raises:
        InvalidInput: It is not TOML, or a value is refused; names the hook and the key, or the line.
        StorageError: It cannot be read, or somebody else might have written it.
    """
    import tomllib

    text = _text(file)
    try:
        document = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{file} is not TOML", why=str(error)[:200]) from None
    try:
        return _hooks(document)
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error.what}", why=error.why, fix=error.fix) from None


def _text(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StorageError(f"cannot read {file}", why=error.strerror or str(error)) from error
    try:
        _check_safety(file, os.fstat(descriptor))
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(_LARGEST_FILE + 1)
    finally:
        os.close(descriptor)
    if len(data) > _LARGEST_FILE:
        raise InvalidInput(f"{file} is too large for a file of hooks", fix="it may have 64 KiB")
    return data


def _check_safety(file: Path, status: os.stat_result) -> None:
    """Refuse a file that somebody else could have written."""
    directory = file.parent.stat()
    is_shared = directory.st_mode & _OTHERS_MAY_WRITE and not directory.st_mode & stat.S_ISVTX
    if not stat.S_ISREG(status.st_mode):
        raise _unsafe(file, "it is no ordinary file", "put a file there")
    if status.st_uid not in (0, os.geteuid()):
        raise _unsafe(file, f"it belongs to the user with the id {status.st_uid}", f"chown it: {file}")
    if status.st_mode & _OTHERS_MAY_WRITE:
        raise _unsafe(file, "others may write to it", f"chmod go-w {file}")
    if is_shared or directory.st_uid not in (0, os.geteuid(), status.st_uid):
        raise _unsafe(file, "others may write to its directory", f"chmod go-w {file.parent}")


def _unsafe(file: Path, why: str, fix: str) -> StorageError:
    return StorageError(f"{file} is not safe to use: it says which programs are run", why=why, fix=fix)


def _hooks(document: Mapping[str, Any]) -> tuple[Hook, ...]:
    for key in document:
        if key != "hook":
            raise InvalidInput(f"unknown section {key[:60]!r}", fix="write [[hook]] above each hook")
    tables = document.get("hook", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise InvalidInput("hook is no list", fix="write [[hook]] with two brackets above each hook")
    if len(tables) > MOST_HOOKS:
        raise InvalidInput(f"there are {len(tables):,} hooks", fix=f"the limit is {MOST_HOOKS}")
    hooks = tuple(_Table(number, table).hook() for number, table in enumerate(tables, 1))
    names = [hook.name for hook in hooks]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise InvalidInput(f"two hooks are called {twice!r}", fix="give each a name of its own")
    return hooks


class _Table:
    """The table of one hook.

    Args:
        number: Its place in the file, from 1.
        values: What it says.
    """

    def __init__(self, number: int, values: Mapping[str, object]) -> None:
        self._number = number
        self._values = values

    def hook(self) -> Hook:
        """Return the hook; raises InvalidInput without the name of the file."""
        for key in self._values:
            if key not in _KEYS:
                near = difflib.get_close_matches(key, _KEYS, 1, 0.5)
                fix = f"did you mean {near[0]}?" if near else f"known are {', '.join(_KEYS)}"
                raise InvalidInput(f"{self._place}: unknown key {key[:60]!r}", fix=fix)
        name = self._values.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self._refusal("name", "up to 32 letters, digits and _ . -")
        kind = self._choice("kind", HookKind, None)
        for other, key in _OWN_KEY.items():
            if other is not kind and key in self._values:
                raise InvalidInput(f"{self._place}: a {kind} has no {key}", fix=f"it is for a {other}")
        events = self._events()
        return Hook(
            name,
            kind,
            events=events,
            least=self._least(events),
            command=self._command() if kind is HookKind.COMMAND else (),
            url=self._url() if kind is HookKind.WEBHOOK else "",
            timeout=self._number_of("timeout", 10, LONGEST_TIMEOUT),
            per_minute=self._number_of("per_minute", 6, MOST_PER_MINUTE),
        )

    @property
    def _place(self) -> str:
        name = self._values.get("name")
        return f"hook {self._number}" + (f" ({name[:32]!a})" if isinstance(name, str) else "")

    def _refusal(self, key: str, allowed: str) -> InvalidInput:
        """Return the error for a value; what a URL or a command says may be secret."""
        if key not in self._values:
            return InvalidInput(f"{self._place}: {key} is missing", fix=f"it is {allowed}")
        shown = "" if key in _OWN_KEY.values() else f" = {self._values[key]!r}"[:60]
        return InvalidInput(f"{self._place}: {key}{shown} is not allowed", fix=f"allowed is {allowed}")

    def _choice(self, key: str, kind: type[Choice], default: Choice | None) -> Choice:
        if key not in self._values and default is not None:
            return default
        return self._one(self._values.get(key), key, kind)

    def _one(self, value: object, key: str, kind: type[Choice]) -> Choice:
        known: Iterable[Choice] = kind
        for choice in known:
            if choice == value:
                return choice
        raise self._refusal(key, ", ".join(known))

    def _events(self) -> tuple[NeighbourEventKind, ...]:
        values = self._values.get("events", [])
        if not isinstance(values, list):
            raise self._refusal("events", 'a list such as ["changed", "duplicate"]')
        return tuple(self._one(value, "events", NeighbourEventKind) for value in values)

    def _least(self, events: Sequence[NeighbourEventKind]) -> Severity:
        """Return the least severity: who names kinds wants them, however light they are."""
        least = self._choice("least", Severity, Severity.INFO if events else Severity.LOW)
        if events and len(light := kept_out(events, least)) == len(events):
            why = f"least = {least.value!r} keeps out {light[0].value}, which is {light[0].severity.value}"
            fix = f"leave {light[0].value} out of events, or least"
            raise InvalidInput(f"{self._place}: events and least contradict each other", why=why, fix=fix)
        return least

    def _command(self) -> tuple[str, ...]:
        words = self._values.get("command")
        allowed = 'a list of words such as ["/usr/local/bin/tell", "root"]; there is no shell'
        if not isinstance(words, list) or not 1 <= len(words) <= _MOST_WORDS:
            raise self._refusal("command", allowed)
        if not all(isinstance(w, str) and len(w) <= _LONGEST_WORD and "\0" not in w for w in words):
            raise self._refusal("command", allowed)
        if not words[0].startswith("/"):
            raise self._refusal("command", "a program by its whole path, and its arguments as a list")
        return tuple(words)

    def _url(self) -> str:
        url, allowed = self._values.get("url"), "https://host/path or http://host/path"
        if not isinstance(url, str) or not _URL.fullmatch(url):
            raise self._refusal("url", allowed)
        try:
            parts = urlsplit(url)
            is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            is_whole = False
        if not is_whole:
            raise self._refusal("url", allowed)
        return url

    def _number_of(self, key: str, default: int, most: int) -> int:
        value = self._values.get(key, default)
        if type(value) is not int or not 1 <= value <= most:
            raise self._refusal(key, f"a whole number from 1 to {most}")
        return value
