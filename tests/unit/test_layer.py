"""What is said of a built layer, and what may not be deployed; tests/e2e builds the real one."""

import os
from pathlib import Path

import pytest

from local.layer import digest, faults

OF_3_13 = b"\xf3\x0d\x0d\x0a"
UNCHECKED, BY_TIME = b"\x01\x00\x00\x00", b"\x00\x00\x00\x00"


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    """Two modules for arm64, both compiled for the functions' Python."""
    package = tmp_path / "python" / "agent_where"
    (package / "__pycache__").mkdir(parents=True)
    for name in ("first", "second"):
        (package / f"{name}.py").write_text(f"NAME = '{name}'\n")
        compile_to(package / f"{name}.py", OF_3_13 + UNCHECKED)
    (package / "library.so").write_bytes(bytes(18) + (183).to_bytes(2, "little"))
    return tmp_path


def compile_to(module: Path, header: bytes) -> None:
    target = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
    target.write_bytes(header + bytes(8) + module.read_bytes())


def test_a_layer_that_is_compiled_whole_may_be_deployed(layer: Path) -> None:
    assert list(faults(layer)) == []


def test_one_that_is_not_compiled_at_all_starts_slower_and_may_be_deployed(layer: Path) -> None:
    for path in layer.rglob("*.pyc"):
        path.unlink()

    assert list(faults(layer)) == []


@pytest.mark.parametrize(
    "header",
    [None, OF_3_13 + BY_TIME, b"\xa7\x0d\x0d\x0a" + UNCHECKED],
    ids=["not compiled", "valid by the archive's times alone", "of another Python"],
)
def test_one_with_a_module_that_lambda_would_compile_at_each_start_may_not(
    layer: Path, header: bytes | None
) -> None:
    module = layer / "python" / "agent_where" / "second.py"
    if header is None:
        next(layer.rglob("second*.pyc")).unlink()
    else:
        compile_to(module, header)

    assert list(faults(layer)) == ["not compiled for Python 3.13: second.py, of 1 in all"]


def test_what_only_developers_need_may_not_be_in_it(layer: Path) -> None:
    (layer / "python" / "pytest-9.0.dist-info").mkdir()
    (layer / "python" / "pytest-9.0.dist-info" / "METADATA").write_text("Name: pytest")

    assert list(faults(layer)) == ["the layer holds what no function needs: pytest"]


def test_its_digest_is_of_names_and_contents_and_not_of_times(layer: Path) -> None:
    before = digest(layer)
    module = layer / "python" / "agent_where" / "first.py"

    os.utime(module, (0, 0))
    assert digest(layer) == before

    module.write_text("NAME = 'another'\n")
    changed = digest(layer)
    module.rename(module.with_name("third.py"))
    assert len({before, changed, digest(layer)}) == 3
