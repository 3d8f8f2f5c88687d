"""Parts of captures and several as one: as new captures, or written in another form. Every call blocks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from netmon_tui.domain.capture import Capture, CaptureOrigin, MadeCapture
from netmon_tui.domain.capture_choice import CAPTURE_FORMATS, ExportForm, PacketChoice
from netmon_tui.domain.capture_files import file_number
from netmon_tui.domain.capture_filter import LONGEST_NAME
from netmon_tui.domain.counted import counted
from netmon_tui.domain.display_filter import check_text
from netmon_tui.domain.packet_mark import PacketMark
from netmon_tui.domain.packet_place import NANOSECONDS
from netmon_tui.errors import InvalidInput, NotFound
from netmon_tui.runtime.display_filter import shown_numbers
from netmon_tui.security.hostile_text import clean
from netmon_tui.services.capture_drafts import Draft, times_of
from netmon_tui.services.kept_index import open_index
from netmon_tui.services.stopping import Stop
from netmon_tui.tools import pcapng
from netmon_tui.tools.address_mapping import AddressMapping
from netmon_tui.tools.file_set import files_of
from netmon_tui.tools.gzip_file import GZIP_BITS
from netmon_tui.tools.packet_masking import PacketMask, check_maskable
from netmon_tui.tools.packet_parts import ends_of, has_addresses, is_between, packed_address
from netmon_tui.tools.pcap import FileHeader, RawPacket, make_header, pack_record
from netmon_tui.tools.pcap_cut import Cut, Piece, merged, packets_of, pieces
from netmon_tui.tools.pcap_index import PacketIndex
from netmon_tui.tools.pcap_layout import RecordLayout, layout_for

_BATCH = 1 << 18
"""Bytes that are gathered before they are handed on."""
_PACKED_LEVEL = 6
_UNKNOWN = "unknown"
"""Name of the interface of packets that are merged from a file without interfaces into one with them."""
_MOST_MERGED = 200
"""Captures that are merged at once: each is an open file."""


@contextmanager
def _indexed(path: Path, *, growing: bool = False) -> Iterator[PacketIndex]:
    """Open a file of a capture; what has vanished, also while it is used, is told."""
    try:
        with open_index(path, growing=growing) as index:
            index.extend()
            yield index
    except FileNotFoundError as error:
        raise (_too_late() if growing else _gone(path)) from error


def _files(path: Path) -> list[Path]:
    """Return the files of a capture, at least one."""
    found = files_of(path)
    if not found:
        raise _gone(path)
    return found


class _Source:
    """The packets of a capture, numbered through all its files; one of these is open at a time.

    Args:
        capture: Whose packets.
        path: Of its file, or of the directory with its files.
    """

    def __init__(self, capture: Capture, path: Path) -> None:
        self.path = path
        self._files = _files(path)
        self._growing = not capture.state.is_final
        with next(self._indexes()) as index:
            self.layout = index.layout
            self.header = index.header

    def _indexes(self) -> Iterator[AbstractContextManager[PacketIndex]]:
        return (_indexed(path, growing=self._growing) for path in self._files)

    def pieces(self, cut: Cut) -> Iterator[Piece]:
        """Yield the records of the wanted packets."""
        before = 0
        for opened in self._indexes():
            with opened as index:
                yield from pieces(index, cut.after(before))
                before += index.count
        # A display filter looked through what there was when it began: the same files, or it means other packets
        if files_of(self.path)[:1] != self._files[:1]:
            raise _too_late() if self._growing else _gone(self.path)

    def read(self, number: int) -> RawPacket:
        """Return one packet; NotFound without it."""
        before = 0
        for opened in self._indexes():
            with opened as index:
                if number <= before + index.count:
                    return index.read(number - before)
                before += index.count
        raise NotFound(f"There is no packet {number}", why=f"the capture has {before}")

    def numbers_of(self, marks: Sequence[PacketMark]) -> list[int]:
        """Return the numbers of marked packets through these files, without those that are in others."""
        found, before, last = [], 0, max((mark.file for mark in marks), default=0)
        for path, opened in zip(self._files, self._indexes(), strict=True):
            file = file_number(path.name) or 0
            if file > last:
                break
            with opened as index:
                found += [before + mark.number for mark in marks if mark.file == file]
                before += index.count
        return found


def _too_late() -> InvalidInput:
    return InvalidInput(
        "the ring deleted packets while they were read",
        fix="choose the newest file, or stop the capture first",
    )


def _gone(path: Path) -> NotFound:
    return NotFound(f"there is no {path.name} any more", why="it was deleted meanwhile")


def make_slice(capture: Capture, path: Path, choice: PacketChoice, draft: Draft, name: str) -> MadeCapture:
    """Write the chosen packets of a capture into a draft.

    Args:
        capture: Whose packets.
        path: Of its file, or of the directory with its files.
        choice: Which.
        draft: Where to.
        name: What the new capture is called; empty for the name of its parent and which packets of it these are.

    Raises:
        InvalidInput: The choice cannot be understood, or no packet meets it.
        ToolMissing, ToolFailed: A display filter needs tshark.
        Stopped: The work on the draft is to stop.
    """
    source = _Source(capture, path)
    header, cut = source.header, _cut_of(source, choice, draft.stop)
    file = draft.write_packets(source.layout, _some(source.pieces(cut), choice))
    of_parent = f"{capture.name}, {choice.words()}" if capture.name else ""
    return MadeCapture(
        directory=str(draft.path),
        files=(file,),
        origin=CaptureOrigin.SLICE,
        name=name or clean(of_parent, LONGEST_NAME),
        source=clean(choice.words()),
        linktype=header.linktype_name,
        snaplen=capture.snaplen,
        interface=capture.interface,
        filter=capture.filter,
        parents=(capture.id,),
        times=times_of(Path(file.path)),
    )


def make_merge(captures: Sequence[tuple[Capture, Path]], draft: Draft, name: str) -> MadeCapture:
    """Write the packets of several captures into a draft, in time order.

    Raises:
        InvalidInput: They have different link types, or there are not at least two.
    """
    if not 2 <= len(captures) <= _MOST_MERGED:
        raise InvalidInput(
            f"{counted(len(captures), 'capture')} cannot be merged", fix=f"name 2 to {_MOST_MERGED}"
        )
    paths = [path for _, directory in captures for path in _files(directory)]
    if len(paths) > _MOST_MERGED:
        raise InvalidInput(f"{len(paths)} files cannot be merged", why=f"{_MOST_MERGED} are possible")
    with ExitStack() as files:
        indexes = [files.enter_context(_indexed(path)) for path in paths]
        header = _common_header([index.header for index in indexes])
        layout = layout_for(header, tuple(_interfaces_of([index.layout for index in indexes])))
        file = draft.write_packets(layout, merged(indexes, layout))
    these = [capture for capture, _ in captures]
    return MadeCapture(
        directory=str(draft.path),
        files=(file,),
        origin=CaptureOrigin.MERGE,
        name=name or _joined((one.name for one in these), LONGEST_NAME),
        source="",
        linktype=header.linktype_name,
        snaplen=max(one.snaplen for one in these),
        interface=_joined((one.interface for one in these), LONGEST_NAME),
        # packets of a capture without a filter are in it, too
        filter=_joined((one.filter for one in these), 1_000) if all(one.filter for one in these) else "",
        parents=tuple(one.id for one in these),
        times=times_of(Path(file.path)),
    )


def _joined(texts: Iterator[str], limit: int) -> str:
    return clean(" + ".join(dict.fromkeys(text for text in texts if text)), limit)


def _interfaces_of(layouts: Sequence[RecordLayout]) -> dict[str, None]:
    """Return the names of all interfaces in the order of the files; none where no file tells any.

    The first one is that of the files which do not say of which one their packets are.
    """
    some_tell = any(one.interfaces for one in layouts)
    unknown = [_UNKNOWN] if some_tell and not all(one.interfaces for one in layouts) else []
    return dict.fromkeys([*unknown, *(name for one in layouts for name in one.interfaces)])


def _common_header(headers: Sequence[FileHeader]) -> FileHeader:
    linktypes = {header.linktype_name for header in headers}
    if len(linktypes) > 1:
        raise InvalidInput(
            f"captures of link types {' and '.join(sorted(linktypes))} cannot be merged",
            why="a pcap file has packets of one link type",
        )
    orders = {header.byte_order for header in headers}
    return make_header(
        headers[0].linktype,
        snaplen=max(header.snaplen for header in headers),
        byte_order=orders.pop() if len(orders) == 1 else "<",
        nanoseconds=any(header.nanoseconds for header in headers),
    )


def export_chunks(
    capture: Capture, path: Path, choice: PacketChoice, form: ExportForm, stop: Stop
) -> Iterator[bytes]:
    """Yield the chosen packets of a capture as a file.

    Raises:
        InvalidInput: Form or choice cannot be understood or met, or no packet meets the choice.
        Stopped: It is to stop while a display filter looks for them.
        ToolMissing, ToolFailed: A display filter needs tshark.
    """
    check_form(form)
    source = _Source(capture, path)
    if form.anonymise:
        check_maskable(source.header.linktype)
    found = _some(source.pieces(_cut_of(source, choice, stop)), choice)
    chunks = _written(source.layout, found, form)
    yield from _packed(chunks) if form.is_gzip else chunks


def check_form(form: ExportForm) -> None:
    """Refuse a form that is none, with InvalidInput."""
    if form.format not in CAPTURE_FORMATS:
        raise InvalidInput(f"no format {form.format!r}", fix=f"there are: {', '.join(CAPTURE_FORMATS)}")
    if form.keep_payload and not form.anonymise:
        raise InvalidInput("the payload is kept anyway", fix="leave keep-payload out, or anonymise")


def not_held(capture: Capture, form: str) -> str:
    """Return what a copy of a capture in a format cannot hold; empty for nothing, and without a format."""
    has_several = capture.format == "pcapng" and not capture.one_interface
    in_pcap = form.partition(".")[0] == "pcap"
    return "of which interface a packet is only pcapng tells" if has_several and in_pcap else ""


def _some(found: Iterator[Piece], choice: PacketChoice) -> Iterator[Piece]:
    """Yield pieces; InvalidInput when there is none although some packets were asked for."""
    some = choice.everything
    for piece in found:
        some = True
        yield piece
    if not some:
        raise InvalidInput("no packet is chosen", why=f"none meets: {choice.words()}")


def _written(layout: RecordLayout, found: Iterator[Piece], form: ExportForm) -> Iterator[bytes]:
    if not form.anonymise and form.is_pcapng == bool(layout.interfaces):
        yield layout.beginning
        yield from (piece.records for piece in found)
        return
    header = layout.header
    # names of interfaces say something of the machine: an anonymised file has none
    packets: Iterator[RawPacket] = (raw._replace(interface=0) for raw in packets_of(layout, found))
    if form.anonymise:
        mask = PacketMask(header.linktype, AddressMapping(), keep_payload=form.keep_payload)
        packets = mask.mask(packets)
    yield pcapng.begin_section(header) if form.is_pcapng else header.data
    yield from _batched(
        packets, lambda raw: (pcapng.pack_block if form.is_pcapng else pack_record)(header, raw)
    )


def _batched(packets: Iterator[RawPacket], pack: Callable[[RawPacket], bytes]) -> Iterator[bytes]:
    batch, size = [], 0
    for raw in packets:
        record = pack(raw)
        batch.append(record)
        size += len(record)
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    yield b"".join(batch)


def _packed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_PACKED_LEVEL, wbits=GZIP_BITS)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()


def _cut_of(source: _Source, choice: PacketChoice, stop: Stop) -> Cut:
    if choice.last and choice.last < (choice.first or 1):
        raise InvalidInput(
            f"packets {choice.first} to {choice.last} are none", fix="name the first one first"
        )
    return Cut(
        first=choice.first or 1,
        last=choice.last or None,
        since=_nanoseconds(choice.since),
        until=_nanoseconds(choice.until),
        numbers=_numbers(source, choice, stop),
        wanted=_wanted(source, choice),
    )


def _nanoseconds(moment: datetime | None) -> int | None:
    """Return POSIX time without the rounding of a float."""
    if moment is None:
        return None
    return int(moment.replace(microsecond=0).timestamp()) * NANOSECONDS + moment.microsecond * 1000


def _numbers(source: _Source, choice: PacketChoice, stop: Stop) -> Sequence[int] | None:
    text = check_text(choice.filter)
    shown = shown_numbers(source.path, text, stop.check) if text else None
    marked = None if choice.marks is None else source.numbers_of(choice.marks)
    said = [numbers for numbers in (choice.numbers, marked, shown) if numbers is not None]
    return sorted(set(said[0]).intersection(*said[1:])) if len(said) > 1 else next(iter(said), None)


def _wanted(source: _Source, choice: PacketChoice) -> Callable[[bytes], bool] | None:
    linktype = source.header.linktype
    addresses = frozenset(map(packed_address, choice.hosts))
    ends = None
    if choice.conversation:
        ends = ends_of(source.read(choice.conversation).data, linktype)
        if ends is None:
            raise InvalidInput(f"packet {choice.conversation} has no addresses that are understood")
    if not addresses and ends is None:
        return None

    def wanted(data: bytes) -> bool:
        if addresses and not has_addresses(data, linktype, addresses):
            return False
        return ends is None or is_between(data, linktype, ends)

    return wanted
