"""Runs schemathesis against an API: cases from its own OpenAPI document, every answer checked.

In a process of its own, since its hooks and formats are global.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PHASES = ("examples", "coverage", "fuzzing", "stateful")
_SCHEMATHESIS = (sys.executable, "-m", "schemathesis.cli")


@dataclass(frozen=True)
class Fuzzed:
    """How a run ended, and what schemathesis told."""

    passed: bool
    told: str

    @property
    def summary(self) -> str:
        """The end of the report."""
        return self.told[self.told.rfind(" SUMMARY ") :]

    @property
    def cases(self) -> int:
        """How many requests it made up."""
        (told,) = re.findall(r"([0-9,]+) generated", self.summary)
        return int(told.replace(",", ""))


def fuzz(
    url: str,
    token: str,
    *,
    examples: int,
    phases: Sequence[str] = PHASES,
    seed: int | None = None,
    loud: bool = False,
) -> Fuzzed:
    """Try the API.

    Args:
        url: of the stage.
        examples: cases of each operation, beside those that its schema's corners make.
        seed: makes the run repeatable; None: another one each time.
        loud: lets schemathesis write to the terminal while it runs.
    """
    told = subprocess.run(
        [
            *_SCHEMATHESIS,
            "--config-file",
            str(ROOT / "tests" / "schemathesis.toml"),
            "run",
            f"{url}/openapi.json",
            f"--url={url}",
            f"--max-examples={examples}",
            f"--phases={','.join(phases)}",
            "--workers=1",  # several gain no time, and Python 3.11 may trip over its own parser
            "--request-timeout=30",
            *([] if seed is None else [f"--seed={seed}"]),
        ],
        check=False,
        stdout=None if loud else subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT / "layers" / "core"), str(ROOT))),
            "SCHEMATHESIS_HOOKS": "tests.fuzz_hooks",
            "FUZZ_TOKEN": token,
        },
    )
    return Fuzzed(told.returncode == 0, told.stdout or "")
