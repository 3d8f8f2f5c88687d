"""Documents from elsewhere, stored as scans: nmap's XML of any version and masscan's, packed by gzip or not."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from netmon_tui.config.files import explain
from netmon_tui.domain.job import JobState
from netmon_tui.domain.scan import ScanStarted
from netmon_tui.domain.user import Actor
from netmon_tui.errors import AlreadyImported, InvalidInput
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.scan_ingest import MOST_WARNINGS, ScanIngest, ingest_file, moment_of
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.tools.nmap_output import is_nmap_xml

XML_NAME = "scan.xml"
LARGEST_IMPORT = 1024**3
"""Bytes of XML: a /12 with every service."""
_GZIP_MAGIC = b"\x1f\x8b"
_PIECE = 1 << 20
Writer = Callable[[Path, Iterator[bytes]], Path]
"""Writes a new file from chunks, whole or not at all."""


class ScanImport:
    """Stores one document after the other; every call blocks.

    Args:
        scans, results: Where to.
        hosts: Says what was found.
        jobs: Directory of the job directories.
        write: Writes the copy that is kept.
    """

    def __init__(
        self, scans: ScanRepository, results: ScanResults, hosts: HostQueries, jobs: Path, write: Writer
    ) -> None:
        self._scans = scans
        self._results = results
        self._hosts = hosts
        self._jobs = jobs
        self._write = write

    def store(self, actor: Actor, file: BinaryIO, name: str, *, again: bool) -> int:
        """Store a document and return its scan's id; when it is refused, nothing is stored.

        Args:
            actor: Whose scan it becomes.
            file: Open for reading and seeking, at its beginning.
            name: What people call it.
            again: Whether it may come in once more.

        Raises:
            InvalidInput: It is no XML of nmap or masscan, too large, or nothing in it can be read.
            AlreadyImported: It is a scan of the actor already.
        """
        digest = _digest(file, name)  # a pass of its own: what is refused or known costs no disk
        known = None if again else self._scans.scan_of_document(actor, digest)
        if known is not None:
            raise AlreadyImported(f"{name} is scan {known} already", scan_id=known)
        scan_id = self._scans.create(
            actor,
            targets=(),
            profile="",
            arguments="",
            name=clean(name),
            state=JobState.RUNNING,
            imported=True,
            jobs=self._jobs,
        )
        directory = self._scans.directory(scan_id)
        try:
            directory.mkdir(mode=0o700)
            copy = self._write(directory / XML_NAME, _document(file, name))
            self._read(scan_id, copy, name, digest)
        except BaseException as error:
            self._scans.delete(scan_id, partial(shutil.rmtree, directory, True))
            if isinstance(error, OSError):
                raise explain(error, directory) from error
            raise
        return scan_id

    def _read(self, scan_id: int, copy: Path, name: str, digest: str) -> None:
        ingest = ScanIngest(scan_id, self._scans, self._results)
        ingest_file(copy, ingest)
        if (ingest.damage or ingest.started is None) and not self._hosts.count_hosts(scan_id):
            raise InvalidInput(f"{name} cannot be read", why=ingest.damage or "it ends too early")
        if ingest.refused and not self._hosts.count_hosts(scan_id):
            raise InvalidInput(f"no host in {name} can be read", why=ingest.refused[0])
        finished = ingest.finished
        whole = finished is not None and finished.exit == "success" and not ingest.damage
        started: ScanStarted | None = ingest.started
        self._scans.update(
            scan_id,
            state=(JobState.COMPLETED if whole else JobState.INTERRUPTED).value,
            percent=100.0 if whole else 0.0,
            arguments=started.args if started else "",
            started=moment_of(started.start if started else None),
            finished=moment_of(finished.time if finished else None) or datetime.now(UTC),
            error="" if whole else ingest.damage or "the document ends before the scan did",
            document_sha256=digest,
        )
        self._scans.add_warnings(scan_id, ingest.refused[:MOST_WARNINGS])


def _digest(file: BinaryIO, name: str) -> str:
    """Return the SHA-256 of the document, unpacked; refuse what is none."""
    digest = hashlib.sha256()
    pieces = _document(file, name)
    head = next(pieces, b"")
    if not is_nmap_xml(head):
        fix = "give a file that nmap or masscan wrote with -oX"
        raise InvalidInput(f"{name} is not nmap XML", fix=fix)
    digest.update(head)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _document(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield a document from its beginning, unpacked; refuse one that is too large or cannot be unpacked."""
    file.seek(0)
    packed = file.read(2) == _GZIP_MAGIC
    file.seek(0)
    source = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if packed else file
    total = 0
    try:
        while piece := source.read(_PIECE):
            total += len(piece)
            if total > LARGEST_IMPORT:
                raise InvalidInput(f"{name} is too large", why=f"more than {LARGEST_IMPORT >> 20} MiB")
            yield piece
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidInput(f"{name} is a damaged gzip file", why=str(error)) from error
