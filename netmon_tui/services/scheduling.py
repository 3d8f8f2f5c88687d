"""Scans and captures that repeat: whose they are, when they run, and that each run is started once.

Whatever program looks first claims what is due and starts it as the schedule's owner, with the role of today:
every refusal and every limit counts as if the owner had started it. A run that comes to nothing is
told of in the schedule, and the next one comes at its time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from netmon_tui.domain.owned import LONGEST_NAME, OWNER_MARK, name_key
from netmon_tui.domain.scan import Scan, ScanPreview, StartScan, require_confirmed
from netmon_tui.domain.schedule import (
    Runner,
    SaveSchedule,
    Schedule,
    SchedulePreview,
    When,
)
from netmon_tui.domain.user import Actor, Permission, Role
from netmon_tui.errors import InvalidInput, NetmonError, NotAllowed, NotFound, PrivilegeMissing, ToolMissing
from netmon_tui.services.keeping import checked_name
from netmon_tui.services.scheduled_captures import ScheduledCaptures
from netmon_tui.storage.audit_repository import NewEvent
from netmon_tui.storage.schedule_repository import Claim, Outcome, ScheduleRepository
from netmon_tui.tools.nmap_mentions import mentions_foreign
from netmon_tui.tools.schedule_times import (
    checked,
    following,
    in_words,
    interval_text,
    next_times,
    parse_interval,
)

CLAIM_SECONDS = 120.0
"""How long a program may take to start a run before another one takes it to be dead."""
PATIENCE = {Runner.WORKER: timedelta(0), Runner.APP: timedelta(seconds=15)}
"""How long a run must be due: the worker comes first, for it is the one that was given nmap's privileges."""
LATE = timedelta(minutes=5)
"""After so long a run was missed, and not only late."""
SHOWN_TIMES = 5
TIMES_HELP = "an interval as 1d12h, or five fields as 0 3 * * mon-fri, or @daily"
_log = logging.getLogger(__name__)


class SchedulingService:
    """Schedules, and the starts of their scans and captures. Every call but :meth:`start_one_due` takes the actor.

    Args:
        schedules: Storage.
        start, plan: Start a scan, or say what would be started, as :class:`ScanningService` does.
        captures: The same for captures.
        today: Returns an account with today's role, or None when it may not be used.
        zone: Name of this machine's time zone.
        clock: The present, in UTC.
    """

    def __init__(
        self,
        *,
        schedules: ScheduleRepository,
        start: Callable[[Actor, StartScan], Awaitable[Scan]],
        plan: Callable[[Actor, StartScan], Awaitable[ScanPreview]],
        captures: ScheduledCaptures,
        today: Callable[[Actor], Awaitable[Actor | None]],
        zone: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedules = schedules
        self._start_scan = start
        self._plan = plan
        self._captures = captures
        self._today = today
        self._clock = clock
        self._holder = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.zone = zone
        """What a new schedule goes by unless it says otherwise."""

    def when(self, *, every: str = "", cron: str = "", zone: str = "") -> When:
        """Return times as typed; which of them may be is :meth:`preview`'s to say.

        Raises:
            InvalidInput: Both or none are given, or the interval is none.
        """
        if bool(every.strip()) == bool(cron.strip()):
            raise InvalidInput("a schedule needs either an interval or a cron expression", fix=TIMES_HELP)
        return When(parse_interval(every) if every.strip() else 0, cron, zone.strip() or self.zone)

    def when_typed(self, text: str, zone: str) -> When:
        """Return times as typed into one field: an interval or a cron expression; raises InvalidInput."""
        if not text.strip():
            raise InvalidInput("when is not said yet", fix=TIMES_HELP)
        is_cron = text.strip().startswith("@") or len(text.split()) > 2
        return self.when(cron=text, zone=zone) if is_cron else self.when(every=text, zone=zone)

    def typed(self, when: When) -> str:
        """Return times as :meth:`when_typed` reads them."""
        return when.cron or interval_text(when.every)

    async def find_all(self, actor: Actor) -> list[Schedule]:
        """Return the schedules that the actor may see, the actor's own first, with their times in words."""
        return await asyncio.to_thread(self._find_all, actor)

    def _find_all(self, actor: Actor) -> list[Schedule]:
        return [self._with_words(schedule) for schedule in self._schedules.find(actor)]

    async def find(self, actor: Actor, reference: str) -> Schedule:
        """Return the schedule that the actor means by a name, or by ``OWNER/NAME`` for another's.

        Raises:
            NotFound: There is none, or it is not the actor's to see.
        """
        owner, mark, name = reference.rpartition(OWNER_MARK)
        wanted = name_key(name)
        for schedule in await self.find_all(actor):
            is_meant = schedule.owner == owner if mark else schedule.owner_id == actor.user_id
            if is_meant and name_key(schedule.name) == wanted:
                return schedule
        raise NotFound(f"no schedule {reference[:LONGEST_NAME]!a}", fix="netmon-tui schedule list shows them")

    async def create(self, actor: Actor, new: SaveSchedule, *, enabled: bool = True) -> Schedule:
        """Make a schedule of the actor.

        Raises:
            InvalidInput: The name is taken or no name, the times are refused, or a start would be.
            NotAllowed: The actor may not scan, or not capture.
        """
        actor.require(Permission.SCAN)
        saved = await self._checked(actor, new)
        next_run = await asyncio.to_thread(following, saved.when, self._clock()) if enabled else None
        return self._with_words(await asyncio.to_thread(self._schedules.create, actor, saved, next_run))

    async def change(self, actor: Actor, schedule: Schedule, new: SaveSchedule) -> Schedule:
        """Make a schedule another one; other times begin anew.

        Raises:
            InvalidInput: As :meth:`create`.
            NotAllowed: It is another's, or as :meth:`create`.
            NotFound: There is none, or it is not the actor's to see.
        """
        current = await self._changeable(actor, schedule)
        saved = await self._checked(await self._whose(actor, current), new)
        next_run = current.next_run
        if current.enabled and saved.when != current.when:
            next_run = await asyncio.to_thread(following, saved.when, self._clock())
        changed = await asyncio.to_thread(self._schedules.change, actor, current, saved, next_run)
        return self._with_words(changed)

    async def enable(self, actor: Actor, schedule: Schedule, *, enabled: bool) -> Schedule:
        """Let a schedule run from now on, or no longer; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, schedule)
        if current.enabled == enabled:
            return self._with_words(current)
        next_run = await asyncio.to_thread(following, current.when, self._clock()) if enabled else None
        changed = await asyncio.to_thread(self._schedules.set_next_run, actor, current, next_run)
        return self._with_words(changed)

    async def delete(self, actor: Actor, schedule: Schedule) -> None:
        """Delete a schedule, its scans and captures stay; raises NotAllowed and NotFound as :meth:`change`."""
        current = await self._changeable(actor, schedule)
        await asyncio.to_thread(self._schedules.delete, actor, current)

    async def preview(
        self, actor: Actor, new: SaveSchedule, changed: Schedule | None = None
    ) -> SchedulePreview:
        """Return when a schedule would run, and why it is refused, if it is.

        Args:
            actor: Who asks.
            new: What it is to be.
            changed: The one that is to become it: then its owner's profiles count.
        """
        found = SchedulePreview()
        try:
            found = await asyncio.to_thread(lambda: self._times(checked(new.when)))
            await self._checked(await self._whose(actor, changed), new)
        except NetmonError as error:
            return replace(found, error=str(error))
        return found

    async def times(self, schedule: Schedule) -> tuple[datetime, ...]:
        """Return the next run times, in the zone of the schedule; none while it is disabled."""
        if schedule.next_run is None:
            return ()
        return (await asyncio.to_thread(self._times, schedule.when, schedule.next_run)).times

    def _times(self, when: When, seen: datetime | None = None) -> SchedulePreview:
        times = next_times(when, self._clock(), SHOWN_TIMES, seen and seen - timedelta(seconds=when.every))
        return SchedulePreview(_words(when, self.zone), times)

    async def _whose(self, actor: Actor, changed: Schedule | None) -> Actor:
        """Return as whom a schedule would run that the actor makes or changes."""
        return (None if changed is None else await self._owner_of(changed)) or actor

    async def _changeable(self, actor: Actor, schedule: Schedule) -> Schedule:
        """Return a schedule as it is now, if the actor may change it."""
        actor.require(Permission.SCAN)
        current = await asyncio.to_thread(self._schedules.get, actor, schedule.id)
        if not current.is_changed_by(actor):
            raise NotAllowed(f"{current.name} is a schedule of {current.owner}")
        return current

    async def _checked(self, owner: Actor, new: SaveSchedule) -> SaveSchedule:
        """Return what is stored; refuse what a start would refuse today."""
        name = checked_name(new.name, "schedule")
        saved = replace(new, name=name, when=await asyncio.to_thread(checked, new.when))
        if saved.capture is not None:
            await self._captures.refuse(owner, saved.capture)
            return saved
        try:
            preview = await self._plan(owner, _request(saved))
            _refuse_what_may_change(saved, preview.to_confirm)
            require_confirmed(preview.to_confirm, confirmed=saved.confirmed)
        except (PrivilegeMissing, ToolMissing):
            _log.debug("this program could not run %r itself", name)  # the worker may be allowed more
        return saved

    def _with_words(self, schedule: Schedule) -> Schedule:
        return replace(schedule, words=_words(schedule.when, self.zone))

    # starting

    async def run_now(self, actor: Actor, schedule: Schedule) -> int:
        """Start what is scheduled now, as its owner, and return its id; the next run stays when it is.

        Raises:
            InvalidInput: The last one still runs, or somebody is starting one; or the start is refused.
            NotAllowed, NotFound: As :meth:`change`.
        """
        current = await self._changeable(actor, schedule)
        now = self._clock()
        claim = await asyncio.to_thread(
            self._schedules.claim, current, self._holder, now=now, seconds=CLAIM_SECONDS
        )
        if claim is None:
            raise InvalidInput(f"{current.name} is being started already")
        started = await self._carry_out(claim, now, due=False)
        outcome = Outcome(now, claim.schedule.next_run, *_told(started))
        await self._settle(claim, outcome, actor, f"asked for by {actor.name}")
        if isinstance(started, BaseException):
            raise started
        return started

    async def start_one_due(self, runner: Runner) -> bool:
        """Start the scan or capture that has been due longest, if there is any; whether there was."""
        now = self._clock()
        claim = await asyncio.to_thread(
            self._schedules.claim_due,
            self._holder,
            now=now,
            before=now - PATIENCE[runner],
            seconds=CLAIM_SECONDS,
        )
        if claim is None:
            return False
        started = await self._carry_out(claim, now, due=True)
        error, begun = _told(started)
        try:
            next_run = await asyncio.to_thread(following, claim.schedule.when, now, claim.schedule.next_run)
        except InvalidInput as never:  # the table of time zones is another one on this machine, or since
            next_run, error = None, f"disabled: {never}"
        outcome = Outcome(now, next_run, error, begun)
        await self._settle(claim, outcome, _named_owner(claim.schedule), f"due, by the {runner}")
        return True

    async def _carry_out(self, claim: Claim, now: datetime, *, due: bool) -> int | BaseException:
        """Start what was claimed; return the id of the scan or capture, or why there is none.

        The start is looked at from outside, because one that fails for a reason nobody thought of must not be
        tried again and again.
        """
        starting = asyncio.ensure_future(self._start(claim, now, due=due))
        await asyncio.wait({starting})
        error = starting.exception()
        if error is None:
            return starting.result()
        if not isinstance(error, NetmonError):
            _log.error("starting schedule %d: %s", claim.schedule.id, error, exc_info=error)
        return error

    async def _start(self, claim: Claim, now: datetime, *, due: bool) -> int:
        schedule = claim.schedule
        if claim.lost_since is not None:
            found = await asyncio.to_thread(self._schedules.started_since, schedule, claim.lost_since)
            if found is not None:  # whoever had the claim came as far as this
                return found
        if schedule.runs:
            raise InvalidInput(
                f"{schedule.last_words} of the run before has not ended, so this one is left out"
            )
        missed = due and schedule.next_run is not None and now - schedule.next_run > LATE
        if missed and not schedule.catch_up:
            raise InvalidInput("the run was missed, for no program ran that could start it")
        owner = await self._owner_of(schedule)
        if owner is None:
            raise NotAllowed(f"the account of {schedule.owner} may not be used")
        if schedule.capture is not None:
            return await self._captures.run(owner, schedule.capture, schedule.name)
        return (await self._start_scan(owner, _request(schedule.saved))).id

    async def _owner_of(self, schedule: Schedule) -> Actor | None:
        """Return the owner with today's role, or None when the account may not be used."""
        return await self._today(_named_owner(schedule))

    async def _settle(self, claim: Claim, outcome: Outcome, actor: Actor, how: str) -> None:
        """Write down what came of a claim; of the same failure again only the schedule tells."""
        schedule, event = claim.schedule, None
        subject = f"schedule {schedule.id}"
        if outcome.started is not None:
            begun = f"{schedule.noun} {outcome.started}"
            _log.info("schedule %s of %s: %s is on its way", schedule.name, schedule.owner, begun)
            event = NewEvent("schedule.start", actor, subject, f"{schedule.name}: {begun}, {how}")
        else:
            _log.warning("schedule %s of %s: %s", schedule.name, schedule.owner, outcome.error)
            if outcome.error != schedule.last_error:
                told = f"{schedule.name}: {outcome.error}, {how}"
                event = NewEvent("schedule.failure", actor, subject, told)
        await asyncio.to_thread(self._schedules.settle, claim, outcome, event)


def _refuse_what_may_change(saved: SaveSchedule, to_confirm: Sequence[str]) -> None:
    """Refuse what could change after it was confirmed: options of a profile, hosts in another user's set."""
    if to_confirm and mentions_foreign(saved.targets, saved.arguments):
        raise InvalidInput(
            "this schedule runs scripts that may do harm on what is in a set of another user",
            why="who owns it may change it after they were confirmed",
            fix="copy the set, and use your own",
        )
    if to_confirm and saved.profile:
        raise InvalidInput(
            f"the profile {saved.profile} runs scripts that may do harm",
            why="a profile may change after they were confirmed",
            fix="write its options into the schedule",
        )


def _request(saved: SaveSchedule) -> StartScan:
    """Return what is asked of the scans; their name is the schedule's."""
    confirmed = saved.confirmed and not saved.profile  # a profile has the options of the day
    return StartScan(
        saved.targets,
        saved.arguments,
        saved.profile,
        saved.name,
        confirmed=confirmed,
        staged=saved.staged,
    )


def _told(started: int | BaseException) -> tuple[str, int | None]:
    """Return why nothing was started, and the id of what was."""
    if isinstance(started, BaseException):
        return str(started) or type(started).__name__, None
    return "", started


def _named_owner(schedule: Schedule) -> Actor:
    """Return the owner as nobody in particular: what a role allows is looked up before anything is done."""
    return Actor(schedule.owner_id, schedule.owner, Role.VIEWER)


def _words(when: When, zone: str) -> str:
    """Return when it runs, in English, with the zone when that is not this machine's."""
    words = in_words(when)
    return f"{words} ({when.zone})" if when.cron and when.zone != zone else words
