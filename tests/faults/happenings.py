"""What a day brings besides faults, drawn from a seed: signals, refusals, prices, operators, hands.

Each is a function of a stage that says when what happens, within a span of seconds from the start.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from agent_where.migrations import set_up
from local.simulators.faults import BadControl
from tests.faults.house import COIN, MIGRATIONS, VENUES
from tests.faults.lockstep import Director
from tests.faults.producing import BOUNDS, Producer
from tests.faults.stage import ORDERS, SIGNALS, Stage, wallet

Happening = tuple[float, str, Callable[[], object]]
"""When, in words, and what."""
Happens = Callable[[Stage, random.Random, float], Iterator[Happening]]
NIL = "00000000-0000-0000-0000-000000000000"
_ONE_MORE = ";\n".join(
    f"ALTER TABLE {table} ADD COLUMN faults_note text; CREATE INDEX ON {table} (faults_note)"
    for table in ("signals", "venue_orders", "positions")
)


def a_day(
    director: Director,
    agents: Sequence[UUID],
    producer: Producer,
    *,
    signals: Sequence[int],
    bound: float,
    shares: Sequence[tuple[float, Happens]],
) -> Iterator[Happening]:
    """Signals with copies, and now and then what else a day brings: each at its time.

    Args:
        signals: how many there may be, one as likely as the other.
        bound: the share of openings with a stop and a target.
        shares: how likely each of the other things is.
    """
    rng, stage = director.rng, director.stage
    span = rng.choice((5.0, 60.0, 400.0))
    for _ in range(rng.choice(signals)):
        yield from _signal(rng, rng.choice(agents), producer, span, bound)
    for share, happen in shares:
        if rng.random() < share:
            yield from happen(stage, rng, span)
    for function in rng.choice(((), (), ("reconcile",), ("reconcile", "reconcile"))):
        yield at(rng, span), "reconcile, once more", partial(director.invoke, function)
    if rng.random() < 0.1:
        yield at(rng, span), "a sync", partial(director.invoke, "market_sync")


def at(rng: random.Random, span: float) -> float:
    """Some time within it."""
    return rng.uniform(0, span)


def _signal(
    rng: random.Random, agent: UUID, producer: Producer, span: float, bound: float
) -> Iterator[Happening]:
    """One signal and its copies, now or minutes later."""
    if rng.random() < 0.25:
        body = producer.closes(agent)
    else:
        risk = {"riskModel": BOUNDS} if rng.random() < bound else {}
        body = producer.opens(agent, rng.choice(("LONG", "LONG", "SHORT")), **risk)
    first = at(rng, span)
    for copy in range(rng.choice((1, 1, 1, 2, 3))):
        later = first + copy * rng.choice((0.0, 0.1, 30.0, 400.0))
        yield later, f"a signal, copy {copy}", partial(producer.send, body, copy)


def refusals(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """A venue opens nothing for a while."""
    venue, first = rng.choice(stage.netting), at(rng, span)
    yield first, f"{venue} refuses", partial(stage.refuse_growth, venue, refuses=True)
    later = first + at(rng, span)
    yield later, f"{venue} takes orders", partial(stage.refuse_growth, venue, refuses=False)


def moves(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """The price goes through a bound, or towards it."""
    price = rng.choice(("56000", "67000", "59000", "61000"))
    for venue in VENUES:
        work = partial(stage.set_price, venue, price)
        yield at(rng, span) + 5, f"{venue} moves to {price}", work


def lateness(stage: Stage, rng: random.Random, _: float) -> Iterator[Happening]:
    """Venues know orders and fills seconds after they were made."""
    seconds = rng.choice((1, 3, 8))
    for venue in stage.netting:
        late = partial(stage.tell, venue, "lag", orderStatus=seconds, fills=seconds)
        yield 0.0, f"{venue} is {seconds} s late", late


def control(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """An operator stops trading for a while."""
    first, state = at(rng, span), rng.choice(("HALTED", "CLOSE_ONLY"))
    yield first, f"an operator says {state}", partial(set_control, stage, state)
    yield first + at(rng, span), "and lets go", partial(set_control, stage, "ACTIVE")


def liquidation(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """A venue takes a user's position away."""
    venue, number = rng.choice(stage.netting), rng.choice((0, 1, 2))
    work = partial(liquidate, stage, venue, wallet(f"user {number}"))
    yield at(rng, span) + 5, f"{venue} liquidates", work


def poison(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """Messages that never can succeed."""
    for name, body in (("no JSON", "{"), ("an unknown order", json.dumps({"orderId": NIL}))):
        queue = rng.choice((SIGNALS, ORDERS))
        work = partial(send_poison, stage, queue, name, body)
        yield at(rng, span), f"a poison message, {name}", work


def restart(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """The database's server stops and starts."""
    yield at(rng, span), "the database restarts", stage.restart_database


def migration(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """A new version is deployed, twice."""
    yield at(rng, span), "setup runs, with a migration more", partial(set_up_again, stage)
    yield at(rng, span), "setup runs once more", partial(set_up_again, stage)


def by_hand(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """The user trades in the account that we trade: on top, against us, or out of all of it."""
    venue, user = rng.choice(stage.netting), wallet(f"user {rng.choice((0, 1, 2))}")
    for _ in range(rng.choice((1, 1, 2, 4))):
        size, is_buy = rng.choice(("0.002", "0.005", "0.02")), rng.random() < 0.5
        work = partial(trade_by_hand, stage, venue, user, size, is_buy=is_buy)
        side = "buys" if is_buy else "sells"
        yield at(rng, span) + 5, f"a user {side} {size} at {venue} by hand", work


def set_control(stage: Stage, state: str) -> None:
    """Everybody may trade, or close only, or nothing."""
    stage.rows(
        "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
        " VALUES ('global', NULL, :state, 'a scenario', 'a scenario')"
        " ON CONFLICT (scope, id) DO UPDATE SET state = excluded.state",
        state=state,
    )


def send_poison(stage: Stage, queue: str, name: str, body: str) -> None:
    """Somebody puts on a queue what does not belong there."""
    stage.poison.append(body)
    stage.queues[queue].send(name, name, body, {})


def liquidate(stage: Stage, venue: str, user: str) -> None:
    """The venue takes a position away, if there is one."""
    with suppress(BadControl):
        stage.tell(venue, "liquidate", user=user, coin=COIN)


def trade_by_hand(stage: Stage, venue: str, user: str, size: str, *, is_buy: bool) -> None:
    """A market order of the user's, if there is such an account."""
    with suppress(BadControl):
        told = stage.tell(venue, "trade", user=user, coin=COIN, size=size, buy=is_buy)["status"]
        if "filled" in told:
            stage.by_hand.add((venue, told["filled"]["oid"]))


def set_up_again(stage: Stage) -> None:
    """What a deployment does first: all of setup, with one more migration than there was."""
    with TemporaryDirectory() as folder:
        ours = sorted(MIGRATIONS.glob("*.sql"))
        for each in ours:
            (Path(folder) / each.name).write_bytes(each.read_bytes())
        (Path(folder) / f"{len(ours) + 1:04}_faults.sql").write_text(_ONE_MORE)
        set_up(stage.direct, Path(folder), network="mainnet")
