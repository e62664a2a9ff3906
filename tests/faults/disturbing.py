"""What goes wrong with an invocation by the real clock, where no moment can be chosen exactly."""

import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType

from tests.faults.house import House
from tests.faults.runtime import Instance
from tests.faults.sqs import LOSE


def _kill(_: House, rng: random.Random, instance: Instance) -> None:
    time.sleep(rng.uniform(0, 0.03))
    with suppress(ProcessLookupError):
        os.kill(instance.pid, signal.SIGKILL)


def _cut(house: House, _: random.Random, __: Instance) -> None:
    house.server.line.hang_up()


def _lose(house: House, _: random.Random, __: Instance) -> None:
    house.queues.fault = LOSE
    time.sleep(0.05)
    house.queues.fault = None


def _nothing(_: House, __: random.Random, ___: Instance) -> None:
    """The message is not deleted, so that it comes again."""


DELIVERED_AGAIN = "delivered again"
FAULTS: Mapping[str, Callable[[House, random.Random, Instance], None]] = MappingProxyType(
    {
        "killed": _kill,
        "killed, too": _kill,
        "line cut": _cut,
        "queue's answer lost": _lose,
        DELIVERED_AGAIN: _nothing,
    }
)
