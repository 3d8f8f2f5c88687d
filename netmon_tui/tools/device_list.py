"""Lists of devices that people keep elsewhere: CSV with a header, JSON, /etc/ethers and arpwatch's arp.dat.

Of CSV and JSON the columns count by their names, in any order and in the words that inventories, DHCP servers and
NetAlertX (https://docs.netalertx.com, devices.csv) use. What is an empty cell is not said.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from netmon_tui.domain.address import normalise_lladdr, parse_ip
from netmon_tui.domain.device import MarksChange
from netmon_tui.domain.device_list import BadEntry, ListedDevice
from netmon_tui.errors import InvalidInput

LARGEST_LIST = 32 << 20
"""Bytes of a list."""
MOST_ENTRIES = 100_000
"""Lines or entries of a list: they are stored in one transaction, and nobody waits for it for long."""

_FIELDS: dict[str, tuple[str, ...]] = {
    "lladdr": (
        "lladdr", "mac", "macaddress", "macaddr", "hwaddr", "hwaddress", "hardwareaddress", "ethernetaddress",
        "physicaladdress", "linklayeraddress", "ether", "devmac",
    ),
    "name": (
        "name", "devicename", "devname", "hostname", "host", "device", "alias", "label", "description", "descr",
    ),
    "note": ("note", "notes", "comment", "comments", "devcomments", "remark", "remarks", "description", "descr"),
    "known": ("known", "approved"),
    "unknown": ("new", "isnew", "devisnew", "devnewdevice"),
    "must_be_up": ("mustbeup", "alertdown", "devalertdown", "devalertdevicedown"),
    "shares_addresses": ("sharesaddresses", "cluster"),
}  # fmt: skip
"""What a list may say -> columns that say it, the best first, in lower case without signs."""
_NAMELESS = frozenset({"(unknown)", "(name not found)"})
"""What NetAlertX calls a device without a name."""
_WORDS = {
    **dict.fromkeys(("yes", "true", "1", "x", "on", "y", "t"), True),
    **dict.fromkeys(("no", "false", "0", "off", "n", "f"), False),
}
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"\A\s*sep=.[^\S\r\n]*(?=[\r\n]|\Z)", re.IGNORECASE)
"""What Excel takes for the delimiter; the header tells, too."""
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

Entry = ListedDevice | BadEntry


class DeviceList(NamedTuple):
    """A list as it is read."""

    unit: str
    """What is counted: ``line`` or ``entry``."""
    entries: Iterator[Entry]
    """To be read once; raises InvalidInput when there are more than ``MOST_ENTRIES``."""


def read_devices(data: bytes) -> DeviceList:
    """Read a list of any kind that is known.

    Raises:
        InvalidInput: It is too large, or nothing that is known.
    """
    if len(data) > LARGEST_LIST:
        raise InvalidInput("the list is too large", why=f"more than {LARGEST_LIST >> 20} MiB")
    text = _SEPARATOR_LINE.sub("", _decoded(data))
    begin = text[:4096].lstrip()[:1]
    if begin in ("[", "{"):
        return DeviceList("entry", _bounded(_of_json(text)))
    first = next((line for line in io.StringIO(text) if line.strip() and not line.startswith("#")), "")
    if first and normalise_lladdr(first.split(None, 1)[0]):
        return DeviceList("line", _bounded(_of_words(text)))
    delimiter, columns = _header(first)
    return DeviceList("line", _bounded(_of_csv(text, delimiter, columns)))


def _decoded(data: bytes) -> str:
    """Return the text in whatever encoding it is; what is no UTF-8 is the one of Western Windows, or Latin-1."""
    named = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    for encoding in (named,) if named else ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _bounded(entries: Iterable[Entry]) -> Iterator[Entry]:
    for count, entry in enumerate(entries):
        if count == MOST_ENTRIES:
            raise InvalidInput("the list is too long", why=f"more than {MOST_ENTRIES:,} entries")
        yield entry


# --- files without a header --------------------------------------------------------------------------


def _of_words(text: str) -> Iterator[Entry]:
    """Read ethers(5), ``lladdr name``, or arpwatch(8), ``lladdr address time name``."""
    latest: dict[str, tuple[int, ListedDevice]] = {}
    for number, line in enumerate(io.StringIO(text), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        lladdr = normalise_lladdr(words[0])
        if lladdr is None:
            yield BadEntry(number, _no_lladdr(words[0]))
        elif len(words) > 2 and parse_ip(words[1]) and words[2].isascii() and words[2].isdigit():
            at = int(words[2][:20])
            name = words[3] if len(words) > 3 else None
            if lladdr not in latest or at >= latest[lladdr][0]:
                latest[lladdr] = at, ListedDevice(number, lladdr, MarksChange(name=name))
        else:
            name = words[1] if len(words) > 1 and not parse_ip(words[1]) else None
            yield ListedDevice(number, lladdr, MarksChange(name=name))
    yield from (entry for _, entry in latest.values())


# --- CSV ---------------------------------------------------------------------------------------------


def _header(line: str) -> tuple[str, dict[str, int]]:
    """Return what separates the cells of a header, and the place of each field."""
    tried = []
    for delimiter in _DELIMITERS:
        try:
            cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error:
            continue
        tried.append((delimiter, _places(cells)))
    delimiter, columns = max(tried, key=lambda pair: len(pair[1]), default=("", {}))
    if "lladdr" not in columns:
        raise InvalidInput(
            "this is no list of devices",
            why="its first line names no column of lladdrs",
            fix="begin with a line such as lladdr,name,note; ethers, arp.dat and JSON are read, too",
        )
    return delimiter, columns


def _places(names: Iterable[str]) -> dict[str, int]:
    """Return where the fields stand; a column that is a field's is not another's, too."""
    plain = [re.sub(r"[^a-z]", "", name[:64].lower()) for name in names]
    found: dict[str, int] = {}
    for field, spellings in _FIELDS.items():
        place = next((plain.index(one) for one in spellings if one in plain), None)
        if place is not None and place not in found.values():
            found[field] = place
    return found


def _of_csv(text: str, delimiter: str, columns: Mapping[str, int]) -> Iterator[Entry]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    is_header = True
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadEntry(number, str(error))
            continue
        if not any(cell.strip() for cell in row) or row[0].startswith("#"):
            continue
        if is_header:
            is_header = False
            continue
        cells = {field: row[place] for field, place in columns.items() if place < len(row)}
        yield _entry(number, cells)


# --- JSON --------------------------------------------------------------------------------------------


def _of_json(text: str) -> Iterator[Entry]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the list is no JSON", why=str(error)[:200]) from None
    if isinstance(document, dict):
        document = next((value for value in document.values() if isinstance(value, list)), None)
    if not isinstance(document, list):
        raise InvalidInput("this is no list of devices", fix='give an array of objects with "lladdr"')
    for number, one in enumerate(document, 1):
        if not isinstance(one, dict):
            yield BadEntry(number, "it is no object")
            continue
        names = list(one)
        values = list(one.values())
        cells = {field: values[place] for field, place in _places(names).items()}
        yield _entry(
            number, {field: value for field, value in cells.items() if value is not None}, is_json=True
        )


# --- one entry ---------------------------------------------------------------------------------------


def _entry(number: int, cells: Mapping[str, Any], *, is_json: bool = False) -> Entry:
    """Return what the cells of one device say; of JSON, an empty text is one that is to be empty."""
    lladdr = normalise_lladdr(_text(cells.get("lladdr")))
    if lladdr is None:
        return BadEntry(number, _no_lladdr(_text(cells.get("lladdr"))))
    texts = {
        field: text
        for field in ("name", "note")
        if field in cells and ((text := _text(cells[field])) or is_json)
    }
    if texts.get("name") in _NAMELESS:
        del texts["name"]
    truths: dict[str, bool] = {}
    for field in ("known", "unknown", "must_be_up", "shares_addresses"):
        word = _text(cells.get(field)).lower()
        if word and word not in _WORDS:
            return BadEntry(number, f"{word[:40]!r} is neither yes nor no")
        if word and field == "unknown":
            truths.setdefault("known", not _WORDS[word])
        elif word:
            truths[field] = _WORDS[word]
    return ListedDevice(number, lladdr, MarksChange(**texts, **truths))  # type: ignore[arg-type]


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _no_lladdr(text: str) -> str:
    return f"{text[:40]!r} is no lladdr" if text else "it has no lladdr"
