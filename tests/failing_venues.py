"""Venues on paper that fail at one step: what a worker's death or a lost answer leaves behind."""

from collections.abc import Sequence

from agent_where.domain import Order, Settled
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue


class Died(Exception):
    """The worker is gone."""


class Deadly(PaperVenue):
    """A venue that kills the worker before a byte is sent."""

    def __init__(self, paper: PaperVenue) -> None:
        self.__dict__.update(paper.__dict__)

    def send(self, order: Order, action: Action) -> Settled | None:
        raise Died


class Answering(PaperVenue):
    """A venue that, asked about an order, gives the answer it was made with."""

    def __init__(self, paper: PaperVenue, answer: Settled) -> None:
        self.__dict__.update(paper.__dict__)
        self._settled = answer

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        return self._settled
