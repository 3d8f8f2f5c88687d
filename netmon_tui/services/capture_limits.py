"""What a capture may have at most: what is asked for beyond that is refused, or lowered and said so."""

from __future__ import annotations

from dataclasses import replace

from netmon_tui.config.sections import CaptureSettings
from netmon_tui.domain.capture import StartCapture
from netmon_tui.domain.capture_files import SMALLEST_FILE, check_rotation
from netmon_tui.domain.job import JobLimits, Rotation
from netmon_tui.errors import LimitRefused


def check_limits(request: StartCapture, settings: CaptureSettings) -> None:
    """Refuse a capture that may not be so long or so large.

    Raises:
        LimitRefused: Says which setting it is, or what is wrong with the rotation.
    """
    _require("seconds", request.seconds, settings.longest_run_seconds, "captures.longest_run_seconds")
    _require("bytes", request.size, settings.largest_bytes, "captures.largest_bytes")
    check_rotation(request.rotation, request.size or settings.largest_bytes)


def refused_limits(request: StartCapture, settings: CaptureSettings) -> str:
    """Return why :func:`check_limits` refuses a capture; empty when it does not."""
    try:
        check_limits(request, settings)
    except LimitRefused as error:
        return str(error)
    return ""


def lowered(request: StartCapture, settings: CaptureSettings) -> tuple[StartCapture, str]:
    """Return a request that was possible once as it is possible now, and in words what was lowered."""
    longest, largest, rotation = settings.longest_run_seconds, settings.largest_bytes, request.rotation
    told = []
    if request.seconds > longest:
        told.append(f"{longest:,} s instead of {request.seconds:,.15g}: captures.longest_run_seconds")
        request = replace(request, seconds=float(longest))
    if request.size > largest:
        told.append(f"{largest:,} bytes instead of {request.size:,}: captures.largest_bytes")
        request = replace(request, size=largest)
    room = request.size or largest
    if rotation.file_bytes * rotation.files > room:
        fitting, less = _fitting(rotation, room)
        told.append(f"{less} instead of {rotation.files}: captures.largest_bytes")
        request = replace(request, rotation=fitting)
    return request, "; ".join(told)


def _fitting(rotation: Rotation, room: int) -> tuple[Rotation, str]:
    """Return as much of a ring as has room, and what that is: fewer files, smaller ones, or one that is no ring."""
    if room >= 2 * rotation.file_bytes:
        files = room // rotation.file_bytes
        return replace(rotation, files=files), f"{files} files"
    if room >= 2 * SMALLEST_FILE:
        return replace(rotation, files=2, file_bytes=room // 2), f"2 files of {room // 2:,} bytes"
    return Rotation(), "one file"


def _require(unit: str, asked: float, most: int, name: str) -> None:
    if not 0 <= asked <= most:  # which is so of what is no number, too
        raise LimitRefused(
            f"a capture of {asked:,.15g} {unit} is not possible",
            why=f"{name} is {most:,}",
            fix="ask for less, or raise the setting",
        )


def job_limits(request: StartCapture, settings: CaptureSettings) -> JobLimits:
    """Return the limits of a request's job.

    Args:
        request: One that :func:`check_limits` has let pass.
        settings: What holds where it says nothing.
    """
    return JobLimits(
        seconds=request.seconds or settings.longest_run_seconds,
        output_bytes=request.size or settings.largest_bytes,
        quota_bytes=settings.quota_bytes,
        free_space_floor=settings.free_space_floor_bytes,
    )
