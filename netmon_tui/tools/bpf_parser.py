"""A reader of tcpdump's filter language after libpcap's grammar.y and pcap-filter(7).

It knows what would have to stand where a filter goes wrong, which tcpdump does not say. What it accepts, tcpdump
may still refuse, as it judges no link type.
"""

from __future__ import annotations

from netmon_tui.errors import InvalidInput
from netmon_tui.tools.bpf_arithmetic import BYTES_OF, COMPARISONS, ArithmeticReader, TooDeepError
from netmon_tui.tools.bpf_identity import read_identity
from netmon_tui.tools.bpf_tokens import Kind, scan
from netmon_tui.tools.bpf_tree import (
    Both,
    Cast,
    Either,
    Encapsulation,
    Node,
    Not,
    Other,
    Primitive,
    Protocol,
    Qualifiers,
    Relation,
    Tree,
)

_MORE_PROTOCOLS = "ah esp aarp iso esis es-is isis is-is l1 l2 iih lsp snp csnp psnp clnp stp ipx netbeui"
_PROTOCOLS = BYTES_OF | frozenset(_MORE_PROTOCOLS.split())
_DIRECTION_WORDS = "src dst addr1 addr2 addr3 addr4 address1 address2 address3 address4 ra ta"
_DIRECTIONS = frozenset(_DIRECTION_WORDS.split())
_KINDS = frozenset({"host", "net", "port", "portrange", "proto", "protochain", "gateway"})
_IDENTITIES = frozenset({Kind.NUMBER, Kind.ADDRESS, Kind.ADDRESS6, Kind.LLADDR, Kind.NAME})
ENCAPSULATIONS = ("vlan", "mpls", "pppoes", "geneve")
"""Words after which packets are looked at further inside."""
_WITH_NUMBER = frozenset({"less", "greater", "ifindex"})
_STANDING = "inbound outbound pppoed llc lane metac bcc oam oamf4 sc ilmic connectmsg metaconnect"
_ALONE = frozenset(_STANDING.split())
_TAKING = "type subtype dir on ifname rset ruleset rulenum rnum srnr subrulenum reason action"
_WITH_VALUE = frozenset(_TAKING.split())


def parse(text: str) -> Tree | None:
    """Return what a filter says; None when it is nested too deep to be told, or empty.

    Raises:
        InvalidInput: It is not of the language, with the position and what would have to stand there.
    """
    if not text.strip():
        return None
    try:
        return _Parser(text).tree()
    except TooDeepError:
        return None


class _Parser(ArithmeticReader):
    """Goes through the tokens once; what is read is followed by what may stand in its place."""

    def __init__(self, text: str) -> None:
        super().__init__(text, scan(text))
        self._behind: tuple[str, ...] = ()
        self._mixed = False
        self._either_behind = False
        self._primitives: list[Primitive] = []

    def tree(self) -> Tree:
        """Read the whole filter."""
        root = self._expression(None)
        if self.here.kind is not Kind.END:
            raise self.wrong(self._joint_expected(f"`and` or `or` is expected before `{self.here.text}`"))
        return Tree(root, self._mixed, tuple(self._primitives), self._either_behind)

    def _note(self, primitive: Primitive) -> Primitive:
        self._primitives.append(primitive)
        return primitive

    # conditions that are joined

    def _expression(self, inherited: Qualifiers | None) -> Node:
        """Read conditions joined by ``and`` and ``or``, which weigh the same and bind from the left."""
        node, inherited = self._condition(inherited)
        before, changes = "", 0
        while self.here.text in ("and", "or"):
            connective = self.take().text
            if before not in ("", connective):
                changes += 1
                self._mixed = self._mixed or connective == "and"
            self._either_behind = self._either_behind or bool(connective == "or" and self._behind)
            with self.deeper(changes):
                right, inherited = self._condition(inherited)
            node = Both(node, right) if connective == "and" else Either(node, right)
            before = connective
        return node

    def _condition(self, inherited: Qualifiers | None) -> tuple[Node, Qualifiers | None]:
        """Read one condition; return it with the qualifiers that an identity after it would have."""
        if self.here.text == "not":
            self.take()
            with self.deeper():
                node, left = self._condition(inherited)
            return Not(node), left
        if (relation := self._relation(inherited)) is not None:
            return relation, None
        if self.here.text == "(":
            return self._bracket(inherited), inherited
        if self.here.kind in _IDENTITIES:
            return self._inherited(inherited), inherited
        if self.here.kind is Kind.WORD:
            return self._words()
        raise self.wrong(self._expected())

    def _expected(self) -> str:
        after = f"after `{self.before.text}` " if self.at else ""
        here = f", not `{self.here.text}`" if self.here.text else ""
        return f"{after}a condition is expected, such as `port 80` or `tcp`{here}"

    def _bracket(self, inherited: Qualifiers | None) -> Node:
        self.take()
        with self.deeper():
            node = self._expression(inherited)
        self.expect(")", self._joint_expected("`and`, `or` or `)` is expected"))
        return node

    def _joint_expected(self, otherwise: str) -> str:
        """Return what would have to stand where a condition is over and something else follows."""
        before, here = self.before.text, self.here
        if before in _PROTOCOLS and here.kind in _IDENTITIES:
            return f"between `{before}` and `{here.text}` a word such as `port` or `host` is missing"
        return otherwise

    def _inherited(self, inherited: Qualifiers | None) -> Node:
        """Read an identity without qualifiers of its own: the 81 of ``port 80 or 81``."""
        if inherited is None:
            what = self.here.text
            raise self.wrong(f"`{what}` says nothing alone: `host`, `net` or `port` goes before it")
        return self._note(read_identity(self, inherited, self._behind))

    # one condition

    def _relation(self, inherited: Qualifiers | None) -> Relation | None:
        """Read a comparison; None, and nothing read, when something else stands here."""
        bytes_follow = self.here.text in BYTES_OF and self.after.text == "["
        if not (bytes_follow or self.here.text in ("(", "-", "len") or self.here.kind is Kind.NUMBER):
            return None
        start, is_sure = self.at, bytes_follow or self.here.text in ("-", "len")
        depth = self.depth
        try:
            left = self.arithmetic()
        except InvalidInput:
            if is_sure:
                raise
            self.back_to(start, depth)
            return None
        if self.here.text not in COMPARISONS:
            if is_sure or (self.at > start + 1 and self.before.text != ")"):
                what = f"after `{self.source(start)}` a comparison such as `= 1` or `!= 0` is expected"
                raise self.wrong(what)
            self.at = start
            return None
        operator = self.take().text
        right = self.arithmetic()
        relation = Relation(left, operator, right, self.source(start), self._behind)
        self._note(relation)
        return relation

    def _words(self) -> tuple[Node, Qualifiers | None]:
        """Read a condition that begins with a word."""
        word = self.here.text
        if word in _PROTOCOLS and self.after.text not in _DIRECTIONS | _KINDS:
            self.take()
            if self.here.text in ("broadcast", "multicast"):
                return self._note(Cast(word, self.take().text, self._behind)), None
            if self.here.text in ("type", "subtype", "dir"):
                return self._plain(), None
            return self._note(Protocol(word, self._behind)), None
        if word in _PROTOCOLS | _DIRECTIONS | _KINDS:
            qualifiers = self._qualifiers()
            return self._identities(qualifiers), qualifiers
        return self._plain(), None

    def _qualifiers(self) -> Qualifiers:
        """Read ``tcp src or dst port``."""
        protocol = self.take().text if self.here.text in _PROTOCOLS else ""
        direction = self.take().text if self.here.text in _DIRECTIONS else ""
        other = {"src": "dst", "dst": "src"}.get(direction)
        if self.here.text in ("or", "and") and other is not None and self.after.text == other:
            direction = f"src {self.take().text} dst"
            self.take()
        kind = self.take().text if self.here.text in _KINDS else ""
        return Qualifiers(protocol, direction, kind)

    def _identities(self, qualifiers: Qualifiers) -> Node:
        """Read what the qualifiers are of: one identity, or several in brackets."""
        if self.here.text == "not":
            self.take()
            with self.deeper():
                return Not(self._identities(qualifiers))
        if self.here.text == "(":
            return self._bracket(qualifiers)
        return self._note(read_identity(self, qualifiers, self._behind))

    def _plain(self) -> Node:
        """Read one of the words that stand alone or before a number or name."""
        start = self.at
        word = self.take().text
        if word in ("broadcast", "multicast"):
            return self._note(Cast("", word, self._behind))
        if word in ENCAPSULATIONS:
            return self._encapsulation(word)
        number: int | None = None
        if word in _WITH_NUMBER:
            number = self.number(f"after `{word}` a number is expected")
        elif word in _WITH_VALUE:
            self.take()
            if self.here.text == "subtype":
                self.take()
                self.take()
        elif word == "byte":
            for _ in range(3):
                self.take()
        elif word not in _ALONE:
            self.at = start
            raise self.wrong(self._expected())
        elif word == "llc" and self.here.kind is Kind.NAME:
            self.take()
        return self._note(Other(word, self.source(start), number, self._behind))

    def _number_if_any(self) -> int | None:
        """Read the 100 of ``vlan 100`` and of ``vlan (100)``."""
        start = self.at
        while self.here.text == "(":
            self.take()
        if self.here.kind is not Kind.NUMBER:
            self.at = start
            return None
        brackets, number = self.at - start, self.take().value
        for _ in range(brackets):
            self.expect(")", "`)` is expected")
        return number

    def _encapsulation(self, word: str) -> Node:
        number = self._number_if_any()
        found = self._note(Encapsulation(word, number, self._behind))
        self._behind = (*self._behind, word)
        return found
