"""Static rules over the whole program: no foreign text as markup, no shell, no blanket excepts.

A ``str`` handed to a Textual widget is markup: it can run actions of the application and crash it. So whatever
is not a literal must be a ``Content`` or ``Text`` made by ``ui.rendering``. The check follows names inside a
function, and return types and fields annotated ``Content`` or ``Text`` inside a module; building those from
anything but literals is itself an offence outside ``rendering``. ``Table`` cells are no sink: the table takes
them literally.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "netmon_tui"
GATES = {"content", "content_block", "text"}
SAFE_TYPES = {"Content", "Text"}

# Callable to the positions of its text arguments; None means all of them.
SINKS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(
        ("Static", "Label", "Button", "Checkbox", "RadioButton", "Tab", "TabPane", "Placeholder", "Option",
         "Selection", "Select", "Tree", "notify", "DiscoveryHit", "Markdown", "from_markup", "add_leaf",
         "set_label", "set_options", "Panel"),
        (0,),
    ),
    **dict.fromkeys(
        ("Tabs", "OptionList", "SelectionList", "add_options", "add_option", "add_row", "add_column",
         "TabbedContent"),
        None,
    ),
    "Collapsible": (),
    "Hit": (1,),
}  # fmt: skip
TEXT_KEYWORDS = {
    "label", "title", "subtitle", "content", "prompt", "tooltip", "help", "display", "placeholder", "border_title",
    "border_subtitle", "message",
}  # fmt: skip
TEXT_ATTRIBUTES = {"tooltip", "border_title", "border_subtitle"}
# Literal with this argument switched off.
NOT_MARKUP = {"notify": "markup", "Static": "markup", "Label": "markup", "OptionList": "markup"}
LITERAL_KEYWORDS = {("Input", "placeholder"), ("notify", "title"), ("TableFilter", "placeholder")}
BELOW_UI = ("domain", "tools", "config", "security", "runtime", "storage", "services")


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def is_safe_annotation(node: ast.expr | None) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value in SAFE_TYPES
    if isinstance(node, ast.BinOp):
        return is_safe_annotation(node.left) and is_safe_annotation(node.right)
    return isinstance(node, ast.Name | ast.Attribute) and name_of(node) in SAFE_TYPES


class Module:
    """What one module declares safe: functions that return, and attributes that hold, Content or Text."""

    def __init__(self, tree: ast.Module, ui: bool) -> None:
        self.ui = ui
        """Whether Text and Content must be gated; the command line gates what it prints in one place."""
        self.safe_calls: set[str] = set()
        self.safe_attributes: set[str] = set()
        self.constants: dict[str, list[ast.expr]] = {}
        self.functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions.setdefault(node.name, []).append(node)
                if is_safe_annotation(node.returns):
                    self.safe_calls.add(node.name)
                    self.safe_attributes.add(node.name)  # when it is a property
            elif isinstance(node, ast.AnnAssign) and is_safe_annotation(node.annotation):
                self.safe_attributes.add(name_of(node.target))
        for scope in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
            for statement in scope.body:
                for name, value in assignments(statement):
                    self.constants.setdefault(name, []).append(value)


def assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names this statement gives a value to; parts of a taken-apart value count as unknown."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                known = value if isinstance(target, ast.Name) else ast.Name("?")
                yield from ((name.id, known) for name in ast.walk(target) if isinstance(name, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case (
            ast.NamedExpr(target=ast.Name(id=name), value=value)
            | ast.AugAssign(target=ast.Name(id=name), value=value)
        ):
            yield name, value
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            items = node.iter.elts if isinstance(node.iter, ast.Tuple | ast.List) else [ast.Name("?")]
            for target in ast.walk(node.target):
                if isinstance(target, ast.Name):
                    yield from ((target.id, item) for item in items)


class Scope:
    """The names of a function whose every value is safe."""

    def __init__(self, module: Module, function: ast.AST | None) -> None:
        self.module = module
        self.values: dict[str, list[ast.expr]] = dict(module.constants)
        self.unsafe: set[str] = set()
        self._asking: set[str] = set()
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = function.args
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                self.values[argument.arg] = []
                if not is_safe_annotation(argument.annotation):
                    self.unsafe.add(argument.arg)
            own: dict[str, list[ast.expr]] = {}
            for node in ast.walk(function):
                for name, value in assignments(node):
                    own.setdefault(name, []).append(value)
            for name, values in own.items():
                self.values[name] = [*(self.values.get(name, []) if name in self.unsafe else []), *values]

    def is_safe(self, node: ast.expr) -> bool:
        """Whether a value cannot be foreign text read as markup."""
        match node:
            case ast.Constant():
                return True
            case ast.JoinedStr(values=values):
                return all(isinstance(value, ast.Constant) for value in values)
            case ast.Name(id=name):
                return self._is_safe_name(name)
            case ast.Attribute(attr="tooltip" | "description", value=value) if name_of(value) == "binding":
                return True  # the program's own words: a binding is made of literals
            case ast.Attribute(attr=attr):
                return attr in self.module.safe_attributes or (attr.isupper() and self._is_safe_name(attr))
            case ast.IfExp(body=body, orelse=orelse):
                return self.is_safe(body) and self.is_safe(orelse)
            case ast.BinOp(left=left, right=right) | ast.BoolOp(values=[left, right]):
                return self.is_safe(left) and self.is_safe(right)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                return all(map(self.is_safe, elts))
            case ast.Starred(value=value) | ast.Await(value=value):
                return self.is_safe(value)
            case ast.ListComp(elt=elt) | ast.GeneratorExp(elt=elt):
                # (label, value) pairs of Select: only the label is shown
                return self.is_safe(elt.elts[0] if isinstance(elt, ast.Tuple) and elt.elts else elt)
            case ast.Call():
                return self._is_safe_call(node)
        return False

    def _is_safe_name(self, name: str) -> bool:
        if name in self.unsafe or name not in self.values:
            return False
        if name in self._asking:
            return True  # x = x + safe
        self._asking.add(name)
        try:
            return all(self.is_safe(value) for value in self.values[name])
        finally:
            self._asking.discard(name)

    def _returns_only_safe(self, name: str) -> bool:
        """Whether every function of this name in the module returns nothing but literals and gated text."""
        if name in self._asking:
            return False
        self._asking.add(name)
        try:
            return all(
                self._inside(function).is_safe(node.value)
                for function in self.module.functions[name]
                for node in ast.walk(function)
                if isinstance(node, ast.Return) and node.value is not None
            )
        finally:
            self._asking.discard(name)

    def _inside(self, function: ast.AST) -> Scope:
        scope = Scope(self.module, function)
        scope._asking = self._asking
        return scope

    def _is_safe_call(self, call: ast.Call) -> bool:
        name = name_of(call.func)
        if name in GATES or name in self.module.safe_calls:
            return True
        if name in self.module.functions and self._returns_only_safe(name):
            return True
        values = [*call.args, *(keyword.value for keyword in call.keywords)]
        if name in ("Content", "Text", "assemble", "styled"):
            return (name == "Text" and not self.module.ui) or all(map(self.is_safe, values))
        if name in SINKS and name[0].isupper():
            return True  # a widget or option in a widget: judged by itself
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        return (
            receiver is not None
            and name in ("join", "stylize", "append", "copy")
            and all(map(self.is_safe, [receiver, *call.args]))
        )


def offences(source: str, *, ui: bool = True, gate: bool = False) -> list[str]:
    """Return ``line: reason`` for each place where text may become markup."""
    tree = ast.parse(source)
    module = Module(tree, ui)
    found: list[str] = []

    def visit(node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            scope = Scope(module, node)
        found.extend(f"{node.lineno}: {reason}" for reason in judge(node, scope, ui, gate))  # type: ignore[attr-defined]
        for child in ast.iter_child_nodes(node):
            visit(child, scope)

    visit(tree, Scope(module, None))
    return found


def judge(node: ast.AST, scope: Scope, ui: bool, gate: bool) -> Iterator[str]:
    """Return what is wrong with one node."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if (
                isinstance(target, ast.Attribute)
                and target.attr in TEXT_ATTRIBUTES
                and not scope.is_safe(node.value)
            ):
                yield f"{target.attr} is markup"
    if not isinstance(node, ast.Call):
        return
    name = name_of(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if name in SAFE_TYPES and ui and not gate and not all(map(scope.is_safe, node.args[:1])):
        yield f"{name} of something that has not passed the gate"
    if any(isinstance(v, ast.Constant) and v.value is True for k, v in keywords.items() if k == "markup"):
        yield "markup=True"
    if name in SINKS and not _switched_off(name, keywords):
        places = SINKS[name]
        texts = node.args if places is None else [node.args[i] for i in places if i < len(node.args)]
        if not all(map(scope.is_safe, texts)):
            yield f"{name} takes markup"
    for key, value in keywords.items():
        looked_at = (key in TEXT_KEYWORDS and name in SINKS) or (name, key) == ("TextArea", "placeholder")
        literal = (name, key) in LITERAL_KEYWORDS or _switched_off(name, keywords)
        if looked_at and not literal and not scope.is_safe(value):
            yield f"{name}({key}=) takes markup"
    if ui and isinstance(node.func, ast.Attribute):
        if name == "update" and len(node.args) == 1 and not scope.is_safe(node.args[0]):
            yield "update() of a Static takes markup (for a dict write |=)"
        if name == "add" and keywords and node.args and not scope.is_safe(node.args[0]):
            yield "add() of a tree node takes markup"
        if name == "highlight" and not all(map(scope.is_safe, node.args)):
            yield "Matcher.highlight parses markup"
    if ui and name == "DataTable":
        yield "the one table of the program is ui.widgets.table.Table"


def _switched_off(name: str, keywords: dict[str | None, ast.expr]) -> bool:
    value = keywords.get(NOT_MARKUP.get(name, ""))
    return isinstance(value, ast.Constant) and value.value is False


def shell_offences(source: str) -> list[str]:
    """Return every way to a shell."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"):
                found.append(f"{node.lineno}: {called}")
            if name_of(node.func) in ("create_subprocess_shell", "subprocess_shell"):
                found.append(f"{node.lineno}: {called}")
            found += [
                f"{node.lineno}: shell=True"
                for keyword in node.keywords
                if keyword.arg == "shell"
                and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
            ]
    return found


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Whether a handler only tidies up: it raises again, or hands the error to whoever awaits it."""
    return any(
        (isinstance(node, ast.Raise) and node.exc is None)
        or (isinstance(node, ast.Call) and name_of(node.func) == "set_exception")
        for node in ast.walk(handler)
    )


def except_offences(source: str) -> list[str]:
    """Return handlers that catch everything and keep it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = {name_of(kind) if kind is not None else "everything" for kind in caught}
            if {"Exception", "BaseException", "everything"} & names and not passes_on(node):
                found.append(f"{node.lineno}: except {' '.join(sorted(names))}")
    return found


def modules(*folders: str) -> list[Path]:
    roots = [PACKAGE / folder for folder in folders] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py"))


def report(paths: list[Path], check: object) -> list[str]:
    assert callable(check)
    return [f"{path.relative_to(PACKAGE)}:{line}" for path in paths for line in check(path)]


def test_no_text_becomes_markup() -> None:
    def check(path: Path) -> list[str]:
        ui = "cli" not in path.relative_to(PACKAGE).parts
        return offences(path.read_text(), ui=ui, gate=path == PACKAGE / "ui" / "rendering.py")

    assert report([*modules("ui", "cli"), *PACKAGE.glob("*.py")], check) == []


def test_no_way_to_a_shell() -> None:
    assert report(modules(), lambda path: shell_offences(path.read_text())) == []


def test_no_blanket_except_below_the_faces() -> None:
    assert report(modules(*BELOW_UI), lambda path: except_offences(path.read_text())) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(name): Static(name)",
        "def f(name: str): return Label(f'host {name}')",
        "def f(h): yield Button('Stop ' + h.name)",
        "def f(h): yield Tabs('a', h.name)",
        "def f(h): yield TabPane(title=h.name)",
        "def f(h): yield Collapsible(Static('x'), title=h.name)",
        "def f(hosts): return OptionList(*hosts)",
        "def f(hosts): return OptionList(*[Option(h) for h in hosts])",
        "def f(hosts): return Select([(h.name, h) for h in hosts])",
        "def f(self, e): self.app.notify(str(e))",
        "def f(self, e): self.notify(f'{e}', markup=True)",
        "def f(self, e): self.notify('x', markup=True)",
        "def f(w, name): w.tooltip = name",
        "def f(self, name): self.border_title = f'{name}'",
        "def f(name): return Button('x', tooltip=name)",
        "def f(name): return DiscoveryHit(name, print)",
        "def f(m, q, name): return Hit(1, m.highlight(name), print)",
        "def f(name): return Text.from_markup(name)",
        "def f(name): return Content.from_markup('$v', v=1) + Content.from_markup(name)",
        "def f(self, name): self.query_one('#x', Static).update(name)",
        "def f(self, name): self.query_one('#x', Static).update(' '.join([name]))",
        "def f(name):\n    title = 'a'\n    title = name\n    return Static(title)",
        "def f(names):\n    for n in names:\n        yield Static(n)",
        "def f(names):\n    a, b = names\n    yield Static(a)",
        "def f(name): return Static(Content(name))",
        "def f(name): return Static(clean(name))",
        "def f(name): return Static(escape(name))",
        "def f(node, name): node.add(name, data=1)",
        "def f(node, name): node.add_leaf(name)",
        "def f(table, name): table.add_row('x', name)",
        "def f(name): return Markdown(name)",
        "def f(): return DataTable()",
        "def f(name): return Static(content(name) + name)",
        "def f(name): return Static('x' if name else name)",
        "class A:\n    def title(self) -> str: return self.x\n    def f(self): return Static(self.title())",
        "def f(name): return Static(g(name))\ndef g(name): return name",
    ],
)
def test_the_check_finds_offenders(code: str) -> None:
    assert offences(code) != []


@pytest.mark.parametrize(
    "code",
    [
        "def f(): return Static('[b]Title[/b]', id='x')",
        "def f(name): return Static(content(name))",
        "def f(name): return Static(rendering.content(name, 40), classes='row')",
        "def f(name): return Static(name, markup=False)",
        "def f(self, e): self.notify(str(e), title=e.title, markup=False)",
        "def f(name):\n    line = content(name) if name else 'none'\n    return Static(line)",
        "def f(name): return Static(Content.assemble(content(name), ' ', ('up', 'bold')))",
        "def f(name): return Static(Content(' ').join([content(name), Content('x')]))",
        "def f(hosts): return OptionList(*[Option(content(h), id=h.id) for h in hosts])",
        "def f(hosts): return Select([(content(h), h) for h in hosts])",
        "def f(self, name): self.query_one('#x').update(content_block(name))",
        "def f(title: Content): return Static(title)",
        "class A:\n    def t(self) -> Content: return content('')\n    def f(self): return Static(self.t())",
        "class A:\n    HINT = 'x'\n    def f(self): return Static(self.HINT)",
        "TITLE = 'x'\ndef f(): return Static(TITLE)",
        "def f(): return Input(placeholder=hint())",
        "def f(node, name): node.add(text(name), data=name)",
        "def f(seen, name): seen.add(name)",
        "def f(self): self.border_title = 'Hosts'",
        "def f():\n    for label in ('a', 'b'):\n        yield Button(label)",
        "def f(name): return Row(1, (name, name))",
        "def f(active): return Hit(1, content(''), print, help=g(active))\n"
        "def g(active): return active.binding.tooltip or active.binding.description",
    ],
)
def test_the_check_lets_safe_code_pass(code: str) -> None:
    assert offences(code) == []


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (shell_offences, "subprocess.run(x, shell=True)", "subprocess.run(x, shell=False)"),
        (shell_offences, "subprocess.run(x, shell=flag)", "run(['ls'])"),
        (shell_offences, "os.system('ls')", "os.sysconf('x')"),
        (shell_offences, "asyncio.create_subprocess_shell('ls')", "asyncio.create_subprocess_exec('ls')"),
        (except_offences, "try: x()\nexcept Exception: pass", "try: x()\nexcept OSError: pass"),
        (
            except_offences,
            "try: x()\nexcept (OSError, Exception): pass",
            "try: x()\nexcept (OSError, KeyError): pass",
        ),
        (
            except_offences,
            "try: x()\nexcept Exception as e: log(e)",
            "try: x()\nexcept Exception as e: f.set_exception(e)",
        ),
        (except_offences, "try: x()\nexcept: pass", "try: x()\nexcept BaseException:\n    y()\n    raise"),
    ],
)
def test_the_other_checks_find_offenders(check: object, bad: str, good: str) -> None:
    assert callable(check)
    assert check(bad) != [] and check(good) == []
