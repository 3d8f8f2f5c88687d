"""tshark's field tree (PDML) as layers and fields.

Read from the XML and not from pyshark's layers, which are dictionaries by name: there the answers of a DNS
message fall apart into lists of names, types and addresses. Format: https://wiki.wireshark.org/PDML.
"""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from netmon_tui.domain.packet import Field, Layer
from netmon_tui.errors import ToolFailed

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for; older tshark versions print it as it comes."""
_DEEPEST = 64
"""Levels of nesting that are kept; tshark stops at some hundreds."""
BETWEEN_PACKETS = (
    "frame.time_delta",
    "frame.time_relative",
    "frame.time_delta_displayed",
    "frame.offset_shift",
)
"""Fields that compare a packet with others, which mean nothing when it is dissected alone."""


def layers_from_pdml(pdml: bytes, *, number: int, data: bytes) -> tuple[Layer, ...]:
    """Return the layers of one ``<packet>`` element.

    Args:
        pdml: The element as tshark printed it.
        number: The packet's number in its own file; tshark saw it as the first.
        data: The packet: fields whose bytes are not there (but in decompressed data, say) get offset -1.

    Raises:
        ToolFailed: The text is not XML.
    """
    try:
        packet = ElementTree.fromstring(_NOT_XML.sub("\ufffd", pdml.decode("utf-8", "replace")))  # noqa: S314
    except ElementTree.ParseError as error:
        raise ToolFailed("tshark's description of the packet cannot be read", why=str(error)) from error
    layers = (_layer(proto, data) for proto in packet.findall("proto") if proto.get("name") != "geninfo")
    return tuple(_renumber(layer, number) if layer.name == "frame" else layer for layer in layers)


def _layer(proto: ElementTree.Element, data: bytes) -> Layer:
    name = proto.get("name", "")
    if name == "fake-field-wrapper":  # what tshark wraps bytes in that no dissector took
        name = "data"
    return Layer(name, _fields(proto, data, 0), proto.get("showname", "") or name)


def _fields(parent: ElementTree.Element, data: bytes, depth: int) -> tuple[Field, ...]:
    shown = (
        child for child in parent if child.get("hide") != "yes" and child.get("name") not in BETWEEN_PACKETS
    )
    return tuple(_field(child, data, depth) for child in shown)


def _field(element: ElementTree.Element, data: bytes, depth: int) -> Field:
    name, show = element.get("name", ""), element.get("show", "")
    offset, size = _place(element, data)
    return Field(
        name=name,
        label=element.get("showname", "") or show or name,
        value=show,
        offset=offset,
        size=size,
        fields=_fields(element, data, depth + 1) if depth < _DEEPEST else (),
    )


def _place(element: ElementTree.Element, data: bytes) -> tuple[int, int]:
    """Return offset and size of a field.

    tshark does not say in what its position counts, the packet or what was made of it: the bytes beside it do.
    """
    offset, size = _number(element.get("pos")), max(_number(element.get("size")), 0)
    given = element.get("unmaskedvalue") or element.get("value") or ""
    if not 0 <= offset <= len(data) - size or (given and data[offset : offset + size].hex() != given):
        return -1, size
    return offset, size


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else -1


def _renumber(frame: Layer, number: int) -> Layer:
    """Give the packet its number back, in the field and in what is written over the layer."""
    fields = tuple(
        replace(field, value=str(number), label=f"Frame Number: {number}")
        if field.name == "frame.number"
        else field
        for field in frame.fields
    )
    return replace(frame, fields=fields, label=re.sub(r"^Frame \d+", f"Frame {number}", frame.label))
