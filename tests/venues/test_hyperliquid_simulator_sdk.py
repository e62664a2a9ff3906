"""The official client, unmodified, trades on the simulator over HTTP: that makes it a witness."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_account import Account

from agent_where.venues._http import JsonHttp
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server

ABSENT = "hyperliquid-python-sdk is not in this environment"
sdk = pytest.importorskip("hyperliquid.exchange", reason=ABSENT)
Info = pytest.importorskip("hyperliquid.info", reason=ABSENT).Info
signing = pytest.importorskip("hyperliquid.utils.signing", reason=ABSENT)
Cloid = pytest.importorskip("hyperliquid.utils.types", reason=ABSENT).Cloid

WALLET = Account.create()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(HyperliquidSimulator(now)) as listening:
        tell(listening, "price", coin="ETH", price="2000")
        tell(listening, "deposit", user=WALLET.address, usd="10000")
        yield listening


def tell(server: Server, what: str, **body: object) -> Any:
    return JsonHttp().post(f"{server.url}/simulator/{what}", json.dumps(body).encode())


@contextmanager
def client(server: Server, wallet: Any = WALLET, user: str | None = None) -> Iterator[Any]:
    made = sdk.Exchange(wallet, server.url, account_address=user, timeout=5)
    with closing(made.session), closing(made.info.session):
        yield made


@contextmanager
def reader(server: Server) -> Iterator[Any]:
    made = Info(server.url, skip_ws=True, timeout=5)
    with closing(made.session):
        yield made


def only_status(answer: Any) -> Any:
    assert answer["status"] == "ok", answer
    (status,) = answer["response"]["data"]["statuses"]
    return status


def test_it_opens_a_position_at_market_reads_it_and_closes_it(server: Server) -> None:
    with client(server) as exchange, reader(server) as info:
        assert exchange.update_leverage(5, "ETH")["status"] == "ok"

        opened = only_status(exchange.market_open("ETH", True, 1.5))["filled"]

        assert float(opened["totalSz"]) == 1.5
        assert float(opened["avgPx"]) == pytest.approx(2000, rel=1e-3)
        (held,) = info.user_state(WALLET.address)["assetPositions"]
        assert held["position"]["szi"] == "1.5"
        assert held["position"]["leverage"] == {"type": "cross", "value": 5}
        assert info.query_order_by_oid(WALLET.address, opened["oid"])["order"]["status"] == "filled"

        closed = only_status(exchange.market_close("ETH"))["filled"]

        assert float(closed["totalSz"]) == 1.5
        state = info.user_state(WALLET.address)
        assert state["assetPositions"] == []
        fills = info.user_fills(WALLET.address)
        assert {fill["dir"] for fill in fills} == {"Open Long", "Close Long"}
        spent = sum(float(fill["fee"]) - float(fill["closedPnl"]) for fill in fills)
        assert float(state["withdrawable"]) == pytest.approx(10_000 - spent)
        later = info.user_fills_by_time(WALLET.address, 0)
        assert [fill["tid"] for fill in later] == [fill["tid"] for fill in reversed(fills)]


def test_it_places_finds_modifies_and_cancels_orders_that_rest(server: Server) -> None:
    mine = Cloid.from_int(7)
    with client(server) as exchange, reader(server) as info:
        gtc = {"limit": {"tif": "Gtc"}}
        resting = only_status(exchange.order("ETH", True, 0.5, 1900.5, gtc, cloid=mine))["resting"]

        by_oid = info.query_order_by_oid(WALLET.address, resting["oid"])
        by_cloid = info.query_order_by_cloid(WALLET.address, mine)
        assert by_oid == by_cloid
        assert by_oid["order"]["status"] == "open"
        assert [order["oid"] for order in info.open_orders(WALLET.address)] == [resting["oid"]]

        moved = only_status(
            exchange.modify_order(resting["oid"], "ETH", True, 0.6, 1899, gtc, cloid=mine)
        )
        (shown,) = info.frontend_open_orders(WALLET.address)
        assert (shown["oid"], shown["sz"], shown["limitPx"]) == (
            moved["resting"]["oid"],
            "0.6",
            "1899.0",
        )

        assert only_status(exchange.cancel_by_cloid("ETH", mine)) == "success"
        refused = only_status(exchange.cancel("ETH", shown["oid"]))
        assert refused == {"error": "Order was never placed, already canceled, or filled. asset=1"}
        status = info.query_order_by_cloid(WALLET.address, mine)["order"]["status"]
        assert status == "canceled"
        nobodys = info.query_order_by_cloid(WALLET.address, Cloid.from_int(8))
        assert nobodys == {"status": "unknownOid"}


def test_its_triggers_wait_and_close_the_position_when_the_mark_crosses(server: Server) -> None:
    stop = {"trigger": {"triggerPx": 1900, "isMarket": True, "tpsl": "sl"}}
    with client(server) as exchange, reader(server) as info:
        exchange.market_open("ETH", True, 1)
        oid = only_status(exchange.order("ETH", False, 1, 1710, stop, True))["resting"]["oid"]
        (shown,) = info.frontend_open_orders(WALLET.address)
        assert (shown["triggerCondition"], shown["orderType"]) == (
            "Price below 1900",
            "Stop Market",
        )

        tell(server, "price", coin="ETH", price="1899")

        assert info.user_state(WALLET.address)["assetPositions"] == []
        assert info.query_order_by_oid(WALLET.address, oid)["order"]["status"] == "filled"


def test_an_agent_it_approves_trades_for_the_account_and_for_nobody_else(server: Server) -> None:
    with client(server) as exchange, reader(server) as info:
        answer, key = exchange.approve_agent("desk")
        assert answer == {"status": "ok", "response": {"type": "default"}}
        agent = Account.from_key(key)
        (listed,) = info.extra_agents(WALLET.address)
        assert (listed["name"], listed["address"]) == ("desk", agent.address.lower())
        assert info.user_role(agent.address)["role"] == "agent"

    with client(server, agent, WALLET.address) as exchange, reader(server) as info:
        assert "filled" in only_status(exchange.market_open("ETH", False, 1))
        assert info.user_state(WALLET.address)["assetPositions"][0]["position"]["szi"] == "-1.0"
        assert info.user_state(agent.address)["assetPositions"] == []
        assert "filled" in only_status(exchange.market_close("ETH"))
        for refused in (
            exchange.usd_transfer(1, WALLET.address),
            exchange.withdraw_from_bridge(1, WALLET.address),
            exchange.approve_agent("another")[0],
        ):
            told = f"Must deposit before performing actions. User: {agent.address.lower()}"
            assert refused == {"status": "err", "response": told}


def test_its_money_moves_by_the_accounts_own_key(server: Server) -> None:
    other = Account.create().address
    with client(server) as exchange, reader(server) as info:
        assert exchange.usd_transfer(100, other)["status"] == "ok"
        assert info.user_state(other)["withdrawable"] == "100.0"
        assert exchange.withdraw_from_bridge(900, other)["status"] == "ok"
        assert info.user_state(WALLET.address)["withdrawable"] == "9000.0"
        refused = exchange.withdraw_from_bridge(9001, other)
        assert refused["response"] == "Insufficient balance for withdrawal."


def test_its_expiry_and_its_scheduled_cancel_are_refused_as_the_venue_does(server: Server) -> None:
    with client(server) as exchange:
        told = exchange.schedule_cancel(None)["response"]
        assert told.startswith("Cannot set scheduled cancel time until enough volume traded.")
        exchange.set_expires_after(1)
        assert exchange.update_leverage(5, "ETH") == {
            "status": "err",
            "response": "Action already expired",
        }


def test_what_it_signs_for_testnet_is_somebody_elses_on_mainnet() -> None:
    with Server(HyperliquidSimulator(now, is_mainnet=True)) as server:
        tell(server, "deposit", user=WALLET.address, usd="10000")
        with client(server) as exchange:
            refused = exchange.market_open("ETH", True, 1)
            approval, _ = exchange.approve_agent("desk")

    assert refused["status"] == approval["status"] == "err"
    assert refused["response"].startswith("User or API Wallet 0x")
    assert refused["response"].endswith(" does not exist.")
    assert WALLET.address.lower() not in refused["response"]
    assert approval["response"].startswith("Must deposit before performing actions. User: 0x")


def test_a_signature_of_another_action_is_somebody_elses(server: Server) -> None:
    with client(server) as exchange, reader(server) as info:
        noop = {"type": "noop"}
        nonce = int(now().timestamp() * 1000)
        signature = signing.sign_l1_action(WALLET, noop, None, nonce, None, False)
        action = {"type": "updateLeverage", "asset": 1, "isCross": True, "leverage": 3}

        refused = exchange._post_action(action, signature, nonce)

        assert refused["response"].startswith("User or API Wallet 0x")
        assert exchange._post_action(noop, signature, nonce)["status"] == "ok"
        again = exchange._post_action(noop, signature, nonce)
        assert again["response"] == f"Invalid nonce: duplicate nonce {nonce}"
        leverage = info.post(
            "/info", {"type": "activeAssetData", "user": WALLET.address, "coin": "ETH"}
        )
        assert leverage["leverage"]["value"] == 20


def test_twenty_of_its_clients_at_once_trade_each_on_its_own_account(server: Server) -> None:
    wallets = [Account.create() for _ in range(20)]
    for wallet in wallets:
        tell(server, "deposit", user=wallet.address, usd="10000")

    def trade(wallet: Any) -> None:
        with client(server, wallet) as exchange:
            exchange.market_open("ETH", True, 0.1)

    threads = [threading.Thread(target=trade, args=(wallet,)) for wallet in wallets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    books = JsonHttp().get(f"{server.url}/simulator/books")
    assert isinstance(books, dict)
    held = [books["accounts"][w.address.lower()]["positions"]["ETH"]["size"] for w in wallets]
    assert held == ["0.1"] * 20
