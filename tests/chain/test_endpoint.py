"""The endpoint in front of the chain misbehaves as told, and the venue can be led over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from eth_account import Account

from agent_where.venues._http import JsonHttp
from local.chain.keeper import CancelReason
from local.chain.rpc import Rpc, RpcError
from local.chain.venue import LocalVenue
from tests.chain.desk import (
    AGENT,
    BTC,
    STRANGER,
    STRANGER_KEY,
    USER,
    Desk,
    reason_of,
    until,
)


@pytest.fixture
def endpoint(venue: LocalVenue) -> Iterator[Rpc]:
    asking = Rpc(venue.rpc_url)
    yield asking
    asking.close()


def tell(venue: LocalVenue, what: str, **body: object) -> Any:
    return JsonHttp().post(f"{venue.control_url}/{what}", json.dumps(body).encode())


def told(venue: LocalVenue, what: str) -> Any:
    return JsonHttp().get(f"{venue.control_url}/{what}")


def signed(venue: LocalVenue, nonce: int | None = None) -> tuple[str, str]:
    """A transfer of nothing by a stranger, raw, and its hash."""
    venue.fund(STRANGER, eth=1)
    transfer = Account.from_key(STRANGER_KEY).sign_transaction(
        {
            "to": USER,
            "value": 0,
            "gas": 21_000,
            "maxFeePerGas": 10**9,
            "maxPriorityFeePerGas": 0,
            "nonce": venue.node.number("eth_getTransactionCount", STRANGER, "latest")
            if nonce is None
            else nonce,
            "chainId": venue.chain_id,
            "type": 2,
        }
    )
    return f"0x{bytes(transfer.raw_transaction).hex()}", f"0x{bytes(transfer.hash).hex()}"


def test_in_health_it_answers_as_the_node_does(venue: LocalVenue, endpoint: Rpc) -> None:
    assert endpoint.number("eth_chainId") == venue.chain_id == 42161
    assert endpoint.ask("eth_getBlockByNumber", "latest", False) == venue.node.ask(
        "eth_getBlockByNumber", "latest", False
    )
    with pytest.raises(RpcError, match="-32601"):
        endpoint.ask("eth_noSuchMethod")


def test_it_knows_the_rollups_block(venue: LocalVenue, endpoint: Rpc) -> None:
    asked = {"to": "0x" + "00" * 19 + "64", "data": "0xa3b1b31d"}

    assert endpoint.number("eth_call", asked, "latest") == endpoint.number("eth_blockNumber")


@pytest.mark.parametrize("processed", [True, False])
def test_an_error_may_hide_that_a_transaction_was_accepted(
    venue: LocalVenue, endpoint: Rpc, processed: bool
) -> None:
    raw, transaction = signed(venue)
    refusal = {"method": "eth_sendRawTransaction", "message": "internal error", "times": 1}
    tell(venue, "rpc/refuse", processed=processed, **refusal)

    with pytest.raises(RpcError, match="internal error"):
        endpoint.ask("eth_sendRawTransaction", raw)

    if processed:
        assert venue.node.receipt(transaction)["status"] == "0x1"
        with pytest.raises(RpcError, match=r"nonce too low|already"):
            endpoint.ask("eth_sendRawTransaction", raw)
    else:
        assert venue.node.ask("eth_getTransactionByHash", transaction) is None
        assert endpoint.ask("eth_sendRawTransaction", raw) == transaction


def test_a_nonce_that_leaves_a_gap_is_refused_as_the_sequencer_does(
    venue: LocalVenue, endpoint: Rpc
) -> None:
    ahead, transaction = signed(venue, nonce=1)

    with pytest.raises(RpcError, match="nonce too high"):
        endpoint.ask("eth_sendRawTransaction", ahead)
    endpoint.ask("eth_sendRawTransaction", signed(venue, nonce=0)[0])

    assert endpoint.ask("eth_sendRawTransaction", ahead) == transaction


def test_what_is_no_transaction_is_refused_by_the_node(endpoint: Rpc) -> None:
    for raw in ("0x", "0x02", "0xdead"):
        with pytest.raises(RpcError):
            endpoint.ask("eth_sendRawTransaction", raw)


@pytest.mark.parametrize("words", ["already known", "nonce too low"])
def test_it_refuses_in_the_words_it_is_told(venue: LocalVenue, endpoint: Rpc, words: str) -> None:
    tell(venue, "rpc/refuse", method="eth_sendRawTransaction", message=words, code=-32000)

    for _ in range(2):
        with pytest.raises(RpcError, match=words):
            endpoint.ask("eth_sendRawTransaction", signed(venue)[0])
    tell(venue, "rpc/refuse")

    endpoint.ask("eth_sendRawTransaction", signed(venue)[0])


@pytest.mark.parametrize("processed", [True, False])
def test_an_answer_is_dropped_after_or_before_the_node_had_the_request(
    venue: LocalVenue, endpoint: Rpc, processed: bool
) -> None:
    raw, transaction = signed(venue)
    tell(venue, "fail", mode="drop", type="eth_sendRawTransaction", times=1, processed=processed)

    with pytest.raises(urllib3.exceptions.ProtocolError):
        endpoint.ask("eth_sendRawTransaction", raw)

    known = until(lambda: venue.node.ask("eth_getTransactionByHash", transaction) or "unknown")
    assert (known != "unknown") is processed


def test_it_can_be_down_or_busy_and_be_well_again(venue: LocalVenue, endpoint: Rpc) -> None:
    for mode in ("503", "429"):
        tell(venue, "fail", mode=mode)
        asked = urllib3.request("POST", venue.rpc_url, body=b"{}", retries=False)
        assert asked.status == int(mode)

    tell(venue, "reset")

    assert endpoint.number("eth_blockNumber") > 0


def test_logs_of_too_many_blocks_are_refused(venue: LocalVenue, endpoint: Rpc) -> None:
    venue.mine(20)
    head = endpoint.number("eth_blockNumber")
    tell(venue, "rpc/log-range", blocks=10)

    with pytest.raises(RpcError, match="-32005: block range exceeds 10"):
        endpoint.ask("eth_getLogs", {"fromBlock": hex(head - 10), "toBlock": "latest"})
    assert endpoint.ask("eth_getLogs", {"fromBlock": hex(head - 9), "toBlock": hex(head)}) == []


def test_a_lagging_endpoint_has_not_seen_the_newest_blocks(
    venue: LocalVenue, endpoint: Rpc
) -> None:
    head = venue.node.number("eth_blockNumber")
    raw, transaction = signed(venue)
    tell(venue, "rpc/lag", blocks=1)

    endpoint.ask("eth_sendRawTransaction", raw)
    venue.node.receipt(transaction)

    assert endpoint.number("eth_blockNumber") == head
    assert endpoint.ask("eth_getTransactionReceipt", transaction) is None
    assert endpoint.ask("eth_getTransactionByHash", transaction) is None
    assert endpoint.number("eth_getTransactionCount", STRANGER, "latest") == 0
    assert int(endpoint.ask("eth_getBlockByNumber", "latest", False)["number"], 16) == head

    venue.mine()

    assert endpoint.ask("eth_getTransactionReceipt", transaction)["status"] == "0x1"
    assert endpoint.number("eth_getTransactionCount", STRANGER, "latest") == 1


def test_a_reorganisation_takes_back_what_the_last_block_held(desk: Desk, endpoint: Rpc) -> None:
    venue = desk.venue
    tell(venue, "keeper", mode="silent")
    order = desk.ask(desk.ticket())
    before = endpoint.ask("eth_getBlockByNumber", "latest", False)

    tell(venue, "reorg", depth=1)

    after = endpoint.ask("eth_getBlockByNumber", "latest", False)
    assert after["number"] == before["number"]
    assert after["hash"] != before["hash"]
    assert venue.keeper.unanswered() == []
    assert desk.balance() == desk.usdc
    tell(venue, "keeper", mode="fill")
    assert desk.ask(desk.ticket()) == order, "its number is given again"
    assert desk.settlement(order)[0] == "MarketOpenExecuted"


def test_transactions_wait_while_no_block_is_mined(venue: LocalVenue, endpoint: Rpc) -> None:
    tell(venue, "mining", seconds=0)
    raw, transaction = signed(venue)

    endpoint.ask("eth_sendRawTransaction", raw)

    assert endpoint.ask("eth_getTransactionReceipt", transaction) is None
    assert endpoint.ask("eth_getTransactionByHash", transaction)["blockNumber"] is None
    assert endpoint.number("eth_getTransactionCount", STRANGER, "pending") == 1
    with pytest.raises(RpcError, match="already"):
        endpoint.ask("eth_sendRawTransaction", raw)
    tell(venue, "mine", blocks=1)
    assert endpoint.ask("eth_getTransactionReceipt", transaction)["status"] == "0x1"


def test_orders_are_filled_when_blocks_come_by_the_clock(desk: Desk) -> None:
    tell(desk.venue, "mining", seconds=1)
    before = desk.venue.node.number("eth_blockNumber")

    order = desk.ask(desk.ticket())

    assert desk.settlement(order)[0] == "MarketOpenExecuted"
    assert desk.venue.node.number("eth_blockNumber") - before <= 3


def test_the_keeper_is_led_over_http(desk: Desk) -> None:
    venue = desk.venue
    tell(venue, "keeper", mode="silent")
    order, second = desk.ask(desk.ticket()), desk.ask(desk.ticket())
    manner = told(venue, "keeper")
    assert (manner["mode"], manner["unanswered"]) == ("silent", [order, second])

    tell(venue, "answer", order=order)
    tell(venue, "refuse", order=second, reason="PRICE_IMPACT")

    assert desk.settlement(order)[0] == "MarketOpenExecuted"
    assert reason_of(desk.settlement(second)) is CancelReason.PRICE_IMPACT
    tell(venue, "exit", trader=USER, pair=BTC, index=0, why="stop_loss")
    assert reason_of(desk.settlement(second + 1)) is CancelReason.NOT_HIT


def test_a_cancellation_can_be_told_for_so_many_orders(desk: Desk) -> None:
    tell(desk.venue, "keeper", mode="cancel", reason="PAUSED", times=1, exits=False)

    assert reason_of(desk.settlement(desk.ask(desk.ticket()))) is CancelReason.PAUSED
    assert desk.settlement(desk.ask(desk.ticket()))[0] == "MarketOpenExecuted"


def test_the_contracts_are_paused_and_resumed_over_http(desk: Desk) -> None:
    held = tell(desk.venue, "state", contract="trading", paused=True)
    assert held == {"paused": True, "done": False}
    assert desk.refused("openTrade", *desk.ticket().arguments()) == "IsPaused()"

    assert tell(desk.venue, "state", contract="trading", paused=False)["paused"] is False
    assert tell(desk.venue, "state", contract="callbacks", done=True)["done"] is True


def test_an_account_is_funded_approved_and_delegated_without_its_key(venue: LocalVenue) -> None:
    tell(venue, "fund", address=STRANGER.lower(), usdc="12.5", eth="0.25")
    tell(venue, "approve", owner=STRANGER, usdc="10")
    tell(venue, "delegate", owner=STRANGER, agent=AGENT)

    held = told(venue, "venue")
    assert held["registry"] == venue.registry
    assert str(venue.balance(STRANGER)) == "12.500000"
    usdc = venue.deployed.usdc
    assert usdc.read("allowance", STRANGER, held["trading_storage"]) == 10 * 10**6
    assert venue.deployed.trading.read("delegations", STRANGER) == AGENT.lower()


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("keeper", {"mode": "sleep"}),
        ("keeper", {"mode": "cancel", "reason": "WEATHER"}),
        ("answer", {"order": "1"}),
        ("exit", {"trader": USER, "why": "boredom"}),
        ("state", {"contract": "vault"}),
        ("fund", {"address": "0x1"}),
        ("mine", {"blocks": 0}),
        ("rpc/lag", {"blocks": -1}),
        ("delegate", {"owner": USER, "agent": "0x" + "00" * 20}),
    ],
)
def test_what_makes_no_sense_is_refused(venue: LocalVenue, what: str, body: Any) -> None:
    answer = urllib3.request("POST", f"{venue.control_url}/{what}", json=body, retries=False)

    assert answer.status == 400
    assert answer.json()["error"]
