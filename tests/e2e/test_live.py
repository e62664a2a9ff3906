"""Live trading through the deployed template: keys in KMS, approved by the user, real books."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest
import urllib3
from eth_account import Account
from eth_account.signers.local import LocalAccount
from rich.console import Console

from local.deployment import running
from local.environment import Home
from local.progress import steps
from local.stack import Stack
from tests.e2e.client import signal

pytestmark = pytest.mark.e2e
Eventually = Callable[[Callable[[], bool], float], None]


@pytest.fixture(scope="module")
def live() -> Iterator[Stack]:
    home = Home.of_live_tests()
    shutil.rmtree(home.postgres, ignore_errors=True)
    with running(home, steps(Console(stderr=True)), live=True) as deployed:
        yield deployed


@pytest.fixture(scope="module")
def user() -> LocalAccount:
    """Somebody with a wallet of their own, which nobody else ever signs for."""
    made: LocalAccount = Account.create()
    return made


def post(url: str, body: Mapping[str, object]) -> Any:
    answer = urllib3.request("POST", url, json=body, timeout=10, retries=False)
    assert answer.status == 200, answer.data
    return json.loads(answer.data)


def books(live: Stack, user: LocalAccount) -> Mapping[str, Any]:
    """What the venue thinks of the user."""
    assert live.venues is not None
    url = f"{live.venues.hyperliquid}/simulator/books"
    told = json.loads(urllib3.request("GET", url, timeout=10, retries=False).data)
    found: Mapping[str, Any] = told["accounts"][user.address.lower()]
    return found


def approve(user: LocalAccount, approval: Mapping[str, Any]) -> None:
    """What the user's wallet does with what the API answers: sign it and post it to the venue."""
    signed = user.sign_typed_data(full_message=approval["typedData"])
    signature = {"r": hex(signed.r), "s": hex(signed.s), "v": signed.v}
    body = {"action": approval["action"], "nonce": approval["nonce"], "signature": signature}
    told = post(approval["postTo"], body)
    assert told["status"] == "ok", told


def created(live: Stack, path: str, body: Mapping[str, object], token: str) -> Any:
    answer = live.call("POST", path, dict(body), token=token)
    assert answer.status == 201, answer
    return answer.body


def test_a_user_s_key_is_made_in_kms_approved_and_trades(
    live: Stack, user: LocalAccount, eventually: Eventually
) -> None:
    assert live.venues is not None
    wallet = user.address.lower()
    scopes = ["routing:read", "routing:write", "signals:write"]
    token = live.issuer.token(scopes=scopes, wallet=wallet, seconds=3600, subject="the user")
    post(f"{live.venues.hyperliquid}/simulator/deposit", {"user": wallet, "usd": 1000})
    mine = {"name": "live", "venue": "MULTI", "status": "ACTIVE", "profit_receiver_address": wallet}
    agent = created(live, "/agents", mine, token)["agent"]["id"]

    followed = created(live, f"/agents/{agent}/deployments", {"venues": ["HYPERLIQUID"]}, token)
    (account,) = followed["deployment"]["accounts"]
    assert account["signer_address"]
    assert account["approved_until"] is None
    approve(user, account["approval"])
    live.invoke("reconcile")
    path = f"/deployments/{followed['deployment']['id']}"
    (account,) = live.call("GET", path, token=token).body["deployment"]["accounts"]
    assert account["approved_until"]
    assert account["approval"] is None

    opening = signal(agent, sizeModel={"type": "fixed-usdc", "value": "50", "leverage": "2"})
    assert live.call("POST", "/signals", opening, token=token).status == 202
    eventually(lambda: trade(live, opening, token)["positions"] != [], 60)

    told = trade(live, opening, token)
    (position,) = told["positions"]
    assert (position["mode"], position["status"]) == ("LIVE", "OPEN")
    assert {order["mode"] for order in told["orders"]} == {"LIVE"}
    assert books(live, user)["positions"]["BTC"]["size"] == position["openQty"]

    closing = {"signalId": str(uuid4()), "agentId": agent, "tokenSymbol": "BTC", "action": "CLOSE"}
    assert live.call("POST", "/signals", closing, token=token).status == 202
    eventually(lambda: trade(live, opening, token)["positions"][0]["status"] == "CLOSED", 60)

    assert "BTC" not in books(live, user)["positions"]
    assert len(books(live, user)["fills"]) == len(trade(live, opening, token)["fills"])


def test_without_the_user_s_approval_nothing_is_sent(live: Stack, eventually: Eventually) -> None:
    wallet = f"0x{uuid4().hex}{'0' * 8}"
    scopes = ["routing:read", "routing:write", "signals:write"]
    token = live.issuer.token(scopes=scopes, wallet=wallet, seconds=3600, subject="another")
    mine = {"name": "no", "venue": "MULTI", "status": "ACTIVE", "profit_receiver_address": wallet}
    agent = created(live, "/agents", mine, token)["agent"]["id"]
    created(live, f"/agents/{agent}/deployments", {"venues": ["HYPERLIQUID"]}, token)

    opening = signal(agent)
    assert live.call("POST", "/signals", opening, token=token).status == 202
    eventually(lambda: bool(trade(live, opening, token)["orders"]), 60)
    eventually(lambda: trade(live, opening, token)["orders"][0]["status"] == "REJECTED", 60)

    (order,) = trade(live, opening, token)["orders"]
    assert order["refusal"] == "NOT_APPROVED"
    assert trade(live, opening, token)["fills"] == []


def trade(live: Stack, of: Mapping[str, Any], token: str) -> Any:
    answer = live.call("GET", f"/signals/{of['signalId']}", token=token)
    assert answer.status == 200, answer
    return answer.body
