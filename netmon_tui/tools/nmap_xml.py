"""nmap's XML, read while nmap writes it: bytes in, in pieces of any size; scan events out.

No tree is built and nothing of a host is kept once it is delivered, so memory does not grow with the file.
The files may come from anywhere: entities are refused, nesting and sizes are bounded, nothing is fetched.
"""

from __future__ import annotations

import pyexpat
import re
from typing import NoReturn

from netmon_tui.domain.scan import ScanEvent
from netmon_tui.errors import InvalidInput
from netmon_tui.tools.nmap_attributes import Attributes
from netmon_tui.tools.nmap_elements import MAX_TEXT, NmapElements
from netmon_tui.tools.nmap_plain_hosts import read_plain_host

PIECE = 65_536
"""Bytes that expat is given at once."""
MAX_TAG = 1_048_576
"""Longest single tag with its attributes, in bytes."""
MAX_ELEMENT = 33_554_432
"""Longest host, in bytes: one of 65,535 ports with services has about half of that."""
MAX_DEPTH = 32
"""Deepest nesting of elements: nmap needs about ten."""

_ROOT = "nmaprun"
_ROOT_TAG = re.compile(rb"""<nmaprun(?:[^>"']|"[^"]*"|'[^']*')*>""")
_HOST_BEGIN = re.compile(rb"<host[ >]")
_HOST_END = b"</host>"
_CUT_SHORT = frozenset(
    {
        pyexpat.errors.codes[message]
        for message in (
            pyexpat.errors.XML_ERROR_NO_ELEMENTS,
            pyexpat.errors.XML_ERROR_UNCLOSED_TOKEN,
            pyexpat.errors.XML_ERROR_PARTIAL_CHAR,
            pyexpat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        )
    }
)
"""What expat says at the end of a file that stops in the middle."""


class NmapXmlParser:
    """Reads one document.

    ::

        parser = NmapXmlParser()
        for piece in pieces:
            for event in parser.feed(piece): ...
        for event in parser.close(): ...

    A bad document loses nothing that came before its fault: `feed` returns those events, and the call after
    it raises. A document that stops in the middle is not bad: its whole hosts are delivered, and `finished`
    stays False.
    """

    def __init__(self) -> None:
        self._expat = new_expat()
        self._expat.StartElementHandler = self._start_root
        self._expat.EndElementHandler = self._end
        self._expat.StartCdataSectionHandler = self._stop_short_cut
        self._elements = NmapElements(self._expat)
        self._waiting = b""
        """The beginning of a host whose end has not come."""
        self._short_cut = True
        """Whether hosts may be read without expat."""
        self._depth = 0
        """Elements that are open, as expat knows."""
        self._fed = 0
        """Bytes that expat was given."""
        self._skipped_lines = 0
        """Line ends that it was not given."""
        self._progress = (0, 0)
        """Hosts read and events waiting when something was last completed."""
        self._progress_at = 0
        """Bytes fed then."""
        self._error: InvalidInput | None = None
        self.finished = False
        """Whether the end tag of the root has come."""

    @property
    def refused(self) -> list[str]:
        """Why hosts were left out, one line for each (the first hundred)."""
        return self._elements.refused

    @property
    def refused_count(self) -> int:
        """How many hosts were left out."""
        return self._elements.refused_count

    def feed(self, data: bytes) -> list[ScanEvent]:
        """Read the next bytes and return what they completed.

        Raises:
            InvalidInput: The document is not nmap's XML, malformed or hostile. Never while there are events
                to return: then it comes with the next call of `feed` or `close`.
        """
        if self._error is None:
            data = self._waiting + data
            self._waiting = data[self._read(data) :]
        return self._taken()

    def close(self) -> list[ScanEvent]:
        """Say that no more bytes come, and return the last events.

        Raises:
            InvalidInput: As `feed`; a document that stops in the middle raises nothing.
        """
        self._feed_expat(self._waiting)
        self._waiting = b""
        if self._error is None and not self.finished:
            self._parse(b"", final=True)
        return self._taken()

    def _taken(self) -> list[ScanEvent]:
        events = self._elements.events[:]
        self._elements.events.clear()
        if self._error is not None and not events:
            raise self._error
        return events

    def _read(self, data: bytes) -> int:
        """Read all but a host whose end is missing; return how many bytes that were."""
        at = 0
        while at < len(data) and self._error is None:
            begin = _HOST_BEGIN.search(data, at) if self._short_cut else None
            stop = begin.start() if begin else len(data)
            self._read_between(data[at:stop])
            at = stop
            if begin is None:
                break
            end = data.find(_HOST_END, at)
            if end < 0 and len(data) - at <= MAX_TEXT and self._is_between_hosts():
                break
            # A host that is too long to wait for is expat's, and so is what only looks like one.
            stop = len(data) if end < 0 else end + len(_HOST_END)
            self._read_host(data[at:stop])
            at = stop
        return at

    def _read_host(self, block: bytes) -> None:
        """Read a host by the short cut if it is plain and really one, else by expat."""
        host = read_plain_host(block) if self._is_between_hosts() else None
        if host is None:
            self._feed_expat(block)
        else:
            self._elements.add_host(host)
            self._skipped_lines += block.count(b"\n")

    def _read_between(self, data: bytes) -> None:
        """Read what is not a host: line ends between two of them are nothing."""
        if data.isspace() and self._is_between_hosts():
            self._skipped_lines += data.count(b"\n")
        elif data:
            self._feed_expat(data)

    def _is_between_hosts(self) -> bool:
        """Whether expat is directly inside the root, outside any tag, comment or section."""
        return self._short_cut and self._depth == 1 and self._expat.CurrentByteIndex == self._fed

    def _stop_short_cut(self) -> None:
        """In a CDATA section nothing is what it looks like."""
        self._short_cut = False

    def _feed_expat(self, data: bytes) -> None:
        view = memoryview(data)
        for offset in range(0, len(view), PIECE):
            if self._error is None:
                self._parse(view[offset : offset + PIECE])

    def _parse(self, data: bytes | memoryview, *, final: bool = False) -> None:
        """Give expat a piece and remember what is wrong with it."""
        try:
            self._expat.Parse(data, final)
            self._check_sizes(len(data))
        except pyexpat.ExpatError as error:
            if not (final and error.code in _CUT_SHORT):
                self._error = malformed(error, self._skipped_lines)
        except InvalidInput as error:
            self._error = error
        except (LookupError, ValueError) as error:
            self._error = _unreadable(error)

    def _check_sizes(self, size: int) -> None:
        """Bound what one tag and one host may take."""
        self._fed += size
        unread = self._fed - self._expat.CurrentByteIndex
        if unread > MAX_TAG:
            raise InvalidInput(f"A tag of the XML has more than {MAX_TAG:,} bytes")
        if self._depth:
            self._expat.StartElementHandler = self._start_long if unread >= PIECE else self._start
        progress = (self._elements.ordinal, len(self._elements.events))
        if progress != self._progress:
            self._progress, self._progress_at = progress, self._fed
        elif self._fed - self._progress_at > MAX_ELEMENT:
            raise InvalidInput(f"A part of the XML has more than {MAX_ELEMENT:,} bytes")

    def _start_root(self, name: str, attributes: Attributes) -> None:
        """Check that the document is nmap's."""
        if name != _ROOT:
            raise _foreign(name)
        self._expat.StartElementHandler = self._start
        self._start(name, attributes)

    def _start_long(self, name: str, attributes: Attributes) -> None:
        """Cut the values of a tag that is longer than a piece."""
        self._start(name, {key[:100]: value[:MAX_TEXT] for key, value in attributes.items()})

    def _start(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep()
        take = self._elements.takes.get(name)
        if take is not None:
            take(attributes)
        else:
            self._elements.kept[name] = attributes

    def _end(self, name: str) -> None:
        self._depth -= 1
        finish = self._elements.ends.get(name)
        if finish is not None:
            finish()
        elif not self._depth:
            self.finished = True


def new_expat() -> pyexpat.XMLParserType:
    """An expat that refuses to define anything."""
    parser = pyexpat.ParserCreate()
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse_definition
    parser.AttlistDeclHandler = _refuse_definition
    if hasattr(parser, "SetReparseDeferralEnabled"):
        # From expat 2.6 on, hosts would come late without this.
        parser.SetReparseDeferralEnabled(False)
    return parser


def _refuse_definition(*_: object) -> NoReturn:
    raise InvalidInput("The XML defines entities or attributes: not allowed", why="nmap never does")


def malformed(error: pyexpat.ExpatError, skipped_lines: int = 0) -> InvalidInput:
    """Expat's complaint in our words, with the lines it has not seen added."""
    reason = pyexpat.ErrorString(error.code)
    line = error.lineno + skipped_lines
    return InvalidInput(f"The XML is malformed in line {line}", why=f"{reason}, column {error.offset + 1}")


def close_truncated(xml: bytes) -> bytes:
    """Make a whole document of the XML of a scan that was stopped.

    Whole hosts are kept, a half one is cut off, and the root is closed. No success is claimed: there is no
    ``<runstats>`` unless nmap wrote one. A whole document comes back as it is.

    Raises:
        InvalidInput: It is not nmap's XML, or malformed before it stops.
    """
    if b"\0" in xml[:64]:
        raise InvalidInput("This is not nmap XML", why="nmap writes UTF-8")
    cut = _Cut(xml)
    if not cut.find():
        return xml
    if not cut.end:
        return b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap">\n</nmaprun>\n'
    return xml[: cut.end].rstrip() + b"\n</nmaprun>\n"


class _Cut:
    """Finds where the last whole child of the root ends."""

    def __init__(self, xml: bytes) -> None:
        self.end = 0
        """Bytes to keep; 0 when there is not even a root."""
        self._xml = xml
        self._depth = 0
        self._expat = new_expat()
        self._expat.StartElementHandler = self._begin
        self._expat.EndElementHandler = self._finish

    def find(self) -> bool:
        """Read it all; whether something has to be cut or closed."""
        try:
            self._expat.Parse(self._xml, True)
        except pyexpat.ExpatError as error:
            if error.code not in _CUT_SHORT:
                raise malformed(error) from None
            return True
        except (LookupError, ValueError) as error:
            raise _unreadable(error) from None
        return False

    def _begin(self, name: str, _: Attributes) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _too_deep()
        if self._depth == 1:
            tag = _ROOT_TAG.match(self._xml, self._expat.CurrentByteIndex)
            if name != _ROOT or not tag:
                raise _foreign(name)
            self.end = tag.end()

    def _finish(self, name: str) -> None:
        """Note the end of a child: expat says where an end tag begins, and where an empty element ends."""
        self._depth -= 1
        if self._depth == 1:
            index = self._expat.CurrentByteIndex
            is_tag = self._xml.startswith(b"</" + name.encode(), index)
            self.end = self._xml.index(b">", index) + 1 if is_tag else index


def _unreadable(error: Exception) -> InvalidInput:
    """What Python says of an encoding that it does not know, or that expat cannot use."""
    return InvalidInput("The XML is in an encoding that cannot be read", why=f"{str(error)[:80]!a}")


def _foreign(root: str) -> InvalidInput:
    return InvalidInput("This is not nmap XML", why=f"its root is {root[:40]!a}, not '{_ROOT}'")


def _too_deep() -> InvalidInput:
    return InvalidInput(f"The XML is nested more than {MAX_DEPTH} deep")
