"""Passwords: argon2id hashes and the policy for new ones.

Hashes have the defaults of argon2-cffi, which are RFC 9106's second choice (t=3, 64 MiB, p=4): about 150 ms
and 64 MiB each, so callers compute them in a thread and few at once. The policy is NIST SP 800-63B-4's for
a password alone: long, no rules of composition, nothing that everybody tries first.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from netmon_tui.errors import InvalidInput, StorageError
from netmon_tui.security.common_passwords import left_without_common_parts

if TYPE_CHECKING:
    from argon2 import Parameters, PasswordHasher

LONGEST = 256
"""Characters: more is refused, so that nobody can make us normalise and hash megabytes."""
DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$AXoADBr5zG6kZXJr4zSDsg$vF0tZI0eOzVY20TbWaw6ENU3qTfpDx2oKuME909WVbU"
)
"""A hash with the default parameters, verified for unknown names: they take as long as wrong passwords."""

_LARGEST_MEMORY_KIB = 1024**2
_MOST_PASSES = 32
_MOST_LANES = 64
_FEWEST_OTHER_CHARACTERS = 4
"""Characters that must remain when common words, the names and sequences are taken out."""
_LENGTHS = ((14, 2), (19, 3), (26, 4))
"""Pairs of (characters, strength); a character that is easily guessed counts half."""


class Passwords:
    """Makes and verifies hashes.

    Args:
        hasher: Another hasher, such as a cheap one for tests; None for the library's defaults.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher

    @property
    def hasher(self) -> PasswordHasher:
        """The hasher in use, made at the first need."""
        if self._hasher is None:
            from argon2 import PasswordHasher

            self._hasher = PasswordHasher()
        return self._hasher

    def hash_password(self, password: str) -> str:
        """Return the hash to store (argon2's own text, at most 255 characters).

        Raises:
            StorageError: Not enough memory to compute it.
        """
        from argon2.exceptions import HashingError

        try:
            return self.hasher.hash(_to_bytes(password))
        except HashingError as error:
            raise StorageError(
                "the password cannot be hashed", why=str(error), fix="free some memory"
            ) from error

    def verify(self, stored: str, password: str) -> bool:
        """Whether ``password`` is the one that ``stored`` was made from.

        Raises:
            StorageError: The stored hash is damaged, or asks for more work than is sane (nothing is computed
                then), or there is not enough memory.
        """
        from argon2.exceptions import VerificationError, VerifyMismatchError

        _check_parameters(stored)
        try:
            return self.hasher.verify(stored, _to_bytes(password))
        except VerifyMismatchError:
            return False
        except VerificationError as error:
            raise _unusable(str(error)) from error

    def needs_rehash(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than today's."""
        return self.hasher.check_needs_rehash(stored)


def check_policy(password: str, *, name: str, minimum: int) -> None:
    """Refuse a new password that is too short or too easily guessed.

    Args:
        password: As typed.
        name: The user it is for.
        minimum: Characters it must have at least, after Unicode normalisation.

    Raises:
        InvalidInput: With the reason. The password is in no part of the error.
    """
    reason = _refusal(password, name, minimum)
    if reason:
        raise InvalidInput(f"the password is refused: {reason}", fix="four or more unrelated words are good")


def strength(password: str, *, name: str = "", minimum: int = 15) -> int:
    """Return how good a password is, 0 (refused) to 4, for a meter beside the field."""
    if _refusal(password, name, minimum):
        return 0
    text = unicodedata.normalize("NFC", password)
    useful = (len(left_without_common_parts(text, (name,))) + len(text)) / 2
    return max((level for length, level in _LENGTHS if useful >= length), default=1)


def _refusal(password: str, name: str, minimum: int) -> str:
    """Say why a password is refused, or nothing."""
    if len(password) > LONGEST:
        return f"it is longer than {LONGEST} characters"
    if "\0" in password or any(0xD800 <= ord(c) <= 0xDFFF for c in password):
        return "it contains a character that cannot be stored"
    text = unicodedata.normalize("NFC", password)
    if len(text) < minimum:
        return f"it has {len(text)} characters, {minimum} are needed"
    if _is_repetition(text.casefold()):
        return "it repeats one short piece"
    if len(left_without_common_parts(text, (name,))) < _FEWEST_OTHER_CHARACTERS:
        return "it is made of a very common password, a sequence, the user's name or the program's"
    return ""


def _is_repetition(text: str) -> bool:
    """Whether a text is a piece of at most four characters again and again, the last time perhaps cut."""
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, 5))


def _to_bytes(password: str) -> bytes:
    """Return what is hashed: NFC, UTF-8.

    Never fails, so that no password takes a shorter way than another: what the policy cannot have let in
    (surrogates, megabytes) becomes bytes that match no hash.
    """
    text = unicodedata.normalize("NFC", password[: 4 * LONGEST])
    return text.encode("utf-8", "surrogatepass")


def _check_parameters(stored: str) -> None:
    """Refuse a hash whose parameters would cost gigabytes or hours: somebody has been at the database."""
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHashError
    from argon2.low_level import Type

    try:
        found: Parameters = extract_parameters(stored)
    except (InvalidHashError, ValueError) as error:
        raise _unusable("it is damaged") from error
    is_sane = (
        found.type is Type.ID
        and 0 < found.memory_cost <= _LARGEST_MEMORY_KIB
        and 0 < found.time_cost <= _MOST_PASSES
        and 0 < found.parallelism <= _MOST_LANES
    )
    if not is_sane:
        raise _unusable("its parameters are not argon2id's or out of all proportion")


def _unusable(why: str) -> StorageError:
    return StorageError(
        "the stored password cannot be checked", why=why, fix="set a new one: user password NAME"
    )
