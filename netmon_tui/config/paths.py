"""Where everything lives.

===============  =====================================  ==========================
what             a user                                 root
===============  =====================================  ==========================
configuration    ~/.config/netmon-tui/config.toml       /etc/xdg/netmon-tui/config.toml
data             ~/.local/share/netmon-tui              /var/lib/netmon-tui
logs             ~/.local/state/netmon-tui/log          /var/log/netmon-tui
===============  =====================================  ==========================

XDG variables count for users; for root they are ignored, because under sudo they belong to somebody else.
A data directory that is named (``--data-dir``, ``NETMON_TUI_DATA_DIR``) holds the logs as well.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from netmon_tui.config.files import PRIVATE_DIRECTORY
from netmon_tui.errors import StorageError

NAME = "netmon-tui"
_FOREIGN_FIX = "name another directory with --data-dir"


@dataclass(frozen=True, slots=True)
class Paths:
    """The files and directories of one installation; all absolute."""

    data: Path
    """Database, jobs, captures and backups."""
    logs: Path
    config_file: Path

    @property
    def database_file(self) -> Path:
        """The SQLite file, unless the settings name another database."""
        return self.data / "netmon.db"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of :attr:`database_file`."""
        return f"sqlite:///{self.database_file}"

    @property
    def jobs(self) -> Path:
        """One directory per job."""
        return self.data / "jobs"

    @property
    def backups(self) -> Path:
        """Copies of the database from before a migration."""
        return self.data / "backups"

    @property
    def exports(self) -> Path:
        """Where exports go when no other place is named."""
        return self.data / "exports"

    @property
    def hooks_file(self) -> Path:
        """Where events of the neighbour table are passed on to: beside the configuration."""
        return self.config_file.with_name("hooks.toml")

    @property
    def hooks_journal(self) -> Path:
        """What became of the events that hooks wanted."""
        return self.data / "hooks.json"

    @property
    def neighbours_claim(self) -> Path:
        """Locked by the program that remembers the neighbour table."""
        return self.data / "neighbours.lock"

    @property
    def token_file(self) -> Path:
        """The session token that ``netmon-tui login`` keeps."""
        return self.data / "token"

    @property
    def log_file(self) -> Path:
        """The newest log; older ones have .1, .2 and so on behind."""
        return self.logs / "netmon-tui.log"

    @property
    def directories(self) -> tuple[Path, ...]:
        """What :meth:`ensure` makes, parents first."""
        return (self.data, self.jobs, self.backups, self.exports, self.logs)

    def ensure(self) -> None:
        """Make the directories (0700) and look at those that exist.

        A directory of ours that others may enter is closed to them, but only one that is empty or holds our
        database: ``--data-dir /var`` must not lock everybody out of /var.

        Raises:
            StorageError: A symbolic link, no directory, another owner, writable for others, or
                impossible to make.
        """
        for directory in self.directories:
            ensure_private_directory(directory, marker=self.database_file)

    def sudo_notice(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """Return the line that says which data directory is used under sudo, or None without sudo."""
        if os.geteuid() != 0 or environ.get("SUDO_UID", "0") == "0":
            return None
        return f"Started with sudo: the data directory is {self.data} (--data-dir names another one)"


def find_paths(
    *,
    data_dir: str | Path | None = None,
    config_file: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Paths:
    """Return the paths: option > environment > platformdirs. Touches nothing.

    Args:
        data_dir: ``--data-dir``.
        config_file: ``--config``.
        environ: For ``NETMON_TUI_DATA_DIR`` and ``NETMON_TUI_CONFIG``; empty ones count as unset.
    """
    from platformdirs import PlatformDirs

    standard = PlatformDirs(NAME, appauthor=False, use_site_for_root=True)
    config = config_file or environ.get("NETMON_TUI_CONFIG") or Path(standard.user_config_dir) / "config.toml"
    named = data_dir or environ.get("NETMON_TUI_DATA_DIR")
    if named:
        data = _absolute(named)
        return Paths(data=data, logs=data / "log", config_file=_absolute(config))
    is_root = (
        os.getuid() == 0
    )  # the site's data directory is /usr/local/share, which is no place for a database
    data = Path(standard.user_state_dir if is_root else standard.user_data_dir)
    return Paths(data=data, logs=Path(standard.user_log_dir), config_file=_absolute(config))


def ensure_private_directory(directory: Path, *, marker: Path | None = None) -> None:
    """Make a directory with mode 0700, or check the one that is there.

    Args:
        directory: The directory; its missing parents are made as well.
        marker: A file whose presence in the directory shows that the directory is ours to close.

    Raises:
        StorageError: As :meth:`Paths.ensure`.
    """
    try:
        directory.parent.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            directory.mkdir(mode=PRIVATE_DIRECTORY)
        _check_directory(directory, marker)
    except OSError as error:
        raise StorageError(
            f"cannot make the directory {directory}", why=error.strerror or str(error), fix=_FOREIGN_FIX
        ) from error


def _check_directory(directory: Path, marker: Path | None) -> None:
    status = directory.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        raise _refusal(directory, "it is a symbolic link", "name the directory itself with --data-dir")
    if not stat.S_ISDIR(status.st_mode):
        raise _refusal(directory, "it is not a directory", _FOREIGN_FIX)
    if status.st_uid != os.geteuid():
        raise _refusal(directory, f"it belongs to the user with the id {status.st_uid}", _FOREIGN_FIX)
    if mode & stat.S_IWOTH:
        raise _refusal(directory, "everybody may write into it", f"chmod 700 {directory}")
    if mode & 0o077 and _is_ours(directory, marker):
        directory.chmod(PRIVATE_DIRECTORY)
    elif mode & stat.S_IWGRP:
        raise _refusal(directory, "its group may write into it", f"chmod 700 {directory}")


def _is_ours(directory: Path, marker: Path | None) -> bool:
    has_marker = marker is not None and marker.parent == directory and marker.exists()
    return has_marker or not any(directory.iterdir())


def _refusal(directory: Path, why: str, fix: str) -> StorageError:
    return StorageError(f"the directory {directory} is not safe to use", why=why, fix=fix)


def _absolute(path: str | Path) -> Path:
    """Make absolute without resolving links: a link must be seen to be refused."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 - resolve() would follow links
