"""The functions that no user calls, as Lambda calls them: an event file in, an answer out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest

from agent_where import wiring
from tests.handlers import gateway
from tests.handlers.gateway import Function, event
from tests.world import MemoryQueues

QUEUES = {
    "SIGNAL_QUEUE_URL": "http://127.0.0.1:1/000000000000/signals.fifo",
    "ORDER_QUEUE_URL": "http://127.0.0.1:1/000000000000/orders.fifo",
    "DEAD_LETTER_QUEUE_URL": "http://127.0.0.1:1/000000000000/dead.fifo",
}


class Context(gateway.Context):
    """One that knows how much time is left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 20_000


class Worker(Function):
    """A function whose queues are in memory."""

    def __init__(self, name: str, queues: MemoryQueues) -> None:
        super().__init__(name)
        self.queues = queues

    def run(self, case: str, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An event file; `changes` go into its first record."""
        sent = deepcopy(event(self.name, case))
        if changes:
            sent["Records"][0] |= changes
        answer: dict[str, Any] = self.module.handler(sent, Context())
        return answer


@contextmanager
def working(
    name: str, dsn: str, patch: pytest.MonkeyPatch, queues: MemoryQueues | None = None
) -> Iterator[Worker]:
    """The function over a database, started cold."""
    memory = queues or MemoryQueues()
    for setting, url in {**QUEUES, "DATABASE_URL": dsn, "POWERTOOLS_TRACE_DISABLED": "1"}.items():
        patch.setenv(setting, url)
    for setting in ("NETWORK", "AWS_ENDPOINT_URL"):
        patch.delenv(setting, raising=False)
    patch.setattr(wiring, "queues", lambda _: memory)
    yield Worker(name, memory)
