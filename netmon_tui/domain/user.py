"""Users, roles and who is acting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from netmon_tui.errors import NotAllowed


class Permission(StrEnum):
    """Something a role may or may not do."""

    VIEW = "view"
    SCAN = "scan"
    CAPTURE = "capture"
    IMPORT = "import"
    EXPORT = "export"
    DELETE = "delete"
    EDIT_NEIGHBOURS = "edit_neighbours"
    """Change the kernel's neighbour table."""
    MARK_NEIGHBOURS = "mark_neighbours"
    SEE_ALL = "see_all"
    """See and manage what others own."""
    MANAGE_USERS = "manage_users"
    SEE_AUDIT = "see_audit"
    BACK_UP = "back_up"
    """Copy the whole database: everybody's results and all password hashes."""


class Role(StrEnum):
    """What a user is."""

    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the role may do."""
        return _PERMISSIONS[self]


_VIEWER = frozenset({Permission.VIEW, Permission.EXPORT})
_OPERATOR = _VIEWER | {
    Permission.SCAN,
    Permission.CAPTURE,
    Permission.IMPORT,
    Permission.DELETE,
    Permission.EDIT_NEIGHBOURS,
    Permission.MARK_NEIGHBOURS,
}
_PERMISSIONS = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: frozenset(Permission),
}


class UserState(StrEnum):
    """Whether a user may log in."""

    ACTIVE = "active"
    PENDING = "pending"
    """Registered, waiting for an administrator."""
    DISABLED = "disabled"


LONGEST_LIST = 16_384
"""Characters of a user's never-scan list: with everybody's it must fit into a command."""


@dataclass(frozen=True, slots=True)
class ScanLimits:
    """What the scans of one user are held to, besides what the settings say for everybody."""

    never_scan: str = ""
    """Addresses, networks and host names that they never touch, canonical, with spaces between."""
    maximum_rate: int = 0
    """Probes a second that they may send; 0 for no ceiling."""

    @property
    def words(self) -> str:
        """Both in a few words, such as ``100/s, 3 never``; empty without either."""
        rate = f"{self.maximum_rate}/s" if self.maximum_rate else ""
        never = f"{len(self.never_scan.split())} never" if self.never_scan else ""
        return ", ".join(filter(None, (rate, never)))


@dataclass(frozen=True, slots=True)
class User:
    """An account, without its secrets."""

    id: int
    name: str
    role: Role
    state: UserState
    email: str
    created: datetime
    last_login: datetime | None = None
    failures: int = 0
    """Failed logins in a row."""
    locked_until: datetime | None = None
    limits: ScanLimits = ScanLimits()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something; handed to every service call."""

    user_id: int
    name: str
    role: Role

    def may(self, permission: Permission) -> bool:
        """Whether the role includes the permission."""
        return permission in self.role.permissions

    def require(self, permission: Permission) -> None:
        """Refuse with :class:`~netmon_tui.errors.NotAllowed` unless the role includes the permission."""
        if not self.may(permission):
            raise NotAllowed(
                f"{self.name} ({self.role}) may not {permission.replace('_', ' ')}",
                fix="an administrator can change the role",
            )


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One row of the audit trail."""

    id: int
    time: datetime
    actor: str
    action: str
    """Dotted, such as ``scan.start`` or ``login.failure``."""
    subject: str
    """What it was done to, such as ``scan 42``."""
    detail: str
