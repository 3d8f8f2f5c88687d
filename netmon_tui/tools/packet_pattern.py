r"""What users look for in packets, compiled: text, regular expressions and hexadecimal bytes alike, by RE2.

RE2 takes time in proportion to what it reads, and lets other threads run meanwhile. Python's own ``re`` goes back
and tries again, for hours where somebody writes ``(a+)+$``, and holds everything until then. A byte takes at worst
25 ns for each step of the expression, so large ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from netmon_tui.domain.packet_find import FindIn, FindKind, Wanted
from netmon_tui.errors import InvalidInput

_MOST_MEMORY = 8 << 20
"""Bytes that a compiled expression may take."""
_LARGEST = 300
"""Steps of an expression: at worst some 8 us a byte."""
_HEX_GAPS = re.compile(r"0[xX]|\\x|[\s:.,-]")
_HEX = re.compile(r"(?:[0-9a-fA-F?]{2})+")
_DEPENDS_ON_ENDS = re.compile(r"[\^$]|\\[AbBz]")
"""Said of where a packet begins or ends; ``[^a]`` is taken for it too, which only costs time."""


class PacketPattern:
    """Finds a pattern in bytes; text is given as UTF-8.

    Args:
        wanted: What is looked for.

    Raises:
        InvalidInput: It cannot be understood.
    """

    def __init__(self, wanted: Wanted) -> None:
        import re2  # not at start: who looks for nothing needs none of it

        wanted.check()
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors, options.never_capture = False, True
        options.max_mem = _MOST_MEMORY
        in_bytes = wanted.place is FindIn.BYTES
        options.dot_nl, options.never_nl = in_bytes, not in_bytes
        options.case_sensitive = not (wanted.ignore_case and wanted.kind is FindKind.REGEX)
        try:
            self._compiled = re2.compile(_expression(wanted), options)
        except re2.error as error:
            raise InvalidInput("the regular expression is not valid", why=_reason(error)) from error
        if self._compiled.search(b"") is not None:
            raise InvalidInput(f"{wanted.text!r} finds everything", why="nothing at all matches it too")
        self.is_plain = wanted.kind is FindKind.TEXT or (
            wanted.kind is FindKind.HEX and "?" not in wanted.text
        )
        """Whether it is so many bytes one after the other, which are looked for as quickly as memory is read."""
        if not self.is_plain and self._compiled.programsize > _LARGEST:
            raise InvalidInput(
                "the pattern is too large to be looked for",
                why=f"it has {self._compiled.programsize:,} steps, {_LARGEST} are possible",
                fix="repeat less, such as x{3} and not x{300}",
            )
        self.is_free = wanted.kind is not FindKind.REGEX or not _DEPENDS_ON_ENDS.search(wanted.text)
        """Whether what matches in a part matches in the whole."""

    def find(self, data: bytes, start: int = 0, end: int | None = None) -> tuple[int, int] | None:
        """Return begin and end of the first match between two places; None without one."""
        found = self._compiled.search(data, start, end)
        return None if found is None else found.span()

    def find_all(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Yield begin and end of all matches that do not overlap."""
        return (found.span() for found in self._compiled.finditer(data) if found.end() > found.start())

    def is_in(self, text: str) -> bool:
        """Whether it is in a text."""
        return self.find(text.encode("utf-8", "surrogatepass")) is not None


def _expression(wanted: Wanted) -> bytes:
    if wanted.kind is FindKind.REGEX:
        ends_are_lines = b"(?m)" if wanted.place is FindIn.TREE else b""
        return ends_are_lines + wanted.text.encode("utf-8", "surrogatepass")
    if wanted.kind is FindKind.HEX:
        return _of_hex(wanted.text)
    # Windows and its protocols write two bytes for each character.
    encodings = ("utf-8", "utf-16-le", "utf-16-be") if wanted.place is FindIn.BYTES else ("utf-8",)
    return b"|".join(
        b"".join(_letter(letter, encoding, wanted.ignore_case) for letter in wanted.text)
        for encoding in encodings
    )


def _letter(letter: str, encoding: str, ignore_case: bool) -> bytes:
    forms = {letter, letter.lower(), letter.upper()} if ignore_case else {letter}
    spelled = sorted(_escaped(form.encode(encoding, "surrogatepass")) for form in forms)
    return spelled[0] if len(spelled) == 1 else b"(?:" + b"|".join(spelled) + b")"


def _escaped(data: bytes) -> bytes:
    return b"".join(b"\\x%02x" % byte for byte in data)


def _of_hex(text: str) -> bytes:
    digits = _HEX_GAPS.sub("", text)
    if not _HEX.fullmatch(digits):
        raise InvalidInput(
            f"{text!r} is no row of bytes", fix="two hex digits for each, such as de ad be ef or de:?d:??"
        )
    return b"".join(_of_byte(*digits[at : at + 2]) for at in range(0, len(digits), 2))


def _of_byte(high: str, low: str) -> bytes:
    if high == low == "?":
        return rb"[\x00-\xff]"
    if low == "?":
        return f"[\\x{high}0-\\x{high}f]".encode()
    if high == "?":
        return b"[" + b"".join(b"\\x%x%s" % (nibble, low.encode()) for nibble in range(16)) + b"]"
    return f"\\x{high}{low}".encode()


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "backslashreplace") if isinstance(said, bytes) else str(said)
