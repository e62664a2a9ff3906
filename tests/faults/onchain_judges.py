"""What must hold at rest where the second venue is a chain: the contracts' word against the ledger.

All of judges.py holds too. What is asked here besides is what only a chain has: transactions and
their hashes, orders that a keeper answers, trades with names of their own, and money to the unit.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from agent_where.store.connection import Row
from tests.faults.case import Case, VenueFill, case_of
from tests.faults.judges import GUARDED, violations
from tests.faults.onchain_books import Book, Execution
from tests.faults.onchain_stage import DEPOSIT_USD, ONCHAIN, OnchainStage, onchain
from tests.faults.stage import Stage

ROUNDING_USD: Final = Decimal("0.00001")
"""What each execution may differ in money: the venue counts USDC in millionths."""


@dataclass(frozen=True)
class ChainCase:
    """A stage with a chain at rest, read once. `order_of`: our orders by their transaction."""

    case: Case
    book: Book
    order_of: Mapping[str, UUID]
    stage: OnchainStage

    @property
    def chain_orders(self) -> list[Row]:
        return [row for row in self.case.orders.values() if row["venue"] == ONCHAIN]

    def executions_of(self, order: UUID) -> list[Execution]:
        return [each for each in self.book.executions if self.owner(each) == order]

    def owner(self, execution: Execution) -> UUID | None:
        """The order of ours that it carried out. None: none."""
        return self.order_of.get(execution.tx_hash or "")


def judge_onchain(stage: Stage, errors: list[str], *, is_closed: bool = True) -> list[str]:
    """Every violation, each with the name of what was violated. Raises HarnessFault: no chain.

    Args:
        is_closed: whether everything has been told to close.
    """
    told = _case_of(onchain(stage), errors)
    return violations(told.case, is_closed=is_closed) + [
        f"{name}: {words}" for name, asks in CHAIN_JUDGES.items() for words in asks(told)
    ]


def _case_of(stage: OnchainStage, errors: list[str]) -> ChainCase:
    book = stage.chain_book()
    actions = stage.rows(
        "SELECT tx_hash, order_id FROM venue_actions WHERE kind = 'ORDER' AND tx_hash IS NOT NULL"
    )
    order_of = {str(row["tx_hash"]): row["order_id"] for row in actions}
    case = case_of(stage, errors)
    made = ChainCase(case, book, order_of, stage)
    ours = [_fill(each, made.owner(each)) for each in book.executions if made.owner(each)]
    return replace(made, case=replace(case, theirs=[*case.theirs, *ours]))


def _fill(execution: Execution, order: UUID | None) -> VenueFill:
    return VenueFill(
        ONCHAIN, execution.trader, str(execution.id), execution.size, execution.price, order
    )


def transactions_stored(told: ChainCase) -> Iterable[str]:
    """Each transaction of our keys in a block is stored, but for those of strangers."""
    stored = {str(row["tx_hash"]) for row in told.case.rows("SELECT tx_hash FROM venue_actions")}
    for each in told.book.sent:
        if each.tx_hash not in stored and each.tx_hash not in told.book.strangers:
            yield f"{each.tx_hash}, nonce {each.nonce} of {each.signer}, is stored nowhere"


def nonces_without_a_gap(told: ChainCase) -> Iterable[str]:
    """Nobody waits for a nonce: none of ours is in the pool, and all that were given are used."""
    for kind, senders in told.stage.place.node.ask("txpool_content").items():
        for signer, waiting in senders.items():
            if signer.lower() in told.stage.signers:
                yield f"nonces {sorted(waiting)} of {signer} are {kind} for ever"
    used = Counter(each.signer for each in told.book.sent)
    for row in told.case.rows(
        "SELECT signer_address, max(nonce) AS last FROM venue_actions WHERE tx_hash IS NOT NULL"
        " AND send_count > 0 GROUP BY signer_address"
    ):
        if row["last"] >= used[row["signer_address"]]:
            yield f"nonce {row['last']} of {row['signer_address']} is in no block"


def ends_agree(told: ChainCase) -> Iterable[str]:
    """FILLED was executed once, REJECTED not, and of EXPIRED there is no transaction at all."""
    mined = {each.tx_hash for each in told.book.sent}
    hashes = {order: tx_hash for tx_hash, order in told.order_of.items()}
    for order in told.chain_orders:
        executed = len(_of_its_trade(told, order))
        name = f"{order['leg']} {order['attempt']} ({order['id']})"
        if order["status"] == "FILLED" and executed != 1:
            yield f"{name} is FILLED, and was executed {executed} times"
        if order["status"] in ("REJECTED", "EXPIRED") and executed:
            yield f"{name} is {order['status']}, and was executed"
        if order["status"] == "EXPIRED" and hashes.get(order["id"]) in mined:
            yield f"{name} is EXPIRED, and {hashes[order['id']]} is in a block"


def _of_its_trade(told: ChainCase, order: Row) -> list[Execution]:
    """Not what a close met in the place of its own trade, which is an exit of the other's."""
    found = told.executions_of(order["id"])
    if order["purpose"] == "ENTRY":
        return found
    refs = {row["id"]: row["venue_ref"] for row in told.case.rows("SELECT * FROM positions")}
    return [each for each in found if each.ref == refs.get(order["position_id"])]


def trades_agree(told: ChainCase) -> Iterable[str]:
    """Each open trade is an open position under its name, and the other way round."""
    theirs = {(each.trader, each.ref): each.size for each in told.book.open_trades}
    ours = {
        (row["account"], row["venue_ref"]): row["open_qty"] * (1 if row["side"] == "LONG" else -1)
        for row in told.case.rows("SELECT * FROM positions WHERE status = 'OPEN'")
        if row["venue"] == ONCHAIN
    }
    for key in {*theirs, *ours}:
        if theirs.get(key) != ours.get(key):
            yield f"{key}: {ours.get(key)} in the ledger, {theirs.get(key)} on the chain"


def trades_guarded(told: ChainCase) -> Iterable[str]:
    """Each open trade that was promised a stop has one."""
    stops = {(each.trader, each.ref): each.stop for each in told.book.open_trades}
    for row in told.case.rows(GUARDED):
        if row["venue"] == ONCHAIN and not stops.get((row["account"], row["venue_ref"])):
            yield f"position {row['id']}, trade {row['venue_ref']}, has no stop there"


def exits_booked(told: ChainCase) -> Iterable[str]:
    """Each close that was no order of ours is booked once, with its size and price."""
    booked: dict[str, list[Row]] = defaultdict(list)
    for row in told.case.rows("SELECT * FROM venue_closures"):
        if row["venue"] == ONCHAIN:
            booked[row["venue_fill_id"]].append(row)
    filled = {
        row["venue_fill_id"]
        for row in told.case.rows("SELECT * FROM venue_fills")
        if row["venue"] == ONCHAIN
    }
    for each in told.book.executions:
        rows = booked.pop(str(each.id), [])
        if each.opens or str(each.id) in filled:
            if rows:
                yield f"order {each.id} of the venue is booked twice"
            continue
        sums = sum((row["size"] for row in rows), Decimal(0)), {row["price"] for row in rows}
        if sums != (each.size, {each.price}):
            yield f"close {each.id} of {each.size} at {each.price} is booked as {sums}"
    for name in booked:
        yield f"closure {name} is not the venue's"


def nothing_asked_for_ever(told: ChainCase) -> Iterable[str]:
    """What was asked of the keeper was answered or taken back."""
    for each in told.book.unfinished:
        yield f"order {each} of the venue, placed by {told.book.placed[each]}, waits for ever"


def money_agrees(told: ChainCase) -> Iterable[str]:
    """Who has nothing open has as much more or less as the ledger says, to the unit."""
    open_ = {each.trader for each in told.book.open_trades}
    made: dict[str, Decimal] = defaultdict(Decimal)
    count: Counter[str] = Counter()
    for row in told.case.rows(_MONEY):
        made[row["account"]] += row["cash"]
        count[row["account"]] += 1
    usdc = told.stage.place.deployed.usdc
    for account in told.stage.wallets.keys() - open_:
        has = Decimal(usdc.read("balanceOf", account)).scaleb(-6) - DEPOSIT_USD
        if abs(has - made[account]) > ROUNDING_USD * (count[account] + 1):
            yield f"{account} has {has} USD more than at first, and {made[account]} in the ledger"


_MONEY: Final = """
SELECT o.account, -o.fee AS cash FROM venue_orders o
WHERE o.venue = 'OSTIUM' AND o.status IN ('REJECTED', 'EXPIRED') AND o.fee <> 0
UNION ALL
SELECT o.account, f.size * f.price * CASE o.side WHEN 'LONG' THEN -1 ELSE 1 END - f.fee
FROM venue_fills f JOIN venue_orders o ON o.id = f.order_id WHERE o.venue = 'OSTIUM'
UNION ALL
SELECT p.account, c.size * c.price * CASE p.side WHEN 'LONG' THEN 1 ELSE -1 END - c.fee
FROM venue_closures c JOIN positions p ON p.id = c.position_id WHERE p.venue = 'OSTIUM'
"""

CHAIN_JUDGES: Mapping[str, Callable[[ChainCase], Iterable[Any]]] = {
    "transactions stored": transactions_stored,
    "nonces without a gap": nonces_without_a_gap,
    "ends agree": ends_agree,
    "trades agree": trades_agree,
    "trades guarded": trades_guarded,
    "exits booked": exits_booked,
    "nothing asked for ever": nothing_asked_for_ever,
    "money agrees": money_agrees,
}
