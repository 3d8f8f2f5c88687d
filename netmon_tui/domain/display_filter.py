"""Wireshark's display filters as text: what is refused at once, filters for fields, and words to complete.

Language: https://www.wireshark.org/docs/man-pages/wireshark-filter.html. Whether a filter is right only a dissector
knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from netmon_tui.errors import InvalidInput

LONGEST_FILTER = 1_000
"""Characters."""
_PLAIN_VALUE = re.compile(
    r"-?\d+(?:\.\d+)?|0x[0-9a-f]+|[0-9a-f]{2}(?::[0-9a-f]{2})+|(?=.*:)[0-9a-f:]+|[\d.]+"
)
"""Numbers, addresses and bytes; everything else is a text in quotes."""
_WORD = re.compile(r"[A-Za-z_][\w.-]*$")
_OPEN_QUOTE = re.compile(r'"(?:[^"\\]|\\.)*"')
_COUNTED = re.compile(
    r"(?:.+\.stream|tcp\.(?:seq|ack|nxtseq|time_relative|time_delta|completeness.*|analysis(?:\..*)?)"
    r"|frame\.time_(?:delta|relative).*)"
)
"""Fields whose values depend on the packets before."""
_NUMBERS = re.compile(
    r"(?!mongo\.|opensafety\.)(?:frame\.number|ip(?:v6)?\.fragment|tcp\.segment|.+[._](?:re[qp]|rsp)frame"
    r"|.+[._-](?:request|response|command|setup)[_-]frame"
    r"|.+[._-](?:request|response|reply|resp|answer|command|reassembled)[._-](?:to|in)(?:_frame)?)"
)
"""Fields whose values are numbers of packets (FT_FRAMENUM), by the usual ones among their names."""
_REFUSED = '" is invalid - '
"""After this a statistic says why; that of expert information all in brackets, with a ``!``."""
_NAMED = re.compile(
    r'"(.+?)" (?:was unexpected|is not a valid|cannot be|is neither)|(\S+) is neither|.* must be a .*, not (.+)\.$'
)
"""What the dissector says of a word that it does not take."""
_WORDS = re.compile(r"[A-Za-z_][\w.-]*")


class Offer(NamedTuple):
    """A name that can stand in a display filter."""

    name: str
    """Such as ``tcp.port``."""
    meaning: str
    """Such as ``Source or Destination Port``; empty when the dissector says none."""


def check_text(text: str) -> str:
    """Return a filter without outer spaces.

    Raises:
        InvalidInput: It is too long, or has characters that no filter needs.
    """
    plain = text.strip()
    if len(plain) > LONGEST_FILTER:
        raise InvalidInput(
            "The filter is too long", why=f"{len(plain):,} characters, the limit is {LONGEST_FILTER:,}"
        )
    bad = next((at for at, character in enumerate(plain) if not character.isprintable()), None)
    if bad is not None:
        raise InvalidInput("The filter has a character that does not print", position=bad)
    return plain


def refusal(complaint: str) -> InvalidInput:
    """Return the error for a filter that the dissector refuses: its words, and what helps where that is plain."""
    fix = ""
    complaint = complaint.rpartition(_REFUSED)[2].removesuffix(")!")
    if complaint.startswith('"="'):
        fix = "write == to compare"
    elif "is not a valid hostname" in complaint:
        fix = "names are not looked up: give the address"
    return InvalidInput("The filter is not valid", why=complaint, fix=fix)


def placed(error: InvalidInput, text: str) -> InvalidInput:
    """Return the refusal of a filter with the place that the dissector's words are about, where that is plain."""
    at = _place_of(error.why, text)
    if at is None:
        return error
    return InvalidInput(f"{error.what} at character {at + 1}", why=error.why, fix=error.fix, position=at)


def _place_of(complaint: str, text: str) -> int | None:
    if complaint.startswith("Unexpected end of filter"):
        return len(text)
    named = _NAMED.match(complaint)
    if named is None:
        return None
    word = named[1] or named[2] or named[3]
    sides = (r"(?<![\w.-])", r"(?![\w.-])") if word[0].isalnum() else (r"(?<![=!<>~&|])", r"(?![=~&|])")
    found = [match.start() for match in re.finditer(re.escape(word).join(sides), text)]
    return found[0] if len(found) == 1 else None


def filter_of(name: str, value: str) -> str:
    """Return the filter for a field; empty when it has no name, and its presence when it has no value."""
    if not name:
        return ""
    if not value:
        return name
    if _PLAIN_VALUE.fullmatch(value):
        return f"{name} == {value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name} == "{quoted}"'


def is_counted(field: str) -> bool:
    """Whether a field is counted from the first packet that is known: its value is another where more are known."""
    return _COUNTED.fullmatch(field) is not None


def numbers_packets(field: str) -> bool:
    """Whether a field's values are numbers of packets, which are others where those before are not known."""
    return _NUMBERS.fullmatch(field) is not None


def needs_all(filter: str) -> bool:
    """Whether a packet's meeting a filter may depend on packets far before it, or on its number.

    In another file, or in a part of one, such a filter means other packets.
    """
    words = _WORDS.findall(_OPEN_QUOTE.sub("", filter))
    return any(is_counted(word) or numbers_packets(word) for word in words)


def join(present: str, more: str, how: str) -> str:
    """Return a filter with one more condition.

    Args:
        present: What there is; may be empty.
        more: The condition.
        how: ``only`` for the condition alone, ``and``, or ``not`` for all but what meets it.
    """
    added = f"!({more})" if how == "not" else more
    if how == "only" or not present.strip():
        return added
    kept = present.strip()
    return f"{kept if re.fullmatch(r'[^|]*', kept) and ' or ' not in kept else f'({kept})'} && {added}"


def word_before(text: str, cursor: int) -> str:
    """Return the beginning of a name that stands before the cursor; empty inside quotes and after other signs."""
    before = text[:cursor]
    if '"' in _OPEN_QUOTE.sub("", before):
        return ""
    match = _WORD.search(before)
    return match[0] if match else ""
