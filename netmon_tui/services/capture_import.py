"""Capture files from elsewhere, stored as captures: classic pcap and pcapng, packed by gzip or not.

What comes in is stored as classic pcap, which holds packets of one link type: a pcapng file of several becomes as
many captures. The reader is our own: editcap refuses such files, and does not tell where a damaged one breaks off.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from netmon_tui.domain.capture import CaptureOrigin, MadeCapture
from netmon_tui.domain.capture_files import CAPTURE_NAME, CaptureFile
from netmon_tui.domain.capture_filter import LONGEST_NAME
from netmon_tui.domain.counted import counted
from netmon_tui.domain.packet_mark import LONGEST_COMMENT, MOST_MARKS, PacketMark
from netmon_tui.domain.user import Actor
from netmon_tui.errors import AlreadyCaptured, InvalidInput
from netmon_tui.runtime.key_log import KEPT_NAME
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.capture_drafts import Draft, Drafts, Room, times_of
from netmon_tui.services.kept_index import keep_index
from netmon_tui.services.readable_files import reading
from netmon_tui.services.stopping import Stop
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.capture_catalogue import CaptureCatalogue
from netmon_tui.tools import gzip_file, pcapng
from netmon_tui.tools.link_layers import ETHERNET, link_type_name
from netmon_tui.tools.pcap import (
    FILE_HEADER_SIZE,
    FileHeader,
    RawPacket,
    make_header,
    pack_record,
    read_header,
)
from netmon_tui.tools.pcap_files import sha256_of
from netmon_tui.tools.pcap_index import PacketIndex

_PIECE = 1 << 20
_MOST_LINK_TYPES = 16
"""Link types of one file, each of which becomes a capture; more are damage or malice."""
_LARGEST_SNAPLEN = 2**31 - 1


class _Document:
    """A file, unpacked as it is read, again and again from its beginning.

    Args:
        file: Open for reading and seeking.
        name: What people call it.
        stop: Whether reading is to stop.
    """

    def __init__(self, file: BinaryIO, name: str, stop: Stop) -> None:
        self._file = file
        self._stop = stop
        self.name = name
        with reading(name):
            file.seek(0)
            self.is_packed = file.read(2) == gzip_file.MAGIC
        self.damage = ""
        """Why unpacking ended too early."""

    def pieces(self) -> Iterator[bytes]:
        """Yield it unpacked, as far as that goes."""
        if not self.is_packed:
            yield from self.as_it_is()
            return
        try:
            with reading(self.name):
                self._file.seek(0)
                yield from self._stop.passing(gzip_file.unpacked(self._file))
        except (EOFError, zlib.error) as error:
            self.damage = f"the gzip file is damaged: {error}"

    def as_it_is(self) -> Iterator[bytes]:
        """Yield it without unpacking."""
        with reading(self.name):
            self._file.seek(0)
            yield from self._stop.passing(iter(lambda: self._file.read(_PIECE), b""))


class CaptureImport:
    """Stores one file after the other; every call blocks.

    Args:
        catalogue: Where to.
        drafts: Where the files are made.
    """

    def __init__(self, catalogue: CaptureCatalogue, drafts: Drafts) -> None:
        self._catalogue = catalogue
        self._drafts = drafts

    def store(self, actor: Actor, file: BinaryIO, name: str, room: Room, *, again: bool) -> list[int]:
        """Store a file and return the ids of its captures; when it is refused, nothing is stored.

        Args:
            actor: Whose captures they become.
            file: Open for reading and seeking.
            name: What people call it.
            room: What may be written.
            again: Whether it may come in once more.

        Raises:
            InvalidInput: It is no capture file, or nothing in it can be read.
            AlreadyCaptured: It is a capture of the actor already.
            DiskFull, StorageError: As they say.
            Stopped: The work is to stop.
        """
        document = _Document(file, name, room.stop)
        digest, is_pcapng = _look_at(document)  # a pass of its own: what is refused or known costs no disk
        known = [] if again else self._catalogue.known(actor, digest)
        if known:
            numbers = " and ".join(map(str, known))
            raise AlreadyCaptured(f"{name} is capture {numbers} already", capture_ids=tuple(known))
        with ExitStack() as drafts:
            made = _Making(document, digest, lambda: drafts.enter_context(self._drafts.open(room)))
            captures = made.of_pcapng() if is_pcapng else [made.of_pcap()]
            events = [NewEvent("capture.import", actor, "", clean(name)) for _ in captures]
            room.stop.check()
            stored = self._catalogue.add(actor, captures, events)
            for draft in made.drafts:
                draft.is_stored = True
        return stored


def _look_at(document: _Document) -> tuple[str, bool]:
    """Return the SHA-256 of what is in a file, and whether that is pcapng; InvalidInput when it is neither kind."""
    digest, pieces = hashlib.sha256(), document.pieces()
    head = b""
    while len(head) < FILE_HEADER_SIZE and (piece := next(pieces, b"")):
        head += piece
    is_pcapng = head[:4] == pcapng.MAGIC
    if not is_pcapng:
        try:
            read_header(head[:FILE_HEADER_SIZE])
        except InvalidInput as error:
            why = document.damage or error.why or "it begins with other bytes than they do"
            fix = error.fix or "convert others with: editcap OLD NEW"
            raise InvalidInput(f"{document.name} is no pcap or pcapng file", why=why, fix=fix) from error
    digest.update(head)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest(), is_pcapng


class _Making:
    """Makes the captures of one document.

    Args:
        document: What is read.
        digest: Its SHA-256.
        draft: Begins a capture's directory.
    """

    def __init__(self, document: _Document, digest: str, draft: Callable[[], Draft]) -> None:
        self._document = document
        self._digest = digest
        self._draft = draft
        self.drafts: list[Draft] = []

    def _begin(self) -> Draft:
        draft = self._draft()
        self.drafts.append(draft)
        return draft

    def of_pcap(self) -> MadeCapture:
        """Copy a classic file up to its last whole packet; one that is damaged is kept as it was, too."""
        draft = self._begin()
        written = draft.write(CAPTURE_NAME, self._document.pieces())
        with PacketIndex(draft.pcap) as index:
            index.extend()
            damage = "; ".join(filter(None, (self._document.damage, index.damage)))
            keep_index(index)
            header, packets, end, times = index.header, index.count, index.end, index.first_and_last_time()
        self._require_packets(packets, damage)
        sha256 = written.sha256
        if end < written.bytes:
            os.truncate(draft.pcap, end)
            sha256 = sha256_of(draft.pcap)
        files = [CaptureFile(str(draft.pcap), end, packets, sha256)]
        if damage:
            files.append(self._keep_original(draft, "original.pcap"))
        return self._made(draft, files, header, times, damage)

    def of_pcapng(self) -> list[MadeCapture]:
        """Write the packets of each link type as a classic file; the file itself is kept beside them."""
        reader = pcapng.PcapngReader(self._document.pieces())
        with ExitStack() as files:
            writers: dict[int, _Writer] = {}
            for interface, packet in reader.packets():
                writer = writers.get(interface.linktype)
                if writer is None:
                    writer = self._begin_link_type(writers, interface.linktype, files)
                writer.put(packet, interface, reader.comment)
            damage = "; ".join(filter(None, (self._document.damage, reader.damage)))
            self._require_packets(len(writers), damage)
            if not writers:
                self._begin_link_type(writers, ETHERNET, files)
            counts = [(writer.finish(), writer) for writer in writers.values()]
        made = [
            self._of_link_type(w, packets, reader, damage, several=len(counts) > 1) for packets, w in counts
        ]
        if reader.key_log:
            for draft in self.drafts:
                draft.write(KEPT_NAME, reader.key_log)
        return made

    def _begin_link_type(self, writers: dict[int, _Writer], linktype: int, files: ExitStack) -> _Writer:
        if len(writers) == _MOST_LINK_TYPES:
            raise InvalidInput(f"{self._document.name} has more than {_MOST_LINK_TYPES} link types")
        draft = self._begin()
        writers[linktype] = writer = _Writer(draft, files.enter_context(draft.open_pcap()), linktype)
        return writer

    def _of_link_type(
        self, writer: _Writer, packets: int, reader: pcapng.PcapngReader, damage: str, *, several: bool
    ) -> MadeCapture:
        path = writer.draft.pcap
        file = CaptureFile(str(path), path.stat().st_size, packets, sha256_of(path))
        files = [file, self._keep_original(writer.draft, "original.pcapng")]
        added = f" {link_type_name(writer.header.linktype)}" if several else ""
        made = self._made(writer.draft, files, writer.header, times_of(path), damage, added)
        interfaces = clean(", ".join(reader.names), LONGEST_NAME)
        return replace(made, interface=interfaces, marks=tuple(writer.marks), note=_note(writer, reader))

    def _require_packets(self, packets: int, damage: str) -> None:
        if damage and not packets:
            raise InvalidInput(f"nothing in {self._document.name} can be read", why=damage)

    def _keep_original(self, draft: Draft, name: str) -> CaptureFile:
        """Keep the document as it came; of several captures all but the first have a link to it."""
        name += ".gz" if self._document.is_packed else ""
        first = self.drafts[0].path / name
        if draft is not self.drafts[0]:
            return draft.link(name, first)
        return draft.write(name, self._document.as_it_is())

    def _made(
        self,
        draft: Draft,
        files: list[CaptureFile],
        header: FileHeader,
        times: tuple[float, float] | None,
        damage: str,
        added: str = "",
    ) -> MadeCapture:
        source = clean(self._document.name)
        return MadeCapture(
            directory=str(draft.path),
            files=tuple(files),
            origin=CaptureOrigin.IMPORT,
            name=clean(f"{Path(source).name}{added}", LONGEST_NAME),
            source=source,
            linktype=header.linktype_name,
            snaplen=min(header.snaplen, _LARGEST_SNAPLEN),
            times=times,
            damage=damage,
            digest=self._digest,
        )


def _note(writer: _Writer, reader: pcapng.PcapngReader) -> str:
    """Return what became of things in a pcapng file that a classic one does not have; empty without any."""
    beyond = writer.comments - len(writer.marks)
    words = (
        f"{counted(len(writer.marks), 'packet comment')} became marks" if writer.marks else "",
        f"{counted(beyond, 'comment')} more were left out" if beyond else "",
        "its TLS keys are kept" if reader.key_log else "",
        f"{counted(reader.other_secrets, 'block')} of other secrets left out" if reader.other_secrets else "",
        f"{counted(reader.dropped, 'packet')} were dropped while it was captured" if reader.dropped else "",
        f"which of {len(writer.interfaces)} interfaces a packet is of only the original tells"
        if len(writer.interfaces) > 1
        else "",
    )
    return "; ".join(filter(None, words))


class _Writer:
    """The packets of one link type.

    Args:
        draft: Whose file it is.
        file: Open for writing.
        linktype: LINKTYPE number.
    """

    def __init__(self, draft: Draft, file: BinaryIO, linktype: int) -> None:
        self.draft = draft
        self._file = file
        # nanoseconds always: an interface with a finer clock may be described as late as before the last packet
        self.header = make_header(linktype, nanoseconds=True)
        self._batch = [self.header.data]
        self._size = FILE_HEADER_SIZE
        self._packets = 0
        self.interfaces: dict[int, pcapng.NgInterface] = {}
        """Those that packets are of, by their identity."""
        self.comments = 0
        """Packets with a comment."""
        self.marks: list[PacketMark] = []
        """As many of them as can be marked."""

    def put(self, packet: RawPacket, interface: pcapng.NgInterface, comment: str) -> None:
        """Add a packet."""
        self.interfaces[id(interface)] = interface
        if comment:
            self.comments += 1
            if len(self.marks) < MOST_MARKS:
                self.marks.append(PacketMark(self._packets + 1, clean(comment, LONGEST_COMMENT)))
        record = pack_record(self.header, packet)
        self._batch.append(record)
        self._size += len(record)
        self._packets += 1
        if self._size >= _PIECE:
            self._flush()

    def _flush(self) -> None:
        self.draft.spend(self._size)
        self._file.write(b"".join(self._batch))
        self._batch, self._size = [], 0

    def finish(self) -> int:
        """Write what is left onto the disk and return how many packets there were."""
        self._flush()
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._packets
