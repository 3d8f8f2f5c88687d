"""How much is remembered of neighbours, and what of it will be deleted, for the doctor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from netmon_tui.domain.check import Check, CheckStatus
from netmon_tui.errors import NetmonError
from netmon_tui.storage.neighbour_retention import Kept, NeighbourRetention


def history_check(retention: NeighbourRetention, keep_days: int) -> Check:
    """Return the doctor's line (blocking: 200,000 rows are counted in some hundredths of a second).

    Args:
        retention: What shortens the memory.
        keep_days: After how many days something is too old; 0 for never.
    """
    before = datetime.now(UTC) - timedelta(days=keep_days) if keep_days else None
    try:
        kept = retention.kept(before)
    except NetmonError as error:
        return Check("neighbour history", CheckStatus.WARN, str(error), error.fix)
    return Check("neighbour history", CheckStatus.OK, f"{_amount(kept)}; {_future(kept, keep_days)}")


def _amount(kept: Kept) -> str:
    since = f", since {kept.since:%Y-%m-%d}" if kept.since else ""
    return f"times of presence: {kept.presences:,}, events: {kept.events:,}{since}"


def _future(kept: Kept, keep_days: int) -> str:
    if not keep_days:
        return "kept for ever (neighbours.history_days = 0)"
    what = "what ended, or was acknowledged,"
    later = f"{what} is deleted after {keep_days} days (neighbours.history_days)"
    return f"{later}, {kept.due:,} of it soon" if kept.due else later
