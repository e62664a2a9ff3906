"""What tests of comparing share: a market, what ledger and figures say, venues that are away."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from agent_where.comparing import Compared
from agent_where.domain import Order, Settled
from agent_where.errors import OutcomeUnknown, VenueUnavailable
from agent_where.reconciling import write_figures
from agent_where.venues.base import Action, OpenPosition, Standing
from tests.netting import NettingVenue, NettingWorld

MARKET = "BTC/USD"
STOP: dict[str, Any] = {"riskModel": {"stopLoss": "0.2"}}
UNDONE = Compared(accounts=1)


class Silent(NettingVenue):
    """A venue that executes, and gives no answer for a while."""

    def __init__(self, place: NettingVenue) -> None:
        self.__dict__ = place.__dict__

    def send(self, order: Order, action: Action) -> Settled | Standing | None:
        super().send(order, action)
        raise OutcomeUnknown(self.id, "no answer")

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | Standing | None:
        raise VenueUnavailable(self.id, "no answer")


class Gone(NettingVenue):
    """A venue that gives no answer."""

    def __init__(self, place: NettingVenue) -> None:
        self.__dict__ = place.__dict__

    def positions(self, account: str) -> Sequence[OpenPosition]:
        raise VenueUnavailable(self.id, "no answer")


def stands(world: NettingWorld, position: UUID) -> tuple[object, ...]:
    row = world.position(position)
    return row["status"], row["open_qty"], row["closed_by"], row["exit_reason"]


def unexplained(world: NettingWorld) -> int:
    return int(write_figures(world.deps)["positionsUnexplained"])


def told_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
