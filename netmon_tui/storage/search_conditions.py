"""A query as SQL: one condition for the rows of a list, whichever tables the list is made of.

A term speaks of one table. Where the list's rows have that table, it is a condition of the row; where they have
not, some row of that table that belongs to the list's row has to meet it. So ``open:22 open:443`` finds hosts and
scans that have both, and no port.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Float,
    Table,
    Text,
    and_,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from netmon_tui.domain.search import (
    Condition,
    NetworkTerm,
    PortTerm,
    Query,
    Subject,
    Term,
    TextTerm,
    TimeTerm,
)
from netmon_tui.storage import records

Sql = ColumnElement[bool]
Columns = Any
"""The columns of a table or of an alias of it."""
_SCANS, _HOSTS, _PORTS = records.scans.c, records.hosts.c, records.ports.c
_MOST_NUMBERS = 512
"""Numbers of ports that are looked for one by one."""
_OF_HOST = ""
"""Protocol of the scripts that ran once for a host."""
_HOPS, _SCRIPTS, _MATCHES = records.hops.c, records.scripts.c, records.os_matches.c


def matching(query: Query, tables: Sequence[Table], texts: Sequence[ColumnElement[Any]]) -> Sql:
    """Return the condition that a row of a list meets a query.

    Args:
        query: What is looked for.
        tables: What the rows are made of: ``scans``, ``hosts``, ``ports``, each with those before it or not.
        texts: Columns of the row that words without an operator are looked for in.
    """
    row = _Row(tables, texts)
    return and_(true(), *(or_(*map(row.meets, clause)) for clause in query.clauses))


class _Row:
    """What a row of the list is made of."""

    def __init__(self, tables: Sequence[Table], texts: Sequence[ColumnElement[Any]]) -> None:
        self._tables = tables
        self._texts = texts

    def meets(self, term: Term) -> Sql:
        """Return the condition that it meets a term."""
        found = self._condition(term.condition)
        # Where a host has no port all columns of the port are NULL: it does not meet what is asked of a port.
        return not_(func.coalesce(found, false())) if term.negated else found

    def _condition(self, condition: Condition) -> Sql:
        if isinstance(condition, PortTerm):
            return self._of(records.ports, in_state(condition))
        if isinstance(condition, NetworkTerm):
            return self._of(records.hosts, _within(condition))
        if isinstance(condition, TimeTerm):
            return self._of(records.scans, _began(condition))
        if condition.subject is Subject.ANY:
            return _contains(condition.text, *self._texts)
        if condition.subject is Subject.SCRIPT:
            return self._of(records.scripts, _contains(condition.text, _SCRIPTS.script, _SCRIPTS.output))
        if condition.subject is Subject.OS:
            named = self._of(records.hosts, _contains(condition.text, _HOSTS.os_name))
            guesses = _contains(condition.text, _MATCHES.name, _MATCHES.classes, _MATCHES.cpe)
            return or_(named, self._of(records.os_matches, guesses))
        if condition.subject is Subject.TARGET and records.hosts not in self._tables:
            asked_for = self._of(records.scans, _contains(condition.text, _SCANS.targets))
            return or_(asked_for, self._of_text(condition))
        return self._of_text(condition)

    def _of_text(self, term: TextTerm) -> Sql:
        table, meets = _TEXTS[term.subject]
        return self._of(table, meets(term.text))

    def _of(self, table: Table, meets: Sql) -> Sql:
        """Return the condition on the row itself, or that a row of another table belongs to it and meets it."""
        if table in self._tables:
            return meets
        query = select(1).select_from(table).where(self._link(table), meets)
        return exists(query.correlate(*self._tables))

    def _link(self, table: Table) -> Sql:
        """Return how rows of another table belong to this row."""
        if records.hosts not in self._tables:
            return table.c.scan_id == _SCANS.id
        if table is records.scans:
            return _SCANS.id == _HOSTS.scan_id
        same_host = and_(table.c.scan_id == _HOSTS.scan_id, table.c.ordinal == _HOSTS.ordinal)
        if table is records.scripts and records.ports in self._tables:
            same_port = and_(_SCRIPTS.protocol == _PORTS.protocol, _SCRIPTS.number == _PORTS.number)
            return and_(same_host, or_(same_port, _SCRIPTS.protocol == _OF_HOST))
        return same_host


def _contains(text: str, *columns: ColumnElement[Any]) -> Sql:
    """Return the condition that some column contains a text, ``%`` and ``_`` meaning themselves."""
    # As text: a column of JSON would turn the text into JSON too, and find whole elements only.
    return or_(*(type_coerce(column, Text).icontains(text, autoescape=True) for column in columns))


def _contained_in(*columns: ColumnElement[Any]) -> Callable[[str], Sql]:
    return lambda text: _contains(text, *columns)


def _equals(column: ColumnElement[str]) -> Callable[[str], Sql]:
    return lambda text: column == text


def in_state(term: PortTerm, ports: Columns = _PORTS) -> Sql:
    """Return the condition that a row of ports, or of an alias of it, meets a term of ports."""
    protocol = (ports.protocol == term.protocol,) if term.protocol else ()
    return and_(_among(term.ranges, ports.number), ports.state == term.state, *protocol)


def _among(ranges: Sequence[tuple[int, int]], number: ColumnElement[int]) -> Sql:
    """Return the condition on a number: one by one, which an index answers, unless they are many."""
    if sum(1 + last - first for first, last in ranges) <= _MOST_NUMBERS:
        return number.in_(sorted({n for first, last in ranges for n in range(first, last + 1)}))
    return or_(*(number.between(first, last) for first, last in ranges))


def _within(term: NetworkTerm) -> Sql:
    # Also for a single address: SQLite would order it by ordinal, and read all hosts of a scan for that.
    return _HOSTS.address_key.between(term.first, term.last)


def _began(term: TimeTerm) -> Sql:
    began = type_coerce(func.coalesce(_SCANS.started, _SCANS.created), Float)
    since = (began >= term.since,) if term.since is not None else ()
    until = (began < term.until,) if term.until is not None else ()
    return and_(true(), *since, *until)


def of_service(text: str, ports: Columns = _PORTS) -> Sql:
    """Return the condition on the name of a port's service, met by way of the few names that there are."""
    service: ColumnElement[str] = ports.service
    return service.in_(select(_NAMES.c.name).where(_contains(text, _NAMES.c.name)))


def _of_owner(text: str) -> Sql:
    users = records.users.alias()
    return _SCANS.owner_id.in_(select(users.c.id).where(_contains(text, users.c.name)))


def _service_names() -> CTE:
    """Return every name of a service, each found from the one before with one look into the index."""
    ports = records.ports.alias()
    names = select(func.min(ports.c.service).label("name")).cte("service_names", recursive=True)
    following = select(func.min(ports.c.service)).where(ports.c.service > names.c.name)
    step = select(following.scalar_subquery().correlate(names)).where(names.c.name.is_not(None))
    return names.union_all(step)


_NAMES = _service_names()
_TEXTS: dict[Subject, tuple[Table, Callable[[str], Sql]]] = {
    Subject.SERVICE: (records.ports, of_service),
    Subject.PRODUCT: (records.ports, _contained_in(_PORTS.product)),
    Subject.VERSION: (records.ports, _contained_in(_PORTS.version, _PORTS.extrainfo)),
    Subject.CPE: (records.ports, _contained_in(_PORTS.cpe)),
    Subject.TARGET: (records.hosts, _contained_in(_HOSTS.address, _HOSTS.hostnames)),
    Subject.VENDOR: (records.hosts, _contained_in(_HOSTS.vendor)),
    Subject.LLADDR: (records.hosts, _contained_in(_HOSTS.lladdr)),
    Subject.INROUTE: (records.hops, _contained_in(_HOPS.address, _HOPS.hostname)),
    Subject.PROFILE: (records.scans, _contained_in(_SCANS.profile)),
    Subject.OPTION: (records.scans, _contained_in(_SCANS.arguments)),
    Subject.NAME: (records.scans, _contained_in(_SCANS.name)),
    Subject.OWNER: (records.scans, _of_owner),
    Subject.PORT_STATE: (records.ports, _equals(_PORTS.state)),
    Subject.HOST_STATE: (records.hosts, _equals(_HOSTS.status)),
    Subject.SCAN_STATE: (records.scans, _equals(_SCANS.state)),
}
"""What a term of text is a condition of, and how."""
