"""User names and e-mail addresses in the one form in which they are stored and compared."""

from __future__ import annotations

import re
import unicodedata

from netmon_tui.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9_][a-z0-9._-]{0,31}")
_LONGEST_TYPED = 64
"""Characters, with spaces around the name; more is not even normalised."""
_LONGEST_EMAIL = 320


def normalise_name(name: str) -> str:
    """Return a user name as it is stored: NFC, lower case.

    Raises:
        InvalidInput: Not 1 to 32 of ``a-z 0-9 . _ -``, or with a dot or a dash in front. What was typed is
            not in the error, it may have been a password.
    """
    clean = unicodedata.normalize("NFC", name[:_LONGEST_TYPED]).strip().lower()
    if len(name) > _LONGEST_TYPED or not _NAME.fullmatch(clean):
        raise InvalidInput(
            "this is no user name",
            fix="1 to 32 letters a-z, digits, dots, dashes and underscores; no dot or dash in front",
        )
    return clean


def normalise_email(email: str) -> str:
    """Return an e-mail address in normal form, or nothing for nothing. No name is looked up.

    Raises:
        InvalidInput: It is no address.
    """
    clean = email.strip()
    if not clean:
        return ""
    from email_validator import EmailNotValidError, validate_email

    try:
        if len(clean) > _LONGEST_EMAIL:
            raise EmailNotValidError("It is too long.")
        # not only addresses that the whole world can reach: ops@corp.internal is fine
        found = validate_email(clean, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError) as error:
        raise InvalidInput("the e-mail address is refused", why=str(error).rstrip(".")[:200]) from None
    return found.normalized
