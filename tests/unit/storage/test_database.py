"""The engine, the writer and the schema, on real SQLite files."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from netmon_tui.errors import DatabaseDamaged, DatabaseLocked, DatabaseTooNew, DiskFull
from netmon_tui.storage import records
from netmon_tui.storage.database import Database, bulk_insert, portable_insert
from netmon_tui.storage.schema_version import HEAD_REVISION, back_up, check_integrity, open_database


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def audit_row(action: str) -> dict[str, object]:
    return {"time": None, "actor": "ada", "action": action, "subject": "", "detail": ""}


@pytest.fixture
def database(tmp_path):
    database = open_database(url(tmp_path / "n.sqlite3"), backups=tmp_path)
    yield database
    database.close()


def add_event(database: Database, action: str) -> None:
    row = audit_row(action) | {"time": __import__("datetime").datetime.now(__import__("datetime").UTC)}
    database.write(lambda connection: connection.execute(insert(records.audit_events), row))


def actions(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(records.audit_events.c.action)).scalars())


def shape(connection) -> dict[str, object]:
    """Everything a schema consists of, as SQLAlchemy reads it back."""
    inspector = inspect(connection)
    return {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["primary_key"])
                for c in inspector.get_columns(name)
            ],
            "indexes": sorted((i["name"], tuple(i["column_names"])) for i in inspector.get_indexes(name)),
            "unique": sorted(
                (u["name"], tuple(u["column_names"])) for u in inspector.get_unique_constraints(name)
            ),
            "foreign": sorted(
                (f["name"], tuple(f["constrained_columns"]), f["referred_table"], str(f["options"]))
                for f in inspector.get_foreign_keys(name)
            ),
            "primary": inspector.get_pk_constraint(name)["name"],
            "rowid": inspector.get_table_options(name),
            "autoincrement": "AUTOINCREMENT"
            in connection.execute(
                text("SELECT sql FROM sqlite_master WHERE name = :n"), {"n": name}
            ).scalar_one(),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def test_the_migrated_schema_equals_the_tables(tmp_path, database):
    models = Database(url(tmp_path / "models.sqlite3"))
    models.write(lambda connection: records.metadata.create_all(connection))
    with database.read() as migrated, models.read() as declared:
        assert shape(migrated) == shape(declared)
    models.close()


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005", "0006", "0008"])
def test_an_older_database_is_copied_and_brought_up_to_date(tmp_path, revision):
    from alembic import command

    from netmon_tui.storage import schema_version

    path = tmp_path / "n.sqlite3"
    older = Database(url(path))
    older.create_file()
    config = schema_version._alembic_config()

    def begin(connection):
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    older.write(begin)
    scan = {
        "owner_id": 1, "name": "before", "targets": "[]", "profile": "", "arguments": "", "command": "[]",
        "state": "completed", "directory": "", "created": 1.0, "percent": 100.0, "phase": "", "hosts_up": 0,
        "hosts_down": 0, "hosts_total": 0, "ports_open": 0, "hosts_stored": 0, "scaninfo": "[]",
        "nmap_version": "", "warnings": "[]", "error": "", "imported": 0,
    }  # fmt: skip
    columns, marks = ", ".join(scan), ", ".join(f":{name}" for name in scan)
    user = "INSERT INTO users (id, name, password_hash, role, state, email, created, failures)"
    older.write(lambda c: c.execute(text(f"{user} VALUES (1, 'ada', '', 'admin', 'active', '', 1.0, 0)")))
    older.write(lambda c: c.execute(text(f"INSERT INTO scans ({columns}) VALUES ({marks})"), scan))
    older.close()
    (tmp_path / "backups").mkdir()
    newer = open_database(url(path), backups=tmp_path / "backups")
    with newer.read() as connection:
        row = connection.execute(select(records.scans)).one()
        assert connection.execute(select(records.profiles)).all() == []
    newer.close()
    assert (row.name, row.pinned, row.compared_with, row.changes) == ("before", False, None, None)
    (copy,) = (tmp_path / "backups").iterdir()
    with sqlite3.connect(copy) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)
        assert raw.execute("SELECT name FROM scans").fetchone() == ("before",)


def test_head_revision_is_the_newest_script():
    from alembic.script import ScriptDirectory

    from netmon_tui.storage.schema_version import _alembic_config

    assert ScriptDirectory.from_config(_alembic_config()).get_current_head() == HEAD_REVISION


def test_file_modes_and_pragmas(database):
    add_event(database, "x")
    for path in database.path.parent.glob("n.sqlite3*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with database.read() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 5000}


def test_a_second_opening_finds_everything(tmp_path, database):
    add_event(database, "kept")
    database.close()
    again = open_database(url(tmp_path / "n.sqlite3"), backups=tmp_path)
    assert actions(again) == ["kept"]
    again.close()


def test_a_newer_database_is_refused_and_untouched(tmp_path, database):
    database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num='9999'")))
    database.close()
    with pytest.raises(DatabaseTooNew) as caught:
        open_database(url(tmp_path / "n.sqlite3"), backups=tmp_path)
    assert caught.value.exit_code == 5
    with sqlite3.connect(tmp_path / "n.sqlite3") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_named_and_untouched(tmp_path, content):
    path = tmp_path / "n.sqlite3"
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged):
        open_database(url(path), backups=tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("empty_file", [True, False])
def test_an_empty_file_beside_results_is_not_a_first_run(tmp_path, empty_file):
    evidence = tmp_path / "jobs"
    (evidence / "scan-1").mkdir(parents=True)
    if empty_file:
        (tmp_path / "n.sqlite3").touch()
    with pytest.raises(DatabaseDamaged):
        open_database(url(tmp_path / "n.sqlite3"), backups=tmp_path, evidence=evidence)


def test_a_locked_database_says_so(tmp_path, database):
    impatient = Database(url(tmp_path / "n.sqlite3"), busy_timeout_ms=50)
    holder = sqlite3.connect(tmp_path / "n.sqlite3", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseLocked):
        add_event(impatient, "refused")
    holder.execute("ROLLBACK")
    holder.close()
    add_event(impatient, "accepted")
    assert actions(impatient) == ["accepted"]
    impatient.close()


def test_one_failing_unit_does_not_spoil_its_neighbours(database):
    hold = threading.Event()
    first = database.submit(lambda c: hold.wait(5))
    bad = database.submit(lambda c: 1 // 0)
    good = database.submit(lambda c: c.execute(insert(records.neighbours), _neighbour()).rowcount)
    hold.set()
    assert first.result(5) is True
    with pytest.raises(ZeroDivisionError):
        bad.result(5)
    assert good.result(5) == 1
    with database.read() as connection:
        assert len(connection.execute(select(records.neighbours)).all()) == 1


def _neighbour() -> dict[str, object]:
    from datetime import UTC, datetime

    return {
        "first_seen": datetime.now(UTC),
        "last_seen": datetime.now(UTC),
        "family": "ipv4",
        "address": "192.0.2.1",
        "interface": "eth0",
        "lladdr": "",
        "router": False,
    }


def test_many_writers_lose_nothing(tmp_path, database):
    other = Database(url(tmp_path / "n.sqlite3"))
    threads = [
        threading.Thread(target=lambda d=d, n=n: [add_event(d, f"{n}-{i}") for i in range(40)])
        for n, d in enumerate((database, other, database, other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(actions(database)) == sorted(f"{n}-{i}" for n in range(4) for i in range(40))
    other.close()


def test_a_full_disk_is_named_and_nothing_is_half_done(tmp_path, database):
    with database.read() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()

    def fill(connection):
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 5}")
        bulk_insert(
            connection,
            records.neighbours,
            [("eth0", f"{i}" + "x" * 3000, "ipv4", "", 0, 0.0, 0.0, 0, 0) for i in range(1, 100)],
        )

    with pytest.raises(DiskFull):
        database.write(fill)
    with database.read() as connection:
        assert connection.execute(select(records.neighbours)).all() == []
    assert check_integrity(database) == ()


def test_back_up_is_a_whole_private_copy(tmp_path, database):
    add_event(database, "kept")
    target = tmp_path / "copy.sqlite3"
    back_up(database, target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    copy = open_database(url(target), backups=tmp_path)
    assert actions(copy) == ["kept"]
    copy.close()


def test_a_writer_without_a_connection_says_so_and_goes_on(database):
    database.engine.pool._timeout = 0.05
    held = [database.engine.connect() for _ in range(15)]  # all that the pool gives
    with pytest.raises(PoolTimeout):
        add_event(database, "refused")
    for connection in held:
        connection.close()
    add_event(database, "kept")
    assert actions(database) == ["kept"]


def test_rows_go_in_the_same_way_through_portable_parameters(database):
    rows = [("eth0", f"192.0.2.{n}", "ipv4", "", n % 2 == 0, 1.5, 2.5, 0, 0) for n in range(5)]
    names = records.neighbours.c.keys()
    parameters = [dict(zip(names, row, strict=True)) for row in rows[3:]]
    database.write(lambda c: bulk_insert(c, records.neighbours, rows[:3]))
    database.write(lambda c: c.execute(portable_insert(records.neighbours), parameters))
    with database.read() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM neighbours ORDER BY address").all()
    assert [tuple(row) for row in stored] == rows


def test_what_comes_while_the_writer_ends_is_done_by_another(database):
    begun, may_end = threading.Event(), threading.Event()

    def slow(_connection):
        begun.set()
        return may_end.wait(30)

    first = database.submit(slow)
    assert begun.wait(30)
    closing = threading.Thread(target=database.close, daemon=True)
    closing.start()
    while database._writer is not None:
        closing.join(0.01)
    late = database.submit(lambda _connection: "done")
    may_end.set()
    closing.join(30)
    assert not closing.is_alive()
    assert first.result(30) and late.result(30) == "done"
    database.close()
