"""One setting: what it may be, how its text is read and how it is explained.

A section of the configuration is a frozen dataclass whose fields are made by :func:`setting`. The rule in the
field's metadata is the only description: it checks values, and it is the comment in ``config init``.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from netmon_tui.errors import InvalidInput

Value = bool | int | float | str

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_LONGEST_TEXT = 4096
"""Characters of a value; a longer one is a mistake."""
_LARGEST_NUMBER = 2**53
"""Beyond it a number is a mistake, and systems that take it (limits, file sizes) differ."""
_INTEGER = re.compile(r"[+-]?[0-9][0-9_]{0,18}")
_TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a setting may be.

    Args:
        default: The value without any other; its type is the setting's type.
        doc: One or two sentences for people.
        minimum: Least number allowed, None for no bound.
        maximum: Greatest number allowed, None for no bound.
        choices: The only texts allowed, empty for any.
        secret: Whether the text may hold a password, as a database URL does.
    """

    default: Value
    doc: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False

    @property
    def kind(self) -> type[Value]:
        """The type that values have."""
        return type(self.default)

    @property
    def allowed(self) -> str:
        """What is allowed, such as ``a whole number from 8 to 128``."""
        if self.choices:
            return ", ".join(json.dumps(choice) for choice in self.choices)
        words = _TYPE_WORDS[self.kind]
        if self.minimum is None:
            return words
        if self.maximum is None:
            return f"{words}, at least {self.minimum:,}"
        return f"{words} from {self.minimum:,} to {self.maximum:,}"

    def accepts(self, value: Value) -> bool:
        """Whether a value of the right type is within the bounds."""
        if isinstance(value, str):
            return _is_plain(value) and (not self.choices or value in self.choices)
        low = -_LARGEST_NUMBER if self.minimum is None else self.minimum
        return low <= value <= (_LARGEST_NUMBER if self.maximum is None else self.maximum)


def setting(
    default: Value,
    doc: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """Return the dataclass field of a setting; the arguments are those of :class:`Rule`."""
    rule = Rule(default, doc, minimum, maximum, choices, secret)
    return dataclasses.field(default=default, metadata={"rule": rule})


def rule_of(field: dataclasses.Field[Any]) -> Rule:
    """Return the rule that :func:`setting` put into a field."""
    rule: Rule = field.metadata["rule"]
    return rule


def check_value(rule: Rule, value: object, *, key: str, place: str) -> Value:
    """Return a value from a TOML document if the setting may have it.

    Args:
        rule: The setting's.
        value: What the document holds.
        key: ``section.key``, for the message.
        place: Where the value comes from, for the message.

    Raises:
        InvalidInput: Wrong type or out of bounds; names place, key and what is allowed.
    """
    if rule.kind is float and type(value) is int and abs(value) <= _LARGEST_NUMBER:
        value = float(value)
    if isinstance(value, bool | int | float | str) and type(value) is rule.kind and rule.accepts(value):
        return value
    raise InvalidInput(
        f"{place}: {key} = {_shown(value, rule)} is not allowed", fix=f"allowed is {rule.allowed}"
    )


def read_text(rule: Rule, text: str, *, key: str, place: str) -> Value:
    """Return the value that a flag or an environment variable spells; raises as :func:`check_value`."""
    return check_value(rule, _parsed(rule.kind, text), key=key, place=place)


def to_toml(value: Value) -> str:
    """Spell a value as TOML does (a JSON string is a TOML basic string)."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else str(value)


def mask_secret(text: str) -> str:
    """Hide the password of a URL."""
    return re.sub(r"(?<=://)([^/@\s]*?):[^/\s]*@", r"\1:***@", text)


def check_keys(keys: Mapping[str, object]) -> Mapping[str, str]:
    """Return a table of binding id -> key(s) if it is one; raises InvalidInput without the place."""
    for name, value in keys.items():
        if not isinstance(value, str) or not _is_plain(value) or not value.strip():
            raise InvalidInput(
                f"keys: {name[:64]!r} has no key", fix='write "f5", or "f5,ctrl+r" for two of them'
            )
    return {name: str(value) for name, value in keys.items()}


def _parsed(kind: type[Value], text: str) -> object:
    """Read text as the kind of value; text that is none comes back as it is, to be refused."""
    word = text.strip()
    if kind is bool:
        return True if word.lower() in _TRUE else False if word.lower() in _FALSE else text
    if kind is int:
        return int(word) if _INTEGER.fullmatch(word) else text
    if kind is float:
        try:
            return float(word)
        except ValueError:
            return text
    return text


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT and (text.isprintable() or not text)


def _shown(value: object, rule: Rule) -> str:
    """Spell a refused value in a message: short, escaped, without a password."""
    text = repr(value)
    text = mask_secret(text) if rule.secret else text
    return text if len(text) <= 60 else text[:57] + "..."
