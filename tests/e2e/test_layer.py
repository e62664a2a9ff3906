"""The layer as it is built: alone it must be enough for every function."""

import subprocess

import pytest

from local.aws import build
from local.environment import ROOT, Home, program

pytestmark = pytest.mark.e2e

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/app.py"))
AARCH64 = 183  # e_machine of an ELF file, two bytes at offset 18
LIMIT_BYTES = 250 * 1024 * 1024

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


def test_the_layer_for_aws_holds_arm64_binaries_alone_and_fits(home: Home) -> None:
    layer = build(home, "lambda")

    libraries = list(layer.rglob("*.so*"))
    machines = {int.from_bytes(path.read_bytes()[18:20], "little") for path in libraries}
    size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file())

    assert libraries
    assert machines == {AARCH64}
    assert size < LIMIT_BYTES
