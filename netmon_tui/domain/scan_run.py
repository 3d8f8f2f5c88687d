"""What a scan's document says of the run itself: how it was started, its phases, how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from netmon_tui.domain.scan import (
    PhaseBegan,
    PhaseEnded,
    RunScript,
    ScanEvent,
    ScanFinished,
    ScanInfo,
    ScanStarted,
    ScreenOutput,
    Talkativeness,
    TargetSkipped,
)

MOST_TEXT = 16 * 1024 * 1024
"""Characters that are kept of a run, far more than real ones have; what comes after them is left out."""
_ENTRY = 200
"""What an entry costs besides its text."""


@dataclass(frozen=True, slots=True)
class ScanPhase:
    """``<taskbegin>`` with its ``<taskend>``: only nmap's -v writes them."""

    task: str
    extrainfo: str = ""
    """What nmap says at its end, such as ``301 total ports``; else at its beginning."""
    began: float | None = None
    ended: float | None = None
    """POSIX times."""


@dataclass(frozen=True, slots=True)
class ScanRun:
    """The run of the scanner, as its document tells it."""

    scanner: str = ""
    """``nmap`` or ``masscan``."""
    version: str = ""
    arguments: str = ""
    """The command line, as one text."""
    profile: str = ""
    """Name of Zenmap's profile."""
    format: str = ""
    """Version of the XML's form."""
    verbosity: int = 0
    debugging: int = 0
    elapsed: float | None = None
    """Seconds."""
    summary: str = ""
    exit: str = ""
    """``success`` or ``error``; empty when the document has no end."""
    error: str = ""
    output: str = ""
    """nmap's text, where Zenmap saved it."""
    infos: tuple[ScanInfo, ...] = ()
    skipped: tuple[TargetSkipped, ...] = ()
    phases: tuple[ScanPhase, ...] = ()
    scripts: tuple[RunScript, ...] = ()
    """What ran before and after all hosts."""


@dataclass(slots=True)
class RunReader:
    """Puts a run together from the events of its document."""

    run: ScanRun = ScanRun()
    """What is known of single values so far; see :meth:`whole` for the rest."""
    _room: int = MOST_TEXT
    _infos: list[ScanInfo] = field(default_factory=list)
    _skipped: list[TargetSkipped] = field(default_factory=list)
    _phases: list[ScanPhase] = field(default_factory=list)
    _scripts: list[RunScript] = field(default_factory=list)

    def take(self, event: ScanEvent) -> None:
        """Take what an event says of the run."""
        match event:
            case ScanStarted(scanner, args, _, version, profile, form):
                run = replace(self.run, scanner=scanner, version=version, arguments=args)
                self.run = replace(run, profile=profile, format=form)
            case Talkativeness("verbose", level):
                self.run = replace(self.run, verbosity=level)
            case Talkativeness(_, level):
                self.run = replace(self.run, debugging=level)
            case ScreenOutput(text):
                self.run = replace(self.run, output=text)
            case ScanFinished(_, elapsed, summary, ending, error):
                self.run = replace(self.run, elapsed=elapsed, summary=summary, exit=ending, error=error)
            case ScanInfo(kind, protocol, _, services) if self._fits(kind, protocol, services):
                self._infos.append(event)
            case RunScript(_, script) if self._fits(script.output, repr(script.data)):
                self._scripts.append(event)
            case TargetSkipped(target, status, reason) if self._fits(target, status, reason):
                self._skipped.append(event)
            case PhaseBegan(task, time, extrainfo) if self._fits(task, extrainfo):
                self._phases.append(ScanPhase(task, extrainfo, time))
            case PhaseEnded():
                self._end_phase(event)

    def _fits(self, *texts: str) -> bool:
        """Take room for an entry, if there is any."""
        cost = _ENTRY + sum(map(len, texts))
        fits = cost <= self._room
        self._room -= cost if fits else 0
        return fits

    def _end_phase(self, event: PhaseEnded) -> None:
        """Close the latest phase of that name that is open."""
        for place in range(len(self._phases) - 1, max(-1, len(self._phases) - 20), -1):
            phase = self._phases[place]
            if phase.task == event.task and phase.ended is None:
                said = event.extrainfo or phase.extrainfo
                self._phases[place] = replace(phase, extrainfo=said, ended=event.time)
                return

    @property
    def infos(self) -> list[ScanInfo]:
        """Which ports were asked for, so far."""
        return self._infos

    def whole(self) -> ScanRun:
        """Return the run with everything that comes in numbers."""
        return replace(
            self.run,
            infos=tuple(self._infos),
            skipped=tuple(self._skipped),
            phases=tuple(self._phases),
            scripts=tuple(self._scripts),
        )
