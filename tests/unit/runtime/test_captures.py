"""Captures with the real tcpdump, each on a network of its own that ends with the test."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.runtime import capture_scenarios, pcapng_scenarios, ring_scenarios

ROOT = Path(__file__).parents[3]
# A process namespace too: when its first process ends, whatever a failed scenario left running ends with it.
SCENARIOS = {
    scenario.__name__: module.__name__
    for module in (capture_scenarios, ring_scenarios, pcapng_scenarios)
    for scenario in module.SCENARIOS
}
"""Name to module."""
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


@functools.cache
def why_not() -> str | None:
    missing = [name for name in ("unshare", "tcpdump", "ip") if not shutil.which(name)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    done = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    return done.stderr.strip() or None


@pytest.mark.lab
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_capture(scenario: str, tmp_path: Path) -> None:
    if reason := why_not():
        pytest.skip(reason)
    command = [
        *NAMESPACES,
        sys.executable,
        "-m",
        SCENARIOS[scenario],
        scenario,
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=90)
    assert done.returncode == 0, done.stderr
