"""What a capture may have at most: what is asked for beyond that is refused, or lowered and said so."""

from __future__ import annotations

from dataclasses import replace

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
    files = (request.size or largest) // rotation.file_bytes if rotation.file_bytes else rotation.files
    if files < rotation.files:
        told.append(f"{files} files instead of {rotation.files}: captures.largest_bytes")
        request = replace(request, rotation=replace(rotation, files=files))
    return request, "; ".join(told)


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
