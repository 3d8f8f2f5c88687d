"""What every command shares: the options before the noun, settings, paths, the login and the event loop.

``netmon_tui.services`` is imported when a command runs and not before, so that help costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from netmon_tui.cli.output import say
from netmon_tui.errors import InvalidInput, NotLoggedIn

if TYPE_CHECKING:
    from netmon_tui.config.paths import Paths
    from netmon_tui.config.settings import Settings
    from netmon_tui.domain.user import Actor
    from netmon_tui.services.container import Services

T = TypeVar("T")
STDIN = "-"
_LONGEST_LINE = 64 * 1024
"""Bytes of a password file's first line; more is no password."""
_LOGIN_FIX = "netmon-tui login, or --user NAME --password-file FILE before the command"

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
"""``--json`` of every verb that prints data."""


@dataclass
class CommandLine:
    """The options before the noun, and what they lead to."""

    data_dir: str | None = None
    config_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    settings_set: tuple[str, ...] = ()
    """``section.key=value``, each stronger than environment and file."""

    @cached_property
    def paths(self) -> Paths:
        """Where everything lives; touches nothing."""
        from netmon_tui.config.paths import find_paths

        return find_paths(data_dir=self.data_dir, config_file=self.config_file)

    @cached_property
    def settings(self) -> Settings:
        """The settings.

        Raises:
            InvalidInput: A wrong setting, or a file named with ``--config`` that does not exist.
        """
        from netmon_tui.config.settings import load_settings

        flags = dict(_setting(text) for text in self.settings_set)
        named = self.config_file or os.environ.get("NETMON_TUI_CONFIG")
        return load_settings(flags=flags, file=self.paths.config_file, file_required=bool(named))

    def prepare(self) -> None:
        """Make the directories and open the log; under sudo, say which data directory is used."""
        from netmon_tui.config.logging import configure_logging

        if notice := self.paths.sudo_notice():
            say(notice)
        self.paths.ensure()
        configure_logging(self.paths.log_file, self.settings.logging.level)

    def log_to_stderr(self) -> None:
        """Print what is logged from now on, one line per event."""
        from netmon_tui.config.logging import log_to_stderr

        log_to_stderr(is_journal="JOURNAL_STREAM" in os.environ)

    def run(self, work: Callable[[Services, Actor], Awaitable[T]], *, follow: bool = False) -> T:
        """Log in and carry out a command.

        Args:
            work: The command.
            follow: Bring unfinished jobs up to date first, and follow them as long as the command runs.

        Raises:
            NetmonError: Whatever the login and the command raise.
            click.exceptions.Exit: A signal ended the command; jobs go on.
        """

        async def logged_in(services: Services) -> T:
            actor = await self.authenticate(services)
            if follow:
                await services.supervisor.start()
                await services.supervisor.catch_up()
            return await work(services, actor)

        return self.run_without_login(logged_in, follow=follow)

    def run_without_login(self, work: Callable[[Services], Awaitable[T]], *, follow: bool = False) -> T:
        """Carry out a command that nobody needs to be logged in for."""
        self.prepare()
        return asyncio.run(self._with_services(work, follow))

    async def _with_services(self, work: Callable[[Services], Awaitable[T]], follow: bool) -> T:
        from netmon_tui.services.container import open_services

        services = open_services(self.settings, self.paths, reading=follow)
        async with _ended_by_signals(services.close):
            return await work(services)

    # login

    async def authenticate(self, services: Services) -> Actor:
        """Return who acts: by name and password, or by the token that ``login`` kept.

        Raises:
            NotLoggedIn: Neither is there, or the token has expired.
            LoginRefused: Wrong name or password, locked, disabled or not approved yet.
        """
        if await services.accounts.needs_first_user():
            raise NotLoggedIn("there is no user yet", fix="netmon-tui user add NAME makes the administrator")
        if self.user and self.password_file:
            return await services.accounts.login(self.user, self.password)
        token = self.read_token()
        actor = await services.accounts.actor_for_token(token) if token else None
        if actor is not None and self.user in (None, "", actor.name):
            return actor
        if self.user and has_terminal():
            return await services.accounts.login(self.user, ask_password(f"Password of {self.user}"))
        why = "--password-file needs --user" if self.password_file and not self.user else ""
        raise NotLoggedIn("you are not logged in", why=why, fix=_LOGIN_FIX)

    @cached_property
    def password(self) -> str:
        """What ``--password-file`` holds, read once: it may be stdin."""
        assert self.password_file
        return read_secret(self.password_file)

    def read_token(self) -> str:
        """Return the kept token, or an empty string."""
        try:
            descriptor = os.open(self.paths.token_file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return ""
        with os.fdopen(descriptor, "rb") as file:
            return file.read(1024).decode("ascii", "replace").strip()


def _setting(text: str) -> tuple[str, str]:
    """Return the key and the value of ``section.key=value``."""
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"--set {text} sets nothing", fix="write --set section.key=value")
    return key.strip(), value


pass_line = click.make_pass_decorator(CommandLine)
"""Hands the :class:`CommandLine` to a command as its first argument."""


@asynccontextmanager
async def _ended_by_signals(close: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Let SIGTERM and SIGHUP end the command in order: files are closed, leases given back, jobs go on.

    Args:
        close: Called at the end in any case; a signal that comes meanwhile waits until it is done.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    received: list[int] = []
    closing = False
    late: list[int] = []

    def end(number: int) -> None:
        if closing:
            late.append(number)
            return
        if not received:  # a second one must not break off what the first one lets end
            task.cancel()
        received.append(number)

    watched = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    for number in watched:
        loop.add_signal_handler(number, end, number)
    try:
        try:
            yield
        finally:
            closing = True
            await close()
    except asyncio.CancelledError:
        if received:
            raise click.exceptions.Exit(128 + received[0]) from None
        raise
    else:
        if late:
            raise click.exceptions.Exit(128 + late[0])
    finally:
        for number in watched:
            loop.remove_signal_handler(number)


def has_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask(question: str) -> str:
    """Ask for a line; Ctrl-C and Ctrl-D raise click.Abort."""
    with _interrupting():
        answer: str = click.prompt(question, err=True)
    return answer


def ask_password(question: str, *, confirm: bool = False) -> str:
    """Ask for a password without showing it; Ctrl-C and Ctrl-D raise click.Abort."""
    with _interrupting():
        answer: str = click.prompt(question, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


@contextmanager
def _interrupting() -> Iterator[None]:
    """Let signals end a prompt: the event loop, which has them otherwise, stands still meanwhile."""
    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in former:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def read_secret(name: str) -> str:
    """Return the first line of a file, ``-`` being stdin (one line for each time it is named).

    Raises:
        InvalidInput: The file cannot be read, or its first line is no UTF-8 text.
    """
    try:
        if name == STDIN:
            line = sys.stdin.buffer.readline(_LONGEST_LINE)
        else:
            with Path(name).expanduser().open("rb") as file:
                line = file.readline(_LONGEST_LINE)
        text = line.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise InvalidInput(f"cannot read the password file {name}", why=error.strerror or "") from error
    except UnicodeDecodeError:
        raise InvalidInput(f"the password file {name} is not UTF-8 text") from None
    if not text:
        raise InvalidInput(f"the password file {name} is empty", fix="the password is its first line")
    return text
