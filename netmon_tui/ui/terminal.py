"""What the terminal can draw, as far as its environment tells."""

from __future__ import annotations

from collections.abc import Mapping

_ASCII_TERMINALS = ("linux", "vt", "ansi", "cons25", "sun")
"""Beginnings of TERM: consoles and serial lines, whose fonts have no rounded corners and half blocks."""


def draws_ascii_only(environ: Mapping[str, str]) -> bool:
    """Whether TERM names a console, or the locale is one without Unicode; an unset locale says nothing."""
    if environ.get("TERM", "").startswith(_ASCII_TERMINALS):
        return True
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "UTF-8"
    return "utf" not in locale.lower()
