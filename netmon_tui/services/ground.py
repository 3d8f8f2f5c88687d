"""What all services stand on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from netmon_tui.config.paths import Paths
from netmon_tui.config.settings import Settings
from netmon_tui.runtime.privilege import Privilege
from netmon_tui.services.accounts import AccountService
from netmon_tui.services.supervision import JobSupervisor
from netmon_tui.storage.audit_repository import AuditRepository
from netmon_tui.storage.database import Database
from netmon_tui.storage.job_repository import JobRepository


class Ground(NamedTuple):
    """What there is of everything once, and each service is built with."""

    settings: Settings
    paths: Paths
    privilege: Privilege
    session: Mapping[str, str]
    """The environment that names the SSH session we are used through."""
    machine: str
    """What names this machine."""
    database: Database
    audit: AuditRepository
    jobs: JobRepository
    supervisor: JobSupervisor
    accounts: AccountService
