"""Which attributes a function's code may read: a walk over all that its handler can call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "core" / "agent_where"
SETTINGS = ("settings.py", "venue_settings.py")


@dataclass(frozen=True)
class Definition:
    """What a module binds at its top level to a name."""

    path: Path
    name: str


def read_by(function: str) -> frozenset[str]:
    """Every attribute that code reachable from functions/<function>/app.py reads.

    Calls through a parameter are followed by the name of the attribute, in the models of settings
    alone: `settings.mode` reads what `mode` reads. A model that is only named reads nothing.
    """
    handler = ROOT / "functions" / function / "app.py"
    waiting = [Definition(handler, name) for name in _bound(handler)]
    seen: set[Definition] = set()
    read: set[str] = set()
    while waiting:
        definition = waiting.pop()
        if definition in seen:
            continue
        seen.add(definition)
        for node in _nodes(definition):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                read.add(node.attr)
                waiting += _methods(node.attr)
            waiting += _named(definition.path, node)
    return frozenset(read)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _bound(path: Path) -> dict[str, ast.stmt]:
    """The statements of a module by the names that they bind, or by their line if by none."""
    bound: dict[str, ast.stmt] = {}
    for statement in _tree(path).body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                bound[name] = statement
            case ast.Expr(value=ast.Call()):
                bound[f"line {statement.lineno}"] = statement
    return bound


@cache
def _imported(path: Path) -> dict[str, Definition]:
    """What a module imports of the package, also inside functions: a module, or a name in one."""
    imported: dict[str, Definition] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("agent_where"):
            parts = (node.module or "").split(".")[1:]
            for alias in node.names:
                module = PACKAGE.joinpath(*parts, f"{alias.name}.py")
                home = PACKAGE.joinpath(*parts).with_suffix(".py")
                imported[alias.asname or alias.name] = (
                    Definition(module, "") if module.exists() else Definition(home, alias.name)
                )
    return imported


def _nodes(definition: Definition) -> Iterator[ast.AST]:
    """All of a definition that runs; annotations do not, nor do models of settings."""
    owner, _, method = definition.name.partition(".")
    found = _bound(definition.path).get(owner)
    if found is None:
        return
    if method:
        assert isinstance(found, ast.ClassDef)
        found = next(
            each for each in found.body if isinstance(each, ast.FunctionDef) and each.name == method
        )
    elif definition.path.name in SETTINGS and isinstance(found, ast.ClassDef):
        return
    yield from _running(found)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _running(child)


def _named(path: Path, node: ast.AST) -> Iterator[Definition]:
    """The definitions that a name, or a module's attribute, stands for."""
    match node:
        case ast.Name(id=name) if name in _bound(path):
            yield Definition(path, name)
        case ast.Name(id=name) if name in _imported(path):
            yield _imported(path)[name]
        case ast.Attribute(value=ast.Name(id=module), attr=name) if module in _imported(path):
            home = _imported(path)[module]
            if not home.name:
                yield Definition(home.path, name)


@cache
def _methods(name: str) -> tuple[Definition, ...]:
    """The models of settings that have a method or property of this name."""
    return tuple(
        Definition(path, f"{owner.name}.{name}")
        for path in (PACKAGE / each for each in SETTINGS)
        for owner in _tree(path).body
        if isinstance(owner, ast.ClassDef)
        for each in owner.body
        if isinstance(each, ast.FunctionDef) and each.name == name
    )
