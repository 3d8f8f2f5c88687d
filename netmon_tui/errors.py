"""Every error this program raises on purpose.

::

    NetmonError                    exit 1   something failed, and says what, why and what to do
    ├── UsageError                 exit 2   the request itself is wrong
    │   └── InvalidInput           exit 2   a value was refused (target, option, filter, file content)
    │       ├── AlreadyImported    exit 2   carries ``scan_id``, the scan that the document is
    │       ├── AlreadyCaptured    exit 2   carries ``capture_ids``, the captures that the file is
    │       └── LimitRefused       exit 2   how long, how large or in which files a capture cannot be
    ├── ToolMissing                exit 3   nmap, tcpdump or tshark is not installed
    ├── PrivilegeMissing           exit 4   the operation needs root or a capability
    ├── StorageError               exit 5   the database or the data directory
    │   ├── DatabaseLocked         exit 5
    │   ├── DatabaseDamaged        exit 5
    │   ├── DatabaseTooNew         exit 5
    │   └── DiskFull               exit 5
    ├── AccessError                exit 6   who you are, or what you may do
    │   ├── NotLoggedIn            exit 6
    │   ├── LoginRefused           exit 6   carries ``retry_after`` in seconds
    │   └── NotAllowed             exit 6
    ├── NotFound                   exit 1   no such thing, or not yours (deliberately the same)
    ├── Superseded                 exit 1   what was agreed to is no longer what would happen
    └── ToolFailed                 exit 1   a tool ended badly; carries its own words
"""


class NetmonError(Exception):
    """Base of all expected failures.

    Args:
        what: What happened, one sentence without a full stop.
        why: The reason, when it is known and not obvious.
        fix: What the user can do about it.
    """

    exit_code = 1
    title = "Failed"

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.fix = fix

    def __str__(self) -> str:
        """All that is known, in one line: ``what: why (fix)``."""
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text} ({self.fix})" if self.fix else text


class UsageError(NetmonError):
    """The request itself is wrong."""

    exit_code = 2
    title = "Not possible"


class InvalidInput(UsageError):
    """A value was refused.

    Args:
        what: What was refused and why, one sentence.
        position: Zero-based offset into the text where the trouble begins, when known.
    """

    title = "Refused"

    def __init__(self, what: str, *, why: str = "", fix: str = "", position: int | None = None) -> None:
        super().__init__(what, why=why, fix=fix)
        self.position = position


class LimitRefused(InvalidInput):
    """A limit of a capture, or what is said of its files, cannot be."""


class AlreadyImported(InvalidInput):
    """A document that is a scan already.

    Args:
        what: Which document, and which scan.
        scan_id: The scan.
    """

    title = "Already there"

    def __init__(self, what: str, *, scan_id: int) -> None:
        super().__init__(what)
        self.scan_id = scan_id


class AlreadyCaptured(InvalidInput):
    """A file that is a capture already.

    Args:
        what: Which file, and which captures.
        capture_ids: The captures.
    """

    title = "Already there"

    def __init__(self, what: str, *, capture_ids: tuple[int, ...]) -> None:
        super().__init__(what)
        self.capture_ids = capture_ids


class ToolMissing(NetmonError):
    """A program we drive is not installed."""

    exit_code = 3
    title = "Tool missing"


class PrivilegeMissing(NetmonError):
    """The operation needs root or a capability."""

    exit_code = 4
    title = "Privilege missing"


class StorageError(NetmonError):
    """The database or the data directory does not do what it must."""

    exit_code = 5
    title = "Storage"


class DatabaseLocked(StorageError):
    """Another program held the database longer than the busy timeout."""


class DatabaseDamaged(StorageError):
    """The database file is not a (whole) database."""


class DatabaseTooNew(StorageError):
    """The database was written by a newer version of this program."""


class DiskFull(StorageError):
    """No space left, or the free-space floor or a quota is reached."""


class AccessError(NetmonError):
    """Who you are, or what you may do."""

    exit_code = 6
    title = "Not allowed"


class NotLoggedIn(AccessError):
    """No login, no token, or an expired one."""

    title = "Not logged in"


class LoginRefused(AccessError):
    """Wrong name or password, locked, disabled or awaiting approval.

    Args:
        what: The reason as the user may know it.
        retry_after: Seconds until another attempt is accepted; 0 when at once.
    """

    title = "Login refused"

    def __init__(self, what: str, *, retry_after: float = 0.0) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class NotAllowed(AccessError):
    """The role does not include this operation."""


class NotFound(NetmonError):
    """No such thing, or not yours: the two are deliberately not told apart."""

    title = "Not found"


class Superseded(NetmonError):
    """What was agreed to is no longer what would happen: look again."""

    title = "Changed meanwhile"


class ToolFailed(NetmonError):
    """A tool ended badly; ``why`` carries the last of its own words."""

    title = "Tool failed"
