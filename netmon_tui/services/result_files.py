"""Whose files a row names: a database that was copied alone still names those of the original."""

from __future__ import annotations

import shutil
from pathlib import Path


def is_ours(directory: Path, jobs: Path) -> bool:
    """Whether a directory is in ours of jobs, by whatever way it is named (blocking)."""
    try:
        return bool(directory.name) and directory.parent.samefile(jobs)
    except OSError:  # it went with what it was in
        return False


def delete_files(directory: Path, jobs: Path) -> None:
    """Delete the directory of a scan or a capture if it is ours; another one stays (blocking)."""
    if is_ours(directory, jobs):
        shutil.rmtree(directory, ignore_errors=True)
