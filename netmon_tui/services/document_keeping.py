"""Packing the documents of scans that have ended, in a thread of its own that gives way to everything else."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from pathlib import Path

from netmon_tui.errors import NetmonError, NotFound
from netmon_tui.runtime.kept_documents import pack_document, plain_documents
from netmon_tui.services.result_files import is_ours
from netmon_tui.services.scan_commands import XML_NAME
from netmon_tui.storage.scan_repository import ScanRepository

PATIENCE = 0.5
"""Seconds that an ending program gives to the document in hand: enough for 100 MB."""
_NICENESS = 10
_log = logging.getLogger(__name__)


class DocumentKeeper:
    """Packs what is plain, also what an earlier program left: whatever it does not get done, the next one does.

    Args:
        scans: Knows which scans have ended.
        jobs: Directory of the job directories.
    """

    def __init__(self, scans: ScanRepository, jobs: Path) -> None:
        self._scans = scans
        self._jobs = jobs
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._wanted = False
        self._stopping = threading.Event()

    def pack_soon(self) -> None:
        """Say that a scan has ended; returns at once."""
        with self._lock:
            self._wanted = True
            if self._worker is None and not self._stopping.is_set():
                self._worker = threading.Thread(target=self._work, name="document keeper", daemon=True)
                self._worker.start()

    def close(self, patience: float = PATIENCE) -> None:
        """Stop; a document that is not done after so many seconds stays plain."""
        with self._lock:  # or it would be met between its making and its start
            worker = self._worker
        if worker is not None:
            worker.join(patience)
        self._stopping.set()
        if worker is not None:
            worker.join()

    def _work(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)  # on Linux of this thread alone
        while self._take_order():
            try:
                self._pack_all()
            except NetmonError:
                _log.exception("documents stay as they are")

    def _take_order(self) -> bool:
        with self._lock:
            ordered, self._wanted = self._wanted and not self._stopping.is_set(), False
            if not ordered:
                self._worker = None
            return ordered

    def _pack_all(self) -> None:
        for scan_id, directory in self._scans.finished_directories():
            documents = plain_documents(directory) if is_ours(directory, self._jobs) else []
            for path in documents:
                if self._stopping.is_set():
                    return
                digest = self._pack(path)
                if digest and path.name == XML_NAME:
                    self._scans.update(scan_id, document_sha256=digest)
            if documents:
                self._clear(scan_id, directory)

    def _pack(self, path: Path) -> str:
        try:
            return pack_document(path, self._stopping.is_set)
        except FileNotFoundError:
            pass  # the scan was deleted meanwhile
        except OSError as error:
            _log.warning("%s stays as it is: %s", path, error)
        return ""

    def _clear(self, scan_id: int, directory: Path) -> None:
        """Remove what was written into the directory of a scan while somebody deleted it."""
        try:
            self._scans.directory(scan_id)
        except NotFound:
            shutil.rmtree(directory, ignore_errors=True)
