"""Vendors of link-layer addresses, offline, from the prefix files of Wireshark and nmap.

Formats: Wireshark's ``manuf`` (``00:1B:C5:00:00:00/36<TAB>short<TAB>long``, 24 bits without ``/``), what
``tshark -G manuf`` prints since Wireshark 4.2 has no such file (the same columns), and nmap's
``nmap-mac-prefixes`` (``0055DA0 name``, six, seven or nine digits). Names are kept as they stand there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from netmon_tui.errors import InvalidInput

WIRESHARK_FILES = (Path("/usr/share/wireshark/manuf"), Path("/usr/share/wireshark/manuf.txt"))
NMAP_FILES = (Path("/usr/share/nmap/nmap-mac-prefixes"), Path("/usr/local/share/nmap/nmap-mac-prefixes"))

_LARGEST_FILE = 32 * 1024 * 1024
"""Characters read of a file; Wireshark's has 2.3 million."""
_BLOCK = re.compile(r"([0-9A-Fa-f.-]{6,17})(?:/([0-9]{2}))? *")
"""Digits without colons, and how many bits of them count."""
_BITS = (24, 28, 36)
_LENGTHS = frozenset(bits // 4 for bits in _BITS)
_PRIVATE = frozenset("2367abef")
"""Second digits of locally administered addresses."""


class VendorTable:
    """Finds the vendor of a MAC address. The files are read at the first look-up, or by :meth:`load`.

    Args:
        user_file: Prefixes of the user's own, in either format; they come before all others.
        extra_lines: What ``tshark -G manuf`` printed; used after Wireshark's file and before nmap's.
        wireshark_files: Candidates, of which the first that exists is read.
        nmap_files: The same for nmap.
    """

    def __init__(
        self,
        user_file: Path | None = None,
        *,
        extra_lines: Iterable[str] = (),
        wireshark_files: Iterable[Path] = WIRESHARK_FILES,
        nmap_files: Iterable[Path] = NMAP_FILES,
    ) -> None:
        self._user_file = user_file
        self._extra_lines = extra_lines
        self._wireshark_files = tuple(wireshark_files)
        self._nmap_files = tuple(nmap_files)
        self._names: dict[str, str] | None = None
        self._divided: set[str] = set()

    @property
    def counts(self) -> dict[int, int]:
        """How many prefixes of 24, 28 and 36 bits are known; all 0 before the files are read."""
        lengths = Counter(map(len, self._names or ()))
        return {bits: lengths[bits // 4] for bits in _BITS}

    def load(self) -> None:
        """Read the files, unless that was done: some 100 ms, so do it in a thread.

        Raises:
            InvalidInput: the user's file cannot be read.
        """
        if self._names is None:
            names = self._read()
            self._divided = {digits[:6] for digits in names if len(digits) > 6}
            self._names = names

    def lookup(self, lladdr: str) -> str:
        """Return the vendor by the longest prefix; empty when unknown or locally administered.

        Args:
            lladdr: Lower case with colons.

        Raises:
            InvalidInput: the user's file cannot be read (at the first call only).
        """
        names = self._names
        if names is None:
            self.load()
            names = self._names or {}
        if lladdr[1:2] in _PRIVATE or lladdr == "00:00:00:00:00:00":
            return ""
        digits = lladdr.replace(":", "")
        block = digits[:6]
        if block in self._divided:
            return names.get(digits[:9]) or names.get(digits[:7]) or names.get(block, "")
        return names.get(block, "")

    def _read(self) -> dict[str, str]:
        names = _parse(_text_of_first(self._nmap_files))
        names.update(_parse("\n".join(self._extra_lines)))
        names.update(_parse(_text_of_first(self._wireshark_files)))
        if self._user_file is not None:
            names.update(_parse(_user_text(self._user_file)))
        return names


def _parse(text: str) -> dict[str, str]:
    """Return names by 6, 7 or 9 lower-case hexadecimal digits; lines that begin otherwise are never found."""
    names = {}
    for line in text.split("\n"):
        prefix, tab, rest = line.partition("\t")
        if not tab:
            prefix, _, rest = line.partition(" ")
        digits = prefix.replace(":", "")
        if len(digits) not in _LENGTHS or not digits.isalnum():
            digits = _digits_of_block(digits)
        name, _, long_name = rest.partition("\t")
        if digits:
            names[digits.lower()] = long_name.partition("\t")[0].strip() or name.strip()
    return names


def _digits_of_block(prefix: str) -> str:
    """Return the digits of a prefix with bits or with other separators; empty when it is none."""
    block = _BLOCK.fullmatch(prefix)
    if block is None:
        return ""
    digits = re.sub(r"[.-]", "", block[1])
    digits = digits[: int(block[2]) // 4] if block[2] else digits
    return digits if len(digits) in _LENGTHS else ""


def _text_of_first(candidates: Iterable[Path]) -> str:
    """Return the text of the first file that is there and may be read; empty without any."""
    for path in candidates:
        try:
            return _text(path)
        except (FileNotFoundError, PermissionError):
            continue
    return ""


def _user_text(path: Path) -> str:
    try:
        return _text(path)
    except OSError as error:
        raise InvalidInput(
            f"the vendor file {path} cannot be read",
            why=str(error.strerror),
            fix="name a readable file with lines such as 00:11:22<TAB>name, or none",
        ) from error


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(_LARGEST_FILE)
