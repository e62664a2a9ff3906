"""Live trading through the deployed template: keys in KMS, approved by the user, real books."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from agent_where.store.connection import Database, DatabaseSettings
from local.deployment import running
from local.environment import Home
from local.progress import steps
from local.stack import Stack
from local.venues import tell
from tests.e2e.live_user import LiveUser, created
from tests.e2e.test_logs import everything_said

pytestmark = pytest.mark.e2e
HYPERLIQUID, OSTIUM = "HYPERLIQUID", "OSTIUM"


@pytest.fixture(scope="module")
def live() -> Iterator[Stack]:
    with running(Home.of_live_tests(), steps(Console(stderr=True)), live=True) as deployed:
        assert deployed.venues is not None
        tell(deployed.venues.ostium_prices, "market", coin="EURUSD", open=True)
        deployed.invoke("market_sync")
        yield deployed


def test_a_user_s_key_is_made_in_kms_approved_and_trades(live: Stack) -> None:
    user = LiveUser.at(live, HYPERLIQUID)
    account = user.account(HYPERLIQUID)
    assert account["signer_address"]
    assert account["approved_until"] is None
    user.approves(HYPERLIQUID)
    assert user.account(HYPERLIQUID)["approval"] is None

    opening = user.opens("BTC")
    position = user.position(opening, "OPEN")

    assert position["mode"] == "LIVE"
    assert {order["mode"] for order in user.trade(opening)["orders"]} == {"LIVE"}
    assert user.at_hyperliquid()["positions"]["BTC"]["size"] == position["openQty"]

    user.closes("BTC")
    user.position(opening, "CLOSED")

    assert "BTC" not in user.at_hyperliquid()["positions"]
    assert len(user.at_hyperliquid()["fills"]) == len(user.trade(opening)["fills"])


def test_without_the_user_s_approval_nothing_is_sent(live: Stack) -> None:
    user = LiveUser.at(live, HYPERLIQUID)

    opening = user.opens("BTC")
    user.until(lambda: ended(user.trade(opening)["orders"]))

    (order,) = user.trade(opening)["orders"]
    assert (order["status"], order["refusal"]) == ("REJECTED", "NOT_APPROVED")
    assert user.trade(opening)["fills"] == []


def test_a_delegate_on_the_chain_trades_and_a_refusal_elsewhere_falls_over_to_it(
    live: Stack,
) -> None:
    user = LiveUser.at(live, HYPERLIQUID, OSTIUM)
    user.approves(OSTIUM)
    assert user.account(OSTIUM)["approval"] is None
    assert user.account(HYPERLIQUID)["approved_until"] is None

    euro, bitcoin = user.opens("EUR"), user.opens("BTC")
    opened = [user.position(each, "OPEN") for each in (euro, bitcoin)]

    assert venues(user.trade(euro)["orders"]) == [(OSTIUM, "FILLED")]
    assert venues(user.trade(bitcoin)["orders"]) == [(HYPERLIQUID, "REJECTED"), (OSTIUM, "FILLED")]
    assert {each["mode"] for each in opened} == {"LIVE"}
    assert {each["size"] for each in user.at_ostium()} == {each["openQty"] for each in opened}
    assert user.at_hyperliquid()["fills"] == []

    user.closes("EUR")
    user.position(euro, "CLOSED")

    assert [each["size"] for each in user.at_ostium()] == [opened[1]["openQty"]]


def test_what_a_keeper_cancels_trades_once_at_the_other_venue(live: Stack) -> None:
    user = LiveUser.at(live, HYPERLIQUID, OSTIUM)
    user.approves(HYPERLIQUID, OSTIUM)
    policy = {"agentId": user.agent, "venuePriority": [OSTIUM, HYPERLIQUID]}
    created(live, "/venue-routing/config", policy, user.token)
    rpc = user.wallet.venues.ostium_rpc
    assert rpc is not None
    tell(rpc, "keeper", mode="cancel", reason="SLIPPAGE", times=1)

    opening = user.opens("ETH")
    position = user.position(opening, "OPEN")

    first, second = user.trade(opening)["orders"][:2]
    assert venues([first, second]) == [(OSTIUM, "REJECTED"), (HYPERLIQUID, "FILLED")]
    assert "SLIPPAGE" in first["detail"]
    assert user.at_ostium() == []
    assert user.at_hyperliquid()["positions"]["ETH"]["size"] == position["openQty"]
    assert len(user.at_hyperliquid()["fills"]) == len(user.trade(opening)["fills"])


def test_no_log_of_any_function_holds_a_token_a_login_or_what_was_signed(live: Stack) -> None:
    user = LiveUser.at(live, HYPERLIQUID, OSTIUM)
    user.approves(HYPERLIQUID, OSTIUM)
    bitcoin, euro = user.opens("BTC"), user.opens("EUR")
    for each in (bitcoin, euro):
        user.position(each, "OPEN")
    live.invoke("doctor", {"venues": True})
    live.invoke("setup", {"report": True})

    database = Database(DatabaseSettings.from_url(live.dsn))
    rows = database.run("SELECT payload FROM venue_actions")
    database.close()
    signed = [bytes(row["payload"]) for row in rows]
    logs = everything_said(live)

    assert len(signed) >= 2
    assert all(f'"service":"{name}"' in logs for name in ("route_execute", "reconcile", "setup"))
    assert [secret for secret in secrets(live, user, signed) if secret in logs] == []


def secrets(live: Stack, user: LiveUser, signed: list[bytes]) -> Iterator[str]:
    """The user's key and token, the database's password, everything signed, in its forms."""
    yield bytes(user.wallet.key.key).hex()
    yield from (user.token, *user.token.split("."))
    yield str(urlsplit(live.dsn).password)
    for payload in signed:
        yield payload.hex()
        if payload.startswith(b"{"):
            signature = json.loads(payload)["signature"]
            yield from (str(signature[part]).removeprefix("0x") for part in ("r", "s"))


def ended(orders: list[dict[str, str]]) -> bool:
    return bool(orders) and all(order["status"] == "REJECTED" for order in orders)


def venues(orders: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(order["venue"], order["status"]) for order in orders]
