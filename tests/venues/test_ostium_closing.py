"""The figures of a close from its event, and from a trade that a node may not know any more."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from agent_where.errors import VenueUnavailable
from agent_where.venues._evm.abi import Event, Function
from agent_where.venues._evm.chain import Chain
from agent_where.venues._evm.shapes import Log
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium.closing import Closing
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.units import PositionRef
from tests.venues.evm_node import VENUE, Node, Reply, rpc

TRADER = "0x" + "c1" * 20
TX = "0x" + "0d" * 32
PLACES = Places(*("0x" + f"{number:040x}" for number in range(1, 6)))
REF = PositionRef(0, 1, 77)
ORDER_ID = 90
LEDGER = Decimal("0.5")
TRADE = Trade(100_000_000, 60_000 * 10**18, 0, 0, TRADER, 1000, 0, 1, True, False)
SIZE = 16_666_666_666_666_666


def log(event: Event, *values: object) -> dict[str, Any]:
    indexed, rest = tuple(event.indexed.values()), tuple(event.data.values())
    words = Function("", indexed).call(*values[: len(indexed)])[4:].hex()
    return {
        "address": PLACES.callbacks,
        "topics": [
            event.topic,
            *("0x" + words[at : at + 64] for at in range(0, len(words), 64)),
        ],
        "data": "0x" + Function("", rest).call(*values[len(indexed) :])[4:].hex(),
        "blockNumber": "0x64",
        "logIndex": "0x0",
        "transactionHash": TX,
    }


def node(*others: dict[str, Any], keeps_state: bool = True, trade_id: int = 77) -> Reply:
    def reply(row: dict[str, Any]) -> dict[str, Any]:
        match row["method"]:
            case "eth_getTransactionReceipt":
                told = {"status": "0x1", "blockNumber": "0x64", "transactionHash": TX}
                return {"result": told | {"logs": list(others)}}
            case "eth_getBlockByNumber":
                return {"result": {"number": "0x64", "timestamp": hex(1_770_379_200)}}
            case "eth_call" if keeps_state:
                return {"result": "0x" + state(row["params"], trade_id).hex()}
            case _:
                return {"error": {"code": -32000, "message": "missing trie node"}}

    return reply


def state(params: Any, trade_id: int) -> bytes:
    asked, block = params
    assert block == "0x63"  # the block before
    if asked["data"].startswith("0x" + on.OPEN_TRADE_OF.selector.hex()):
        return Function("", on.OPEN_TRADE_OF.outputs).call(TRADE)[4:]
    info = (trade_id, SIZE, 0, 0, 0, 0, False)
    return Function("", on.OPEN_TRADE_INFO.outputs).call(info)[4:]


def closed(price: int, sent: int, share: int = 10_000) -> Log:
    values = (ORDER_ID, 77, price * 10**18, 0, 0, sent, share)
    return Log.model_validate(log(on.CLOSE_EXECUTED, *values))


def fill(told: Log, reply: Reply) -> Any:
    chain = Chain(VENUE, rpc(Node(reply)), 42_161, max_fee_wei=10**9)
    return Closing(chain).fill(told, PLACES, TRADER, REF, LEDGER)


def test_what_was_not_paid_out_is_the_cost() -> None:
    made = fill(closed(66_000, 199_000_000), node())

    assert made.size == Decimal(SIZE).scaleb(-18)
    assert made.price == 66_000
    assert made.fee_usd == Decimal("1.000000")  # 100 staked and 100 gained, 199 paid
    assert made.venue_fill_id == "90"


def test_funding_that_was_earned_is_a_cost_below_zero() -> None:
    assert fill(closed(60_000, 100_250_000), node()).fee_usd == Decimal("-0.25")


def test_a_part_has_its_part_of_collateral_and_size() -> None:
    made = fill(closed(60_000, 24_000_000, share=2_500), node())

    assert made.size == Decimal(SIZE // 4).scaleb(-18)
    assert made.fee_usd == 1


def test_what_the_vault_kept_of_a_trade_at_its_end_was_not_paid() -> None:
    """A market close that is a liquidation names proceeds that it gives to the vault."""
    kept = log(on.LIQUIDATION_FEE, ORDER_ID, 77, TRADER, 5_000_000)
    of_another = log(on.LIQUIDATION_FEE, ORDER_ID + 1, 78, TRADER, 9_000_000)

    made = fill(closed(54_500, 5_000_000), node(kept, of_another))

    lost = (made.price - 60_000) * made.size - made.fee_usd
    assert abs(lost + 100) <= Decimal("0.000001")


@pytest.mark.parametrize("reply", [node(keeps_state=False), node(trade_id=78)])
def test_without_the_state_before_the_ledgers_size_stands_and_it_is_logged(
    reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        made = fill(closed(66_000, 199_000_000), reply)

    assert (made.size, made.fee_usd) == (LEDGER, 0)
    assert "booked without funding" in caplog.text


def test_a_log_whose_block_was_replaced_meanwhile_is_unavailable() -> None:
    gone = closed(66_000, 1).model_copy(update={"block": 101})

    with pytest.raises(VenueUnavailable, match="any more"):
        fill(gone, node())
