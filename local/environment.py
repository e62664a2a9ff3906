"""Where things are on a laptop: the environments, the state, its logs, and ports that are free."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = "127.0.0.1"
REGION = "us-east-1"

Wheels = Literal["host", "lambda"]  # for this machine, or for what AWS runs


@dataclass(frozen=True, slots=True)
class Home:
    """One folder that holds the whole state of one local deployment."""

    path: Path = ROOT / ".local"

    @classmethod
    def of_real_venues(cls) -> "Home":
        """Apart from the simulated ones: neither prices nor paper trades of the two may mix."""
        return cls(ROOT / ".local" / "mainnet")

    @classmethod
    def of_live_trading(cls) -> "Home":
        """Where orders are signed and sent to simulated venues."""
        return cls(ROOT / ".local" / "live")

    @classmethod
    def of_tests(cls) -> "Home":
        """The end-to-end tests' own."""
        return cls(ROOT / ".local" / "e2e")

    @classmethod
    def of_live_tests(cls) -> "Home":
        """The end-to-end tests' own, for live trading."""
        return cls(ROOT / ".local" / "e2e-live")

    @property
    def postgres(self) -> Path:
        """The database's data directory: the only thing that has to survive."""
        return self.path / "postgres"

    def build(self, wheels: Wheels) -> Path:
        """What `sam build` makes."""
        return self.path / "build" / wheels

    @property
    def ministack(self) -> Path:
        """Scratch space of the local AWS, emptied at each start."""
        return self.path / "ministack"

    @property
    def issuer(self) -> Path:
        """Where the key that signs this deployment's tokens is kept."""
        return self.path / "issuer"

    @property
    def api_url(self) -> Path:
        """A file with the API's URL while it is up."""
        return self.path / "api-url"

    @property
    def running(self) -> Path:
        """Which children run, so that a later start can end what a crash left behind."""
        return self.path / "running"

    def log(self, name: str) -> Path:
        """The log of one child or one step; its folder is made."""
        folder = self.path / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


def program(
    environment: Literal["project", "ministack", "sam", "checkov", "chain", "ostium"], name: str
) -> str:
    """The path of a program in one of the environments."""
    return str(ROOT / ".venv" / environment / "bin" / name)


def free_port(preferred: int = 0) -> int:
    """The preferred port if nothing listens there, else one that the system hands out."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free on loopback")


def without_aws() -> dict[str, str]:
    """This process's environment without what leads to the real AWS or to our own modules."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONPATH"
    }
    passed_by = ",".join(filter(None, (kept.get("NO_PROXY"), LOOPBACK, "localhost")))
    return kept | {"NO_PROXY": passed_by, "no_proxy": passed_by}


def reaching(endpoint: str) -> dict[str, str]:
    """The variables by which AWS's tools find the local AWS, which takes any credentials."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
    }


def for_aws_tools(endpoint: str) -> Mapping[str, str]:
    """The environment of a tool that shall talk to the local AWS and to nothing else."""
    return {
        **without_aws(),
        **reaching(endpoint),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
