"""What is set aside for a full disk, on real SQLite files and a real small disk."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text

from netmon_tui.errors import DatabaseDamaged, DiskFull
from netmon_tui.storage import reserve
from netmon_tui.storage.database import Database
from netmon_tui.storage.reserve import RESERVE_BYTES, Reserve
from netmon_tui.storage.schema_version import open_database

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "n.sqlite3"


def made(file: Path) -> Reserve:
    found = Reserve(file)
    found.set_aside()
    return found


def test_it_is_private_whole_and_left_alone(file):
    found = made(file)
    status = found.path.stat()
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (RESERVE_BYTES, 0o600)
    assert status.st_blocks * 512 >= RESERVE_BYTES, "the space is taken, not only named"
    found.set_aside()
    assert found.path.stat().st_mtime_ns == status.st_mtime_ns
    found.give_up()
    found.give_up()
    assert not found.path.exists()


@pytest.mark.parametrize(
    ("free", "size"), [(100 << 10, 0), (1200 << 10, 600 << 10), (9 << 20, RESERVE_BYTES)]
)
def test_where_there_is_little_room_it_is_smaller_and_grows_with_it(file, monkeypatch, free, size):
    with monkeypatch.context() as patch:
        patch.setattr(reserve, "disk_usage", lambda _: SimpleNamespace(free=free))
        found = made(file)
    assert (found.path.stat().st_size if found.path.exists() else 0) == size
    found.set_aside()
    assert found.path.stat().st_size == RESERVE_BYTES


def test_a_link_in_its_place_is_not_followed(file, tmp_path):
    Reserve(file).path.symlink_to(tmp_path / "elsewhere")
    made(file)
    assert not (tmp_path / "elsewhere").exists()


def test_what_may_be_removed_by_hand_is_told(file, tmp_path):
    for name in ("log", "jobs", "backups", "exports"):
        (tmp_path / name).mkdir()
    reserve = Reserve(file, [tmp_path / "log", tmp_path / "exports", tmp_path / "backups"], tmp_path / "jobs")
    assert reserve.removable_by_hand() == ""
    for name, size in (("capture-1", 3 << 20), ("capture-2", 100)):
        (tmp_path / "jobs" / name).mkdir()
        (tmp_path / "jobs" / name / "capture.pcap").write_bytes(bytes(size))
    lost = f"the largest result, {tmp_path}/jobs/capture-1/capture.pcap (3.0 MiB), can be removed by hand, "
    lost += "and is lost then"
    assert reserve.removable_by_hand() == lost
    (tmp_path / "log/netmon-tui.log").write_bytes(bytes(5_000))
    (tmp_path / "backups/old.sqlite3").write_bytes(bytes(3 << 20))
    words = f"what is in {tmp_path}/log (4.9 KiB), {tmp_path}/backups (3.0 MiB) may be removed by hand"
    assert reserve.removable_by_hand() == words
    assert Reserve(file).removable_by_hand() == "", "what else is beside a database is none of ours"


def test_a_unit_that_meets_a_full_disk_is_tried_again_with_the_reserve_given_up(file):
    database = Database(f"sqlite:///{file}")
    database.set_aside()
    there = Reserve(file).path
    seen = []

    def work(connection):
        seen.append(there.exists())
        connection.exec_driver_sql(f"PRAGMA max_page_count={1 if there.exists() else 100}")
        connection.exec_driver_sql("CREATE TABLE found (name)")
        return "done"

    try:
        assert database.write(work) == "done"
        assert seen == [True, True, False], "with others, alone, and with the reserve given up"
        assert there.exists(), "it is made again when there is room"
    finally:
        database.close()


def test_a_disk_that_stays_full_is_told_with_what_may_be_removed(file, tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports/scan.csv").write_bytes(bytes(2_000))
    database = Database(f"sqlite:///{file}", unneeded=[tmp_path / "exports"])

    def work(connection):
        connection.exec_driver_sql("PRAGMA max_page_count=1")
        connection.exec_driver_sql("CREATE TABLE found (name)")

    try:
        with pytest.raises(
            DiskFull, match=r"nothing was changed; what is in .*/exports \(2.0 KiB\) may be removed"
        ):
            database.write(work)
        with create_engine(f"sqlite:///{file}").connect() as other:
            assert other.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one() == 0
    finally:
        database.close()


ON_A_FULL_DISK = """
import os, sys
from pathlib import Path
from netmon_tui.storage.database import Database

def fill():
    free = os.statvfs(disk).f_bavail * 4096
    with open(disk / "ballast", "ab") as ballast:
        ballast.write(bytes(free))

disk = Path(sys.argv[1])
url = f"sqlite:///{disk / 'n.sqlite3'}"
first = Database(url)
first.write(lambda c: c.exec_driver_sql("CREATE TABLE found (id INTEGER PRIMARY KEY, what TEXT)"))
first.write(lambda c: [c.exec_driver_sql("INSERT INTO found VALUES (?, ?)", (n, "x" * 2000)) for n in range(500)])
first.close()
fill()
first, second = Database(url), Database(url)
with first.read() as connection:
    print(connection.exec_driver_sql("SELECT count(*) FROM found").scalar_one())
fill()
# Far more pages in all than there is room for: the journal must begin anew.
for turn in range(20):
    for program in (first, second):
        program.write(lambda c: c.exec_driver_sql("UPDATE found SET what = ? WHERE id < 100", ("y" * 2000,)))
        fill()
second.write(lambda c: c.exec_driver_sql("DELETE FROM found WHERE id < 200"))
with first.read() as connection:
    print(connection.exec_driver_sql("SELECT count(*) FROM found").scalar_one())
second.close()
first.close()
"""


@pytest.mark.lab
@as_root
def test_two_programs_read_change_and_delete_on_a_disk_without_a_free_byte(tmp_path):
    command = 'mount -t tmpfs -o size=4m,mode=700 none "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", command, "sh", str(tmp_path), sys.executable, ON_A_FULL_DISK],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.stdout.split() == ["500", "300"], done.stderr


def test_units_that_are_too_large_do_not_fail_those_beside_them(file):
    database = Database(f"sqlite:///{file}")
    database.set_aside()
    holds = threading.Event()

    def create(connection):
        connection.exec_driver_sql("CREATE TABLE found (name)")

    def large(connection):
        connection.exec_driver_sql("PRAGMA max_page_count=3")
        connection.exec_driver_sql("INSERT INTO found VALUES (zeroblob(50000))")

    def small(connection):
        connection.exec_driver_sql("INSERT INTO found VALUES ('x')")

    try:
        database.write(create)
        first = database.submit(lambda _: holds.wait(20))
        units = [database.submit(work) for work in (small, large, small)]
        holds.set()
        assert first.result()
        assert [type(unit.exception()) for unit in units] == [type(None), DiskFull, type(None)]
    finally:
        database.close()


def test_what_is_no_database_gets_no_reserve(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database at all, but some notes of somebody\n" * 100)
    with pytest.raises(DatabaseDamaged):
        open_database(f"sqlite:///{notes}", backups=tmp_path / "backups")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
