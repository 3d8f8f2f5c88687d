"""What a capture may have at most: what is asked for beyond that is refused, never lowered in silence."""

from __future__ import annotations

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_files import check_rotation
from netmon_tui.domain.job import JobLimits
from netmon_tui.errors import InvalidInput


def check_limits(request: StartCapture, settings: CaptureSettings) -> None:
    """Refuse a capture that may not be so long or so large.

    Raises:
        InvalidInput: Says which setting it is, or what is wrong with the rotation.
    """
    _require("seconds", request.seconds, settings.longest_run_seconds, "captures.longest_run_seconds")
    _require("bytes", request.size, settings.largest_bytes, "captures.largest_bytes")
    check_rotation(request.rotation, request.size or settings.largest_bytes)


def _require(unit: str, asked: float, most: int, name: str) -> None:
    if asked > most:
        raise InvalidInput(
            f"a capture of {asked:,.15g} {unit} is not possible",
            why=f"{name} is {most:,}",
            fix="ask for less, or raise the setting",
        )


def job_limits(request: StartCapture, settings: CaptureSettings, quota: int) -> JobLimits:
    """Return the limits of a request's job.

    Args:
        request: One that :func:`check_limits` has let pass.
        settings: What holds where it says nothing.
        quota: Bytes that its owner may still keep.
    """
    return JobLimits(
        seconds=request.seconds or settings.longest_run_seconds,
        output_bytes=request.size or settings.largest_bytes,
        quota_bytes=quota,
        free_space_floor=settings.free_space_floor_bytes,
    )
