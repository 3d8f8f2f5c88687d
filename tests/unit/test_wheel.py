"""The built package, in an environment that holds nothing else of ours."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from netmon_tui import __version__

ROOT = Path(__file__).parents[2]
STYLES = sorted(path.name for path in (ROOT / "styles").glob("*.tcss"))

MOUNT = """
import asyncio, pathlib, sys
import netmon_tui
from netmon_tui.app import build_app

async def mount():
    app = build_app(data_dir=pathlib.Path(sys.argv[1]))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        print(pathlib.Path(netmon_tui.__file__).parent, app.is_running, len(app.screen.children))

asyncio.run(mount())
"""
"""Starts the application without a terminal; prints where it came from, whether it runs, what it shows."""


def run(*command: str | Path, cwd: Path) -> str:
    """Run one command outside the checkout and without its path; its output, or a failure that shows it."""
    clean = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=clean | {"HOME": str(cwd)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network."""
    out = tmp_path_factory.mktemp("wheel")
    command = ("-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT))
    run(sys.executable, *command, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel in it, and this one's packages (not this checkout) within sight."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    install = ("-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel))
    run(sys._base_executable, *install, cwd=home)
    (site,) = home.glob("lib/python*/site-packages")
    # A line in a .pth file is a directory only: the .pth files inside it, our editable one too, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def test_stylesheets_are_inside(wheel: Path) -> None:
    inside = zipfile.ZipFile(wheel).namelist()
    assert sorted(Path(name).name for name in inside if name.startswith("netmon_tui/styles/")) == STYLES
    assert STYLES


def test_nothing_but_the_package_is_inside(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = f"netmon_tui-{__version__}.data"
    tops = {name.split("/")[0] for name in names}
    assert tops == {"netmon_tui", f"netmon_tui-{__version__}.dist-info", data}
    unit = f"{data}/data/lib/systemd/system/netmon-tui-worker.service"
    assert [name for name in names if name.startswith(data)] == [unit]


def test_every_module_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "netmon_tui").rglob("*.py")}
    assert here - inside == set()


def test_installed_program_tells_its_version(environment: Path, tmp_path: Path) -> None:
    assert run(environment / "bin" / "netmon-tui", "--version", cwd=tmp_path) == f"netmon-tui {__version__}\n"


def test_installed_program_mounts(environment: Path, tmp_path: Path) -> None:
    python = environment / "bin" / "python"
    place, running, children = run(python, "-c", MOUNT, tmp_path / "data", cwd=tmp_path).split()
    assert Path(place).is_relative_to(environment)
    assert running == "True"
    assert int(children) > 0
