"""The reader's hands: the tokens one by one, and the arithmetic of ``tcp[12] & 0xf0 != 0x50``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_tokens import INVALID, Kind, Token
from netmon_tui.tools.bpf_tree import Arithmetic, Length, Load, Negative, Number, Operation

DEEPEST = 40
"""So many brackets, negations and changes between ``and`` and ``or`` are followed."""
COMPARISONS = frozenset({"=", "!=", "<", ">", "<=", ">="})
_BYTES_OF = """
    arp atalk carp decnet ether fddi icmp icmp6 igmp igrp ip ip6 lat link mopdl moprc pim ppp radio rarp sca
    sctp slip tcp tr udp vrrp wlan
"""
BYTES_OF = frozenset(_BYTES_OF.split())
"""Protocols whose bytes can be asked for."""
_LEVELS = {"|": 1, "&": 2, "<<": 3, ">>": 3, "+": 4, "-": 4, "*": 5, "/": 5}
_SIGN_LEVEL = 6
_SWALLOWING = ("%", "^")
"""Have no level in libpcap's grammar, so that all that follows belongs to them."""


class TooDeepError(Exception):
    """A filter is nested deeper than anybody would read about."""


class ArithmeticReader:
    """Tokens with a place among them.

    Args:
        text: The filter.
        tokens: Of it, an END last.
    """

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self.depth = 0
        self.at = 0

    # the place

    @property
    def here(self) -> Token:
        """The token to be read next."""
        return self._tokens[self.at]

    @property
    def after(self) -> Token:
        """The one behind it."""
        return self._tokens[min(self.at + 1, len(self._tokens) - 1)]

    @property
    def before(self) -> Token:
        """The one that was read last."""
        return self._tokens[self.at - 1]

    def take(self) -> Token:
        """Read a token; raises InvalidInput at the end."""
        token = self.here
        if token.kind is Kind.END:
            raise self.wrong(f"something is expected after `{self.before.text}`")
        self.at += 1
        return token

    def expect(self, sign: str, otherwise: str) -> None:
        """Read a sign, or raise InvalidInput with what was expected."""
        if self.here.text != sign:
            raise self.wrong(otherwise)
        self.at += 1

    def number(self, otherwise: str) -> int:
        """Read a number, or raise InvalidInput with what was expected."""
        if self.here.kind is not Kind.NUMBER:
            raise self.wrong(otherwise)
        return self.take().value

    def wrong(self, why: str, at: Token | None = None) -> InvalidInput:
        """Return the error for what stands here, or at another token."""
        return InvalidInput(INVALID, why=why, position=(at or self.here).position)

    def source(self, start: int) -> str:
        """Return the text from a token up to here."""
        end = self._tokens[self.at - 1]
        return self._text[self._tokens[start].position : end.position + len(end.text)]

    def back_to(self, at: int, depth: int) -> None:
        """Unread what was read since."""
        self.at, self.depth = at, depth

    @contextmanager
    def deeper(self, levels: int = 1) -> Iterator[None]:
        """Count levels of nesting while something is read; raises TooDeepError."""
        self.depth += levels
        if self.depth > DEEPEST:
            raise TooDeepError
        yield
        self.depth -= levels

    # values

    def arithmetic(self, least: int = 1) -> Arithmetic:
        """Read a value made of operators of a level and above."""
        with self.deeper():
            left = self._operand()
        while (operator := self.here.text) in _LEVELS or operator in _SWALLOWING:
            level = _LEVELS.get(operator)
            if level is not None and level < least:
                break
            self.take()
            left = Operation(operator, left, self.arithmetic(1 if level is None else level + 1))
        return left

    def _operand(self) -> Arithmetic:
        token = self.here
        if token.kind is Kind.NUMBER:
            return Number(self.take().value, token.text)
        if token.text == "len":
            self.take()
            return Length()
        if token.text == "-":
            self.take()
            return Negative(self.arithmetic(_SIGN_LEVEL))
        if token.text == "(":
            self.take()
            inside = self.arithmetic()
            self.expect(")", "`)` is expected")
            return inside
        if token.text in BYTES_OF:
            return self._load()
        raise self.wrong(f"after `{self.before.text}` a number or bytes such as `tcp[13]` are expected")

    def _load(self) -> Load:
        protocol = self.take().text
        self.expect("[", f"`[` is expected after `{protocol}`, as in `{protocol}[0]`")
        offset, size = self.arithmetic(), 1
        if self.here.text == ":":
            self.take()
            place = self.here
            size = self.number("after `:` a number of bytes is expected: 1, 2 or 4")
            if size not in (1, 2, 4):
                raise self.wrong("so many bytes cannot be read at once: it is 1, 2 or 4", place)
        self.expect("]", "`]` is expected, or `:` and a number of bytes")
        return Load(protocol, offset, size)
