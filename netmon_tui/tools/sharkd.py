"""sharkd's language: requests and replies of one line each, and its field tree as layers and fields.

JSON-RPC 2.0 as sharkd 4.0 speaks it: https://wiki.wireshark.org/sharkd-JSON-RPC-Request-Syntax. What it says of a
packet is foreign text, and its shape is checked as if somebody else than sharkd had written it.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from netmon_tui.domain.display_filter import Offer, refusal
from netmon_tui.domain.packet import ByteSource, Field, Layer
from netmon_tui.errors import InvalidInput, ToolFailed
from netmon_tui.tools.dissector import BETWEEN_PACKETS

LONGEST_REQUEST = 1_900
"""Bytes. sharkd cuts a line after some 2,000, and takes the rest for the next request."""
LONGEST_SOURCE = 1 << 20
"""Bytes that are kept of what was decrypted or put together; a file that is sent over HTTP is one such."""
_DEEPEST = 64
"""Levels of nesting that are kept."""
_FILTER = re.compile(r"([A-Za-z_][\w.-]*)(?: == (.*))?", re.DOTALL)
"""The display filter that comes with a field: a name, or a name and a value."""
_REFUSED = "Filter invalid - "
_OFFERED = 200
"""Names of a completion that are believed."""
_IN_WORDS = re.compile(
    r"(\((?:request|reply|response|call) in |\[(?:Reassembled in |DCE/RPC \w+ fragment, reas: )#|\[TCP Dup ACK )"
    r"(\d{1,10})(?=[])#])",
    re.IGNORECASE,
)
"""Numbers of packets in what the dissectors of ICMP, RPC, IP and TCP put into the info column."""
_PARTS, _PART = re.compile(r"\[?\d+ [^:]+ \(\d+ bytes?\): #"), re.compile(r"#(\d{1,10})(?=\(\d)")
"""What stands over what was put together, such as ``2 IPv4 Fragments (72 bytes): #401(40), #402(32)``."""
_SOME_NUMBERS = re.compile(r"\d{1,10}(?:,\d{1,10})*")
_LONGEST_CELL = 500
"""Characters of a column that are kept."""
USUAL_ENDS, USUAL_PROTOCOL, USUAL_INFO, USUAL_COLUMNS = slice(2, 4), 4, 6, 7
"""Where they stand among the columns that are given when none are asked for, and how many there are."""


def pack_request(number: int, method: str, **parameters: object) -> bytes:
    """Return a request as a line.

    Raises:
        InvalidInput: It is longer than sharkd reads.
    """
    request: dict[str, object] = {"jsonrpc": "2.0", "id": number, "method": method}
    if parameters:
        request["params"] = parameters
    line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
    if len(line) > LONGEST_REQUEST:
        raise InvalidInput("The filter is too long", why=f"the dissector reads {LONGEST_REQUEST} bytes")
    return line


def read_reply(line: bytes) -> tuple[int, Any]:
    """Return the number and the result of a reply; the result is an InvalidInput where a request was refused.

    Raises:
        ToolFailed: It is no reply.
    """
    try:
        reply = json.loads(line.decode("utf-8", "replace"))
        number = int(reply["id"])
        if "error" in reply:
            message = str(reply["error"]["message"])
            return number, refusal(message.removeprefix(_REFUSED))
        return number, reply["result"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ToolFailed("sharkd's reply cannot be read", why=repr(line[:60])) from error


def sources_of(reply: Any) -> tuple[ByteSource, ...]:
    """Return the further bytes in a reply to ``frame``; raises ToolFailed when they cannot be read."""
    try:
        return tuple(_source(str(one["name"]), b64decode(one["bytes"])) for one in reply.get("ds", ()))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ToolFailed("sharkd's bytes cannot be read", why=repr(error)[:80]) from error


def _source(name: str, data: bytes) -> ByteSource:
    return ByteSource(name, data[:LONGEST_SOURCE], max(0, len(data) - LONGEST_SOURCE))


def layers_of(
    reply: Any, *, skipped: int, captured: int, alone: bool, sources: Sequence[ByteSource] = ()
) -> tuple[Layer, ...]:
    """Return the layers in a reply to ``frame``.

    Args:
        reply: Its result.
        skipped: Packets of the file before the first that sharkd knows: it numbers those from 1.
        captured: Bytes of the packet.
        alone: sharkd does not know the whole file, so what compares the packet with the first one is left out.
        sources: The further bytes of the packet; a field that is in none of those that are known is nowhere.

    Raises:
        ToolFailed: It has no tree.
    """
    sizes = (captured, *(len(source.data) + source.left_out for source in sources))
    tree = _Tree(skipped, sizes, BETWEEN_PACKETS if alone else ())
    try:
        return tuple(tree.layer(node) for node in reply["tree"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ToolFailed("sharkd's tree cannot be read", why=repr(error)[:80]) from error


def offers_of(reply: Any) -> list[Offer]:
    """Return the names in a reply to ``complete``, the shortest first; raises ToolFailed when it is none."""
    try:
        found = {str(one["f"]): str(one.get("n", "")) for one in reply["field"]}
    except (TypeError, KeyError, AttributeError) as error:
        raise ToolFailed("sharkd's names cannot be read", why=repr(error)[:80]) from error
    names = sorted(found, key=lambda name: (len(name), name))
    return [Offer(name, found[name]) for name in names[:_OFFERED]]


def type_of(reply: Any, field: str) -> int | None:
    """Return what this sharkd calls the type of a field, from a reply to ``complete``; None where it does not."""
    try:
        return next((int(one["t"]) for one in reply["field"] if one["f"] == field), None)
    except (TypeError, KeyError, ValueError):
        return None


def fields_of(
    reply: Any, fields: Sequence[str] = (), *, skipped: int, numbering: Collection[str] = ()
) -> dict[int, tuple[str, ...]]:
    """Return the columns of each packet in a reply to ``frames``, by number.

    Args:
        reply: Its result.
        fields: Those that were asked for; none for the usual columns.
        skipped: As for :func:`layers_of`; numbers of packets among the values are shifted by it.
        numbering: Those of the fields whose values are such numbers.

    Raises:
        ToolFailed: It is no list of packets.
    """
    counting = [at for at, field in enumerate(fields) if field in numbering] if skipped else ()
    try:
        found = {int(one["num"]) + skipped: [str(text) for text in one["c"]] for one in reply}
    except (TypeError, KeyError, ValueError) as error:
        raise ToolFailed("sharkd's columns cannot be read", why=repr(error)[:80]) from error
    for cells in found.values():
        for at in counting:
            cells[at : at + 1] = [_shifted_numbers(text, skipped) for text in cells[at : at + 1]]
    return {number: tuple(text[:_LONGEST_CELL] for text in cells) for number, cells in found.items()}


def _shifted_numbers(text: str, skipped: int) -> str:
    """Return numbers with commas between, each so much higher; another text as it is."""
    if not _SOME_NUMBERS.fullmatch(text):
        return text
    return re.sub(r"\d+", lambda match: str(int(match[0]) + skipped), text)


def shifted_info(text: str, skipped: int) -> str:
    """Return the info of a packet, in which the numbers of others are shifted as by :func:`fields_of`."""
    return _IN_WORDS.sub(lambda match: f"{match[1]}{int(match[2]) + skipped}", text) if skipped else text


def column_parameters(fields: Sequence[str]) -> dict[str, str]:
    """Return the parameters of ``frames`` that ask for fields, all occurrences of each."""
    return {f"column{at}": f"{name}:0" for at, name in enumerate(fields)}


class _Tree(NamedTuple):
    """Reads the nodes of one tree."""

    skipped: int
    sizes: tuple[int, ...]
    """Bytes of the packet, and of each of its further sources."""
    left_out: tuple[str, ...]

    def layer(self, node: Any) -> Layer:
        """Return a node of the first level."""
        field = self.field(node, 0)
        # data-text-lines and the like have a name, what no dissector took has none
        name = field.name or "data"
        label = field.label
        if name == "frame" and self.skipped:
            label = re.sub(r"^Frame (\d+)", lambda match: f"Frame {int(match[1]) + self.skipped}", label)
        return Layer(name, field.fields, label)

    def field(self, node: Any, depth: int) -> Field:
        """Return a node with what is below it."""
        name, value = _split(str(node.get("f", "")))
        label = str(node.get("l", "")) or name
        if self.skipped and (name == "frame.number" or "fnum" in node) and value.isdecimal():
            number = str(int(value) + self.skipped)
            label, value = re.sub(rf"\b{value}\b", number, label, count=1), number
        elif self.skipped and _PARTS.match(label):
            label = _PART.sub(lambda match: f"#{int(match[1]) + self.skipped}", label)
        source, offset, size = self._place(node)
        return Field(
            name=name,
            label=label,
            value=_unquoted(value),
            offset=offset,
            size=size,
            fields=self.fields(node.get("n", ()), depth + 1) if depth < _DEEPEST else (),
            filter=f"{name} == {value}" if value else name,
            source=source,
        )

    def fields(self, nodes: Any, depth: int) -> tuple[Field, ...]:
        """Return nodes without the hidden ones and those that are left out."""
        found = (self.field(node, depth) for node in nodes if not node.get("v"))
        return tuple(field for field in found if field.name not in self.left_out)

    def _place(self, node: Any) -> tuple[int, int, int]:
        """Return source, offset and size of a field; offset -1 where it is in no bytes that are known."""
        place, source = node.get("h"), int(node.get("ds", 0))
        if place is None or not 0 <= source < len(self.sizes):
            return 0, -1, 0
        offset, size = int(place[0]), max(int(place[1]), 0)
        return (source, offset, size) if 0 <= offset <= self.sizes[source] - size else (0, -1, size)


def _split(text: str) -> tuple[str, str]:
    """Return name and value of the filter of a field; empty for one on bytes, which has no name."""
    match = _FILTER.fullmatch(text)
    return (match[1], match[2] or "") if match else ("", "")


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value
