"""Which text a list is filtered by."""

from pathlib import Path

import pytest

from netmon_tui.domain.user import Actor, Role, UserState
from netmon_tui.domain.window import Window
from netmon_tui.storage.account_repository import AccountRepository, NewUser
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.scan_repository import ScanRepository
from netmon_tui.storage.schema_version import open_database


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("192.0", True),
        ("2.0/24", True),
        ("EXAMPLE", True),
        ("%", False),
        ("198.51", False),
        ("!198.51", True),
        ("!192.0", False),
        ("", True),
        ("!", True),
    ],
)
def test_a_list_column_is_searched_as_text(tmp_path: Path, text: str, found: bool) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'n.db'}", backups=tmp_path)
    event = NewEvent("user.create")
    user = AccountRepository(database).create(
        NewUser("ada", "", Role.ADMIN, UserState.ACTIVE, "", event.time), event
    )
    ada = Actor(user.id, user.name, user.role)
    scans = ScanRepository(database)
    scans.create(ada, targets=("192.0.2.0/24", "web.example"), profile="", arguments="", jobs=tmp_path)
    assert (len(scans.find(ada, Window(text=text))), scans.count(ada, text)) == ((1, 1) if found else (0, 0))
    database.close()
