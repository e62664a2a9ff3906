"""The layer as it is built: alone it must be enough for every function."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.aws import build
from local.environment import ROOT, Home, program
from local.layer import LIMIT_BYTES, compiled, digest, faults, machines, uncompiled, weight

pytestmark = pytest.mark.e2e

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
AARCH64 = 183

IMPORT = """
import sys
sys.path[:0] = sys.argv[1:]
import app
assert callable(app.handler)
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_imports_with_nothing_but_the_layer_and_its_folder(
    home: Home, function: str
) -> None:
    layer = build(home) / "python"

    command = [program("ministack", "python"), "-I", "-S", "-B", "-c", IMPORT]
    command += [str(layer), str(ROOT / "functions" / function)]
    done = subprocess.run(command, env={}, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def layer(home: Home) -> Path:
    """The layer as it is built for AWS."""
    return build(home, "lambda")


def test_the_layer_for_aws_holds_arm64_binaries_alone(layer: Path) -> None:
    assert machines(layer) == {AARCH64}


def test_the_layer_with_the_largest_function_fits(layer: Path) -> None:
    largest = max(weight(path) for path in (ROOT / "functions").iterdir())

    assert weight(layer) + largest < LIMIT_BYTES


def test_the_layer_holds_nothing_that_only_developers_need(layer: Path) -> None:
    pinned = (ROOT / "layers" / "core" / "requirements.txt").read_text()
    wanted = {
        re.sub(r"[-_.]+", "_", name).lower()
        for name in re.findall(r"^([A-Za-z0-9._-]+)==", pinned, re.MULTILINE)
    }
    installed = {
        re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower()
        for path in (layer / "python").glob("*.dist-info")
    }

    assert installed <= wanted
    assert list(faults(layer)) == []


def test_every_module_is_compiled_for_the_functions_python_where_there_is_one(layer: Path) -> None:
    if not compiled(layer):
        pytest.skip("there is no python3.13 on this machine to compile with")

    assert uncompiled(layer) == []


def test_another_build_by_another_python_elsewhere_is_the_same_to_the_byte(
    layer: Path, tmp_path: Path
) -> None:
    sources, target = tmp_path / "sources", tmp_path / "built"
    shutil.copytree(ROOT / "layers" / "core", sources, ignore=shutil.ignore_patterns("__pycache__"))

    subprocess.run(
        ["make", "build-CoreLayer", f"PYTHON={sys.executable}", f"ARTIFACTS_DIR={target}"],
        cwd=sources,
        env={**os.environ, "WHEELS": "lambda"},
        capture_output=True,
        timeout=300,
        check=True,
    )

    assert digest(target) == digest(layer)
