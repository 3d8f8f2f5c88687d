"""The marker ``inside_lab``: a test of this process that runs on the scanner of the lab."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.network import ROOT, Lab

pytestmark = pytest.mark.lab

inside = pytest.mark.inside_lab


@pytest.fixture
def process_id() -> int:
    return os.getpid()


@inside
def test_runs_on_the_scanner(process_id: int) -> None:
    addresses = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True, check=True).stdout
    assert "10.77.0.1/24" in addresses
    assert process_id == os.getpid()


@inside
async def test_coroutines_run_too() -> None:
    assert Path("/sys/class/net/eth0/address").read_text().strip() == "00:1b:21:00:00:01"


@inside
@pytest.mark.parametrize("text", ["a[/]b", "x::y", "\x1b[31m", "[@click=app.quit]x[/]"])
def test_awkward_node_ids_come_back(text: str) -> None:
    assert text


@inside
def test_the_lab_can_be_changed_from_inside(lab: Lab) -> None:
    made = lab.add_host("10.77.0.77", "00:40:8c:00:00:77", {(80, "tcp"): "http"})
    try:
        assert "front page" in lab.http_get("10.77.0.77")
        assert lab.run(["cat", "/sys/class/net/eth0/address"], host="scan").stdout == "00:1b:21:00:00:01\n"
        assert "10.77.0.77" in lab.run(["ip", "-o", "address"], host=made.name).stdout
    finally:
        lab.remove_host(made.name)


def test_the_same_module_runs_outside_too() -> None:
    assert "NETMON_LAB_INSIDE" not in os.environ


PLUGINS = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTEST_PLUGINS": "pytest_timeout",
}  # starts in half the time
Inner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def inner(tmp_path: Path) -> Inner:
    """Runs a test module with a pytest of its own; its output."""

    def run(source: str, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "test_inner.py").write_text(textwrap.dedent(source))
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  lab\n  inside_lab\n")
        argv = [sys.executable, "-m", "pytest", "-p", "tests.lab.plugin", "-p", "no:cacheprovider", "-rA"]
        return subprocess.run(
            [*argv, "--rootdir", str(tmp_path), "-c", str(tmp_path / "pytest.ini"), *options, str(tmp_path)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **PLUGINS, **env},
            capture_output=True,
            text=True,
            timeout=90,
        )

    return run


def test_outcomes_and_output_come_back(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETMON_REQUIRE_LAB", raising=False)  # there a skip is a failure
    done = inner(
        """
        import pytest
        pytestmark = pytest.mark.inside_lab
        @pytest.fixture
        def broken(): raise RuntimeError("no fixture")
        def test_passes(): pass
        def test_fails(): print("said before"); assert 1 == 2
        def test_skips(): pytest.skip("for a reason")
        def test_setup(broken): pass
        @pytest.mark.xfail(reason="known")
        def test_known(): assert False
        """
    )
    assert done.returncode == 1
    for line in (
        "PASSED test_inner.py::test_passes",
        "FAILED test_inner.py::test_fails - assert 1 == 2",
        "ERROR test_inner.py::test_setup - RuntimeError: no fixture",
        "XFAIL test_inner.py::test_known - known",
        "for a reason",
        "said before",
        "1 failed, 1 passed, 1 skipped, 1 xfailed, 1 error",
    ):
        assert line in done.stdout


def test_a_child_that_dies_fails_its_test_and_not_the_next(inner: Inner) -> None:
    done = inner(
        """
        import os, signal, pytest
        pytestmark = pytest.mark.inside_lab
        def test_dies(): os.kill(os.getpid(), signal.SIGKILL)
        def test_next(): pass
        """
    )
    assert "the pytest inside the lab ended (-9)" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_module_that_cannot_be_imported_inside_says_so(inner: Inner) -> None:
    done = inner(
        """
        import os, pytest
        assert "NETMON_LAB_INSIDE" not in os.environ, "not in here"
        @pytest.mark.inside_lab
        def test_unreachable(): pass
        """
    )
    assert "not in here" in done.stdout
    assert "1 failed" in done.stdout


def test_a_test_that_hangs_is_a_failure_and_the_rest_goes_on(inner: Inner) -> None:
    done = inner(
        """
        import threading, pytest
        pytestmark = pytest.mark.inside_lab
        @pytest.mark.timeout(3)
        def test_hangs(): threading.Event().wait()
        def test_next(): pass
        """
    )
    assert "Timeout" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_selection_is_kept(inner: Inner) -> None:
    done = inner(
        """
        import pytest
        pytestmark = pytest.mark.inside_lab
        def test_wanted(): pass
        def test_unwanted(): raise RuntimeError("must not run")
        """,
        "-k",
        "test_wanted",
    )
    assert "1 passed, 1 deselected" in done.stdout


@pytest.mark.parametrize(
    ("required", "outcome"), [("", "1 passed, 3 skipped"), ("1", "1 failed, 1 passed, 2 errors")]
)
def test_without_a_lab_it_is_skipped_with_the_reason(inner: Inner, required: str, outcome: str) -> None:
    done = inner(
        """
        import pytest
        @pytest.mark.inside_lab
        def test_inside(): pass
        def test_fixture(lab): pass
        @pytest.mark.lab
        def test_own_reason(): pytest.skip("no tool")
        def test_other(): pass
        """,
        PATH="/nonexistent",
        NETMON_REQUIRE_LAB=required,
    )
    assert "the lab needs unshare, ip, mount, nmap, tcpdump" in done.stdout
    assert outcome in done.stdout
