"""The pytest side of the lab: the fixtures ``lab`` and ``own_lab``, and the marker ``inside_lab``.

``@pytest.mark.inside_lab`` (on a test, a class or, as ``pytestmark``, a module) runs a test *on the scanner's
network*: for tests that mount the application in their own process. All such tests of a module share one
child pytest, which streams its reports back through a pipe; they appear here as if they had run here, with
their outcome, output, duration and traceback. Inside, the fixture ``lab`` is the same lab, so that a test can
plug hosts in and out while it watches. Fixtures of such tests are set up in the child only.

Where there can be no lab, every test that needs it is skipped with the reason; with ``NETMON_REQUIRE_LAB=1``
that is a failure, and so is every other skip of a test marked ``lab``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.lab.network import Lab, why_no_lab

INSIDE = "NETMON_LAB_INSIDE"
"""Set to 1 in the child pytest."""
REQUIRE = "NETMON_REQUIRE_LAB"
REPORTS = "NETMON_LAB_REPORTS"
"""In the child: the descriptor its reports go to."""
SELECTION = "NETMON_LAB_SELECTION"
"""In the child: a file with the node ids to run, a JSON array."""
LAST_MOMENTS = 10.0
"""Seconds in which the child must end after its last test."""

_LAB = pytest.StashKey[Lab]()
_CHILD = pytest.StashKey["ChildRun"]()


def _inside() -> bool:
    return os.environ.get(INSIDE) == "1"


def _required() -> bool:
    return os.environ.get(REQUIRE, "") not in ("", "0")


def _needs_lab(item: pytest.Item) -> bool:
    return item.get_closest_marker("inside_lab") is not None or bool(
        {"lab", "own_lab"}.intersection(getattr(item, "fixturenames", ()))
    )


def lab_of(config: pytest.Config) -> Lab:
    """The lab of this session, built when first asked for; inside, the lab we are in."""
    if _LAB not in config.stash:
        config.stash[_LAB] = Lab.attach() if _inside() else Lab.start()
    return config.stash[_LAB]


@pytest.fixture(scope="session")
def lab(pytestconfig: pytest.Config) -> Lab:
    """The session's lab; whoever changes it (hosts, links) puts it back as it was."""
    return lab_of(pytestconfig)


@pytest.fixture
def own_lab() -> Iterator[Lab]:
    """A lab for one test alone (a fifth of a second), to change or to break."""
    with Lab.start() as lab:
        yield lab


class ChildRun:
    """One child pytest on the scanner, running the ``inside_lab`` tests of one module."""

    def __init__(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        self.module = items[0].path
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._pending = {item.nodeid for item in items}
        self._config = config
        self._files = ExitStack()
        directory = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="netmon-inside-")))
        self._output = directory / "output"
        self._selection = directory / "selection.json"
        self._selection.write_text(json.dumps([item.nodeid for item in items]))
        reading, writing = os.pipe()
        self._stream = self._files.enter_context(os.fdopen(reading))
        try:
            self._process = self._start(writing)
        finally:
            os.close(writing)

    def _start(self, writing: int) -> subprocess.Popen[Any]:
        config = self._config
        argv = [sys.executable, "-m", "pytest", "-p", "tests.lab.plugin", "--rootdir", str(config.rootpath)]
        argv += ["-c", str(config.inipath)] if config.inipath else []
        argv += [f"--tb={config.getoption('tbstyle')}"]
        argv += ["--showlocals"] if config.getoption("showlocals") else []
        env = {key: value for key, value in os.environ.items() if key != "PYTEST_ADDOPTS"}
        env |= {INSIDE: "1", REPORTS: str(writing), SELECTION: str(self._selection)}
        with self._output.open("w") as output:
            return lab_of(config).popen(
                [*argv, str(self.module)],
                cwd=config.rootpath,
                env=env,
                pass_fds=[writing],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def reports_of(self, item: pytest.Item) -> list[pytest.TestReport]:
        """Waits until the child is done with a test; its reports, in order.

        Raises:
            pytest.fail.Exception: The child ended before that.
        """
        mine = self._reports.setdefault(item.nodeid, [])
        while not any(report.when == "teardown" for report in mine):
            report = self._next_report()
            self._reports.setdefault(report.nodeid, []).append(report)
        self._pending.discard(item.nodeid)
        return mine

    def _next_report(self) -> pytest.TestReport:
        line = self._stream.readline()
        if not line:
            pytest.fail(self._last_words(), pytrace=False)
        hook = self._config.hook
        data = json.loads(line)
        if isinstance(data["longrepr"], list):  # a skip's (file, line, reason): JSON knows no tuple
            data["longrepr"] = tuple(data["longrepr"])
        report: pytest.TestReport = hook.pytest_report_from_serializable(config=self._config, data=data)
        return report

    def _last_words(self) -> str:
        status = self._process.wait()
        said = self._output.read_text(errors="replace")[-8000:]
        return f"the pytest inside the lab ended ({status}) before this test was done:\n{said}"

    def close(self) -> None:
        """Lets a child that is done finish; ends one that is not."""
        try:
            self._process.wait(timeout=0 if self._pending else LAST_MOMENTS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.wait()
        self._files.close()


def _child_for(item: pytest.Item) -> ChildRun:
    """The child that runs this module; the one before it is done with."""
    config = item.config
    child = config.stash.get(_CHILD, None)
    if child is not None and child.module == item.path:
        return child
    if child is not None:
        child.close()
    still_to_run = item.session.items[item.session.items.index(item) :]
    chosen = [
        other
        for other in still_to_run
        if other.path == item.path and other.get_closest_marker("inside_lab") is not None
    ]
    config.stash[_CHILD] = ChildRun(config, chosen)
    return config.stash[_CHILD]


def _run_in_child(item: pytest.Item) -> list[pytest.TestReport]:
    """The child's reports of a test, or one report that says why there are none."""
    reports: list[pytest.TestReport] = []
    call = pytest.CallInfo.from_call(
        lambda: reports.extend(_child_for(item).reports_of(item)),
        when="call",
        reraise=(KeyboardInterrupt, pytest.exit.Exception),
    )
    if call.excinfo is not None:
        reports = [pytest.TestReport.from_item_and_call(item, call)]
        child = item.config.stash.get(_CHILD, None)
        if child is not None:  # hung or dead: the tests after this one get a new child
            child.close()
            del item.config.stash[_CHILD]
    return reports


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Replays what the child reported, for tests marked ``inside_lab``."""
    if item.get_closest_marker("inside_lab") is None or _inside() or why_no_lab() is not None:
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _run_in_child(item):
        hook.pytest_runtest_logreport(report=report)
    item.session._setupstate.teardown_exact(
        nextitem
    )  # what an earlier test of this module left for the later ones
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips, or with ``NETMON_REQUIRE_LAB`` fails, what needs a lab where none can be."""
    if not _needs_lab(item):
        return
    reason = why_no_lab()
    if reason is not None:
        pytest.fail(reason, pytrace=False) if _required() else pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``NETMON_REQUIRE_LAB``, a skipped lab test is a failed one."""
    report = yield
    is_lab = _needs_lab(item) or item.get_closest_marker("lab") is not None
    if report.skipped and is_lab and _required() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{REQUIRE} is set, and this lab test was skipped: {report.longrepr}"
    return report


def pytest_unconfigure(config: pytest.Config) -> None:
    """Ends the child and the lab."""
    child = config.stash.get(_CHILD, None)
    if child is not None:
        child.close()
    lab = config.stash.get(_LAB, None)
    if lab is not None:
        lab.stop()


# --- in the child ---


def pytest_configure(config: pytest.Config) -> None:
    """In the child: registers the sender of reports."""
    if _inside() and REPORTS in os.environ:
        # Popped: a pytest that a test starts inside must not speak on our line
        descriptor = int(os.environ.pop(REPORTS))
        os.set_inheritable(descriptor, False)
        with open(os.environ.pop(SELECTION)) as file:
            chosen = set(json.load(file))
        config.pluginmanager.register(_Sender(config, descriptor, chosen), "lab-reports")


class _Sender:
    """Runs the chosen tests only and sends each report up the pipe, a line of JSON each."""

    def __init__(self, config: pytest.Config, descriptor: int, chosen: set[str]) -> None:
        self._config = config
        self._stream = os.fdopen(descriptor, "w", buffering=1)
        self._chosen = chosen

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._chosen]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._stream.write(json.dumps(data, default=str) + "\n")
