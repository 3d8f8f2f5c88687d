"""Import and export of scans, captures and neighbours."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from netmon_tui.config.files import PRIVATE_FILE, explain, explain_named, private_opener
from netmon_tui.domain.address import parse_ip
from netmon_tui.domain.capture import Capture
from netmon_tui.domain.counted import counted
from netmon_tui.domain.documents import neighbour_document
from netmon_tui.domain.export import MAP_FORMATS, SCAN_FORMATS, HostSelection
from netmon_tui.domain.neighbour import NeighbourRecord
from netmon_tui.domain.scan import Scan
from netmon_tui.domain.stream import Stream
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.runtime.opened import opened
from netmon_tui.security.hostile_text import clean, csv_cell
from netmon_tui.services.file_damage import whole_ends
from netmon_tui.services.lost_files import require_files
from netmon_tui.services.readable_files import reading, require_file
from netmon_tui.services.scan_export import ScanExport
from netmon_tui.services.scan_import import LARGEST_IMPORT, ScanImport
from netmon_tui.services.scan_map import map_chunks
from netmon_tui.services.stopping import in_thread
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.capture_repository import CaptureRepository
from netmon_tui.storage.host_queries import HostQueries
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.scan_results import ScanResults
from netmon_tui.storage.topology_queries import TopologyQueries
from netmon_tui.tools.file_set import FileSetReader, packet_files, whole_packets
from netmon_tui.tools.pcap import FILE_HEADER_SIZE

NEIGHBOUR_FORMATS = ("json", "csv")
_NO_NAMELESS = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})
_OPENED = Path("/proc/self/fd")
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
_ALL_HOSTS = HostSelection()
_NEIGHBOUR_COLUMNS = (
    "address",
    "family",
    "lladdr",
    "lladdr_remembered",
    "vendor",
    "interface",
    "state",
    "router",
    "private",
    "hostname",
    "name",
    "known",
    "first_seen",
    "last_seen",
    "used",
    "confirmed",
    "updated",
    "probes",
)


class TransferService:
    """What goes out and comes in. Files are written whole or not at all, and never over another file.

    Args:
        scans, results, hosts, routes, captures, audit: Storage.
        jobs: Directory of the job directories.
        imported: Called when a document is stored.
    """

    def __init__(
        self,
        *,
        scans: ScanRepository,
        results: ScanResults,
        hosts: HostQueries,
        routes: TopologyQueries,
        captures: CaptureRepository,
        audit: AuditRepository,
        jobs: Path,
        imported: Callable[[], None] = lambda: None,
    ) -> None:
        self._import = ScanImport(scans, results, hosts, jobs, write_new)
        self._imported = imported
        self._scans = scans
        self._hosts = hosts
        self._routes = routes
        self._captures = captures
        self._audit = audit
        self._jobs = jobs

    async def scan_chunks(
        self, actor: Actor, scan_id: int, format: str, selection: HostSelection = _ALL_HOSTS
    ) -> Iterator[bytes]:
        """Return an export of a scan as chunks; iterating blocks, so do it in a thread.

        Args:
            actor: Who exports.
            scan_id: The scan.
            format: One of `SCAN_FORMATS`.
            selection: Which of its hosts.

        Raises:
            NotFound: No such scan, a selected host is not in it, or a format made from nmap's XML lacks that.
        """
        _check_format(format, SCAN_FORMATS)
        actor.require(Permission.EXPORT)
        scan = await asyncio.to_thread(self._scans.get, actor, scan_id)
        directory = await asyncio.to_thread(self._scans.directory, scan_id)
        selection = selection._replace(addresses=tuple(map(_canonical, selection.addresses)))
        export = await asyncio.to_thread(ScanExport, self._hosts, scan, directory, selection)
        count = export.host_count
        detail = format if count is None else f"{format}, {count} host{'' if count == 1 else 's'}"
        await asyncio.to_thread(self._audit.record, actor, "scan.export", f"scan {scan_id}", detail)
        return await asyncio.to_thread(export.chunks, format)

    async def export_scan(
        self, actor: Actor, scan_id: int, format: str, path: Path, selection: HostSelection = _ALL_HOSTS
    ) -> Path:
        """Write a scan to a new file (mode 0600) and return its path; as :meth:`scan_chunks`."""
        chunks = await self.scan_chunks(actor, scan_id, format, selection)
        return await write_out(path, chunks)

    async def map_chunks(self, actor: Actor, scan_id: int, format: str) -> Iterator[bytes]:
        """Return the map of a scan in one of `MAP_FORMATS` as chunks; iterating blocks.

        Raises:
            NotFound: No such scan.
        """
        _check_format(format, MAP_FORMATS)
        actor.require(Permission.EXPORT)
        await asyncio.to_thread(self._scans.get, actor, scan_id)
        detail = f"map as {format}"
        await asyncio.to_thread(self._audit.record, actor, "scan.export", f"scan {scan_id}", detail)
        return await asyncio.to_thread(map_chunks, self._routes, scan_id, format)

    async def export_map(self, actor: Actor, scan_id: int, format: str, path: Path) -> Path:
        """Write the map of a scan to a new file (mode 0600) and return its path; as :meth:`map_chunks`."""
        chunks = await self.map_chunks(actor, scan_id, format)
        return await write_out(path, chunks)

    async def import_scan(self, actor: Actor, path: Path, *, again: bool = False) -> Scan:
        """Store an XML file of nmap or masscan, packed by gzip or not, as a scan of the actor.

        Args:
            actor: Who imports.
            path: The file.
            again: Whether a document that is a scan of the actor already becomes one more.

        Raises:
            InvalidInput: The file is not such XML, too large, or nothing in it can be read; nothing is stored.
            AlreadyImported: The document is a scan already; the error says which.
            NotFound: There is no such file.
        """
        actor.require(Permission.IMPORT)
        scan_id = await asyncio.to_thread(self._import_path, actor, path, again)
        return await self._imported_scan(actor, scan_id, path.name)

    async def import_stream(self, actor: Actor, stream: BinaryIO, name: str, *, again: bool = False) -> Scan:
        """Store what a pipe brings; as :meth:`import_scan`."""
        actor.require(Permission.IMPORT)
        scan_id = await asyncio.to_thread(self._import_stream, actor, stream, name, again)
        return await self._imported_scan(actor, scan_id, name)

    async def _imported_scan(self, actor: Actor, scan_id: int, name: str) -> Scan:
        self._imported()
        await asyncio.to_thread(self._audit.record, actor, "scan.import", f"scan {scan_id}", clean(name))
        return await asyncio.to_thread(self._scans.get, actor, scan_id)

    def _import_path(self, actor: Actor, path: Path, again: bool) -> int:
        with reading(str(path)):
            require_file(path)
            if path.stat().st_size > LARGEST_IMPORT:
                raise InvalidInput(f"{path.name} is too large", why=f"more than {LARGEST_IMPORT >> 20} MiB")
            with path.open("rb") as file:
                return self._import.store(actor, file, path.name, again=again)

    def _import_stream(self, actor: Actor, stream: BinaryIO, name: str, again: bool) -> int:
        """Keep the stream in a file without a name: it is read twice, and gone whatever happens."""
        try:
            with tempfile.TemporaryFile(dir=self._jobs) as spool:
                while piece := stream.read(1 << 20):
                    spool.write(piece)
                    if spool.tell() > LARGEST_IMPORT:
                        why = f"more than {LARGEST_IMPORT >> 20} MiB"
                        raise InvalidInput(f"{name} is too large", why=why)
                return self._import.store(actor, spool, name, again=again)
        except OSError as error:
            raise explain(error, self._jobs) from error

    async def export_neighbours(
        self, actor: Actor, records: Sequence[NeighbourRecord], format: str, path: Path
    ) -> Path:
        """Write neighbours to a new file and return its path."""
        chunks = await self.neighbour_chunks(actor, records, format)
        return await write_out(path, chunks)

    async def neighbour_chunks(
        self, actor: Actor, records: Sequence[NeighbourRecord], format: str
    ) -> Iterator[bytes]:
        """Return neighbours as ``json`` (an array) or ``csv``."""
        _check_format(format, NEIGHBOUR_FORMATS)
        actor.require(Permission.EXPORT)
        await asyncio.to_thread(
            self._audit.record, actor, "neighbour.export", counted(len(records), "neighbour"), format
        )
        documents = [neighbour_document(record) for record in records]
        if format == "json":
            return iter([json.dumps(documents, indent=2).encode() + b"\n"])
        rows = ([document[name] for name in _NEIGHBOUR_COLUMNS] for document in documents)
        return iter([_csv([_NEIGHBOUR_COLUMNS, *rows]).encode()])

    async def export_capture(self, actor: Actor, capture_id: int, path: Path) -> Path:
        """Copy a capture's files as one to a new file and return its path; while it runs, up to a whole packet.

        Raises:
            NotFound: No such capture, or it has no file.
            InvalidInput: It runs and nothing was captured yet.
        """
        capture, directory = await self._with_directory(actor, capture_id)
        if not capture.state.is_final:
            await asyncio.to_thread(_require_header, capture_id, directory)
        await self._note_export(actor, capture_id)
        chunks = _whole_file(directory) if capture.state.is_final else whole_packets(directory)
        return await write_out(path, chunks)

    async def export_stream(
        self, actor: Actor, capture_id: int, stream: Stream, side: int | None, path: Path
    ) -> Path:
        """Write what was sent in a stream of a capture to a new file, byte for byte, and return its path.

        Raises:
            NotFound: No such capture, or it has no file.
            InvalidInput: There is such a file.
            DiskFull, StorageError: As they say.
        """
        await self._with_directory(actor, capture_id)
        await self._note_export(actor, capture_id)
        return await write_out(path, (part.data for part in stream.side(side)))

    async def read_capture(self, actor: Actor, capture_id: int) -> FileSetReader:
        """Return what reads the files of a capture as one; close it when done.

        What others cut of one that has ended leaves no half packet; a file without any packet is passed over.

        Raises:
            NotFound: No such capture, or it has no file.
        """
        capture, directory = await self._with_directory(actor, capture_id)
        await self._note_export(actor, capture_id)
        return await opened(lambda: _reader_of(capture, directory), FileSetReader.close)

    async def _with_directory(self, actor: Actor, capture_id: int) -> tuple[Capture, Path]:
        actor.require(Permission.EXPORT)
        capture = await asyncio.to_thread(self._captures.get, actor, capture_id)
        directory = await asyncio.to_thread(self._captures.directory, capture_id)
        await asyncio.to_thread(require_files, capture, directory)
        return capture, directory

    async def _note_export(self, actor: Actor, capture_id: int) -> None:
        await asyncio.to_thread(self._audit.record, actor, "capture.export", f"capture {capture_id}", "")


def _csv(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, every cell through the gate and none a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue()


def _canonical(address: str) -> str:
    """Return an address as it is stored; what is none stays as it is, and is not found."""
    parsed = parse_ip(address.strip())
    return address if parsed is None else str(parsed)


def _check_format(format: str, known: Sequence[str]) -> None:
    if format not in known:
        raise InvalidInput(f"no format {format!r}", fix=f"there are: {', '.join(known)}")


def _require_header(capture_id: int, directory: Path) -> None:
    if packet_files(directory)[-1].stat().st_size < FILE_HEADER_SIZE:
        raise InvalidInput(f"capture {capture_id} has no packets yet", fix="try again when it has some")


def _reader_of(capture: Capture, directory: Path) -> FileSetReader:
    """Return the reader; of what somebody cut since the capture ended it gives no half packet."""
    return FileSetReader(directory, whole_ends(capture, directory))


def _whole_file(directory: Path) -> Iterator[bytes]:
    with FileSetReader(directory) as reader:
        yield from reader.pieces()


async def write_out(path: Path, chunks: Iterable[bytes]) -> Path:
    """Do as :func:`write_new`, in a thread that stops when nobody waits for it any more."""
    return await in_thread(lambda stop: write_new(path, stop.passing(chunks)))


def write_new(path: Path, chunks: Iterable[bytes]) -> Path:
    """Write a new private file from chunks and return its absolute path (blocking).

    On any failure nothing is left under its name.

    Raises:
        InvalidInput: The file exists, or none can be made there.
        DiskFull, StorageError: As they say.
    """
    try:
        path = path.expanduser().absolute()
    except RuntimeError:
        raise InvalidInput(f"{path} names a user that does not exist") from None
    draft = path.with_name(f".{secrets.token_hex(8)}.part")  # of this call alone; any name may be so long
    try:
        with _open_draft(draft, path) as file:
            try:
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
                _give_name(file, draft, path)
            finally:
                draft.unlink(missing_ok=True)
    except FileExistsError as error:
        raise InvalidInput(f"{path} exists", fix="choose another name") from error
    except OSError as error:
        raise explain(error, path) from error
    return path


def _open_draft(draft: Path, path: Path) -> BinaryIO:
    try:
        if path.exists() or path.is_symlink():
            raise FileExistsError
        return _open_nameless(path.parent) or open(draft, "xb", opener=private_opener)
    except FileExistsError:
        raise
    except OSError as error:
        raise explain_named(error, path) from error


def _open_nameless(directory: Path) -> BinaryIO | None:
    """Open a file of which nothing stays, however this program ends; None where a file must have a name."""
    if not _OPENED.is_dir():
        return None  # nothing could give it one in the end
    try:
        descriptor = os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, PRIVATE_FILE)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        return None
    return os.fdopen(descriptor, "wb")


def _give_name(file: BinaryIO, draft: Path, path: Path) -> None:
    """Give a finished file its name, never over another file."""
    has_name, opened = draft.exists(), file.fileno()
    try:
        if has_name:
            os.link(draft, path)
        else:
            os.link(_OPENED / str(opened), path, src_dir_fd=opened)  # with a descriptor the link is followed
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS or not has_name:
            raise
        # Such as on a FAT stick. The name is taken first, so that no other file can be replaced.
        os.close(private_opener(str(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        draft.replace(path)
