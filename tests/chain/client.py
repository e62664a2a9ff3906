"""The venue's own client at the other end of a pipe."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.chain.venue import LocalVenue
from local.environment import program, without_aws
from tests.chain.desk import AGENT_KEY, USER_KEY

_PROCESS = Path(__file__).with_name("client_process.py")


class ClientFailed(Exception):
    """The client raised; the message is its own."""


@dataclass
class Client:
    process: subprocess.Popen[str]

    def ask(self, what: str, key: str = USER_KEY, *, delegates: bool = False, **given: Any) -> Any:
        """What a method of the client returns. Raises ClientFailed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"what": what, "key": key, "delegates": delegates, "given": given}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        if "fault" in told:
            raise ClientFailed(told["fault"])
        return told["told"]

    def as_agent(self, what: str, **given: Any) -> Any:
        """The same through delegation."""
        return self.ask(what, AGENT_KEY, delegates=True, **given)


@contextmanager
def client(venue: LocalVenue) -> Iterator[Client]:
    """The client in its environment, which `make test` installs."""
    contracts = {
        "usdc": venue.usdc,
        "trading": venue.trading,
        "tradingStorage": venue.trading_storage,
    }
    setting = {
        "rpc_url": venue.rpc_url,
        "subgraph_url": venue.subgraph_url,
        "contracts": contracts,
    }
    with subprocess.Popen(
        [program("ostium", "python"), "-W", "ignore", str(_PROCESS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=without_aws(),
        text=True,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(setting) + "\n")
        process.stdin.flush()
        yield Client(process)
        process.stdin.close()
