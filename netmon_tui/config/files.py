"""Private files: made with mode 0600, replaced whole or not at all, never through a symbolic link."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from netmon_tui.errors import DiskFull, InvalidInput, StorageError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
_NO_PLACE = frozenset(
    {
        errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS,
        errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL,
    }
)  # fmt: skip
"""What the system says of a path at which no file can be made."""
_OUT_OF_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


def atomic_write(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Replace a file by one that holds ``data``: readers and crashes see the old file or the new one.

    A symbolic link at ``path`` is replaced, not followed.

    Raises:
        DiskFull: No space; the old file is whole and nothing is left behind.
        StorageError: Any other refusal of the system, with its words.
    """
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}")
    try:
        _write_new(temporary, data, mode)
        try:
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise explain(error, path) from error


def create_private(path: Path, data: bytes = b"", mode: int = PRIVATE_FILE) -> None:
    """Make a new file; what exists, a symbolic link included, is refused and left alone.

    Raises:
        DiskFull: No space; nothing is left behind.
        StorageError: The file exists, or any other refusal of the system.
    """
    try:
        _write_new(path, data, mode)
    except OSError as error:
        raise explain(error, path) from error


def private_opener(path: str, flags: int) -> int:
    """Opener for :func:`open`: a file that is made gets mode 0600, a symbolic link is refused."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE_FILE)


def create_named(path: Path, data: bytes = b"") -> None:
    """Make a new private file where a user has named a place; what exists is refused and left alone.

    Raises:
        InvalidInput: The file exists, or none can be made there.
        DiskFull, StorageError: As :func:`create_private`.
    """
    try:
        _write_new(path, data, PRIVATE_FILE)
    except FileExistsError as error:
        raise InvalidInput(f"{path} exists", fix="choose another name") from error
    except OSError as error:
        raise explain_named(error, path) from error


def explain(error: OSError, path: Path) -> StorageError:
    """Return the error of ours that says what the system's refusal means for ``path``."""
    words = error.strerror or str(error)
    if error.errno in _OUT_OF_SPACE:
        return DiskFull(f"no space left to write {path}", fix="free some space; the old file is unchanged")
    fix = {
        errno.EEXIST: "choose another name, or remove it first",
        errno.ENOENT: "make its directory first",
        errno.EACCES: "check owner and mode of the directory",
        errno.EROFS: "choose a place on a file system that can be written",
        errno.ELOOP: "a symbolic link is not followed: name the file itself",
    }.get(error.errno or 0, "")
    return StorageError(f"cannot write {path}", why=words, fix=fix)


def explain_named(error: OSError, path: Path) -> StorageError | InvalidInput:
    """Do as :func:`explain` for a path that a user has named: where nothing can be written, the name is refused."""
    problem = explain(error, path)
    if error.errno not in _NO_PLACE:
        return problem
    return InvalidInput(problem.what, why=problem.why, fix=problem.fix or "choose another place")


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write, sync and close a new file; on any failure it is gone again."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(stream.fileno(), mode)  # exactly this mode, whatever the umask
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_directory(directory: Path) -> None:
    """Make a rename durable, where the file system can."""
    with suppress(OSError):  # some network file systems refuse; the file itself is synced
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
