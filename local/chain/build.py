"""The local venue's contracts, compiled: kept by the hash of all that goes in, made anew otherwise.

`python -m local.chain.build` compiles what has changed. The compiler is of .venv/chain.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

from local.environment import ROOT, program, without_aws
from local.processes import StepFailed

_SOURCES: Final = Path(__file__).with_name("contracts")
_KEPT: Final = ROOT / ".local" / "contracts"
_PINS: Final = ROOT / "requirements" / "chain.json"
_COMPILER: Final = ROOT / ".venv" / "chain" / "node_modules" / "solc" / "solc.js"
_SECONDS: Final = 120
_SETTINGS: Final[Mapping[str, Any]] = {
    "optimizer": {"enabled": True, "runs": 1},
    "evmVersion": "cancun",
    "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object", "evm.methodIdentifiers"]}},
}


@dataclass(frozen=True, slots=True)
class Artefact:
    """A compiled contract: what creates it, and what can be said to it."""

    name: str
    code: bytes
    abi: tuple[Mapping[str, Any], ...]
    selectors: Mapping[str, str]


@cache
def artefacts() -> Mapping[str, Artefact]:
    """The contracts by name, compiled if what is kept is of other sources.

    Raises:
        StepFailed: the compiler refuses them, or is not there (`make test` installs it).
    """
    sources = {path.name: path.read_text() for path in sorted(_SOURCES.glob("*.sol"))}
    asked = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": _SETTINGS,
    }
    said = json.dumps(asked, sort_keys=True)
    kept = _KEPT / f"{hashlib.sha256(_PINS.read_bytes() + said.encode()).hexdigest()}.json"
    if not kept.exists():
        _keep(kept, _compiled(said))
    told = json.loads(kept.read_text())
    return {
        name: _artefact(name, one)
        for file in told["contracts"].values()
        for name, one in file.items()
    }


def _compiled(asked: str) -> str:
    if not _COMPILER.exists():
        raise StepFailed("the compiler is not installed: make .venv/chain/node_modules/.installed")
    with TemporaryFile("w+") as source, TemporaryFile("w+") as target:  # it loses part of a pipe
        source.write(asked)
        source.seek(0)
        ran = subprocess.run(
            [program("chain", "node"), str(_COMPILER), "--standard-json"],
            stdin=source,
            stdout=target,
            stderr=subprocess.PIPE,
            env=without_aws(),
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        target.seek(0)
        told = target.read()
    if ran.returncode != 0:
        raise StepFailed(f"the compiler ended with code {ran.returncode}: {ran.stderr[-500:]}")
    told = told[told.index("{") :]
    faults = [one["formattedMessage"] for one in json.loads(told).get("errors", [])]
    if faults:
        raise StepFailed("\n".join(faults))
    return told


def _keep(kept: Path, told: str) -> None:
    """Whole or not at all: another process may look for it."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    made = kept.with_suffix(f".{hashlib.sha256(told.encode()).hexdigest()[:8]}.part")
    made.write_text(told)
    made.replace(kept)


def _artefact(name: str, told: Mapping[str, Any]) -> Artefact:
    evm = told["evm"]
    return Artefact(
        name,
        bytes.fromhex(evm["bytecode"]["object"]),
        tuple(told["abi"]),
        evm["methodIdentifiers"],
    )


if __name__ == "__main__":
    for one in artefacts().values():
        if one.code:
            print(f"{one.name:16} {len(one.code):6} bytes")
