"""The house's rules, enforced: who imports whom, how long things are, what an import may cost."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "core" / "agent_where"
HANDLERS = sorted((ROOT / "functions").glob("*/app.py"))
SQL = PACKAGE / "store" / "sql"

# What each module, or each module of a folder (`routing.`), may see of the package, itself aside.
# The longest name that fits a module is the one that counts.
ADAPTER = (
    "domain errors execution.signers keccak symbols venues._ venues.approvals venues.base "
    "venues.tally"
)
LEDGER = "store.plans store.records store.store"
ALLOWED: Mapping[str, str] = {
    # words
    "errors": "",
    "domain": "",
    "symbols": "errors",
    "ids": "",
    "keccak": "",
    "rounding": "",
    "shown": "",
    "parsing": "errors",
    "messages": "domain errors parsing values",
    "paging": "domain",
    "report": "domain",
    "values": "domain errors symbols",
    "callers": "errors",
    "contract.": "callers domain errors messages paging routing.strategies values contract.",
    "spec.": "contract. domain spec. values",
    "openapi": "callers contract. spec. venues.registry",
    # pure
    "routing.": "domain errors routing.",
    "planning": "domain errors ids routing. store.plans store.records",
    "closures": "domain ids store.books venues.base",
    "exits": "closures domain store.books venues.base",
    "stats": "contract. domain",
    # the database
    "store.": "callers domain errors messages routing.decision venues.base store.",
    "store._": "errors store._ store.database_settings",
    "store.database_settings": "errors",
    "store.connection": "errors store._ store.database_settings",
    "store.plans": "domain",
    "store.books": "domain venues.base",
    "store.market_rows": "domain",
    "store.records": "domain errors ids messages routing.candidates store.market_rows venues.base",
    "store.administration": "callers contract. domain errors store.",
    "store.deployments": "contract. domain store.connection",
    "store.views": "callers contract. domain errors paging routing.candidates store.",
    "store.controls": "callers contract. domain errors paging store.",
    "store.previews": "store.",
    "store.status": "contract. domain store.",
    # trading
    "execution.": f"domain errors ids routing. venues.base execution. {LEDGER}",
    "execution.sizing": "domain rounding routing.checks",
    "execution.gate": "domain routing. store.records",
    "execution.signers": "errors execution._",
    "execution.keys": "execution._kms execution.signers",
    "execution._aws": "",
    "execution._kms": "errors execution._aws",
    "execution._secp256k1": "keccak",
    # venues: an adapter sees words, signers and what adapters share
    "venues.": "domain errors symbols venues._",
    "venues._eip712": "keccak",
    "venues._evm.": "domain errors execution.signers keccak venues._ venues.base",
    "venues.base": "domain execution.signers",
    "venues.paper": "domain errors rounding venues.base",
    "venues.registry": "domain errors settings venue_settings venues.",
    "venues.tally": "domain",
    "venues.hyperliquid.": f"{ADAPTER} venues.hyperliquid.",
    "venues.ostium.": f"{ADAPTER} venues.ostium.",
    # on top
    "environment": "errors",
    "venue_settings": "domain environment",
    "settings": "domain environment errors store.database_settings venue_settings",
    "queues": "errors store.records",
    "pipeline": f"domain errors messages execution.executor planning queues venues.base {LEDGER}",
    "consuming": "domain errors messages execution.executor pipeline queues",
    "booking": "domain errors store.books store.comparisons store.records",
    "netted": "booking closures domain errors store.books store.comparisons venues.base",
    "single": "booking errors exits store.books store.comparisons venues.base",
    "comparing": (
        "domain errors netted pipeline single store.books store.comparisons store.records"
    ),
    "matching": "closures domain ids store.books store.restores venues.base",
    "restoring": (
        "closures domain errors matching shown store.books store.comparisons store.restores "
        "venues.base"
    ),
    "differences": "matching store.books store.checkups venues.base",
    "doctor": (
        "differences domain errors matching queues restoring store.books store.checkups "
        "store.comparisons store.restores venues.base"
    ),
    "redriving": "domain errors queues",
    "operating": "domain errors messages parsing redriving restoring shown store.restores",
    "reconciling": "comparing domain errors pipeline recognising restoring",
    "onboarding": (
        "callers contract. domain errors execution.keys store.accounts store.views venues.approvals"
    ),
    "measuring": "domain execution.executor pipeline venues._calls venues.tally",
    "sync": f"domain errors queues venues.base {LEDGER}",
    "intake": "callers contract. domain errors messages pipeline queues store.records store.store",
    "previewing": "callers contract. domain errors planning store.previews store.store",
    "status": "contract. domain errors store.status",
    "existing": "domain store.connection",
    "migrations": "domain errors existing store.connection",
    "rights": "migrations store.connection",
    "roles": "migrations rights store.connection",
    "queue_report": "errors queues report settings",
    "recognising": (
        "errors report restoring store.connection store.database_settings store.restores"
    ),
    "readiness": (
        "domain errors existing migrations queue_report recognising report rights roles settings "
        "store.connection"
    ),
    "custom_resource": "errors report store.database_settings",
    "api": "callers contract. errors messages parsing values",
    "trading": (
        "domain execution.executor execution.signers pipeline settings store.store venues. wiring"
    ),
    "jwks": "",
    "issuer": "errors jwks venues._http",
    "tokens": "callers errors jwks",
    "wiring": (
        "contract. doctor domain errors execution.keys intake onboarding pipeline previewing "
        "queues redriving settings status store. trading venues.registry"
    ),
}
HANDLERS_SEE = (
    "api consuming contract. custom_resource doctor errors intake issuer measuring messages "
    "onboarding openapi operating parsing pipeline previewing readiness reconciling report "
    "settings stats store.store sync tokens venues.registry wiring"
)
MAY_NAME_A_VENUE = {"domain.py", "settings.py", "symbols.py", "venue_settings.py"}
VENUE_NAMES = re.compile("hyperliquid|ostium", re.IGNORECASE)


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    """A module's name inside the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """What a file imports from the package, also inside functions and for type checking."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            assert not any(name.name.startswith("agent_where") for name in node.names), path
        if not isinstance(node, ast.ImportFrom) or node.module is None:
            continue
        if node.module.split(".")[0] != "agent_where":
            continue
        inner = node.module.removeprefix("agent_where").removeprefix(".")
        for name in node.names:
            below = f"{inner}.{name.name}".lstrip(".")
            is_module = (PACKAGE / f"{below.replace('.', '/')}.py").exists()
            yield below if is_module else inner


def fits(module: str, pattern: str) -> bool:
    return module.startswith(pattern) if pattern[-1] in "._" else module == pattern


def test_every_module_imports_only_what_the_table_allows() -> None:
    wrong = []
    for path in modules():
        own = dotted(path)
        if path.name == "__init__.py":
            continue
        rule = max((each for each in ALLOWED if fits(own, each)), key=len, default=None)
        assert rule is not None, f"{own} is not in the table: decide what it may see"
        allowed = ALLOWED[rule].split()
        wrong += [
            f"{own} imports {seen}"
            for seen in imports(path)
            if seen != own and not any(fits(seen, each) for each in allowed)
        ]

    assert wrong == []


def test_the_table_names_nothing_that_is_gone() -> None:
    known = {dotted(path) for path in modules()}

    assert [rule for rule in ALLOWED if not any(fits(each, rule) for each in known)] == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_sees_only_what_is_on_top(handler: Path) -> None:
    allowed = HANDLERS_SEE.split()

    wrong = [each for each in imports(handler) if not any(fits(each, one) for one in allowed)]

    assert wrong == []


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_a_handler_has_at_most_sixty_lines(handler: Path) -> None:
    assert len(handler.read_text(encoding="utf-8").splitlines()) <= 60


def test_no_venue_is_named_outside_its_adapter() -> None:
    """Besides its settings, the default priority and the enum."""
    named = [
        path.relative_to(PACKAGE).as_posix()
        for path in [*modules(), *SQL.glob("*.sql")]
        if "venues" not in path.relative_to(PACKAGE).parts
        and path.name not in MAY_NAME_A_VENUE
        and VENUE_NAMES.search(path.read_text(encoding="utf-8"))
    ]
    handlers = [path for path in HANDLERS if VENUE_NAMES.search(path.read_text(encoding="utf-8"))]

    assert named + handlers == []


def test_every_package_file_is_empty() -> None:
    assert [path for path in PACKAGE.rglob("__init__.py") if path.read_bytes()] == []


def test_every_statement_has_a_file_and_every_file_a_caller() -> None:
    called = set()
    for path in (PACKAGE / "store").glob("*.py"):
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(
                    func=ast.Name(id="statement" | "sql" | "Check") | ast.Attribute(attr="_run"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    called.add(name)

    assert called == {path.stem for path in SQL.glob("*.sql")}


def counted() -> list[Path]:
    """All code but the tests."""
    return [
        path
        for folder in ("layers", "cli", "functions", "local", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]


def test_no_module_is_over_three_hundred_lines() -> None:
    long = {path.name: path.read_text(encoding="utf-8").count("\n") for path in counted()}

    assert {name: lines for name, lines in long.items() if lines > 300} == {}


def test_no_function_is_over_forty_lines() -> None:
    long = []
    for path in counted():
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            told = ast.get_docstring(node) is not None and len(node.body) > 1
            start = node.body[1 if told else 0].lineno
            if (node.end_lineno or start) - start + 1 > 40:
                long.append(f"{path}:{node.lineno} {node.name}")

    assert long == []


def test_no_money_is_ever_a_float() -> None:
    """Seconds may be, and so may the percentages and milliseconds that statistics answer."""
    seconds = {"connection.py": "float(self._settings.script_timeout_seconds)"}
    found = []
    for path in modules():
        if path.name == "stats.py":
            continue
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(func=ast.Name(id="float")) if ast.unparse(node) != seconds.get(
                    path.name
                ):
                    found.append(f"{path.name}:{node.lineno}")
                case ast.Constant(value=float()) if path.parent.name in ("execution", "routing"):
                    if path.name != "sending.py":  # how many seconds it waits before it asks
                        found.append(f"{path.name}:{node.lineno}")

    assert found == []


def test_nothing_in_the_layer_prints_or_swallows_everything() -> None:
    found = []
    for path in [*modules(), *HANDLERS]:
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(func=ast.Name(id="print")):
                    found.append(f"{path.name}:{node.lineno} print")
                case ast.ExceptHandler(type=None | ast.Name(id="Exception" | "BaseException")):
                    found.append(f"{path.name}:{node.lineno} broad except")

    assert found == []


TRADES = ("agent_where.execution.executor",)
HEAVY = (
    "agent_where.openapi",
    "agent_where.venues.hyperliquid",
    "agent_where.venues.ostium",
    "agent_where.venues._evm",
    "agent_where.execution.signers",
    "coincurve",
    "msgpack",
    "eth_account",
    "eth_abi",
    "rlp",
    "boto3",
)
READS_ONLY = {"config_api", "stats_api"}


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda path: path.parent.name)
def test_importing_a_handler_loads_no_adapter_no_signer_and_no_aws_client(handler: Path) -> None:
    unwanted = (*HEAVY, *(TRADES if handler.parent.name in READS_ONLY else ()))
    script = (
        "import runpy, sys\n"
        f"runpy.run_path({str(handler)!r}, run_name='app')\n"
        f"print([name for name in {unwanted!r} if name in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(PACKAGE.parent), "PATH": ""},
    )

    assert told.stdout.strip() == "[]"


def test_what_signs_compiles_no_c_declarations_when_it_is_loaded() -> None:
    script = "import sys, agent_where.execution.signers; print('pycparser' in sys.modules)"

    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(PACKAGE.parent), "PATH": ""},
    )

    assert told.stdout.strip() == "False"
