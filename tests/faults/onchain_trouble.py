"""What goes wrong on a chain, besides what goes wrong everywhere: drawn where a node is asked.

The node errs, lags, forgets and reorganises; the keeper cancels or says nothing; gas is dear; no
block comes; somebody else uses the key.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from tests.faults.lockstep import Act, Director, Run
from tests.faults.onchain_place import CONFIRMATIONS
from tests.faults.onchain_stage import ONCHAIN, OnchainStage, onchain
from tests.faults.points import Point


class Trouble(StrEnum):
    """What goes wrong."""

    ERRS = "node errs"
    ERRS_DONE = "node errs, done"
    LIMITED = "node was asked too much"
    BEHIND = "node is behind"
    NO_BATCHES = "node takes no batches"
    FORGETS = "node forgets what waits"
    REORG = "reorganisation of a block"
    DEEP_REORG = "deep reorganisation"
    STANDS = "no blocks"
    DEAR = "gas is dear"
    STRANGER = "a stranger's nonce"
    SILENT = "keeper is silent"
    CANCELS = "keeper cancels"


_SECONDS: Final = (2, 8, 20, 45, 100, 200, 700)
_REASONS: Final = ("SLIPPAGE", "PRICE_IMPACT", "EXPOSURE_LIMITS", "MARKET_CLOSED")
_METHODS: Final = (
    *("eth_call", "eth_blockNumber", "eth_getTransactionCount"),
    *("eth_getTransactionReceipt", "eth_getLogs", "eth_estimateGas"),
)
_DEAR_WEI: Final = 10**11
BROADCAST: Final = "eth_sendRawTransaction"


class Troubles(Protocol):
    """Says what goes wrong on the chain when a node is about to be asked."""

    def at(self, point: Point) -> Trouble | None:
        """The trouble there, or none."""
        ...


@dataclass
class NoTroubles:
    """All goes well."""

    def at(self, point: Point) -> Trouble | None:
        return None


@dataclass
class OneTrouble:
    """One trouble at the nth question to the node of that name, counted from 1."""

    trouble: Trouble
    number: int = 1
    name: str = BROADCAST
    seen: int = 0

    def at(self, point: Point) -> Trouble | None:
        self.seen += self.name in point[2]
        is_its = self.name in point[2] and self.seen == self.number
        return self.trouble if is_its else None


@dataclass
class DrawnTroubles:
    """Troubles with a share of the questions to the node, of some kinds, up to a number.

    A broadcast is where it hurts: it meets five times as much as a reading does.
    """

    rng: random.Random
    share: float
    kinds: tuple[Trouble, ...]
    at_most: int

    @classmethod
    def from_seed(cls, rng: random.Random) -> "DrawnTroubles":
        """Alone or combined, seldom or often."""
        every = sorted(Trouble)
        several = rng.choice((0, 1, 2, 4, len(every)))
        return cls(
            rng,
            rng.choice((0.02, 0.05, 0.1)),
            tuple(sorted(rng.sample(every, several))),
            rng.choice((1, 2, 4, 8)),
        )

    def at(self, point: Point) -> Trouble | None:
        if self.at_most == 0 or not self.kinds:
            return None
        share = self.share * (5 if BROADCAST in point[2] else 1)
        if self.rng.random() >= share:
            return None
        self.at_most -= 1
        return self.rng.choice(self.kinds)


@dataclass
class OnchainDirector(Director):
    """Plays a scenario on a stage with a chain."""

    patience_seconds: float = 3600.0
    troubles: Troubles = field(default_factory=NoTroubles)

    def calm(self) -> None:
        self.troubles = NoTroubles()
        super().calm()
        self._chain.place.be_well()

    @property
    def _chain(self) -> OnchainStage:
        return onchain(self.stage)

    def _go_on(self, run: Run) -> None:
        if run.at[1] == "http" and self._venue_of(run) == ONCHAIN:
            trouble = self.troubles.at(run.at)
            if trouble is not None:
                self.struck[trouble] += 1
                self._note(f"!! {trouble} at {' '.join(run.at)} of {run.instance.id}")
                self._trouble(trouble, run)
        super()._go_on(run)

    def _trouble(self, trouble: Trouble, run: Run) -> None:
        match trouble:
            case Trouble.ERRS | Trouble.ERRS_DONE | Trouble.LIMITED:
                self._refuse(trouble, run)
            case Trouble.SILENT:
                self._tell("keeper", mode="silent")
                self._later("the keeper answers", lambda: self._tell("keeper", mode="fill"))
            case Trouble.CANCELS:
                reason, times = self.rng.choice(_REASONS), self.rng.randint(1, 3)
                self._tell("keeper", mode="cancel", reason=reason, times=times)
            case _:
                self._of_the_chain(trouble)

    def _of_the_chain(self, trouble: Trouble) -> None:
        place, rng = self._chain.place, self.rng
        match trouble:
            case Trouble.BEHIND:
                self._tell("rpc/lag", blocks=rng.randint(1, CONFIRMATIONS))
                self._later("the node has caught up", lambda: self._tell("rpc/lag", blocks=0))
            case Trouble.NO_BATCHES:
                place.endpoint.takes_batches = False
            case Trouble.FORGETS:
                place.forget_waiting()
            case Trouble.REORG:
                place.reorganise(1)
            case Trouble.DEEP_REORG:
                place.reorganise(CONFIRMATIONS - 1)
            case Trouble.STANDS:
                place.stands_still = True
                self._later("blocks come again", place.go_on)
            case Trouble.DEAR:
                place.dear_gas(_DEAR_WEI)
            case Trouble.STRANGER:
                place.stranger(self._chain.key_of(rng.choice(sorted(self._chain.wallets))))

    def _refuse(self, trouble: Trouble, run: Run) -> None:
        """The node answers one request with an error, within JSON-RPC."""
        asked = run.at[2].rpartition(" ")[2]
        method = asked if asked.startswith("eth_") else self.rng.choice(_METHODS)
        code = -32005 if trouble is Trouble.LIMITED else -32000
        self._tell(
            "rpc/refuse",
            method=method,
            message="the backend is unhealthy",
            code=code,
            processed=trouble is Trouble.ERRS_DONE,
            times=1,
        )

    def _tell(self, what: str, **body: object) -> None:
        self.stage.tell(ONCHAIN, what, **body)

    def _later(self, what: str, do: Callable[[], object]) -> None:
        seconds = self.rng.choice(_SECONDS)
        self._resume.append(Act(self.stage.clock.now + seconds, what, do))
