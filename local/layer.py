"""What the layer weighs and holds, told after `make build`; run as a module on the built folder."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

LIMIT_BYTES = 120_000_000
"""Layer and function together, unpacked, may not be larger; AWS stops at 250 MiB."""

UNWANTED = frozenset(
    {"_pytest", "pytest", "hypothesis", "moto", "mypy", "pip", "ruff", "setuptools", "wheel"}
    | {"mypy_boto3_builder", "types_boto3", "eth_account", "hyperliquid", "samcli", "ministack"}
)
"""What only developers need, or the tests: none of it may be found in what is deployed."""

_AARCH64 = 183  # e_machine of an ELF file, two bytes at offset 18
_LARGEST = 12
_MAGIC = (3571).to_bytes(2, "little") + b"\r\n"  # of Python 3.13's compiled files
_UNCHECKED = (1).to_bytes(4, "little")  # by their source's hash (PEP 552), which nobody asks for


def files(layer: Path) -> Iterator[Path]:
    """Every file of the built layer."""
    return (path for path in sorted(layer.rglob("*")) if path.is_file())


def weight(folder: Path) -> int:
    """Its size unpacked, in bytes."""
    return sum(path.stat().st_size for path in files(folder))


def digest(layer: Path) -> str:
    """SHA-256 of every file's name and content: the same for two builds of the same sources."""
    total = hashlib.sha256()
    for path in files(layer):
        total.update(f"{path.relative_to(layer)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def packages(layer: Path) -> dict[str, int]:
    """Bytes of each thing that can be imported from the layer, its metadata with it."""
    found = Counter[str]()
    root = layer / "python"
    for path in files(root):
        found[path.relative_to(root).parts[0].split("-")[0].removesuffix(".py")] += (
            path.stat().st_size
        )
    return dict(found)


def machines(layer: Path) -> set[int]:
    """For which processors its libraries are, as ELF files number them."""
    return {
        int.from_bytes(path.read_bytes()[18:20], "little")
        for path in files(layer)
        if ".so" in path.suffixes
    }


def compiled(layer: Path) -> list[Path]:
    """Its compiled files, of whichever Python."""
    return [path for path in files(layer) if path.suffix == ".pyc"]


def uncompiled(layer: Path) -> list[Path]:
    """Sources without a compiled file that Python 3.13 takes whatever an archive did to times."""
    return [
        path
        for path in files(layer)
        if path.suffix == ".py"
        and not _is_taken(path.parent / "__pycache__" / f"{path.stem}.cpython-313.pyc")
    ]


def _is_taken(path: Path) -> bool:
    return path.exists() and path.read_bytes()[:8] == _MAGIC + _UNCHECKED


def faults(layer: Path) -> Iterator[str]:
    """Why what was built must not be deployed, one sentence each."""
    unwanted = sorted(UNWANTED & packages(layer).keys())
    if unwanted:
        yield f"the layer holds what no function needs: {', '.join(unwanted)}"
    if weight(layer) > LIMIT_BYTES:
        yield f"the layer is larger than {LIMIT_BYTES // 1_000_000} MB"
    if machines(layer) == {_AARCH64} and compiled(layer) and (missing := uncompiled(layer)):
        yield f"not compiled for Python 3.13: {missing[0].name}, of {len(missing)} in all"


def main(layer: Path, console: Console) -> int:
    """Tell it all; 1 when it must not be deployed."""
    table = Table("package", "MB", title=f"{layer.name}: {weight(layer) / 1e6:.1f} MB unpacked")
    largest = sorted(packages(layer).items(), key=lambda each: -each[1])
    for name, size in largest[:_LARGEST]:
        table.add_row(name, f"{size / 1e6:.1f}")
    rest = largest[_LARGEST:]
    table.add_row(f"{len(rest)} others", f"{sum(size for _, size in rest) / 1e6:.1f}")
    console.print(table)
    for line in _about(layer):
        console.print(line, highlight=False)
    found = list(faults(layer))
    for fault in found:
        console.print(f"[red]{fault}")
    return int(bool(found))


def _about(layer: Path) -> Iterator[str]:
    """What it is for, and by what two builds can be compared."""
    processor = "arm64" if machines(layer) == {_AARCH64} else "this machine"
    state = "compiled" if compiled(layer) else "not compiled: there is no python3.13"
    certificates = (layer / "rds-global-bundle.pem").exists()
    with_them = "with" if certificates else "without"
    how = "" if certificates else " (make rds-ca), which a database on RDS needs"
    yield f"for {processor}; {state}; {with_them} the certificates of RDS{how}"
    yield f"sha256 of what is in it: {digest(layer)}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Console(width=100)))
