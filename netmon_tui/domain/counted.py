"""Counts with their nouns, in words that are right for one too."""

from __future__ import annotations


def counted(count: int, noun: str, figure: str = "") -> str:
    """Return a count with its noun: ``1 packet``, ``2 packets``.

    Args:
        count: How many.
        noun: One of them; its plural ends in s.
        figure: The count as it is to be read, when not plain.
    """
    return f"{figure or count} {noun}{'' if count == 1 else 's'}"
