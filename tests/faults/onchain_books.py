"""What the venue's contracts say happened, read straight from the node and decoded by their ABI.

Nothing here is the adapter's: neither its client, nor its decoder, nor where it looks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tests.chain.desk import read_log
from tests.faults.onchain_place import Place

_WEI_DIGITS: Final = 18
_WHOLE: Final = 10_000
_COINS: Final = {0: "BTC", 1: "ETH"}
_OPENS, _CLOSES = "MarketOpenExecuted", "MarketCloseExecutedV2"
_EXITS: Final = "LimitCloseExecuted"
_PLACED: Final = ("MarketOpenOrderInitiated", "MarketCloseOrderInitiatedV2")
_UNDONE: Final = (
    *("MarketOpenCanceled", "MarketCloseCanceled"),
    *("MarketOpenTimeoutExecutedV2", "MarketCloseTimeoutExecutedV2"),
)


@dataclass(frozen=True)
class Event:
    """A log of the venue's."""

    name: str
    told: Mapping[str, Any]
    tx_hash: str


@dataclass(frozen=True)
class Execution:
    """An order that the venue carried out.

    Args:
        id: the venue's number of the order.
        tx_hash: of the transaction that placed it; None where a keeper did.
        ref: of the trade that it opened, or closed some of.
    """

    id: int
    tx_hash: str | None
    trader: str
    ref: str
    opens: bool
    size: Decimal
    price: Decimal


@dataclass(frozen=True)
class OpenTrade:
    """A trade that is open. `size`: in base units, positive for a long. `stop`: USD; 0 is none."""

    trader: str
    ref: str
    coin: str
    size: Decimal
    stop: Decimal


@dataclass(frozen=True)
class Sent:
    """A transaction in a block, of one of our keys, by whomever."""

    tx_hash: str
    signer: str
    nonce: int
    worked: bool


@dataclass(frozen=True)
class Book:
    """All that happened. `unfinished`: orders that nobody has answered."""

    executions: Sequence[Execution]
    open_trades: Sequence[OpenTrade]
    sent: Sequence[Sent]
    strangers: frozenset[str]
    placed: Mapping[int, str]
    unfinished: frozenset[int]

    def told(self) -> dict[str, Any]:
        """The part that every venue's books have, as the judges read it."""
        held: dict[str, dict[str, Any]] = defaultdict(dict)
        for trade in self.open_trades:
            sizes = held[trade.trader]
            before = Decimal(sizes.get(trade.coin, {"size": "0"})["size"])
            sizes[trade.coin] = {"size": str(before + trade.size)}
        return {
            "actions": [
                {"signer": each.signer, "nonce": each.nonce, "action": {"type": each.tx_hash}}
                for each in self.sent
                if each.tx_hash not in self.strangers
            ],
            "accounts": {
                trader: {"positions": sizes, "orders": [], "fills": []}
                for trader, sizes in held.items()
            },
        }


def read_book(place: Place, signers: frozenset[str]) -> Book:
    """Read it all.

    Args:
        signers: our keys' addresses, in lower case.
    """
    events = _events(place)
    placed = {each.told["orderId"]: each.tx_hash for each in events if each.name in _PLACED}
    ended = {each.told["orderId"] for each in events if each.name in (_OPENS, _CLOSES, *_UNDONE)}
    return Book(
        executions=_executions(events, placed),
        open_trades=_open_trades(place),
        sent=_sent(place, signers),
        strangers=frozenset(place.strangers),
        placed=placed,
        unfinished=frozenset(placed.keys() - ended),
    )


def _events(place: Place) -> list[Event]:
    addresses = {
        place.deployed.trading.address.lower(): "Trading",
        place.deployed.callbacks.address.lower(): "Callbacks",
    }
    asked = {"address": list(addresses), "fromBlock": hex(place.first_block)}
    logs = place.node.ask("eth_getLogs", asked)
    return [
        Event(*read_log(addresses[log["address"].lower()], log), log["transactionHash"].lower())
        for log in logs
    ]


def _executions(events: Sequence[Event], placed: Mapping[int, str]) -> list[Execution]:
    found = list[Execution]()
    trades = dict[int, Execution]()
    left = dict[int, Decimal]()
    for event in events:
        told = event.told
        if event.name == _OPENS:
            trade = told["t"]
            opened = Execution(
                id=told["orderId"],
                tx_hash=placed.get(told["orderId"]),
                trader=trade[4].lower(),
                ref=f"{trade[6]}:{trade[7]}:{told['orderId']}",
                opens=True,
                size=_plain(told["tradeNotional"]),
                price=_plain(trade[1]),
            )
            trades[opened.id], left[opened.id] = opened, opened.size
            found.append(opened)
        elif event.name in (_CLOSES, _EXITS):
            opened = trades[told["tradeId"]]
            share = told.get("percentageClosed", _WHOLE)
            size = left[opened.id] * share / _WHOLE
            left[opened.id] -= size
            tx_hash = placed.get(told["orderId"])
            price = _plain(told["price"])
            found.append(
                Execution(told["orderId"], tx_hash, opened.trader, opened.ref, False, size, price)
            )
    return found


def _open_trades(place: Place) -> list[OpenTrade]:
    storage, found = place.deployed.trading_storage, []
    for key in storage.read("everyOpenTrade"):
        trader, pair, index, is_buy = key[4], key[6], key[7], key[8]
        info = storage.read("getOpenTradeInfo", trader, pair, index)
        size = _plain(info[1])
        ref = f"{pair}:{index}:{info[0]}"
        coin, signed = _COINS.get(pair, str(pair)), size if is_buy else -size
        found.append(OpenTrade(trader.lower(), ref, coin, signed, stop=_plain(key[3])))
    return found


def _sent(place: Place, signers: frozenset[str]) -> list[Sent]:
    """Of every block since the venue was deployed."""
    last = place.node.number("eth_blockNumber")
    asked = [(hex(number), True) for number in range(place.first_block, last + 1)]
    found = []
    for block in place.node.ask_all("eth_getBlockByNumber", asked):
        for each in block["transactions"]:
            if each["from"].lower() in signers:
                receipt = place.node.ask("eth_getTransactionReceipt", each["hash"])
                worked = receipt["status"] == "0x1"
                told = (each["hash"].lower(), each["from"].lower(), int(each["nonce"], 16))
                found.append(Sent(*told, worked))
    return found


def _plain(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-_WEI_DIGITS)
