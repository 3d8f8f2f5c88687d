"""What a capture filter is made of, and how it is written with all brackets and qualifiers in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

# arithmetic


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: int
    text: str
    """As it was written, such as ``tcp-syn``."""


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes of a packet: ``tcp[12:2]``."""

    protocol: str
    offset: Arithmetic
    size: int
    """1, 2 or 4 bytes."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Two values joined by ``+ - * / % & | ^ << >>``."""

    operator: str
    left: Arithmetic
    right: Arithmetic


@dataclass(frozen=True, slots=True)
class Length:
    """``len``, the bytes of the packet on the wire."""


@dataclass(frozen=True, slots=True)
class Negative:
    """A value with a minus in front, unsigned as all of them."""

    of: Arithmetic


Arithmetic = Number | Load | Operation | Length | Negative

# conditions


@dataclass(frozen=True, slots=True)
class Qualifiers:
    """What says how an address or a number is meant; each may be empty."""

    protocol: str = ""
    """``tcp``, ``ether`` and so on."""
    direction: str = ""
    """``src``, ``dst``, ``src or dst``, ``src and dst``, or one of 802.11."""
    kind: str = ""
    """``host``, ``net``, ``port``, ``portrange``, ``proto``, ``protochain``."""

    def __str__(self) -> str:
        return " ".join(word for word in (self.protocol, self.direction, self.kind) if word)


@dataclass(frozen=True, slots=True)
class Identity:
    """An address, network, port or protocol with its qualifiers, also those that were left out."""

    qualifiers: Qualifiers
    value: str
    """As written: ``80``, ``10.0.0.0/8``, ``10.0.0.0 mask 255.0.0.0``, ``\\tcp``."""
    number: int | None = None
    """When it is nothing but a number."""
    behind: tuple[str, ...] = ()
    """The words in front that moved the place where packets are looked at: ``vlan``, ``mpls`` ..."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol alone: ``arp``."""

    name: str
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cast:
    """``broadcast`` or ``multicast`` of a protocol, which may be empty."""

    protocol: str
    name: str
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Encapsulation:
    """``vlan 100`` and the like, after which packets are looked at further inside."""

    name: str
    number: int | None
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A comparison of two values."""

    left: Arithmetic
    operator: str
    """``= != < > <= >=``."""
    right: Arithmetic
    text: str
    """As written."""
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Other:
    """A condition without a structure: ``inbound``, ``less 128``, ``type mgt``."""

    name: str
    text: str
    """As written, the name included."""
    number: int | None = None
    behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """All packets that do not meet a condition."""

    of: Node


@dataclass(frozen=True, slots=True)
class Both:
    """Packets that meet two conditions."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Either:
    """Packets that meet at least one of two conditions."""

    left: Node
    right: Node


Primitive = Identity | Protocol | Cast | Encapsulation | Relation | Other
Node = Primitive | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Tree:
    """A whole filter."""

    root: Node
    mixed: bool = False
    """Whether an ``and`` follows an ``or`` without brackets, which binds otherwise than most languages have it."""
    primitives: tuple[Primitive, ...] = field(default=())
    """In the order of the text."""
    either_behind: bool = False
    """Whether an ``or`` follows a ``vlan`` or another word that moves the place where packets are looked at."""


def joined(node: Node, by: type[Both] | type[Either]) -> Iterator[Node]:
    """Yield what is joined in one chain of ``and`` or of ``or``; the node itself when it is none."""
    right: list[Node] = []
    while isinstance(node, by):
        right.append(node.right)
        node = node.left
    yield node
    for one in reversed(right):
        yield from joined(one, by)


def written(node: Node) -> str:
    """Return a condition as a filter in which nothing is left out and every joint has its brackets."""
    match node:
        case Both():
            return " and ".join(_bracketed(one) for one in joined(node, Both))
        case Either():
            return " or ".join(_bracketed(one) for one in joined(node, Either))
        case Not():
            return f"not {_bracketed(node.of)}"
        case Identity():
            return f"{node.qualifiers} {node.value}"
        case Encapsulation():
            return node.name if node.number is None else f"{node.name} {node.number}"
        case Cast():
            return f"{node.protocol} {node.name}".strip()
        case Protocol():
            return node.name
        case Relation() | Other():
            return node.text


def _bracketed(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, Both | Either) else written(node)
