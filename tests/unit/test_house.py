"""The habits of the house that import-linter, ruff and mypy do not see."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "netmon_tui"
MODULES = sorted(PACKAGE.rglob("*.py"))
MIGRATIONS = PACKAGE / "storage" / "migrations"
WRITTEN = [path for path in MODULES if MIGRATIONS not in path.parents]
"""Modules written by hand: migrations are generated, and frozen once released."""

FUNCTION_LINES, FUNCTION_MEDIAN, CLASS_LINES, CLASS_METHODS = 50, 10, 300, 25
MODULE_LINES, MODULE_LINES_OF = 400, {"app.py": 250}

HEAVY = ("textual", "sqlalchemy", "pyshark", "alembic", "argon2", "nmap")
PROCESS_STARTERS = re.compile(
    r"os\.(system|popen|fork\w*|exec[lv]p?e?|spawn\w+|posix_spawnp?)|asyncio\.create_subprocess_\w+"
    r"|\w+\.subprocess_(exec|shell)"
)
SHELLS = re.compile(r"os\.(system|popen)|asyncio\.create_subprocess_shell|\w+\.subprocess_shell")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


# --- what a floor loads -----------------------------------------------------------------------------


IMPORT_ALL = """
import importlib, sys
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sorted(set(sys.argv[1].split(",")) & set(sys.modules)))
"""


def module_names(*floors: str) -> list[str]:
    """Dotted names of every module of the floors, except programs: Alembic's script, any ``__main__``."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES]
    names = [
        name.removesuffix(".__init__")
        for name in names
        if not name.endswith((".migrations.env", ".__main__"))
    ]
    return [name for name in names if name.split(".")[1:2] and name.split(".")[1] in floors]


def loaded(forbidden: tuple[str, ...], names: list[str]) -> list[str]:
    """Which of the forbidden packages a new interpreter has loaded after importing all the names."""
    command = [sys.executable, "-c", IMPORT_ALL, ",".join(forbidden), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


LOW = ("domain", "errors", "tools", "config", "security", "runtime")


def test_floors_below_storage_load_neither_toolkit_nor_database() -> None:
    assert loaded(("textual", "rich", "sqlalchemy", "alembic"), module_names(*LOW)) == []


def test_storage_and_services_load_no_toolkit() -> None:
    assert loaded(("textual", "rich"), module_names("storage", "services")) == []


def test_storage_loads_no_event_loop_of_its_own() -> None:
    assert module_names("storage"), "the floor has a new name: adapt this test"
    assert loaded(("aiosqlite", "greenlet"), module_names("storage")) == []


def test_every_floor_is_looked_at() -> None:
    floors = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert floors == {*LOW, "storage", "services", "ui", "cli", "app", "__init__", "__main__"}


RUN = """
import runpy, sys
sys.argv = ["netmon-tui", *sys.argv[2:]]
try:
    runpy.run_module("netmon_tui", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
finally:
    print("loaded:", *sorted(set(HEAVY) & set(sys.modules)))
"""


def loaded_by_running(*arguments: str, watched: tuple[str, ...] = HEAVY) -> list[str]:
    """Which of the watched packages the program has loaded when it has answered."""
    script = RUN.replace("HEAVY", repr(watched))
    command = [sys.executable, "-c", script, "-", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].removeprefix("loaded:").split()


def test_version_loads_nothing_heavy() -> None:
    assert loaded_by_running("--version", watched=(*HEAVY, "click", "rich", "asyncio", "argparse")) == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["scan", "--help"], ["capture", "run", "--help"]], ids=" ".join
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by_running(*arguments) == []


# --- sizes, docstrings, names -----------------------------------------------------------------------


@cache
def tree_of(path: Path) -> ast.Module:
    """A module, parsed once for all tests; they only read it."""
    return ast.parse(path.read_text())


def definitions(path: Path, *kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Every definition of the kinds in one module, with a name to point at it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, kinds):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def length(node: Definition) -> int:
    """Lines from ``def`` or ``class`` to the end, without the docstring: explaining is free."""
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is None:
        return lines
    return lines - (node.body[0].end_lineno - node.body[0].lineno + 1)


def functions() -> list[tuple[str, int]]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [(name, length(node)) for path in WRITTEN for name, node in definitions(path, *kinds)]


def test_functions_are_short() -> None:
    assert [(name, size) for name, size in functions() if size > FUNCTION_LINES] == []


def test_most_functions_are_very_short() -> None:
    assert statistics.median(size for _, size in functions()) <= FUNCTION_MEDIAN


def test_classes_are_short() -> None:
    classes = [pair for path in WRITTEN for pair in definitions(path, ast.ClassDef)]
    assert [(name, length(node)) for name, node in classes if length(node) > CLASS_LINES] == []
    methods = [(name, sum(isinstance(part, Function) for part in node.body)) for name, node in classes]
    assert [(name, count) for name, count in methods if count > CLASS_METHODS] == []


def test_modules_are_short() -> None:
    sizes = {path.relative_to(PACKAGE): len(path.read_text().splitlines()) for path in WRITTEN}
    limits = {path: MODULE_LINES_OF.get(str(path), MODULE_LINES) for path in sizes}
    assert {str(path): size for path, size in sizes.items() if size > limits[path]} == {}


def undocumented(path: Path) -> Iterator[str]:
    """Public things of one module that have no docstring."""
    tree = tree_of(path)
    if ast.get_docstring(tree) is None:
        yield str(path.relative_to(ROOT))
    owners: list[ast.Module | ast.ClassDef] = [tree]
    for owner in owners:
        for node in owner.body:
            if isinstance(node, ast.ClassDef):
                owners.append(node)
            if isinstance(node, Definition) and not node.name.startswith("_") and not excused(node):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def excused(node: Definition) -> bool:
    """Whether the docstring is there or stands elsewhere: on the getter, the base, the implementation."""
    marks = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return ast.get_docstring(node) is not None or bool(marks & {"setter", "override", "overload"})


def test_everything_public_has_a_docstring() -> None:
    assert [gap for path in WRITTEN for gap in undocumented(path)] == []


def test_names_say_what_a_thing_is() -> None:
    vague = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [str(path) for path in MODULES if path.name in vague] == []
    classes = [name for path in MODULES for name, _ in definitions(path, ast.ClassDef)]
    assert [name for name in classes if name.endswith("Manager")] == []


def test_nothing_is_left_to_be_done() -> None:
    marker = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b")
    texts = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "styles").glob("*.tcss")]
    texts += [*MODULES, *(ROOT / "tests").rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if marker.search(line)
    ]
    assert found == []


# --- processes --------------------------------------------------------------------------------------


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_only_runtime_starts_processes() -> None:
    """Import-linter sees ``subprocess``; these ways need no import of it."""
    elsewhere = [path for path in MODULES if PACKAGE / "runtime" not in path.parents]
    found = [
        place
        for path in elsewhere
        for place, call in calls(path)
        if PROCESS_STARTERS.fullmatch(ast.unparse(call.func))
    ]
    assert found == []


def test_no_shell_ever() -> None:
    found = [
        place
        for path in MODULES
        for place, call in calls(path)
        if SHELLS.fullmatch(ast.unparse(call.func))
        or any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in call.keywords)
    ]
    assert found == []


# --- the two commands of the README -----------------------------------------------------------------


def commands_of_readme() -> set[str]:
    """Goals of every ``make GOAL`` inside code: a fenced block's line or a span in backticks."""
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text)
    return {match[1] for line in lines if (match := re.search(r"(?:^|[\s;&$])make\s+([a-z][a-z-]*)", line))}


def test_readme_names_goals_that_exist() -> None:
    goals = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert commands_of_readme() - goals == set()


def test_readme_begins_with_the_two_commands() -> None:
    assert {"run", "test"} <= commands_of_readme()
