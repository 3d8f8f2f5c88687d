"""Searching all scans that a user may see, and searches kept under a name."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from netmon_tui.domain.owned import LONGEST_NAME, OWNER_MARK, name_key
from netmon_tui.domain.search import FIRST_PAGE, SEARCH_FORMATS, FoundPort, SavedSearch
from netmon_tui.domain.user import Actor, Permission
from netmon_tui.errors import InvalidInput
from netmon_tui.security.hostile_text import clean, csv_cell
from netmon_tui.services.saved_texts import SavedTexts
from netmon_tui.services.transfers import write_new
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.saved_search_repository import SavedSearchRepository
from netmon_tui.storage.search_queries import SearchQueries
from netmon_tui.tools.scan_query import parse_query
from netmon_tui.tools.search_report import found_to_csv, found_to_json_lines, found_to_markdown

_LINE = partial(clean, limit=1 << 20)
"""A report leaves nothing out."""


class SearchService(SavedTexts):
    """Hosts and ports over the scans that a user sees in the list of scans."""

    def __init__(self, queries: SearchQueries, saved: SavedSearchRepository, audit: AuditRepository) -> None:
        super().__init__(saved, "search")
        self._queries = queries
        self._audit = audit

    @staticmethod
    def check(text: str) -> None:
        """Refuse a query that cannot be carried out.

        Raises:
            InvalidInput: With position, reason and what to do.
        """
        parse_query(text)

    async def find(self, actor: Actor, text: str, limit: int = FIRST_PAGE) -> list[FoundPort]:
        """Return the first lines that meet a query, those of the newest scan first.

        Raises:
            InvalidInput: The query, as :meth:`check`.
        """
        query = parse_query(text)
        return await asyncio.to_thread(self._queries.find, actor, query, limit)

    async def chunks(self, actor: Actor, text: str, format: str, limit: int | None = None) -> Iterator[bytes]:
        """Return all lines that meet a query as an export; iterating blocks, so do it in a thread.

        Args:
            actor: Who exports.
            text: The query.
            format: One of `SEARCH_FORMATS`.
            limit: How many lines at most; None for all.

        Raises:
            InvalidInput: The query, or there is no such format.
            NotAllowed: The actor may not export.
        """
        writers: dict[str, Callable[[Iterable[FoundPort]], Iterator[str]]] = {
            "jsonl": found_to_json_lines,
            "csv": partial(found_to_csv, gate=csv_cell),
            "md": partial(found_to_markdown, gate=_LINE),
        }
        if format not in writers:
            raise InvalidInput(f"no format {format!r}", fix=f"there are: {', '.join(SEARCH_FORMATS)}")
        actor.require(Permission.EXPORT)
        query = parse_query(text)
        await asyncio.to_thread(self._audit.record, actor, "search.export", format, clean(text))
        return (line.encode() for line in writers[format](self._queries.every(actor, query, limit)))

    async def export(
        self, actor: Actor, text: str, format: str, path: Path, limit: int | None = None
    ) -> Path:
        """Write what a query finds to a new file (mode 0600) and return its path; as :meth:`chunks`."""
        return await asyncio.to_thread(write_new, path, await self.chunks(actor, text, format, limit))

    # saved searches

    async def saved(self, actor: Actor, reference: str) -> SavedSearch:
        """Return the saved search that is meant by a name, or by ``OWNER/NAME`` for another's.

        Raises:
            InvalidInput: There is none of that name.
        """
        wanted = name_key(reference)
        for one in await self.usable(actor):
            if name_key(one.reference_for(actor)) == wanted:
                return one
        raise InvalidInput(
            f"no saved search {clean(reference, LONGEST_NAME)!r}", fix="netmon-tui search list"
        )

    async def save(self, actor: Actor, name: str, text: str, *, shared: bool = False) -> SavedSearch:
        """Keep a query under a name; one that the actor has under it is replaced.

        Raises:
            InvalidInput: The name is none, or the query, as :meth:`check`.
        """
        plain = _checked_name(name)
        parse_query(text)
        if not text.strip():
            raise InvalidInput("there is nothing to save", why="an empty search finds everything")
        await asyncio.to_thread(self._saved.save, actor, plain, text.strip(), shared=shared)
        return await self.saved(actor, plain)


def _checked_name(name: str) -> str:
    """Return a name in normal form."""
    plain = unicodedata.normalize("NFC", name[: LONGEST_NAME + 1]).strip()
    if not plain or len(plain) > LONGEST_NAME:
        raise InvalidInput("a saved search needs a name", why=f"of 1 to {LONGEST_NAME} characters")
    if OWNER_MARK in plain or clean(plain) != plain:
        why = f"{OWNER_MARK} stands between owner and name"
        raise InvalidInput(
            "the name has a character that no name has", why=why, fix="letters, digits, spaces"
        )
    return plain
