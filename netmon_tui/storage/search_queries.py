"""Searching hosts and ports over all scans that a user may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, Select, and_, func, select

from netmon_tui.domain.search import FoundPort, NetworkTerm, PortTerm, Query, Subject, Term, TextTerm
from netmon_tui.domain.user import Actor
from netmon_tui.storage import records
from netmon_tui.storage.database import Database
from netmon_tui.storage.search_conditions import in_state, matching, of_service
from netmon_tui.storage.selection import visible_to
from netmon_tui.storage.whole_hosts import service_of

_SCANS, _HOSTS, _PORTS = records.scans.c, records.hosts.c, records.ports.c
_TABLES = (records.scans, records.hosts, records.ports)
_TEXTS = (
    _HOSTS.address,
    _HOSTS.hostnames,
    _HOSTS.lladdr,
    _HOSTS.vendor,
    _HOSTS.os_name,
    _PORTS.service,
    _PORTS.product,
    _PORTS.version,
    _PORTS.extrainfo,
)
_OF_PORTS = frozenset(
    {Subject.SERVICE, Subject.PRODUCT, Subject.VERSION, Subject.CPE, Subject.PORT_STATE},
)


class SearchQueries:
    """Lines of (scan, host, port)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, actor: Actor, query: Query, limit: int) -> list[FoundPort]:
        """Return the first lines that meet a query, those of the newest scan first."""
        return list(self.every(actor, query, limit))

    def every(self, actor: Actor, query: Query, limit: int | None = None) -> Iterator[FoundPort]:
        """Yield all lines that meet a query as they are found, so that memory does not grow with them.

        A host without ports is a line too, unless the query asks for a port.
        """
        with self._database.read() as connection:
            found = connection.execution_options(yield_per=1_000).execute(
                statement(actor, query).limit(limit)
            )
            yield from map(_found, found)


def statement(actor: Actor, query: Query) -> Select[Any]:
    """Return the SQL of a search.

    SQLite must look at the scans one by one, newest first, and take from each its hosts or its ports by an index
    in the order of that index: then nothing but a scan's own lines is ever sorted, and the first page costs
    little more than what it shows. Left to itself it takes all matching ports of all scans and sorts them. It
    cannot look for a row by ``x + 0 = y``, so that the additions fix the order of the loops; they say nothing else.
    """
    joined, order = _by_port(query) or _by_host(query)
    return (
        select(
            _SCANS.id.label("scan"),
            _HOSTS.ordinal.label("host"),
            _HOSTS.address,
            _HOSTS.hostnames,
            *(column for column in records.ports.c if column.name not in ("scan_id", "ordinal")),
            func.coalesce(_HOSTS.finished, _HOSTS.started, _SCANS.started).label("seen"),
        )
        .select_from(joined)
        .where(visible_to(actor, _SCANS.owner_id), matching(query, _TABLES, _TEXTS))
        .order_by(_SCANS.id.desc(), *order)
    )


def _by_host(query: Query) -> tuple[Any, tuple[Any, ...]]:
    """Return the joined tables and the order of a search that looks at hosts, then at their ports."""
    hosts = records.scans.join(records.hosts, _HOSTS.scan_id == _SCANS.id + 0)
    of_host = and_(_PORTS.scan_id == _HOSTS.scan_id, _PORTS.ordinal == _HOSTS.ordinal + 0)
    joined = hosts.join(records.ports, of_host, isouter=not _asks_port(query))
    return joined, (_HOSTS.address_key, _HOSTS.ordinal, _PORTS.protocol, _PORTS.number)


def _by_port(query: Query) -> tuple[Any, tuple[Any, ...]] | None:
    """Return the same for a search that an index of ports answers; None for others.

    The index finds keys (``found``) without a look at the rows. Were the rows asked for in the same breath, SQLite
    would rather read all of a scan.
    """
    required = [clause[0].condition for clause in query.clauses if len(clause) == 1 and not clause[0].negated]
    if any(isinstance(one, NetworkTerm) for one in required):
        return None  # hosts are fewer than ports
    found = records.ports.alias("found")
    keys = found.c
    meets = [(in_state(one, keys), keys.number) for one in required if isinstance(one, PortTerm)]
    meets += [
        (of_service(one.text, keys), keys.service)
        for one in required
        if isinstance(one, TextTerm) and one.subject is Subject.SERVICE
    ]
    if not meets:
        return None
    condition, first = meets[0]
    host = and_(_HOSTS.scan_id == _SCANS.id + 0, _HOSTS.ordinal == keys.ordinal + 0)
    port = and_(
        _PORTS.scan_id == keys.scan_id + 0,
        _PORTS.ordinal == keys.ordinal + 0,
        _PORTS.protocol == keys.protocol,
        _PORTS.number == keys.number + 0,
    )
    joined = records.scans.join(found, and_(keys.scan_id == _SCANS.id + 0, condition))
    joined = joined.join(records.hosts, host).join(records.ports, port)
    return joined, (first, keys.ordinal, keys.protocol, keys.number)


def _asks_port(query: Query) -> bool:
    """Whether a host without ports cannot meet it."""
    return any(all(map(_is_of_port, clause)) for clause in query.clauses)


def _is_of_port(term: Term) -> bool:
    """Whether only a port can meet a term."""
    condition = term.condition
    of_port = isinstance(condition, PortTerm) or (
        isinstance(condition, TextTerm) and condition.subject in _OF_PORTS
    )
    return of_port and not term.negated


def _found(row: Row[Any]) -> FoundPort:
    name = row.hostnames[0][0] if row.hostnames else ""
    return FoundPort(
        row.scan,
        row.host,
        row.address,
        name,
        row.number,
        row.protocol or "",
        row.state or "",
        service_of(row),
        row.seen,
    )
